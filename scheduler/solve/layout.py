"""Streams as columns: their waves piece by piece, and the groups that share prices.

A *piece* is the part of a run that lies in one wave: (stream, run, wave, first slot, end slot).
Streams of one zone with equal runs that lie close together form a group.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from scheduler.domain.city import Floats, Ints
from scheduler.solve.streams import Streams

_EARTH_RADIUS_M = 6_371_008.8


@dataclass(frozen=True)
class Grain:
    """How finely streams are grouped: the number of groups to aim at, and their widest extent."""

    num_groups: int
    extent_m: float


FINE = Grain(1_024, 2_000.0)
"""For tubes: roads to a lab are reckoned from a group's farthest site, and 2 km are 6 minutes at
30 km/h with a detour of 1.4."""

MIDDLE = Grain(256, 5_000.0)
"""The same for cities of more than ``MANY_STREAMS``. Measured on synthetic Dalian (2,633 streams):
no better with 1,024 groups of 3 km, and half as fast; the real lists (1,337 sites, open for 3.5
hours at a time) lose 0.5 % with it."""

MANY_STREAMS = 2_000

COARSE = Grain(128, 20_000.0)
"""For prices: roads are reckoned from a group's middle. Measured on synthetic Dalian: the bound is
as good as with 400 groups, in a third of the time; groups of 60 km lose 1 % of it."""


@dataclass(frozen=True)
class Layout:
    """Columns over streams and groups; ``group_pieces[group]`` is shared by its streams.

    A row of ``group_pieces[group]`` is (run, wave, first slot, end slot).
    """

    site: Ints
    zone: Ints
    group: Ints
    members: list[Ints]
    group_pieces: list[Ints]

    @property
    def num_groups(self) -> int:
        """Number of groups."""
        return len(self.members)

    @property
    def first(self) -> Ints:
        """First stream of each group: what all its streams share may be read there."""
        return np.array([m[0] for m in self.members], dtype=np.int64)

    def column(self, number: int) -> Ints:
        """Return a column of the groups' pieces as ``[group, piece]``, -1 where there is none."""
        most = max(len(p) for p in self.group_pieces)
        table = np.full((self.num_groups, most), -1, dtype=np.int64)
        for group, pieces in enumerate(self.group_pieces):
            table[group, : len(pieces)] = pieces[:, number]
        return table


def lay_out(
    streams: Streams, points: Floats, slots_per_wave: int, grain: Grain | None = None
) -> Layout:
    """Group streams; ``points[stream]`` are their sites on the unit sphere.

    Without a grain they are grouped as finely as tubes need it.
    """
    grain = grain or (MIDDLE if len(streams) > MANY_STREAMS else FINE)
    alike: dict[tuple[int, tuple[tuple[int, int], ...]], list[int]] = defaultdict(list)
    for stream, zone in enumerate(streams.zone):
        alike[zone, tuple(streams.runs[stream])].append(stream)
    size = max(1, -(-len(streams) // grain.num_groups))
    extent = grain.extent_m / _EARTH_RADIUS_M
    members: list[Ints] = []
    pieces: list[Ints] = []
    for (_, runs), some in alike.items():
        parts = _halve(np.array(some, dtype=np.int64), points, size, extent)
        members += parts
        pieces += [pieces_of(runs, slots_per_wave)] * len(parts)
    group = np.zeros(len(streams), dtype=np.int64)
    for number, part in enumerate(members):
        group[part] = number
    site, zone_column = (np.array(c, dtype=np.int64) for c in (streams.site, streams.zone))
    return Layout(site, zone_column, group, members, pieces)


def pieces_of(runs: Sequence[tuple[int, int]], slots_per_wave: int) -> Ints:
    """Return rows (run, wave, first slot, end slot) of the runs cut along waves."""
    rows = [
        (run, wave, max(first, wave * slots_per_wave), min(end, (wave + 1) * slots_per_wave))
        for run, (first, end) in enumerate(runs)
        for wave in range(first // slots_per_wave, -(-end // slots_per_wave))
    ]
    return np.array(rows, dtype=np.int64).reshape(-1, 4)


def whole_runs(pieces: Ints) -> Ints:
    """Return a row like a piece for each run: (run, first wave, first slot, end slot)."""
    first = np.flatnonzero(np.diff(pieces[:, 0], prepend=-1))
    last = np.append(first[1:], len(pieces)) - 1
    return np.column_stack((pieces[first, :3], pieces[last, 3]))


def _halve(streams: Ints, points: Floats, size: int, widest: float) -> list[Ints]:
    """Split along the longest side until no part has more than ``size`` or lies too far apart."""
    spread = points[streams]
    extent = spread.max(axis=0) - spread.min(axis=0)
    if len(streams) == 1 or (len(streams) <= size and extent.max() <= widest):
        return [streams]
    side = int(np.argmax(extent))
    order = streams[np.argsort(spread[:, side], kind="stable")]
    half = len(order) // 2
    return _halve(order[:half], points, size, widest) + _halve(order[half:], points, size, widest)
