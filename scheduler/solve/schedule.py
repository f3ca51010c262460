"""From whole blocks at sites to calls: runs, waves, tubes, slots."""

from __future__ import annotations

from collections.abc import Iterator
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
from scheduler.solve.volumes import Shares, Volumes, even_volumes, move_tubes, share_tubes
from scheduler.solve.waves import (
    Load,
    TubeRows,
    bridge,
    stream_room,
    tube_rows,
    tube_supply,
    tubes_by_piece,
)

_TRIES, _TRIES_OF_SHARES, _TRIES_LATE = 10, 4, 5
_IN_USE = 0.02  # share of a stream's people from which a run is in use
_FEW_BEYOND = 0.001  # share of tubes that may be late in a plan that tries to have none late
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


def schedules(task: Task, volumes: Volumes, desk: Desk) -> Iterator[tuple[Calls, Reach]]:
    """Yield ways to call all blocks of all streams, and the labs they were planned for.

    ``volumes`` are what wide groups should send. Where every tube can be in time, streams follow
    them, blocks whose tubes labs could not start in time move to the last run in use, and that is
    the only way. Where some must be late, streams follow the volumes or a flow of whole tubes.
    """
    wish = _wishes(task, volumes)
    found = _schedule_on_time(task, volumes, wish, desk) if desk.all_on_time else None
    if found:
        yield found
        return
    runs = _split(task, wish)
    rows = tube_rows(task.layout, task.load, _people(task, runs))
    yield _call(task, runs, _shared(task.wide, task.load, rows, volumes)), desk.near
    yield from _schedules_late(task, wish, desk)


def _schedule_on_time(
    task: Task, volumes: Volumes, wish: list[Floats], desk: Desk
) -> tuple[Calls, Reach] | None:
    """Call all blocks with every tube in time; None where that was not found."""
    wish = [share.copy() for share in wish]
    runs = _split(task, wish)
    best: tuple[int, list[list[Ints]], Ints, Reach] | None = None
    for turn in range(_TRIES):
        rows = tube_rows(task.layout, task.load, _people(task, runs))
        planned = _shared(task.wide, task.load, rows, volumes)
        fitted = fit_on_time(task.layout, rows, planned, desk)
        num_beyond = int(fitted.beyond.sum())
        if best is None or num_beyond < best[0]:
            _follow(task.layout, rows, planned, fitted.tubes)
            best = (num_beyond, [list(r) for r in runs], planned, fitted.reach)
        if not num_beyond:
            break
        if turn < _TRIES_OF_SHARES:
            excess = _by_group(task.layout, rows, fitted.beyond.astype(np.float64))
            _postpone(task, wish, excess, int(rows.units.sum()))
            runs = _split(task, wish)
        elif not _relieve(task, runs, rows, fitted.beyond):
            break
    if best is None or best[0] > _FEW_BEYOND * best[2].sum():
        return None
    return _call(task, best[1], best[2]), best[3]


def _relieve(task: Task, runs: list[list[Ints]], rows: TubeRows, beyond: Ints) -> bool:
    """Move a block out of each run with tubes beyond, to the run of its stream with most room."""
    width = [np.bincount(p[:, 0], weights=p[:, 3] - p[:, 2]) for p in task.layout.group_pieces]
    moved = False
    full = {(g, r) for g, r in zip(rows.group[beyond > 0], rows.run[beyond > 0], strict=True)}
    for row in np.flatnonzero(beyond).tolist():
        group, run = int(rows.group[row]), int(rows.run[row])
        need = int(beyond[row] * task.load.pool[task.layout.members[group][0]])
        for stream in task.layout.members[group].tolist():
            if task.streams.fixed[stream] is not None or not len(runs[stream][run]):
                continue
            used = np.array([task.people[b].sum() for b in runs[stream]])
            spare = width[group] * task.load.quota[stream] - used
            spare[[r for r in range(len(spare)) if (group, r) in full]] = -1
            blocks = runs[stream][run]
            size = task.people[blocks]
            fits = size <= spare.max()
            if not fits.any():
                continue
            # the smallest block that is enough, else the largest that fits
            wanting = np.where(size >= need, size, (1 << 40) - size)
            block = blocks[int(np.argmin(np.where(fits, wanting, 1 << 41)))]
            target = int(np.argmax(spare))
            runs[stream][run] = blocks[blocks != block]
            runs[stream][target] = np.append(runs[stream][target], block)
            moved = True
            break
    return moved


def _schedules_late(task: Task, wish: list[Floats], desk: Desk) -> Iterator[tuple[Calls, Reach]]:
    """Yield calls where lateness is weighed: as first wished, then with the fewest late tubes."""
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
            tubes = tubes_by_piece(task.layout, supply, flow.sent).astype(np.float64)
            sent = Volumes(tubes, np.zeros(tubes.shape, dtype=bool))
            best = (num_late, runs, _shared(task.layout, task.load, rows, sent))
        if not turn:
            yield _call(task, best[1], best[2]), reach
        if not num_late:
            break
        _postpone(task, wish, [n * _TO_SPARE * 2**turn for n in late], int(rows.units.sum()))
    if best is not None:
        yield _call(task, best[1], best[2]), reach


def _wishes(task: Task, volumes: Volumes) -> list[Floats]:
    """Return the share of each stream's work that belongs into each of its runs."""
    layout = task.wide
    room = stream_room(layout, task.load)
    people = np.array([int(task.people[b].sum()) for b in task.streams.blocks])
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


def _by_group(layout: Layout, rows: TubeRows, tubes: Floats) -> list[Floats]:
    """Return tubes of rows per group and run."""
    result = [np.zeros(int(pieces[-1, 0]) + 1) for pieces in layout.group_pieces]
    for group, run, count in zip(
        rows.group.tolist(), rows.run.tolist(), tubes.tolist(), strict=True
    ):
        result[group][run] += count
    return result


def _shared(layout: Layout, load: Load, rows: TubeRows, volumes: Volumes) -> Ints:
    """Return tubes ``[stream, piece]`` near the volumes of its groups."""
    run_of = np.full(volumes.tubes.shape, -1, dtype=np.int64)
    for group, pieces in enumerate(layout.group_pieces):
        run_of[group, : len(pieces)] = pieces[:, 0]
    stream, run = np.nonzero(rows.tubes)
    part = layout.group[stream]
    here = run_of[part] == run[:, None]
    count, room = rows.tubes[stream, run], np.where(here, rows.room[stream], 0)
    key = part * rows.tubes.shape[1] + run  # a run of a group is a part of its own
    distinct, which = np.unique(key, return_inverse=True)
    group, of_run = distinct // rows.tubes.shape[1], distinct % rows.tubes.shape[1]
    wanted = np.zeros((len(distinct), volumes.tubes.shape[1]))
    total = np.bincount(which, weights=count).astype(np.int64)
    space = np.zeros(wanted.shape, dtype=np.int64)
    np.add.at(space, which, room)
    for number, (g, r) in enumerate(zip(group.tolist(), of_run.tolist(), strict=True)):
        at = slice(*np.searchsorted(layout.group_pieces[g][:, 0], [r, r + 1]).tolist())
        wanted[number, at] = volumes.of_run(g, at, int(total[number]), space[number, at])
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
        tubes[stream[mine], at] = share_tubes(
            even[mine, at], count[mine], room[mine, at], least, debt
        )
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
    """Move late shares to the last run in use, and those of later ones back to earlier runs.

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
    columns = np.array(calls, dtype=np.int64).reshape(-1, 3)
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
