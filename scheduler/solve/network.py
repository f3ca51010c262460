"""The time-expanded network from groups of sites to lab hours (DESIGN.md section 3).

``row -> (group, wave) -> (lab, wave, first hour) -> lab hour -> lab day -> sink``. Sites that share
opening hours and lie close together form a group, because a tube's lateness depends on wave, lab
and hour only. A tube that is late stays late at a constant price per minute, so late tubes queue in
one chain per lab and pool class, whatever their wave: exact, and far smaller than an arc per (wave,
lab, hour).

Flow is counted in *units*. For the bound and the prices a tube has lcm(pool sizes) units, so that
mixed pools share a lab in whole numbers; to place whole tubes a unit is a tube.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from scheduler.domain.city import Flags, Floats, Ints
from scheduler.domain.ranges import steps
from scheduler.solve.flow import ArcList, Network, potentials, solve, solve_largest
from scheduler.solve.reach import Promise, start_min
from scheduler.solve.timeline import LabHours


@dataclass(frozen=True)
class Supplies:
    """What is sent: rows, and arcs from rows into (group, wave).

    ``units[row]``; then per arc ``row``, ``group``, ``wave``, ``capacity`` in units and ``cost`` in
    person-minutes per unit.
    """

    units: Ints
    row: Ints
    group: Ints
    wave: Ints
    capacity: Ints
    cost: Floats


@dataclass(frozen=True)
class Reach:
    """How groups reach labs.

    ``travel_min[group, lab]``, ``usable[group, lab]`` (pool size and candidate list),
    ``late_cost[group]`` per unit and minute, ``chain[group]`` numbers classes of equal late cost,
    ``first_sample_min[group, wave]`` is when the wave's oldest sample may be taken,
    ``nearest[group, lab]`` marks labs that are always kept. ``planned`` is the flow of whole tubes
    that the labs in use were taken from, if they were.
    """

    travel_min: Ints
    usable: Flags
    late_cost: Floats
    chain: Ints
    first_sample_min: Ints
    nearest: Flags
    planned: LabFlow | None = None

    @staticmethod
    def of(
        travel_min: Ints, usable: Flags, late_cost: Floats, first_sample_min: Ints, nearest: Flags
    ) -> Reach:
        """Return the reach of groups, those of equal late cost in one class."""
        _, chain = np.unique(np.round(late_cost, 12), return_inverse=True)
        return Reach(travel_min, usable, late_cost, chain, first_sample_min, nearest)

    def with_labs_of(self, flow: LabFlow) -> Reach:
        """Return the reach cut down to the labs that a flow used, and the nearest ones."""
        usable = self.nearest & self.usable
        usable[flow.load_group, flow.load_lab] = True
        return replace(self, usable=usable, planned=flow)

    def joined(self, copies: Ints, share: Floats) -> Reach:
        """Return the reach with copies of groups after them.

        ``share[group]`` is what a unit counts of each then, of those before.
        """
        every = np.concatenate((np.arange(len(self.chain)), copies))
        return Reach.of(
            self.travel_min[every], self.usable[every], self.late_cost[every] * share,
            self.first_sample_min[every], self.nearest[every],
        )  # fmt: skip


@dataclass(frozen=True)
class Front:
    """Blocks and sites before the rows: block -> site -> row.

    ``block_units[block]``; per pair ``block``, ``site`` and ``cost`` per unit; per site ``row``
    (-1: none) and ``capacity`` in units; ``left_cost`` per unit of a block that is not sent.
    """

    block_units: Ints
    block: Ints
    site: Ints
    cost: Floats
    row: Ints
    capacity: Ints
    left_cost: float


@dataclass(frozen=True)
class LabFlow:
    """The solved network.

    ``sent[arc]`` follows ``Supplies``; ``left[row]`` was not sent; the load columns list units of a
    (group, wave) started in a lab's hour; ``hour_price[lab, hour]`` and ``day_price[lab, day]`` are
    in person-minutes per unit.
    """

    sent: Ints
    left: Ints
    load_group: Ints
    load_wave: Ints
    load_lab: Ints
    load_hour: Ints
    load_units: Ints
    hour_price: Floats
    day_price: Floats
    pair_units: Ints
    site_price: Floats

    def with_more(self, other: LabFlow) -> LabFlow:
        """Return this flow with the loads of another, which sends what this one left."""
        names = ("load_group", "load_wave", "load_lab", "load_hour", "load_units")
        both = {n: np.concatenate((getattr(self, n), getattr(other, n))) for n in names}
        return replace(self, left=other.left, **both)

    def started(self, shape: tuple[int, ...]) -> Ints:
        """Return the units that labs start in each hour, ``[lab, hour]`` of a shape."""
        units = np.zeros(shape, dtype=np.int64)
        np.add.at(units, (self.load_lab, self.load_hour), self.load_units)
        return units

    def late_min(self, reach: Reach, labs: LabSide) -> Ints:
        """Return by how many minutes each load comes after the promise."""
        arrive = labs.promise.pickup_min[self.load_wave]
        arrive = arrive + reach.travel_min[self.load_group, self.load_lab]
        start = np.maximum(arrive, labs.hours.begin_min[self.load_hour])
        return labs.promise.late_min(self.load_wave, self.load_lab, start)


@dataclass(frozen=True)
class LabSide:
    """The labs as the network sees them; ``per_tube`` units make a tube."""

    hours: LabHours
    promise: Promise
    max_tubes_per_day: Ints
    max_holding_min: int
    per_tube: int


def solve_labs(
    supplies: Supplies,
    reach: Reach,
    labs: LabSide,
    left_cost: Floats,
    front: Front | None = None,
) -> LabFlow:
    """Send all rows through the labs at least cost; ``left_cost[row]`` prices not sending."""
    return _Builder(supplies, reach, labs, left_cost, front).run()


def send_on_time(supplies: Supplies, reach: Reach, labs: LabSide) -> LabFlow:
    """Send as much as the labs can start within the promise; costs do not count, nor do prices."""
    none = np.zeros(len(supplies.units))
    return _Builder(supplies, reach, labs, none, None, on_time_only=True).run()


class _Builder:
    """Numbers the nodes, adds one family of arcs after the other, solves and reads back."""

    def __init__(
        self,
        supplies: Supplies,
        reach: Reach,
        labs: LabSide,
        left_cost: Floats,
        front: Front | None,
        *,
        on_time_only: bool = False,
    ) -> None:
        self.on_time_only = on_time_only
        self.supplies, self.reach, self.labs, self.left_cost = supplies, reach, labs, left_cost
        self.front = front
        everything = supplies.units.sum() + (front.block_units.sum() if front else 0)
        self.big = int(everything)
        self.num_labs, self.num_hours = labs.hours.capacity.shape
        self.num_waves = len(labs.promise.pickup_min)
        self.arcs = ArcList()
        self.next_node = 0

    def nodes(self, count: int) -> int:
        first, self.next_node = self.next_node, self.next_node + count
        return first

    def run(self) -> LabFlow:
        supplies = self.supplies
        rows = self.nodes(len(supplies.units))
        self._number_group_waves()
        self.hour_node = self.nodes(self.num_labs * self.num_hours)
        self.sink = self.nodes(1)
        sent = self.arcs.add(
            rows + supplies.row, self.gw_node[supplies.group, supplies.wave],
            supplies.capacity, supplies.cost,
        )  # fmt: skip
        left = self.arcs.add(
            rows + np.arange(len(supplies.units)), self.sink,
            0 if self.on_time_only else supplies.units, self.left_cost,
        )  # fmt: skip
        self._add_roads()
        self._add_hours()
        pairs = self._add_front(rows)
        supply = np.zeros(self.next_node, dtype=np.int64)
        supply[rows : rows + len(supplies.units)] = supplies.units
        if self.front is not None:
            supply[self.block_node : self.block_node + len(self.front.block_units)] = (
                self.front.block_units
            )
        supply[self.sink] = -self.big
        network = self.arcs.network(supply)
        if self.on_time_only:
            return self._read_largest(solve_largest(network), sent)
        return self._read(network, solve(network), (sent, left, pairs))

    def _add_front(self, rows: int) -> slice:
        """Add arcs from blocks to sites, and from sites to their rows."""
        front = self.front
        self.site_node = self.next_node
        if front is None:
            return slice(0, 0)
        self.block_node = self.nodes(len(front.block_units))
        self.site_node = self.nodes(len(front.row))
        pairs = self.arcs.add(
            self.block_node + front.block, self.site_node + front.site,
            front.block_units[front.block], front.cost,
        )  # fmt: skip
        some = np.flatnonzero(front.row >= 0)
        self.arcs.add(self.site_node + some, rows + front.row[some], front.capacity[some], 0)
        blocks = np.arange(len(front.block_units))
        self.arcs.add(
            self.block_node + blocks, self.sink, front.block_units,
            front.left_cost,
        )  # fmt: skip
        return pairs

    def _number_group_waves(self) -> None:
        used = np.zeros((len(self.reach.chain), self.num_waves), dtype=bool)
        used[self.supplies.group, self.supplies.wave] = True
        self.gw_node = np.full(used.shape, -1, dtype=np.int64)
        self.gw_node[used] = self.nodes(int(used.sum())) + np.arange(int(used.sum()))
        self.gw_group, self.gw_wave = np.nonzero(used)

    def _add_roads(self) -> None:
        """Add arcs from (group, wave) to (lab, wave, first hour), and from there to hours."""
        pair, lab = np.nonzero(self.reach.usable[self.gw_group])
        group, wave = self.gw_group[pair], self.gw_wave[pair]
        arrive = self.labs.promise.pickup_min[wave] + self.reach.travel_min[group, lab]
        fresh = arrive - self.reach.first_sample_min[group, wave] <= self.labs.max_holding_min
        group, wave, lab, arrive = group[fresh], wave[fresh], lab[fresh], arrive[fresh]
        hours, promise = self.labs.hours, self.labs.promise
        hour = hours.index(arrive)
        start, allowed = start_min(hours, lab, hour, arrive)
        late = promise.late_min(wave, lab, start)
        on_time = allowed & (late == 0)
        self._add_on_time(group, wave, lab, np.where(on_time, hour, hour + 1))
        direct = np.zeros_like(allowed) if self.on_time_only else allowed & ~on_time
        self._add_late_arrival(group, wave, lab, hour, late, direct)

    def _add_on_time(self, group: Ints, wave: Ints, lab: Ints, hour: Ints) -> None:
        """Add roads into nodes (lab, wave, hour, chain), their free hours and their late entry."""
        chain, classes = self.reach.chain[group], int(self.reach.chain.max(initial=0)) + 1
        key = ((lab * self.num_waves + wave) * (self.num_hours + 2) + hour) * classes + chain
        distinct, first, which = np.unique(key, return_index=True, return_inverse=True)
        node = self.nodes(len(distinct))
        self.road = self.arcs.add(self.gw_node[group, wave], node + which, self.big, 0)
        self.road_group, self.road_wave, self.road_node = group, wave, which
        self._add_hours_of(
            node + np.arange(len(distinct)), lab[first], wave[first], hour[first], group[first]
        )

    def _add_hours_of(self, node: Ints, lab: Ints, wave: Ints, hour: Ints, group: Ints) -> None:
        """Add free arcs to the hours that keep the promise, and one arc into the late chain."""
        promise, hours = self.labs.promise, self.labs.hours
        last = hours.index(promise.due_min[wave] - promise.processing_min[lab])
        count = np.maximum(0, np.minimum(last, self.num_hours - 1) - hour + 1)
        at = np.repeat(np.arange(len(node)), count)
        to = hour[at] + steps(count)
        whole = hours.open_from[lab[at], to] == hours.begin_min[to]
        at, to = at[whole], to[whole]
        self.free = self.arcs.add(node[at], self._hour(lab[at], to), self.big, 0)
        self.free_node, self.free_lab, self.free_hour = at, lab[at], to
        entry = self.num_hours if self.on_time_only else np.maximum(hour, last + 1)
        self._add_late_chain(node, lab, wave, np.broadcast_to(entry, hour.shape), group)

    def _add_late_chain(self, node: Ints, lab: Ints, wave: Ints, hour: Ints, group: Ints) -> None:
        hours, promise = self.labs.hours, self.labs.promise
        classes = int(self.reach.chain.max()) + 1
        self.chain_node = self.nodes(classes * self.num_labs * self.num_hours)
        inside = hour < self.num_hours
        entry = np.flatnonzero(inside)
        lab_e, hour_e, group_e = lab[entry], hour[entry], group[entry]
        late = promise.late_min(wave[entry], lab_e, hours.begin_min[hour_e])
        self.entry = self.arcs.add(
            node[entry], self._chain(self.reach.chain[group_e], lab_e, hour_e), self.big,
            late * self.reach.late_cost[group_e],
        )  # fmt: skip
        self.entry_node = entry
        self.entry_key = self._chain(self.reach.chain[group_e], lab_e, hour_e) - self.chain_node
        rate = np.zeros(classes)
        rate[self.reach.chain] = self.reach.late_cost
        grid = np.arange(classes * self.num_labs * self.num_hours)
        hour_g, lab_g = grid % self.num_hours, grid // self.num_hours % self.num_labs
        whole = (hours.capacity[lab_g, hour_g] > 0) & (
            hours.open_from[lab_g, hour_g] == hours.begin_min[hour_g]
        )
        out = grid[whole]
        self.out = self.arcs.add(
            self.chain_node + out, self._hour(lab_g[out], hour_g[out]), self.big, 0
        )
        self.out_key = out
        on = grid[hour_g < self.num_hours - 1]
        self.arcs.add(
            self.chain_node + on, self.chain_node + on + 1, self.big,
            60.0 * rate[on // self.num_hours // self.num_labs],
        )  # fmt: skip

    def _add_late_arrival(
        self, group: Ints, wave: Ints, lab: Ints, hour: Ints, late: Ints, keep: Flags
    ) -> None:
        """Add direct arcs for tubes already late when they arrive, started in that very hour."""
        group, wave, lab, hour = group[keep], wave[keep], lab[keep], hour[keep]
        self.direct = self.arcs.add(
            self.gw_node[group, wave], self._hour(lab, hour), self.big,
            late[keep] * self.reach.late_cost[group],
        )  # fmt: skip
        self.direct_columns = (group, wave, lab, hour)

    def _add_hours(self) -> None:
        hours, per = self.labs.hours, self.labs.per_tube
        lab, hour = np.nonzero(hours.capacity)
        day = hours.day - hours.day.min()
        days = int(day.max()) + 1
        self.day_node = np.full((self.num_labs, days), self.sink)
        limited = np.flatnonzero(self.labs.max_tubes_per_day >= 0)
        if len(limited):
            tail = self.nodes(len(limited) * days) + np.arange(len(limited) * days)
            self.day_node[limited] = tail.reshape(len(limited), days)
            cap = np.repeat(self.labs.max_tubes_per_day[limited], days) * per
            self.arcs.add(tail, np.full(len(tail), self.sink), cap, 0)
        head = self.day_node[lab, day[hour]]
        self.arcs.add(self._hour(lab, hour), head, hours.capacity[lab, hour] * per, 0)
        self.hour_lab, self.hour_hour = lab, hour

    def _hour(self, lab: Ints, hour: Ints) -> Ints:
        node: Ints = self.hour_node + lab * self.num_hours + hour
        return node

    def _chain(self, chain: Ints, lab: Ints, hour: Ints) -> Ints:
        node: Ints = self.chain_node + (chain * self.num_labs + lab) * self.num_hours + hour
        return node

    def _read(self, network: Network, flow: Ints, arcs: tuple[slice, slice, slice]) -> LabFlow:
        price = potentials(network, flow)
        day_price = np.maximum(0, price[self.sink] - price[self.day_node])
        hour_price = np.zeros((self.num_labs, self.num_hours))
        lab, hour = self.hour_lab, self.hour_hour
        day = (self.labs.hours.day - self.labs.hours.day.min())[hour]
        gain = price[self.day_node[lab, day]] - price[self._hour(lab, hour)]
        hour_price[lab, hour] = np.maximum(0, gain)
        load = self._loads(flow)
        sites = 0 if self.front is None else len(self.front.row)
        site_price = price[self.sink] - price[self.site_node : self.site_node + sites]
        return LabFlow(
            flow[arcs[0]], flow[arcs[1]], *load, hour_price, day_price, flow[arcs[2]], site_price
        )

    def _read_largest(self, flow: Ints, sent: slice) -> LabFlow:
        supplies, none = self.supplies, np.empty(0)
        out = np.bincount(supplies.row, weights=flow[sent], minlength=len(supplies.units))
        left = supplies.units - np.rint(out).astype(np.int64)
        prices = (np.zeros((self.num_labs, self.num_hours)), np.zeros((self.num_labs, 1)))
        nobody = np.empty(0, dtype=np.int64)
        return LabFlow(flow[sent], left, *self._loads(flow), *prices, nobody, none)

    def _loads(self, flow: Ints) -> tuple[Ints, Ints, Ints, Ints, Ints]:
        """Split the flow through shared nodes among groups: first come, first served."""
        chain_lab = self.out_key // self.num_hours % self.num_labs
        entry, out, pieces = match(
            self.entry_key // self.num_hours, flow[self.entry], self.entry_key % self.num_hours,
            self.out_key // self.num_hours, flow[self.out], self.out_key % self.num_hours,
        )  # fmt: skip
        node = np.concatenate((self.free_node, self.entry_node[entry]))
        lab = np.concatenate((self.free_lab, chain_lab[out]))
        hour = np.concatenate((self.free_hour, self.out_key[out] % self.num_hours))
        amount = np.concatenate((flow[self.free], pieces))
        road, use, units = match(
            self.road_node, flow[self.road], np.zeros(len(self.road_node), dtype=np.int64),
            node, amount, hour,
        )  # fmt: skip
        group, wave, to_lab, to_hour = self.direct_columns
        direct = flow[self.direct]
        some = direct > 0
        return (
            np.concatenate((self.road_group[road], group[some])),
            np.concatenate((self.road_wave[road], wave[some])),
            np.concatenate((lab[use], to_lab[some])),
            np.concatenate((hour[use], to_hour[some])),
            np.concatenate((units, direct[some])),
        )


def match(
    in_key: Ints, in_units: Ints, in_order: Ints, out_key: Ints, out_units: Ints, out_order: Ints
) -> tuple[Ints, Ints, Ints]:
    """Pair what enters with what leaves under equal keys, first in first out.

    Per key the sums must agree. Returns indices into the in and out columns and the units of each
    pair.
    """
    ins = _ordered(in_key, in_units, in_order)
    outs = _ordered(out_key, out_units, out_order)
    in_end, out_end = np.cumsum(in_units[ins]), np.cumsum(out_units[outs])
    ends = np.union1d(in_end, out_end)
    units = np.diff(ends, prepend=0)
    return (
        ins[np.searchsorted(in_end, ends)],
        outs[np.searchsorted(out_end, ends)],
        units,
    )


def _ordered(key: Ints, units: Ints, order: Ints) -> Ints:
    some = np.flatnonzero(units > 0)
    return some[np.lexsort((order[some], key[some]))]
