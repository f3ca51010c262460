"""Sites as queues of blocks: each works through its blocks in order, without a gap.

A *piece* is the part of a site's run of free slots that lies in one wave.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from scheduler.domain.city import Flags
from tests.benchmarks.peers.answer import Call
from tests.benchmarks.peers.ground import Ground


@dataclass(frozen=True)
class Piece:
    """Slots ``first`` to ``end`` (exclusive) of a site; ``left`` is the room to its run's end."""

    site: int
    wave: int
    first: int
    end: int
    quota: int
    left: int

    @property
    def room(self) -> int:
        """People that fit into the piece."""
        return self.quota * (self.end - self.first)

    @property
    def is_last(self) -> bool:
        """Whether the run ends with this piece."""
        return self.left == self.room


def pieces_of(ground: Ground, free: Flags) -> list[Piece]:
    """Return all pieces of the free slots, by site and time."""
    per_wave = ground.instance.clock.slots_per_wave
    pieces = []
    for site in range(len(free)):
        edges = np.flatnonzero(np.diff(np.r_[False, free[site], False].astype(np.int8)))
        quota = int(ground.quota[site])
        for begin, end in edges.reshape(-1, 2).tolist():
            cuts = [begin, *range((begin // per_wave + 1) * per_wave, end, per_wave), end]
            pieces += [
                Piece(site, first // per_wave, first, last, quota, quota * (end - first))
                for first, last in pairwise(cuts)
            ]
    return pieces


def calls_of(ground: Ground, pieces: list[Piece], starts: dict[int, list[int]]) -> list[Call]:
    """Return the calls of the blocks that start in each piece, as early as the queue allows."""
    calls: list[Call] = []
    slot = room = 0
    before: Piece | None = None
    for number, piece in enumerate(pieces):
        follows = before is not None and (before.site, before.end) == (piece.site, piece.first)
        if not follows or slot < piece.first:
            slot, room = piece.first, piece.quota
        for block in starts.get(number, []):
            waiting = int(ground.instance.demand[block])
            while waiting:
                if not room:
                    slot, room = slot + 1, piece.quota
                now = min(room, waiting)
                calls.append((block, piece.site, slot, now))
                waiting, room = waiting - now, room - now
        before = piece
    return calls


def people_of(ground: Ground, calls: list[Call]) -> dict[tuple[int, int], int]:
    """Return the people called by site and wave."""
    people: dict[tuple[int, int], int] = defaultdict(int)
    for _, site, slot, now in calls:
        people[site, slot // ground.instance.clock.slots_per_wave] += now
    return people
