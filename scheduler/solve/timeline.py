"""When sites and labs work: slots, waves, sessions and lab hours as arrays.

Slot t covers [t x slot, (t + 1) x slot) and wave w covers [w x wave, (w + 1) x wave), in minutes
since the round's start. A *session* is one unbroken run of slots at one site, the longest a block
can use: it ends where the site closes. Lab hours are clock hours of local time.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import numpy as np

from scheduler.domain.city import Flags, Ints, Window
from scheduler.domain.instance import Instance, RoundClock

HOUR_MIN = 60


@dataclass(frozen=True)
class Sessions:
    """Runs of slots at sites, sorted by site, then time; columns of equal length."""

    site: Ints
    first_slot: Ints
    end_slot: Ints  # exclusive

    def __len__(self) -> int:
        return len(self.site)

    @property
    def num_slots(self) -> Ints:
        """Slots of each session."""
        return self.end_slot - self.first_slot


def site_sessions(instance: Instance) -> Sessions:
    """Return the sessions of all sites; a site without a whole slot in the round has none."""
    clock = instance.clock
    slot = instance.settings.round.slot_minutes
    by_hours: dict[tuple[Window, ...], list[Window]] = {}
    rows: list[tuple[int, int, int]] = []
    for site, hours in enumerate(instance.sites.hours):
        if hours not in by_hours:
            by_hours[hours] = _slot_runs(clock, hours, slot)
        rows += [(site, a, b) for a, b in by_hours[hours]]
    table = np.array(rows, dtype=np.int64).reshape(-1, 3)
    return Sessions(table[:, 0], table[:, 1], table[:, 2])


def _slot_runs(clock: RoundClock, hours: tuple[Window, ...], slot: int) -> list[Window]:
    runs = []
    for begin, end in clock.windows(hours, 0, clock.end_min):
        first = -(-max(begin, 0) // slot)
        last = min(end, clock.end_min) // slot
        if last > first:
            runs.append((first, last))
    return runs


@dataclass(frozen=True)
class LabHours:
    """Clock hours of the labs, from the round's first to the last that may be needed.

    ``begin_min[hour]`` counts from the round's start (the first may lie before it),
    ``capacity[lab, hour]`` is in tubes, ``open_from[lab, hour]`` the first moment in the hour when
    tubes may be started (its end: none), ``is_open[lab, minute]`` counts minutes from the first
    hour's begin, ``day[hour]`` numbers local dates.
    """

    begin_min: Ints
    capacity: Ints
    open_from: Ints
    is_open: Flags
    day: Ints

    def __len__(self) -> int:
        return len(self.begin_min)

    def index(self, minute: Ints) -> Ints:
        """Return the hour that holds a minute."""
        hour: Ints = (minute - self.begin_min[0]) // HOUR_MIN
        return hour


def lab_hours(instance: Instance, num_hours: int) -> LabHours:
    """Return the labs' clock hours; ``num_hours`` counts from the round's first hour."""
    clock = instance.clock
    begin = -clock.start.minute + HOUR_MIN * np.arange(num_hours)
    labs = instance.labs
    is_open = np.zeros((len(labs), num_hours * HOUR_MIN), dtype=bool)
    last = int(begin[-1]) + HOUR_MIN
    by_hours: dict[tuple[Window, ...], list[Window]] = {}
    for lab, hours in enumerate(labs.hours):
        if hours not in by_hours:
            by_hours[hours] = clock.windows(hours, int(begin[0]), last)
        for a, b in by_hours[hours]:
            is_open[lab, max(a - int(begin[0]), 0) : b - int(begin[0])] = True
    minutes = is_open.reshape(len(labs), num_hours, HOUR_MIN)
    capacity = labs.tubes_per_hour[:, None] * minutes.sum(axis=2) // HOUR_MIN
    first = np.where(minutes.any(axis=2), minutes.argmax(axis=2), HOUR_MIN)
    first_day = clock.start.date()
    days = [((clock.at(int(m)) + timedelta()).date() - first_day).days for m in begin]
    return LabHours(begin, capacity, begin + first, is_open, np.array(days, dtype=np.int64))
