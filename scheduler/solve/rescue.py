"""Blocks that no run of their own site holds: put them where there is room, or make room."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scheduler.domain.city import Floats, Ints
from scheduler.solve.bins import Bins
from scheduler.solve.candidates import Pairs
from scheduler.solve.layout import Layout
from scheduler.solve.make_room import place
from scheduler.solve.streams import Streams


@dataclass(frozen=True)
class Places:
    """Where blocks may go: ``pairs`` nearest first, ``zone[block]``, ``people[block]``."""

    pairs: Pairs
    zone: Ints
    people: Ints


@dataclass(frozen=True)
class Runs:
    """Every run of every stream as a bin of its own; ``capacity[bin]`` in people."""

    stream: Ints
    run: Ints
    capacity: Ints

    @staticmethod
    def of(streams: Streams, layout: Layout, quota: Ints) -> Runs:
        """Return the boxes; runs whose blocks are decided already have no capacity."""
        stream, run, capacity = [], [], []
        for number, fixed in enumerate(streams.fixed):
            pieces = layout.group_pieces[layout.group[number]]
            width = np.bincount(pieces[:, 0], weights=pieces[:, 3] - pieces[:, 2])
            stream += [number] * len(width)
            run += range(len(width))
            open_to_all = 0 if fixed is not None else int(quota[number])
            capacity += [int(w) * open_to_all for w in width]
        return Runs(np.array(stream), np.array(run), np.array(capacity, dtype=np.int64))


def rescue(
    places: Places, streams: Streams, boxes: Runs, runs: list[list[Ints]], left: Ints
) -> None:
    """Give blocks that are in no run a place in one, moving others where need be.

    ``runs[stream][run]`` are the blocks inside and is changed; ``left`` are the blocks outside.
    """
    bin_of = np.full(len(places.people), -1, dtype=np.int64)
    for number, (stream, run) in enumerate(zip(boxes.stream.tolist(), boxes.run.tolist(), strict=True)):
        bin_of[runs[stream][run]] = number
    load = np.bincount(
        bin_of[bin_of >= 0], weights=places.people[bin_of >= 0], minlength=len(boxes.run)
    ).astype(np.int64)
    pairs = _pairs_of_runs(places, streams, boxes)
    before = bin_of.copy()
    bins = Bins(pairs, pairs.walk_m, places.people, boxes.capacity, bin_of, load)
    for block in left[np.argsort(-places.people[left], kind="stable")].tolist():
        place(bins, block)
    moved = np.flatnonzero(bin_of != before)
    for number in np.unique(np.r_[before[moved], bin_of[moved]]):
        if number >= 0:
            runs[boxes.stream[number]][boxes.run[number]] = np.flatnonzero(bin_of == number)


def _pairs_of_runs(places: Places, streams: Streams, boxes: Runs) -> Pairs:
    """Return the (block, bin) pairs of the (block, site) pairs, nearest first."""
    site, zone = np.array(streams.site), np.array(streams.zone)
    stream_at = np.full((int(max(site.max(), places.pairs.site.max())) + 1, int(places.zone.max()) + 1), -1)
    stream_at[site, zone] = np.arange(len(site))
    stream = stream_at[places.pairs.site, places.zone[places.pairs.block]]
    first = np.searchsorted(boxes.stream, np.arange(len(site) + 1))
    some = np.flatnonzero(stream >= 0)
    width = np.diff(first)[stream[some]]
    rows = np.repeat(some, width)
    number = np.arange(len(rows)) - np.repeat(np.cumsum(width) - width, width)
    return Pairs(
        places.pairs.block[rows], first[stream[rows]] + number, places.pairs.walk_m[rows]
    )
