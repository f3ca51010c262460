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

_MOST_SLOTS = {1: 96, 2: 64}
"""Slots that a zone is reckoned with at a site, by the number of stricter zones there; more people
are counted in parts of blocks."""
_STRIDE = 0.005


@dataclass(frozen=True)
class _Zone:
    """The blocks of one zone at a site, and what its last slot may leave empty.

    ``rows`` are pairs sorted by community. A slot that is not full either costs ``level[slots]`` a
    person at most, and so much each empty place saves at most; or it costs its people at least
    ``over[slots]`` beside the other slots, which are full. Whoever comes beyond all slots that are
    reckoned with pays ``beyond`` at least.
    """

    rows: Ints
    community: Ints
    people: Ints
    level: Floats
    over: Floats
    beyond: float


@dataclass(frozen=True)
class Answer:
    """What a site makes of prices: ``worth`` of its best pattern with anybody, and its pairs."""

    worth: float
    rows: Ints


_NOBODY = Answer(-np.inf, np.empty(0, dtype=np.int64))


class Patterns:
    """The sites that some blocks of stricter zones may share."""

    def __init__(self, movable: Movable, offer: SiteOffer) -> None:
        """Reckon the costs of all patterns; no site may be asked for by three stricter zones."""
        self.movable, self._offer = movable, offer
        pairs = movable.pairs
        order = np.lexsort((movable.community[pairs.block], movable.zone[pairs.block], pairs.site))
        self.sites, first = np.unique(pairs.site[order], return_index=True)
        self.blocks = np.unique(pairs.block)
        self._quota = offer.places.max(axis=1, initial=0)
        rows = np.split(order, first[1:]) if len(order) else []
        self._zones = [self._zones_of(site, some) for site, some in zip(self.sites.tolist(), rows,
                                                                        strict=True)]  # fmt: skip
        self._cost = self._costs()
        self._known: dict[int, tuple[bytes, Answer]] = {}

    def _zones_of(self, site: int, rows: Ints) -> dict[int, _Zone]:
        movable, quota = self.movable, max(1, int(self._quota[site]))
        block = movable.pairs.block[rows]
        zones = np.unique(movable.zone[block]).tolist()
        found = {}
        for position, zone in enumerate(zones):
            here = movable.zone[block] == zone
            people = movable.people[block[here]]
            most = min(_MOST_SLOTS[len(zones)], -(-int(people.sum()) // quota))
            last = self._last_slot(site, zone, most, behind=position > 0)
            found[zone] = _Zone(rows[here], movable.community[block[here]], people, *last)
        return found

    def _last_slot(
        self, site: int, zone: int, most: int, *, behind: bool
    ) -> tuple[Floats, Floats, float]:
        """Return ``level``, ``over`` and ``beyond`` of a zone, behind another one or not.

        Any levels give a bound; a good one lies just above the slot that is not full.
        """
        offer = self._offer
        every = offer.cost[zone][site][offer.places[site] > 0]
        every = np.append(np.sort(every[np.isfinite(every)]), np.inf)
        cost = np.unique(every)  # with one more that nobody pays
        at = np.arange(most + 1) + (2 * offer.clearing if behind else 0)
        level = cost[np.clip(at, 0, max(0, len(cost) - 2))]
        return (
            np.where(np.isfinite(level), level, 0.0),
            cost[np.minimum(at + 1, len(cost) - 1)],
            float(every[min(most, len(every) - 1)]),
        )

    def _costs(self) -> list[Floats]:
        """Return the least cost of patterns ``[slots, slots]`` at each site: zones in order."""
        shapes: dict[tuple[tuple[int, ...], tuple[int, ...]], list[int]] = {}
        for number, zones in enumerate(self._zones):
            most = tuple(len(z.level) - 1 for z in zones.values())
            wide = tuple(-(-m // 8) * 8 for m in most)  # few shapes are reckoned together
            shapes.setdefault((tuple(zones), wide), []).append(number)
        found: list[Floats] = [np.empty(0)] * len(self._zones)
        offer = self._offer
        for (zones_here, wide), numbers in shapes.items():
            sites = self.sites[numbers]
            offered = offer.places[sites] > 0
            paid = [
                np.where(offered, self._quota[sites, None] * offer.cost[z][sites], np.inf)
                for z in zones_here
            ]
            costs = slot_costs(paid, offer.main_gain[sites], offer.clearing, wide)
            for number, cost in zip(numbers, costs, strict=True):
                shape = [len(zone.level) for zone in self._zones[number].values()] + [1]
                found[number] = cost[: shape[0], : shape[1]]
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
        quota = max(1, int(self._quota[self.sites[number]]))
        sacks = [
            _Sack(zone, value, quota, self.movable.split)
            for zone, value in zip(zones, values, strict=True)
        ]
        if len(sacks) == 1:
            sacks.append(_Sack(_nobody_of(zones[0]), np.empty(0), quota, 0.0))
        best, choice = -np.inf, ((0, False), (0, False))
        for over in ((False, False), (True, False), (False, True), (True, True)):
            total = sacks[0].worth[int(over[0])][:, None] + sacks[1].worth[int(over[1])][None, :]
            shift = np.full(cost.shape, np.inf)
            shift[int(over[0]) :, int(over[1]) :] = cost[
                : cost.shape[0] - over[0], : cost.shape[1] - over[1]
            ]
            total = total - shift
            total[0, 0] = -np.inf
            at = int(np.argmax(total))
            if total.flat[at] > best:
                first, second = divmod(at, cost.shape[1])
                best, choice = float(total.flat[at]), ((first, over[0]), (second, over[1]))
        rows = [sack.rows_of(*of) for sack, of in zip(sacks, choice, strict=True)]
        return Answer(best, np.concatenate(rows))

    def ascend(self, start: Floats, turns: int, highest: float, rest: Floats) -> Ascent:
        """Return prices of blocks from ``start``, and the bound of what the blocks cost at least.

        ``rest[site]`` is what the other zones earn less for another reason at sites where nobody
        of a stricter zone comes. The first site of a community costs nothing.
        """
        first = np.zeros(len(start))
        first[self.blocks] = np.minimum(start[self.blocks], highest)
        ascent = Ascent(first, _STRIDE, highest)
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
        answers, movable = self.answers(price), self.movable
        worth = np.maximum([answer.worth for answer in answers], -rest[self.sites])
        some = worth > -rest[self.sites]
        rows = np.concatenate([a.rows for a, s in zip(answers, some.tolist(), strict=True) if s]
                              or [_NOBODY.rows])  # fmt: skip
        found = np.bincount(movable.pairs.block[rows], minlength=len(price))
        communities = len(np.unique(movable.community[self.blocks]))
        paid = float(price[self.blocks].sum()) - movable.split * communities
        return paid - float(worth.sum()), found


def _nobody_of(zone: _Zone) -> _Zone:
    """Return a zone of a site that has one only: without slots and people."""
    none = np.empty(0, dtype=np.int64)
    return _Zone(none, none, none, zone.level[:1], zone.over[:1], np.inf)


def _in_parts(people: Ints, value: Floats, most: int, beyond: float) -> float:
    """Return what blocks are worth at most of which ``most`` people come, or more.

    They may come in parts, the worthiest first; more than ``most`` pay ``beyond`` each.
    """
    order = np.argsort(-value / people, kind="stable")
    people, value = people[order], value[order]
    part = np.clip(most - (np.cumsum(people) - people), 0, people) / people
    inside = float((value * part).sum())
    if not np.isfinite(beyond):  # no more slots
        return inside
    return inside + float((np.maximum(value - people * beyond, 0) * (1 - part)).sum())


class _Sack:
    """Sums of whole blocks of one zone at a site: the best for each number of people.

    ``worth[0][slots]`` is that of the best sum that fills so many slots, the last one perhaps in
    part, if that is no dearer than the zone's level; ``worth[1][slots]`` if it is dearer. A
    community that comes pays the split weight once.
    """

    def __init__(self, zone: _Zone, value: Floats, quota: int, split: float) -> None:
        most = (len(zone.level) - 1) * quota
        good = np.flatnonzero(value > 0)
        self._steps: list[tuple[int, int, Flags]] = []  # pair (-1: end of a community), size, taken
        self._best = np.full(most + 1, -np.inf)
        self._best[0] = 0.0
        edges = np.flatnonzero(np.r_[True, np.diff(zone.community[good]) != 0])
        for group in np.split(good, edges[1:]) if len(good) else ():
            self._add(zone.rows[group].tolist(), zone.people[group].tolist(),
                      value[group].tolist(), split)  # fmt: skip
        shape = (len(zone.level) - 1, quota)
        slots = self._best[1:].reshape(shape)
        inside = np.arange(1, quota + 1)  # people in a slot that is not full
        saved = slots + (quota - inside) * zone.level[1:, None]
        dearer = slots - inside * zone.over[1:, None]
        self._people = [self._at_best(table) for table in (saved, dearer)]
        self.worth = [
            np.r_[none, np.max(table, axis=1, initial=-np.inf)]
            for none, table in ((0.0, saved), (-np.inf, dearer))
        ]
        if zone.people[good].sum() > most:
            beyond = _in_parts(zone.people[good], value[good], most, zone.beyond)
            self.worth[0][-1] = max(self.worth[0][-1], beyond)

    @staticmethod
    def _at_best(table: Floats) -> Ints:
        """Return the people of the best sum for each number of slots."""
        quota = table.shape[1]
        people: Ints = np.arange(len(table) + 1) * quota
        people[1:] += 1 - quota + np.argmax(table, axis=1) if table.size else 0
        return people

    def _add(self, rows: list[int], sizes: list[int], values: list[float], split: float) -> None:
        """Add the blocks of a community."""
        best = self._best
        inside = best - split
        for row, size, value in zip(rows, sizes, values, strict=True):
            if size >= len(best):
                continue
            new = np.full(len(best), -np.inf)
            new[size:] = inside[: len(best) - size] + value
            self._steps.append((row, size, new > inside))
            inside = np.maximum(inside, new)
        self._steps.append((-1, 0, inside > best))
        self._best = np.maximum(best, inside)

    def rows_of(self, slots: int, over: bool) -> Ints:
        """Return the pairs of the best sum for so many slots."""
        people, within = int(self._people[int(over)][slots]), False
        chosen = []
        for row, size, taken in reversed(self._steps):
            if row < 0:
                within = bool(taken[people])
            elif within and taken[people]:
                chosen.append(row)
                people -= size
        return np.array(chosen, dtype=np.int64)
