from __future__ import annotations

from datetime import datetime

import numpy as np
import pytest

from scheduler.domain.settings import QueueSettings, RoundSettings
from scheduler.domain.verify.ground import great_circle_m
from scheduler.domain.verify.queueing import (
    LEAST_DOUBT,
    Desk,
    QueueTrial,
    first_come_first_served,
    peak_waiting,
)
from scheduler.domain.verify.timeaxis import NO_TIME, TimeAxis

PUNCTUAL = QueueSettings(early_mean_min=0, punctuality_sd_min=0, no_show=0, swab_cv=0)


def axis(timezone: str, start: str, end: str) -> TimeAxis:
    begin, stop = datetime.fromisoformat(start), datetime.fromisoformat(end)
    return TimeAxis(RoundSettings(id="x", timezone=timezone, start=begin, end=stop))


def test_queue_on_paper() -> None:
    """Two lanes of two minutes, five people at once: two, two, one; three wait at first."""
    arrivals = np.array([0.0, 0, 0, 0, 0, 10])
    begins = first_come_first_served(arrivals, np.full(6, 2.0), 2)
    assert begins.tolist() == [0, 0, 2, 2, 4, 10]
    slots = np.array([0.0, 3, 6])
    assert peak_waiting(arrivals, begins, slots).tolist() == [3, 1, 0]


def test_who_finds_a_lane_never_waits() -> None:
    """A person who arrives as a lane falls free goes straight to it."""
    arrivals = np.array([0.0, 1, 2, 3])
    begins = first_come_first_served(arrivals, np.ones(4), 1)
    assert peak_waiting(arrivals, begins, np.array([0.0])).tolist() == [0]


def test_punctual_crowd_needs_a_place_each() -> None:
    """Where all come at the slot's start and swabs are even, the peak is those without a lane."""
    trial = QueueTrial(PUNCTUAL, 15, 0.95)
    assert set(trial.peaks(Desk(2, 60.0, 20)).ravel().tolist()) == {18}
    assert trial.shares([Desk(2, 60.0, 20)] * 2, [18, 17]) == {1: 0.0}


def test_waiting_time_of_a_known_queue() -> None:
    """Poisson arrivals and exponential swabs wait as Erlang's formula says for two lanes."""
    random = np.random.default_rng(5)
    load, mean = 1.4, 1.0  # two lanes at 70 %
    arrivals = np.cumsum(random.exponential(mean / load, 200_000))
    begins = first_come_first_served(arrivals, random.exponential(mean, 200_000), 2)
    busy = load**2 / 2 / (1 - load / 2)
    erlang_c = busy / (1 + load + busy)
    expected = erlang_c * mean / (2 - load)
    assert np.mean(begins - arrivals) == pytest.approx(expected, rel=0.05)


def test_fewer_called_wait_less() -> None:
    """The trial's shortcut holds: places enough for more people are enough for fewer."""
    trial = QueueTrial(QueueSettings(), 15, 0.95)
    few, many = trial.peaks(Desk(3, 60.0, 30)), trial.peaks(Desk(3, 60.0, 42))
    for places in range(0, 40, 4):
        assert np.mean(few <= places) >= np.mean(many <= places)


def test_trial_leaves_doubt_on_the_plans_side() -> None:
    """A desk just below the level is not blamed, and just above it is not sure to fit."""
    trial = QueueTrial(QueueSettings(), 15, 0.95)
    desk = Desk(2, 60.0, 28)
    shares = {p: float(np.mean(trial.peaks(desk) <= p)) for p in range(60)}
    places, share = min(shares.items(), key=lambda item: abs(item[1] - 0.9))
    trial.level = share + LEAST_DOUBT / 2
    assert trial.shares([desk], [places]) == {}
    assert not trial.surely_fits(desk, places)


def test_same_trial_twice() -> None:
    """The runs have fixed seeds: the same plan is always judged the same."""
    desk = Desk(4, 60.0, 57)
    first, second = (QueueTrial(QueueSettings(), 15, 0.95).peaks(desk) for _ in range(2))
    assert np.array_equal(first, second)


@pytest.mark.parametrize(
    "text", ["", "soon", "2020-12-22", "2020-12-22T06:00:30+08:00", "9999-12-31T23:00:00+08:00"]
)
def test_texts_that_are_no_time(text: str) -> None:
    """Only whole minutes with the zone's own offset count as times."""
    day = axis("Asia/Shanghai", "2020-12-22T06:00", "2020-12-22T08:00")
    assert day.of_text(text) == NO_TIME
    assert day.of_text("2020-12-22T06:10:00+08:00") == 10


def test_clock_changes_do_not_bend_time() -> None:
    """Over the end of summer time a round lasts the hours that really pass."""
    night = axis("Europe/Berlin", "2021-10-31T00:00", "2021-10-31T06:00")
    assert night.end_min == 7 * 60
    assert night.of_text("2021-10-31T02:30:00+02:00") == 150
    assert night.of_text("2021-10-31T02:30:00+01:00") == 210
    assert night.hour_begins(np.array([150, 210, 359])).tolist() == [120, 180, 300]


def test_clock_hours_of_half_hour_zones() -> None:
    """A clock hour is the local one where the zone is half an hour off."""
    india = axis("Asia/Kolkata", "2021-01-01T06:30", "2021-01-01T09:00")
    assert india.hour_begins(np.array([0, 29, 30])).tolist() == [-30, -30, 30]


def test_windows_that_touch_are_one() -> None:
    """All-day hours never close at midnight, and a window may run over it."""
    day = axis("Asia/Shanghai", "2020-12-22T06:00", "2020-12-24T06:00")
    (span,) = day.opening(((0, 1440),), 0, day.end_min)
    assert span[0] <= 0
    assert span[1] >= day.end_min
    nights = day.opening(((1200, 1680),), 0, day.end_min)
    assert nights == [(840, 1320), (2280, 2760)]


def test_great_circle_on_paper() -> None:
    """A degree of latitude is 111.195 km on the mean sphere; distance is the same both ways."""
    here, there = (np.array([38.0]), np.array([121.0])), (np.array([39.0]), np.array([122.0]))
    north = great_circle_m(here[0], here[1], there[0], here[1])
    assert north[0] == pytest.approx(111_195.08, abs=0.1)
    assert great_circle_m(*here, *there)[0] == pytest.approx(great_circle_m(*there, *here)[0])
