"""Sums of whole blocks of a stricter zone at one site, and what so many people in slots cost.

A zone's people fill whole slots but for one, and whole tubes but for one: what their last slot and
tube cost is reckoned by the people of each sum.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from scheduler.domain.city import Flags, Floats, Ints
from scheduler.solve.slot_costs import parts_of


@dataclass(frozen=True)
class ZoneHere:
    """The blocks of one zone at a site, and what it pays in the slots that it may use.

    ``rows`` are pairs sorted by community, ``quota`` people fill a slot, ``most`` slots count. By
    slot, ``cost`` is per person; ``part_filled[rest, slot]`` is what a tube with ``rest`` people
    costs beyond their shares of a full one of ``pool`` places, concave in the rest.
    """

    rows: Ints
    community: Ints
    people: Ints
    quota: int
    most: int
    cost: Floats
    part_filled: Floats
    pool: int

    @property
    def beyond(self) -> float:
        """What people beyond all slots pay at least, inf where there are no more slots."""
        return float(np.append(np.sort(self.cost), np.inf)[min(self.most, len(self.cost))])

    def without_anybody(self) -> ZoneHere:
        """Return a zone without slots and people."""
        none = np.empty(0, dtype=np.int64)
        return replace(self, rows=none, community=none, people=none, most=0)

    def last_paid(self, slots: int, known: Floats) -> Floats:
        """Return what the last slot's people and the tubes cost at least, by people in it.

        Of ``slots`` (one at least) the last one's people pay at least what lies on the lines
        between ``known[part]`` of ``slot_costs``. Whichever slot in use is the dearest, they pay
        its cost, and none of the others is dearer, from which follows what empty places of tubes
        cost.
        """
        order, beyond = self._dearest
        inside = np.arange(1, self.quota + 1)
        rest = ((slots - 1) * self.quota + inside) % self.pool
        part = parts_of(len(known))[::-1]
        paid = np.interp(inside / self.quota, part, known[::-1])
        dearest = np.maximum(paid, inside * order[:, None])
        least: Floats = (dearest + beyond[:, rest]).min(axis=0)
        return least

    @cached_property
    def _dearest(self) -> tuple[Floats, Floats]:
        """Return what slots cost in order, and what tubes not full cost if none is dearer.

        The second is ``[slot, people beyond full tubes]``. The waves' people modulo the tubes'
        places sum to that of all. What a tube costs beyond its people's shares is concave in their
        number and 0 for a full one; and so is the least of it over waves. Such a function of the
        remainders is subadditive (Gomory and Johnson 1972, doi 10.1007/BF01585008): several tubes
        that are not full cost no less than one with all their people modulo its places.
        """
        order = np.unique(self.cost)
        if not len(order):
            return np.zeros(1), np.zeros((1, self.pool))
        usable = self.cost <= order[:, None]
        least = np.where(usable[:, None, :], self.part_filled, np.inf).min(axis=2)
        return order, least


class Sack:
    """Sums of whole blocks of one zone at a site: the best for each number of people.

    ``worth[slots]`` is that of the best sum that fills so many slots, the last one perhaps in part,
    after all that it costs beyond the other slots. A community that comes pays the split weight
    once.
    """

    def __init__(self, zone: ZoneHere, value: Floats, paid: Floats, split: float) -> None:
        """Take ``value[row]``, what the zone's pairs are worth before slots and tubes are paid.

        ``paid[slots - 1, people - 1]`` is what those in the last slot pay at least in any pattern.
        """
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
        self._beyond = -np.inf
        if zone.people[good].sum() > most and np.isfinite(zone.beyond):
            self._beyond = _in_parts(zone.people[good], value[good], most, zone.beyond)
        self._slots = self._best[1:].reshape(zone.most, zone.quota)
        net = self._slots - paid
        self.worth = np.r_[0.0, net.max(axis=1, initial=-np.inf)]
        if zone.most:
            self.worth[-1] = max(self.worth[-1], self._beyond - paid[-1, -1])

    def best_of(self, slots: int, known: Floats) -> tuple[float, int]:
        """Return what the best sum in so many slots is worth, and its people.

        ``known`` as in ``ZoneHere.last_paid``.
        """
        if not slots:
            return 0.0, 0
        zone = self._zone
        paid = zone.last_paid(slots, known)
        net = self._slots[slots - 1] - paid
        at = int(np.argmax(net))
        worth = float(net[at])
        if slots == zone.most:
            worth = max(worth, self._beyond - float(known[0]))
        return worth, (slots - 1) * zone.quota + at + 1

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


class SiteHere:
    """The stricter zones at a site, one or two, and what patterns of their slots cost there."""

    def __init__(self, zones: list[ZoneHere], cost: Floats, clearing: int) -> None:
        """Take ``cost`` of ``slot_costs`` at this site, of as many slots as the zones have."""
        self.zones = zones if len(zones) > 1 else [*zones, zones[0].without_anybody()]
        self._cost = cost[:, -1, -1]
        times, one, two = np.indices(self._cost.shape)
        self._slots = one + two + clearing * times
        known = np.isfinite(self._cost)
        least = np.where(known[:, None, None], cost, 0.0)
        gone = (least - least[:, -1:]).min(axis=2), (least - least[:, :, -1:]).min(axis=1)
        last = [np.where(known[:, None], each, np.inf).swapaxes(0, 1) for each in gone]
        self._last = [each.reshape(len(each), -1) for each in last]  # [part, pattern]
        self._paid = [
            self._last_paid(zone, each.min(axis=(1, 3 - axis)))
            for axis, (zone, each) in enumerate(zip(self.zones, last, strict=True))
        ]

    @staticmethod
    def _last_paid(zone: ZoneHere, known: Floats) -> Floats:
        """Return ``last_paid`` by slots, ``[slots - 1, people - 1]``, for ``known[part, slots]``.

        Slots without a pattern cost inf.
        """
        rows = [
            zone.last_paid(slots, known[:, slots])
            if np.isfinite(known[0, slots]) else np.full(zone.quota, np.inf)
            for slots in range(1, zone.most + 1)
        ]  # fmt: skip
        return np.array(rows).reshape(zone.most, zone.quota)

    def best(
        self, values: list[Floats], split: float, more: Floats | None = None
    ) -> tuple[float, Ints, int]:
        """Return the most that blocks of ``values[zone][row]`` are worth here, and their pairs.

        The slots that they take at least come third. A pattern that takes so many costs
        ``more[slots]`` besides, the last of these if it takes more; whatever part of a slot is
        paid. It must not fall with the slots.

        Patterns are reckoned anew with what their own last slots cost, the most promising first,
        until no other can be better. Somebody must come.
        """
        values, cost = [*values, np.empty(0)][:2], self._cost
        if more is not None:
            cost = cost + more[np.minimum(self._slots, len(more) - 1)]
        sacks = [
            Sack(zone, value, paid, split)
            for zone, value, paid in zip(self.zones, values, self._paid, strict=True)
        ]
        total = sacks[0].worth[:, None] + sacks[1].worth - cost
        total[:, 0, 0] = -np.inf
        known: dict[int, tuple[int, int]] = {}
        while (at := int(np.argmax(total))) not in known and np.isfinite(total.flat[at]):
            slots = divmod(at % total[0].size, total.shape[2])
            last = [each[:, at] for each in self._last]
            best = [s.best_of(*of) for s, *of in zip(sacks, slots, last, strict=True)]
            known[at] = best[0][1], best[1][1]
            total.flat[at] = best[0][0] + best[1][0] - cost.flat[at]
        people = known.get(at, (0, 0))
        rows = [sack.rows_of(count) for sack, count in zip(sacks, people, strict=True)]
        return float(total.flat[at]), np.concatenate(rows), int(self._slots.flat[at])


def _in_parts(people: Ints, value: Floats, most: int, beyond: float) -> float:
    """Return what blocks are worth at most of which ``most`` people come, or more.

    They may come in parts, the worthiest first; more than ``most`` pay ``beyond`` each.
    """
    order = np.argsort(-value / people, kind="stable")
    people, value = people[order], value[order]
    part = np.clip(most - (np.cumsum(people) - people), 0, people) / people
    inside = float((value * part).sum())
    return inside + float((np.maximum(value - people * beyond, 0) * (1 - part)).sum())
