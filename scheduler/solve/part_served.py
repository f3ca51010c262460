"""A part of a block is served where the whole of it has no place.

Blocks stay whole as long as there is room. Where there is none, slots here and there still have
places, in which some of a block's people can be called one slot after the other; the others are
listed as left out (DESIGN.md, rule 1).
"""

from __future__ import annotations

import heapq

import numpy as np

from scheduler.domain.city import Ints
from scheduler.solve.market import FARTHEST, Market
from scheduler.solve.schedule import Calls
from scheduler.solve.streams import runs_of


def serve_parts(market: Market, calls: Calls) -> Calls:
    """Return the calls with those of parts of blocks that have none, largest parts first.

    Not where the city has a most of people in a slot.
    """
    demand = market.instance.demand
    waiting = np.setdiff1d(np.flatnonzero(demand > 0), calls.block)
    if not len(waiting) or market.city_waves.asked:
        return calls
    free, streams = _free_places(market, calls), _streams_of(market, waiting)
    parts = [(-int(demand[block]), block) for block in waiting.tolist()]  # no part is larger
    heapq.heapify(parts)
    found = [calls]
    while parts:
        size, block = heapq.heappop(parts)
        stream, first, people = _best_part(free, streams[block], int(demand[block]))
        if people.sum() < -size:  # less than it might have been: its turn comes later, or never
            if len(people):
                heapq.heappush(parts, (-int(people.sum()), block))
            continue
        slot = first + np.arange(len(people))
        free[stream, slot] -= people
        found.append(Calls(np.full_like(slot, block), np.full_like(slot, stream), slot, people))
    return found[0].beside(*found[1:])


def _free_places(market: Market, calls: Calls) -> Ints:
    """Return the places that streams have left, ``[stream, slot]``."""
    inside = np.zeros((len(market.streams), market.places.shape[1]), dtype=bool)
    for stream, runs in enumerate(market.streams.runs):
        for first, end in runs:
            inside[stream, first:end] = True
    free = np.where(inside, market.places[market.layout.site], 0)
    np.subtract.at(free, (calls.stream, calls.slot), calls.people)
    return free


def _streams_of(market: Market, blocks: Ints) -> dict[int, list[int]]:
    """Return the streams that serve the zone of each block at its sites, nearest first.

    Also those at which no run holds the whole of it.
    """
    at, zone = market.streams.numbers(), market.instance.block_zone
    pairs = market.candidates.nearest(FARTHEST, blocks)
    found: dict[int, list[int]] = {block: [] for block in blocks.tolist()}
    for block, site in zip(pairs.block.tolist(), pairs.site.tolist(), strict=True):
        if (key := (site, int(zone[block]))) in at:
            found[block].append(at[key])
    return found


def _best_part(free: Ints, streams: list[int], people: int) -> tuple[int, int, Ints]:
    """Return stream, first slot and people of slots in a row that serve most of a block."""
    best = -1, 0, np.empty(0, dtype=np.int64)
    for stream in streams:
        for first, end in runs_of(free[stream] > 0):
            before = np.cumsum(free[stream, first:end]) - free[stream, first:end]
            part = np.minimum(free[stream, first:end], people - before)
            part = part[part > 0]
            if part.sum() > best[2].sum():
                best = stream, first, part
    return best
