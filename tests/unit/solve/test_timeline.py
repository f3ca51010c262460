"""Sessions of sites and clock hours of labs, with the clock's awkward cases."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import numpy as np

from scheduler.domain.city import Window
from scheduler.solve.reach import start_min
from scheduler.solve.timeline import lab_hours, site_sessions
from tests.rounds import Recipe, random_instance


def _sessions(recipe: Recipe) -> list[tuple[int, int, int]]:
    found = site_sessions(random_instance(1, recipe))
    columns = (found.site, found.first_slot, found.end_slot)
    return list(zip(*(c.tolist() for c in columns), strict=True))


def _recipe(*hours: Window, start: datetime | None = None, **changes: object) -> Recipe:
    begin = start or datetime(2020, 12, 22, 6)  # noqa: DTZ001  # local time by rule
    recipe = Recipe(num_sites=1, special=False, start=begin, site_hours=(hours,))
    return replace(recipe, **changes)  # type: ignore[arg-type]  # names are checked by dataclasses


def test_split_hours_are_two_sessions_a_day() -> None:
    """A block never spans a closing: each opening window of each day is a session of its own."""
    recipe = _recipe((480, 690), (780, 1080), hours=16, days=2)
    assert _sessions(recipe) == [(0, 8, 22), (0, 28, 48), (0, 104, 118), (0, 124, 144)]


def test_hours_over_midnight_belong_together() -> None:
    """20:00-04:00 is one session over midnight, cut by the round's start and end."""
    recipe = _recipe((1200, 1680), hours=16, days=2)
    assert _sessions(recipe) == [(0, 56, 88), (0, 152, 160)]
    late = datetime(2020, 12, 22, 22)  # noqa: DTZ001  # local time by rule
    assert _sessions(_recipe((1200, 1680), start=late, hours=4)) == [(0, 0, 16)]


def test_open_all_day_never_closes() -> None:
    """00:00-24:00 is one session for the whole round."""
    assert _sessions(_recipe((0, 1440), hours=8, days=3)) == [(0, 0, 224)]


def test_only_whole_slots_count() -> None:
    """A slot lies whole inside a window and inside the round."""
    assert _sessions(_recipe((367, 401), hours=8)) == [(0, 1, 2)]
    assert _sessions(_recipe((367, 389), hours=8)) == []
    assert _sessions(_recipe((0, 1440), hours=1, odd_end_min=7)) == [(0, 0, 4)]


def test_slots_are_counted_from_a_start_off_the_hour() -> None:
    """With a start at 06:30, a site open at 07:00 begins in slot 2."""
    start = datetime(2020, 12, 22, 6, 30)  # noqa: DTZ001  # local time by rule
    assert _sessions(_recipe((420, 480), start=start, hours=8)) == [(0, 2, 6)]


def test_a_night_with_a_clock_change_is_an_hour_shorter() -> None:
    """Berlin, 27 March 2021: 20:00-04:00 has seven hours of slots, not eight."""
    start = datetime(2021, 3, 27, 20)  # noqa: DTZ001  # local time by rule
    recipe = _recipe((1200, 1680), start=start, hours=12, timezone="Europe/Berlin")
    assert _sessions(recipe) == [(0, 0, 28)]


def _labs(*hours: Window, start: datetime, count: int = 6) -> tuple[list[int], list[int]]:
    recipe = Recipe(num_labs=1, tubes_per_hour=10, lab_hours=(hours,), start=start)
    found = lab_hours(random_instance(1, recipe), count)
    return found.begin_min.tolist(), found.capacity[0].tolist()


def test_lab_hours_are_clock_hours() -> None:
    """Capacity belongs to clock hours of local time: the first begins before a start at 06:30."""
    start = datetime(2020, 12, 22, 6, 30)  # noqa: DTZ001  # local time by rule
    begin, capacity = _labs((0, 1440), start=start, count=4)
    assert begin == [-30, 30, 90, 150]
    assert capacity == [10, 10, 10, 10]


def test_a_part_of_an_hour_holds_its_share() -> None:
    """A lab open 07:15-09:30 can start floor(10 x 45 / 60) tubes from 07:15 and 5 from 09:00."""
    start = datetime(2020, 12, 22, 6)  # noqa: DTZ001  # local time by rule
    assert _labs((435, 570), start=start)[1] == [0, 7, 10, 5, 0, 0]


def test_a_break_within_an_hour_takes_only_its_minutes() -> None:
    """A lab closed 08:15-08:45 has both quarters of the hour; the break is nobody's start."""
    start = datetime(2020, 12, 22, 6)  # noqa: DTZ001  # local time by rule
    recipe = Recipe(
        num_labs=1, tubes_per_hour=10, lab_hours=(((360, 495), (525, 600)),), start=start
    )
    hours = lab_hours(random_instance(1, recipe), 5)
    assert hours.capacity[0].tolist() == [10, 10, 5, 10, 0]
    hour, arrive = np.array([2, 2, 2, 2, 3]), np.array([134, 135, 164, 165, 134])
    allowed = start_min(hours, np.zeros(5, dtype=np.int64), hour, arrive)[1]
    assert allowed.tolist() == [True, False, False, True, True]


def test_lab_hours_run_over_midnight_and_days_are_local() -> None:
    """A night shift goes on after 24:00; the day of a start is its local date."""
    start = datetime(2020, 12, 22, 21)  # noqa: DTZ001  # local time by rule
    recipe = Recipe(num_labs=1, tubes_per_hour=10, lab_hours=(((1320, 1500),),), start=start)
    hours = lab_hours(random_instance(1, recipe), 6)
    assert hours.capacity[0].tolist() == [0, 10, 10, 10, 0, 0]
    assert np.diff(hours.day).tolist() == [0, 0, 1, 0, 0]
    assert hours.index(np.array([0, 59, 60, 200])).tolist() == [0, 0, 1, 3]
