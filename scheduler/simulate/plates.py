"""A laboratory's runs: tubes are tested by the plate, first come first served.

A laboratory of R tubes an hour has ``lines`` that take a run of up to ``run_tubes`` every
``cycle_min``, so that all lines together make exactly R an hour. A run starts when a line is free
and it is full, or when its oldest tube has waited ``run_wait_min``; never while the laboratory is
closed or beyond its certified tubes of the day. After some runs the line stands still.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from heapq import heapreplace

import numpy as np

from scheduler.domain.city import Floats, Window
from scheduler.domain.instance import Instance, RoundClock
from scheduler.domain.settings import SimulateSettings

HORIZON_DAYS = 60
"""A tube that no run took so long after the round counts as never tested."""

NEVER = np.inf


@dataclass(frozen=True)
class Bench:
    """One laboratory; ``windows`` in minutes since the round's start, ``per_day`` -1: no limit."""

    lines: int
    run_tubes: int
    cycle_min: float
    windows: list[Window]
    per_day: int
    day_of: Callable[[float], tuple[int, float]]

    @staticmethod
    def of(instance: Instance, lab: int, closes_min: int | None = None) -> Bench | None:
        """Return a laboratory of the round, None where it never starts a tube."""
        labs, rules, clock = instance.labs, instance.settings.simulate, instance.clock
        rate, plate = int(labs.tubes_per_hour[lab]), int(labs.batch_tubes[lab])
        if rate == 0:
            return None
        lines, run_tubes = lines_of(rate, plate, rules)
        last = clock.end_min + HORIZON_DAYS * 1440
        if closes_min is not None:
            last = min(last, closes_min)
        windows = [(a, min(b, last)) for a, b in clock.windows(labs.hours[lab], 0, last)]
        cycle = 60 * run_tubes * lines / rate
        return Bench(lines, run_tubes, cycle, windows, int(labs.max_tubes_per_day[lab]),
                     day_finder(clock))  # fmt: skip


def lines_of(rate: int, plate: int, rules: SimulateSettings) -> tuple[int, int]:
    """Return lines, and tubes of a full run, of a laboratory of ``rate`` tubes an hour."""
    in_a_run = rate * rules.run_min // 60
    return max(1, in_a_run // plate), max(1, min(plate, in_a_run))


def day_finder(clock: RoundClock) -> Callable[[float], tuple[int, float]]:
    """Return a function: a minute's local date as a number, and the minute the next one begins."""
    known: dict[int, tuple[int, float]] = {}

    def find(minute: float) -> tuple[int, float]:
        hour = int(minute // 60)
        if hour not in known:
            now = clock.at(hour * 60)
            left = 1440 - now.hour * 60 - now.minute
            known[hour] = now.toordinal(), float(hour * 60 + left)
        day, end = known[hour]
        return (day, end) if minute < end else (day + 1, end + 1440)

    return find


def start_runs(
    bench: Bench, arrive: Floats, rules: SimulateSettings, failing: Callable[[], bool]
) -> Floats:
    """Return when each tube is started, inf: never; ``arrive`` ascends.

    ``failing`` tells after each run whether its line now stands still for ``line_repair_min``.
    """
    started = np.full(len(arrive), NEVER)
    free = [-np.inf] * bench.lines
    first, window, day, today = 0, 0, -1, 0
    while first < len(arrive):
        full = (
            arrive[first + bench.run_tubes - 1] if first + bench.run_tubes <= len(arrive) else NEVER
        )
        at = max(free[0], min(full, arrive[first] + rules.run_wait_min))
        while window < len(bench.windows) and at >= bench.windows[window][1]:
            window += 1
        if window == len(bench.windows):
            break
        at = max(at, float(bench.windows[window][0]))
        take = min(bench.run_tubes, int(arrive.searchsorted(at, side="right")) - first)
        if bench.per_day >= 0:
            now, ends = bench.day_of(at)
            day, today = (day, today) if now == day else (now, 0)
            take = min(take, bench.per_day - today)
            if take <= 0:
                free[:] = [max(moment, ends) for moment in free]
                continue
            today += take
        started[first : first + take] = at
        heapreplace(free, at + bench.cycle_min + (rules.line_repair_min if failing() else 0.0))
        first += take
    return started
