"""How many tubes each stream fills in each wave: group flows, then a controlled rounding.

Labs see only groups and waves. Within a group every stream takes the same share of its own people in
a wave: that keeps the slots of all its sites equally short. The shares are rounded to whole tubes by
one flow that keeps the sums of streams and of group waves (Cox 1987, doi 10.1080/01621459.1987.10478456,
calls this controlled rounding).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scheduler.domain.city import Floats, Ints
from scheduler.solve.flow import ArcList, solve
from scheduler.solve.layout import Layout
from scheduler.solve.network import Supplies

_EVENNESS = 0.004
"""Person-minutes by which a wave's last place is dearer than its first: groups spread evenly over
waves that cost the same. Below 0.02 % of a usual objective, and not part of any reported figure."""

_FITTING_TURNS = 20
_FITTED = 0.25  # tubes by which a column may miss its target before rounding
_MISS = 20.0  # cost of a tube beyond a group's wave, in the rounding flow
_EXTRA = 3.0  # cost of a tube beyond the next whole number


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


def group_supply(
    layout: Layout, load: Load, people: Ints, *, by_run: bool, units_per_person: Ints | None
) -> GroupSupply:
    """Return the supplies of all groups.

    ``people[stream, run]``. With ``by_run`` each (group, run) is a row, else each group. In units
    per person of each stream, or in whole tubes where ``units_per_person`` is None.
    """
    rows: list[int] = []
    parts: list[tuple[Ints, ...]] = []
    costs: list[Floats] = []
    for group, members in enumerate(layout.members):
        pieces = layout.group_pieces[group]
        for runs in [[r] for r in np.unique(pieces[:, 0])] if by_run else [np.unique(pieces[:, 0])]:
            chosen = np.flatnonzero(np.isin(pieces[:, 0], runs))
            n = people[members][:, runs].sum(axis=1)
            scale = None if units_per_person is None else int(units_per_person[members[0]])
            part = _group_arcs(load, members, n, pieces[chosen], scale)
            row = len(rows)
            rows.append(_units(load, members, n, scale))
            arc_piece, capacity, cost = part
            wave = pieces[chosen[arc_piece], 1]
            parts.append((np.full(len(wave), row), np.full(len(wave), group), wave, capacity,
                          chosen[arc_piece]))  # fmt: skip
            costs.append(cost)
    row, group_column, wave, capacity, piece = (
        np.concatenate(c) for c in zip(*parts, strict=True)
    )
    supplies = Supplies(
        np.array(rows, dtype=np.int64), row, group_column, wave, capacity, np.concatenate(costs)
    )
    return GroupSupply(supplies, piece)


def _units(load: Load, members: Ints, people: Ints, scale: int | None) -> int:
    if scale is not None:
        return int(people.sum()) * scale
    return int((-(-people // load.pool[members])).sum())


def _group_arcs(
    load: Load, members: Ints, people: Ints, pieces: Ints, scale: int | None
) -> tuple[Ints, Ints, Floats]:
    """Return (piece, capacity, cost) of a group's arcs: convex in what a wave takes."""
    quota, pool = load.quota[members], int(load.pool[members[0]])
    finish = float(load.finish[members[0]])
    width = pieces[:, 3] - pieces[:, 2]
    per_unit = 1 / scale if scale is not None else pool
    piece: list[Ints] = []
    capacity: list[Ints] = []
    cost: list[Floats] = []
    for slots in np.unique(width).tolist():
        taken, minutes = _fill_levels(people, quota, slots, load.slot_min, 1 / len(pieces))
        if scale is not None:
            whole = np.floor(taken * scale + 1e-9).astype(np.int64)
        else:
            whole = np.floor(taken / pool + 1e-9).astype(np.int64)
            whole[-1] = _whole_room(people, quota * slots, int((width > 0).sum()), pool)
            whole = np.minimum(whole, whole[-1])
        step = np.diff(whole, prepend=0)
        keep = step > 0
        level = np.arange(len(step)) / len(step)
        extra = (minutes * finish + level * _EVENNESS)[keep] * per_unit
        at = np.flatnonzero(width == slots)
        begin = pieces[at, 2] * load.slot_min * finish * per_unit
        piece.append(np.repeat(at, int(keep.sum())))
        capacity.append(np.tile(step[keep], len(at)))
        cost.append((begin[:, None] + extra[None, :]).ravel())
    return np.concatenate(piece), np.concatenate(capacity), np.concatenate(cost)


def _whole_room(people: Ints, room: Ints, num_waves: int, pool: int) -> int:
    """Return the tubes of a wave: full ones, and a last one where a stream needs every place."""
    tight = people > room // pool * pool * num_waves
    whole = np.where(tight, -(-room // pool), room // pool)
    return int(np.minimum(whole, -(-people // pool)).sum())


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
    mean = np.divide(minutes, step, out=np.zeros_like(step), where=step > 1e-9)
    return taken, np.maximum.accumulate(mean)


def tubes_needed(people: Ints, pool: Ints, wave_room: Ints) -> tuple[Ints, Ints]:
    """Return the least tubes each stream needs in a run, and its room in tubes per wave.

    ``wave_room[stream, wave]`` in people: a wave that is filled to its room ends with a tube that is
    not full, unless the room is a multiple of the pool size. Only streams that need those places get
    that tube.
    """
    full = wave_room // pool[:, None]
    short = np.maximum(0, people - full.sum(axis=1) * pool)
    spare = np.sort(wave_room % pool[:, None], axis=1)[:, ::-1]
    extra = (np.cumsum(spare, axis=1) < short[:, None]).sum(axis=1) + (short > 0)
    tubes = np.where(short > 0, full.sum(axis=1) + extra, -(-people // pool))
    return tubes, np.where(short[:, None] > 0, -(-wave_room // pool[:, None]), full)


def round_tubes(tubes: Ints, target: Ints, room: Ints) -> Ints:
    """Share each group's wave totals among its streams in whole tubes.

    All arguments have a row per stream of one group and run; ``tubes[stream]``, ``target[wave]``
    with the same sum, ``room[stream, wave]`` in tubes. Returns ``[stream, wave]``.
    """
    if len(tubes) == 1:
        return _single(tubes, target, room)
    wish = _fit(tubes, target, room)
    base = np.floor(wish + 1e-9).astype(np.int64)
    return base + _round_rest(tubes - base.sum(axis=1), target - base.sum(axis=0), wish, base, room)


def _fit(tubes: Ints, target: Ints, room: Ints) -> Floats:
    """Return shares within the room whose sums are near both margins, from below.

    Iterative proportional fitting (Deming and Stephan 1940, doi 10.1214/aoms/1177731829), capped.
    """
    wish = np.minimum(tubes[:, None] * target[None, :] / max(1, int(target.sum())), room)
    for _ in range(_FITTING_TURNS):
        column = wish.sum(axis=0)
        if np.abs(column - target).max() < _FITTED:
            break
        wish *= np.divide(target, column, out=np.ones(len(target)), where=column > 0)
        wish = np.minimum(wish, room)
        row = wish.sum(axis=1)
        wish *= np.divide(tubes, row, out=np.ones(len(tubes)), where=row > 0)[:, None]
        wish = np.minimum(wish, room)
    wish *= np.minimum(1, np.divide(target, wish.sum(axis=0), out=np.ones(len(target)),
                                    where=wish.sum(axis=0) > 0))  # fmt: skip
    row = wish.sum(axis=1)
    return wish * np.minimum(1, np.divide(tubes, row, out=np.ones(len(tubes)), where=row > 0))[
        :, None
    ]


def bridge(tubes: Ints, room: Ints, least: int) -> Ints:
    """Return one stream's tubes with no empty wave between its first and its last.

    A block cannot pause, so the gap is bridged with ``least`` tubes per wave, taken where most are.
    """
    some = np.flatnonzero(tubes)
    if not len(some):
        return tubes
    out = tubes.copy()
    for wave in range(some[0] + 1, some[-1]):
        while out[wave] < min(least, room[wave]):
            most = int(np.argmax(out))
            if out[most] <= least:
                break
            out[most] -= 1
            out[wave] += 1
    return out


def _single(tubes: Ints, target: Ints, room: Ints) -> Ints:
    """Place one stream's tubes: the target where there is room, the rest as early as possible."""
    out = np.minimum(target[None, :], room)
    rest = int(tubes[0] - out.sum())
    for wave in range(len(target)):
        step = min(max(rest, -int(out[0, wave])), int(room[0, wave] - out[0, wave]))
        out[0, wave] += step
        rest -= step
    return out


def _round_rest(rows: Ints, columns: Ints, wish: Floats, base: Ints, room: Ints) -> Ints:
    """Place what the rounding down left over, by a small flow that keeps both sums if it can."""
    num_rows, num_columns = wish.shape
    columns = np.maximum(columns, 0)
    arcs = ArcList()
    sink = num_rows + num_columns
    row, column = np.nonzero(room > base)
    fraction = (wish - base)[row, column]
    near = arcs.add(row, num_rows + column, np.ones(len(row), dtype=np.int64), 1 - fraction)
    free = (room - base)[row, column] - 1
    far = arcs.add(row, num_rows + column, free, np.full(len(row), _EXTRA))
    every = np.arange(num_columns)
    arcs.add(num_rows + every, np.full(num_columns, sink), columns, np.zeros(num_columns))
    arcs.add(num_rows + every, np.full(num_columns, sink), np.full(num_columns, int(rows.sum())),
             np.full(num_columns, _MISS))  # fmt: skip
    supply = np.zeros(sink + 1, dtype=np.int64)
    supply[:num_rows], supply[sink] = rows, -rows.sum()
    flow = solve(arcs.network(supply))
    out = np.zeros(wish.shape, dtype=np.int64)
    out[row, column] = flow[near] + flow[far]
    return out
