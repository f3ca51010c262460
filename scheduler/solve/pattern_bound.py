"""A lower bound that knows what stricter zones take from a site: whole slots, and clearing.

The bound from prices of places sells each slot to whoever gains most from it, and lets blocks go to
several sites in parts. Here blocks of the zones between the sealed areas and the commonest zone are
priced instead, and every site chooses the best pattern of their slots (``patterns``); all other
zones buy places at their prices. A block may also be served in part (DESIGN.md, rule 1): as in
``whole_bound`` prices of blocks stay below what one person left out costs. Sealed areas are counted
as if nobody took a slot from them.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from scheduler.domain.city import Flags, Floats, Ints
from scheduler.domain.settings import Zone
from scheduler.solve.bound import BoundFinder, place_prices, slot_gain
from scheduler.solve.patterns import Patterns
from scheduler.solve.site_offer import Movable, SiteOffer
from scheduler.solve.slot_costs import HORIZON
from scheduler.solve.streams import runs_of
from scheduler.solve.tube_bound import WholeTubes

_TURNS, _PAIR_TURNS = 60, 24_000  # of prices, and pairs looked at in all of them

ByZone = dict[int, Floats]


def pattern_bound(
    finder: BoundFinder,
    zone_cost: ByZone,
    price: ByZone,
    tubes: WholeTubes,
) -> float:
    """Return the bound of the round before the labs' earnings are taken off, 0 if there is none.

    Arguments as in ``BoundFinder.evaluate``.
    """
    main = finder.main_zone
    zones = [z for z in zone_cost if z != Zone.LOCKDOWN and z < main]
    return _PatternBound(finder, zone_cost, price, zones, tubes).best() if zones else 0.0


class _PatternBound:
    """``zones`` have patterns, all others buy places."""

    def __init__(
        self,
        finder: BoundFinder,
        zone_cost: ByZone,
        price: ByZone,
        zones: list[int],
        tubes: WholeTubes,
    ) -> None:
        self._finder, self._zones, self._cost, self._tubes = finder, zones, zone_cost, tubes
        place = place_prices(zone_cost, price)
        people = finder.instance.demand
        self._mine = (people > 0) & np.isin(finder.instance.block_zone, zones)
        self._start = np.where(self._mine, finder.cheapest(place), 0.0) * people
        self._place = {z: p for z, p in place.items() if z not in zones}
        self._places = np.where(finder.offered, finder.places, 0)
        gain = {z: slot_gain(p, zone_cost[z]) * self._places for z, p in self._place.items()}
        self._sealed = gain.pop(int(Zone.LOCKDOWN), np.zeros(self._places.shape))
        self._gain = np.max(np.stack(list(gain.values())), axis=0)
        per_wave = finder.instance.clock.slots_per_wave
        self._end = first_hours(self._places > 0, per_wave)
        pool = finder.instance.settings.pooling.by_zone()
        self._offer = SiteOffer(
            self._places, {z: zone_cost[z] for z in zones},
            {z: np.repeat(tubes.empty_place(pool[z]), per_wave, axis=1) for z in zones},
            {z: pool[z] for z in zones}, self._gain, 0,
            finder.instance.settings.clearing_slots, finder.instance.settings.weights.unserved,
        )  # fmt: skip

    def best(self) -> float:
        """Return the bound after some turns of prices of blocks."""
        finder, turns = self._finder, _TURNS
        highest = finder.instance.settings.weights.unserved
        people, price = np.maximum(finder.instance.demand, 1), np.minimum(self._start, highest)
        least = min(float(self._cost[z].min(initial=np.inf)) for z in self._zones)
        cut = self._tubes.cut({z: self._cost[z] for z in self._place}, self._place)
        cut = np.where(self._sealed.any(axis=1), 0.0, cut)
        finder.look_farther(price / people, least)
        while True:
            patterns = self._patterns()
            turns = min(turns, 1 + _PAIR_TURNS // max(1, len(patterns.movable.pairs)))
            ascent = patterns.ascend(price, turns, highest, cut)
            price = ascent.best
            if not finder.asks_farther(price / people, least).any():
                hopeless = float(people[self._mine].sum() - people[patterns.blocks].sum()) * highest
                return ascent.bound + hopeless + self._of_others(patterns, cut)
            finder.look_farther(price / people, least)
            turns = 1

    def _patterns(self) -> Patterns:
        """Return the patterns of the pairs that are known."""
        finder = self._finder
        instance, weights = finder.instance, finder.instance.settings.weights
        pairs = finder.pairs.where(self._mine[finder.pairs.block])
        movable = Movable(
            pairs, pairs.walk_m * finder.per_metre * instance.demand[pairs.block],
            instance.demand, instance.block_zone, instance.blocks.community_index, weights.split,
        )  # fmt: skip
        return Patterns(movable, self._offer, self._end)

    def _of_others(self, patterns: Patterns, cut: Floats) -> float:
        """Return what the other zones cost at least, if nobody takes slots from them."""
        finder = self._finder
        zone = finder.instance.communities.zone
        paid = finder.paid_by_community(self._place)[~np.isin(zone, self._zones)]
        alone = np.ones(len(cut), dtype=bool)
        alone[patterns.sites] = False
        sold = np.where(
            alone[:, None], np.maximum(self._gain, self._sealed), self._gain + self._sealed
        )
        return float(paid.sum()) - float(sold.sum()) + float(cut[alone].sum())


def first_hours(offered: Flags, per_wave: int) -> Ints:
    """Return the slot before which each site's first runs end, those that are looked at one by one.

    Slots after it are of other waves. A site that does not close in time has all its slots.
    """
    end = np.full(len(offered), offered.shape[1], dtype=np.int64)
    for site, row in enumerate(offered):
        runs = runs_of(row)
        for (_, before), (after, _) in pairwise(runs):
            if before <= HORIZON and (before - 1) // per_wave < after // per_wave:
                end[site] = before
    return end
