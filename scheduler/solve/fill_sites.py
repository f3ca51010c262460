"""Sites whose dear places stay empty share their blocks with neighbours in the cheapest way.

Around a few sites a round may be tight though it is not as a whole: people walk far because such a
site is full, and yet its last places stay empty, because no whole block fits into them. There each
pair of neighbours exchanges blocks (``exchange``) until none gains. Only for rounds in which every
site works through: what fills a site that closes in between need not fit into its runs.
"""

from __future__ import annotations

import numpy as np

from scheduler.domain.city import Floats, Ints
from scheduler.solve.assign import Whole, cheapest_first, taken_in_order
from scheduler.solve.bound import slot_gain
from scheduler.solve.knapsacks import cost_upto
from scheduler.solve.market import Market
from scheduler.solve.share_sites import exchange_between

_LOSS = 20.0
"""Person-minutes that a site loses by empty places for which people elsewhere would pay. Measured
on synthetic Shanghai: 1,140 of 10,224 sites, 4 s, 0.003 person-minutes per person; with 100 half as
many sites, 3 s, 0.0026."""


def fill_sites(market: Market, whole: Whole) -> Whole:
    """Return where the commonest zone's blocks go, dear places filled by exchanges."""
    if market.packed or market.labs_are_short or _closes_in_between(market):
        return whole
    poor = np.flatnonzero(losses(market, whole) > _LOSS)
    return _exchanged(market, whole, poor) if len(poor) else whole


def _closes_in_between(market: Market) -> bool:
    """Tell whether some site has several runs for the commonest zone."""
    return any(len(runs) > 1 for runs in market.streams.runs[market.first_main :])


def losses(market: Market, whole: Whole) -> Floats:
    """Return what each site would gain by its empty places, the best ones taken, at the prices."""
    cost = market.slot_cost(market.main_zone, market.free)
    by_cost, room = cheapest_first(cost, market.places)
    empty = room - taken_in_order(room, whole.load)
    loss: Floats = (slot_gain(market.place_prices(), by_cost) * empty).sum(axis=1)
    return loss


def _exchanged(market: Market, whole: Whole, poor: Ints) -> Whole:
    """Exchange blocks of some sites with those that share candidates with them."""
    pairs, at = market.main_pairs, whole.site[market.main_pairs.block]
    touched = (at >= 0) & (np.isin(pairs.site, poor) | np.isin(at, poor))
    sites = np.union1d(pairs.site[touched], at[touched])
    if not len(sites):  # nobody is near
        return whole
    cost = market.slot_cost(market.main_zone, market.free)
    room = np.maximum(market.offer.capacity, whole.load)
    upto = [
        cost_upto(cost[site], market.places[site])[: int(room[site]) + 1] for site in sites.tolist()
    ]
    if any(len(u) <= n for u, n in zip(upto, whole.load[sites].tolist(), strict=True)):
        return whole  # somebody has no place yet
    price = market.price_of(pairs, market.relaxed)
    return exchange_between(
        whole, (sites, upto), (pairs, price), market.people, market.per_metre, poor
    )
