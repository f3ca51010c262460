"""A small round in plain whole numbers, as the exact model of ``exact_model`` needs it.

Two facts keep the model small without cutting off an optimum. People of one zone at one site and
slot cost the same whoever they are, so a block chooses a *cell* (site, zone, run of slots), and
slots are counted by cell. And no optimal tube waits for an hour when all tubes that there can be
would fit into the lab's hours before it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from scheduler.domain.city import Flags, Ints
from scheduler.domain.instance import Instance
from scheduler.domain.settings import Zone
from scheduler.solve.candidates import Pairs
from scheduler.solve.market import Market
from scheduler.solve.reach import Promise, start_min
from scheduler.solve.streams import runs_of

MOST_BLOCKS = 40
"""Blocks with people, up to which a round is small."""
SCALE = 1_000
"""Whole cost units per person-minute."""

Batch = tuple[int, int, int]  # site, wave, zone
BlockKey = tuple[int, int, int]  # block, cell, piece
PlaceKey = tuple[int, int, int]  # cell, piece, slot
StartKey = tuple[Batch, int, int]  # batch, lab, hour


@dataclass(frozen=True)
class Cell:
    """A run of slots of a site for one zone: ``walk`` maps each possible block to its cost."""

    site: int
    zone: int
    first: int
    end: int
    walk: dict[int, int]


@dataclass(frozen=True)
class Start:
    """A lab and hour in which a batch's tubes may start; ``late`` is a cost per person.

    Slots before ``oldest_slot`` would be too old on arrival.
    """

    lab: int
    hour: int
    late: int
    oldest_slot: int


@dataclass
class Answer:
    """Whole numbers of an answer, zeros left out: people of blocks and slots, tubes of starts."""

    served: dict[BlockKey, int] = field(default_factory=dict)
    places: dict[PlaceKey, int] = field(default_factory=dict)
    tubes: dict[StartKey, int] = field(default_factory=dict)


def whole(cost: float) -> int:
    """Return a cost in whole units, rounded down, so that the model never costs more than it is."""
    return int(cost * SCALE + 1e-6)


class SmallRound:
    """Cells, batches and starts of one round; ``known_cost`` is what some plan costs."""

    def __init__(self, instance: Instance, market: Market, known_cost: float) -> None:
        self.instance, self.market, self.known_cost = instance, market, known_cost
        self.blocks: list[int] = np.flatnonzero(instance.demand > 0).tolist()
        self.people = {b: int(instance.demand[b]) for b in self.blocks}
        self.per_wave = instance.clock.slots_per_wave
        self.pool = instance.settings.pooling.by_zone()
        self.quota: list[int] = market.quota.tolist()
        self.places: list[list[int]] = market.places.tolist()
        self._late_hours_left = False

    @cached_property
    def most_unserved(self) -> int:
        """People that a plan as good as the known one can leave out."""
        weight = self.instance.settings.weights.unserved
        everybody = sum(self.people.values())
        return everybody if weight <= 0 else min(everybody, int(self.known_cost / weight + 1e-9))

    @cached_property
    def cells(self) -> list[Cell]:
        """All cells that some block may use."""
        pairs = self.market.candidates.nearest(len(self.instance.sites), np.array(self.blocks))
        zone = self.instance.block_zone[pairs.block]
        cells = []
        for site, kind in sorted(set(zip(pairs.site.tolist(), zone.tolist(), strict=True))):
            walk = self._walk(pairs.where((pairs.site == site) & (zone == kind)))
            for first, end in runs_of(self.market.offered[site]):
                cells.append(Cell(site, kind, first, end, walk))
        return cells

    def _walk(self, pairs: Pairs) -> dict[int, int]:
        costs = pairs.walk_m * self.market.per_metre
        return {b: whole(c) for b, c in zip(pairs.block.tolist(), costs.tolist(), strict=True)}

    def finish(self, zone: int, slot: int) -> int:
        """Return the cost of a person's finish in a slot."""
        weight = self.instance.settings.weights.finish.by_zone()[zone]
        return whole(weight * slot * self.instance.settings.round.slot_minutes)

    @cached_property
    def batches(self) -> dict[Batch, list[tuple[int, int]]]:
        """(cell, slot) pairs of every batch that can leave a site."""
        found: dict[Batch, list[tuple[int, int]]] = {}
        for number, cell in enumerate(self.cells):
            for slot in range(cell.first, cell.end):
                key = cell.site, slot // self.per_wave, cell.zone
                found.setdefault(key, []).append((number, slot))
        return found

    @cached_property
    def most_tubes(self) -> int:
        """Tubes that any plan can have: full ones, and one part-filled tube of each batch."""
        people = np.zeros(len(Zone), dtype=np.int64)
        for block, count in self.people.items():
            people[self.instance.block_zone[block]] += count
        total = 0
        for zone, count in enumerate(people.tolist()):
            parts = sum(batch[2] == zone for batch in self.batches)
            total += min(count, count // self.pool[zone] + parts)
        return total

    @cached_property
    def starts(self) -> dict[Batch, list[Start]]:
        """Where and when the tubes of each batch may start."""
        return {batch: self._starts_of(batch) for batch in self.batches}

    def _starts_of(self, batch: Batch) -> list[Start]:
        site, wave, zone = batch
        settings = self.instance.settings
        latest = max(slot for _, slot in self.batches[batch])
        starts = []
        for lab, sizes in enumerate(self.instance.labs.pool_sizes):
            arrive = int(self._promise.pickup_min[wave] + self.market.travel[site, lab])
            oldest = -(-(arrive - settings.targets.max_holding_min) // settings.round.slot_minutes)
            if (not sizes or self.pool[zone] in sizes) and oldest <= latest:
                starts += self._hours_of(wave, lab, arrive, oldest)
        return starts

    def _hours_of(self, wave: int, lab: int, arrive: int, oldest: int) -> list[Start]:
        """Return the hours of a lab after an arrival that an optimal plan may use."""
        hours, weight = self.market.hours, self.instance.settings.weights.late
        hour = np.arange(max(0, int(hours.index(np.array(arrive)))), len(hours))
        labs = np.full(len(hour), lab)
        start, allowed = start_min(hours, labs, hour, np.full(len(hour), arrive))
        cost = self._promise.late_min(np.full(len(hour), wave), labs, start) * weight
        room = self._room_before(hour, lab, allowed)
        useful = allowed & (room <= self.most_tubes) & (cost <= self.known_cost)
        if not len(hour) or (room[-1] <= self.most_tubes and cost[-1] <= self.known_cost):
            self._late_hours_left = True
        return [
            Start(lab, int(h), whole(float(c)), oldest)
            for h, c in zip(hour[useful], cost[useful], strict=True)
        ]

    def _room_before(self, hour: Ints, lab: int, allowed: Flags) -> Ints:
        """Return how many tubes the lab surely starts in the hours before each, day limits kept."""
        hours = self.market.hours
        capacity = np.where(allowed, hours.capacity[lab, hour], 0)
        limit = int(self.instance.labs.max_tubes_per_day[lab])
        room, done, today = np.zeros(len(hour), dtype=np.int64), 0, 0
        for at in range(1, len(hour)):
            if hours.day[hour[at]] != hours.day[hour[at - 1]]:
                done, today = done + self._capped(today + int(capacity[at - 1]), limit), 0
            else:
                today += int(capacity[at - 1])
            room[at] = done + self._capped(today, limit)
        return room

    @staticmethod
    def _capped(tubes: int, limit: int) -> int:
        return min(tubes, limit) if limit >= 0 else tubes

    @cached_property
    def _promise(self) -> Promise:
        return Promise.of(self.instance)

    @property
    def complete(self) -> bool:
        """Whether every optimal plan is among the answers, so that a bound of the model holds."""
        return bool(self.starts) and not self._late_hours_left

    @property
    def size(self) -> int:
        """Whole-number variables that the model will have, about."""
        places = sum((c.end - c.first) + len(c.walk) for c in self.cells)
        return places + sum(map(len, self.starts.values()))
