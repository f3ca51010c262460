"""How many people whole blocks can fill a session with.

A session of 392 places holds one block of 250 people, not 1.6: what no set of blocks can fill is no
room for the plan. (For the bound it is: blocks may be served in part.) The limit is the largest sum
of any multiset of block sizes, the unbounded subset-sum problem, that the session holds.
"""

from __future__ import annotations

import numpy as np

from scheduler.domain.city import Flags, Floats, Ints


class Packing:
    """Largest sums of block sizes, looked up by room."""

    def __init__(self, sizes: Ints, most: int) -> None:
        """Prepare for blocks of ``sizes`` people and rooms of up to ``most`` people."""
        sums = 1
        mask = (1 << (most + 1)) - 1
        for size in np.unique(sizes[sizes > 0]).tolist():
            shift = size
            while shift <= most:  # doubling reaches every multiple of the size
                sums |= sums << shift & mask
                shift *= 2
        bits = np.unpackbits(
            np.frombuffer(sums.to_bytes(most // 8 + 1, "little"), dtype=np.uint8),
            bitorder="little",
        )[: most + 1]
        reached = np.where(bits == 1, np.arange(most + 1), 0)
        self._largest = np.maximum.accumulate(reached)

    def limit(self, room: Ints) -> Ints:
        """Return the most people that whole blocks bring into each room."""
        limits: Ints = self._largest[room]
        return limits

    def slot_room(self, cost: Floats, places: Ints) -> Ints:
        """Return people per ``[site, slot]`` when each session fills its cheapest slots first.

        ``cost`` is inf where a slot is not offered; runs of offered slots are sessions;
        ``places[site, slot]`` are the people that may be called.
        """
        offered = np.isfinite(cost)
        room = np.where(offered, places, 0)
        if not offered.any():
            return room
        session = _sessions(offered)
        full = np.bincount(session[offered], weights=places[offered]).astype(np.int64)
        limit = self.limit(full)
        short = limit < full
        rows, columns = np.nonzero(offered & short[session])
        if len(rows):
            room[rows, columns] = _cheapest_first(
                session[rows, columns], cost[rows, columns], places[rows, columns], limit
            )
        return room


def _sessions(offered: Flags) -> Ints:
    """Return the number of each offered slot's session; 0 elsewhere, where no session is 0."""
    begin = offered & ~np.concatenate((np.zeros((len(offered), 1), bool), offered[:, :-1]), axis=1)
    number = np.cumsum(begin.ravel()).reshape(offered.shape)
    return np.where(offered, number, 0)


def _cheapest_first(session: Ints, cost: Floats, places: Ints, limit: Ints) -> Ints:
    """Return people per slot: each session's limit, cheapest slots first."""
    order = np.lexsort((cost, session))
    here, size = session[order], places[order]
    upto = np.cumsum(size)
    first = np.searchsorted(here, here)
    before = upto - size - (upto - size)[first]
    out = np.empty(len(order), dtype=np.int64)
    out[order] = np.clip(limit[here] - before, 0, size)
    return out
