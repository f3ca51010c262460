"""Opening times, and a clock that runs slower while registration is down."""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np
import pytest

from scheduler.domain.instance import RoundClock
from scheduler.domain.settings import RoundSettings
from scheduler.simulate.lanes import serve
from scheduler.simulate.pace import EARLIEST_MIN, Pace, opening_table

START = datetime(2020, 12, 22, 6)  # noqa: DTZ001  # local time by rule
CLOCK = RoundClock(RoundSettings(id="x", start=START, end=START + timedelta(days=1)))


def test_who_comes_early_waits_for_the_opening() -> None:
    """Rule: before the first window all wait; after a window the later half of the gap does."""
    table = opening_table(CLOCK, ((480, 690), (780, 1080)), 2000)
    wait = {minute: table[minute - EARLIEST_MIN] for minute in (0, 119, 120, 329, 340, 376, 419)}
    assert wait[0] == wait[119] == 120  # 08:00 is minute 120 of the round
    assert wait[376] == wait[419] == 420
    assert all(np.isneginf(wait[m]) for m in (120, 329, 340))


def test_the_work_clock_runs_back_as_it_runs_forth() -> None:
    """Rule: minutes become work minutes and the same minutes again."""
    pace = Pace((60, 120), np.array([1 / 6, 0.5]))
    minutes = np.linspace(0, 300, 61, dtype=np.float32)[:, None].repeat(2, axis=1)
    assert pace.to_minute(pace.to_work(minutes)) == pytest.approx(minutes, abs=1e-3)
    assert pace.to_work(minutes)[-1] == pytest.approx([300 - 50, 300 - 30])


def test_ten_people_an_hour_while_registration_is_down() -> None:
    """Rule: one lane of 60 an hour swabs ten in the hour at 10 an hour, then 60 again."""
    pace = Pace((0, 60), np.array([1 / 6]))
    come = np.zeros((70, 1), dtype=np.float32)
    leave, done = serve(pace.to_work(come), np.ones((70, 1), dtype=np.float32), 1)
    minutes = pace.to_minute(done)[:, 0]
    assert (minutes <= 60.01).sum() == 10
    assert minutes[-1] == pytest.approx(120)
    assert leave[0] == 0
