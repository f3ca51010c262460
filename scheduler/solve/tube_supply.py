"""What groups may send in each wave, in whole tubes, where labs are short and lateness is weighed.

A flow of whole tubes gives every tube its wave. It knows groups of sites; what their sites can do
together is put into its rows and arcs: a tube in every wave between the first and the last of a
site, since blocks cannot pause, what fits into no other wave, and sites that have tubes to fill as
many waves apart from those that have more.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from scheduler.domain.city import Floats, Ints
from scheduler.solve.layout import Layout
from scheduler.solve.network import Supplies
from scheduler.solve.waves import EVENNESS, Load, TubeRows, alike, fill_levels

_LAST_RESORT = 2.0
"""Person-minutes that keep the flow from a choice unless the other is late: a minute costs 10."""

_BRIDGE = 10_000.0
"""Person-minutes per person that make the flow keep a tube in every wave of a stream."""
_MANY_WAVES = 4
"""Labs ask for most in no more waves of a run than that. Measured on synthetic Harbin and Dalian
with a quarter late: with 2 the first is 0.9 % dearer, with 8 both are as good."""
_BUSY_WAVES = 2
"""Waves of a run, the first and the last, in which labs take most: no stream has more in one of
them than its part, so that a small one is not counted on in both."""


@dataclass(frozen=True)
class TubeSupply:
    """Supplies of tubes with what waves cost; ``piece`` per arc is the row of ``group_pieces``."""

    supplies: Supplies
    piece: Ints


def tube_supply(layout: Layout, load: Load, rows: TubeRows, bridge: Ints) -> TubeSupply:
    """Return the supplies of rows of tubes, with convex costs of what a wave takes.

    ``bridge[stream, run]`` tubes bridge a wave; only the commonest zone's streams keep them.

    Streams of a run that cannot do the same (``_alike_streams``) are rows of their own.
    """
    parts: list[tuple[Ints, ...]] = []
    costs: list[Floats] = []
    units: list[int] = []
    main = np.argmax(np.bincount(layout.zone, rows.tubes.sum(axis=1)))
    for group, run in zip(rows.group.tolist(), rows.run.tolist(), strict=True):
        members, pieces = layout.members[group], layout.group_pieces[group]
        is_main = layout.zone[members[0]] == main
        of_run = np.flatnonzero(pieces[:, 0] == run)
        some = members[rows.tubes[members, run] > 0]
        least = int(bridge[members[0], run]) if is_main else 0
        for streams, at in _alike_streams(rows, some, (run, of_run), least, apart=not is_main):
            tubes = rows.tubes[streams, run]
            piece, capacity, cost = _tube_arcs(
                load, streams, tubes, rows.room[np.ix_(streams, at)], pieces[at], least
            )
            parts.append((np.full(len(piece), len(units)), np.full(len(piece), group),
                          pieces[at[piece], 1], capacity, at[piece]))  # fmt: skip
            costs.append(cost)
            units.append(int(tubes.sum()))
    row_of, group_column, wave, capacity, piece = (
        np.concatenate(c) for c in zip(*parts, strict=True)
    )
    every = np.array(units, dtype=np.int64)
    supplies = Supplies(every, row_of, group_column, wave, capacity, np.concatenate(costs))
    return TubeSupply(supplies, piece)


def _alike_streams(
    rows: TubeRows, streams: Ints, run: tuple[int, Ints], least: int, *, apart: bool
) -> Iterator[tuple[Ints, Ints]]:
    """Yield the streams that can do the same, and the pieces in which they have room.

    ``run`` is its number and its pieces. Streams of a kind have tubes to fill as many waves beside
    a bridge of ``least`` in all others, ``_MANY_WAVES`` or more being one kind: what those with
    fewer lack the others cannot make up for. Or each stream is alone, ``apart``.
    """
    number, at = run
    room, tubes = rows.room[np.ix_(streams, at)], rows.tubes[streams, number]
    filled = (tubes - least * len(at)) // np.maximum(room.max(axis=1) - least, 1)
    filled = np.clip(filled, -1, _MANY_WAVES)
    _, kind = np.unique(np.column_stack((filled, room > 0)), axis=0, return_inverse=True)
    kind = np.arange(len(streams)) if apart else kind.reshape(-1)
    for one in np.unique(kind):
        some = np.flatnonzero(kind == one)
        yield streams[some], at[room[some[0]] > 0]


def affordable(layout: Layout, rows: TubeRows, dear: Ints, bridge: Ints) -> TubeRows:
    """Return the rows without the room for which streams have no tubes.

    ``dear[stream, piece]`` tubes are worth sending in a wave: a stream that cannot bridge all
    others has tubes in as many as it can. Where no wave is dear, such a stream has no more in one
    than its part of the two that are busiest, unless it is alone in its group. All its tubes have
    room in any case.
    """
    room = rows.room.copy()
    for stream, run in zip(*np.nonzero(rows.tubes), strict=True):
        group = layout.group[stream]
        pieces, tubes = layout.group_pieces[group], int(rows.tubes[stream, run])
        at = np.flatnonzero(pieces[:, 0] == run)
        least = int(bridge[stream, run])
        filled = np.minimum(room[stream, at], dear[stream, at])
        if filled.any():
            cut = _beside_dear(tubes, room[stream, at], filled, least)
        elif tubes < least * len(at) and (rows.tubes[layout.members[group], run] > 0).sum() > 1:
            cut = np.minimum(room[stream, at], -(-tubes // _BUSY_WAVES))
        else:
            continue
        if cut.sum() >= tubes:
            room[stream, at] = cut
    return replace(rows, room=room)


def _beside_dear(tubes: int, room: Ints, filled: Ints, least: int) -> Ints:
    """Return the room of one stream's run that it has tubes for beside the waves it fills."""
    kept = _affordable(tubes, room, filled, least)
    cut = np.zeros_like(room)
    cut[kept] = room[kept]
    others = (cut > 0) & (filled == 0)
    if np.count_nonzero(cut) < np.count_nonzero(room):
        left = tubes - int(filled.sum()) - least * (int(others.sum()) - 1)
        cut[others] = np.minimum(cut[others], max(left, least))
    return cut


def _held(tubes: Ints, room: Ints, most: Ints, least: int) -> int:
    """Return the tubes that streams keep in a wave in which they have room for ``most[stream]``.

    Those are what fits into no other wave, ``room[stream, piece]`` being that of all, and the
    ``least`` that bridge it where streams have enough of them for all waves.
    """
    bridge = np.where(tubes >= least * room.shape[1], least, 0)
    kept = np.maximum(bridge, tubes - (room.sum(axis=1) - most))
    return int(np.clip(kept, 0, most).sum())


def _affordable(tubes: int, room: Ints, filled: Ints, least: int) -> slice:
    """Return as many waves in a row as one stream can bridge, those that it fills among them.

    Of its ``tubes`` so many are ``filled`` in, and all of them fit into the waves.
    """
    inside = np.flatnonzero(filled)
    first, end = int(inside[0]), int(inside[-1]) + 1
    left = tubes - int(np.where(filled > 0, filled, least)[first:end].sum())
    while first and (left >= least or room[first:end].sum() < tubes):
        first -= 1
        left -= least
    while end < len(room) and (left >= least or room[first:end].sum() < tubes):
        end += 1
        left -= least
    return slice(first, end)


def _tube_arcs(
    load: Load, streams: Ints, tubes: Ints, room: Ints, pieces: Ints, least: int
) -> tuple[Ints, Ints, Floats]:
    """Return (piece, capacity, cost) of the arcs of a group's run, in tubes.

    The first step are the tubes that streams send in every wave, because their blocks cannot pause;
    the last one is the tube that a wave's room does not fill: a last resort.
    """
    pool, finish = int(load.pool[streams[0]]), float(load.finish[streams[0]])
    parts: list[tuple[Ints, Ints, Floats]] = []
    for at, room_of_slots, most in _alike_rooms(load, streams, pieces, room):
        whole = room_of_slots.sum(axis=0) // pool
        places = np.minimum(np.cumsum(room_of_slots, axis=0), most * pool)
        places = np.diff(places, axis=0, prepend=0)
        taken, minutes = fill_levels(tubes * pool, places, load.slot_min, 1 / len(pieces))
        full = int((places.sum(axis=0) // pool).sum())
        upto = np.minimum(np.floor(taken / pool + 1e-9).astype(np.int64), full)
        upto[-1] = full if upto[-1] * pool < int(tubes.sum()) * pool else upto[-1]
        kept = min(_held(tubes, room, most, least), full)
        step = np.diff(np.maximum(upto, kept), prepend=kept)
        begin = pieces[at, 2] * load.slot_min * finish
        level = np.arange(len(step)) / len(step) * EVENNESS
        cost = begin[:, None] + (minutes * finish + level)[None, :]
        parts.append((np.repeat(at, len(step)), np.tile(step, len(at)), cost.ravel() * pool))
        parts.append((at, np.full(len(at), kept), (cost[:, 0] - _BRIDGE) * pool))
        spill = np.full(len(at), np.maximum(most - whole, 0).sum())
        parts.append((at, spill, (cost[:, -1] + _LAST_RESORT) * pool))
    piece, capacity, cost = (np.concatenate(c) for c in zip(*parts, strict=True))
    some = capacity > 0
    return piece[some], capacity[some], cost[some]


def _alike_rooms(
    load: Load, streams: Ints, pieces: Ints, room: Ints
) -> Iterator[tuple[Ints, Ints, Ints]]:
    """Yield what ``alike`` does for pieces with the same ``room[stream, piece]``, and that."""
    for at, room_of_slots in alike(load, streams, pieces):
        kinds, kind = np.unique(room[:, at], axis=1, return_inverse=True)
        for number, most in enumerate(kinds.T):
            yield at[kind.reshape(-1) == number], room_of_slots, most
