"""People per wave into people per slot."""

from __future__ import annotations

import numpy as np
import pytest

from scheduler.solve.slots import Call, fill_densely, fill_run, is_consecutive


def _people_of(calls: list[Call]) -> dict[int, int]:
    people: dict[int, int] = {}
    for block, _, called in calls:
        people[block] = people.get(block, 0) + called
    return people


def _per_slot(calls: list[Call]) -> dict[int, int]:
    people: dict[int, int] = {}
    for _, slot, called in calls:
        people[slot] = people.get(slot, 0) + called
    return people


def _random_run(
    seed: int,
) -> tuple[list[tuple[int, int]], list[tuple[int, int, int]], int]:
    """Return blocks, consecutive waves that hold them, and a quota."""
    rng = np.random.default_rng(seed)
    quota, width = int(rng.integers(3, 30)), int(rng.integers(1, 9))
    blocks = [(b, int(n)) for b, n in enumerate(rng.integers(1, 120, int(rng.integers(1, 7))))]
    left = sum(n for _, n in blocks)
    waves: list[tuple[int, int, int]] = []
    while left:
        room = width * quota
        people = min(left, int(rng.integers(1, room + 1)))
        waves.append((len(waves) * width, (len(waves) + 1) * width, people))
        left -= people
    return blocks, waves, quota


@pytest.mark.parametrize("seed", range(60))
def test_everybody_is_called_within_the_quota(seed: int) -> None:
    """All people are called, no slot over its quota, no block torn, no call without people."""
    blocks, waves, quota = _random_run(seed)
    calls = fill_run(blocks, waves, np.full(waves[-1][1], quota))
    assert _people_of(calls) == dict(blocks)
    assert max(_per_slot(calls).values()) <= quota
    assert min(people for _, _, people in calls) >= 1
    assert is_consecutive(calls)
    assert max(slot for _, slot, _ in calls) < waves[-1][1]


def test_the_people_of_a_wave_are_kept() -> None:
    """Where no block is torn, each wave calls the people that the labs expect from it."""
    calls = fill_run([(7, 30), (8, 30)], [(0, 4, 45), (4, 8, 15)], np.full(8, 15))
    per_slot = _per_slot(calls)
    assert sum(n for slot, n in per_slot.items() if slot < 4) == 45
    assert sum(n for slot, n in per_slot.items() if slot >= 4) == 15


def test_a_block_waits_for_nobody_between_two_waves() -> None:
    """A block that goes on into the next wave has somebody in each slot in between."""
    calls = fill_run([(1, 12)], [(0, 4, 6), (4, 8, 6)], np.full(8, 10))
    assert [slot for _, slot, _ in calls] == list(range(calls[0][1], 5))
    assert calls[0][1] < 4


def test_a_torn_block_is_called_early_instead() -> None:
    """One person cannot keep four slots: all are called as early as possible."""
    calls = fill_run([(1, 10), (2, 2)], [(0, 4, 11), (8, 12, 1)], np.full(12, 10))
    assert calls == fill_densely([(1, 10), (2, 2)], 0, [10] * 12)


def test_dense_filling_shares_slots() -> None:
    """A block begins in the slot where the one before it ends, if there is room."""
    assert fill_densely([(1, 5), (2, 9), (3, 6)], 3, [10] * 12) == [
        *((1, 3, 5), (2, 3, 5), (2, 4, 4), (3, 4, 6)),
    ]


def test_consecutive_means_no_slot_without_a_person() -> None:
    """A skipped slot within a block is seen, a skipped slot between blocks is not one."""
    assert is_consecutive([(1, 3, 5), (1, 4, 5), (2, 9, 1)])
    assert not is_consecutive([(1, 3, 5), (2, 4, 5), (1, 5, 1)])
