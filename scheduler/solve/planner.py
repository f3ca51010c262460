"""The pipeline from a round to a plan, in one readable function.

1. quotas, open slots, candidates;  2. stricter zones take their slots;  3. blocks and labs agree on
prices (two flows in turn);  4. blocks made whole, anew where sites are all but full (``tight``);
5. runs, waves, tubes, slots;  6. tubes to labs;  7. the lower bound from the prices.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from scheduler.domain.city import Ints
from scheduler.domain.instance import Instance
from scheduler.solve.city_bound import lower_bound
from scheduler.solve.consign import Batches, Shipments, batches_of, ship
from scheduler.solve.lab_market import price_labs, topped, tube_worth
from scheduler.solve.layout import Layout
from scheduler.solve.market import Market
from scheduler.solve.network import Reach
from scheduler.solve.ontime import Desk
from scheduler.solve.reach import Promise
from scheduler.solve.rescue import Places
from scheduler.solve.runs import Task
from scheduler.solve.schedule import Calls, schedules
from scheduler.solve.sequence import Order, elder_waves
from scheduler.solve.stagger import City, stagger
from scheduler.solve.streams import Streams
from scheduler.solve.strict_zones import Strictly, place_strict_zones
from scheduler.solve.tight import pack_tighter

Report = Callable[[str, float | None], None]

GIVING_BACK = (Strictly(0, 1.0), Strictly(0, 0.8), Strictly(0, 0.6), Strictly(0, 0.45),
               Strictly(0, 0.3))  # fmt: skip
"""How stricter zones take less and less, tried in turn while people are left out."""


@dataclass(frozen=True)
class Solution:
    """The solver's answer in numbers; ``scheduler.solve.tables`` turns it into a plan's tables."""

    streams: Streams
    layout: Layout
    calls: Calls
    batches: Batches
    shipments: Shipments
    travel_min: Ints
    hour_begin_min: Ints
    bound: float
    past_end: list[int]


def solve_round(
    instance: Instance, quota: Ints, seed: int, report: Report
) -> tuple[Market, Solution]:
    """Return a plan of a round and its lower bound; ``quota[site]`` is people per slot.

    Where people are left out, stricter zones give back places: a site that serves two zones loses
    the time of clearing between them. The best of the plans found is taken, with the best bound.
    """
    market, best = _solve(instance, quota, seed, Strictly(), report)
    strict = (instance.demand > 0) & (instance.block_zone != market.main_zone)
    worth = strict.any() and market.city_waves.holds_everybody
    for strictly in GIVING_BACK if worth else ():
        left = int(instance.demand.sum()) - int(best.calls.people.sum())
        if not left:
            break
        report("room for all", None)
        other, found = _solve(instance, quota, seed, strictly, lambda _stage, _gap: None)
        bound = max(best.bound, found.bound)
        if found.calls.people.sum() > best.calls.people.sum():
            market, best = other, found
        best = replace(best, bound=bound)
    return market, best


def _solve(
    instance: Instance, quota: Ints, seed: int, strictly: Strictly, report: Report
) -> tuple[Market, Solution]:
    """Return a plan and its lower bound, stricter zones placed in one way."""
    report("candidates", None)
    market = Market(instance, quota, seed)
    report("stricter zones", None)
    place_strict_zones(market, strictly)
    report("places", None)
    market.relax_main()
    if not len(market.streams):
        return market, _nobody_called(market)
    report("places and labs", None)
    price_labs(market)
    report("whole blocks", None)
    market.settle_main(pack_tighter(market, market.make_main_whole()))
    report("lower bound", None)
    bound = lower_bound(market)
    report("slots and tubes", None)
    found = _schedule(instance, market, seed)
    solution = Solution(
        market.streams, market.layout, found.calls, found.batches, found.shipments, market.travel,
        market.hours.begin_min, bound, found.past_end,
    )  # fmt: skip
    return market, solution


def _nobody_called(market: Market) -> Solution:
    """Return the only answer to a round in which no site has a usable slot."""
    none = np.empty(0, dtype=np.int64)
    return Solution(
        market.streams, market.layout, Calls(*[none] * 4), Batches(*[none] * 5),
        Shipments(*[none] * 5), market.travel, market.hours.begin_min, lower_bound(market), [],
    )  # fmt: skip


@dataclass(frozen=True)
class _Scheduled:
    """Calls with what they ship, and blocks left out at the end."""

    calls: Calls
    batches: Batches
    shipments: Shipments
    past_end: list[int]


def _schedule(instance: Instance, market: Market, seed: int) -> _Scheduled:
    """Call blocks and ship tubes in the cheapest of the ways that are known."""
    city = City.of(instance, len(market.streams), seed)
    order = Order(
        instance.blocks.community_index,
        instance.demand,
        instance.blocks.elderly / np.maximum(instance.blocks.people, 1),
        elder_waves(instance.clock),
    )
    places = Places(market.pairs, market.pair_price(), instance.block_zone, instance.demand)
    main = np.array(market.streams.zone) == market.main_zone
    worth = np.where(main, tube_worth(market)[market.streams.site], 0)
    task = Task(
        market.streams, market.layout, market.wide, market.load, topped(market), worth, places,
        order, market.city_waves, market.packed,
    )  # fmt: skip
    desk = market.labs.desk(market.layout, market.wide, market.priced)
    ways = schedules(task, market.priced.volumes, desk)
    staggered = ((stagger(task, calls, city), reach) for calls, reach in ways)
    shipped = [_ship(instance, market, calls, reach, desk) for calls, reach in staggered]
    if len(shipped) == 1:
        return shipped[0]
    return min(shipped, key=lambda way: _cost(instance, market, way))


def _ship(instance: Instance, market: Market, calls: Calls, near: Reach, desk: Desk) -> _Scheduled:
    """Ship the tubes of calls; blocks whose tubes no lab takes any more are left out."""
    pool, labs = market.load.pool, market.labs.side(1)
    per_wave, waves = instance.clock.slots_per_wave, instance.clock.num_waves
    past_end: list[int] = []
    while True:
        batches = batches_of(calls, pool, per_wave, waves)
        shipments, left = ship(batches, market.layout, (near, desk.far), labs, pool, desk.left_cost)
        if not left.any():
            return _Scheduled(calls, batches, shipments, past_end)
        lost = _blocks_of(calls, batches, left, per_wave)
        past_end += lost
        keep = ~np.isin(calls.block, lost)
        calls = Calls(calls.block[keep], calls.stream[keep], calls.slot[keep],
                      calls.people[keep])  # fmt: skip


def _cost(instance: Instance, market: Market, way: _Scheduled) -> float:
    """Return what a way costs in person-minutes, the split term apart."""
    calls, batches, ships = way.calls, way.batches, way.shipments
    promise, weights = Promise.of(instance), instance.settings.weights
    minutes = calls.slot * instance.settings.round.slot_minutes
    finish = float((market.load.finish[calls.stream] * minutes * calls.people).sum())
    wave, site = batches.wave[ships.batch], market.layout.site[batches.stream[ships.batch]]
    arrive = promise.pickup_min[wave] + market.travel[site, ships.lab]
    start = np.maximum(arrive, market.hours.begin_min[ships.hour])
    late = promise.late_min(wave, ships.lab, start)
    left = int(instance.demand.sum() - calls.people.sum())
    return (
        finish + weights.late * float((late * ships.people).sum()) + weights.unserved * left
        + market.walk_cost(calls.block, market.layout.site[calls.stream], calls.people)
    )  # fmt: skip


def _blocks_of(calls: Calls, batches: Batches, left: Ints, slots_per_wave: int) -> list[int]:
    """Return the last blocks of the batches that still hold tubes nobody takes."""
    lost = set()
    for row in np.flatnonzero(left).tolist():
        inside = (calls.stream == batches.stream[row]) & (
            calls.slot // slots_per_wave == batches.wave[row]
        )
        lost.add(int(calls.block[inside][-1]))
    return sorted(lost)
