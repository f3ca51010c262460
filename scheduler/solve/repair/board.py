"""Who stands where: people and zones by site and slot, and the room that is left.

Free room obeys the rules of a site: the quota of each slot, one zone at a time, and the clearing
time from a stricter zone to a less strict one; and the most people of the whole city in a slot.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scheduler.domain.city import Flags, Ints
from scheduler.domain.instance import Instance
from scheduler.domain.settings import ZONE_WORDS
from scheduler.solve.repair.rows import Calls


@dataclass(frozen=True)
class Fit:
    """Where people fit: the cost in person-minutes, the site, and people in consecutive slots."""

    cost: float
    site: int
    first: int
    people: tuple[int, ...]

    @property
    def slots(self) -> Ints:
        """The slots that are used."""
        return np.arange(self.first, self.first + len(self.people))


class Board:
    """People by site, zone and slot. ``quota[site, slot]`` is 0 where nobody may be called."""

    def __init__(self, instance: Instance, quota: Ints, free_from: int) -> None:
        self.quota = quota
        self.free_from = free_from
        self.slot_min = instance.settings.round.slot_minutes
        self.clearing = instance.settings.clearing_slots
        self.people = np.zeros((len(ZONE_WORDS), *quota.shape), dtype=np.int64)
        self.most = instance.settings.slots.city_people or int(quota.sum())
        self.city = np.zeros(quota.shape[1], dtype=np.int64)  # people by slot

    def add(self, calls: Calls, sign: int = 1) -> None:
        """Put calls on the board, or take them off with ``sign`` -1."""
        np.add.at(self.people, (calls.zone, calls.site, calls.slot), sign * calls.people)
        np.add.at(self.city, calls.slot, sign * calls.people)

    def put(self, zone: int, fit: Fit, sign: int = 1) -> None:
        """Put the people of a fit on the board, or take them off with ``sign`` -1."""
        people = sign * np.array(fit.people, dtype=np.int64)
        self.people[zone, fit.site, fit.slots] += people
        self.city[fit.slots] += people

    def used(self) -> Ints:
        """Return people by site and slot, ``[site, slot]``."""
        total: Ints = self.people.sum(axis=0)
        return total

    def room(self, site: int, zone: int) -> Ints:
        """Return how many more people of a zone may be called to a site, per slot."""
        there = self.people[:, site]
        left: Ints = np.minimum(self.quota[site] - there.sum(axis=0), self.most - self.city)
        left[: self.free_from] = 0
        left[left < 0] = 0
        for other in range(len(there)):
            if other == zone or not there[other].any():
                continue
            busy = there[other] > 0
            left[busy] = 0
            # a stricter zone needs clearing after it, a less strict one before it
            left[_spread(busy, self.clearing, after=other < zone)] = 0
        return left

    def allows(self, calls: Calls) -> bool:
        """Return whether all these calls, which are not on the board, would fit on it."""
        for site in np.unique(calls.site).tolist():
            mine = calls.where(calls.site == site)
            zones = np.unique(mine.zone)
            if len(zones) > 1:
                return False
            need = np.bincount(mine.slot, mine.people, self.quota.shape[1])
            if (need > self.room(site, int(zones[0]))).any():
                return False
        return True


def _spread(busy: Flags, slots: int, *, after: bool) -> Flags:
    wide = np.zeros(len(busy), dtype=bool)
    for step in range(1, slots + 1):
        if after:
            wide[step:] |= busy[:-step]
        else:
            wide[:-step] |= busy[step:]
    return wide
