"""From sites to labs: minutes on the road, and the clock hour a wave's tubes can be started in."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scheduler.domain.city import Flags, Ints
from scheduler.domain.instance import Instance
from scheduler.solve.candidates import arc_m, unit_vectors
from scheduler.solve.timeline import HOUR_MIN, LabHours

_CEIL_SLACK = 1e-9  # a whole number of minutes is not rounded up by its last binary digit


def travel_minutes(instance: Instance) -> Ints:
    """Return minutes from pick-up to arrival, handling included, ``[site, lab]``."""
    settings = instance.settings.travel
    sites = unit_vectors(instance.sites.lat, instance.sites.lng)
    labs = unit_vectors(instance.labs.lat, instance.labs.lng)
    chord = np.linalg.norm(sites[:, None, :] - labs[None, :, :], axis=2)
    road_km = arc_m(chord) / 1000 * settings.detour
    minutes = np.ceil(road_km / settings.speed_kmh * 60 + settings.handling_min - _CEIL_SLACK)
    known = instance.travel_min >= 0
    return np.where(known, instance.travel_min + settings.handling_min, minutes).astype(np.int64)


@dataclass(frozen=True)
class Promise:
    """Everything that decides how late a tube is.

    ``pickup_min[wave]``, ``due_min[wave]`` (the promised moment of the result) and
    ``processing_min[lab]`` are minutes since the round's start.
    """

    pickup_min: Ints
    due_min: Ints
    processing_min: Ints

    @staticmethod
    def of(instance: Instance) -> Promise:
        """Return the promise of a round."""
        wave = instance.settings.round.wave_minutes
        begin = wave * np.arange(instance.clock.num_waves)
        promise = round(instance.settings.targets.result_hours * HOUR_MIN)
        return Promise(begin + wave, begin + promise, instance.labs.processing_min)

    def late_min(self, wave: Ints | int, lab: Ints, start_min: Ints) -> Ints:
        """Return the minutes after the promise of tubes started at ``start_min``."""
        late: Ints = np.maximum(0, start_min + self.processing_min[lab] - self.due_min[wave])
        return late


def start_min(hours: LabHours, lab: Ints, hour: Ints, arrive: Ints) -> tuple[Ints, Flags]:
    """Return when tubes are started that use a lab's clock hour, and whether the lab allows it."""
    inside = (hour >= 0) & (hour < len(hours))
    at = np.clip(hour, 0, len(hours) - 1)
    start = np.maximum(arrive, hours.begin_min[at])
    minute = start - hours.begin_min[0]
    within = minute < hours.begin_min[at] + HOUR_MIN - hours.begin_min[0]
    last = hours.is_open.shape[1] - 1
    allowed = inside & within & hours.is_open[lab, np.clip(minute, 0, last)]
    return start, allowed & (hours.capacity[lab, at] > 0)
