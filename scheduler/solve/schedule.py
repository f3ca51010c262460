"""From whole blocks at sites to calls: runs, waves, tubes, slots."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scheduler.domain.city import Ints
from scheduler.solve.layout import Layout
from scheduler.solve.network import LabFlow, LabSide, Reach, solve_labs
from scheduler.solve.sequence import Order, order_blocks
from scheduler.solve.sessions import split_runs
from scheduler.solve.slots import Call, fill_run
from scheduler.solve.streams import Streams
from scheduler.solve.waves import GroupSupply, Load, group_supply, round_tubes, tubes_needed


@dataclass(frozen=True)
class Calls:
    """Columns of equal length: who is called where and when; ``left`` are blocks without room."""

    block: Ints
    stream: Ints
    slot: Ints
    people: Ints
    left: list[int]


@dataclass(frozen=True)
class Task:
    """What is scheduled: the streams, their layout, their load, and ``people[block]``."""

    streams: Streams
    layout: Layout
    load: Load
    people: Ints
    order: Order


def schedule(
    task: Task, shares: tuple[GroupSupply, LabFlow], reach: Reach, labs: LabSide, left_cost: float
) -> Calls:
    """Call all blocks of all streams.

    ``shares`` is the relaxed flow of whole groups: it says how much of a group's work the labs can
    take in each run. ``labs`` counts whole tubes; ``left_cost`` is the price of a tube not sent.
    """
    runs, left = _split(task, *shares)
    people = np.zeros((len(task.streams), _most_runs(task.layout)), dtype=np.int64)
    for stream, blocks_of_runs in enumerate(runs):
        for run, blocks in enumerate(blocks_of_runs):
            people[stream, run] = task.people[blocks].sum()
    supply = group_supply(task.layout, task.load, people, by_run=True, units_per_person=None)
    supply = _with_needed_tubes(task, supply, people)
    flow = solve_labs(supply.supplies, reach, labs, np.full(len(supply.supplies.units), left_cost))
    return _call(task, runs, people, _wave_targets(task.layout, supply, flow), left)


def _most_runs(layout: Layout) -> int:
    return max((int(p[:, 0].max()) + 1 for p in layout.group_pieces if len(p)), default=1)


def _split(
    task: Task, supply: GroupSupply, flow: LabFlow
) -> tuple[list[list[Ints]], list[int]]:
    """Choose the blocks of each run; the relaxed flow gives each run's share of a group."""
    runs: list[list[Ints]] = [[] for _ in range(len(task.streams))]
    left: list[int] = []
    sent_group = supply.supplies.group
    owed: dict[tuple[int, ...], list[float]] = {}
    for group, members in enumerate(task.layout.members):
        pieces = task.layout.group_pieces[group]
        arcs = slice(*np.searchsorted(sent_group, [group, group + 1]))
        by_piece = np.bincount(supply.piece[arcs], weights=flow.sent[arcs], minlength=len(pieces))
        by_run = np.bincount(pieces[:, 0], weights=by_piece)
        share = (by_run / by_run.sum() if by_run.sum() else by_run + 1 / len(by_run)).tolist()
        width = np.bincount(pieces[:, 0], weights=pieces[:, 3] - pieces[:, 2])
        key = (int(task.layout.zone[members[0]]), *pieces[:, 2].tolist())
        carry = owed.setdefault(key, [0.0] * len(by_run))
        for stream in members.tolist():
            blocks = task.streams.blocks[stream]
            room = [int(w) * int(task.load.quota[stream]) for w in width]
            pool = int(task.load.pool[stream])
            chosen = split_runs(task.people[blocks], room, share, carry, pool)
            runs[stream] = [blocks[np.array(c, dtype=np.int64)] for c in chosen]
            placed = {i for c in chosen for i in c}
            left += [int(blocks[i]) for i in range(len(blocks)) if i not in placed]
    return runs, left


def _with_needed_tubes(task: Task, supply: GroupSupply, people: Ints) -> GroupSupply:
    """Replace the rows' units by the tubes that streams really need in each run."""
    units = []
    for group, members in enumerate(task.layout.members):
        pieces = task.layout.group_pieces[group]
        for run in np.unique(pieces[:, 0]).tolist():
            units.append(int(_run_tubes(task, members, pieces, run, people)[0].sum()))
    old = supply.supplies
    new = type(old)(
        np.array(units, dtype=np.int64), old.row, old.group, old.wave, old.capacity, old.cost
    )
    return GroupSupply(new, supply.piece)


def _wave_room(task: Task, members: Ints, pieces: Ints, run: int) -> Ints:
    width = (pieces[:, 3] - pieces[:, 2])[pieces[:, 0] == run]
    return task.load.quota[members][:, None] * width[None, :]


def _run_tubes(
    task: Task, members: Ints, pieces: Ints, run: int, people: Ints
) -> tuple[Ints, Ints]:
    room = _wave_room(task, members, pieces, run)
    return tubes_needed(people[members, run], task.load.pool[members], room)


def _wave_targets(
    layout: Layout, supply: GroupSupply, flow: LabFlow
) -> list[Ints]:
    """Return tubes per piece of each group."""
    group = supply.supplies.group
    offset = np.cumsum([0, *[len(p) for p in layout.group_pieces]])
    total = np.bincount(offset[group] + supply.piece, weights=flow.sent, minlength=offset[-1])
    whole = np.rint(total).astype(np.int64)
    return [whole[a:b] for a, b in zip(offset[:-1], offset[1:], strict=True)]


def _call(
    task: Task, runs: list[list[Ints]], people: Ints, targets: list[Ints], left: list[int]
) -> Calls:
    block: list[int] = []
    stream_of: list[int] = []
    slot: list[int] = []
    count: list[int] = []
    for group, members in enumerate(task.layout.members):
        pieces = task.layout.group_pieces[group]
        for run in np.unique(pieces[:, 0]).tolist():
            rows = pieces[pieces[:, 0] == run]
            room = _wave_room(task, members, pieces, run)
            tubes, tube_room = _run_tubes(task, members, pieces, run, people)
            placed = round_tubes(tubes, targets[group][pieces[:, 0] == run], tube_room)
            for at, stream in enumerate(members.tolist()):
                calls = _call_run(task, stream, runs[stream][run], rows, placed[at], room[at])
                block += [c.block for c in calls]
                slot += [c.slot for c in calls]
                count += [c.people for c in calls]
                stream_of += [stream] * len(calls)
    columns = (np.array(c, dtype=np.int64) for c in (block, stream_of, slot, count))
    return Calls(*columns, left)


def _call_run(  # noqa: PLR0913  # one run of one stream
    task: Task, stream: int, blocks: Ints, pieces: Ints, tubes: Ints, room: Ints
) -> list[Call]:
    """Call the blocks of one run, following its tubes per wave."""
    total = int(task.people[blocks].sum())
    if not total:
        return []
    people = people_of_tubes(total, tubes, room, int(task.load.pool[stream]))
    some = np.flatnonzero(people)
    first = int(some[0])
    waves = pieces[first : first + len(some)]  # a gap between waves would tear a block apart
    sent = np.minimum(people[some], room[first : first + len(some)])
    if sent.sum() < total:
        waves, sent = pieces, people_of_tubes(total, -(-room // 1), room, 1)
        waves, sent = waves[sent > 0], sent[sent > 0]
    order = order_blocks(task.order, blocks, waves[:, 1], sent)
    return fill_run(
        [(b, int(task.people[b])) for b in order],
        [(int(p[2]), int(p[3]), int(n)) for p, n in zip(waves, sent, strict=True)],
        int(task.load.quota[stream]),
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
