"""Streams: what one site does for one zone, and the runs of slots it may use.

A stricter zone is served first at a site it shares: it takes the earliest slots that hold it, then
the ground is cleared, then the next zone's stream begins. So every later step works on streams that
cannot meet.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scheduler.domain.city import Flags, Ints


@dataclass
class Streams:
    """Columns of equal length; ``runs[stream]`` are (first slot, end slot) pairs in order.

    ``fixed[stream]`` holds the blocks of each run where they are decided already, else None.
    """

    site: list[int]
    zone: list[int]
    runs: list[list[tuple[int, int]]]
    blocks: list[Ints]
    fixed: list[list[Ints] | None]

    @staticmethod
    def empty() -> Streams:
        """Return no streams."""
        return Streams([], [], [], [], [])

    def __len__(self) -> int:
        return len(self.site)

    def numbers(self) -> dict[tuple[int, int], int]:
        """Return the stream of each (site, zone) that has one."""
        return {key: n for n, key in enumerate(zip(self.site, self.zone, strict=True))}

    def add(
        self,
        site: int,
        zone: int,
        runs: list[tuple[int, int]],
        blocks: Ints,
        fixed: list[Ints] | None = None,
    ) -> None:
        """Add a stream."""
        self.site.append(site)
        self.zone.append(zone)
        self.runs.append(runs)
        self.blocks.append(blocks)
        self.fixed.append(fixed)


def runs_of(offered: Flags) -> list[tuple[int, int]]:
    """Return the runs of true slots as (first, end)."""
    edges = np.flatnonzero(np.diff(offered.astype(np.int8), prepend=0, append=0))
    return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))


@dataclass(frozen=True)
class Reservation:
    """Runs taken, the blocks of each, and the slots left to less strict zones."""

    runs: list[tuple[int, int]]
    blocks: list[Ints]
    free: Flags


def reserve(
    offered: Flags, blocks: Ints, people: Ints, places: Ints, slots: tuple[int, int]
) -> Reservation:
    """Take the earliest slots of one site that hold whole blocks.

    ``offered[slot]`` is what is free, ``people[block]`` their sizes, ``places[slot]`` the people
    that may be called. Blocks that no run holds are in no run. ``slots`` are kept behind the last
    person: to spare, and for clearing.
    """
    spare, clearing = slots
    free = offered.copy()
    runs: list[tuple[int, int]] = []
    inside: list[Ints] = []
    waiting = sorted(blocks.tolist(), key=lambda b: (-people[b], b))
    for first, end in runs_of(offered):
        upto = np.cumsum(places[first:end])
        room = int(upto[-1])
        taken = []
        for block in list(waiting):
            if people[block] <= room:
                room -= int(people[block])
                taken.append(block)
                waiting.remove(block)
        if taken:
            inside.append(np.array(taken, dtype=np.int64))
            used = int(np.searchsorted(upto, int(upto[-1]) - room)) + 1
            runs.append((first, min(end, first + used + spare)))
    if runs:
        free[: runs[-1][1] + clearing] = False
    return Reservation(runs, inside, free)
