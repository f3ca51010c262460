"""Find places for the people who must move, at least objective and churn.

The hardest first (strict zones, then the largest), each where it costs least: walking, the time
of its slots, one more site for its community, and what it means to be sent elsewhere or at another
time than was published. Whoever finds no place may push one block aside that finds another.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from scheduler.domain.city import Flags, Floats, Ints
from scheduler.domain.instance import Instance
from scheduler.solve.repair.board import Board, Fit
from scheduler.solve.repair.outside import Pairs, filled, runs_with_room, start_sums
from scheduler.solve.repair.rows import Calls, Stand

PUSHED = 12
"""Blocks that are tried to be pushed aside for one that finds no place."""


class Rooms(Protocol):
    """Laboratories as seen by who looks for a place."""

    def in_time(self, site: int, zone: int) -> Ints:
        """Return the tubes of a zone that labs can still take in time, per wave."""

    def take(self, site: int, zone: int, wave: int, people: int) -> None:
        """Use up room."""


@dataclass(frozen=True)
class Item:
    """People of a block that need a place.

    ``sites`` are where they were to go, with people; in the slots ``taken`` others of the block are
    called.
    """

    block: int
    people: int
    zone: int
    sites: dict[int, int]
    taken: tuple[int, ...] = ()


@dataclass(frozen=True)
class Prices:
    """What a choice costs, in person-minutes per person (``split`` per site)."""

    finish: Floats  # [zone], per minute
    walk: float  # per metre
    split: float
    other_site: float
    other_time: float
    known: Floats  # [block]: share of churn that counts, less where nothing was published
    late: float  # of a result that is likely to be late
    pool: Ints  # [zone], people per tube


@dataclass(frozen=True)
class Grounds:
    """Where blocks may go: pairs sorted by block, with the first row of each block."""

    pairs: Pairs

    def of(self, block: int) -> tuple[Ints, Floats]:
        """Return candidate sites of a block and the metres to each."""
        first, last = np.searchsorted(self.pairs.block, [block, block + 1])
        return self.pairs.site[first:last], self.pairs.walk_m[first:last]


class Placer:
    """Places items on a board, one after the other."""

    def __init__(
        self, instance: Instance, board: Board, grounds: Grounds, prices: Prices, standing: Calls
    ) -> None:
        self.board, self.grounds, self.prices = board, grounds, prices
        self.community = instance.blocks.community_index
        self.slot_min = board.slot_min
        self.per_wave = instance.clock.slots_per_wave
        self.num_sites = len(instance.sites)
        key = self.community[standing.block] * self.num_sites + standing.site
        self.used: dict[int, int] = dict(
            zip(*(c.tolist() for c in np.unique(key, return_counts=True)), strict=True)
        )
        self.sites_of = np.bincount(
            np.array(list(self.used), dtype=np.int64) // self.num_sites,
            minlength=int(self.community.max(initial=0)) + 1,
        )
        self.closed_waves: set[tuple[int, int]] = set()
        self.placed: dict[int, tuple[Item, Fit]] = {}

    def place_all(self, items: Iterable[Item], labs: Rooms) -> list[Item]:
        """Place the items; returns those that found no place."""
        order = sorted(items, key=lambda i: (i.zone, -i.people, i.block))
        return [item for item in order if not self.place(item, labs)]

    def place(self, item: Item, labs: Rooms, *, in_time: bool = False) -> bool:
        """Place one item where it costs least, ``in_time`` only where no result would be late."""
        fit = self._best(item, labs, in_time=in_time)
        if fit is None:
            return False
        self.put(item, fit)
        wave = fit.slots // self.per_wave
        for each in np.unique(wave).tolist():
            people = int(np.array(fit.people)[wave == each].sum())
            labs.take(fit.site, item.zone, each, people)
        return True

    def put(self, item: Item, fit: Fit) -> None:
        """Put an item where it fits."""
        self.board.put(item.zone, fit)
        self.placed[item.block] = (item, fit)
        self._count(item.block, fit.site, 1)

    def remove(self, block: int) -> Item:
        """Take a placed item off again."""
        item, fit = self.placed.pop(block)
        self.board.put(item.zone, fit, -1)
        self._count(block, fit.site, -1)
        return item

    def leave(self, block: int, calls: Calls) -> None:
        """Forget the calls of a block that were there before."""
        self._count(block, int(calls.site[0]), -len(calls))

    def come(self, block: int, calls: Calls) -> None:
        """Remember calls of a block that were forgotten."""
        self._count(block, int(calls.site[0]), len(calls))

    def calls(self) -> Calls:
        """Return the calls of all that was placed."""
        rows = [
            (item.block, fit.site, fit.first + at, people, item.zone)
            for item, fit in self.placed.values()
            for at, people in enumerate(fit.people)
        ]
        table = np.array(rows, dtype=np.int64).reshape(-1, 5)
        return Calls(*table.T)

    def _count(self, block: int, site: int, sign: int) -> None:
        community = int(self.community[block])
        key = community * self.num_sites + site
        before = self.used.get(key, 0)
        self.used[key] = before + sign
        if (before == 0) != (before + sign == 0):
            self.sites_of[community] += sign

    def _best(self, item: Item, labs: Rooms, *, in_time: bool) -> Fit | None:
        """Return the cheapest fit over all candidate sites."""
        best: Fit | None = None
        later = self.prices.finish[item.zone] * self.slot_min
        soonest = later * item.people * self.board.free_from
        sites, metres = self.grounds.of(item.block)
        for site, walk in zip(sites.tolist(), metres.tolist(), strict=True):
            fixed = self._fixed(item, site, walk)
            if best is not None and fixed + soonest >= best.cost:
                continue
            room = self._room(site, item.zone)
            room[list(item.taken)] = 0
            first, end = runs_with_room(room, item.people)
            if not len(first):
                continue
            cost = fixed + later * start_sums(room, first, end, item.people)
            if best is not None and cost.min() >= best.cost:
                continue
            late = self._late(item, site, (first, end), labs)
            cost = np.where(
                late, np.inf if in_time else cost + self.prices.late * item.people, cost
            )
            at = int(np.argmin(cost))
            if np.isfinite(cost[at]) and (best is None or cost[at] < best.cost):
                a, b = int(first[at]), int(end[at])
                best = Fit(float(cost[at]), site, a, filled(room, a, b, item.people))
        return best

    def _late(self, item: Item, site: int, run: tuple[Ints, Ints], labs: Rooms) -> Flags:
        """Return the runs in which some result would be late: estimated, wave by wave."""
        room = labs.in_time(site, item.zone)
        low, high = run[0] // self.per_wave, (run[1] - 1) // self.per_wave
        need = -(-item.people // self.prices.pool[item.zone]) / (high - low + 1)
        late: Flags = np.minimum(room[low], room[high]) < need
        return late

    def _room(self, site: int, zone: int) -> Ints:
        room = self.board.room(site, zone)
        for closed, wave in self.closed_waves:
            if closed == site:
                room[wave * self.per_wave : (wave + 1) * self.per_wave] = 0
        return room

    def _fixed(self, item: Item, site: int, metres: float) -> float:
        """Return what a site costs at any time."""
        prices, n = self.prices, item.people
        share = float(prices.known[item.block])
        here = min(n, item.sites.get(site, 0))
        was = min(n, sum(item.sites.values()))
        churn = share * (here * prices.other_time + (was - here) * prices.other_site)
        fixed = n * metres * prices.walk + churn
        community = int(self.community[item.block])
        if not self.used.get(community * self.num_sites + site, 0) and self.sites_of[community]:
            fixed += prices.split
        return fixed


def push_aside(
    placer: Placer, item: Item, movable: dict[int, Item], stand: Stand, labs: Rooms
) -> bool:
    """Make room for an item by moving one block that finds another place; tell whether it went.

    ``movable`` holds what may be moved, by block.
    """
    sites, _ = placer.grounds.of(item.block)
    calls = stand.calls
    near = np.unique(calls.block[np.isin(calls.site, sites)]).tolist()
    blocks = [b for b in near if b != item.block and b in movable]
    blocks.sort(key=lambda b: (abs(movable[b].people - item.people), b))
    for block in blocks[:PUSHED]:
        mine = stand.of(block)
        stand.off(block)
        placer.board.add(mine, -1)
        placer.leave(block, mine)
        if placer.place(item, labs):
            if placer.place(movable[block], labs):
                return True
            placer.remove(item.block)
        placer.board.add(mine)
        placer.come(block, mine)
        stand.back(block)
    return False
