"""Waves of parts of the city get their tubes exactly, and streams keep theirs."""

from __future__ import annotations

import numpy as np
import pytest

from scheduler.domain.city import Ints
from scheduler.solve.exact_sums import meet_sums
from scheduler.solve.layout import Layout
from scheduler.solve.waves import TubeRows

WAVES, DAYS = 5, 2


def _layout(sizes: list[int]) -> Layout:
    """Return groups of so many streams with a run of some waves on each day."""
    group = np.repeat(np.arange(len(sizes)), sizes)
    slots = np.arange(DAYS * WAVES)
    pieces = np.column_stack((slots // WAVES, slots, slots, slots + 1))
    members = [np.flatnonzero(group == g) for g in range(len(sizes))]
    stream = np.arange(len(group))
    return Layout(stream, 0 * stream, group, members, [pieces] * len(sizes))


def _rows(room: Ints, tubes: Ints) -> TubeRows:
    none = np.empty(0, dtype=np.int64)
    return TubeRows(none, none, none, tubes.reshape(len(tubes), DAYS, WAVES).sum(axis=2), room)


@pytest.mark.parametrize("seed", range(20))
def test_sums_are_met_where_they_can_be(seed: int) -> None:
    """Totals of another division of the same runs are found, within room, bridges kept."""
    rng = np.random.default_rng(seed)
    layout = _layout([1, 4, 7])
    room = rng.integers(2, 9, (12, DAYS * WAVES))
    other, tubes = (rng.integers(1, room + 1) for _ in range(2))
    for stream, day in np.ndindex(12, DAYS):  # the same sums of runs
        at = np.arange(WAVES) + day * WAVES
        while less := int(tubes[stream, at].sum() - other[stream, at].sum()):
            free = tubes[stream, at] > 1 if less > 0 else tubes[stream, at] < room[stream, at]
            tubes[stream, rng.choice(at[free])] -= np.sign(less)
    totals = np.array([other[m].sum(axis=0) for m in layout.members])
    found = meet_sums(layout, _rows(room, tubes), tubes, totals, np.ones((12, DAYS), dtype=int))
    assert (np.array([found[m].sum(axis=0) for m in layout.members]) == totals).all()
    assert (_rows(room, found).tubes == _rows(room, tubes).tubes).all()
    assert ((found >= 1) & (found <= room)).all()


def test_what_no_stream_can_do_is_left() -> None:
    """A wave that wants more than has room gets what there is; nobody begins before his first."""
    layout, room = _layout([2]), np.full((2, DAYS * WAVES), 3)
    tubes = np.array([[0, 0, 2, 2, 2, 0, 0, 0, 0, 0], [2, 2, 2, 2, 2, 0, 0, 0, 0, 0]])
    totals = np.array([[4, 0, 2, 2, 8, 0, 0, 0, 0, 0]])
    rows, bridge = _rows(room, tubes), np.ones((2, DAYS), dtype=int)
    found = meet_sums(layout, rows, tubes, totals, bridge)
    assert found.sum() == tubes.sum()
    assert found[:, 4].tolist() == [3, 3]
    assert found[1, 0] == 3
    assert found[0, :2].tolist() == [0, 0]
    assert (meet_sums(layout, rows, found, found.sum(axis=0)[None], bridge) == found).all()
