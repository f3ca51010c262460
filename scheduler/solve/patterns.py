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

import math
from dataclasses import dataclass

import numpy as np

from scheduler.domain.city import Floats, Ints
from scheduler.solve.ascent import Ascent
from scheduler.solve.site_offer import Movable, SiteOffer
from scheduler.solve.slot_costs import PARTS, slot_costs
from scheduler.solve.slot_sacks import SiteHere, ZoneHere

_MOST_SLOTS, _NUMBERS_KEPT = 96, 20_000_000
"""Slots that a zone is reckoned with at a site, and numbers that all patterns may take: more people
are counted in parts of blocks, where very many sites are asked for by two stricter zones."""
_STRIDE = 0.005


@dataclass(frozen=True)
class Answer:
    """What a site makes of prices: ``worth`` of its best pattern with anybody, and its pairs.

    They take ``slots`` from others at least, with those in which the ground is cleared.
    """

    worth: float
    rows: Ints
    slots: int


Shape = tuple[tuple[int, ...], tuple[int, ...]]
"""Zones, and how many slots each may have."""

_NOBODY = Answer(-np.inf, np.empty(0, dtype=np.int64), 0)


class Patterns:
    """The sites that some blocks of stricter zones may share.

    ``costs`` are those of ``slot_costs`` by site and zones.
    """

    def __init__(
        self,
        movable: Movable,
        offer: SiteOffer,
        end: Ints,
        before: Patterns | None = None,
        *,
        whole: bool = False,
    ) -> None:
        """Reckon the costs of all patterns; no site may be asked for by three stricter zones.

        Patterns are of the slots before ``end[site]``. Blocks that come later (the site closes in
        between, and sends later tubes in other waves) are counted at their cheapest slot, with what
        others would gain there unless these come in ``whole`` blocks, that may have no use for it.
        What patterns cost is taken from those ``before``, of the same offer, as far as it is known.
        """
        self.costs: dict[tuple[int, tuple[int, ...]], Floats] = before.costs if before else {}
        self._whole = whole
        self.movable, self._offer = movable, offer
        pairs = movable.pairs
        order = np.lexsort((movable.community[pairs.block], movable.zone[pairs.block], pairs.site))
        self.sites, first = np.unique(pairs.site[order], return_index=True)
        self.blocks = np.unique(pairs.block)
        inside = np.arange(offer.places.shape[1]) < end[:, None]
        self._offered = (offer.places > 0) & inside
        later = (offer.places > 0) & ~inside
        gain = 0.0 * offer.places if whole else offer.main_gain / np.maximum(offer.places, 1)
        self._highest = self._later(np.where(later, gain, np.inf))
        self._quota = np.maximum(1, offer.places.max(axis=1, initial=0))
        rows = np.split(order, first[1:]) if len(order) else []
        each = math.isqrt(_NUMBERS_KEPT // (2 * len(PARTS) * max(1, len(rows))))
        self._most_of_two = min(_MOST_SLOTS, each)
        zones = [self._zones_of(int(site), some) for site, some in zip(self.sites, rows,
                                                                       strict=True)]  # fmt: skip
        self._at = self._sites_of(zones)
        self._known: dict[int, tuple[bytes, Answer]] = {}

    def _later(self, gain: Floats) -> Floats:
        """Return what each block costs at least in later slots, inf: there are none.

        ``gain[site, slot]`` is what others gain per person, inf in slots that are not later ones.
        """
        pairs, movable = self.movable.pairs, self.movable
        zone, least = movable.zone[pairs.block], np.full(len(movable.people), np.inf)
        for z, cost in self._offer.cost.items():
            mine = zone == z
            slot = (cost + gain).min(axis=1, initial=np.inf)
            paid = movable.people[pairs.block[mine]] * slot[pairs.site[mine]]
            np.minimum.at(least, pairs.block[mine], paid + movable.walk_cost[mine])
        return least

    def _zones_of(self, site: int, rows: Ints) -> dict[int, ZoneHere]:
        movable, offer, quota = self.movable, self._offer, int(self._quota[site])
        block = movable.pairs.block[rows]
        zones = np.unique(movable.zone[block]).tolist()
        found = {}
        for zone in zones:
            here = movable.zone[block] == zone
            people = movable.people[block[here]]
            some = self._offered[site] & np.isfinite(offer.cost[zone][site])
            cost, part_filled = offer.cost[zone][site][some], offer.part_filled[zone][:, site, some]
            most = min(_MOST_SLOTS if len(zones) == 1 else self._most_of_two, len(cost),
                       -(-int(people.sum()) // quota))  # fmt: skip
            found[zone] = ZoneHere(
                rows[here], movable.community[block[here]], people, quota, most,
                cost, part_filled, offer.pool[zone],
            )  # fmt: skip
        return found

    def _sites_of(self, zones: list[dict[int, ZoneHere]]) -> list[SiteHere]:
        """Return the sites with what patterns cost at each; ``zones`` in order."""
        shapes: dict[Shape, list[int]] = {}
        for site, here in zip(self.sites.tolist(), zones, strict=True):
            wide = tuple(-(-zone.most // 8) * 8 for zone in here.values())  # few shapes
            known = self.costs.get((site, tuple(here)))
            if known is None or any(n < m for n, m in zip(known.shape[3:], wide, strict=False)):
                shapes.setdefault((tuple(here), wide), []).append(site)
        for (some, wide), sites in shapes.items():
            for site, cost in zip(sites, self._cost(np.array(sites), some, wide), strict=True):
                self.costs[site, some] = cost
        return [self._here(site, of) for site, of in zip(self.sites.tolist(), zones, strict=True)]

    def _cost(self, sites: Ints, zones: tuple[int, ...], most: tuple[int, ...]) -> Floats:
        """Return what patterns cost at sites with so many slots of each zone."""
        offer, full = self._offer, self._quota[sites, None]
        paid = [np.where(self._offered[sites], full * offer.cost[z][sites], np.inf) for z in zones]
        last = offer.places.shape[1] - np.argmax(offer.places[sites, ::-1] > 0, axis=1)
        end = last if self._whole else None
        return slot_costs(paid, offer.main_gain[sites], offer.clearing, most, end)

    def _here(self, site: int, zones: dict[int, ZoneHere]) -> SiteHere:
        """Return a site, from the costs of its patterns."""
        here = list(zones.values())
        most = [zone.most + 1 for zone in here] + [1]
        cost = self.costs[site, tuple(zones)][..., : most[0], : most[1]]
        return SiteHere(here, cost, self._offer.clearing)

    def capped(self, price: Floats) -> Floats:
        """Return prices of blocks, none above what a block pays at least in later slots."""
        return np.minimum(price, self._highest)

    def answers(self, price: Floats, more: list[Floats] | None = None) -> list[Answer]:
        """Return what each of ``sites`` makes of prices ``price[block]``, which are capped.

        Patterns that take so many slots cost ``more[site][slots]`` besides, which rises with them.
        """
        pairs, movable = self.movable.pairs, self.movable
        value = price[pairs.block] - movable.walk_cost
        found = []
        for number, here in enumerate(self._at):
            values = [value[zone.rows] for zone in here.zones if len(zone.rows)]
            besides = more[number] if more is not None else None
            key = b"".join(
                v.tobytes() for v in (*values, np.empty(0) if besides is None else besides)
            )
            known = self._known.get(number)
            if known is None or known[0] != key:
                some = any((v > 0).any() for v in values)
                best = Answer(*here.best(values, movable.split, besides)) if some else _NOBODY
                known = self._known[number] = key, best
            found.append(known[1])
        return found

    def ascend(self, start: Floats, turns: int, highest: Floats | float, rest: Floats) -> Ascent:
        """Return prices of blocks from ``start``, and the bound of what the blocks cost at least.

        ``rest[site]`` is what the other zones earn less for another reason at sites where nobody
        of a stricter zone comes. The first site of a community costs nothing.
        """
        most = np.minimum(self._highest, highest)
        first = np.zeros(len(start))
        first[self.blocks] = np.minimum(start, most)[self.blocks]
        ascent = Ascent(first, _STRIDE, most)
        for _ in range(turns):
            if self._turn(ascent, rest):
                break
        return ascent

    def _turn(self, ascent: Ascent, rest: Floats) -> bool:
        """Note the bound at the present prices, and step; tell whether it is the best there is."""
        prices = ascent.now
        bound, found = self.bound(prices, rest)
        asked = np.zeros(len(prices), dtype=bool)
        asked[self.blocks] = True
        ascent.move(np.where(asked, 1.0 - found, 0.0), bound, asked)
        ascent.note(prices, bound)
        return bool((found[self.blocks] == 1).all())

    def bound(self, price: Floats, rest: Floats) -> tuple[float, Ints]:
        """Return what the blocks cost at least at prices, and how often each is wanted."""
        price, movable = self.capped(price), self.movable
        answers = self.answers(price)
        worth = np.maximum([answer.worth for answer in answers], -rest[self.sites])
        some = worth > -rest[self.sites]
        rows = np.concatenate([a.rows for a, s in zip(answers, some.tolist(), strict=True) if s]
                              or [_NOBODY.rows])  # fmt: skip
        found = np.bincount(movable.pairs.block[rows], minlength=len(price))
        communities = len(np.unique(movable.community[self.blocks]))
        paid = float(price[self.blocks].sum()) - movable.split * communities
        return paid - float(worth.sum()), found
