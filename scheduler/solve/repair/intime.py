"""How many tubes labs can take within the promise, and which: one maximum flow.

``site and wave -> (lab, wave, first hour) -> lab hour -> lab day``. Where all tubes pass, the flow
is the answer and nothing is late. Where they do not, what is left over is the least number of tubes
that must be late or filled at another time, whatever is sent where: that is proved by the cut.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from ortools.graph.python import max_flow
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import connected_components

from scheduler.domain.city import Flags, Ints
from scheduler.domain.ranges import steps
from scheduler.solve.repair.groups import Groups
from scheduler.solve.repair.keeping import Kept, both
from scheduler.solve.repair.outside import HOUR_MIN, match
from scheduler.solve.repair.post import Post
from scheduler.solve.repair.reaching import NEVER, Nodes, Reaching, leaking
from scheduler.solve.repair.rows import Sent

_ANY = 1 << 40
"""Capacity of an arc that has no limit of its own."""


@dataclass(frozen=True)
class _Arcs:
    tail: Ints
    head: Ints
    capacity: Ints


@dataclass(frozen=True)
class Cut:
    """The narrowest place of the flow: the hours of labs that tubes left over could reach at all.

    ``room`` is what those hours take together; ``confined[pattern, site, wave]`` tells from where
    they cannot be avoided, however fresh the samples are.
    """

    room: int
    confined: Flags


@dataclass(frozen=True)
class Mail:
    """What labs take in time: per group the tubes left over, and room left by lab and hour.

    ``tight`` marks groups that share the labs which are too small. ``sent`` has consignments that
    stay and new ones, ``cut`` is None where nothing is left over.
    """

    kept: Kept
    over: Ints
    tight: Flags
    room: Ints
    new: _New
    cut: Cut | None

    @property
    def sent(self) -> Sent:
        """All consignments."""
        return both(self.kept.sent, self.new.sent())


class InTime:
    """The network: numbered once, solved for whatever is to be sent."""

    def __init__(self, post: Post, num_waves: int) -> None:
        self.post = post
        self.reaching = Reaching(post, num_waves)
        self.usable = post.free_hours(_nothing()) > 0
        nodes = self.reaching.nodes
        key, _ = self._middles_of(nodes)
        self._key = np.unique(key)
        rest, hour = np.divmod(self._key, len(post.hours))
        self.lab, wave = np.divmod(rest, num_waves)
        self.middle, self.to = self._hours_in_time(wave, hour)
        some = np.zeros(len(self._key), dtype=bool)
        some[self.middle] = True
        self._some = some
        self.arc_node, self.arc_middle = self.roads(nodes)

    def send(self, groups: Groups, kept: Kept) -> Mail:
        """Send as many tubes of what is left of the groups as labs can take in time."""
        rows = np.flatnonzero(kept.tubes > 0)
        node, more = self.reaching.nodes_of(groups, rows)
        free = self.post.free_hours(kept.sent)
        flow = _Flow(self, more, np.bincount(node, kept.tubes[rows]).astype(np.int64), free)
        flow.solve(kept.sent)
        take = _shared(node, kept.tubes[rows], flow.sent)
        over = np.zeros_like(groups.tubes)
        over[rows] = kept.tubes[rows] - take
        new = _New(self.post, groups, kept, rows, (node, take, flow))
        cut = flow.cut() if over.any() else None
        tight = np.zeros(len(groups), dtype=bool)
        tight[rows] = flow.near[node]
        return Mail(kept, over, tight, free - flow.hour_load, new, cut)

    def _middles_of(self, nodes: Nodes) -> tuple[Ints, Ints]:
        """Return (lab, wave, hour) as one number, and the node, of each way from node to lab."""
        node, lab = np.nonzero(nodes.first != NEVER)
        hour = self.reaching.pickup_hour[nodes.wave[node]] + nodes.first[node, lab]
        waves = self.reaching.num_waves
        return (lab * waves + nodes.wave[node]) * len(self.post.hours) + hour, node

    def roads(self, nodes: Nodes) -> tuple[Ints, Ints]:
        """Return node and middle of each arc that leads to an hour with any room."""
        key, node = self._middles_of(nodes)
        middle = np.searchsorted(self._key, key)
        good = self._some[middle]
        return node[good], middle[good]

    def _hours_in_time(self, wave: Ints, hour: Ints) -> tuple[Ints, Ints]:
        """Return (middle, hour) of each start within the promise that a lab may have room for."""
        post, targets = self.post, self.post.instance.settings.targets
        due = wave * post.wave_min + targets.result_hours * HOUR_MIN
        latest = (due - post.instance.labs.processing_min[self.lab]).astype(np.int64)
        last = np.minimum(post.hours.index(latest), len(post.hours) - 1)
        count = np.maximum(1, last - hour + 1)
        at = np.repeat(np.arange(len(hour)), count)
        to = hour[at] + steps(count)
        some = self.usable[self.lab[at], to]
        return at[some], to[some]


class _Flow:
    """One maximum flow: who is sent what, and where it is narrow."""

    def __init__(self, net: InTime, more: Nodes, supply: Ints, free: Ints) -> None:
        self.net, self.free = net, free
        own = len(net.reaching.nodes)
        self.num_nodes = own + len(more)
        self.supply = np.zeros(self.num_nodes, dtype=np.int64)
        self.supply[: len(supply)] = supply
        node, middle = net.roads(more)
        node, middle = (
            np.concatenate((net.arc_node, own + node)),
            np.concatenate((net.arc_middle, middle)),
        )
        used = self.supply[node] > 0
        self.arc_node, self.arc_middle = node[used], middle[used]

    def solve(self, kept: Sent) -> None:
        """Fill in tubes sent by node, by road, by start, and by lab and hour."""
        net, n = self.net, self.num_nodes
        lab, hour = np.nonzero(self.free)
        hours = self.free.shape[1]
        source, mid0 = n, n + 1
        hour0 = mid0 + len(net.lab)
        day0 = hour0 + self.free.size
        day, limit = self._days(kept)
        sink = day0 + len(limit)
        days = day[lab, hour]
        parts = [
            _Arcs(np.full(n, source), np.arange(n), self.supply),
            _Arcs(self.arc_node, mid0 + self.arc_middle, np.full(len(self.arc_node), _ANY)),
            _Arcs(mid0 + net.middle, hour0 + net.lab[net.middle] * hours + net.to,
                  np.full(len(net.middle), _ANY)),
            _Arcs(hour0 + lab * hours + hour, np.where(days < 0, sink, day0 + days),
                  self.free[lab, hour]),
            _Arcs(day0 + np.arange(len(limit)), np.full(len(limit), sink), limit),
        ]  # fmt: skip
        flow, near = _max_flow(parts, source, sink)
        self.sent, self.road, self.start = flow[0], flow[1], flow[2]
        self.hour_load = np.zeros_like(self.free)
        self.hour_load[lab, hour] = flow[3]
        near_flags = np.zeros(sink + 1, dtype=bool)
        near_flags[near] = True
        self.near = near_flags[:n]
        self._near_hours = near_flags[hour0:day0].reshape(self.free.shape)

    def waves_alike(self) -> Ints:
        """Return a number per wave: of two with the same, tubes can take each other's place.

        They do where the flow can be led round a ring through both, a strong component of what it
        leaves open.
        """
        net, n = self.net, self.num_nodes
        size = n + len(net.lab) + self.free.size
        hour = n + len(net.lab) + net.lab[net.middle] * self.free.shape[1] + net.to
        tail = np.concatenate((self.arc_node, n + net.middle))
        head = np.concatenate((n + self.arc_middle, hour))
        used = np.concatenate((self.road, self.start)) > 0
        ends = (np.concatenate((tail, head[used])), np.concatenate((head, tail[used])))
        ones = np.ones(len(ends[0]), dtype=np.int8)
        _, ring = connected_components(csr_matrix((ones, ends), (size, size)), connection="strong")
        waves = net.reaching.nodes.wave[np.minimum(np.arange(n), len(net.reaching.nodes) - 1)]
        busy = np.flatnonzero(self.supply[: len(net.reaching.nodes)] > 0)
        ends = (waves[busy], net.reaching.num_waves + ring[busy])
        size = net.reaching.num_waves + int(ring.max(initial=0)) + 1
        ones = np.ones(len(busy), dtype=np.int8)
        _, alike = connected_components(csr_matrix((ones, ends), (size, size)), directed=False)
        return np.asarray(alike[: net.reaching.num_waves].astype(np.int64))

    def cut(self) -> Cut:
        """Return where the flow is narrow."""
        net, reaching = self.net, self.net.reaching
        room = int(self.sent.sum() - self.supply[~self.near].sum())
        inside = (self._near_hours | (self.free == 0))[net.lab[net.middle], net.to]
        leaks = np.bincount(net.middle, ~inside, len(net.lab)) > 0
        open_nodes = leaking(net.arc_node, net.arc_middle, leaks, len(reaching.nodes))
        return Cut(room, ~open_nodes[reaching.node])

    def _days(self, kept: Sent) -> tuple[Ints, Ints]:
        """Return the day node of each lab hour, -1 without a limit, and the tubes left per day."""
        post = self.net.post
        labs, hours = post.instance.labs, post.hours
        day_of = hours.day - hours.day.min()
        num_days = int(day_of.max()) + 1
        used = np.zeros((len(labs), num_days), dtype=np.int64)
        np.add.at(used, (kept.lab, day_of[hours.index(kept.start)]), kept.tubes)
        limited = labs.max_tubes_per_day >= 0
        number = np.cumsum(limited) - 1
        day = np.where(limited[:, None], number[:, None] * num_days + day_of[None, :], -1)
        left = np.maximum(labs.max_tubes_per_day[limited][:, None] - used[limited], 0)
        return day, left.reshape(-1)


@dataclass(frozen=True)
class _New:
    """What a flow sends, not yet told by consignment."""

    post: Post
    groups: Groups
    kept: Kept
    rows: Ints
    flow: tuple[Ints, Ints, _Flow]  # node and tubes of each row, and the flow

    def sent(self) -> Sent:
        """Return the consignments: the flow shared among the groups of each node."""
        node, take, flow = self.flow
        net, post = flow.net, self.post
        a, b, tubes = _paired(flow.arc_middle, flow.road, net.middle, flow.start)
        row, way, tubes = _paired(node, take, flow.arc_node[a], tubes)
        lab, hour = net.lab[net.middle[b[way]]], net.to[b[way]]
        order = np.lexsort((lab, hour, row))
        row, lab, hour, tubes = row[order], lab[order], hour[order], tubes[order]
        groups, at = self.groups, self.rows[row]
        site, wave, zone = groups.site[at], groups.wave[at], groups.zone[at]
        before = np.cumsum(tubes) - tubes
        before -= before[np.searchsorted(row, row)] if len(row) else before
        pool, there = post.pools[zone], self.kept.people[at]
        people = np.minimum((before + tubes) * pool, there) - np.minimum(before * pool, there)
        arrive = (wave + 1) * post.wave_min + post.road_to(site, wave, lab)
        start = np.maximum(arrive, post.hours.begin_min[hour])
        return Sent(site, lab, zone, wave, arrive, start, tubes, people)


def _nothing() -> Sent:
    return Sent(*(np.zeros(0, dtype=np.int64) for _ in range(8)))


def _shared(node: Ints, units: Ints, sent: Ints) -> Ints:
    """Share what each node sends among its rows, in their order."""
    order = np.argsort(node, kind="stable")
    upto = np.cumsum(units[order]) - units[order]
    before = np.zeros(len(node), dtype=np.int64)
    before[order] = upto - upto[np.searchsorted(node[order], node[order])]
    take: Ints = np.clip(sent[node] - before, 0, units)
    return take


def _paired(
    in_key: Ints, in_units: Ints, out_key: Ints, out_units: Ints
) -> tuple[Ints, Ints, Ints]:
    return match(
        in_key, in_units, np.arange(len(in_key)), out_key, out_units, np.arange(len(out_key))
    )


def _max_flow(parts: Sequence[_Arcs], source: int, sink: int) -> tuple[list[Ints], Ints]:
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
