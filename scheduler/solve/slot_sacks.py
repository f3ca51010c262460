"""Sums of whole blocks of a stricter zone at one site, and what so many people in slots cost.

A zone's blocks fill whole slots but for one, and whole tubes but for one: what that one leaves
empty is reckoned by the people of each sum.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from scheduler.domain.city import Flags, Floats, Ints

_CASES = ((0, 0), (1, 0), (0, 1), (1, 1))


@dataclass(frozen=True)
class Prices:
    """What a zone pays in the slots of a site that it may use, by slot.

    ``cost`` is per person, ``empty`` per place of a tube that nobody takes; tubes have ``pool``
    places.
    """

    cost: Floats
    empty: Floats
    pool: int


@dataclass(frozen=True)
class ZoneHere:
    """The blocks of one zone at a site, and what its last slot and tube may leave empty.

    ``rows`` are pairs sorted by community, ``quota`` people fill a slot. A slot that is not full
    either costs ``level[slots]`` a person at most, and so much each empty place saves at most; or
    it costs its people at least ``over[slots]`` beside the other slots, which are full. Whoever
    comes beyond all slots that are reckoned with pays ``beyond`` at least, inf where there are no
    more.
    """

    rows: Ints
    community: Ints
    people: Ints
    quota: int
    level: Floats
    over: Floats
    beyond: float
    prices: Prices

    @staticmethod
    def of(
        blocks: tuple[Ints, Ints, Ints], quota: int, most: int, prices: Prices, behind: int
    ) -> ZoneHere:
        """Return the zone with up to ``most`` slots, ``behind`` others perhaps before them.

        ``blocks`` are rows, community and people. Any levels give a bound; a good one lies just
        above the slot that is not full.
        """
        every = np.append(np.sort(prices.cost), np.inf)
        cost = np.unique(every)  # with one more that nobody pays
        at = np.arange(most + 1) + behind
        level = cost[np.clip(at, 0, max(0, len(cost) - 2))]
        return ZoneHere(
            *blocks, quota, np.where(np.isfinite(level), level, 0.0),
            cost[np.minimum(at + 1, len(cost) - 1)], float(every[min(most, len(every) - 1)]),
            prices,
        )  # fmt: skip

    def without_anybody(self) -> ZoneHere:
        """Return a zone without slots and people."""
        none = np.empty(0, dtype=np.int64)
        return ZoneHere(none, none, none, self.quota, self.level[:1], self.over[:1], np.inf,
                        self.prices)  # fmt: skip

    @property
    def most(self) -> int:
        """The most slots that are reckoned with."""
        return len(self.level) - 1

    @cached_property
    def tubes(self) -> tuple[Floats, Floats]:
        """What empty places of tubes cost at least, ``[slots - 1, people in the last slot - 1]``.

        First if the slot that is not full is no dearer than the level, then if it is.
        """
        rest = self._people % self.prices.pool
        table = _empty_places(self.prices, self.level[1:])
        known: Floats = table[np.arange(self.most)[:, None], rest]
        empty = -self._people % self.prices.pool
        least = self.prices.empty.min() if len(self.prices.empty) else 0.0
        anywhere = (empty * float(least)).astype(np.float64)
        return known, anywhere

    @cached_property
    def last_slot(self) -> tuple[Floats, Floats]:
        """What the last slot's people pay at least beyond all other slots, as in ``tubes``.

        Below 0 where it is no dearer than the level: beyond all slots at full price.
        """
        inside = np.arange(1, self.quota + 1)
        return (inside - self.quota) * self.level[1:, None], inside * self.over[1:, None]

    @property
    def _people(self) -> Ints:
        """People in so many slots, ``[slots - 1, people in the last - 1]``."""
        people: Ints = np.arange(1, self.most * self.quota + 1).reshape(self.most, self.quota)
        return people


def _empty_places(prices: Prices, level: Floats) -> Floats:
    """Return what empty places of tubes cost at least, ``[level, people beyond full tubes]``.

    The waves' people modulo the tubes' places sum to that of all, and what each wave pays for
    people above the level and for empty places is at least a part of what it would pay for all of
    them: the parts are Gomory's function of the remainders (1969, doi 10.1007/BF01584976), which is
    subadditive, and 1 for all. So the cheapest slot for all of them is a bound.
    """
    pool = prices.pool
    least = np.zeros((len(level), pool))
    farther = np.maximum(0.0, prices.cost - level[:, None])
    for rest in range(1, pool):
        paid = rest * farther + (pool - rest) * prices.empty
        least[:, rest] = paid.min(axis=1, initial=np.inf)
    return np.where(np.isfinite(least), least, 0.0)


class Sack:
    """Sums of whole blocks of one zone at a site: the best for each number of people.

    ``worth[0][slots]`` is that of the best sum that fills so many slots, the last one perhaps in
    part, if that is no dearer than the zone's level; ``worth[1][slots]`` if it is dearer. A
    community that comes pays the split weight once.
    """

    def __init__(self, zone: ZoneHere, value: Floats, split: float) -> None:
        """Take ``value[row]``, what the zone's pairs are worth before slots and tubes are paid."""
        self._zone = zone
        most = zone.most * zone.quota
        good = np.flatnonzero(value > 0)
        self._steps: list[tuple[int, int, Flags]] = []  # pair (-1: end of a community), size, taken
        self._best = np.full(most + 1, -np.inf)
        self._best[0] = 0.0
        edges = np.flatnonzero(np.r_[True, np.diff(zone.community[good]) != 0])
        for group in np.split(good, edges[1:]) if len(good) else ():
            self._add(zone.rows[group].tolist(), zone.people[group].tolist(),
                      value[group].tolist(), split)  # fmt: skip
        slots = self._best[1:].reshape(zone.most, zone.quota)
        self._net = [slots - tubes for tubes in zone.tubes]
        self.worth = [
            np.r_[none, np.max(net - last, axis=1, initial=-np.inf)]
            for none, net, last in zip((0.0, -np.inf), self._net, zone.last_slot, strict=True)
        ]
        self.beyond = zone.people[good].sum() > most and np.isfinite(zone.beyond)
        if self.beyond:
            beyond = _in_parts(zone.people[good], value[good], most, zone.beyond)
            self.worth[0][-1] = max(self.worth[0][-1], beyond)

    def last_slots(self, slots: int, dearer: int) -> tuple[Floats, Floats, Floats]:
        """Return worth, price and share of the last slot by the people in it.

        Price is what they pay at least beyond the other slots (``dearer`` or not than the level).
        """
        if not slots:
            none = np.zeros(1)
            return none, none, none
        zone = self._zone
        share = np.arange(1, zone.quota + 1) / zone.quota
        return self._net[dearer][slots - 1], zone.last_slot[dearer][slots - 1], share

    def people(self, slots: int, inside: int) -> int:
        """Return the people of so many slots, ``inside`` + 1 of them in the last one."""
        return (slots - 1) * self._zone.quota + inside + 1 if slots else 0

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

    def rows_of(self, people: int) -> Ints:
        """Return the pairs of the best sum of so many people."""
        within, chosen = False, []
        for row, size, taken in reversed(self._steps):
            if row < 0:
                within = bool(taken[people])
            elif within and taken[people]:
                chosen.append(row)
                people -= size
        return np.array(chosen, dtype=np.int64)


def best_pattern(sacks: tuple[Sack, Sack], cost: Floats) -> tuple[float, tuple[int, int]]:
    """Return the most that two zones' blocks are worth at a site, and the people of each.

    ``cost[slots, slots]`` is that of patterns. Each zone's slot that is not full is no dearer than
    a level, or dearer: all four cases are looked at, from the most promising pattern on, and each
    is reckoned by the people in its last slots until no other can be better. Somebody must come.
    """
    total = np.stack([
        sacks[0].worth[first][:, None] + sacks[1].worth[second] - _shifted(cost, first, second)
        for first, second in _CASES
    ])  # fmt: skip
    total[:, ~np.isfinite(cost)] = -np.inf
    total[:, 0, 0] = -np.inf
    known: dict[int, tuple[int, int]] = {}
    while True:
        at = int(np.argmax(total))
        value = float(total.flat[at])
        case, slots = at // cost.size, divmod(at % cost.size, cost.shape[1])
        if at in known or not np.isfinite(value):
            return value, known.get(at, (0, 0))
        more = [s.beyond and n == len(s.worth[0]) - 1 for s, n in zip(sacks, slots, strict=True)]
        exact, known[at] = _last_slots(sacks, cost, slots, _CASES[case])
        total.flat[at] = value if any(more) else exact


def _shifted(cost: Floats, first: int, second: int) -> Floats:
    """Return the cost of patterns without the last slot of zones whose last slot is dearer."""
    shifted = np.full(cost.shape, np.inf)
    shifted[first:, second:] = cost[: cost.shape[0] - first, : cost.shape[1] - second]
    return shifted


def _last_slots(
    sacks: tuple[Sack, Sack], cost: Floats, slots: tuple[int, int], case: tuple[int, int]
) -> tuple[float, tuple[int, int]]:
    """Return what a pattern is worth at most, and the people that are worth it.

    Whatever the slot costs that is not full: the pattern costs no less than the mean of those with
    and without this slot, weighed by the share of the slot that is full.
    """
    worth, price, share = zip(
        *(sack.last_slots(n, dearer) for sack, n, dearer in zip(sacks, slots, case, strict=True)),
        strict=True,
    )
    wide = [np.maximum(np.array(slots) - 1, 0), np.array(slots)]
    corner = cost[np.ix_((wide[0][0], wide[1][0]), (wide[0][1], wide[1][1]))]  # without, with
    first = np.stack([corner[1 - case[0]] + price[0][:, None], _mean(corner, share[0])])
    rows = [first[n] for n in range(2)]  # [people of the first, without or with the second's last]
    paid = [
        each
        for row in rows
        for each in (row[:, 1 - case[1]][:, None] + price[1], _mean(row.T, share[1]).T)
    ]
    value = worth[0][:, None] + worth[1] - np.maximum.reduce(paid)
    at = divmod(int(np.argmax(value)), value.shape[1])
    return float(value.max()), (
        sacks[0].people(slots[0], at[0]), sacks[1].people(slots[1], at[1]),
    )  # fmt: skip


def _mean(ends: Floats, share: Floats) -> Floats:
    """Return ``ends[0]`` and ``ends[1]`` weighed, ``[share, ...]``; where both may be infinite."""
    low, high = ends[0], np.where(np.isfinite(ends[1] - ends[0]), ends[1] - ends[0], 0.0)
    mean: Floats = low + share[:, None] * high
    return mean


def _in_parts(people: Ints, value: Floats, most: int, beyond: float) -> float:
    """Return what blocks are worth at most of which ``most`` people come, or more.

    They may come in parts, the worthiest first; more than ``most`` pay ``beyond`` each.
    """
    order = np.argsort(-value / people, kind="stable")
    people, value = people[order], value[order]
    part = np.clip(most - (np.cumsum(people) - people), 0, people) / people
    inside = float((value * part).sum())
    return inside + float((np.maximum(value - people * beyond, 0) * (1 - part)).sum())
