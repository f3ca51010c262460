"""The lower bound of a round at the market's prices, and the prices of places it needs."""

from __future__ import annotations

import numpy as np

from scheduler.domain.city import Floats
from scheduler.solve.assign import SlotOffer, relax
from scheduler.solve.market import CITY_STREAMS, Market
from scheduler.solve.shared_places import Slots, shared_prices
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
    those of the stricter zones together, whichever is better.
    """
    zones = np.unique(market.instance.block_zone[market.instance.demand > 0]).tolist()
    costs = {z: market.slot_cost(z, market.offered) for z in zones}
    earnings = market.prices.earnings(market.hours, market.instance.labs.max_tubes_per_day)
    price = {z: _bound_price(market, z, costs[z]) for z in zones}
    strict = [z for z in zones if z != market.main_zone]
    if not strict:
        bound = market.finder.evaluate(costs, price, earnings)
        return _with_whole_blocks(market, bound, (costs, price, earnings))
    bound = 0.0 if _is_city(market) else market.finder.evaluate(costs, price, earnings)
    shared = _shared_prices(market, {z: costs[z] for z in strict}, costs, price)
    price |= shared
    bound = max(bound, market.finder.evaluate(costs, price, earnings))
    return _with_whole_blocks(market, bound, (costs, price, earnings))


def _with_whole_blocks(
    market: Market, bound: float, prices: tuple[dict[int, Floats], dict[int, Floats], float]
) -> float:
    """Return the bound, or in a tight round a better one that knows whole blocks."""
    if market.beyond_flow is None:
        return bound
    costs, price, earnings = prices
    return max(bound, whole_bound(market.finder, costs, price, market.beyond_flow) - earnings)


def _is_city(market: Market) -> bool:
    """Return whether the round is so large that a flow less is worth a little of the bound."""
    return hasattr(market, "streams") and len(market.streams) > CITY_STREAMS


def _bound_price(market: Market, zone: int, cost: Floats) -> Floats:
    """Return prices of places for the bound: in a city the commonest zone's are known."""
    if zone == market.main_zone and _is_city(market):
        return market.relaxed.site_price
    if zone != market.main_zone and _is_city(market):
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
