"""Couriers and laboratories under events, as the re-planner sees them at its moment."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from scheduler.domain.city import Flags, Ints
from scheduler.domain.overlay import Overlay
from scheduler.solve.repair.outside import HOUR_MIN, LabHours, road_minutes, working_hours
from scheduler.solve.repair.rows import Sent


class Post:
    """Couriers and laboratories under an overlay, seen from ``now``."""

    def __init__(self, overlay: Overlay, now_min: int, horizon_hours: int) -> None:
        self.overlay, self.now = overlay, now_min
        self.instance = overlay.instance
        self.wave_min = self.instance.settings.round.wave_minutes
        self.pools = np.array(self.instance.settings.pooling.by_zone(), dtype=np.int64)
        self.roads = road_minutes(self.instance)
        self.hours = self._hours(horizon_hours)

    def _hours(self, count: int) -> LabHours:
        """Return the hours of the labs with outages and rates of events."""
        hours = working_hours(self.instance, count)
        begin = int(hours.begin_min[0])
        is_open = hours.is_open.copy()
        rate = np.zeros(is_open.shape, dtype=np.int64)
        for lab in range(len(is_open)):
            for minute, tubes in self.overlay.lab_rate[lab]:
                rate[lab, max(0, minute - begin) :] = tubes
            for first, last in self.overlay.lab_out[lab]:
                is_open[lab, max(0, first - begin) : max(0, last - begin)] = False
        parts = np.where(is_open, rate, 0).reshape(len(is_open), count, HOUR_MIN)
        opened = is_open.reshape(len(is_open), count, HOUR_MIN)
        first_open = np.where(opened.any(axis=2), opened.argmax(axis=2), HOUR_MIN)
        return replace(
            hours, capacity=parts.sum(axis=2) // HOUR_MIN, is_open=is_open,
            open_from=hours.begin_min[None, :] + first_open,
        )  # fmt: skip

    def delays(self, site: Ints, wave: Ints) -> Ints:
        """Return which delays, as bits, hold for a pick-up at a site at the end of a wave."""
        pickup = (wave + 1) * self.wave_min
        bits = np.zeros(len(site), dtype=np.int64)
        for number, delay in enumerate(self.overlay.delays):
            here = (pickup >= delay.span[0]) & (pickup < delay.span[1])
            if delay.site >= 0:
                here &= site == delay.site
            bits |= here.astype(np.int64) << number
        return bits

    def road(self, site: Ints, bits: Ints) -> Ints:
        """Return minutes from each site to every lab, ``[row, lab]``."""
        minutes = self.roads[site].copy()
        for number, delay in enumerate(self.overlay.delays):
            late = (bits >> number & 1) * delay.minutes
            if delay.lab >= 0:
                minutes[:, delay.lab] += late
            else:
                minutes += late[:, None]
        return minutes

    def road_to(self, site: Ints, wave: Ints, lab: Ints) -> Ints:
        """Return minutes from each site to one lab, for the pick-up at the end of a wave."""
        minutes: Ints = self.roads[site, lab].copy()
        bits = self.delays(site, wave)
        for number, delay in enumerate(self.overlay.delays):
            late = (bits >> number & 1) * delay.minutes
            minutes += np.where((delay.lab < 0) | (lab == delay.lab), late, 0)
        return minutes

    def accepted(self) -> Flags:
        """Return whether each lab takes the pool size of each zone, ``[zone, lab]``."""
        return self.instance.labs.takes(self.pools)

    def load(self, sent: Sent) -> Ints:
        """Return the tubes that consignments bring, ``[lab, hour]``."""
        labs, hours = self.hours.capacity.shape
        key = sent.lab * hours + self.hours.index(sent.start)
        return np.bincount(key, sent.tubes, labs * hours).astype(np.int64).reshape(labs, hours)

    def free_hours(self, kept: Sent) -> Ints:
        """Return tubes that each lab can still start in each hour after now, ``[lab, hour]``."""
        free: Ints = np.maximum(self.hours.capacity - self.load(kept), 0)
        free[self.hours.open_from > self.hours.begin_min[None, :]] = 0
        free[:, self.hours.begin_min <= self.now] = 0
        return free
