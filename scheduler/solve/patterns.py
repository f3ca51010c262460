"""What stricter zones do at a site: patterns of slots, and the blocks that fill them.

A pattern says how many slots each stricter zone has at a site. It costs what their people pay in
them, and what the other zones would have gained in these slots and while the ground is cleared. The
least cost of each pattern is found exactly over the order of slots (dynamic programming over time);
at given prices of blocks the best set of whole blocks for the best pattern is a knapsack. Prices of
blocks that make every block wanted once then give a bound that knows whole blocks, clearing and
slots that are lost whole: column generation (Dantzig and Wolfe 1960, doi 10.1287/opre.8.1.101) by
its Lagrangian dual.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scheduler.domain.city import Flags, Floats, Ints
from scheduler.solve.ascent import Ascent
from scheduler.solve.site_offer import Movable, SiteOffer
from scheduler.solve.slot_costs import slot_costs
from scheduler.solve.slot_sacks import Prices, Sack, ZoneHere, best_pattern

_MOST_SLOTS = {1: 96, 2: 64}
"""Slots that a zone is reckoned with at a site, by the number of stricter zones there; more people
are counted in parts of blocks."""
_STRIDE = 0.005


@dataclass(frozen=True)
class Answer:
    """What a site makes of prices: ``worth`` of its best pattern with anybody, and its pairs."""

    worth: float
    rows: Ints


_NOBODY = Answer(-np.inf, np.empty(0, dtype=np.int64))


class Patterns:
    """The sites that some blocks of stricter zones may share."""

    def __init__(self, movable: Movable, offer: SiteOffer, end: Ints) -> None:
        """Reckon the costs of all patterns; no site may be asked for by three stricter zones.

        Patterns are of the slots before ``end[site]``. Blocks that come later (the site closes in
        between, and sends later tubes in other waves) are counted at their cheapest slot.
        """
        self.movable, self._offer = movable, offer
        pairs = movable.pairs
        order = np.lexsort((movable.community[pairs.block], movable.zone[pairs.block], pairs.site))
        self.sites, first = np.unique(pairs.site[order], return_index=True)
        self.blocks = np.unique(pairs.block)
        inside = np.arange(offer.places.shape[1]) < end[:, None]
        self._offered = (offer.places > 0) & inside
        self._highest = self._later((offer.places > 0) & ~inside)
        self._quota = np.maximum(1, offer.places.max(axis=1, initial=0))
        rows = np.split(order, first[1:]) if len(order) else []
        self._zones = [self._zones_of(site, some) for site, some in zip(self.sites.tolist(), rows,
                                                                        strict=True)]  # fmt: skip
        self._cost = self._costs()
        self._known: dict[int, tuple[bytes, Answer]] = {}

    def _later(self, later: Flags) -> Floats:
        """Return what each block costs at least in ``later[site, slot]``, inf: there are none."""
        pairs, movable = self.movable.pairs, self.movable
        zone, least = movable.zone[pairs.block], np.full(len(movable.people), np.inf)
        for z, cost in self._offer.cost.items():
            mine = zone == z
            slot = np.where(later, cost, np.inf).min(axis=1, initial=np.inf)
            paid = movable.people[pairs.block[mine]] * slot[pairs.site[mine]]
            np.minimum.at(least, pairs.block[mine], paid + movable.walk_cost[mine])
        return least

    def _zones_of(self, site: int, rows: Ints) -> dict[int, ZoneHere]:
        movable, offer, quota = self.movable, self._offer, int(self._quota[site])
        block = movable.pairs.block[rows]
        zones = np.unique(movable.zone[block]).tolist()
        found = {}
        for position, zone in enumerate(zones):
            here = movable.zone[block] == zone
            people = movable.people[block[here]]
            most = min(_MOST_SLOTS[len(zones)], -(-int(people.sum()) // quota))
            some = self._offered[site] & np.isfinite(offer.cost[zone][site])
            prices = Prices(
                offer.cost[zone][site][some], offer.empty[zone][site][some], offer.pool[zone]
            )
            found[zone] = ZoneHere.of(
                (rows[here], movable.community[block[here]], people), quota,
                min(most, len(prices.cost)), prices, 2 * offer.clearing if position else 0,
            )  # fmt: skip
        return found

    def _costs(self) -> list[Floats]:
        """Return the least cost of patterns ``[slots, slots]`` at each site: zones in order."""
        shapes: dict[tuple[tuple[int, ...], tuple[int, ...]], list[int]] = {}
        for number, zones in enumerate(self._zones):
            most = tuple(zone.most for zone in zones.values())
            wide = tuple(-(-m // 8) * 8 for m in most)  # few shapes are reckoned together
            shapes.setdefault((tuple(zones), wide), []).append(number)
        found: list[Floats] = [np.empty(0)] * len(self._zones)
        offer = self._offer
        for (zones_here, wide), numbers in shapes.items():
            sites = self.sites[numbers]
            paid = [
                np.where(
                    self._offered[sites], self._quota[sites, None] * offer.cost[z][sites], np.inf
                )
                for z in zones_here
            ]
            costs = slot_costs(paid, offer.main_gain[sites], offer.clearing, wide)
            for number, cost in zip(numbers, costs, strict=True):
                shape = [zone.most for zone in self._zones[number].values()] + [0]
                found[number] = cost[: shape[0] + 1, : shape[1] + 1]
        return found

    def answers(self, price: Floats) -> list[Answer]:
        """Return what each of ``sites`` makes of prices ``price[block]``."""
        pairs, movable = self.movable.pairs, self.movable
        value = price[pairs.block] - movable.walk_cost
        found = []
        for number, zones in enumerate(self._zones):
            values = [value[zone.rows] for zone in zones.values()]
            key = b"".join(v.tobytes() for v in values)
            known = self._known.get(number)
            if known is None or known[0] != key:
                known = self._known[number] = key, self._best(number, values)
            found.append(known[1])
        return found

    def _best(self, number: int, values: list[Floats]) -> Answer:
        """Return the best pattern of a site that has anybody."""
        zones, cost = list(self._zones[number].values()), self._cost[number]
        if not any((v > 0).any() for v in values):
            return _NOBODY
        sacks = [
            Sack(zone, value, self.movable.split) for zone, value in zip(zones, values, strict=True)
        ]
        if len(sacks) == 1:
            sacks.append(Sack(zones[0].without_anybody(), np.empty(0), 0.0))
        worth, people = best_pattern((sacks[0], sacks[1]), cost)
        rows = [sack.rows_of(count) for sack, count in zip(sacks, people, strict=True)]
        return Answer(worth, np.concatenate(rows))

    def ascend(self, start: Floats, turns: int, highest: float, rest: Floats) -> Ascent:
        """Return prices of blocks from ``start``, and the bound of what the blocks cost at least.

        ``rest[site]`` is what the other zones earn less for another reason at sites where nobody
        of a stricter zone comes. The first site of a community costs nothing.
        """
        most = np.minimum(self._highest, highest)
        first = np.zeros(len(start))
        first[self.blocks] = np.minimum(start, most)[self.blocks]
        ascent = Ascent(first, _STRIDE, most)
        for _ in range(turns):
            self._turn(ascent, rest)
        return ascent

    def _turn(self, ascent: Ascent, rest: Floats) -> None:
        """Note the bound at the present prices, and step."""
        prices = ascent.now
        bound, found = self.bound(prices, rest)
        asked = np.zeros(len(prices), dtype=bool)
        asked[self.blocks] = True
        ascent.move(np.where(asked, 1.0 - found, 0.0), bound, asked)
        ascent.note(prices, bound)

    def bound(self, price: Floats, rest: Floats) -> tuple[float, Ints]:
        """Return what the blocks cost at least at prices, and how often each is wanted."""
        price, movable = np.minimum(price, self._highest), self.movable
        answers = self.answers(price)
        worth = np.maximum([answer.worth for answer in answers], -rest[self.sites])
        some = worth > -rest[self.sites]
        rows = np.concatenate([a.rows for a, s in zip(answers, some.tolist(), strict=True) if s]
                              or [_NOBODY.rows])  # fmt: skip
        found = np.bincount(movable.pairs.block[rows], minlength=len(price))
        communities = len(np.unique(movable.community[self.blocks]))
        paid = float(price[self.blocks].sum()) - movable.split * communities
        return paid - float(worth.sum()), found
