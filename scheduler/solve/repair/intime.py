"""How many tubes labs can take within the promise, and which: one maximum flow.

``site and wave -> (lab, wave, first hour) -> lab hour -> lab day``. Where all tubes pass, the flow
is the answer and nothing is late. Where they do not, what is left over is the least number of tubes
that must be late or filled at another time, whatever is sent where: that is proved by the cut.
Sites are joined only where they reach every lab in the same hour, so that nothing is rounded.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from ortools.graph.python import max_flow

from scheduler.domain.city import Flags, Ints
from scheduler.solve.repair.outside import HOUR_MIN, match
from scheduler.solve.repair.post import Groups, Kept, Post, free_hours
from scheduler.solve.repair.rows import Sent

_NEVER = 127
_SEED = 20201222


@dataclass(frozen=True)
class _Arcs:
    tail: Ints
    head: Ints
    capacity: Ints


def send_in_time(post: Post, groups: Groups, kept: Kept) -> tuple[Sent, Ints, Flags]:
    """Send as many tubes as labs can take in time.

    Returns the consignments, the tubes left per group, and the groups on the source's side of the
    cut: from these at least so many tubes have to go.
    """
    rows = np.flatnonzero(kept.tubes > 0)
    over, tight = np.zeros_like(groups.tubes), np.zeros(len(groups), dtype=bool)
    if not len(rows):
        return kept.sent.where(np.zeros(len(kept.sent), dtype=bool)), over, tight
    flow = _Flow(post, groups, kept, rows)
    row, lab, hour, tubes = flow.solve()
    sent_tubes = np.bincount(row, tubes, len(rows)).astype(np.int64)
    over[rows] = kept.tubes[rows] - sent_tubes
    tight[rows] = flow.tight[flow.node]
    return _consignments(post, groups, kept, rows, (row, lab, hour, tubes)), over, tight


def _consignments(
    post: Post, groups: Groups, kept: Kept, rows: Ints, columns: tuple[Ints, Ints, Ints, Ints]
) -> Sent:
    row, lab, hour, tubes = columns
    order = np.lexsort((lab, hour, row))
    row, lab, hour, tubes = row[order], lab[order], hour[order], tubes[order]
    site, wave, zone = (c[rows[row]] for c in (groups.site, groups.wave, groups.zone))
    pool = post.pools[zone]
    before = np.cumsum(tubes) - tubes
    before -= before[np.searchsorted(row, row)] if len(row) else before
    there = kept.people[rows[row]]
    people = np.minimum((before + tubes) * pool, there) - np.minimum(before * pool, there)
    pickup = (wave + 1) * post.wave_min
    road = post.road(site, post.delays(site, wave))[np.arange(len(row)), lab]
    start = np.maximum(pickup + road, post.hours.begin_min[hour])
    return Sent(site, lab, zone, wave, pickup + road, start, tubes, people)


class _Flow:
    """Numbers the nodes, adds the arcs, solves, and reads who sends what where."""

    def __init__(self, post: Post, groups: Groups, kept: Kept, rows: Ints) -> None:
        self.post, self.units = post, kept.tubes[rows]
        self.num_labs, self.num_hours = post.hours.capacity.shape
        self.free = free_hours(post, kept.sent)
        self.kept = kept.sent
        wave = groups.wave[rows]
        reach = self._reach(groups.site[rows], wave, groups.zone[rows], groups.first_slot[rows])
        self.tight: Flags = np.zeros(0, dtype=bool)
        self.node, first = _alike(np.column_stack((wave, reach)))
        self.wave, self.reach = wave[first], reach[first]

    def _reach(self, site: Ints, wave: Ints, zone: Ints, first_slot: Ints) -> Ints:
        """Return the first hour after the pick-up's, per row and lab, in which tubes may start.

        ``_NEVER`` where no start there keeps the promise, the holding time or the pool size.
        """
        post, targets = self.post, self.post.instance.settings.targets
        pickup = ((wave + 1) * post.wave_min)[:, None]
        road = post.road(site, post.delays(site, wave))
        arrive = pickup + road
        hour = np.minimum(post.hours.index(arrive), self.num_hours - 1)
        begin = post.hours.begin_min[hour]
        due = pickup - post.wave_min + targets.result_hours * HOUR_MIN
        processing = post.instance.labs.processing_min[None, :]
        labs = np.arange(self.num_labs)[None, :]
        at_once = arrive + processing <= due
        at_once &= (arrive == begin) | self._whole()[labs, hour]
        first = np.where(at_once, hour, hour + 1)
        good = post.accepted()[zone] & (first < self.num_hours)
        start = np.maximum(arrive, post.hours.begin_min[np.minimum(first, self.num_hours - 1)])
        good &= start + processing <= due
        oldest = (first_slot * post.instance.settings.round.slot_minutes)[:, None]
        good &= arrive - oldest <= targets.max_holding_min
        base = post.hours.index(pickup)
        result: Ints = np.where(good, first - base, _NEVER)
        return result

    def _whole(self) -> Flags:
        """Return which hours a lab is open throughout."""
        shape = (self.num_labs, self.num_hours, HOUR_MIN)
        return np.asarray(np.all(self.post.hours.is_open.reshape(shape), axis=2))

    def solve(self) -> tuple[Ints, Ints, Ints, Ints]:
        """Return row, lab, hour and tubes of what is sent."""
        num_nodes = len(self.wave)
        supply = np.bincount(self.node, self.units, num_nodes).astype(np.int64)
        big = int(supply.sum())
        node, lab = np.nonzero(self.reach != _NEVER)
        pickup = (self.wave[node] + 1) * self.post.wave_min
        hour = self.post.hours.index(pickup) + self.reach[node, lab]
        waves = int(self.wave.max()) + 1
        key, middle = np.unique((lab * waves + self.wave[node]) * self.num_hours + hour,
                                return_inverse=True)  # fmt: skip
        middle = middle.reshape(-1)
        mid_lab, mid_wave, mid_hour = (
            key // self.num_hours // waves, key // self.num_hours % waves, key % self.num_hours,
        )  # fmt: skip
        at, to = self._hours_in_time(mid_lab, mid_wave, mid_hour)
        used_lab, used_hour = np.nonzero(self.free)
        source, mid0 = num_nodes, num_nodes + 1
        hour0 = mid0 + len(key)
        day0 = hour0 + self.num_labs * self.num_hours
        day, limit = self._days()
        sink = day0 + len(limit)
        days = day[used_lab, used_hour]
        parts = [
            _Arcs(np.full(num_nodes, source), np.arange(num_nodes), supply),
            _Arcs(node, mid0 + middle, np.full(len(node), big)),
            _Arcs(mid0 + at, hour0 + mid_lab[at] * self.num_hours + to, np.full(len(at), big)),
            _Arcs(hour0 + used_lab * self.num_hours + used_hour,
                  np.where(days < 0, sink, day0 + days), self.free[used_lab, used_hour]),
            _Arcs(day0 + np.arange(len(limit)), np.full(len(limit), sink), limit),
        ]  # fmt: skip
        flow, near = _max_flow(parts, source, sink)
        self.tight = np.zeros(num_nodes, dtype=bool)
        self.tight[near[near < num_nodes]] = True
        first, second = flow[1], flow[2]
        a, b, tubes = _paired(middle, first, at, second)
        row, sent, units = self._shared(node[a], tubes)
        return row, mid_lab[at[b]][sent], to[b][sent], units

    def _hours_in_time(self, lab: Ints, wave: Ints, hour: Ints) -> tuple[Ints, Ints]:
        """Return (middle node, hour) of each start within the promise that a lab has room for."""
        post, targets = self.post, self.post.instance.settings.targets
        due = wave * post.wave_min + targets.result_hours * HOUR_MIN
        latest = (due - post.instance.labs.processing_min[lab]).astype(np.int64)
        last = np.minimum(post.hours.index(latest), self.num_hours - 1)
        count = np.maximum(1, last - hour + 1)
        at = np.repeat(np.arange(len(lab)), count)
        to = hour[at] + np.arange(len(at)) - np.repeat(np.cumsum(count) - count, count)
        some = self.free[lab[at], to] > 0
        return at[some], to[some]

    def _days(self) -> tuple[Ints, Ints]:
        """Return the day node of each lab hour, -1 without a limit, and the tubes left per day."""
        labs, hours = self.post.instance.labs, self.post.hours
        day_of = hours.day - hours.day.min()
        num_days = int(day_of.max()) + 1
        used = np.zeros((self.num_labs, num_days), dtype=np.int64)
        np.add.at(used, (self.kept.lab, day_of[hours.index(self.kept.start)]), self.kept.tubes)
        limited = labs.max_tubes_per_day >= 0
        number = np.cumsum(limited) - 1
        day = np.where(limited[:, None], number[:, None] * num_days + day_of[None, :], -1)
        left = np.maximum(labs.max_tubes_per_day[limited][:, None] - used[limited], 0)
        return day, left.reshape(-1)

    def _shared(self, node: Ints, tubes: Ints) -> tuple[Ints, Ints, Ints]:
        """Share what a node sends among its rows, in their order: row, index into sent, units."""
        rows = np.arange(len(self.node))
        sent = np.bincount(node, tubes, len(self.wave)).astype(np.int64)
        order = np.lexsort((rows, self.node))
        before = np.zeros(len(rows), dtype=np.int64)
        units = self.units[order]
        upto = np.cumsum(units) - units
        before[order] = upto - upto[np.searchsorted(self.node[order], self.node[order])]
        take = np.clip(sent[self.node] - before, 0, self.units)
        row, which, units = match(self.node, take, rows, node, tubes, np.arange(len(node)))
        return row, which, units


def _alike(table: Ints) -> tuple[Ints, Ints]:
    """Return a number for each distinct row of a table of small numbers, and the first rows.

    Rows are compared by a 64-bit hash, ten times as fast as by all their numbers; should two
    different ones ever share theirs, they are compared in full.
    """
    factors = np.random.default_rng(_SEED).integers(1, 1 << 62, table.shape[1]) | 1
    _, first, number = np.unique(table @ factors, return_index=True, return_inverse=True)
    if (table[first[number.reshape(-1)]] != table).any():
        _, first, number = np.unique(table, axis=0, return_index=True, return_inverse=True)
    return number.reshape(-1), first


def _paired(
    in_key: Ints, in_units: Ints, out_key: Ints, out_units: Ints
) -> tuple[Ints, Ints, Ints]:
    return match(
        in_key, in_units, np.arange(len(in_key)), out_key, out_units, np.arange(len(out_key))
    )


def _max_flow(parts: list[_Arcs], source: int, sink: int) -> tuple[list[Ints], Ints]:
    """Return the flow of each family of arcs, and the nodes on the source's side of the cut.

    Raises
    ------
    RuntimeError
        When the solver fails: an error of this program.
    """
    solver = max_flow.SimpleMaxFlow()
    sizes = np.cumsum([len(p.tail) for p in parts])
    columns = (np.concatenate([getattr(p, n) for p in parts]) for n in ("tail", "head", "capacity"))
    arcs = solver.add_arcs_with_capacity(*columns)
    status = solver.solve(source, sink)
    if status != solver.OPTIMAL:
        raise RuntimeError(f"Expected a maximum flow, got {status!s}")
    near = np.array(solver.get_source_side_min_cut(), dtype=np.int64)
    return np.split(solver.flows(arcs), sizes[:-1]), near
