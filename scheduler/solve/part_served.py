"""A part of a block is served where the whole of it has no place.

Blocks stay whole as long as there is room. Where there is none, slots here and there still have
places, in which some of a block's people can be called one slot after the other; the others are
listed as left out (DESIGN.md, rule 1).
"""

from __future__ import annotations

import numpy as np

from scheduler.domain.city import Ints
from scheduler.solve.market import Market
from scheduler.solve.schedule import Calls
from scheduler.solve.streams import runs_of


def serve_parts(market: Market, calls: Calls) -> Calls:
    """Return the calls with those of parts of blocks that have none, largest parts first.

    Not where the city has a most of people in a slot.
    """
    demand = market.instance.demand
    waiting = np.setdiff1d(np.flatnonzero(demand > 0), calls.block).tolist()
    if not waiting or market.city_waves.asked:
        return calls
    free, streams = _free_places(market, calls), _streams_of(market, waiting)
    found = [calls]
    while waiting:
        parts = [_best_part(free, streams[block], int(demand[block])) for block in waiting]
        at = int(np.argmax([int(people.sum()) for _, _, people in parts]))
        stream, first, people = parts[at]
        block = waiting.pop(at)
        if not len(people):
            break
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


def _streams_of(market: Market, blocks: list[int]) -> dict[int, list[int]]:
    """Return the streams that serve the zone of each block at its sites, nearest first."""
    at = market.streams.numbers()
    zone, pairs = market.instance.block_zone, market.pairs
    first, end = (np.searchsorted(pairs.block, blocks, side=s) for s in ("left", "right"))
    return {
        block: [
            at[key] for site in pairs.site[a:b].tolist() if (key := (site, int(zone[block]))) in at
        ]
        for block, a, b in zip(blocks, first.tolist(), end.tolist(), strict=True)
    }


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
