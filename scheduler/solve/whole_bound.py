"""A lower bound that knows whole blocks, for rounds in which sites are all but full.

The bound from prices of places lets blocks go to several sites in parts. Here "each block once" is
priced instead: every run of a site is a knapsack of whole blocks (``knapsacks``), and no other set
there can save more than its best one. A block may also be served in part (DESIGN.md, rule 1): then
one person of it at least is left out, which costs as much as the block's price saves where that is
at most ``weights.unserved``; so prices stay below it. Any such prices give a valid bound.
"""

from __future__ import annotations

import numpy as np

from scheduler.domain.city import Floats, Ints
from scheduler.domain.ranges import fan_out
from scheduler.solve.block_prices import BlockPrices
from scheduler.solve.bound import BoundFinder, place_prices, slot_gain
from scheduler.solve.candidates import Pairs
from scheduler.solve.knapsacks import Knapsacks, cost_upto
from scheduler.solve.split_bound import raised_blocks
from scheduler.solve.streams import runs_of

_TURNS, _PAIR_TURNS = 50, 2_500_000  # of prices, and pairs looked at in all of them
_STRIDE = 0.004


def whole_bound(
    finder: BoundFinder, zone_cost: dict[int, Floats], price: dict[int, Floats], beyond: Floats
) -> float:
    """Return the bound of the round before the labs' earnings are taken off.

    ``zone_cost[zone][site, slot]`` is finish plus lab price (inf: not offered),
    ``price[zone][site]`` what a place costs people of the zone, ``beyond[block]`` person-minutes
    that a block of the commonest zone is worth beyond walk and place, about.
    """
    return WholeBound(finder, zone_cost, place_prices(zone_cost, price)).best(beyond)


class WholeBound:
    """The bound at prices of places: ``runs`` are rows (site, first slot, end slot)."""

    def __init__(
        self, finder: BoundFinder, zone_cost: dict[int, Floats], place: dict[int, Floats]
    ) -> None:
        """Take costs of slots and prices of places by zone."""
        self._finder, self._place = finder, place
        main = finder.main_zone
        self._is_main = finder.instance.block_zone == main
        gain = np.zeros(finder.offered.shape)
        for zone, cost in zone_cost.items():
            if zone != main:
                gain = np.maximum(gain, slot_gain(place[zone], cost))
        places = finder.places
        self._sold = float((gain * places).sum())  # to stricter zones, if the commonest had none
        cost = zone_cost[main] + gain
        runs = [
            (site, first, end)
            for site in np.flatnonzero(finder.offered.any(axis=1)).tolist()
            for first, end in runs_of(finder.offered[site])
        ]
        self.runs = np.array(runs, dtype=np.int64).reshape(-1, 3)
        self._upto = [cost_upto(cost[s, a:b], places[s, a:b]) for s, a, b in runs]
        self._least = float(cost.min(initial=np.inf))

    def best(self, beyond: Floats) -> float:
        """Return the bound at prices of blocks that are ``beyond`` at first."""
        finder = self._finder
        place = {z: p for z, p in self._place.items() if z != finder.main_zone}
        stricter = finder.instance.communities.zone != finder.main_zone
        paid = float(finder.paid_by_community(place)[stricter].sum()) if place else 0.0
        return paid - self._sold + self._of_main(beyond)

    def _of_main(self, beyond: Floats) -> float:
        """Return what the commonest zone costs at least, places for the others' price included."""
        finder, turns = self._finder, _TURNS
        unserved = finder.instance.settings.weights.unserved
        people = np.where(self._is_main, finder.instance.demand, 0)
        sacks, level, split = self.sacks(people)
        price = np.minimum(np.where(sacks.people > 0, level + beyond, 0.0), unserved)
        while True:
            turns = min(turns, 1 + _PAIR_TURNS // max(1, len(sacks.pairs)))
            ascent = BlockPrices(sacks, price, _STRIDE, unserved)
            ascent.ascend(turns)
            price = ascent.best
            worth = price / np.maximum(people, 1)
            if not finder.asks_farther(worth, self._least).any():
                hopeless = float((people - sacks.people).sum()) * unserved
                return ascent.bound - split + hopeless
            finder.look_farther(worth, self._least)
            (sacks, _, split), turns = self.sacks(people), 1

    def sacks(self, people: Ints) -> tuple[Knapsacks, Floats, float]:
        """Return the knapsacks, what blocks pay for walk, place and split, and the first split."""
        finder = self._finder
        instance, price = finder.instance, self._place[finder.main_zone]
        pairs = finder.pairs.where(people[finder.pairs.block] > 0)
        size, weight = people[pairs.block], instance.settings.weights.split
        cost = (pairs.walk_m * finder.per_metre + price[pairs.site]) * size
        community = instance.blocks.community_index
        most = people.astype(np.float64) * instance.settings.weights.unserved
        least, raised = raised_blocks(pairs, cost, most, community, weight)
        worth = np.bincount(community, raised - least, len(instance.communities)) > weight
        raised = np.where(worth[community], raised, least)
        share = np.where(
            worth[community[pairs.block]], np.maximum(0, raised[pairs.block] - cost), 0
        )
        rows, bins = fan_out(pairs.site, self.runs[:, 0], len(price))
        reached = np.zeros_like(people)
        reached[pairs.block] = people[pairs.block]
        sacks = Knapsacks(
            Pairs(pairs.block[rows], bins, pairs.walk_m[rows]),
            (pairs.walk_m * finder.per_metre * size + share)[rows], reached, self._upto,
        )  # fmt: skip
        return sacks, raised, weight * float(worth.sum())
