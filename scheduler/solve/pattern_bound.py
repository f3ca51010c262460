"""A lower bound that knows what stricter zones take from a site: whole slots, and clearing.

The bound from prices of places sells each slot to whoever gains most from it, and lets blocks go to
several sites in parts. Here blocks of the zones between the sealed areas and the commonest zone are
priced instead, and every site chooses the best pattern of their slots (``patterns``); all other
zones buy places at their prices. A block may also be served in part (DESIGN.md, rule 1): as in
``whole_bound`` prices of blocks stay below what one person left out costs. Sealed areas are counted
as if nobody took a slot from them, in patterns of their own.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np

from scheduler.domain.city import Flags, Floats, Ints
from scheduler.domain.settings import Zone
from scheduler.solve.bound import BoundFinder, ByZone, foregone_prices, place_prices, slot_gain
from scheduler.solve.patterns import Patterns
from scheduler.solve.site_offer import Movable, SiteOffer
from scheduler.solve.slot_costs import HORIZON
from scheduler.solve.streams import runs_of

_TURNS, _PAIR_TURNS = 60, 24_000  # of prices, and pairs looked at in all of them


def pattern_bound(
    finder: BoundFinder,
    zone_cost: ByZone,
    price: ByZone,
    cut: Callable[[ByZone, ByZone], Floats],
    part_filled: Callable[[int], Floats],
) -> float:
    """Return the bound of the round before the labs' earnings are taken off, 0 if there is none.

    Arguments as in ``BoundFinder.evaluate``; ``cut`` by site, and ``part_filled`` as in
    ``WholeTubes``.
    """
    main = finder.main_zone
    if min(zone_cost, default=main) == main:
        return 0.0
    return _PatternBound(finder, zone_cost, price, part_filled).best(cut)


class _PatternBound:
    """Sealed areas have patterns, ``zones`` have theirs, and all others buy places."""

    def __init__(
        self,
        finder: BoundFinder,
        zone_cost: ByZone,
        price: ByZone,
        part_filled: Callable[[int], Floats],
    ) -> None:
        self._finder, self._cost, self._part_filled = finder, zone_cost, part_filled
        self._place = place_prices(zone_cost, price)
        self._zones = [z for z in zone_cost if z != Zone.LOCKDOWN and z < finder.main_zone]
        self._places = np.where(finder.offered, finder.places, 0)
        gain = {z: slot_gain(p, zone_cost[z]) * self._places for z, p in self._place.items()}
        none = np.zeros(self._places.shape)
        self._sealed = gain.get(int(Zone.LOCKDOWN), none)
        self._others = [z for z in gain if z != Zone.LOCKDOWN and z not in self._zones]
        self._gain = np.max(np.stack([gain[z] for z in self._others]), axis=0)

    def best(self, cut_at: Callable[[ByZone, ByZone], Floats]) -> float:
        """Return the bound after some turns of prices of blocks."""
        cut = cut_at(*({z: by[z] for z in self._others} for by in
                                (self._cost, self._place)))  # fmt: skip
        unsealed = np.where(self._sealed.any(axis=1), 0.0, cut)
        strict, alone = self._cost_of(self._zones, self._gain, unsealed)
        by_prices = self._paid([*self._others, int(Zone.LOCKDOWN)]) - self._sold(alone)
        if Zone.LOCKDOWN not in self._cost:
            return strict + by_prices + float(unsealed[alone].sum())
        nothing = np.zeros(len(cut))
        sealed, _ = self._cost_of([int(Zone.LOCKDOWN)], np.zeros(self._gain.shape), nothing)
        by_patterns = self._paid(self._others) - float(self._gain.sum()) + sealed
        return strict + max(by_prices, by_patterns) + float(unsealed[alone].sum())

    def _cost_of(self, zones: list[int], gain: Floats, rest: Floats) -> tuple[float, Flags]:
        """Return what blocks of zones cost at least, and the sites to which none of them may come.

        ``gain`` is what others gain in whole slots, ``rest`` as in ``Patterns.ascend``.
        """
        finder, turns = self._finder, _TURNS
        demand = finder.instance.demand
        mine = (demand > 0) & np.isin(finder.instance.block_zone, zones)
        if not mine.any():
            return 0.0, np.ones(len(rest), dtype=bool)
        people = np.maximum(demand, 1)
        start = foregone_prices(self._cost, self._place)
        each: Floats = np.where(mine, finder.cheapest(start), 0.0)
        cost = {z: self._cost[z] for z in zones}
        least = min(float(c.min(initial=np.inf)) for c in cost.values())
        finder.look_farther(each, least)
        highest = self._served_in_part(zones, gain)
        price = np.minimum(each * people, highest)
        patterns = None
        while True:
            patterns = patterns_of(finder, cost, (mine, gain), self._part_filled, patterns)
            turns = min(turns, 1 + _PAIR_TURNS // max(1, len(patterns.movable.pairs)))
            ascent = patterns.ascend(price, turns, highest, rest)
            price = ascent.best
            if not finder.asks_farther(price / people, least).any():
                left_out = float(demand[mine].sum() - demand[patterns.blocks].sum())
                hopeless = left_out * finder.instance.settings.weights.unserved
                return ascent.bound + hopeless, ~np.isin(np.arange(len(rest)), patterns.sites)
            finder.look_farther(price / people, least)
            turns = 1

    def _served_in_part(self, zones: list[int], gain: Floats) -> Floats:
        """Return what each block of zones costs at least if one of its people or more is left out.

        ``gain`` as in ``_cost_of``. All others pay the cheapest slot at their site, and those who
        fill slots, the first and the last apart, take them from others who would gain in them. They
        may fill places in tubes that are not full. What they pay is convex in their number.
        """
        finder, instance = self._finder, self._finder.instance
        settings, pairs = instance.settings, finder.pairs
        left_out, one_less = settings.weights.unserved, np.maximum(instance.demand - 1, 0)
        each = np.where(self._places > 0, gain / np.maximum(self._places, 1), np.inf)
        most = self._places.max(axis=1, initial=1)
        least = self._places.min(axis=1, initial=int(most.max(initial=1)), where=self._places > 0)
        paid = left_out * one_less
        for zone in zones:
            slot = self._cost[zone]
            cheapest, taken = (c.min(axis=1, initial=np.inf) for c in (slot, slot + each))
            known = np.isfinite(cheapest) & np.isfinite(taken)
            more = np.where(known, taken, 0) - np.where(known, cheapest, 0)
            mine = pairs.where((instance.block_zone[pairs.block] == zone) & known[pairs.site])
            site, people = mine.site, one_less[mine.block]
            fill = np.maximum(0, people - 2 * most[site] + 1)
            first = np.minimum(mine.walk_m * finder.per_metre + cheapest[site], left_out)
            more = np.minimum(first + (more * least / most)[site], left_out) - first
            spared = self._spared(zone, slot)[site]
            np.minimum.at(paid, mine.block, first * people + more * fill - spared)
        return left_out + np.maximum(paid, 0.0)

    def _spared(self, zone: int, slot: Floats) -> Floats:
        """Return what people of a zone spare others at most who fill their tube, ``[site]``.

        A tube that is not full costs at most what it does in the wave of the cheapest of the slots
        of a site's patterns: ``slot[site, slot]``.
        """
        pool = self._finder.instance.settings.pooling.by_zone()[zone]
        per_wave = self._finder.instance.clock.slots_per_wave
        end = first_hours(self._places > 0, per_wave)
        inside = np.arange(slot.shape[1]) < end[:, None]
        wave = np.where(inside, slot, np.inf).argmin(axis=1) // per_wave
        found: Floats = self._part_filled(pool)[:, np.arange(len(slot)), wave].max(axis=0)
        return found

    def _paid(self, zones: list[int]) -> float:
        """Return what blocks of zones pay at least at the prices of places."""
        place = {z: self._place[z] for z in zones if z in self._place}
        paid = self._finder.paid_by_community(place)
        return float(paid[np.isin(self._finder.instance.communities.zone, zones)].sum())

    def _sold(self, alone: Flags) -> float:
        """Return what places earn from sealed areas and others, if nobody takes slots from them.

        Where neither of ``zones`` may come, a slot is sold to one of the two.
        """
        best = np.maximum(self._gain, self._sealed), self._gain + self._sealed
        return float(np.where(alone[:, None], *best).sum())


def patterns_of(
    finder: BoundFinder,
    cost: ByZone,
    asked: tuple[Flags, Floats],
    part_filled: Callable[[int], Floats],
    before: Patterns | None = None,
    *,
    whole: bool = False,
) -> Patterns:
    """Return the patterns of zones, at ``cost[zone][site, slot]``, for the pairs that are known.

    ``asked`` tells which blocks may come, and what others gain in whole slots ``[site, slot]``;
    ``part_filled`` as in ``pattern_bound``, ``before`` the same with fewer pairs; ``whole`` as in
    ``Patterns``.
    """
    mine, gain = asked
    instance, settings = finder.instance, finder.instance.settings
    pool, per_wave = settings.pooling.by_zone(), instance.clock.slots_per_wave
    places = np.where(finder.offered, finder.places, 0)
    pairs = finder.pairs.where(mine[finder.pairs.block])
    movable = Movable(
        pairs, pairs.walk_m * finder.per_metre * instance.demand[pairs.block],
        instance.demand, instance.block_zone, instance.blocks.community_index,
        settings.weights.split,
    )  # fmt: skip
    offer = SiteOffer(
        places, cost, {z: np.repeat(part_filled(pool[z]), per_wave, axis=2) for z in cost},
        {z: pool[z] for z in cost}, gain, 0, settings.clearing_slots, settings.weights.unserved,
    )  # fmt: skip
    return Patterns(movable, offer, first_hours(places > 0, per_wave), before, whole=whole)


def first_hours(offered: Flags, per_wave: int) -> Ints:
    """Return the slot before which each site's first runs end, those that are looked at one by one.

    Slots after it are of other waves. A site that does not close in time has all its slots.
    """
    ends: dict[bytes, int] = {}  # a city has few different hours
    for row in offered:
        if row.tobytes() not in ends:
            closed = pairwise(runs_of(row))
            good = [
                before for (_, before), (after, _) in closed
                if before <= HORIZON and (before - 1) // per_wave < after // per_wave
            ]  # fmt: skip
            ends[row.tobytes()] = max(good, default=len(row))
    return np.array([ends[row.tobytes()] for row in offered], dtype=np.int64)
