"""Hours as cities publish them."""

from __future__ import annotations

import pytest

from scheduler.errors import CannotRunError
from scheduler.generate.ledger import Ledger
from scheduler.generate.real_source import commonest_windows, daily_windows, hours_text

KEPT = "hours kept, limits to weekdays left out"


@pytest.mark.parametrize(
    ("raw", "cell", "rule"),
    [
        ("周一、周三8：00-11：30、13：00-17：00", "08:00-11:30;13:00-17:00", KEPT),
        ("周一至周日 8:30－12:00、13：00—18：30", "08:30-12:00;13:00-18:30", ""),
        ("周三8：00-11：00 周六9：00-12：00", "08:00-12:00", KEPT),
        ("8:00-9.30", "08:00-09:30", ""),
        ("24小时（发热门诊24小时）", "06:00-22:00", "24小时 becomes 06:00-22:00"),
        ("周三、周六（以村通知为准）", "", ""),
        ("11:30-8:00", "", ""),
    ],
)
def test_daily_windows(raw: str, cell: str, rule: str) -> None:
    """Rule: daily windows are kept as published, weekdays dropped, nothing else guessed."""
    windows, told = daily_windows(raw)
    assert hours_text(windows) == cell
    assert told == rule


def test_unreadable_hours_become_the_commonest() -> None:
    """Rule: unreadable hours take the commonest readable windows, and are counted."""
    ledger = Ledger()
    texts = ["8:00-11:00", "流动采样点", "9:00-12:00", "8：00-11：00"]
    windows = commonest_windows(texts, ledger)
    assert windows[1] == ((480, 660),)
    assert sum(ledger.cells.values()) == 1


def test_no_readable_hours_at_all() -> None:
    """Rule: without one readable cell there is nothing to fill from."""
    with pytest.raises(CannotRunError, match="hours_raw"):
        commonest_windows(["待定"], Ledger())
