"""Who counts as sampled: reports of sites and blocks, stragglers, closed slots."""

from __future__ import annotations

import numpy as np
import pytest

from scheduler.domain.settings import ReplanSettings
from scheduler.solve.repair.behind import Reports, who_was_served, within_demand
from scheduler.solve.repair.rows import Calls

CALLS = Calls(*np.array([[0, 0, 0, 20, 3], [1, 0, 0, 20, 3], [2, 0, 1, 20, 3], [3, 1, 4, 20, 3]]).T)
NONE = np.zeros(4, dtype=bool)


def _reports(*rows: tuple[int, int, int, int, int]) -> Reports:
    return Reports(*np.array(rows, dtype=np.int64).reshape(-1, 5).T)


def _sampled(
    reports: Reports, now: int = 60, *, lost: np.ndarray = NONE, before: np.ndarray = CALLS.people
) -> list[int]:
    rules = (ReplanSettings(), now, 15)
    served = who_was_served(CALLS, (before, lost), reports, rules)
    return [int(n) for n in served.sampled]


@pytest.mark.parametrize(
    ("reports", "expected"),
    [
        ((), [20, 20, 20, 20]),
        (((20, 0, 0, -1, 25),), [20, 5, 20, 20]),  # the first blocks of a slot come first
        (((20, 0, 0, 0, 4),), [4, 20, 20, 20]),  # a report of one block says nothing of others
        (((20, 0, 0, 0, 19),), [20, 20, 20, 20]),  # one in twenty stays away: not behind
        (((10, 0, 0, -1, 25),), [20, 20, 20, 20]),  # made while the slot was running
        (((40, 0, 0, -1, 25), (40, 0, 1, -1, 35)), [20, 20, 20, 20]),  # they came a slot later
        (((80, 1, 4, -1, 0),), [20, 20, 20, 20]),  # not over yet
    ],
)
def test_reports(reports: tuple[tuple[int, ...], ...], expected: list[int]) -> None:
    """Rows are (minute, site, slot, block, sampled): what is short counts, the rest was served."""
    assert _sampled(_reports(*reports)) == expected  # type: ignore[arg-type]  # rows of five


def test_closed_slots_and_earlier_judgements() -> None:
    """In a closed slot only the reported were sampled; without reports the last word stands."""
    lost = np.array([False, False, True, True])
    assert _sampled(_reports((20, 0, 1, -1, 7)), lost=lost) == [20, 20, 7, 0]
    before = np.array([20, 3, 20, 20])
    assert _sampled(_reports(), before=before) == [20, 3, 20, 20]
    assert _sampled(_reports((50, 0, 0, 1, 20)), before=before) == [20, 20, 20, 20]


def test_nobody_is_sampled_twice() -> None:
    """Who was recalled and turns out to have come keeps the call that cannot be taken back."""
    served = who_was_served(CALLS, (CALLS.people, NONE), _reports(), (ReplanSettings(), 60, 15))
    less = within_demand(served, np.array([5, 20, 20, 20]), np.array([12, 20, 20, 20]))
    assert [int(n) for n in less.sampled] == [12, 20, 20, 20]
