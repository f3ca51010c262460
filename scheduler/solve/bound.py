"""A lower bound on the whole model from prices, valid whatever the prices are.

Lagrangian relaxation (Geoffrion 1974, doi 10.1007/BFb0120690): lab hours and lab days are priced
per tube, site slots per person. Each block then takes its cheapest candidate alone, and what the
prices would earn on all capacity is taken off again. Pool sizes enter exactly (a person of a block
with pool size k buys 1/k tube), all candidate sites and all labs are looked at, and the flow
solver's answer is only a source of good prices: a wrong price makes the bound weaker, never wrong.
The split term enters by a dual of each community's choice of sites (``split_bound``), whole tubes
by what sites earn less for them (``tube_bound``). Dropped terms (whole blocks, clearing times) can
only raise the true cost.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from scheduler.domain.city import Flags, Floats, Ints
from scheduler.domain.instance import Instance
from scheduler.domain.settings import Zone
from scheduler.solve.candidates import Candidates, Pairs
from scheduler.solve.reach import Promise, start_min
from scheduler.solve.split_bound import raised_costs
from scheduler.solve.timeline import LabHours

_FIRST_NEAREST = 12

ByZone = dict[int, Floats]
"""By zone: ``[site]`` or ``[site, slot]``."""


@dataclass(frozen=True)
class LabPrices:
    """Prices per tube: ``hour[lab, hour]`` for a start in the hour, day price apart.

    ``day[lab, day]`` counts only for labs with a daily limit; day numbers start at 0.
    """

    hour: Floats
    day: Floats

    @staticmethod
    def nothing(hours: LabHours) -> LabPrices:
        """Return prices at which all time is free."""
        days = int(np.ptp(hours.day)) + 1
        return LabPrices(np.zeros(hours.capacity.shape), np.zeros((len(hours.capacity), days)))

    def earnings(self, hours: LabHours, max_per_day: Ints) -> float:
        """Return what the prices earn on all capacity, person-minutes."""
        total = float((self.hour * hours.capacity).sum())
        limited = max_per_day >= 0
        return total + float((self.day[limited] * max_per_day[limited, None]).sum())

    def of_start(self, hours: LabHours) -> Floats:
        """Return hour price plus day price, ``[lab, hour]``."""
        return self.hour + self.day[:, hours.day - hours.day.min()]


class LabCosts:
    """What a person's share of a tube costs at each lab: price plus lateness."""

    def __init__(self, instance: Instance, hours: LabHours, prices: LabPrices) -> None:
        self._instance, self._hours, self._prices = instance, hours, prices
        self._promise = Promise.of(instance)
        self._weight = instance.settings.weights.late

    def wave_cost(self, travel: Ints, pool: int, people: int | None = None) -> Floats:
        """Return the least cost per person over all labs, ``[site, wave]``.

        In a tube of the pool size are ``people``: as many as it holds unless told.

        A cost depends on the lab and the minutes to it, and a city has ten times as many sites as
        minutes: the costs are worked out once by minute and looked up.
        """
        beyond = self._instance.settings.targets.max_holding_min + 1
        minutes, row = np.unique(np.minimum(travel, beyond), return_inverse=True)
        at = row.reshape(travel.shape) * travel.shape[1] + np.arange(travel.shape[1])
        grid = np.repeat(minutes[:, None], travel.shape[1], axis=1)
        costs = self._by_wave(grid, pool, people or pool)
        return np.stack([cost.ravel()[at].min(axis=1) for cost in costs], axis=1)

    def _by_wave(self, travel: Ints, pool: int, people: int) -> Iterator[Floats]:
        """Yield ``cost[row, lab]`` of each wave, inf where the lab cannot take the tube.

        ``travel[row, lab]`` are minutes. Takes a lab where some slot of the wave keeps
        ``max_holding_min``: the relaxed reading.
        """
        hours, settings = self._hours, self._instance.settings
        per_person = self._prices.of_start(hours) / people
        good = self._instance.labs.takes(np.array([pool])) & (
            travel + settings.round.slot_minutes <= settings.targets.max_holding_min
        )
        lab = np.arange(travel.shape[1])
        last = len(hours) - 1
        for wave, pickup in enumerate(self._promise.pickup_min.tolist()):
            hour = hours.index(pickup + travel)
            start, allowed = start_min(hours, lab[None, :], hour, pickup + travel)
            late = self._promise.late_min(wave, lab[None, :], start) * self._weight
            here = np.where(allowed, per_person[lab, np.minimum(hour, last)] + late, np.inf)
            later = _cheapest_from(hours, per_person, self._promise, wave, self._weight)
            after = later[lab, np.minimum(hour, last) + 1]
            after = np.where(hour <= last, after, np.inf)
            yield np.where(good, np.minimum(here, after), np.inf)


def _cheapest_from(
    hours: LabHours, per_person: Floats, promise: Promise, wave: int, weight: float
) -> Floats:
    """Return the least cost of a start at the beginning of any hour >= h, ``[lab, h]``."""
    lab = np.arange(per_person.shape[0])
    late = promise.late_min(wave, lab[:, None], hours.begin_min[None, :]) * weight
    usable = (hours.capacity > 0) & (hours.open_from == hours.begin_min[None, :])
    cost = np.where(usable, per_person + late, np.inf)
    best = np.minimum.accumulate(cost[:, ::-1], axis=1)[:, ::-1]
    return np.concatenate((best, np.full((len(lab), 1), np.inf)), axis=1)


class BoundFinder:
    """Evaluates the bound of one round at given prices."""

    def __init__(
        self,
        instance: Instance,
        candidates: Candidates,
        places: Ints,
        offered: Flags,
    ) -> None:
        """Take ``places[site, slot]`` in people and ``offered[site, slot]`` of the free round."""
        self.instance, self.candidates = instance, candidates
        self.places, self.offered = places, offered
        self.most = places.max(axis=1, initial=0)  # of a slot, by site
        self.part = places / np.maximum(self.most, 1)[:, None]
        self.longest = longest_run(offered, places)
        settings = instance.settings
        self.per_metre = settings.weights.walk / settings.walk.metres_per_min
        self.exhausted = np.zeros(len(instance.demand), dtype=bool)
        self.pairs = self._ask(_FIRST_NEAREST, np.flatnonzero(instance.demand > 0))
        people = np.bincount(instance.block_zone, weights=instance.demand, minlength=len(Zone))
        self.main_zone = int(np.argmax(people))

    def evaluate(
        self,
        zone_cost: dict[int, Floats],
        price: dict[int, Floats],
        earnings: float,
        tubes: Callable[[dict[int, Floats], dict[int, Floats]], Floats] | None = None,
    ) -> float:
        """Return the bound at the given prices of places; no cost is below 0.

        ``zone_cost[zone][site, slot]`` is finish plus lab price, ``price[zone][site]`` what a place
        costs people of the zone, ``earnings`` what the labs' prices earn. ``tubes(cost, place)`` is
        by how much less each site earns because tubes are whole. Stricter zones pay less where that
        is counted, so that it is left out where the bound is better without.
        """
        place = place_prices(zone_cost, price)
        nothing = np.zeros(len(self.most))
        ways = [nothing] if tubes is None else [nothing, tubes(zone_cost, place)]
        profit, found = self._profit(zone_cost, place), 0.0
        for less in ways:
            asked = foregone_prices(zone_cost, place, less)
            paid = float(self._paid(self.cheapest(asked), asked).sum())
            found = max(found, paid - earnings - profit + float(less.sum()))
        return found

    def _paid(self, cheapest: Floats, place: dict[int, Floats]) -> Floats:
        """Return the least cost of serving each community at the prices, split term included."""
        weights, demand = self.instance.settings.weights, self.instance.demand
        total, farther = self._totals(place)
        most = np.where(self.exhausted, np.inf, np.maximum(farther, cheapest))
        people = demand.astype(np.float64)
        most = people * np.minimum(most, weights.unserved)
        some = np.isfinite(total)
        cost = people[self.pairs.block] * np.where(some, total, weights.unserved)
        community = self.instance.blocks.community_index
        return raised_costs(self.pairs, cost, most, community, weights.split)

    def _totals(self, by_zone: dict[int, Floats]) -> tuple[Floats, Floats]:
        """Return walk plus place per pair, and per block the least cost of sites without a pair."""
        price = np.full((len(Zone), len(self.most)), np.inf)
        least = np.full(len(Zone), np.inf)
        for zone, values in by_zone.items():
            price[zone], least[zone] = values, values.min(initial=np.inf)
        zone_of, pairs = self.instance.block_zone, self.pairs
        total = pairs.walk_m * self.per_metre + price[zone_of[pairs.block], pairs.site]
        return total, pairs.reach(len(zone_of)) * self.per_metre + least[zone_of]

    def _profit(self, zone_cost: dict[int, Floats], place: dict[int, Floats]) -> float:
        """Return what sites earn at most by selling each slot to the zone that gains most."""
        gain = np.zeros(self.offered.shape)
        for zone, cost in zone_cost.items():
            gain = np.maximum(gain, slot_gain(place[zone], cost))
        return float(((gain * self.part).sum(axis=1) * self.most).sum())

    def cheapest(self, by_zone: dict[int, Floats]) -> Floats:
        """Return the cost of each block's best candidate, looking on until none can be missed."""
        count = _FIRST_NEAREST
        while True:
            total, farther = self._totals(by_zone)
            cost = self._best_of_pairs(total)
            again = np.flatnonzero((farther < cost) & ~self.exhausted)
            if not len(again):
                return cost
            count *= 2
            self._widen(again, count)

    def look_farther(self, worth: Floats, least: float) -> None:
        """Fetch candidates until every site without a pair is too far for a block.

        ``worth[block]`` is what a person of it pays for walk and place at most, ``least`` what a
        place costs at least.
        """
        count = _FIRST_NEAREST
        while (again := self.asks_farther(worth, least)).any():
            count *= 2
            self._widen(np.flatnonzero(again), count)

    def asks_farther(self, worth: Floats, least: float) -> Flags:
        """Return the blocks for which a site without a pair might be near enough."""
        reach = self.pairs.reach(len(worth)) * self.per_metre
        return (worth > reach + least) & ~self.exhausted

    def paid_by_community(self, price: dict[int, Floats]) -> Floats:
        """Return the least cost of each community's blocks at prices of places, split included."""
        return self._paid(self.cheapest(price), price)

    def _best_of_pairs(self, total: Floats) -> Floats:
        """Return each block's least cost over the known pairs."""
        cost = np.full(len(self.instance.demand), np.inf)
        block = self.pairs.block
        starts = np.flatnonzero(np.r_[True, block[1:] != block[:-1]][: len(block)])
        if len(starts):
            cost[block[starts]] = np.minimum.reduceat(total, starts)
        return cost

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
        """Fetch candidates, and note which blocks have no more.

        A block may be served in part (DESIGN.md, rule 1), so all its candidates count, also those
        too small for it.
        """
        pairs = self.candidates.nearest(count, blocks)
        width = np.bincount(pairs.block, minlength=len(self.exhausted))
        self.exhausted[blocks] = width[blocks] < count
        return pairs.where(self.longest[pairs.site] > 0)


def place_prices(zone_cost: ByZone, price: ByZone) -> ByZone:
    """Return prices of places by zone and site, none below the site's cheapest slot."""
    return {
        z: np.maximum(np.where(np.isfinite(price[z]), price[z], -np.inf), cost.min(axis=1))
        for z, cost in zone_cost.items()
    }


def foregone_prices(zone_cost: ByZone, place: ByZone, less: Floats | float = 0.0) -> ByZone:
    """Return prices of places, those of stricter zones not below what sites forego for them.

    That is what their cheapest slot costs the zone and earns with other zones: below it slots are
    sold to those, so that a price raises the bound and costs nothing. Where a site earns by
    ``less[site]`` less than it gains in slots (tubes are whole, blocks do not pause), whoever
    comes in the others' stead might undo that: prices are less by as much.
    """
    gain = {z: slot_gain(place[z], cost) for z, cost in zone_cost.items()}
    found = dict(place)
    for zone in sorted(zone_cost)[:-1]:
        least = cost = zone_cost[zone]
        for other, earned in gain.items():
            least = least if other == zone else np.maximum(least, cost + earned)
        found[zone] = np.maximum(place[zone], least.min(axis=1) - less)
    return found


def slot_gain(price: Floats, cost: Floats) -> Floats:
    """Return what a place earns in each slot: ``price[site]`` less ``cost[site, slot]``, if more.

    It is 0 where either is not finite: nothing is sold there.
    """
    known = np.isfinite(cost) & np.isfinite(price)[:, None]
    gain: Floats = np.where(known, price[:, None] - np.where(known, cost, 0), 0)
    return np.maximum(gain, 0)


def longest_run(offered: Flags, places: Ints) -> Ints:
    """Return the people that the roomiest run of offered slots holds, per site."""
    run = np.zeros(offered.shape[0], dtype=np.int64)
    best = run.copy()
    for slot in range(offered.shape[1]):
        run = np.where(offered[:, slot], run + places[:, slot], 0)
        best = np.maximum(best, run)
    return best
