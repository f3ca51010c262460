"""The columns that several parts of the report are counted from, worked out once."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from scheduler.domain.city import Flags, Floats, Ints
from scheduler.domain.explain_slots import open_slots
from scheduler.domain.instance import Instance
from scheduler.domain.metrics import walk_metres
from scheduler.domain.profile import slot_places
from scheduler.publish.schedule import NEVER, Schedule


class Facts:
    """A schedule with what follows from it; ``quota[site]`` is people per slot.

    Districts are numbered in the order of ``districts``; people belong to the district of their
    community, lanes and tubes to that of the site.
    """

    def __init__(self, schedule: Schedule, quota: Ints) -> None:
        self.schedule = schedule
        self.quota = quota
        self.instance: Instance = schedule.instance
        self.calls = schedule.calls
        self.sent = schedule.sent

    @cached_property
    def districts(self) -> list[str]:
        """Names of the districts, those of communities and of sites."""
        instance = self.instance
        return sorted({*instance.communities.districts, *instance.sites.districts})

    def _district(self, names: np.ndarray) -> Ints:
        number = {name: n for n, name in enumerate(self.districts)}
        return np.array([number[name] for name in names], dtype=np.int64)

    @cached_property
    def of_community(self) -> Ints:
        """District of each community."""
        return self._district(self.instance.communities.districts)

    @cached_property
    def of_site(self) -> Ints:
        """District of each site."""
        return self._district(self.instance.sites.districts)

    @cached_property
    def walk(self) -> Floats:
        """Metres on foot of each call, one way."""
        return walk_metres(self.instance, self.calls.block_index, self.calls.site_index)

    @cached_property
    def promise_min(self) -> float:
        """Minutes from the beginning of a wave to the promised result."""
        return self.instance.settings.targets.result_hours * 60

    @cached_property
    def turnaround(self) -> Ints:
        """Minutes from the beginning of the wave to the result, of each consignment."""
        return self.sent.result_by - self.sent.wave * self.instance.settings.round.wave_minutes

    @cached_property
    def call_turnaround(self) -> Ints:
        """Minutes from the beginning of the wave to the latest result of each call's tubes."""
        wave_min = self.instance.settings.round.wave_minutes
        wave = self.calls.start // wave_min * wave_min
        known = self.calls.result_by != NEVER
        return np.where(known, self.calls.result_by - wave, 0)

    @cached_property
    def call_district(self) -> Ints:
        """District of each call's community."""
        return self.of_community[self.calls.community_index]

    @cached_property
    def open_slots(self) -> Flags:
        """Whether each site is open, ``[site, slot]``."""
        hours = self.instance.sites.hours
        first = {h: s for s, h in reversed(list(enumerate(hours)))}
        flags = {h: open_slots(self.instance, s) for h, s in first.items()}
        shape = (len(hours), self.instance.clock.num_slots)
        return np.array([flags[h] for h in hours], dtype=bool).reshape(shape)

    @cached_property
    def places(self) -> Ints:
        """People that may be called to each site while it is open, ``[site, slot]``."""
        return self.open_slots * slot_places(
            self.instance, self.quota, self.instance.clock.num_slots
        )

    @cached_property
    def pairs(self) -> tuple[Ints, Ints, Ints]:
        """Community, site and people of each pair that meets."""
        calls, num = self.calls, len(self.instance.sites)
        keys, where = np.unique(calls.community_index * num + calls.site_index, return_inverse=True)
        people = sums(where, calls.people, len(keys))
        return keys // max(num, 1), keys % max(num, 1), people


def sums(index: Ints, values: Ints, num: int) -> Ints:
    """Return whole sums of values by index."""
    return np.bincount(index, weights=values, minlength=num).astype(np.int64)


def weighted_mean(index: Ints, values: Floats | Ints, people: Ints, num: int) -> Floats:
    """Return the mean of values weighted by people, by index; NaN where there is nobody."""
    total = np.bincount(index, weights=people, minlength=num)
    some = np.bincount(index, weights=values * people, minlength=num)
    mean: Floats = np.divide(some, total, out=np.full(num, np.nan), where=total > 0)
    return mean
