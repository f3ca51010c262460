"""Room on the board: quotas, zones, clearing, runs of slots."""

from __future__ import annotations

import numpy as np

from scheduler.domain.settings import Zone
from scheduler.solve.repair.board import Board, Fit
from scheduler.solve.repair.rows import Calls
from scheduler.solve.slots import filled, runs_with_room, start_sums
from tests.plans import with_slots
from tests.rounds import random_instance


def _calls(*rows: tuple[int, int, int, int, int]) -> Calls:
    return Calls(*np.array(rows, dtype=np.int64).reshape(-1, 5).T)


def test_room_obeys_quota_zone_clearing_and_freeze() -> None:
    """Nobody fits before the freeze, beyond the quota, beside another zone or while clearing."""
    instance = random_instance(1)
    board = Board(instance, np.full((2, 12), 10, dtype=np.int64), 2)
    board.add(_calls((0, 0, 5, 4, Zone.CONTROL), (1, 0, 9, 7, Zone.NORMAL)))
    normal = board.room(0, Zone.NORMAL).tolist()
    assert normal == [0, 0, 10, 10, 10, 0, 0, 0, 10, 3, 10, 10]  # two slots of clearing after 5
    assert board.room(0, Zone.CONTROL).tolist() == [0, 0, 10, 10, 10, 6, 10, 0, 0, 0, 10, 10]
    assert board.room(1, Zone.NORMAL).sum() == 100
    assert board.allows(_calls((2, 0, 9, 3, Zone.NORMAL)))
    assert not board.allows(_calls((2, 0, 9, 4, Zone.NORMAL)))


def test_runs_are_consecutive_and_as_short_as_can_be() -> None:
    """A run never passes a slot without room; its last slot takes what is left."""
    room = np.array([0, 3, 4, 0, 5, 5, 5])
    first, end = runs_with_room(room, 7)
    assert list(zip(first.tolist(), end.tolist(), strict=True)) == [(1, 3), (4, 6), (5, 7)]
    assert filled(room, 4, 6, 7) == (5, 2)
    sums = start_sums(room, first, end, 7)
    assert sums.tolist() == [3 * 1 + 4 * 2, 5 * 4 + 2 * 5, 5 * 5 + 2 * 6]
    assert not len(runs_with_room(room, 20)[0])


def test_the_city_has_no_more_room_than_its_most() -> None:
    """Nobody is put into a slot in which the whole city calls as many as it may."""
    instance = with_slots(random_instance(1), city_people=12)
    board = Board(instance, np.full((2, 6), 10, dtype=np.int64), 1)
    board.add(_calls((0, 0, 2, 9, Zone.NORMAL), (1, 0, 3, 4, Zone.NORMAL)))
    assert board.room(1, Zone.NORMAL).tolist() == [0, 10, 3, 8, 10, 10]
    fit = Fit(0.0, 1, 2, (3, 8))
    board.put(Zone.NORMAL, fit)
    assert board.room(0, Zone.NORMAL).tolist() == [0, 10, 0, 0, 10, 10]
    board.put(Zone.NORMAL, fit, -1)
    assert board.room(1, Zone.NORMAL).tolist() == [0, 10, 3, 8, 10, 10]
