"""A small round is planned again by chance or as if other things mattered: that may cost less.

Streams and prices settle one after the other, so that a round with little room, odd hours or few
labs may end in a poor local optimum; with some hundred blocks little averages out. With another
seed it ends in another one, and so it does for other weights or stricter limits (noising methods,
Charon and Hudry 1993, doi 10.1016/0167-6377(93)90023-A). All limits are at least as strict as the
round's own, so that every such plan keeps its rules, and the plan that costs least by the round's
own weights is kept.
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
_ENOUGH = 0.02  # gap below which it is not planned with noise
_ENOUGH_OF_SEEDS = 0.01  # the same with other seeds
_SEEDS = 4
"""Other seeds: a full round of 200,000 people costs 0.2 to 1.0 % less with any of five, one of
100,000 from 0.35 % less to 0.05 % more."""
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
    """Return the best of a known solution and those of other seeds and noise, with its bound.

    A round with a most of people in a slot, which the bound does not know, stays as it is.
    """
    (market, solution), blocks = known, num_blocks(instance)
    if not MOST_BLOCKS < blocks <= SMALL_ROUND or market.city_waves.asked:
        return solution
    again = _Again(instance, known, report)
    for number in range(1, 1 + _tries(_SEEDS, blocks)):
        if again.gap <= _ENOUGH_OF_SEEDS or not again.plan(instance, seed + number):
            break
        if again.is_same:
            break  # nothing is left to chance in this round
    every = list(_noised(instance.settings)) if again.gap > _ENOUGH else []
    for settings in every[: _tries(len(every), blocks)]:
        if not again.plan(instance.replace(settings=settings), seed):
            break
    return replace(again.best, bound=solution.bound)


def _tries(most: int, blocks: int) -> int:
    """Return how often a round of so many blocks is planned again, rounded up."""
    return min(most, -(-most * FEW_BLOCKS // blocks))


class _Again:
    """The best solution so far of a round that is planned again."""

    def __init__(
        self,
        instance: Instance,
        known: tuple[Market, Solution],
        report: Callable[[str, float | None], None],
    ) -> None:
        """Take the round, and how it is planned already."""
        self._instance, self._report = instance, report
        self._market, self._known = known
        self.best, self._cost = self._known, objective(instance, self._market, self._known)
        self.is_same = False  # whether the last solution costs as much as the best

    @property
    def gap(self) -> float:
        """Return the gap of the best solution."""
        return (self._cost - self._known.bound) / self._cost if self._cost else 0.0

    def plan(self, other: Instance, seed: int) -> bool:
        """Keep the solution of another round if it is cheaper here; tell whether there is time."""
        try:
            self._report("once more with noise", self.gap)
        except NoPlanError:  # the time limit has passed: a plan is known
            return False
        _, found = solve_again(other, site_quota(other), seed, self._known.strictly)
        self.is_same = False
        is_late = found.shipments.hour.max(initial=0) >= len(self._market.hours)
        if is_late or not _fits(self._market, found):
            return True  # results come when worth nothing, or the profile has other hours
        cost = objective(self._instance, self._market, found)
        self.is_same = cost == self._cost
        if cost < self._cost:
            self.best, self._cost = found, cost
        return True


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
