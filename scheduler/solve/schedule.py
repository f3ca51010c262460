"""From whole blocks at sites to calls: runs, waves, tubes, slots."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scheduler.domain.city import Floats, Ints
from scheduler.solve.layout import Layout
from scheduler.solve.network import LabFlow, LabSide, Reach, solve_labs
from scheduler.solve.ontime import Desk, fit_on_time
from scheduler.solve.rescue import Places, Rescue
from scheduler.solve.sequence import Order, order_blocks
from scheduler.solve.sessions import split_runs
from scheduler.solve.slots import Call, fill_run
from scheduler.solve.streams import Streams
from scheduler.solve.volumes import Shares, even_volumes, move_tubes, share_tubes
from scheduler.solve.waves import Load, TubeRows, bridge, tube_rows, tube_supply, tubes_by_piece

_TRIES, _TRIES_LATE = 8, 5
_TO_SPARE = 1.5  # doubled at every turn: a few tubes are less than a block


@dataclass(frozen=True)
class Calls:
    """Columns of equal length: who is called where and when."""

    block: Ints
    stream: Ints
    slot: Ints
    people: Ints


@dataclass(frozen=True)
class Task:
    """What is scheduled: the streams, their fine and wide layout, their load, and other places."""

    streams: Streams
    layout: Layout
    wide: Layout
    load: Load
    places: Places
    order: Order

    @property
    def people(self) -> Ints:
        """People of each block."""
        return self.places.people


def schedule(task: Task, volumes: Floats, desk: Desk) -> tuple[Calls, Reach]:
    """Call all blocks of all streams; returns the calls and the labs they were planned for.

    ``volumes[group, piece]`` is what wide groups should send, in any unit. Where every tube can be in time, streams follow these volumes, and blocks whose tubes labs could not
    start in time move to the last run. Where some must be late, one flow weighs all.
    """
    wish = _wishes(task, volumes)
    if desk.all_on_time:
        for turn in range(_TRIES):
            runs = _split(task, wish)
            rows = tube_rows(task.layout, task.load, _people(task, runs))
            planned = _shared(task.wide, task.load, rows, volumes)
            fitted = fit_on_time(task.layout, rows, planned, desk)
            if not fitted.beyond.any():
                _follow(task.layout, rows, planned, fitted.tubes)
                return _call(task, runs, planned), fitted.reach
            excess = _by_group(task.layout, rows, fitted.beyond * (1 + turn))
            _postpone(task, wish, excess, int(rows.units.sum()))
    return _schedule_late(task, wish, desk)


def _schedule_late(task: Task, wish: list[Floats], desk: Desk) -> tuple[Calls, Reach]:
    """Call all blocks where lateness must be weighed."""
    best: tuple[float, list[list[Ints]], Ints] | None = None
    reach = desk.near
    for turn in range(_TRIES_LATE):
        runs = _split(task, wish)
        rows = tube_rows(task.layout, task.load, _people(task, runs))
        supply = tube_supply(task.layout, task.load, rows)
        left_cost = np.full(len(rows.units), desk.left_cost)
        flow = solve_labs(supply.supplies, reach, desk.labs, left_cost)
        reach = reach.with_labs_of(flow)
        late = _late_tubes(task.layout, flow, reach, desk.labs)
        num_late = sum(float(n.sum()) for n in late)
        if best is None or num_late < best[0]:
            tubes = tubes_by_piece(task.layout, supply, flow.sent)
            best = (num_late, runs, _shared(task.layout, task.load, rows, tubes.astype(np.float64)))
        if not num_late:
            break
        _postpone(task, wish, [n * _TO_SPARE * 2**turn for n in late], int(rows.units.sum()))
    if best is None:
        raise RuntimeError("Expected at least one try")
    return _call(task, best[1], best[2]), reach


def _wishes(task: Task, volumes: Floats) -> list[Floats]:
    """Return the share of each stream's work that belongs into each of its runs."""
    layout = task.wide
    room = np.zeros((len(task.streams), volumes.shape[1]), dtype=np.int64)
    for group, members in enumerate(layout.members):
        pieces = layout.group_pieces[group]
        width = pieces[:, 3] - pieces[:, 2]
        room[members, : len(width)] = width[None, :] * task.load.quota[members][:, None]
    people = np.array([int(task.people[b].sum()) for b in task.streams.blocks])
    people = np.minimum(people, room.sum(axis=1))
    quota = task.load.quota.astype(np.float64)
    even = even_volumes(Shares(layout.group, quota, people, room, volumes))
    wish = []
    for stream, group in enumerate(layout.group.tolist()):
        pieces = layout.group_pieces[group]
        by_run = np.bincount(pieces[:, 0], weights=even[stream, : len(pieces)])
        total = by_run.sum()
        wish.append(by_run / total if total else np.full(len(by_run), 1 / len(by_run)))
    return wish


def _by_group(layout: Layout, rows: TubeRows, tubes: Ints) -> list[Floats]:
    """Return tubes of rows per group and run."""
    result = [np.zeros(int(pieces[-1, 0]) + 1) for pieces in layout.group_pieces]
    for group, run, count in zip(
        rows.group.tolist(), rows.run.tolist(), tubes.tolist(), strict=True
    ):
        result[group][run] += count
    return result


def _shared(layout: Layout, load: Load, rows: TubeRows, volumes: Floats) -> Ints:
    """Return tubes ``[stream, piece]`` in the proportions of ``volumes[group, piece]``."""
    run_of = np.full(volumes.shape, -1, dtype=np.int64)
    for group, pieces in enumerate(layout.group_pieces):
        run_of[group, : len(pieces)] = pieces[:, 0]
    stream, run = np.nonzero(rows.tubes)
    part = layout.group[stream]
    here = run_of[part] == run[:, None]
    count, room = rows.tubes[stream, run], np.where(here, rows.room[stream], 0)
    key = part * rows.tubes.shape[1] + run  # a run of a group is a part of its own
    distinct, which = np.unique(key, return_inverse=True)
    group, of_run = distinct // rows.tubes.shape[1], distinct % rows.tubes.shape[1]
    wanted = np.where(run_of[group] == of_run[:, None], volumes[group], 0)
    quota = (load.quota / load.pool)[stream]
    even = even_volumes(Shares(which, quota, count, room, wanted))
    tubes = np.zeros_like(rows.room)
    owed: dict[tuple[int, bytes], Floats] = {}
    order = np.argsort(which, kind="stable")
    edges = np.searchsorted(which[order], np.arange(len(distinct) + 1))
    for number, (g, r) in enumerate(zip(group.tolist(), of_run.tolist(), strict=True)):
        mine = order[edges[number] : edges[number + 1]]
        pieces = layout.group_pieces[g]
        at = slice(*np.searchsorted(pieces[:, 0], [r, r + 1]).tolist())
        widest = int((pieces[at, 3] - pieces[at, 2]).max())
        least = -(-widest // int(load.pool[stream[mine[0]]]))
        name = (int(layout.zone[stream[mine[0]]]), pieces[at].tobytes())
        debt = owed.setdefault(name, np.zeros(at.stop - at.start))
        tubes[stream[mine], at] = share_tubes(even[mine, at], count[mine], room[mine, at], least, debt)
    return tubes


def _follow(layout: Layout, rows: TubeRows, tubes: Ints, totals: Ints) -> None:
    """Change ``tubes[stream, piece]`` so that they sum to ``totals[group, piece]``."""
    for group, members in enumerate(layout.members):
        change = totals[group] - tubes[members].sum(axis=0)
        if not change.any():
            continue
        pieces = layout.group_pieces[group]
        for run in np.unique(pieces[:, 0]).tolist():
            here = np.ix_(members, np.flatnonzero(pieces[:, 0] == run))
            part = tubes[here]
            move_tubes(part, rows.room[here], change[here[1][0]])
            tubes[here] = part


def _most_runs(layout: Layout) -> int:
    """Return the number of columns of ``people[stream, run]``."""
    return max((int(p[:, 0].max()) + 1 for p in layout.group_pieces), default=1)


def _people(task: Task, runs: list[list[Ints]]) -> Ints:
    """Return ``people[stream, run]``."""
    people = np.zeros((len(task.streams), _most_runs(task.layout)), dtype=np.int64)
    for stream, blocks_of_runs in enumerate(runs):
        for run, blocks in enumerate(blocks_of_runs):
            people[stream, run] = task.people[blocks].sum()
    return people


def _late_tubes(layout: Layout, flow: LabFlow, reach: Reach, labs: LabSide) -> list[Floats]:
    """Return per group and run the tubes that come late."""
    arrive = (
        labs.promise.pickup_min[flow.load_wave] + reach.travel_min[flow.load_group, flow.load_lab]
    )
    start = np.maximum(arrive, labs.hours.begin_min[flow.load_hour])
    late = labs.promise.late_min(flow.load_wave, flow.load_lab, start) > 0
    result = [np.zeros(int(pieces[:, 0].max()) + 1) for pieces in layout.group_pieces]
    for group, wave, units in zip(
        flow.load_group[late].tolist(), flow.load_wave[late].tolist(),
        flow.load_units[late].tolist(), strict=True,
    ):  # fmt: skip
        pieces = layout.group_pieces[group]
        result[group][pieces[pieces[:, 1] == wave, 0][0]] += units
    return result


def _postpone(task: Task, wish: list[Floats], late: list[Floats], tubes: int) -> None:
    """Move late shares to the last run, and those of the last run back.

    Where a stricter zone comes late, all groups of the commonest zone give way together.
    """
    layout = task.layout
    size = [_people_of(task, m) / float(task.load.pool[m[0]]) for m in layout.members]
    zones = layout.zone[[int(m[0]) for m in layout.members]]
    main = int(np.argmax(np.bincount(zones, weights=size)))
    strict = sum(
        float(n.sum()) for n, zone in zip(late, zones.tolist(), strict=True) if zone != main
    )
    everywhere = min(1.0, strict / max(1, tubes))
    for group in np.flatnonzero(zones == main).tolist():
        part = late[group] / max(1.0, size[group])
        for stream in layout.members[group].tolist():
            share = wish[stream]
            back = min(float(part[-1]), float(share[-1])) if len(share) > 1 else 0.0
            cut = np.minimum(part[:-1] + share[:-1] * everywhere, share[:-1])
            share[:-1] -= cut
            share[-1] += cut.sum() - back
            share[:-1] += back / max(1, len(share) - 1)


def _people_of(task: Task, streams: Ints) -> int:
    """Return the people of some streams."""
    return sum(int(task.people[task.streams.blocks[s]].sum()) for s in streams.tolist())


def _split(task: Task, wish: list[Floats]) -> list[list[Ints]]:
    """Choose the blocks of each run near the wished shares."""
    runs: list[list[Ints]] = [[] for _ in range(len(task.streams))]
    owed: dict[tuple[int, ...], list[float]] = {}
    for group, members in enumerate(task.layout.members):
        pieces = task.layout.group_pieces[group]
        width = np.bincount(pieces[:, 0], weights=pieces[:, 3] - pieces[:, 2])
        key = (int(task.layout.zone[members[0]]), *pieces.ravel().tolist())
        carry = owed.setdefault(key, [0.0] * len(width))
        for stream in members.tolist():
            blocks = task.streams.blocks[stream]
            fixed = task.streams.fixed[stream]
            if fixed is not None:
                runs[stream] = list(fixed)
                continue
            room = [int(w) * int(task.load.quota[stream]) for w in width]
            pool = int(task.load.pool[stream])
            chosen = split_runs(task.people[blocks], room, wish[stream].tolist(), carry, pool)
            runs[stream] = [blocks[np.array(c, dtype=np.int64)] for c in chosen]
    _rescue(task, runs)
    return runs


def _rescue(task: Task, runs: list[list[Ints]]) -> None:
    """Find room elsewhere for blocks that fit into no run of their site."""
    inside = np.zeros(len(task.people), dtype=bool)
    for blocks_of_runs in runs:
        for blocks in blocks_of_runs:
            inside[blocks] = True
    left = np.flatnonzero(~inside & (task.people > 0))
    if len(left):
        rescue = Rescue(task.places, task.streams, task.layout, task.load.quota, runs)
        for block in left[np.argsort(-task.people[left], kind="stable")].tolist():
            rescue.place(block)


def _call(task: Task, runs: list[list[Ints]], tubes: Ints) -> Calls:
    """Call every run's blocks so that the streams' tubes per wave come out as planned."""
    calls: list[Call] = []
    stream_of: list[int] = []
    for stream, blocks_of_runs in enumerate(runs):
        pieces = task.layout.group_pieces[task.layout.group[stream]]
        for run, blocks in enumerate(blocks_of_runs):
            if len(blocks):
                mine = pieces[:, 0] == run
                called = _call_run(
                    task, stream, blocks, pieces[mine], tubes[stream, : len(mine)][mine]
                )
                calls += called
                stream_of += [stream] * len(called)
    columns = np.array([(c.block, c.slot, c.people) for c in calls], dtype=np.int64).reshape(-1, 3)
    return Calls(columns[:, 0], np.array(stream_of, dtype=np.int64), columns[:, 1], columns[:, 2])


def _call_run(task: Task, stream: int, blocks: Ints, pieces: Ints, tubes: Ints) -> list[Call]:
    """Call the blocks of one run, following its tubes per wave."""
    total = int(task.people[blocks].sum())
    pool, quota = int(task.load.pool[stream]), int(task.load.quota[stream])
    width = pieces[:, 3] - pieces[:, 2]
    room = quota * width
    tubes = bridge(tubes, -(-room // pool), -(-int(width.max()) // pool))
    sent = people_of_tubes(total, tubes, room, pool)
    some = np.flatnonzero(sent)
    waves, sent = pieces[some[0] : some[-1] + 1], sent[some[0] : some[-1] + 1]
    order = order_blocks(task.order, blocks, waves[:, 1], sent)
    return fill_run(
        [(b, int(task.people[b])) for b in order],
        [(int(p[2]), int(p[3]), int(n)) for p, n in zip(waves, sent, strict=True)],
        quota,
    )


def people_of_tubes(total: int, tubes: Ints, room: Ints, pool: int) -> Ints:
    """Return people per wave that fill the tubes within the room; the last waves take less."""
    people = np.minimum(tubes * pool, room)
    surplus = int(people.sum()) - total
    for wave in range(len(people) - 1, -1, -1):
        cut = min(max(surplus, 0), int(people[wave]))
        people[wave] -= cut
        surplus -= cut
    for wave in range(len(people)):
        add = min(max(-surplus, 0), int(room[wave] - people[wave]))
        people[wave] += add
        surplus += add
    return people
