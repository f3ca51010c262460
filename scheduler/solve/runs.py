"""Which blocks a stream serves in which of its runs, and how they give way to one another."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from scheduler.domain.city import Flags, Floats, Ints
from scheduler.solve.city_waves import CityWaves
from scheduler.solve.layout import Layout, whole_runs
from scheduler.solve.rescue import Inside, Places, Runs
from scheduler.solve.sequence import Order
from scheduler.solve.sessions import EMPTY_PLACE, Tube, split_runs
from scheduler.solve.streams import Streams
from scheduler.solve.waves import Load

DEAR_PLACE = 400
"""People by which a run may miss its share to fill a place in a tube, where tubes are dear."""
_IN_USE = 0.02  # share of a stream's people from which a run is in use


@dataclass(frozen=True)
class Task:
    """What is scheduled: the streams, their fine and wide layout, their load, and other places.

    ``topped[stream, piece]`` are waves worth filling to the last place; ``tube_worth[stream]`` is
    what a tube costs in its cheapest wave, 0 where that is little. ``packed[stream]`` are blocks of
    its runs that are known to fit. ``turn`` are all streams in the order in which they choose the
    blocks of their runs: each makes up for what those before it have missed.
    """

    streams: Streams
    layout: Layout
    wide: Layout
    load: Load
    topped: Flags
    tube_worth: Floats
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
    empty_place: int = DEAR_PLACE,
    *,
    cheap_place: int = EMPTY_PLACE,
) -> list[list[Ints]]:
    """Choose the blocks of each run near the wished shares.

    ``empty_place`` is by how many people a run may miss its share to fill a place in a dear tube,
    ``cheap_place`` in one that is not dear.
    """
    runs: list[list[Ints]] = [[] for _ in range(len(task.streams))]
    owed: dict[tuple[int, ...], list[float]] = {}
    for stream in task.turn.tolist():
        blocks, fixed = task.streams.blocks[stream], task.streams.fixed[stream]
        if fixed is not None:
            runs[stream] = list(fixed)
            continue
        pieces = task.layout.group_pieces[task.layout.group[stream]]
        run_ends = whole_runs(pieces)
        key = (int(task.layout.zone[stream]), *pieces.ravel().tolist())
        carry = owed.setdefault(key, [0.0] * len(run_ends))
        room = task.load.room(np.array([stream]), run_ends)[0].tolist()
        people, share = task.people[blocks], wish[stream].tolist()
        tube = Tube(int(task.load.pool[stream]), cheap_place)
        chosen = None
        if task.tube_worth[stream]:
            tube = replace(tube, empty_place=empty_place, dear=True)
            chosen = _split_full(people, _room_of_tubes(task, stream), share, carry, tube)
        chosen = chosen or split_runs(people, room, share, carry, tube)
        runs[stream] = [blocks[np.array(c, dtype=np.int64)] for c in chosen]
        if sum(map(len, chosen)) < len(blocks) and stream in task.packed:
            runs[stream] = list(task.packed[stream])
    _mend(task, runs, wish)
    return runs


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
        full = [_room_of_tubes(task, stream) for stream in range(len(task.streams))]
        bins.fill_tubes(pool, task.tube_worth, np.concatenate(full), wish)


def _split_full(
    people: Ints, room: Ints, share: list[float], carry: list[float], tube: Tube
) -> list[list[int]] | None:
    """Return the blocks of each run where full tubes have room for all, and update the carry."""
    if people.sum() > room.sum():
        return None
    owed = carry.copy()
    chosen = split_runs(people, room.tolist(), share, owed, tube)
    if sum(map(len, chosen)) < len(people):
        return None
    carry[:] = owed
    return chosen


def _room_of_tubes(task: Task, stream: int) -> Ints:
    """Return the people that fit into each run of a stream in full tubes."""
    pieces = task.layout.group_pieces[task.layout.group[stream]]
    pool = task.load.pool[stream]
    full = task.load.room(np.array([stream]), pieces)[0] // pool * pool
    return np.bincount(pieces[:, 0], full).astype(np.int64)


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


def spare_people(task: Task, runs: list[list[Ints]], stream: int) -> Ints:
    """Return the people that still fit into each run of a stream."""
    pieces = task.layout.group_pieces[task.layout.group[stream]]
    used = np.array([task.people[b].sum() for b in runs[stream]], dtype=np.int64)
    spare: Ints = task.load.room(np.array([stream]), whole_runs(pieces))[0] - used
    return spare


def move(
    runs: list[list[Ints]], block: int, source: tuple[int, int], target: tuple[int, int]
) -> None:
    """Move a block from one (stream, run) to another."""
    blocks = runs[source[0]][source[1]]
    runs[source[0]][source[1]] = blocks[blocks != block]
    runs[target[0]][target[1]] = np.append(runs[target[0]][target[1]], block)


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
