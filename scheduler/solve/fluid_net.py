"""Arcs of the fluid, and what flows through them; see ``scheduler.solve.fluid``."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import lcm

import numpy as np
from ortools.graph.python import max_flow, min_cost_flow

from scheduler.domain.city import Flags, Floats, Ints, Texts
from scheduler.domain.instance import Instance
from scheduler.domain.lab_arithmetic import travel_to_labs
from scheduler.domain.ranges import steps
from scheduler.solve.fluid_city import (
    District,
    Groups,
    LabClock,
    demand_of,
    group_sites,
    lab_clock,
    wave_room,
)

HOUR_MIN = 60
LATE_PRICE, EACH_LATE_PRICE, LEFT_PRICE = 100, 10_000_000, 1_000_000_000
"""Prices by the unit: of a minute late, of being late at all, of not being swabbed; a wave later
costs 1. So as few tubes as possible are late, and these as little as possible."""


@dataclass(frozen=True)
class Late:
    """Where and when tubes come late, columns of equal length.

    ``district`` of the people; their wave begins at ``wave_min``; ``arrive_min`` and ``needed_min``
    are when the tubes reach their laboratory and when it would have had to start them;
    ``start_min`` is when it does.
    ``unswabbed`` counts people by district for whom no lane is left.
    """

    district: Texts
    wave_min: Ints
    arrive_min: Ints
    needed_min: Ints
    start_min: Ints
    tubes: Floats
    unswabbed: dict[str, int]


class Terrain:
    """What the network of one round stands on; ``quota[site]`` is people per slot."""

    def __init__(self, instance: Instance, quota: Ints) -> None:
        self.instance = instance
        self.pools = np.array(instance.settings.pooling.by_zone(), dtype=np.int64)
        self.groups: Groups = group_sites(instance, quota)
        self.room = wave_room(instance, quota, self.groups)
        self.hours: LabClock = lab_clock(instance)
        self.demand: list[District] = demand_of(instance, self.groups)
        used = sorted({d.pool for d in self.demand}) or [1]
        self.per_tube = lcm(*used)
        people = {k: sum(d.people for d in self.demand if d.pool == k) for k in used}
        self.main_pool = max(people, key=lambda k: people[k])
        travel = travel_to_labs(instance)
        self.travel = np.array(
            [travel[members].min(axis=0) for members in self.groups.members], dtype=np.int64
        ).reshape(len(self.groups.members), len(instance.labs))

    @cached_property
    def roads(self) -> dict[str, Ints]:
        """Return columns of (group, wave, lab) with arrival and latest start in time."""
        wave_min = self.instance.settings.round.wave_minutes
        promise = round(self.instance.settings.targets.result_hours * HOUR_MIN)
        fresh = self.instance.settings.targets.max_holding_min
        slot = self.instance.settings.round.slot_minutes
        group, wave = np.nonzero(self.room)
        pair, lab = np.nonzero((self.travel[group] + slot <= fresh) & self.hours.works[None, :])
        group, wave = group[pair], wave[pair]
        arrive = (wave + 1) * wave_min + self.travel[group, lab]
        needed = wave * wave_min + promise - self.instance.labs.processing_min[lab]
        return {"group": group, "wave": wave, "lab": lab, "arrive": arrive, "needed": needed}

    def accepts(self, pool: int, lab: Ints) -> Flags:
        """Return whether laboratories take a pool size."""
        good: Flags = self.instance.labs.takes(np.array([pool]))[0, lab]
        return good


class Net:
    """Arcs as they are added."""

    def __init__(self, fluid: Terrain, more: tuple[int, int] | None = None) -> None:
        self.fluid, self.more = fluid, more
        self._columns: list[tuple[Ints, Ints, Ints, Ints]] = []
        self._count = self._nodes = 0
        self.source, self.sink = self.nodes(1), self.nodes(1)
        labs, hours = fluid.hours.capacity.shape
        self.hour = self.nodes(labs * hours)
        self.units = sum(d.people * (fluid.per_tube // d.pool) for d in fluid.demand)

    def nodes(self, count: int) -> int:
        """Give numbers to the next nodes, and return the first."""
        first, self._nodes = self._nodes, self._nodes + count
        return first

    def add(
        self, tail: Ints | int, head: Ints | int, capacity: Ints | int, cost: Ints | int
    ) -> slice:
        """Add arcs, and return where their flows will stand."""
        arrays = np.broadcast_arrays(np.atleast_1d(tail), head, capacity, cost)
        self._columns.append(tuple(np.asarray(a, dtype=np.int64) for a in arrays))  # type: ignore[arg-type]  # four columns
        first, self._count = self._count, self._count + len(arrays[0])
        return slice(first, self._count)

    def add_people(self) -> None:
        """Add source -> district and pool -> (group, wave) of the pool; lanes hold the main pool.

        People of other pools, few, get lanes of their own: that can only make more possible.
        """
        fluid = self.fluid
        shape = fluid.room.shape
        pools = sorted({d.pool for d in fluid.demand})
        self.leave = {k: self.nodes(fluid.room.size) for k in pools}
        enter = self.nodes(fluid.room.size)
        main = fluid.per_tube // fluid.main_pool
        some = np.flatnonzero(fluid.room)
        if fluid.main_pool in self.leave:
            self.add(enter + some, self.leave[fluid.main_pool] + some,
                     fluid.room.ravel()[some] * main, 0)  # fmt: skip
        self.people: list[tuple[District, int, Ints, slice]] = []
        wave = np.arange(shape[1])
        for district in fluid.demand:
            node = self.nodes(1)
            units = district.people * (fluid.per_tube // district.pool)
            self.add(self.source, node, units, 0)
            to = enter if district.pool == fluid.main_pool else self.leave[district.pool]
            at = (district.groups[:, None] * shape[1] + wave).ravel()
            at = at[fluid.room.ravel()[at] > 0]
            arcs = self.add(np.full(len(at), node), to + at, units, at % shape[1])
            self.people.append((district, node, at, arcs))

    def add_roads(self, keep: Flags) -> dict[str, Ints]:
        """Add (group, wave) of each pool -> (lab, wave, hour of arrival), and number the latter."""
        fluid, roads = self.fluid, self.fluid.roads
        kept = {name: column[keep] for name, column in roads.items()}
        waves = fluid.room.shape[1]
        hour = fluid.hours.index(kept["arrive"])
        key = (kept["lab"] * waves + kept["wave"]) * len(fluid.hours.begin_min) + hour
        distinct, first, which = np.unique(key, return_index=True, return_inverse=True)
        node = self.nodes(len(distinct))
        self.road_of: list[tuple[int, Ints, slice]] = []
        for pool, leave in self.leave.items():
            good = np.flatnonzero(fluid.accepts(pool, kept["lab"]))
            at = kept["group"][good] * waves + kept["wave"][good]
            arcs = self.add(leave + at, node + which[good], self.units, 0)
            self.road_of.append((pool, good, arcs))
        found = {name: column[first] for name, column in kept.items()}
        found["arrive"] = _least(kept["arrive"], which, len(distinct))
        return {**found, "node": node + np.arange(len(distinct)), "hour": hour[first],
                "which": which}  # fmt: skip

    def add_in_time(self, roads: dict[str, Ints]) -> None:
        """Add (lab, wave, hour of arrival) -> hours in which a start keeps the promise."""
        fluid = self.fluid
        last = fluid.hours.index(roads["needed"])
        good = roads["arrive"] <= roads["needed"]
        count = np.where(good, np.maximum(last - roads["hour"] + 1, 0), 0)
        at = np.repeat(np.arange(len(count)), count)
        hour = roads["hour"][at] + steps(count)
        usable = fluid.hours.capacity[roads["lab"][at], hour] > 0
        at, hour = at[usable], hour[usable]
        self.add(roads["node"][at], self._hour(roads["lab"][at], hour), self.units, 0)

    def add_late(self, roads: dict[str, Ints]) -> None:
        """Add a chain of waiting per laboratory; a tube-minute late costs ``LATE_PRICE``."""
        fluid = self.fluid
        labs, hours = fluid.hours.capacity.shape
        chain = self.nodes(labs * hours)
        begin = fluid.hours.begin_min
        entry = np.maximum(roads["hour"], fluid.hours.index(roads["needed"]) + 1)
        inside = entry < hours
        entry = np.minimum(entry, hours - 1)
        cost = np.maximum(roads["arrive"], begin[entry]) - roads["needed"]
        self.entry = self.add(
            roads["node"][inside], chain + roads["lab"][inside] * hours + entry[inside],
            self.units, EACH_LATE_PRICE + LATE_PRICE * np.maximum(cost[inside], 1),
        )  # fmt: skip
        self.entry_road = np.flatnonzero(inside)
        lab, hour = np.nonzero(fluid.hours.capacity)
        self.out = self.add(chain + lab * hours + hour, self._hour(lab, hour), self.units, 0)
        on = np.arange(labs * hours).reshape(labs, hours)[:, :-1].ravel()
        self.add(chain + on, chain + on + 1, self.units, LATE_PRICE * HOUR_MIN)
        self.roads = roads

    def add_hours(self) -> None:
        """Add hours -> (days of limited laboratories ->) sink."""
        fluid = self.fluid
        hours, per = fluid.hours, fluid.per_tube
        lab, hour = np.nonzero(hours.capacity)
        limit = fluid.instance.labs.max_tubes_per_day
        days = int(hours.day.max()) + 1
        day = self.nodes(len(limit) * days)
        limited = limit[lab] >= 0
        head = np.where(limited, day + lab * days + hours.day[hour], self.sink)
        tubes = hours.capacity[lab, hour]
        if self.more is not None:
            tubes = tubes + np.where(lab == self.more[0], self.more[1], 0)
        self.add(self._hour(lab, hour), head, tubes * per, 0)
        some = np.flatnonzero(limit >= 0)
        tail = (day + some[:, None] * days + np.arange(days)).ravel()
        if len(tail):
            self.add(tail, self.sink, np.repeat(limit[some], days) * per, 0)

    def _hour(self, lab: Ints, hour: Ints) -> Ints:
        node: Ints = self.hour + lab * self.fluid.hours.capacity.shape[1] + hour
        return node

    # Solving

    def _arcs(self) -> tuple[Ints, Ints, Ints, Ints]:
        tail, head, capacity, cost = (np.concatenate(c) for c in zip(*self._columns, strict=True))
        return tail, head, capacity, cost

    def max_flow(self) -> int:
        """Return the units that reach the sink."""
        tail, head, capacity, _ = self._arcs()
        solver = max_flow.SimpleMaxFlow()
        solver.add_arcs_with_capacity(tail, head, capacity)
        status = solver.solve(self.source, self.sink)
        if status != solver.OPTIMAL:
            raise RuntimeError(f"Expected a maximum flow, got {status!s}")
        return int(solver.optimal_flow())

    def late_flow(self) -> Late:
        """Return what comes late at least cost."""
        left = [
            self.add(node, self.sink, d.people * (self.fluid.per_tube // d.pool), LEFT_PRICE)
            for d, node, _, _ in self.people
        ]
        tail, head, capacity, cost = self._arcs()
        solver = min_cost_flow.SimpleMinCostFlow()
        solver.add_arcs_with_capacity_and_unit_cost(tail, head, capacity, cost)
        supply = np.zeros(self._nodes, dtype=np.int64)
        supply[self.source], supply[self.sink] = self.units, -self.units
        solver.set_nodes_supplies(np.arange(self._nodes), supply)
        status = solver.solve()
        if status != solver.OPTIMAL:
            raise RuntimeError(f"Expected a flow of least cost, got {status!s}")
        flow: Ints = solver.flows(np.arange(len(tail)))
        return self._read(flow, left)

    def _read(self, flow: Ints, left: list[slice]) -> Late:
        """Share late tubes of a road among the districts that use it, in proportion."""
        fluid, roads = self.fluid, self.roads
        late_units = np.zeros(len(roads["node"]), dtype=np.float64)
        np.add.at(late_units, self.entry_road, flow[self.entry].astype(np.float64))
        rows = self._by_district(flow, late_units)
        hours = fluid.hours
        entry = np.maximum(roads["hour"], hours.index(roads["needed"]) + 1)
        start = np.maximum(
            roads["arrive"], hours.begin_min[np.minimum(entry, len(hours.begin_min) - 1)]
        )
        unswabbed: dict[str, int] = {}
        for (district, _, _, _), arcs in zip(self.people, left, strict=True):
            missing = -(-int(flow[arcs].sum()) * district.pool // fluid.per_tube)
            if missing:
                unswabbed[district.name] = unswabbed.get(district.name, 0) + missing
        at = np.array([road for _, road, _ in rows], dtype=np.int64)
        return Late(
            np.array([name for name, _, _ in rows], dtype=object),
            roads["wave"][at] * fluid.instance.settings.round.wave_minutes, roads["arrive"][at],
            roads["needed"][at], start[at],
            np.array([units / fluid.per_tube for _, _, units in rows]), unswabbed,
        )  # fmt: skip

    def _by_district(self, flow: Ints, late: Floats) -> list[tuple[str, int, float]]:
        """Return (district, road, late units)."""
        waves = self.fluid.room.shape[1]
        share = self._shares(flow)
        through = np.zeros(len(late))
        parts: dict[tuple[str, int], float] = {}
        kept = self.fluid.roads
        which = self.roads["which"]
        for pool, good, arcs in self.road_of:
            units = flow[arcs].astype(np.float64)
            np.add.at(through, which[good], units)
            at = kept["group"][good] * waves + kept["wave"][good]
            for row in np.flatnonzero(units * (late[which[good]] > 0)).tolist():
                for name, part in share.get((pool, int(at[row])), {}).items():
                    key = name, int(which[good][row])
                    parts[key] = parts.get(key, 0.0) + units[row] * part
        return [
            (name, road, units * late[road] / through[road])
            for (name, road), units in sorted(parts.items())
        ]

    def _shares(self, flow: Ints) -> dict[tuple[int, int], dict[str, float]]:
        """Return the districts' shares of the people of a pool in a group and wave."""
        found: dict[tuple[int, int], dict[str, float]] = {}
        for district, _, at, arcs in self.people:
            units = flow[arcs]
            for row in np.flatnonzero(units).tolist():
                names = found.setdefault((district.pool, int(at[row])), {})
                names[district.name] = names.get(district.name, 0.0) + float(units[row])
        return {
            key: {name: units / sum(names.values()) for name, units in names.items()}
            for key, names in found.items()
        }


def _least(value: Ints, which: Ints, count: int) -> Ints:
    found = np.full(count, np.iinfo(np.int64).max)
    np.minimum.at(found, which, value)
    return found
