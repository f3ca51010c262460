"""Streams: what one site does for one zone, and the runs of slots it may use.

A stricter zone is served first at a site it shares: it takes the earliest slots that hold it, then
the ground is cleared, then the next zone's stream begins. So every later step works on streams that
cannot meet.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scheduler.domain.city import Flags, Ints

_SPARE_SLOTS = 1


@dataclass
class Streams:
    """Columns of equal length; ``runs[stream]`` are (first slot, end slot) pairs in order."""

    site: list[int]
    zone: list[int]
    runs: list[list[tuple[int, int]]]
    blocks: list[Ints]

    @staticmethod
    def empty() -> Streams:
        """Return no streams."""
        return Streams([], [], [], [])

    def __len__(self) -> int:
        return len(self.site)

    def add(self, site: int, zone: int, runs: list[tuple[int, int]], blocks: Ints) -> None:
        """Add a stream."""
        self.site.append(site)
        self.zone.append(zone)
        self.runs.append(runs)
        self.blocks.append(blocks)


def runs_of(offered: Flags) -> list[tuple[int, int]]:
    """Return the runs of true slots as (first, end)."""
    edges = np.flatnonzero(np.diff(np.r_[False, offered, False].astype(np.int8)))
    return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))


def reserve(
    offered: Flags, people: Ints, quota: int, clearing_slots: int
) -> tuple[list[tuple[int, int]], Flags]:
    """Take the earliest slots of one site that hold whole blocks of ``people``.

    ``offered[slot]`` is what is free. Returns the runs taken and what is left to less strict zones.
    """
    left = offered.copy()
    taken: list[tuple[int, int]] = []
    waiting = sorted(people.tolist(), reverse=True)
    for first, end in runs_of(offered):
        if not waiting:
            break
        room = (end - first) * quota
        used = 0
        for size in list(waiting):
            if used + size <= room:
                used += size
                waiting.remove(size)
        if used:
            stop = min(end, first - (-used // quota) + _SPARE_SLOTS)
            taken.append((first, stop))
            left[first : min(len(left), stop + clearing_slots)] = False
    if taken:
        left[: taken[-1][1] + clearing_slots] = False
    return taken, left
