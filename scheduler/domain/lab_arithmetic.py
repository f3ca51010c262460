"""What the city's labs can do within the promise, before any plan.

Upper bounds: every lab gets its tubes from the nearest site.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scheduler.domain.city import Flags, Floats, Ints
from scheduler.domain.instance import Instance
from scheduler.domain.opening import open_waves, window_hours

_EARTH_RADIUS_KM = 6371.0088


@dataclass(frozen=True)
class LabArithmetic:
    """What the city's labs can do within the promise."""

    tubes_needed: int
    tubes_there: int  # that can be started in time for the promise
    tubes_per_hour: int
    people_needed: int
    people_bound: int  # fluid bound over the days of the round
    people_bound_per_day: tuple[int, ...]
    window_hours_per_day: tuple[float, ...]
    slack_hours: float  # promise - transport - lab cycle, mean weighted by tubes per hour


def lab_round_tubes(instance: Instance) -> Ints:
    """Return tubes that each lab can start in time for the promise, shape (labs,).

    A clock hour counts whole as soon as a tube of any wave, coming from the nearest site, may
    start in it, be inside the lab's hours and be reported within the promise.
    """
    hours = _clock_hours(instance)
    usable = _usable_hours(instance, hours)
    dates = np.array([instance.clock.at(int(h)).toordinal() for h in hours])
    labs, tubes = instance.labs, np.zeros(len(instance.labs), dtype=np.int64)
    for date in np.unique(dates):
        daily = usable[:, dates == date].sum(axis=1) * labs.tubes_per_hour
        capped = np.minimum(daily, labs.max_tubes_per_day)
        tubes += np.where(labs.max_tubes_per_day >= 0, capped, daily)
    return tubes


def travel_to_labs(instance: Instance) -> Ints:
    """Return courier minutes[site, lab], handling included; ``travel.csv`` before distance."""
    travel, sites, labs = instance.settings.travel, instance.sites, instance.labs
    a, b = np.radians(sites.lat)[:, None], np.radians(labs.lat)[None, :]
    span = np.radians(labs.lng)[None, :] - np.radians(sites.lng)[:, None]
    half = np.sin((a - b) / 2) ** 2 + np.cos(a) * np.cos(b) * np.sin(span / 2) ** 2
    km = 2 * _EARTH_RADIUS_KM * np.arcsin(np.sqrt(half))
    driven = np.ceil(km * travel.detour / travel.speed_kmh * 60 + travel.handling_min)
    listed = instance.travel_min
    minutes: Ints = np.where(listed >= 0, listed + travel.handling_min, driven).astype(np.int64)
    return minutes


def _clock_hours(instance: Instance) -> Ints:
    """Return begins of clock hours, in minutes of the round, until the last promise ends."""
    end = instance.clock.end_min + int(instance.settings.targets.result_hours * 60)
    end += instance.settings.round.wave_minutes
    return np.arange(-instance.clock.start.minute, end, 60, dtype=np.int64)


def _usable_hours(instance: Instance, hours: Ints) -> Flags:
    """Return usable[lab, hour]."""
    wave_minutes = instance.settings.round.wave_minutes
    begins = open_waves(instance)[:, None] * wave_minutes
    promise = instance.settings.targets.result_hours * 60
    nearest = _nearest_travel(instance)
    usable = np.zeros((len(instance.labs), len(hours)), dtype=bool)
    last = int(hours[-1]) + 60
    for lab, windows in enumerate(instance.labs.hours):
        arrival = begins + wave_minutes + nearest[lab]
        deadline = begins + promise - instance.labs.processing_min[lab]
        for opening, closing in instance.clock.windows(windows, 0, last):
            begin = np.maximum(np.maximum(arrival, hours[None, :]), opening)
            fits = (begin <= deadline) & (begin < hours[None, :] + 60) & (begin < closing)
            usable[lab] |= fits.any(axis=0)
    return usable


def _nearest_travel(instance: Instance) -> Ints:
    """Return minutes to each lab from its nearest site, shape (labs,)."""
    if not len(instance.sites):
        return np.zeros(len(instance.labs), dtype=np.int64)
    nearest: Ints = travel_to_labs(instance).min(axis=0)
    return nearest


def lab_arithmetic(instance: Instance, tubes_needed: int) -> LabArithmetic:
    """Return needed and possible work of all labs.

    The fluid bound is the people whose tubes the labs can start in time when tubes flow without
    waves: per day k x mu x (W + s), with k people per tube, mu tubes per hour, W hours of sampling
    and s = promise - transport - lab cycle; at most 24 k mu.
    """
    labs = instance.labs
    cycle = _nearest_travel(instance) + labs.processing_min
    slack = instance.settings.targets.result_hours - cycle / 60
    windows = window_hours(instance)
    called = int(instance.demand.sum())
    fluid_tubes = float((instance.demand / instance.block_pool).sum())
    pool = called / fluid_tubes if fluid_tubes else 1.0
    days = tuple(int(pool * _fluid_tubes(instance, hours, slack)) for hours in windows)
    rate = int(labs.tubes_per_hour.sum())
    return LabArithmetic(
        tubes_needed=tubes_needed,
        tubes_there=int(lab_round_tubes(instance).sum()),
        tubes_per_hour=rate,
        people_needed=called,
        people_bound=sum(days),
        people_bound_per_day=days,
        window_hours_per_day=windows,
        slack_hours=float((slack * labs.tubes_per_hour).sum()) / rate if rate else 0.0,
    )


def _fluid_tubes(instance: Instance, window_hours: float, slack_hours: Floats) -> float:
    """Return tubes of one day in time: mu x (W + s), at most 24 mu or the daily limit."""
    labs = instance.labs
    tubes = labs.tubes_per_hour * np.clip(window_hours + slack_hours, 0, 24)
    capped = np.minimum(tubes, labs.max_tubes_per_day)
    return float(np.where(labs.max_tubes_per_day >= 0, capped, tubes).sum())
