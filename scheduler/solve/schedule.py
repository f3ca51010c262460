"""From whole blocks at sites to calls: runs, waves, tubes, slots."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import chain, pairwise

import numpy as np

from scheduler.domain.city import Flags, Floats, Ints
from scheduler.solve.city_volumes import meet_volumes
from scheduler.solve.day_shares import levelled, missing
from scheduler.solve.equal_columns import EqualColumns
from scheduler.solve.exact_sums import meet_sums
from scheduler.solve.layout import Layout
from scheduler.solve.network import Reach, solve_labs
from scheduler.solve.ontime import Desk, fit_on_time
from scheduler.solve.relief import Relief
from scheduler.solve.runs import DEAR_PLACE, Task, people_by_run, postpone, settle, split
from scheduler.solve.sequence import order_blocks
from scheduler.solve.sharing import follow, shared
from scheduler.solve.slots import Call, fill_run
from scheduler.solve.tube_supply import affordable, tube_supply
from scheduler.solve.volumes import Shares, Volumes, by_distance, even_volumes
from scheduler.solve.waves import (
    TubeRows,
    bridge,
    bridges,
    bridging_tubes,
    by_piece,
    stream_room,
    tube_rows,
)

_TRIES, _TRIES_OF_SHARES, _TRIES_OF_RUNS = 12, 4, 7
_TRIES_NEAR = 2  # in which few tubes beyond the labs in use are not offered to all others
_FEW_TO_SWAP = 0.0005  # share of tubes beyond up to which single blocks give way for them
_FEW_BEYOND = 0.001  # share of tubes that may be late in a plan that tries to have none late
_NEAR_SHARES = 10
_EMPTY_PLACES = (DEAR_PLACE, 50)
_MORE_EMPTY_PLACES = (DEAR_PLACE, 50, _NEAR_SHARES)
"""Tried in turn where labs are short: full tubes, or runs near their share, which leaves more
places in the waves in which labs take most. Measured with 10 and with 38 % of a million late, the
first is better by 0.6 %, the second by 0.5 %."""
_PER_MINUTE_BEYOND = 2.4
"""What a person-minute that labs ask for an empty place counts where labs could not start all: runs
near their shares keep labs from being asked for too much."""
_FEW_STREAMS, _VERY_FEW = 1_000, 100
"""Up to so many streams more than one way is tried: in a city a flow takes 10 s."""


@dataclass(frozen=True)
class Calls(EqualColumns):
    """Columns of equal length: who is called where and when."""

    block: Ints
    stream: Ints
    slot: Ints
    people: Ints


def schedules(task: Task, volumes: Volumes, desk: Desk) -> Iterator[tuple[Calls, Reach]]:
    """Yield ways to call all blocks of all streams, and the labs they were planned for.

    ``volumes`` are what wide groups should send. Where every tube can be in time, streams follow
    them, blocks whose tubes labs could not start in time move to the last run in use, and that is
    the only way. Where some must be late, streams follow a flow of whole tubes; where the
    city has a most of people in a slot, the volumes are tried as well.
    """
    wish = _wishes(task, volumes)
    found = _schedule_on_time(task, volumes, wish, desk) if desk.all_on_time else None
    if found:
        yield found
        return
    wish = levelled(task, volumes, wish)
    for empty_place in _empty_places(len(task.streams)):
        if empty_place == _NEAR_SHARES:
            task = replace(task, dear=task.dear.only_sure())
        runs = _split_for_days(task, volumes, wish, empty_place)
        rows = tube_rows(task.layout, task.load, people_by_run(task, runs), task.topped)
        if task.city_waves.needed:
            planned = shared(task.wide, task.load, rows, volumes)
            planned, _ = task.city_waves.fit(task.layout, task.load, rows, planned)
            yield _call(task, runs, planned), desk.near
        prompt = _in_prompt_waves(rows, desk.prompt[task.layout.group], task.layout)
        for some in (rows, prompt):
            if some is not None:
                planned, near = _weighed(task, some, desk)
                yield _call(task, runs, planned), near


def _split_for_days(
    task: Task, volumes: Volumes, wish: list[Floats], empty_place: float
) -> list[list[Ints]]:
    """Return the blocks of each run; days have no more tubes than labs start until the next one.

    How many tubes are not full is known once runs are split; where they are too many for a night,
    runs are split again for so many fewer people on that day.
    """
    runs = split(task, wish, empty_place)
    if not task.booked.any():
        return runs
    people = people_by_run(task, runs)
    tubes = tube_rows(task.layout, task.load, people, task.topped).tubes
    beyond = task.booked * (tubes - people / task.load.pool[:, None])
    return split(task, levelled(task, volumes, wish, beyond), empty_place)


def _empty_places(num_streams: int) -> tuple[int, ...]:
    """Return what an empty place in a tube may count, one after the other."""
    if num_streams <= _VERY_FEW:
        return _MORE_EMPTY_PLACES
    return _EMPTY_PLACES if num_streams <= _FEW_STREAMS else _EMPTY_PLACES[:1]


def _schedule_on_time(
    task: Task, volumes: Volumes, wish: list[Floats], desk: Desk
) -> tuple[Calls, Reach] | None:
    """Call all blocks with every tube in time; None where that was not found."""
    wish = [share.copy() for share in levelled(task, volumes, wish)]
    runs = split(task, wish)
    rows = tube_rows(task.layout, task.load, people_by_run(task, runs), task.topped)
    settle(task, runs, missing(task, rows, volumes))
    best: tuple[int, list[list[Ints]], Ints, Reach] | None = None
    at_once = True
    for turn in range(_TRIES):
        rows = tube_rows(task.layout, task.load, people_by_run(task, runs), task.topped)
        planned = shared(task.wide, task.load, rows, volumes)
        if at_once:
            planned = _strict_at_once(task, rows, planned)
        planned = meet_volumes(task.wide, task.load, rows, planned, volumes)
        planned, rows = task.city_waves.fit(task.layout, task.load, rows, planned)
        few = _FEW_TO_SWAP * int(rows.units.sum())
        fitted = fit_on_time(task.layout, rows, planned, desk, few if turn < _TRIES_NEAR else 0)
        num_beyond = int(fitted.beyond.sum())
        if best is None or num_beyond < best[0]:
            follow(task.layout, rows, planned, fitted.tubes)
            best = (num_beyond, [list(r) for r in runs], planned, fitted.reach)
        if not num_beyond:
            break
        if at_once and fitted.beyond[_strict(task)[task.layout.first][rows.group]].any():
            at_once = False
            continue
        if turn < _TRIES_OF_SHARES and num_beyond > few:
            excess = _by_group(task.layout, rows, fitted.beyond.astype(np.float64))
            postpone(task, wish, excess, int(rows.units.sum()))
            runs = split(task, wish, per_minute=_PER_MINUTE_BEYOND)
        else:
            relief = Relief(task, runs, rows, fitted, volumes)
            moved = turn < _TRIES_OF_RUNS and relief.give_way(elsewhere=False)
            if not moved and not relief.give_way(elsewhere=True):
                break
    if best is None or best[0] > _FEW_BEYOND * best[2].sum():
        return None
    return _call(task, best[1], best[2]), best[3]


def _strict(task: Task) -> Flags:
    """Return which streams are of a zone whose time is dearer than the commonest one's."""
    dear: Flags = task.load.finish > task.load.finish.min(initial=np.inf)
    return dear


def _strict_at_once(task: Task, rows: TubeRows, tubes: Ints) -> Ints:
    """Return ``tubes[stream, piece]``, those of stricter zones as early as each site can.

    Volumes of a part of the city tell what its sites do together: one that ends before the others
    would go slower than it can for as long.
    """
    tubes = tubes.copy()
    run_of = task.wide.column(0)[task.wide.group]
    for stream in np.flatnonzero(_strict(task)).tolist():
        for run in np.flatnonzero(rows.tubes[stream]).tolist():
            at = np.flatnonzero(run_of[stream] == run)
            room = rows.room[stream, at]
            before = np.cumsum(room) - room
            tubes[stream, at] = np.clip(rows.tubes[stream, run] - before, 0, room)
    return tubes


def _weighed(task: Task, rows: TubeRows, desk: Desk) -> tuple[Ints, Reach]:
    """Return tubes ``[stream, piece]`` where lateness is weighed, and the labs they go to."""
    bridge = bridges(task.layout, task.load)
    dear = -(-task.dear.people // task.load.pool[:, None])
    rows = affordable(task.layout, rows, dear, bridge)
    supply = tube_supply(task.layout, task.load, rows, bridge)
    left_cost = np.full(len(supply.supplies.units), desk.left_cost)
    flow = solve_labs(supply.supplies, desk.near, desk.labs, left_cost)
    tubes = by_piece(task.layout, supply.supplies.group, supply.piece, flow.sent)
    sent = Volumes(tubes, np.zeros(tubes.shape, dtype=bool))
    planned = shared(task.layout, task.load, rows, sent, bridge)
    totals = np.rint(tubes).astype(np.int64)
    return meet_sums(task.layout, rows, planned, totals, bridge), desk.near.with_labs_of(flow)


def _in_prompt_waves(rows: TubeRows, prompt: Flags, layout: Layout) -> TubeRows | None:
    """Return the rows with room in ``prompt[stream, piece]`` waves, and as many more as they need.

    Those are the nearest. None where all waves are prompt: labs that close for the night let no
    site work late, and blocks cannot pause until its last wave.
    """
    if prompt.all():
        return None
    room = rows.room.copy()
    for stream, run in zip(*np.nonzero(rows.tubes), strict=True):
        pieces = layout.group_pieces[layout.group[stream]]
        at = np.flatnonzero(pieces[:, 0] == run)
        good = prompt[stream, at]
        if not good.any():
            continue
        order = at[by_distance(good)]
        before = np.cumsum(room[stream, order]) - room[stream, order]
        needless = ~prompt[stream, order] & (before >= rows.tubes[stream, run])
        room[stream, order[needless]] = 0
    return None if np.array_equal(room, rows.room) else replace(rows, room=room)


def _wishes(task: Task, volumes: Volumes) -> list[Floats]:
    """Return the share of each stream's work that belongs into each of its runs."""
    layout = task.wide
    people = np.array([int(task.people[b].sum()) for b in task.streams.blocks])
    room = _room_of_full_tubes(task, people)
    people = np.minimum(people, room.sum(axis=1))
    quota = task.load.quota.astype(np.float64)
    even = even_volumes(Shares(layout.group, quota, people, room, volumes.tubes))
    wish = []
    for stream, group in enumerate(layout.group.tolist()):
        pieces = layout.group_pieces[group]
        by_run = np.bincount(pieces[:, 0], weights=even[stream, : len(pieces)])
        total = by_run.sum()
        wish.append(by_run / total if total else np.full(len(by_run), 1 / len(by_run)))
    return wish


def _room_of_full_tubes(task: Task, people: Ints) -> Ints:
    """Return the people that fit into each piece ``[stream, piece]`` of wide groups.

    Places that only a part of a tube would fill count where they are worth it, and where a stream
    has more people than all full tubes hold.
    """
    room = stream_room(task.wide, task.load)
    part = room % task.load.pool[:, None]
    full = room - np.where(task.topped, 0, part)
    return np.where((full.sum(axis=1) < people)[:, None], room, full)


def _by_group(layout: Layout, rows: TubeRows, tubes: Floats) -> list[Floats]:
    """Return tubes of rows per group and run."""
    result = [np.zeros(int(pieces[-1, 0]) + 1) for pieces in layout.group_pieces]
    for group, run, count in zip(
        rows.group.tolist(), rows.run.tolist(), tubes.tolist(), strict=True
    ):
        result[group][run] += count
    return result


def _call(task: Task, runs: list[list[Ints]], tubes: Ints) -> Calls:
    """Call every run's blocks so that the streams' tubes per wave come out as planned."""
    calls: list[Call] = []
    ends: list[int] = []
    for stream, blocks_of_runs in enumerate(runs):
        pieces = task.layout.group_pieces[task.layout.group[stream]]
        edges = np.searchsorted(pieces[:, 0], np.arange(len(blocks_of_runs) + 1)).tolist()
        for blocks, (first, end) in zip(blocks_of_runs, pairwise(edges), strict=True):
            if len(blocks):
                calls += _call_run(
                    task, stream, blocks, pieces[first:end], tubes[stream, first:end]
                )
        ends.append(len(calls))
    flat = np.fromiter(chain.from_iterable(calls), dtype=np.int64, count=3 * len(calls))
    columns = flat.reshape(-1, 3)
    stream_of = np.repeat(np.arange(len(runs)), np.diff(ends, prepend=0))
    return Calls(columns[:, 0], stream_of, columns[:, 1], columns[:, 2])


def _call_run(task: Task, stream: int, blocks: Ints, pieces: Ints, tubes: Ints) -> list[Call]:
    """Call the blocks of one run, following its tubes per wave."""
    total = int(task.people[blocks].sum())
    pool = int(task.load.pool[stream])
    room = task.load.room(np.array([stream]), pieces)[0]
    tubes = bridge(tubes, -(-room // pool), bridging_tubes(pieces, pool))
    sent = people_of_tubes(total, tubes, room, pool)
    some = np.flatnonzero(sent)
    waves, sent = pieces[some[0] : some[-1] + 1], sent[some[0] : some[-1] + 1]
    order = order_blocks(task.order, blocks, waves[:, 1], sent)
    return fill_run(
        list(zip(order, task.people[order].tolist(), strict=True)),
        list(zip(waves[:, 2].tolist(), waves[:, 3].tolist(), sent.tolist(), strict=True)),
        task.load.places[stream],
    )


def people_of_tubes(total: int, tubes: Ints, room: Ints, pool: int) -> Ints:
    """Return people per wave that fill the tubes within the room; the last waves take less."""
    people: list[int] = np.minimum(tubes * pool, room).tolist()
    surplus = sum(people) - total
    for wave in range(len(people) - 1, -1, -1):
        cut = min(max(surplus, 0), people[wave])
        people[wave] -= cut
        surplus -= cut
    for wave, most in enumerate(room.tolist()) if surplus else ():
        add = min(-surplus, most - people[wave])
        people[wave] += add
        surplus += add
    return np.array(people, dtype=np.int64)
