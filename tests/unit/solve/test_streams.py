"""Slots taken by a stricter zone at a site that it shares."""

from __future__ import annotations

import numpy as np
import pytest

from scheduler.solve.streams import reserve, runs_of


def _flags(*slots: int, count: int = 20) -> np.ndarray:
    flags = np.zeros(count, dtype=bool)
    flags[list(slots)] = True
    return flags


def test_runs_are_the_unbroken_stretches() -> None:
    """A run ends where a slot is not offered, and at the last slot."""
    assert runs_of(_flags(0, 1, 2, 5, 18, 19)) == [(0, 3), (5, 6), (18, 20)]
    assert runs_of(_flags()) == []


def test_the_earliest_slots_are_taken_and_the_ground_is_cleared() -> None:
    """The next zone may come only after the clearing time, never before the stricter one."""
    offered = _flags(*range(2, 20))
    taken = reserve(offered, np.array([0, 1]), np.array([25, 10]), np.full(20, 10), (1, 3))
    (run,) = taken.runs
    assert run[0] == 2
    assert (run[1] - run[0]) * 10 >= 35
    assert not taken.free[: run[1] + 3].any()
    assert taken.free[run[1] + 3 :].all()
    assert sorted(taken.blocks[0].tolist()) == [0, 1]
    assert offered.sum() == 18


@pytest.mark.parametrize("seed", range(20))
def test_blocks_stay_whole_within_a_run(seed: int) -> None:
    """The blocks of a run fit its slots; a block is in one run at most; none that fits is lost."""
    rng = np.random.default_rng(seed)
    offered = rng.random(40) < 0.8
    people = rng.integers(1, 80, 6)
    quota = int(rng.integers(5, 20))
    taken = reserve(offered, np.arange(6), people, np.full(40, quota), (1, 2))
    inside = [block for blocks in taken.blocks for block in blocks.tolist()]
    assert len(inside) == len(set(inside))
    for (first, end), blocks in zip(taken.runs, taken.blocks, strict=True):
        assert offered[first:end].all()
        assert people[blocks].sum() <= (end - first) * quota
    longest = max((end - first for first, end in runs_of(offered)), default=0) * quota
    assert (len(inside) == 0) == bool((people > longest).all())


def test_nothing_taken_leaves_all_free() -> None:
    """A block larger than every run is in no run, and no slot is held for it."""
    offered = _flags(3, 4, 5)
    taken = reserve(offered, np.array([0]), np.array([31]), np.full(20, 10), (1, 2))
    assert taken.runs == []
    assert (taken.free == offered).all()
