"""Which blocks a stream serves in which of its runs, and how they give way to one another."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from scheduler.domain.city import Flags, Floats, Ints
from scheduler.solve.city_waves import CityWaves
from scheduler.solve.fill_tubes import Wanted
from scheduler.solve.layout import Layout, whole_runs
from scheduler.solve.rescue import Inside, Places, Runs
from scheduler.solve.sequence import Order
from scheduler.solve.sessions import Tube, split_runs
from scheduler.solve.streams import Streams
from scheduler.solve.waves import Load

DEAR_PLACE = 400
"""People by which a run may miss its share to fill a place in a tube, where tubes are dear."""
MISSED_PER_MINUTE = 12.0
"""The same where tubes are not dear, for each person-minute that labs ask for a place: a slot later
is 0.075 person-minutes. Measured at 0.1, 0.2, 1 and 6.4 million: 10 and 16 are about as good as one
another, 5 and 24 cost 0.004 % more, and so does one figure for all runs."""
_SETTLING = 8  # streams that make up for what all together miss
_IN_USE = 0.02  # share of a stream's people from which a run is in use

RunEnd = tuple[int, int]
"""A zone, and the slot before which runs of it end."""


@dataclass(frozen=True)
class DearWaves:
    """The waves that streams should fill, ``[stream, piece]``; nothing in others.

    ``gain`` is what a place is worth more there, in person-minutes, for so many ``people``;
    ``sure`` tells that prices say so, not only that the wave is nearly full.
    """

    gain: Floats
    people: Ints
    sure: Flags

    def only_sure(self) -> DearWaves:
        """Return the waves of which prices tell that they are dear."""
        return replace(self, gain=np.where(self.sure, self.gain, 0.0),
                       people=np.where(self.sure, self.people, 0))  # fmt: skip


@dataclass(frozen=True)
class Task:
    """What is scheduled: the streams, their fine and wide layout, their load, and other places.

    ``topped[stream, piece]`` are waves worth filling to the last place, ``over[stream, run]`` the
    people of their last tubes where tubes are dear, ``booked[stream, run]`` the share of tubes
    beyond full ones for which labs have no time; ``lab_cost[stream, piece]`` is what labs ask for a
    person, ``tube_worth[stream]`` what a tube costs in its cheapest wave, 0 where that is little.
    ``dear`` are the waves in which tubes are late by least. ``packed[stream]`` are blocks of its
    runs that are known to fit. ``turn`` are all streams in the order in which they choose the
    blocks of their runs: each makes up for what those before it have missed.
    """

    streams: Streams
    layout: Layout
    wide: Layout
    load: Load
    topped: Flags
    over: Ints
    booked: Floats
    lab_cost: Floats
    tube_worth: Floats
    dear: DearWaves
    places: Places
    order: Order
    city_waves: CityWaves
    packed: dict[int, list[Ints]]
    turn: Ints

    @property
    def people(self) -> Ints:
        """People of each block."""
        return self.places.people


def split(
    task: Task,
    wish: list[Floats],
    dear_place: float = DEAR_PLACE,
    *,
    per_minute: float = MISSED_PER_MINUTE,
) -> list[list[Ints]]:
    """Choose the blocks of each run near the wished shares.

    ``dear_place`` is by how many people a run may miss its share to fill a place in a dear tube,
    ``per_minute`` in one that is not dear for each person-minute that labs ask for the place.
    """
    runs: list[list[Ints]] = [[] for _ in range(len(task.streams))]
    owed: dict[tuple[int, bytes], list[float]] = {}
    for stream in task.turn.tolist():
        fixed = task.streams.fixed[stream]
        if fixed is not None:
            runs[stream] = list(fixed)
            continue
        tubes = _tubes(task, stream, dear_place, per_minute)
        pieces = task.layout.group_pieces[task.layout.group[stream]]
        key = task.streams.zone[stream], pieces.tobytes()
        carry = owed.setdefault(key, [0.0] * len(tubes))
        runs[stream] = _split_stream(task, stream, wish[stream].tolist(), carry, tubes)
    _mend(task, runs, wish)
    return runs


def settle(task: Task, runs: list[list[Ints]], missing: dict[RunEnd, float]) -> None:
    """Let the streams with most blocks send the people that runs of the city are missing, in place.

    They have most sums to choose from. What is ``missing`` is counted in places of tubes, and is
    left with what still is. Streams that have given blocks to others, or taken some, stay as they
    are.
    """
    free = [fixed is None and not worth for fixed, worth
            in zip(task.streams.fixed, task.tube_worth.tolist(), strict=True)]  # fmt: skip
    size = np.array([len(blocks) for blocks in task.streams.blocks]) * free
    for stream in np.argsort(size, kind="stable")[-_SETTLING:].tolist():
        own = np.sort(task.streams.blocks[stream])
        if not size[stream] or not np.array_equal(np.sort(np.concatenate(runs[stream])), own):
            continue
        people = np.array([task.people[blocks].sum() for blocks in runs[stream]])
        total = int(people.sum())
        ends, tubes = run_ends(task, stream), _tubes(task, stream, 0, MISSED_PER_MINUTE)
        places = (-people % tubes[0].people).tolist()
        carry = [missing.get(end, 0) + more for end, more in zip(ends, places, strict=True)]
        found = _split_stream(task, stream, (people / total).tolist(), carry, tubes)
        if sum(map(len, found)) == size[stream]:
            runs[stream] = found
            missing |= zip(ends, carry, strict=True)


def run_ends(task: Task, stream: int) -> list[RunEnd]:
    """Return the zone of each run of a stream, and the slot before which it ends."""
    return [(task.streams.zone[stream], end) for end in _runs_of(task, stream)[:, 3].tolist()]


def _tubes(task: Task, stream: int, dear_place: float, per_minute: float) -> list[Tube]:
    """Return what an empty place counts in each run of a stream; see ``split``."""
    pieces, pool = task.layout.group_pieces[task.layout.group[stream]], int(task.load.pool[stream])
    num_runs = int(pieces[-1, 0]) + 1
    if task.tube_worth[stream]:
        missed = dear_place * _wanted(task, stream)[1] * pool / float(task.tube_worth[stream])
        over = task.over[stream, :num_runs].tolist()
        return [Tube(pool, dear_place, dear=True, missed=missed, over=some) for some in over]
    asked = np.full(num_runs, np.inf)
    np.minimum.at(asked, pieces[:, 0], task.lab_cost[stream, : len(pieces)])
    known = np.where(np.isfinite(asked), asked, 0.0)  # else no lab takes anybody
    return [Tube(pool, per_minute * minutes) for minutes in known.tolist()]


def _split_stream(
    task: Task, stream: int, share: list[float], carry: list[float], tubes: list[Tube]
) -> list[Ints]:
    """Return the blocks of a stream's runs; ``carry`` is that of ``split_runs``."""
    blocks = task.streams.blocks[stream]
    people, full = task.people[blocks], _room_worth_filling(task, stream, full=tubes[0].dear)
    wanted = _wanted(task, stream)[0] if tubes[0].dear else None
    chosen = _split_full(people, full, share, carry, (tubes, wanted))
    if chosen is None:
        room = task.load.room(np.array([stream]), _runs_of(task, stream))[0].tolist()
        chosen = split_runs(people, room, share, carry, tubes, wanted)
    if sum(map(len, chosen)) < len(blocks) and stream in task.packed:
        return list(task.packed[stream])
    return [blocks[np.array(c, dtype=np.int64)] for c in chosen]


def _runs_of(task: Task, stream: int) -> Ints:
    return whole_runs(task.layout.group_pieces[task.layout.group[stream]])


def _mend(task: Task, runs: list[list[Ints]], wish: list[Floats]) -> None:
    """Find room for blocks that fit into no run of their site, and fill tubes where it pays."""
    every = Runs.of(task.streams, task.layout, task.load.places)
    inside = np.zeros(len(task.people), dtype=bool)
    for blocks_of_runs in runs:
        for blocks in blocks_of_runs:
            inside[blocks] = True
    left = np.flatnonzero(~inside & (task.people > 0))
    if not len(left) and not task.tube_worth.any():
        return
    bins = Inside(task.places, task.streams, every, runs)
    if len(left):
        bins.rescue(left, full_tubes=bool(task.tube_worth.any()))
    if task.tube_worth.any():
        pool = int(task.load.pool[np.argmax(task.tube_worth)])
        full = [_room_worth_filling(task, stream, full=True) for stream in range(len(task.streams))]
        over = [task.over[stream, : len(room)] for stream, room in enumerate(full)]
        bins.fill_tubes(
            pool, task.tube_worth, (np.concatenate(full), np.concatenate(over)), wish,
            _wanted_of_all(task, full),
        )  # fmt: skip


def _split_full(
    people: Ints,
    room: Ints,
    share: list[float],
    carry: list[float],
    asked: tuple[list[Tube], list[int] | None],
) -> list[list[int]] | None:
    """Return the blocks of each run where full tubes have room for all, and update the carry.

    ``asked`` are the last two arguments of ``split_runs``.
    """
    if people.sum() > room.sum():
        return None
    owed = carry.copy()
    chosen = split_runs(people, room.tolist(), share, owed, *asked)
    if sum(map(len, chosen)) < len(people):
        return None
    carry[:] = owed
    return chosen


def _wanted(task: Task, stream: int) -> tuple[list[int] | None, float]:
    """Return the people of each run whose places are dear, if any, and what one gains on average.

    A run that has fewer than that misses them.
    """
    pieces = task.layout.group_pieces[task.layout.group[stream]]
    gain, people = (a[stream, : len(pieces)] for a in (task.dear.gain, task.dear.people))
    if not people.any():
        return None, 0.0
    wanted = np.bincount(pieces[:, 0], people).astype(np.int64)
    return wanted.tolist(), float((gain * people).sum() / people.sum())


def _wanted_of_all(task: Task, runs: list[Ints]) -> Wanted:
    """Return what all runs want, in the order of ``runs[stream]``."""
    every = [_wanted(task, stream) for stream in range(len(runs))]
    people = [some or [0] * len(r) for (some, _), r in zip(every, runs, strict=True)]
    missed = [np.full(len(r), gain) for (_, gain), r in zip(every, runs, strict=True)]
    return Wanted(np.concatenate(people).astype(np.int64), np.concatenate(missed))


def _room_worth_filling(task: Task, stream: int, *, full: bool) -> Ints:
    """Return the people that fit into each run of a stream in tubes that are worth their places.

    Those are full ones, and without ``full`` the last ones of waves worth filling; with it those
    that are worth it where tubes are dear.
    """
    pieces = task.layout.group_pieces[task.layout.group[stream]]
    room = task.load.room(np.array([stream]), pieces)[0]
    topped = task.topped[stream, : len(pieces)] & (not full)
    part = np.where(topped, 0, room % task.load.pool[stream])
    people = np.bincount(pieces[:, 0], room - part).astype(np.int64)
    return people + task.over[stream, : len(people)] if full else people


def people_by_run(task: Task, runs: list[list[Ints]]) -> Ints:
    """Return ``people[stream, run]``."""
    people = np.zeros((len(task.streams), _most_runs(task.layout)), dtype=np.int64)
    for stream, blocks_of_runs in enumerate(runs):
        for run, blocks in enumerate(blocks_of_runs):
            people[stream, run] = task.people[blocks].sum()
    return people


def _most_runs(layout: Layout) -> int:
    """Return the number of columns of ``people[stream, run]``."""
    return max((int(p[:, 0].max()) + 1 for p in layout.group_pieces), default=1)


def postpone(task: Task, wish: list[Floats], late: list[Floats], tubes: int) -> None:
    """Move late shares to the last run in use, and those of later ones back to earlier runs.

    Where a stricter zone comes late, all groups of the commonest zone give way together.
    """
    layout = task.layout
    size = [_people_of(task, m) / float(task.load.pool[m[0]]) for m in layout.members]
    zones = layout.zone[layout.first]
    main = int(np.argmax(np.bincount(zones, weights=size)))
    strict = sum(
        float(n.sum()) for n, zone in zip(late, zones.tolist(), strict=True) if zone != main
    )
    everywhere = min(1.0, strict / max(1, tubes))
    for group in np.flatnonzero(zones == main).tolist():
        part = late[group] / max(1.0, size[group])
        for stream in layout.members[group].tolist():
            _shift(wish[stream], part, everywhere)


def _shift(share: Floats, late: Floats, everywhere: float) -> None:
    """Move ``late`` parts of a stream's shares to its last run in use, and its own ones back."""
    used = np.flatnonzero(share >= _IN_USE)
    last = int(used[-1]) if len(used) else len(share) - 1
    if last < len(share) - 1 and late[last] > 0:
        last += 1
    back = min(float(late[last]), float(share[last])) if last else 0.0
    cut = np.minimum(late[:last] + share[:last] * everywhere, share[:last])
    share[:last] -= cut
    share[last] += cut.sum() - back
    share[:last] += back / max(1, last)


def _people_of(task: Task, streams: Ints) -> int:
    """Return the people of some streams."""
    return sum(int(task.people[task.streams.blocks[s]].sum()) for s in streams.tolist())
