"""What capacity is worth, and what it lacks: the few answers that ``size`` asks of the solver.

This module is the only one outside the pipeline that looks into it: whoever changes how rounds are
solved re-points ``price_round`` here, and nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from scheduler.domain.city import Floats, Ints
from scheduler.domain.instance import Instance
from scheduler.solve.bound import slot_gain
from scheduler.solve.city_bound import lower_bound, place_price
from scheduler.solve.fluid import Fluid, Late, Short
from scheduler.solve.lab_market import price_labs
from scheduler.solve.market import Market
from scheduler.solve.spacing import site_quota
from scheduler.solve.strict_places import Strictly
from scheduler.solve.strict_zones import place_strict_zones


@dataclass(frozen=True)
class RoundPrices:
    """Prices of one round, in person-minutes of the objective.

    ``bound`` is the lower bound at these prices. ``person_worth[site]`` is saved by one person more
    in each slot of the site, ``lane_worth[site]`` by one lane more there, ``lab_worth[lab]`` by one
    tube an hour more at the laboratory in all hours. They are slopes: right for little changes.
    """

    bound: float
    person_worth: Floats
    lane_worth: Floats
    lab_worth: Floats


def price_round(instance: Instance) -> RoundPrices:
    """Return the prices at which blocks, sites and laboratories agree.

    The bound falls with capacity by exactly these slopes (it is a sum over capacities at given
    prices), so what one more lane saves at most is its slots' profit at them.
    """
    quota = site_quota(instance)
    market = Market(instance, quota, 0)
    place_strict_zones(market, Strictly())
    market.relax_main()
    market.lay_out()
    nothing = np.zeros(len(quota))
    if not len(market.streams):
        return RoundPrices(lower_bound(market), nothing, nothing, np.zeros(len(instance.labs)))
    price_labs(market)
    worth = _person_worth(market)
    one_more = site_quota(
        instance.replace(sites=replace(instance.sites, lanes=instance.sites.lanes + 1))
    )
    return RoundPrices(
        bound=lower_bound(market),
        person_worth=worth,
        lane_worth=worth * (one_more - quota),
        lab_worth=_lab_worth(instance, market),
    )


def _person_worth(market: Market) -> Floats:
    """Return what one place in each slot earns at the prices: price of the site less slot cost."""
    instance = market.instance
    gain = np.zeros(market.offered.shape)
    for zone in np.unique(instance.block_zone[instance.demand > 0]).tolist():
        cost = market.slot_cost(zone, market.offered)
        gain = np.maximum(gain, slot_gain(place_price(market, zone, cost), cost))
    worth: Floats = gain.sum(axis=1)
    return worth


def _lab_worth(instance: Instance, market: Market) -> Floats:
    """Return what one tube an hour earns in all hours in which the laboratory is open."""
    rate = np.maximum(instance.labs.tubes_per_hour, 1)[:, None]
    worth: Floats = (market.prices.hour * market.hours.capacity / rate).sum(axis=1)
    return worth


def short_of(instance: Instance, quota: Ints | None = None) -> Short:
    """Return what no plan can do in time: a proof, whatever the plan."""
    return Fluid(instance, site_quota(instance) if quota is None else quota).short()


def late_people_saved(instance: Instance, tubes_per_hour: int) -> Ints:
    """Return how many people fewer must be late if one laboratory tests more, shape (labs,).

    Every laboratory is tried: these are differences of proofs, not slopes.
    """
    fluid = Fluid(instance, site_quota(instance))
    now = fluid.short().people
    saved = [now - fluid.short((lab, tubes_per_hour)).people for lab in range(len(instance.labs))]
    return np.array(saved, dtype=np.int64)


def late_of(instance: Instance) -> Late:
    """Return where and when tubes come late, if as few as possible do."""
    return Fluid(instance, site_quota(instance)).late()


__all__ = [
    "Late",
    "RoundPrices",
    "Short",
    "late_of",
    "late_people_saved",
    "price_round",
    "short_of",
    "site_quota",
]
