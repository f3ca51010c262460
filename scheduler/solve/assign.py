"""Blocks to sites: a flow with convex site costs, then every block made whole.

A site's slots are sold dearest last: slot costs (finish, plus the labs' prices) are sorted and
joined into a few segments per site. Blocks that the flow splits are put where walk plus the site's
price is least and room is left; a block for which no room is left may push another out.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scheduler.domain.city import Floats, Ints
from scheduler.solve.bins import Bins
from scheduler.solve.candidates import Pairs
from scheduler.solve.flow import ArcList, potentials, solve
from scheduler.solve.make_room import cheapen, place_all

_MOST_TRIES = 4_000  # blocks that are looked at once more


@dataclass(frozen=True)
class Relaxed:
    """The flow's answer: people per pair, people left per block, price of a place per site."""

    people: Ints
    left: Ints
    site_price: Floats


def relax(
    pairs: Pairs, walk_cost: Floats, people: Ints, slots: SlotOffer, unserved_cost: float
) -> Relaxed:
    """Send people of blocks to sites at least cost; blocks may be split.

    ``walk_cost[pair]`` is in person-minutes per person, ``people[block]`` are to be sent (0 for
    blocks that take no part).
    """
    num_blocks, num_sites = len(people), len(slots.room)
    site, capacity, cost = _segments(slots, np.unique(pairs.site))
    arcs = ArcList()
    sink = num_blocks + num_sites
    sent = arcs.add(pairs.block, num_blocks + pairs.site, people[pairs.block], walk_cost)
    arcs.add(num_blocks + site, sink, capacity, cost)
    blocks = np.arange(num_blocks)
    left = arcs.add(blocks, sink, people, unserved_cost)
    supply = np.zeros(sink + 1, dtype=np.int64)
    supply[:num_blocks], supply[sink] = people, -people.sum()
    network = arcs.network(supply)
    flow = solve(network)
    node = potentials(network, flow)
    return Relaxed(flow[sent], flow[left], node[sink] - node[num_blocks:sink])


@dataclass(frozen=True)
class SlotOffer:
    """What sites offer to one zone, ``[site, slot]``: ``cost`` (inf: not offered) and ``room``.

    ``segments`` is the most runs that a site's sorted slots are joined into.
    """

    cost: Floats
    room: Ints
    segments: int

    @property
    def capacity(self) -> Ints:
        """People per site over all offered slots."""
        people: Ints = self.room.sum(axis=1)
        return people

    def paid(self, load: Ints) -> float:
        """Return what ``load[site]`` people pay who take the cheapest slots of each site."""
        cost, room = cheapest_first(self.cost, self.room)
        taken = taken_in_order(room, load)
        return float((taken * np.where(taken > 0, cost, 0)).sum())


def cheapest_first(cost: Floats, room: Ints) -> tuple[Floats, Ints]:
    """Return ``cost[site, slot]`` and ``room`` by cost; slots without room come last, at inf."""
    cost = np.where(room > 0, cost, np.inf)
    order = np.argsort(cost, axis=1, kind="stable")
    return np.take_along_axis(cost, order, axis=1), np.take_along_axis(room, order, axis=1)


def taken_in_order(room: Ints, load: Ints) -> Ints:
    """Return the people in each slot when ``load[site]`` people fill the slots in their order."""
    before = np.cumsum(room, axis=1) - room
    taken: Ints = np.clip(load[:, None] - before, 0, room)
    return taken


def _segments(slots: SlotOffer, sites: Ints) -> tuple[Ints, Ints, Floats]:
    """Return site, people and mean cost of the runs of the sites' sorted slots."""
    cost, room = cheapest_first(slots.cost[sites], slots.room[sites])
    count = np.isfinite(cost).sum(axis=1)
    parts = np.linspace(0, 1, slots.segments + 1)
    edges = np.rint(parts[None, :] * count[:, None]).astype(np.int64)
    people = np.zeros((cost.shape[0], cost.shape[1] + 1), dtype=np.int64)
    total = np.zeros(people.shape)
    np.cumsum(room, axis=1, out=people[:, 1:])
    np.cumsum(np.where(np.isfinite(cost), cost, 0) * room, axis=1, out=total[:, 1:])
    held = np.diff(np.take_along_axis(people, edges, axis=1), axis=1)
    spent = np.diff(np.take_along_axis(total, edges, axis=1), axis=1)
    site, segment = np.nonzero(held)
    held = held[site, segment]
    return sites[site], held, spent[site, segment] / held


@dataclass
class Whole:
    """``site[block]`` (-1: no room) and ``load[site]`` in people."""

    site: Ints
    load: Ints


def make_whole(
    pairs: Pairs, price: Floats, people: Ints, relaxed: Relaxed, capacity: Ints
) -> Whole:
    """Give every block one site within capacity, near the relaxed flow.

    ``price[pair]`` is the walk plus the site's price, person-minutes per person.
    """
    starts = np.searchsorted(pairs.block, np.arange(len(people) + 1))
    full = np.flatnonzero((relaxed.people > 0) & (relaxed.people == people[pairs.block]))
    whole = Whole(np.full(len(people), -1, dtype=np.int64), np.zeros(len(capacity), dtype=np.int64))
    whole.site[pairs.block[full]] = pairs.site[full]
    np.add.at(whole.load, pairs.site[full], people[pairs.block[full]])
    open_blocks = np.flatnonzero((people > 0) & (whole.site < 0))
    largest_first = open_blocks[np.argsort(-people[open_blocks], kind="stable")].tolist()
    waiting = [
        block
        for block in largest_first
        if not _place(block, slice(starts[block], starts[block + 1]), pairs, price, people,
                      whole, capacity)
    ]  # fmt: skip
    bins = Bins(pairs, price, people, capacity, whole.site, whole.load)
    place_all(bins, waiting)
    cheapen(bins, _MOST_TRIES)
    return whole


def _place(  # noqa: PLR0913, PLR0917  # the state of one greedy step
    block: int,
    rows: slice,
    pairs: Pairs,
    price: Floats,
    people: Ints,
    whole: Whole,
    capacity: Ints,
) -> bool:
    """Put a block at the cheapest candidate with room."""
    site = pairs.site[rows]
    room = whole.load[site] + people[block] <= capacity[site]
    if not room.any():
        return False
    best = site[np.argmin(np.where(room, price[rows], np.inf))]
    whole.site[block] = best
    whole.load[best] += people[block]
    return True
