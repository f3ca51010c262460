"""A lower bound on the whole model from prices, valid whatever the prices are.

Lagrangian relaxation (Geoffrion 1974, doi 10.1007/BFb0120690): lab hours and lab days are priced per
tube, site slots per person. Each block then takes its cheapest candidate alone, and what the prices
would earn on all capacity is taken off again. Pool sizes enter exactly (a person of a block with
pool size k buys 1/k tube), all candidate sites and all labs are looked at, and the flow solver's
answer is only a source of good prices: a wrong price makes the bound weaker, never wrong. Dropped
terms (split >= 0, whole tubes, whole blocks, clearing times) can only raise the true cost.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scheduler.domain.city import Flags, Floats, Ints
from scheduler.domain.instance import Instance
from scheduler.domain.settings import Zone
from scheduler.solve.candidates import Candidates, Pairs
from scheduler.solve.reach import Promise, start_min
from scheduler.solve.timeline import LabHours

_ASCENT_STEPS = 12
_FIRST_NEAREST = 12


@dataclass(frozen=True)
class LabPrices:
    """Prices per tube: ``hour[lab, hour]`` for a start in the hour, day price apart.

    ``day[lab, day]`` counts only for labs with a daily limit; day numbers start at 0.
    """

    hour: Floats
    day: Floats

    def earnings(self, hours: LabHours, max_per_day: Ints) -> float:
        """Return what the prices earn on all capacity, person-minutes."""
        total = float((self.hour * hours.capacity).sum())
        limited = max_per_day >= 0
        return total + float((self.day[limited] * max_per_day[limited, None]).sum())

    def of_start(self, hours: LabHours) -> Floats:
        """Return hour price plus day price, ``[lab, hour]``."""
        return self.hour + self.day[:, hours.day - hours.day.min()]


def wave_cost(
    instance: Instance,
    hours: LabHours,
    prices: LabPrices,
    travel: Ints,
    pool: int,
    usable: Flags | None = None,
) -> tuple[Floats, Ints]:
    """Return the least lab price plus lateness of a person by ``[site, wave]``, and the lab.

    ``travel[site, lab]`` in minutes (rows may be groups of sites), ``usable`` of the same shape;
    all labs by default. Takes a lab where some slot of the wave keeps ``max_holding_min``: the
    relaxed reading.
    """
    promise, weight = Promise.of(instance), instance.settings.weights.late
    per_person = prices.of_start(hours) / pool
    good = np.array([not s or pool in s for s in instance.labs.pool_sizes], dtype=bool)
    slot = instance.settings.round.slot_minutes
    good = good & (travel + slot <= instance.settings.targets.max_holding_min)
    good = good if usable is None else good & usable
    lab = np.arange(travel.shape[1])
    shape = (travel.shape[0], len(promise.pickup_min))
    out, chosen = np.full(shape, np.inf), np.zeros(shape, dtype=np.int64)
    for wave, pickup in enumerate(promise.pickup_min.tolist()):
        hour = hours.index(pickup + travel)
        inside = hour < len(hours)
        start, allowed = start_min(hours, lab[None, :], hour, pickup + travel)
        late = promise.late_min(np.int64(wave), lab[None, :], start) * weight
        here = np.where(allowed, per_person[lab, np.minimum(hour, len(hours) - 1)] + late, np.inf)
        later = _cheapest_from(hours, per_person, promise, wave, weight)
        after = np.where(inside, later[lab, np.minimum(hour + 1, len(hours))], np.inf)
        cost = np.where(good, np.minimum(here, after), np.inf)
        chosen[:, wave] = cost.argmin(axis=1)
        out[:, wave] = cost.min(axis=1)
    return out, chosen


def _cheapest_from(
    hours: LabHours, per_person: Floats, promise: Promise, wave: int, weight: float
) -> Floats:
    """Return the least cost of a start at the beginning of any hour >= h, ``[lab, h]``."""
    lab = np.arange(per_person.shape[0])
    late = promise.late_min(np.int64(wave), lab[:, None], hours.begin_min[None, :]) * weight
    usable = (hours.capacity > 0) & (hours.open_from == hours.begin_min[None, :])
    cost = np.where(usable, per_person + late, np.inf)
    best = np.minimum.accumulate(cost[:, ::-1], axis=1)[:, ::-1]
    return np.concatenate((best, np.full((len(lab), 1), np.inf)), axis=1)


@dataclass(frozen=True)
class Bound:
    """The bound, the part of it that is people who cannot be served, and the best candidates."""

    value: float
    forced_unserved: float
    best: Pairs


class BoundFinder:
    """Evaluates the bound of one round at given prices."""

    def __init__(
        self, instance: Instance, candidates: Candidates, quota: Ints, offered: Flags
    ) -> None:
        """Take ``quota[site]`` and ``offered[site, slot]`` of the unrestricted round."""
        self.instance, self.candidates = instance, candidates
        self.quota, self.offered = quota, offered
        self.longest = quota * longest_run(offered)
        settings = instance.settings
        self.per_metre = settings.weights.walk / settings.walk.metres_per_min
        self.exhausted = np.zeros(len(instance.demand), dtype=bool)
        self.pairs = self._ask(_FIRST_NEAREST, np.flatnonzero(instance.demand > 0))
        people = np.bincount(instance.block_zone, weights=instance.demand, minlength=len(Zone))
        self.main_zone = int(np.argmax(people))

    def evaluate(
        self, zone_cost: dict[int, Floats], main_price: Floats, earnings: float
    ) -> Bound:
        """Return the best bound found near the given site prices.

        ``zone_cost[zone][site, slot]`` is finish plus lab price, ``main_price[site]`` a first guess
        of what a place costs people of the commonest zone.
        """
        main = zone_cost[self.main_zone]
        best: tuple[float, Bound] | None = None
        price = main_price
        for step in range(_ASCENT_STEPS):
            places = np.where(np.isfinite(main), np.maximum(0, price[:, None] - main), 0)
            by_zone = {z: (c + places).min(axis=1) for z, c in zone_cost.items()}
            bound, load = self._value(by_zone, earnings + float((places.sum(1) * self.quota).sum()))
            if best is None or bound.value > best[0]:
                best = (bound.value, bound)
            price = price + (self._clearing_price(main, load) - price) * (0.6**step)
        if best is None:
            raise RuntimeError("Expected at least one ascent step")
        return best[1]

    def _clearing_price(self, main: Floats, load: Floats) -> Floats:
        """Return the cost of the dearest slot that a site needs for its load."""
        order = np.sort(main, axis=1)
        last = np.maximum(np.isfinite(order).sum(axis=1) - 1, 0)
        needed = np.ceil(load / np.maximum(self.quota, 1)).astype(np.int64) - 1
        found = order[np.arange(len(order)), np.clip(needed, 0, last)]
        return np.where(np.isfinite(found), found, 0.0)

    def _value(self, by_zone: dict[int, Floats], earnings: float) -> tuple[Bound, Floats]:
        instance = self.instance
        demand, zone = instance.demand, instance.block_zone
        cost, row = self._cheapest(by_zone)
        unserved = instance.settings.weights.unserved
        capped = np.minimum(cost, unserved)
        value = float((demand * capped).sum()) - earnings
        forced = float((demand * unserved)[~np.isfinite(cost)].sum())
        found = (cost < unserved) & (zone == self.main_zone)
        load = np.bincount(
            self.pairs.site[row[found]], weights=demand[found], minlength=len(self.quota)
        )
        chosen = self.pairs.where(np.isin(np.arange(len(self.pairs)), row[np.isfinite(cost)]))
        return Bound(value, forced, chosen), load

    def _cheapest(self, by_zone: dict[int, Floats]) -> tuple[Floats, Ints]:
        """Return the cheapest candidate of each block, looking further until none can be missed."""
        count = _FIRST_NEAREST
        while True:
            cost, row, reach = self._best_of_pairs(by_zone)
            least = np.full(len(Zone), np.inf)
            for zone, price in by_zone.items():
                least[zone] = price.min(initial=np.inf)
            farther = reach * self.per_metre + least[self.instance.block_zone]
            again = np.flatnonzero((farther < cost) & ~self.exhausted)
            if not len(again):
                return cost, row
            count *= 2
            self._widen(again, count)

    def _best_of_pairs(self, by_zone: dict[int, Floats]) -> tuple[Floats, Ints, Floats]:
        blocks = len(self.instance.demand)
        cost, row = np.full(blocks, np.inf), np.zeros(blocks, dtype=np.int64)
        reach = np.zeros(blocks)
        pairs = self.pairs
        if not len(pairs):
            return cost, row, np.full(blocks, np.inf)
        price = np.full((len(Zone), len(self.quota)), np.inf)
        for zone, values in by_zone.items():
            price[zone] = values
        zone_of = self.instance.block_zone
        total = pairs.walk_m * self.per_metre + price[zone_of[pairs.block], pairs.site]
        starts = np.flatnonzero(np.r_[True, pairs.block[1:] != pairs.block[:-1]])
        ends = np.r_[starts[1:], len(pairs)]
        order = np.lexsort((total, pairs.block))
        block = pairs.block[starts]
        row[block] = order[starts]
        cost[block] = total[order[starts]]
        reach[block] = pairs.walk_m[ends - 1]
        return cost, row, reach

    def _widen(self, blocks: Ints, count: int) -> None:
        more = self._ask(count, blocks)
        kept = self.pairs.where(~np.isin(self.pairs.block, blocks))
        block = np.concatenate((kept.block, more.block))
        order = np.argsort(block, kind="stable")
        self.pairs = Pairs(
            block[order],
            np.concatenate((kept.site, more.site))[order],
            np.concatenate((kept.walk_m, more.walk_m))[order],
        )

    def _ask(self, count: int, blocks: Ints) -> Pairs:
        """Fetch candidates, note which blocks have no more, drop sites no window of which fits."""
        pairs = self.candidates.nearest(count, blocks)
        width = np.bincount(pairs.block, minlength=len(self.exhausted))
        self.exhausted[blocks] = width[blocks] < count
        return pairs.where(self.longest[pairs.site] >= self.instance.demand[pairs.block])


def longest_run(offered: Flags) -> Ints:
    """Return the longest run of offered slots per site."""
    run = np.zeros(offered.shape[0], dtype=np.int64)
    best = run.copy()
    for slot in range(offered.shape[1]):
        run = np.where(offered[:, slot], run + 1, 0)
        best = np.maximum(best, run)
    return best
