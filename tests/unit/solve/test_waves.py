"""Bridging the waves between a stream's first and last tubes."""

from __future__ import annotations

import numpy as np
import pytest

from scheduler.solve.waves import bridge, tubes_needed


@pytest.mark.parametrize("seed", range(30))
def test_bridging_moves_tubes_and_makes_none(seed: int) -> None:
    """The sum is kept, no wave passes its room, none outside the first and last is begun."""
    rng = np.random.default_rng(seed)
    room = rng.integers(1, 12, 8)
    tubes = np.minimum(rng.integers(0, 12, 8) * (rng.random(8) < 0.5), room)
    out = bridge(tubes, room, 2)
    assert out.sum() == tubes.sum()
    assert ((out >= 0) & (out <= room)).all()
    some = np.flatnonzero(tubes)
    if len(some):
        assert not out[: some[0]].any()
        assert not out[some[-1] + 1 :].any()


def test_a_gap_is_closed_from_the_fullest_wave() -> None:
    """A block cannot pause: the empty wave gets the least that keeps its slots busy."""
    found = bridge(np.array([9, 0, 3, 0]), np.array([9, 9, 9, 9]), 2)
    assert found.tolist() == [7, 2, 3, 0]


def test_an_empty_stream_stays_empty() -> None:
    """Without tubes there is nothing to bridge."""
    assert bridge(np.zeros(3, dtype=np.int64), np.ones(3, dtype=np.int64), 1).tolist() == [0, 0, 0]


def test_a_tube_that_is_not_full_is_counted_where_places_are_needed() -> None:
    """25 places a wave hold 2 tubes of 10; only a stream that needs the 5 places opens a third."""
    room = np.array([[25, 25], [25, 25], [25, 25]])
    tubes, per_wave = tubes_needed(np.array([40, 43, 50]), np.array([10, 10, 10]), room)
    assert tubes.tolist() == [4, 5, 6]
    assert per_wave.tolist() == [[2, 2], [3, 2], [3, 3]]
