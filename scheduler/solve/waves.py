"""How many tubes each stream fills in each wave: group flows, then a controlled rounding.

Labs see only groups and waves. Within a group every stream takes the same share of its own people
in a wave: that keeps the slots of all its sites equally short. The shares are rounded to whole
tubes by one flow that keeps the sums of streams and of group waves (Cox 1987, doi
10.1080/01621459.1987.10478456, calls this controlled rounding).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scheduler.domain.city import Floats, Ints
from scheduler.solve.layout import Layout
from scheduler.solve.network import Supplies

_EVENNESS = 0.004
"""Person-minutes by which a wave's last place is dearer than its first: groups spread evenly over
waves that cost the same. Below 0.02 % of a usual objective, and not part of any reported figure."""


_NOBODY = 1e-9  # people
_HELD = 20.0  # person-minutes paid for a tube that bridges a gap
_LAST_RESORT = 2.0
"""Person-minutes that keep the flow from a choice unless the other is late: a minute costs 10."""


@dataclass(frozen=True)
class Load:
    """Columns over streams and their zones that the supplies are built from.

    ``quota[stream]`` people per slot, ``pool[stream]`` people per tube, ``finish[stream]``
    person-minutes per person and minute.
    """

    quota: Ints
    pool: Ints
    finish: Floats
    slot_min: int


@dataclass(frozen=True)
class GroupSupply:
    """Supplies of groups, and what each arc stands for: the row of ``group_pieces``."""

    supplies: Supplies
    piece: Ints


def group_supply(layout: Layout, load: Load, people: Ints, units_per_person: Ints) -> GroupSupply:
    """Return one row per group; ``people[stream]`` and ``units_per_person[stream]``."""
    rows = np.zeros(layout.num_groups, dtype=np.int64)
    parts: list[tuple[Ints, ...]] = []
    costs: list[Floats] = []
    for group, members in enumerate(layout.members):
        pieces = layout.group_pieces[group]
        scale = int(units_per_person[members[0]])
        rows[group] = int(people[members].sum()) * scale
        piece, capacity, cost = _group_arcs(load, members, people[members], pieces, scale)
        wave = pieces[piece, 1]
        parts.append((np.full(len(wave), group), wave, capacity, piece))
        costs.append(cost)
    group_column, wave, capacity, piece = (np.concatenate(c) for c in zip(*parts, strict=True))
    supplies = Supplies(rows, group_column, group_column, wave, capacity, np.concatenate(costs))
    return GroupSupply(supplies, piece)


def _group_arcs(
    load: Load, members: Ints, people: Ints, pieces: Ints, scale: int
) -> tuple[Ints, Ints, Floats]:
    """Return (piece, capacity, cost) of a group's arcs: convex in what a wave takes."""
    quota, finish = load.quota[members], float(load.finish[members[0]])
    width = pieces[:, 3] - pieces[:, 2]
    piece: list[Ints] = []
    capacity: list[Ints] = []
    cost: list[Floats] = []
    for slots in np.unique(width).tolist():
        taken, minutes = _fill_levels(people, quota, slots, load.slot_min, 1 / len(pieces))
        step = np.diff(np.floor(taken * scale + 1e-9).astype(np.int64), prepend=0)
        keep = step > 0
        level = np.arange(len(step)) / len(step)
        extra = (minutes * finish + level * _EVENNESS)[keep] / scale
        at = np.flatnonzero(width == slots)
        begin = pieces[at, 2] * load.slot_min * finish / scale
        piece.append(np.repeat(at, int(keep.sum())))
        capacity.append(np.tile(step[keep], len(at)))
        cost.append((begin[:, None] + extra[None, :]).ravel())
    return np.concatenate(piece), np.concatenate(capacity), np.concatenate(cost)


@dataclass(frozen=True)
class StreamSupply:
    """One row per (stream, run) with people, in tubes; per arc the row of ``group_pieces``."""

    supplies: Supplies
    stream: Ints  # per row
    run: Ints  # per row
    piece: Ints  # per arc


def stream_supply(
    layout: Layout, load: Load, people: Ints, held: dict[tuple[int, int], int]
) -> StreamSupply:
    """Return what every stream must send in each run; ``people[stream, run]``.

    With one column of people, streams with several runs may send in any of them.
    ``held[stream, piece]`` are tubes that must be sent in a wave, to bridge a gap.
    """
    units: list[Ints] = []
    row_columns: list[tuple[Ints, Ints]] = []
    parts: list[tuple[Ints, ...]] = []
    costs: list[Floats] = []
    first = 0
    for group, members in enumerate(layout.members):
        pieces = layout.group_pieces[group]
        every = np.arange(len(pieces))
        for run in range(people.shape[1]):
            at = np.flatnonzero(pieces[:, 0] == run) if people.shape[1] > 1 else every
            if not len(at):
                continue
            some = members[people[members, run] > 0]
            tubes, capacity, cost = _stream_arcs(load, some, people[some, run], pieces[at])
            _hold(capacity, cost, some, at, held)
            stream, wave, step = np.nonzero(capacity)
            parts.append((first + stream, np.full(len(stream), group), pieces[at[wave], 1],
                          capacity[stream, wave, step], at[wave]))  # fmt: skip
            costs.append(cost[stream, wave, step])
            units.append(tubes)
            row_columns.append((some, np.full(len(some), run)))
            first += len(some)
    row, group_column, wave, capacity, piece = (np.concatenate(c) for c in zip(*parts, strict=True))
    supplies = Supplies(
        np.concatenate(units), row, group_column, wave, capacity, np.concatenate(costs)
    )
    stream, run_column = (np.concatenate(c) for c in zip(*row_columns, strict=True))
    return StreamSupply(supplies, stream, run_column, piece)


def run_shares(layout: Layout, supply: StreamSupply, sent: Ints) -> list[Floats]:
    """Return the share of each stream's work in each of its runs; equal where it has none."""
    totals = tubes_by_piece(layout, supply, sent)
    shares = []
    for stream, group in enumerate(layout.group.tolist()):
        pieces = layout.group_pieces[group]
        by_run = np.bincount(pieces[:, 0], weights=totals[stream, : len(pieces)])
        total = by_run.sum()
        shares.append(by_run / total if total else np.full(len(by_run), 1 / len(by_run)))
    return shares


def tubes_by_piece(layout: Layout, supply: StreamSupply, sent: Ints) -> Ints:
    """Return what was sent as ``[stream, piece]``."""
    most = max(len(p) for p in layout.group_pieces)
    stream = supply.stream[supply.supplies.row]
    size = len(layout.site) * most
    total = np.bincount(stream * most + supply.piece, weights=sent, minlength=size)
    return np.rint(total).astype(np.int64).reshape(-1, most)


def _stream_arcs(
    load: Load, streams: Ints, people: Ints, pieces: Ints
) -> tuple[Ints, Ints, Floats]:
    """Return tubes per stream, and capacity and cost ``[stream, wave, step]`` in tubes.

    Steps: tubes that are held, the even share of the run, the rest of the first slot, the second,
    all later ones, and the tube that the wave's room does not fill, which is a last resort.
    """
    width = pieces[:, 3] - pieces[:, 2]
    quota, pool = load.quota[streams], load.pool[streams]
    wave_room = quota[:, None] * width[None, :]
    tubes, room = tubes_needed(people, pool, wave_room)
    full = wave_room // pool[:, None]
    even = np.minimum((-(-tubes // len(pieces)))[:, None], full)
    slots = np.minimum(width[None, :, None], np.array([1, 2, 1 << 20])[None, None, :])
    ends = np.minimum(slots * quota[:, None, None] // pool[:, None, None], full[:, :, None])
    ends = np.sort(np.concatenate((even[:, :, None], ends), axis=2), axis=2)
    ends = np.concatenate((np.zeros_like(even)[:, :, None], ends, room[:, :, None]), axis=2)
    capacity = np.diff(ends, prepend=0, axis=2)
    middle = (ends - capacity / 2) * pool[:, None, None]
    slot = np.floor(middle / np.maximum(quota, 1)[:, None, None]) * load.slot_min
    begin = (pieces[:, 2] * load.slot_min)[None, :, None]
    uneven = np.arange(6)[None, None, :] / 6 * _EVENNESS
    cost = ((begin + slot) * load.finish[streams][:, None, None] + uneven) * pool[:, None, None]
    cost = np.maximum.accumulate(cost, axis=2)
    cost[:, :, 5] += _LAST_RESORT * pool[:, None]
    return tubes, capacity, cost


def _hold(
    capacity: Ints, cost: Floats, streams: Ints, pieces: Ints, held: dict[tuple[int, int], int]
) -> None:
    """Turn some of the even share of held waves into tubes that pay for being sent."""
    if not held:
        return
    for row, stream in enumerate(streams.tolist()):
        for wave, piece in enumerate(pieces.tolist()):
            tubes = min(held.get((stream, piece), 0), int(capacity[row, wave].sum()))
            left = tubes
            for step in range(1, 6):
                cut = min(left, int(capacity[row, wave, step]))
                capacity[row, wave, step] -= cut
                left -= cut
            capacity[row, wave, 0] = tubes
            cost[row, wave, 0] = -_HELD


def _fill_levels(
    people: Ints, quota: Ints, slots: int, slot_min: int, even: float
) -> tuple[Floats, Floats]:
    """Return people taken up to each level of filling a wave, and the mean delay of each step.

    At level theta a stream sends min(theta x its people, its slots x quota), earliest slot first.
    """
    share = people.astype(np.float64)
    some = people > 0
    marks = (np.arange(1, slots + 1)[:, None] * quota[some] / share[some]).ravel()
    marks = marks if len(marks) else np.ones(1)
    theta = np.r_[
        np.quantile(marks, np.linspace(0, 1, 5)), even * np.array([0.9, 1.15]), marks.max()
    ]
    theta = np.unique(np.minimum(theta, 1.0))  # nobody sends more than all his people
    sent = np.minimum(theta[:, None] * share, slots * quota)
    in_slot = [np.clip(sent - j * quota, 0, quota).sum(axis=1) * j for j in range(slots)]
    minutes = np.diff(np.sum(in_slot, axis=0) * slot_min, prepend=0.0)
    taken = sent.sum(axis=1)
    step = np.diff(taken, prepend=0.0)
    mean = np.divide(minutes, step, out=np.zeros_like(step), where=step > _NOBODY)
    return taken, np.maximum.accumulate(mean)


def tubes_needed(people: Ints, pool: Ints, wave_room: Ints) -> tuple[Ints, Ints]:
    """Return the least tubes each stream needs in a run, and its room in tubes per wave.

    ``wave_room[stream, wave]`` in people: a wave that is filled to its room ends with a tube that
    is not full, unless the room is a multiple of the pool size. Only streams that need those places
    get that tube.
    """
    full = wave_room // pool[:, None]
    short = np.maximum(0, people - full.sum(axis=1) * pool)
    spare = np.sort(wave_room % pool[:, None], axis=1)[:, ::-1]
    extra = (np.cumsum(spare, axis=1) < short[:, None]).sum(axis=1) + (short > 0)
    tubes = np.where(short > 0, full.sum(axis=1) + extra, -(-people // pool))
    return tubes, np.where(short[:, None] > 0, -(-wave_room // pool[:, None]), full)


def bridge(tubes: Ints, room: Ints, least: int) -> Ints:
    """Return one stream's tubes with no empty wave between its first and its last.

    A block cannot pause, so the gap is bridged with ``least`` tubes per wave, taken where most are.
    """
    out = tubes.copy()
    for wave in gaps(tubes, least):
        while out[wave] < min(least, room[wave]):
            most = int(np.argmax(out))
            if out[most] <= least:
                break
            out[most] -= 1
            out[wave] += 1
    return out


def gaps(tubes: Ints, least: int) -> list[int]:
    """Return the waves with fewer than ``least`` tubes between the first and the last with any."""
    some = np.flatnonzero(tubes)
    if not len(some):
        return []
    between = np.arange(some[0] + 1, some[-1])
    torn: list[int] = between[tubes[between] < least].tolist()
    return torn
