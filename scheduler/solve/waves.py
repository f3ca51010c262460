"""How many tubes each stream fills in each wave: group flows, then a controlled rounding.

Labs see only groups and waves. Within a group every stream takes the same share of its own people
in a wave: that keeps the slots of all its sites equally short. The shares are rounded to whole
tubes by one flow that keeps the sums of streams and of group waves (Cox 1987, doi
10.1080/01621459.1987.10478456, calls this controlled rounding).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from scheduler.domain.city import Flags, Floats, Ints
from scheduler.solve.layout import Layout
from scheduler.solve.network import Supplies

EVENNESS = 0.004
"""Person-minutes by which a wave's last place is dearer than its first: groups spread evenly over
waves that cost the same. Below 0.02 % of a usual objective, and not part of any reported figure."""


_NOBODY = 1e-9  # people
_LITTLE = 0.05  # of a wave's room: sites that lose more do better with a tube that is not full


@dataclass(frozen=True)
class Load:
    """Columns over streams and their zones that the supplies are built from.

    ``quota[stream]`` people per slot, ``places[stream, slot]`` those that may be called,
    ``pool[stream]`` people per tube, ``finish[stream]`` person-minutes per person and minute.
    """

    quota: Ints
    places: Ints
    pool: Ints
    finish: Floats
    slot_min: int

    def room(self, streams: Ints, pieces: Ints) -> Ints:
        """Return the people that fit into pieces, ``[stream, piece]``; see ``layout.pieces_of``."""
        upto = self._upto[streams]
        room: Ints = upto[:, pieces[:, 3]] - upto[:, pieces[:, 2]]
        return room

    @cached_property
    def _upto(self) -> Ints:
        """People in all slots before each, ``[stream, slot]``."""
        return np.pad(np.cumsum(self.places, axis=1), ((0, 0), (1, 0)))


@dataclass(frozen=True)
class GroupSupply:
    """Supplies of groups, and what each arc stands for: the row of ``group_pieces``."""

    supplies: Supplies
    piece: Ints


@dataclass(frozen=True)
class LastTubes:
    """How places count that would begin a tube and not fill it, ``[group, piece]``.

    ``prompt`` are waves in which labs could start tubes in time: in all others such places count
    only if people find none in full tubes of those. Where they are many, ``empty`` is what each
    place costs that is left empty, if it is known.
    """

    prompt: Flags
    empty: Floats | None = None

    def of(self, group: int, count: int) -> LastTubes:
        """Return the first ``count`` pieces of a group."""
        empty = None if self.empty is None else self.empty[group, :count]
        return LastTubes(self.prompt[group, :count], empty)


def group_supply(
    layout: Layout,
    load: Load,
    people: Ints,
    units_per_person: Ints,
    most: Ints | None = None,
    last: LastTubes | None = None,
) -> GroupSupply:
    """Return one row per group; ``people[stream]`` and ``units_per_person[stream]``.

    ``most[group, piece]`` limits what is sent in a piece, in units. Without ``last`` all places
    count alike.
    """
    rows = np.zeros(layout.num_groups, dtype=np.int64)
    parts: list[tuple[Ints, ...]] = []
    costs: list[Floats] = []
    for group, members in enumerate(layout.members):
        pieces = layout.group_pieces[group]
        scale = int(units_per_person[members[0]])
        rows[group] = int(people[members].sum()) * scale
        piece, capacity, cost = _group_arcs(
            load, members, people[members], pieces, scale,
            None if last is None else last.of(group, len(pieces)),
        )  # fmt: skip
        if most is not None:
            capacity = _cut(piece, capacity, most[group])
        wave = pieces[piece, 1]
        parts.append((np.full(len(wave), group), wave, capacity, piece))
        costs.append(cost)
    group_column, wave, capacity, piece = (np.concatenate(c) for c in zip(*parts, strict=True))
    supplies = Supplies(rows, group_column, group_column, wave, capacity, np.concatenate(costs))
    return GroupSupply(supplies, piece)


def _cut(piece: Ints, capacity: Ints, most: Ints) -> Ints:
    """Return the steps of each piece cut to its most in all; steps of a piece are in order."""
    order = np.argsort(piece, kind="stable")
    sorted_piece, sorted_capacity = piece[order], capacity[order]
    upto = np.cumsum(sorted_capacity)
    before = (upto - sorted_capacity) - (upto - sorted_capacity)[
        np.searchsorted(sorted_piece, sorted_piece)
    ]
    out = np.empty_like(capacity)
    out[order] = np.clip(most[sorted_piece] - before, 0, sorted_capacity)
    return out


def _group_arcs(
    load: Load, members: Ints, people: Ints, pieces: Ints, scale: int, last: LastTubes | None
) -> tuple[Ints, Ints, Floats]:
    """Return (piece, capacity, cost) of a group's arcs: convex in what a wave takes."""
    finish, pool = float(load.finish[members[0]]), int(load.pool[members[0]])
    rooms = load.room(members, pieces)
    prompt = np.zeros(len(pieces), dtype=bool) if last is None else last.prompt
    empty = None if last is None else last.empty
    full = people <= (_in_full_tubes(rooms, pool) * prompt).sum(axis=1)
    piece: list[Ints] = []
    capacity: list[Ints] = []
    cost: list[Floats] = []
    for at, every in alike(load, members, pieces):
        places, room = every.copy(), every.sum(axis=0)
        held = _in_full_tubes(room, pool)
        cut = np.where(full, np.minimum(room - held, every[-1]), 0)
        over = np.where(held == room, room % pool, 0)
        over = np.minimum(over, every[-1]) if empty is not None else np.zeros_like(cut)
        places[-1] -= cut + over
        taken, minutes = fill_levels(people, places, load.slot_min, 1 / len(pieces))
        step = np.diff(np.floor(taken * scale + 1e-9).astype(np.int64), prepend=0)
        keep = step > 0
        level = np.arange(len(step)) / len(step)
        extra = (minutes * finish + level * EVENNESS)[keep] / scale
        begin = pieces[at, 2] * load.slot_min * finish / scale
        piece.append(np.repeat(at, int(keep.sum())))
        capacity.append(np.tile(step[keep], len(at)))
        cost.append((begin[:, None] + extra[None, :]).ravel())
        if empty is not None and over.any():
            left = float((pool - over)[over > 0].sum() / over.sum())
            piece.append(at)
            capacity.append(np.full(len(at), int(over.sum()) * scale))
            asked = np.where(np.isfinite(empty[at]), empty[at], 0.0)  # else no lab takes anybody
            cost.append(begin + extra.max(initial=0.0) + left * asked / scale)
    return np.concatenate(piece), np.concatenate(capacity), np.concatenate(cost)


def _in_full_tubes(room: Ints, pool: int) -> Ints:
    """Return the people of full tubes in each room, or all where that would lose much of it."""
    over = room % pool
    return np.where(over <= _LITTLE * room, room - over, room)


def stream_room(layout: Layout, load: Load) -> Ints:
    """Return the people that fit into each piece of each stream, ``[stream, piece]``."""
    room = np.zeros((len(layout.site), max(len(p) for p in layout.group_pieces)), dtype=np.int64)
    for group, members in enumerate(layout.members):
        pieces = layout.group_pieces[group]
        room[members, : len(pieces)] = load.room(members, pieces)
    return room


def alike(load: Load, streams: Ints, pieces: Ints) -> Iterator[tuple[Ints, Ints]]:
    """Yield pieces in which the streams have the same room, slot by slot, shorter ones first.

    With each goes that room, ``[slot, stream]``.
    """
    width = pieces[:, 3] - pieces[:, 2]
    for slots in np.unique(width).tolist():
        at = np.flatnonzero(width == slots)
        slot = pieces[at, 2][:, None] + np.arange(slots)
        kinds, which = np.unique(
            load.places[streams][:, slot].transpose(1, 2, 0).reshape(len(at), -1),
            axis=0, return_inverse=True,
        )  # fmt: skip
        for number, places in enumerate(kinds):
            yield at[which.reshape(-1) == number], places.reshape(slots, len(streams))


@dataclass(frozen=True)
class TubeRows:
    """One row per (group, run) with people, in tubes.

    ``tubes[stream, run]`` is what each stream of a row sends, ``room[stream, piece]`` the tubes
    that fit into its waves, both zero where a stream has nobody.
    """

    units: Ints
    group: Ints
    run: Ints
    tubes: Ints
    room: Ints


def tube_rows(layout: Layout, load: Load, people: Ints, topped: Flags | None = None) -> TubeRows:
    """Return what every group must send in each run; ``people[stream, run]``.

    ``topped[stream, piece]`` are waves worth filling to the last place.
    """
    most = max(len(p) for p in layout.group_pieces)
    tubes, room = np.zeros_like(people), np.zeros((len(people), most), dtype=np.int64)
    rows: list[tuple[int, int, int]] = []
    alike: dict[bytes, list[Ints]] = {}
    for group, members in enumerate(layout.members):
        alike.setdefault(layout.group_pieces[group].tobytes(), []).append(members)
    for key, parts in alike.items():
        pieces, streams = np.frombuffer(key, dtype=np.int64).reshape(-1, 4), np.concatenate(parts)
        for run in range(int(pieces[-1, 0]) + 1):
            some = streams[people[streams, run] > 0]
            at = np.flatnonzero(pieces[:, 0] == run)
            wave_room = load.room(some, pieces[at])
            here = None if topped is None else topped[np.ix_(some, at)]
            need, fits = tubes_needed(people[some, run], load.pool[some], wave_room, here)
            tubes[some, run] = need
            room[np.ix_(some, at)] = fits
    for group, members in enumerate(layout.members):
        total = tubes[members].sum(axis=0)
        rows += [(group, run, int(total[run])) for run in np.flatnonzero(total).tolist()]
    table = np.array(rows, dtype=np.int64).reshape(-1, 3)
    return TubeRows(table[:, 2], table[:, 0], table[:, 1], tubes, room)


def by_piece(layout: Layout, group: Ints, piece: Ints, sent: Ints) -> Floats:
    """Return what each group sent in each of its pieces, ``[group, piece]``."""
    most = max(len(p) for p in layout.group_pieces)
    total = np.bincount(group * most + piece, weights=sent, minlength=layout.num_groups * most)
    units: Floats = total.reshape(-1, most).astype(np.float64)
    return units


def fill_levels(people: Ints, places: Ints, slot_min: int, even: float) -> tuple[Floats, Floats]:
    """Return people taken up to each level of filling a wave, and the mean delay of each step.

    At level theta a stream sends min(theta x its people, its ``places[slot, stream]``), earliest
    slot first.
    """
    share = people.astype(np.float64)
    some = people > 0
    upto = np.cumsum(places, axis=0)
    marks = (upto[:, some] / share[some]).ravel()
    marks = marks if len(marks) else np.ones(1)
    theta = np.r_[
        np.quantile(marks, np.linspace(0, 1, 5)), even * np.array([0.9, 1.15]), marks.max()
    ]
    theta = np.unique(np.minimum(theta, 1.0))  # nobody sends more than all his people
    sent = np.minimum(theta[:, None] * share, upto[-1])
    before = upto - places
    in_slot = [np.clip(sent - before[j], 0, places[j]).sum(axis=1) * j for j in range(len(places))]
    minutes = np.diff(np.sum(in_slot, axis=0) * slot_min, prepend=0.0)
    taken = sent.sum(axis=1)
    step = np.diff(taken, prepend=0.0)
    mean = np.divide(minutes, step, out=np.zeros_like(step), where=step > _NOBODY)
    return taken, np.maximum.accumulate(mean)


def tubes_needed(
    people: Ints, pool: Ints, wave_room: Ints, topped: Flags | None = None
) -> tuple[Ints, Ints]:
    """Return the tubes each stream needs in a run, and its room in tubes per wave.

    ``wave_room[stream, wave]`` in people: a wave that is filled to its room ends with a tube that
    is not full, unless the room is a multiple of the pool size. Streams that need those places get
    that tube in as few waves as hold them, those with most places first; ``topped[stream, wave]``
    are waves in which it is worth it all the same.
    """
    full, places = wave_room // pool[:, None], wave_room % pool[:, None]
    extra = np.zeros(full.shape, dtype=bool) if topped is None else topped & (places > 0)
    extra &= np.cumsum((full + 1) * pool[:, None] * extra, axis=1) <= people[:, None]
    short = people - full.sum(axis=1) * pool - (places * extra).sum(axis=1)
    left = np.where(extra, 0, places)
    order = np.argsort(-left, axis=1, kind="stable")
    sizes = np.take_along_axis(left, order, axis=1)
    more = np.zeros(full.shape, dtype=bool)
    np.put_along_axis(more, order, np.cumsum(sizes, axis=1) - sizes < short[:, None], axis=1)
    extra |= more
    rest = np.maximum(0, people - (wave_room * extra).sum(axis=1))
    tubes = ((full + 1) * extra).sum(axis=1) + -(-rest // pool)
    return tubes, full + extra


def bridging_tubes(pieces: Ints, pool: int) -> int:
    """Return the tubes that bridge a wave: of a person in each slot of the widest piece."""
    return -(-int((pieces[:, 3] - pieces[:, 2]).max()) // pool)


def bridges(layout: Layout, load: Load) -> Ints:
    """Return the tubes that bridge a wave of each stream's runs, ``[stream, run]``."""
    most = max(int(pieces[-1, 0]) + 1 for pieces in layout.group_pieces)
    least = np.zeros((len(layout.site), most), dtype=np.int64)
    for group, members in enumerate(layout.members):
        pieces, pool = layout.group_pieces[group], int(load.pool[members[0]])
        for run in range(int(pieces[-1, 0]) + 1):
            least[members, run] = bridging_tubes(pieces[pieces[:, 0] == run], pool)
    return least


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
    counts = tubes.tolist()
    some = [wave for wave, count in enumerate(counts) if count]
    return [wave for wave in range(some[0] + 1, some[-1]) if counts[wave] < least] if some else []
