"""What is swabbed, by site, wave and zone: the unit in which tubes are filled and picked up."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scheduler.domain.city import Ints
from scheduler.solve.repair.board import Board


@dataclass(frozen=True)
class Groups:
    """What is swabbed by site, wave and zone, sorted."""

    site: Ints
    wave: Ints
    zone: Ints
    people: Ints
    tubes: Ints
    first_slot: Ints
    num_waves: int

    def __len__(self) -> int:
        return len(self.site)

    def same(self, other: Groups) -> bool:
        """Return whether the same is swabbed, of samples as old."""
        columns = ("site", "wave", "zone", "people", "first_slot")
        return all(np.array_equal(getattr(self, c), getattr(other, c)) for c in columns)

    @property
    def key(self) -> Ints:
        """One number per site, wave and zone, ascending."""
        key: Ints = group_key(self.site, self.wave, self.zone, self.num_waves)
        return key


def group_key(site: Ints, wave: Ints, zone: Ints, num_waves: int) -> Ints:
    """Return one number per site, wave and zone."""
    return (site * num_waves + wave) * 4 + zone


def groups_on(board: Board, pools: Ints, per_wave: int) -> Groups:
    """Return what the people on a board fill; ``pools[zone]`` is people per tube."""
    zones, sites, slots = board.people.shape
    num_waves = -(-slots // per_wave)
    people = board.people
    if slots < num_waves * per_wave:
        people = np.pad(people, ((0, 0), (0, 0), (0, num_waves * per_wave - slots)))
    people = people.reshape(zones, sites, num_waves, per_wave)
    total = people.sum(axis=3).transpose(1, 2, 0)
    site, wave, zone = np.nonzero(total)
    first = wave * per_wave + (people[zone, site, wave] > 0).argmax(axis=1)
    there = total[site, wave, zone]
    return Groups(site, wave, zone, there, -(-there // pools[zone]), first, num_waves)
