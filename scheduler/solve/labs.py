"""What the labs ask for time, and the labs as the networks see them.

Prices are found coarsely: streams join into wide groups whose roads are reckoned from their middle,
with every lab of the city as a candidate, so a far lab is used exactly when it pays. The bound
takes any prices; tubes are sent afterwards by finer groups with exact roads.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import lcm

import numpy as np

from scheduler.domain.city import Flags, Floats, Ints
from scheduler.domain.instance import Instance
from scheduler.solve.bound import LabCosts, LabPrices
from scheduler.solve.layout import Layout
from scheduler.solve.network import Front, LabFlow, LabSide, Reach, solve_labs
from scheduler.solve.ontime import Desk
from scheduler.solve.reach import Promise
from scheduler.solve.timeline import LabHours
from scheduler.solve.volumes import Volumes
from scheduler.solve.waves import LastTubes, Load, by_piece, group_supply

LABS_FOR_TUBES = 8
"""Labs that a fine group starts with: those its wide group sends most to."""
LABS_KEPT = 2
FREE = 1e-6  # person-minutes per person
FEW_LATE = 0.02
"""Share of late people in the coarse flow up to which a plan without any is worth a try: its roads
are rough."""


@dataclass(frozen=True)
class Priced:
    """What a coarse flow tells: prices, tubes by group and piece, and units by group and lab.

    ``late_min`` is of each of its loads, ``late_share`` of all people.
    """

    prices: LabPrices
    flow: LabFlow
    volumes: Volumes
    lab_units: Ints
    late_min: Ints
    late_share: float


class Labs:
    """The labs of one round, for streams with a known load; see the module."""

    def __init__(self, instance: Instance, hours: LabHours, travel: Ints, load: Load) -> None:
        self.instance, self.hours, self.travel, self.load = instance, hours, travel, load
        self.units_per_tube = lcm(*np.unique(load.pool).tolist())

    def price(
        self,
        layout: Layout,
        people: Ints,
        front: Front | None = None,
        most: Ints | None = None,
        *,
        full_tubes: bool = True,
        known: LabPrices | None = None,
    ) -> Priced:
        """Send ``people[stream]`` through all labs at least cost, and read the prices.

        ``most[group, piece]`` limits what groups send, in units. With a front the people of its
        rows come from blocks instead; its rows are groups. Where they can, waves are filled to
        their last full tube, unless not ``full_tubes``; at ``known`` prices tubes that are not full
        cost what they leave empty.
        """
        first = layout.first
        per_person = self.units_per_tube // self.load.pool
        road = _middle(layout, self.travel)
        empty = None if known is None else self._cost_of_pieces(layout, road, known)
        last = LastTubes(self._prompt(layout, road), empty) if full_tubes else None
        supply = group_supply(layout, self.load, people, per_person, most, last)
        if front is not None:
            supply.supplies.units[np.unique(front.row[front.row >= 0])] = 0
        weights = self.instance.settings.weights
        reach = self._reach(layout, road, weights.late / per_person[first])
        flow = solve_labs(
            supply.supplies, reach, self.side(self.units_per_tube),
            weights.unserved / per_person[first], front,
        )  # fmt: skip
        unit = self.units_per_tube
        tubes = by_piece(layout, supply.supplies.row, supply.piece, flow.sent) / unit
        lab_units = np.zeros(reach.usable.shape, dtype=np.int64)
        np.add.at(lab_units, (flow.load_group, flow.load_lab), flow.load_units)
        prices = LabPrices(flow.hour_price * unit, flow.day_price * unit)
        free = self._free_pieces(layout, reach.travel_min, prices)
        late = flow.late_min(reach, self.side(1))
        share = _late_share(flow, late)
        return Priced(prices, flow, Volumes(tubes, free), lab_units, late, share)

    def _free_pieces(self, layout: Layout, travel: Ints, prices: LabPrices) -> Flags:
        """Return in which pieces a lab starts a group's tubes in time for nothing."""
        free: Flags = self._cost_of_pieces(layout, travel, prices) <= FREE
        return free

    def _prompt(self, layout: Layout, travel: Ints) -> Flags:
        """Return in which pieces labs could start a group's tubes in time, all where in none."""
        cost = self._cost_of_pieces(layout, travel, LabPrices.nothing(self.hours))
        found: Flags = (cost <= FREE) | (cost.min(axis=1, initial=np.inf) > FREE)[:, None]
        return found

    def _cost_of_pieces(self, layout: Layout, travel: Ints, prices: LabPrices) -> Floats:
        """Return what labs ask at least for a person of each piece, ``[group, piece]``."""
        pool = self.load.pool[layout.first]
        wave = np.maximum(layout.column(1), 0)
        costs = LabCosts(self.instance, self.hours, prices)
        found = np.zeros(wave.shape)
        for size in np.unique(pool).tolist():
            rows = np.flatnonzero(pool == size)
            cost = costs.wave_cost(travel[rows], size)
            found[rows] = np.take_along_axis(cost, wave[rows], axis=1)
        return found

    def desk(self, layout: Layout, wide: Layout, priced: Priced) -> Desk:
        """Return the labs for fine groups, in whole tubes; ``priced`` tells which labs serve."""
        first = layout.first
        late = self.instance.settings.weights.late * self.load.pool[first].astype(np.float64)
        far = self._reach(layout, _farthest(layout, self.travel), late)
        units = priced.lab_units[wide.group[first]]
        order = np.argsort(-units, axis=1, kind="stable")[:, :LABS_FOR_TUBES]
        chosen = np.zeros(units.shape, dtype=bool)
        np.put_along_axis(chosen, order, np.take_along_axis(units, order, axis=1) > 0, axis=1)
        near = replace(far, usable=far.usable & (chosen | far.nearest))
        left = self.instance.settings.weights.unserved * int(self.load.pool.max(initial=1))
        all_on_time = priced.late_share <= FEW_LATE
        prompt = self._prompt(layout, far.travel_min)
        return Desk(near, far, self.side(1), left, all_on_time, prompt)

    def _reach(self, layout: Layout, travel: Ints, late_cost: Floats) -> Reach:
        """Return how groups reach all labs that take their tubes."""
        slot = self.instance.settings.round.slot_minutes
        sample = np.zeros((layout.num_groups, self.instance.clock.num_waves), dtype=np.int64)
        for group, pieces in enumerate(layout.group_pieces):
            sample[group, pieces[::-1, 1]] = pieces[::-1, 2] * slot
        accepts = self.instance.labs.takes(self.load.pool[layout.first])
        order = np.argsort(np.where(accepts, travel, 1 << 30), axis=1, kind="stable")
        nearest = np.zeros(accepts.shape, dtype=bool)
        np.put_along_axis(nearest, order[:, :LABS_KEPT], values=True, axis=1)
        return Reach.of(travel, accepts, late_cost, sample, nearest & accepts)

    def side(self, per_tube: int) -> LabSide:
        """Return the labs, a tube counted as ``per_tube`` units."""
        whole = np.where(
            self.hours.open_from > self.hours.begin_min[None, :], 0, self.hours.capacity
        )  # a lab that opens within an hour is used from the next one on
        hours = replace(self.hours, capacity=whole)
        return LabSide(
            hours, Promise.of(self.instance), self.instance.labs.max_tubes_per_day,
            self.instance.settings.targets.max_holding_min, per_tube,
        )  # fmt: skip


def _late_share(flow: LabFlow, late: Ints) -> float:
    """Return the share of a flow that is late or not sent at all; ``late`` minutes by load."""
    bad = flow.load_units[late > 0].sum() + flow.left.sum()
    return float(bad / max(1, flow.load_units.sum() + flow.left.sum()))


def _middle(layout: Layout, travel: Ints) -> Ints:
    """Return the median minutes from a group's sites to each lab, ``[group, lab]``."""
    rows = [np.rint(np.median(travel[layout.site[m]], axis=0)) for m in layout.members]
    return np.array(rows, dtype=np.int64).reshape(layout.num_groups, travel.shape[1])


def _farthest(layout: Layout, travel: Ints) -> Ints:
    """Return the minutes from a group's farthest site to each lab, ``[group, lab]``."""
    rows = [travel[layout.site[m]].max(axis=0) for m in layout.members]
    return np.array(rows, dtype=np.int64).reshape(layout.num_groups, travel.shape[1])
