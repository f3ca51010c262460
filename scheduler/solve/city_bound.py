"""The lower bound of a round at the market's prices, and the prices of places it needs."""

from __future__ import annotations

import numpy as np

from scheduler.domain.city import Floats
from scheduler.domain.settings import Zone
from scheduler.solve.assign import SlotOffer, relax
from scheduler.solve.bound import LabCosts
from scheduler.solve.market import Market
from scheduler.solve.shared_places import Slots, shared_prices
from scheduler.solve.tube_bound import WholeTubes
from scheduler.solve.whole_bound import whole_bound

BOUND_SEGMENTS = 24


def lower_bound(market: Market) -> float:
    """Return the lower bound, which knows all limits but the city's most people in a slot.

    Where that has changed the labs' prices, the bound is taken at those before.
    """
    return bound_at_prices(market) if market.bound_before is None else market.bound_before


def bound_at_prices(market: Market) -> float:
    """Return the lower bound at the present lab prices.

    Prices of places are each zone's own, from a flow in which it has all sites for itself, or
    those of the stricter zones together, zone by zone whichever is better.
    """
    zones = np.unique(market.instance.block_zone[market.instance.demand > 0]).tolist()
    costs = {z: market.slot_cost(z, market.offered) for z in zones}
    earnings = market.prices.earnings(market.hours, market.instance.labs.max_tubes_per_day)
    price = {z: _bound_price(market, z, costs[z]) for z in zones}
    strict = [z for z in zones if z != market.main_zone]
    tubes = WholeTubes(
        market.instance, LabCosts(market.instance, market.hours, market.prices), market.travel,
        np.where(market.offered, market.places, 0),
    )  # fmt: skip
    if not strict:
        bound = market.finder.evaluate(costs, price, earnings, tubes.cut)
        return _with_whole_blocks(market, bound, (costs, price, earnings))
    best = {**price, **_shared_prices(market, {z: costs[z] for z in strict}, costs, price)}
    bound = market.finder.evaluate(costs, best, earnings)
    for some in _own_prices(market, strict):
        other = {**best, **{z: _own_price(market, z, costs, price) for z in some}}
        found = market.finder.evaluate(costs, other, earnings)
        if found > bound:
            bound, best = found, other
    bound = max(bound, market.finder.evaluate(costs, best, earnings, tubes.cut))
    return _with_whole_blocks(market, bound, (costs, best, earnings))


def _with_whole_blocks(
    market: Market, bound: float, prices: tuple[dict[int, Floats], dict[int, Floats], float]
) -> float:
    """Return the bound, or in a tight round a better one that knows whole blocks."""
    if market.beyond_flow is None:
        return bound
    costs, price, earnings = prices
    return max(bound, whole_bound(market.finder, costs, price, market.beyond_flow) - earnings)


def _own_prices(market: Market, strict: list[int]) -> list[list[int]]:
    """Return which zones are tried at their own prices instead of shared ones, one after the other.

    In a city only sealed areas: they have their teams for themselves.
    """
    if market.is_city:
        return [[z] for z in strict if z == Zone.LOCKDOWN]
    return [strict, *([z] for z in strict)]


def _own_price(
    market: Market, zone: int, costs: dict[int, Floats], price: dict[int, Floats]
) -> Floats:
    """Return a zone's prices of places from a flow in which it has all sites for itself."""
    return place_price(market, zone, costs[zone]) if market.is_city else price[zone]


def _bound_price(market: Market, zone: int, cost: Floats) -> Floats:
    """Return prices of places for the bound: in a city the commonest zone's are known."""
    if zone == market.main_zone and market.is_city:
        return market.relaxed.site_price
    if zone != market.main_zone and market.is_city:
        return np.full(len(market.quota), -np.inf)
    return place_price(market, zone, cost)


def _shared_prices(
    market: Market, strict: dict[int, Floats], costs: dict[int, Floats], price: dict[int, Floats]
) -> dict[int, Floats]:
    """Return prices of places for the stricter zones when all zones want the same slots."""
    main = market.main_zone
    gain = price[main][:, None] - costs[main]
    gain = np.where(np.isfinite(gain), np.maximum(gain, 0), 0)
    zone, demand, pairs = market.instance.block_zone, market.instance.demand, market.pairs
    pairs = pairs.where((demand[pairs.block] > 0) & (zone[pairs.block] != main))
    return shared_prices(
        pairs, pairs.walk_m * market.per_metre, (demand, zone), Slots(strict, gain, market.places),
        market.instance.settings.weights.unserved,
    )  # fmt: skip


def place_price(market: Market, zone: int, cost: Floats) -> Floats:
    """Return what a place at each site costs people of a zone, -inf at sites out of reach."""
    people = np.where(market.instance.block_zone == zone, market.instance.demand, 0)
    pairs = market.pairs.where(people[market.pairs.block] > 0)
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
