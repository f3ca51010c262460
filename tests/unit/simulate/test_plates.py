"""Runs of a laboratory against SimPy, and on paper."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np
import pytest

from scheduler.domain.instance import RoundClock
from scheduler.domain.settings import RoundSettings, SimulateSettings
from scheduler.simulate.plates import Bench, day_finder, lines_of, start_runs
from tests.plans import tiny_instance
from tests.unit.simulate.reference import runs

START = datetime(2020, 12, 22, 6)  # noqa: DTZ001  # local time by rule
CLOCK = RoundClock(RoundSettings(id="x", start=START, end=START + timedelta(days=1)))


def bench(**changes: object) -> Bench:
    """Return a laboratory with two lines of ten tubes an hour, always open."""
    usual = Bench(2, 10, 60.0, [(-1440, 14400)], -1, day_finder(CLOCK))
    return replace(usual, **changes)  # type: ignore[arg-type]  # tests name the fields


def never() -> bool:
    """No line fails."""
    return False


@pytest.mark.parametrize("wait_min", [0.0, 15.0, 240.0])
def test_every_start_is_that_of_an_event_simulation(wait_min: float) -> None:
    """Rule: each tube is started when SimPy says so, in full and in part-filled runs."""
    rng = np.random.default_rng(int(wait_min))
    waves = np.repeat(np.arange(1, 7) * 60.0, 22)
    arrive = np.sort(waves + rng.gamma(3, 8, len(waves)))
    rules = SimulateSettings(run_wait_min=wait_min)
    started = start_runs(bench(), arrive, rules, never)
    assert started == pytest.approx(runs(arrive.tolist(), 2, 10, 60.0, wait_min))


def test_full_runs_start_at_once_and_others_wait() -> None:
    """Rule: ten tubes start when the tenth comes; the eleventh waits run_wait_min for more."""
    arrive = np.array([0.0] * 9 + [5.0, 6.0])
    started = start_runs(bench(), arrive, SimulateSettings(run_wait_min=30), never)
    assert started.tolist() == [5.0] * 10 + [36.0]


def test_a_closed_laboratory_starts_nothing() -> None:
    """Rule: no run starts outside the opening hours; after the last window tubes stay."""
    half_days = bench(windows=[(60, 120), (600, 630)])
    arrive = np.array([0.0] * 10 + [100.0] * 25)
    started = start_runs(half_days, arrive, SimulateSettings(run_wait_min=0), never)
    assert started[:10].tolist() == [60.0] * 10
    assert started[10:20].tolist() == [100.0] * 10
    assert started[20:].tolist() == [600.0] * 15
    late = start_runs(half_days, np.array([700.0]), SimulateSettings(), never)
    assert np.isinf(late).all()


def test_no_day_takes_more_than_it_is_certified_for() -> None:
    """Rule: max_tubes_per_day counts on the local date of the start."""
    small = bench(per_day=12)
    arrive = np.zeros(30)
    started = start_runs(small, arrive, SimulateSettings(run_wait_min=0), never)
    days, counts = np.unique([day_finder(CLOCK)(t)[0] for t in started], return_counts=True)
    assert counts.tolist() == [12, 12, 6]
    assert np.diff(days).tolist() == [1, 1]


def test_a_line_that_fails_stands_still() -> None:
    """Rule: after a failure the line takes its next run line_repair_min later."""
    one = bench(lines=1)
    fails = iter([True, False])
    rules = SimulateSettings(run_wait_min=0, line_repair_min=45)
    started = start_runs(one, np.zeros(20), rules, lambda: next(fails))
    assert started[10] == 60 + 45


@pytest.mark.parametrize("rate", [1, 36, 93, 94, 107, 753, 1489])
def test_lines_make_the_rate(rate: int) -> None:
    """Rule: all lines together start exactly tubes_per_hour, in runs no larger than a plate."""
    rules = SimulateSettings()
    lines, tubes = lines_of(rate, 94, rules)
    assert 1 <= tubes <= 94
    cycle_min = 60 * tubes * lines / rate
    assert cycle_min <= rules.run_min
    assert lines == 1 or tubes == 94


def test_a_laboratory_of_the_round() -> None:
    """Rule: hours, daily limit and plate come from labs.csv; a rate of 0 makes no laboratory."""
    instance = tiny_instance()
    first = Bench.of(instance, 0)
    assert first is not None
    assert (first.lines, first.run_tubes, first.cycle_min, first.per_day) == (1, 8, 60.0, 12)
    early = Bench.of(instance, 1, closes_min=120)
    assert early is not None
    assert early.windows[-1][1] <= 120
    none = replace(instance.labs, tubes_per_hour=np.zeros(2, dtype=np.int64))
    assert Bench.of(instance.replace(labs=none), 0) is None
