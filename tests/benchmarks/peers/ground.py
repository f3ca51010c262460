"""What all peers start from: candidates, quotas, open slots, and when labs can start tubes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from scheduler.domain.city import Flags, Ints
from scheduler.domain.instance import Instance
from scheduler.domain.lab_arithmetic import travel_to_labs
from scheduler.solve.candidates import Candidates, Pairs
from scheduler.solve.spacing import site_quota
from scheduler.solve.timeline import LabHours, lab_hours, site_sessions

HOUR_MIN = 60
MOST_HOURS = 24
"""Labs are looked at so many hours beyond the clock hour of the pick-up."""
NEVER = -1


@dataclass(frozen=True)
class Ground:
    """Columns of a round.

    ``pairs`` are all candidates, nearest first within a block; ``offered[site, slot]`` tells where
    people can be called and ``quota[site]`` how many.
    """

    instance: Instance
    pairs: Pairs
    quota: Ints
    offered: Flags
    travel_min: Ints
    hours: LabHours

    @staticmethod
    def of(instance: Instance) -> Ground:
        """Return the ground of a round."""
        quota = site_quota(instance)
        offered = np.zeros((len(instance.sites), instance.clock.num_slots), dtype=bool)
        sessions = site_sessions(instance)
        for site, first, end in zip(
            sessions.site, sessions.first_slot, sessions.end_slot, strict=True
        ):
            offered[site, first:end] = quota[site] > 0
        called = np.flatnonzero(instance.demand > 0)
        candidates = Candidates(instance, np.asarray(offered.any(axis=1)))
        last_min = int(instance.clock.num_waves + 1) * instance.settings.round.wave_minutes
        return Ground(
            instance,
            candidates.nearest(len(instance.sites), called),
            quota,
            offered,
            travel_to_labs(instance),
            lab_hours(instance, last_min // HOUR_MIN + MOST_HOURS + 2),
        )

    @property
    def pickup_min(self) -> Ints:
        """Minute at which each wave is picked up, shape (waves,)."""
        wave = self.instance.settings.round.wave_minutes
        return wave * np.arange(1, self.instance.clock.num_waves + 1)

    @property
    def pool(self) -> tuple[int, int, int, int]:
        """People per tube by zone."""
        return self.instance.settings.pooling.by_zone()

    @cached_property
    def lab_takes(self) -> Flags:
        """Whether a lab takes tubes of a zone's pool size, ``[zone, lab]``."""
        sizes = self.instance.labs.pool_sizes
        return np.array([[not s or k in s for s in sizes] for k in self.pool], dtype=bool)

    def first_hour(self, wave: int) -> int:
        """Return the index of the clock hour in which a wave is picked up."""
        return int(self.hours.index(self.pickup_min[wave]))

    def late_min(self, *, relaxed: bool) -> Ints:
        """Return the minutes after the promise, ``[site, wave, lab, hour]``, ``NEVER`` if not.

        Hours count from that of the pick-up. A lab is refused where the first slot of a wave would
        be too old on arrival; in the relaxed reading only where the last one is.
        """
        waves = range(self.instance.clock.num_waves)
        return np.stack([self._late_of(w, relaxed=relaxed) for w in waves], axis=1)

    def _late_of(self, wave: int, *, relaxed: bool) -> Ints:
        """Return ``late[site, lab, hour]`` of one wave."""
        instance, hours = self.instance, self.hours
        settings = instance.settings
        arrive = self.pickup_min[wave] + self.travel_min
        first = self.first_hour(wave)
        begin = hours.begin_min[first : first + MOST_HOURS + 1]
        start = np.maximum(arrive[:, :, None], begin)
        labs = np.arange(len(instance.labs))[None, :, None]
        minute = np.minimum(start - hours.begin_min[0], hours.is_open.shape[1] - 1)
        good = (start < begin + HOUR_MIN) & hours.is_open[labs, minute]
        good &= hours.capacity[:, first : first + MOST_HOURS + 1] > 0
        fresh = arrive - self._sampled_min(wave, relaxed=relaxed)[:, None]
        good &= (fresh <= settings.targets.max_holding_min)[:, :, None]
        due = wave * settings.round.wave_minutes + round(settings.targets.result_hours * HOUR_MIN)
        late = np.maximum(0, start + instance.labs.processing_min[None, :, None] - due)
        return np.where(good, late, NEVER).astype(np.int32)

    def _sampled_min(self, wave: int, *, relaxed: bool) -> Ints:
        """Return the start of each site's first slot in a wave, or of its last one."""
        per_wave = self.instance.clock.slots_per_wave
        slots = self.offered[:, wave * per_wave : (wave + 1) * per_wave]
        at = slots.shape[1] - 1 - slots[:, ::-1].argmax(axis=1) if relaxed else slots.argmax(axis=1)
        minutes: Ints = (wave * per_wave + at) * self.instance.settings.round.slot_minutes
        return minutes
