"""Blocks that no run of their own site holds: put them where there is room, or make room."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scheduler.domain.city import Floats, Ints
from scheduler.domain.ranges import fan_out
from scheduler.domain.settings import Zone
from scheduler.solve.bins import Bins
from scheduler.solve.candidates import Pairs
from scheduler.solve.fill_tubes import Parts, TubeFiller, Wanted
from scheduler.solve.layout import Layout, whole_runs
from scheduler.solve.make_room import cheapen, place_all
from scheduler.solve.streams import Streams

_MOST_TRIES = 2_000  # blocks that are looked at once more


@dataclass(frozen=True)
class Places:
    """Where blocks may go: ``pairs`` nearest first, ``zone[block]``, ``people[block]``.

    ``price[pair]`` is what a place costs, person-minutes per person.
    """

    pairs: Pairs
    price: Floats
    zone: Ints
    people: Ints


@dataclass(frozen=True)
class Runs:
    """Every run of every stream on its own: its stream, its number there, its room in people.

    ``end`` is the slot before which it ends.
    """

    stream: Ints
    number: Ints
    room: Ints
    end: Ints

    @staticmethod
    def of(streams: Streams, layout: Layout, places: Ints) -> Runs:
        """Return the runs; those whose blocks are decided already have no room.

        ``places[stream, slot]`` are the people that may be called.
        """
        columns: list[tuple[int, int, int, int]] = []
        for stream, fixed in enumerate(streams.fixed):
            pieces = layout.group_pieces[layout.group[stream]]
            for number, _, first, end in whole_runs(pieces).tolist():
                room = 0 if fixed is not None else int(places[stream, first:end].sum())
                columns.append((stream, number, room, end))
        table = np.array(columns, dtype=np.int64).reshape(-1, 4)
        return Runs(*table.T)


class Inside:
    """The blocks of all runs as bins; ``inside[stream][number]`` is kept up to date."""

    def __init__(
        self, places: Places, streams: Streams, runs: Runs, inside: list[list[Ints]]
    ) -> None:
        self._people, self._runs, self._inside = places.people, runs, inside
        run_of = np.full(len(places.people), -1, dtype=np.int64)
        for run, (stream, number) in enumerate(zip(runs.stream, runs.number, strict=True)):
            run_of[inside[stream][number]] = run
        some = run_of >= 0
        load = np.bincount(run_of[some], weights=places.people[some], minlength=len(runs.room))
        pairs, price = _pairs_of_runs(places, streams, runs)
        self._bins = Bins(pairs, price, places.people, runs.room, run_of, load.astype(np.int64))

    def rescue(self, left: Ints, *, full_tubes: bool) -> None:
        """Give blocks that are in no run a place in one, and move others where need be.

        With ``full_tubes`` others stay where they fill tubes, though they may have a nearer site.
        """
        before = self._bins.bin_of.copy()
        place_all(self._bins, left[np.argsort(-self._people[left], kind="stable")].tolist())
        if not full_tubes:
            cheapen(self._bins, _MOST_TRIES)
        self._write(before)

    def fill_tubes(
        self, pool: int, worth: Floats, rooms: tuple[Ints, Ints], wish: list[Floats], dear: Wanted
    ) -> None:
        """Swap blocks for full tubes; ``worth[stream]`` is what a tube costs there.

        ``rooms`` are ``room[run]``, people in tubes worth filling, which no run passes that has not
        passed it before, and those of them in tubes that are not full.
        ``wish[stream]`` is the share of its people that belongs into each of its runs: runs that
        end together keep to it in sum. Runs with fewer people than ``dear`` miss them.
        """
        runs, before = self._runs, self._bins.bin_of.copy()
        room, over = rooms
        self._bins.capacity = np.where(
            runs.room > 0, np.minimum(runs.room, np.maximum(room, self._bins.load)), 0
        )
        people = np.bincount(runs.stream, self._bins.load, minlength=len(wish))
        worth = worth[runs.stream] * (runs.room > 0)
        wanted = people[runs.stream] * np.concatenate(wish) * (worth > 0)
        _, part = np.unique(runs.end, return_inverse=True)
        TubeFiller(
            self._bins, pool, worth, Parts(part, np.bincount(part, wanted).astype(np.float64)),
            dear, over,
        ).run()  # fmt: skip
        self._write(before)

    def _write(self, before: Ints) -> None:
        now = self._bins.bin_of
        moved = np.flatnonzero(now != before)
        for run in np.unique(np.r_[before[moved], now[moved]]).tolist():
            if run >= 0:
                stream, number = self._runs.stream[run], self._runs.number[run]
                self._inside[stream][number] = self._bins.inside(run)


def _pairs_of_runs(places: Places, streams: Streams, runs: Runs) -> tuple[Pairs, Floats]:
    """Return the (block, run) pairs of the (block, site) pairs, and their prices."""
    pairs, site = places.pairs, np.array(streams.site, dtype=np.int64)
    most = max(int(site.max(initial=0)), int(pairs.site.max(initial=0)))
    stream_at = np.full((most + 1, len(Zone)), -1, dtype=np.int64)
    stream_at[site, streams.zone] = np.arange(len(site))
    stream = stream_at[pairs.site, places.zone[pairs.block]]
    some = np.flatnonzero(stream >= 0)
    at, run = fan_out(stream[some], runs.stream, len(site))
    rows = some[at]
    return Pairs(pairs.block[rows], run, pairs.walk_m[rows]), places.price[rows]
