"""The lower bound of a round at the market's prices, and the prices of places it needs."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from scheduler.domain.city import Floats
from scheduler.domain.settings import Zone
from scheduler.solve.assign import SlotOffer, relax
from scheduler.solve.bound import ByZone, LabCosts, place_prices, slot_gain
from scheduler.solve.joint_bound import joint_bound
from scheduler.solve.market import Market
from scheduler.solve.other_prices import other_prices
from scheduler.solve.pattern_bound import pattern_bound
from scheduler.solve.pause_bound import Pauses
from scheduler.solve.shared_places import Slots, shared_prices
from scheduler.solve.tube_bound import WholeTubes
from scheduler.solve.whole_bound import whole_bound

BOUND_SEGMENTS = 24
_FEW_STREAMS = 100  # up to which whole blocks are weighed at all prices of labs: seconds each
_SHARES_BESIDE = (0.25, 0.5, 0.75, 1.0)
"""Of the way from the commonest zone's own prices to those beside others. Measured at 97 % of all
places: with 100,000 people, 13 % of them in stricter zones, 0.5 is best, by 0.3 % of the objective
before 0.75; with 200,000 and a million 0.75 and 1.0 are, by 0.1 to 0.3 % before 0.25."""


def lower_bound(market: Market) -> float:
    """Return the lower bound, which knows all limits but the city's most people in a slot.

    Where that has changed the labs' prices, those before are as good for a bound, and the better
    of both is taken.
    """
    return max(bound_at_prices(market), market.bound_before or 0.0)


def bound_at_other_prices(market: Market, *, searched: bool = False) -> float:
    """Return the best lower bound at ``other_prices`` where labs are short, else 0.

    In rounds of many streams whole blocks are weighed at the best of the prices only.
    ``searched`` tells that the round will be searched exactly.
    """
    if not market.labs_are_short:
        return 0.0
    known, found = (market.prices, market.wave_costs), []
    for prices in other_prices(market, searched=searched):
        market.prices, market.wave_costs = prices, {}
        found.append(_AtPrices(market))
    found.sort(key=lambda one: one.bound, reverse=True)
    few = len(market.streams) <= _FEW_STREAMS
    bounds = [one.with_whole_blocks() for one in found[: None if few else 1]]
    market.prices, market.wave_costs = known
    return max(bounds, default=0.0)


def bound_at_prices(market: Market) -> float:
    """Return the lower bound at the present lab prices."""
    return _AtPrices(market).with_whole_blocks()


class _AtPrices:
    """The lower bound at the lab prices of now: ``bound`` does not know whole blocks.

    Prices of places are each zone's own, from a flow in which it has all sites for itself, or
    those of the stricter zones together, zone by zone whichever is better.
    """

    def __init__(self, market: Market) -> None:
        self._market = market
        zones = np.unique(market.instance.block_zone[market.instance.demand > 0]).tolist()
        costs = {z: market.slot_cost(z, market.offered) for z in zones}
        earnings = market.prices.earnings(market.hours, market.instance.labs.max_tubes_per_day)
        price = _best_prices(market, costs, earnings)
        self._tubes, self._prices = whole_tubes(market), (costs, price, earnings)
        cut, fees = _cut(market, self._tubes, costs, price)
        bound = market.finder.evaluate(costs, price, earnings, cut) - fees
        patterns = pattern_bound(market.finder, costs, price, cut, self._tubes.part_filled)
        self.bound = max(0.0, bound, patterns - earnings - fees)
        if market.leaves_out and len(costs) > 1:  # whom all zones together leave no room
            between = _between(market, costs, price, 1.0)
            self.bound = max(self.bound, market.finder.evaluate(costs, between, earnings))

    def with_whole_blocks(self) -> float:
        """Return the bound, or in a tight round a better one that knows whole blocks.

        What a place costs the commonest zone if it had all sites for itself is too little where
        stricter zones take much of them, and what it costs beside them is too much where they
        might as well be elsewhere: so prices in between are tried.
        """
        market, bound, tubes = self._market, self.bound, self._tubes
        if market.beyond_flow is None:
            return bound
        costs, price, earnings = self._prices
        several = market.beside_others is not None and len(costs) > 1
        ways = [_between(market, costs, price, s) for s in _SHARES_BESIDE] if several else []
        joint = joint_bound(
            market.finder, costs, ways or [price], market.beyond_flow, tubes.part_filled
        )
        if joint:  # it knows all that the bound of the commonest zone's whole blocks knows
            return max(bound, joint - earnings)
        for other in ways:
            cut, fees = _cut(market, tubes, costs, other)
            patterns = pattern_bound(market.finder, costs, other, cut, tubes.part_filled)
            bound = max(bound, patterns - earnings - fees)
        return max(bound, whole_bound(market.finder, costs, price, market.beyond_flow) - earnings)


def whole_tubes(market: Market) -> WholeTubes:
    """Return what whole tubes cost at the present lab prices."""
    return WholeTubes(
        market.instance, LabCosts(market.instance, market.hours, market.prices), market.travel,
        np.where(market.offered, market.places, 0),
    )  # fmt: skip


def _cut(
    market: Market, tubes: WholeTubes, costs: ByZone, price: ByZone
) -> tuple[Callable[[ByZone, ByZone], Floats], float]:
    """Return by how much less sites earn, and the fees of blocks that the bound is less."""
    main, instance = market.main_zone, market.instance
    if main not in costs:  # nobody is called
        return tubes.cut, 0.0
    blocks = int(np.count_nonzero(instance.demand[instance.block_zone == main]))
    place = place_prices(costs, price)[main]
    pauses = Pauses(tubes, main, blocks, (costs[main], place))
    return pauses.cut, pauses.paid


def _best_prices(market: Market, costs: dict[int, Floats], earnings: float) -> dict[int, Floats]:
    """Return prices of places: shared ones, or a zone's own where that raises the bound."""
    price = {z: _own_price(market, z, costs[z]) for z in costs if _knows_own(market, z)}
    strict = [z for z in costs if z != market.main_zone]
    if not strict:
        return price
    best = {**price, **_shared_prices(market, {z: costs[z] for z in strict}, costs, price)}
    own = [z for z in strict if z in price]
    bound = market.finder.evaluate(costs, best, earnings) if own else 0.0
    together = [own] if len(own) > 1 else []
    for some in (*together, *([z] for z in own)):
        other = {**best, **{z: price[z] for z in some}}
        found = market.finder.evaluate(costs, other, earnings)
        if found > bound:
            bound, best = found, other
    return best


def _between(market: Market, costs: ByZone, price: ByZone, share: float) -> ByZone:
    """Return prices of places: the commonest zone's so far from its own to those beside others."""
    main, own = market.main_zone, price[market.main_zone]
    beside = market.place_prices() if market.beside_others is None else market.beside_others
    known = np.isfinite(own) & np.isfinite(beside)
    step = np.where(known, np.where(known, beside, 0) - np.where(known, own, 0), 0)
    mixed = {main: np.where(known, np.where(known, own, 0) + share * step, own)}
    strict = {z: c for z, c in costs.items() if z != main}
    return {**price, **mixed, **_shared_prices(market, strict, costs, mixed)}


def _knows_own(market: Market, zone: int) -> bool:
    """Return whether a zone's own prices are asked for.

    In a city not those of stricter zones, but for sealed areas: they have their teams for
    themselves.
    """
    return not market.is_city or zone in {market.main_zone, Zone.LOCKDOWN}


def _own_price(market: Market, zone: int, cost: Floats) -> Floats:
    """Return a zone's prices from a flow of its own: in a city the commonest zone's is known."""
    if zone == market.main_zone and market.is_city:
        return market.relaxed.site_price
    return place_price(market, zone, cost)


def _shared_prices(
    market: Market, strict: dict[int, Floats], costs: dict[int, Floats], price: dict[int, Floats]
) -> dict[int, Floats]:
    """Return prices of places for the stricter zones when all zones want the same slots."""
    main = market.main_zone
    gain = slot_gain(price[main], costs[main])
    zone, demand, pairs = market.instance.block_zone, market.instance.demand, market.pairs
    pairs = pairs.where((demand[pairs.block] > 0) & (zone[pairs.block] != main))
    return shared_prices(
        pairs, pairs.walk_m * market.per_metre, (demand, zone), Slots(strict, gain, market.places),
        market.instance.settings.weights.unserved,
    )  # fmt: skip


def place_price(market: Market, zone: int, cost: Floats) -> Floats:
    """Return what a place at each site costs people of a zone, -inf at sites out of reach."""
    people = np.where(market.instance.block_zone == zone, market.instance.demand, 0)
    known = market.finder.pairs
    pairs = known.where(people[known.block] > 0)
    segments = BOUND_SEGMENTS if zone == market.main_zone else cost.shape[1]
    room = np.where(np.isfinite(cost), market.places, 0)
    relaxed = relax(
        pairs, pairs.walk_m * market.per_metre, people, SlotOffer(cost, room, segments),
        market.instance.settings.weights.unserved,
    )  # fmt: skip
    price = np.full(len(market.quota), -np.inf)
    sites = np.unique(pairs.site)
    price[sites] = relaxed.site_price[sites]
    return price
