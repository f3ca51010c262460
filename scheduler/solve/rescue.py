"""Blocks that no run of their own site holds: put them where there is room, or make room."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scheduler.domain.city import Ints
from scheduler.solve.candidates import Pairs
from scheduler.solve.layout import Layout
from scheduler.solve.streams import Streams


@dataclass(frozen=True)
class Places:
    """Where blocks may go: ``pairs`` nearest first, ``zone[block]``, ``people[block]``."""

    pairs: Pairs
    zone: Ints
    people: Ints


class Rescue:
    """Keeps the room of every run of every stream while blocks are put in or moved."""

    def __init__(
        self, places: Places, streams: Streams, layout: Layout, quota: Ints, runs: list[list[Ints]]
    ) -> None:
        self._places, self._runs = places, runs
        self._stream = {
            (s, z): n for n, (s, z) in enumerate(zip(streams.site, streams.zone, strict=True))
        }
        self._starts = np.searchsorted(places.pairs.block, np.arange(len(places.people) + 1))
        self._room: list[list[int]] = []
        for stream, blocks_of_runs in enumerate(runs):
            pieces = layout.group_pieces[layout.group[stream]]
            width = np.bincount(pieces[:, 0], weights=pieces[:, 3] - pieces[:, 2])
            used = [int(places.people[b].sum()) for b in blocks_of_runs]
            self._room.append(
                [int(w) * int(quota[stream]) - u for w, u in zip(width, used, strict=False)]
            )

    def place(self, block: int) -> bool:
        """Put a block into the nearest run with room, else push another block out of one."""
        for stream, run in self._options(block):
            if self._room[stream][run] >= self._places.people[block]:
                self._put(block, stream, run)
                return True
        return any(self._push(block, stream, run) for stream, run in self._options(block))

    def _options(self, block: int) -> list[tuple[int, int]]:
        """Return the streams and runs open to a block, nearest site first."""
        sites = self._places.pairs.site[self._starts[block] : self._starts[block + 1]]
        zone = int(self._places.zone[block])
        streams = [self._stream.get((s, zone), -1) for s in sites.tolist()]
        return [(s, r) for s in streams if s >= 0 for r in range(len(self._room[s]))]

    def _push(self, block: int, stream: int, run: int) -> bool:
        """Move one block of a run elsewhere if that lets the new one in."""
        people = self._places.people
        short = int(people[block]) - self._room[stream][run]
        for other in self._runs[stream][run].tolist():
            if people[other] < short:
                continue
            for target, at in self._options(other):
                if (target, at) != (stream, run) and self._room[target][at] >= people[other]:
                    self._take(other, stream, run)
                    self._put(other, target, at)
                    self._put(block, stream, run)
                    return True
        return False

    def _put(self, block: int, stream: int, run: int) -> None:
        self._runs[stream][run] = np.append(self._runs[stream][run], block)
        self._room[stream][run] -= int(self._places.people[block])

    def _take(self, block: int, stream: int, run: int) -> None:
        blocks = self._runs[stream][run]
        self._runs[stream][run] = blocks[blocks != block]
        self._room[stream][run] += int(self._places.people[block])
