"""A small round is planned again as if other things mattered: that may cost less.

Streams and prices settle one after the other, so that a round with little room, odd hours or few
labs may end in a poor local optimum; with some hundred blocks little averages out. Planned for
other weights or stricter limits it ends in another one (noising methods, Charon and Hudry 1993, doi
10.1016/0167-6377(93)90023-A). All limits are at least as strict as the round's own, so that every
such plan keeps its rules, and the plan that costs least by the round's own weights is kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta

import numpy as np

from scheduler.domain.instance import Instance
from scheduler.domain.settings import Settings
from scheduler.errors import NoPlanError
from scheduler.solve.exact_round import MOST_BLOCKS
from scheduler.solve.market import Market
from scheduler.solve.planner import (
    SMALL_ROUND,
    Solution,
    num_blocks,
    solve_again,
)
from scheduler.solve.spacing import site_quota
from scheduler.solve.tables import objective

FEW_BLOCKS = 200
"""Blocks with people, up to which a round is planned again with all noise, one to six seconds each
time; larger ones up to ``SMALL_ROUND`` with less of it the longer they take. Those of
``MOST_BLOCKS`` and fewer are searched exactly."""
_ENOUGH = 0.02  # gap below which it is not
_WALKS, _LATE, _LOAD = (5.0, 0.2), 10.0, 0.95  # times the round's own
_EARLIER_H = 2  # that the round ends, if that leaves it more than half of its hours
_PROMISE_H = 1.0  # by which results are promised sooner
_CLEARING_MIN = 30  # by which sites are cleared for longer


def plan_noised(
    instance: Instance,
    known: tuple[Market, Solution],
    seed: int,
    report: Callable[[str, float | None], None],
) -> Solution:
    """Return the best of a known solution and those of the round with noise, with its bound.

    A round with a most of people in a slot, which the bound does not know, stays as it is.
    """
    market, best = known
    is_near = best.cost - best.bound <= _ENOUGH * best.cost or market.city_waves.asked
    blocks = num_blocks(instance)
    if not MOST_BLOCKS < blocks <= SMALL_ROUND or is_near:
        return best
    cost, bound, hours = objective(instance, market, best), best.bound, len(market.hours)
    every = list(_noised(instance.settings))
    for settings in every[: -(-len(every) * FEW_BLOCKS // blocks)]:
        try:
            report("once more with noise", (cost - bound) / cost)
        except NoPlanError:  # the time limit has passed: a plan is known
            break
        other = instance.replace(settings=settings)
        _, found = solve_again(other, site_quota(other), seed, known[1].strictly)
        if found.shipments.hour.max(initial=0) >= hours or not _fits(market, found):
            continue  # later than results are worth anything, or a profile of other hours
        new_cost = objective(instance, market, found)
        if new_cost < cost:
            best, cost = found, new_cost
    return replace(best, bound=bound)


def _fits(market: Market, solution: Solution) -> bool:
    """Tell whether all slots have the places that a solution takes in them."""
    calls, taken = solution.calls, np.zeros_like(market.places)
    np.add.at(taken, (solution.layout.site[calls.stream], calls.slot), calls.people)
    return bool((taken <= market.places).all())


def _noised(own: Settings) -> Iterator[Settings]:
    """Yield settings as if other things mattered, or limits were stricter, the best first."""
    weights, targets = own.weights, own.targets
    nearer, farther = (
        replace(own, weights=replace(weights, walk=weights.walk * times)) for times in _WALKS
    )
    yield farther
    yield replace(own, weights=replace(weights, late=weights.late * _LATE))
    yield nearer
    yield replace(own, targets=replace(targets, max_load=targets.max_load * _LOAD))
    if targets.result_hours > _PROMISE_H:
        sooner = targets.result_hours - _PROMISE_H
        yield replace(own, targets=replace(targets, result_hours=sooner))
    longer = own.sites.clearing_min + _CLEARING_MIN
    yield replace(own, sites=replace(own.sites, clearing_min=longer))
    earlier = timedelta(hours=_EARLIER_H)
    if 2 * earlier < own.round.end - own.round.start:
        yield replace(own, round=replace(own.round, end=own.round.end - earlier))
