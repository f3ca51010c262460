"""Blocks called and their tubes shipped to laboratories, in the cheapest of the ways known."""

from __future__ import annotations

from dataclasses import dataclass, replace
from operator import attrgetter

import numpy as np

from scheduler.domain.city import Floats, Ints
from scheduler.solve.consign import Batches, Shipments, batches_of, ship
from scheduler.solve.early import best_early
from scheduler.solve.emptier_last import Starts, emptier_last
from scheduler.solve.lab_market import lab_cost, topped
from scheduler.solve.late_waves import booked_nights, dear_waves, over_full_tubes
from scheduler.solve.market import Market
from scheduler.solve.network import Reach
from scheduler.solve.part_served import serve_parts
from scheduler.solve.rescue import Places
from scheduler.solve.runs import Task
from scheduler.solve.schedule import Calls, schedules
from scheduler.solve.sequence import Order, elder_waves
from scheduler.solve.stagger import City, stagger


@dataclass(frozen=True)
class Shipped:
    """Calls with what they ship, and blocks left out at the end; ``late`` minutes by shipment.

    ``cost`` is in person-minutes, the split term apart.
    """

    calls: Calls
    batches: Batches
    shipments: Shipments
    past_end: list[int]
    late: Ints
    cost: float


class CallAndShip:
    """A market whose blocks have their sites, called and shipped as often as asked."""

    def __init__(self, market: Market, worth: Floats, seed: int) -> None:
        """Take ``worth[site]``, what a tube of the commonest zone costs."""
        self._market, self._instance = market, market.instance
        self._city = City.of(market.instance, len(market.streams), seed)
        self._desk = market.labs.desk(market.layout, market.wide, market.priced)
        self._task = _task(market, worth)

    def run(self, turn: Ints) -> Shipped:
        """Return the cheapest way with streams in an order, ``turn`` as in ``Task``."""
        market, task = self._market, replace(self._task, turn=turn)
        ways = schedules(task, market.priced.volumes, self._desk)

        def reckon(calls: Calls, reach: Reach) -> Shipped:
            whole = stagger(task, calls, self._city)
            parts = serve_parts(market, whole)
            found = self._ship(whole, reach)
            if len(parts.block) == len(whole.block):
                return found
            return min(found, self._ship(parts, reach), key=attrgetter("cost"))

        if market.beyond_flow is None:
            return min((reckon(*way) for way in ways), key=attrgetter("cost"))
        clock = self._instance.clock
        waves = clock.slots_per_wave, clock.num_waves
        return min((best_early(task, way, reckon, waves) for way in ways), key=attrgetter("cost"))

    def _ship(self, calls: Calls, near: Reach) -> Shipped:
        """Ship the tubes of calls; blocks whose tubes no lab takes any more are left out."""
        market, instance, desk = self._market, self._instance, self._desk
        pool = market.load.pool
        per_wave, waves = instance.clock.slots_per_wave, instance.clock.num_waves
        past_end: list[int] = []
        while True:
            batches = batches_of(calls, pool, per_wave, waves)
            shipments, left = ship(
                batches, market.layout, (near, desk.far), desk.labs, pool, desk.left_cost
            )
            if not left.any():
                road = market.travel[market.layout.site[batches.stream]]
                starts = Starts.of(instance, market.hours, batches, road, pool[batches.stream])
                shipments = emptier_last(batches, shipments, pool, starts)
                late = starts.late_min(shipments)
                cost = self._cost(calls, float(late @ shipments.people))
                return Shipped(calls, batches, shipments, past_end, late, cost)
            lost = _blocks_of(calls, batches, left, per_wave)
            past_end += lost
            calls = calls.where(~np.isin(calls.block, lost))

    def _cost(self, calls: Calls, late: float) -> float:
        """Return what calls cost whose people are ``late`` by so many minutes in all."""
        market, settings = self._market, self._instance.settings
        slots = market.load.finish[calls.stream] * (calls.slot * settings.round.slot_minutes)
        left = int(self._instance.demand.sum() - calls.people.sum())
        return (
            float((slots * calls.people).sum()) + settings.weights.late * late
            + settings.weights.unserved * left
            + market.walk_cost(calls.block, market.layout.site[calls.stream], calls.people)
        )  # fmt: skip


def _task(market: Market, worth: Floats) -> Task:
    """Return what is scheduled, streams in the order of their groups; ``worth`` as above."""
    instance = market.instance
    order = Order(
        instance.blocks.community_index,
        instance.demand,
        instance.blocks.elderly / np.maximum(instance.blocks.people, 1),
        elder_waves(instance.clock),
    )
    places = Places(market.pairs, market.pair_price(), instance.block_zone, instance.demand)
    main = np.array(market.streams.zone) == market.main_zone
    top = topped(market)
    return Task(
        market.streams, market.layout, market.wide, market.load, top,
        over_full_tubes(market, top, worth), booked_nights(market, top, worth), lab_cost(market),
        np.where(main, worth[market.streams.site], 0), dear_waves(market, top, worth), places,
        order, market.city_waves, market.packed, np.concatenate(market.layout.members),
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
