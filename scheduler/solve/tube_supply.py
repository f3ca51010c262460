"""What groups may send in each wave, in whole tubes, where labs are short and lateness is weighed.

A flow of whole tubes gives every tube its wave. It knows groups of sites; what their sites can do
together is put into its arcs: a tube in every wave between the first and the last of a site, since
blocks cannot pause, and no more in the first and the last wave than a site has people for in both.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scheduler.domain.city import Flags, Floats, Ints
from scheduler.solve.layout import Layout
from scheduler.solve.network import Supplies
from scheduler.solve.waves import EVENNESS, Load, TubeRows, alike, bridging_tubes, fill_levels

_LAST_RESORT = 2.0
"""Person-minutes that keep the flow from a choice unless the other is late: a minute costs 10."""

_BRIDGE = 10_000.0
"""Person-minutes per person that make the flow keep a tube in every wave of a stream."""
_BUSY_WAVES = 2
"""Waves of a run, the first and the last, in which labs take most: no stream has more in one of
them than its part, so that a small one is not counted on in both."""


@dataclass(frozen=True)
class TubeSupply:
    """Supplies of tubes with what waves cost; ``piece`` per arc is the row of ``group_pieces``."""

    supplies: Supplies
    piece: Ints


def tube_supply(layout: Layout, load: Load, rows: TubeRows, dear: Flags) -> TubeSupply:
    """Return the supplies of rows of tubes, with convex costs of what a wave takes.

    ``dear[stream, piece]`` are waves worth filling: a stream that is a group for itself has no
    tubes in so many other waves that those it keeps to bridge them are missing there.
    """
    parts: list[tuple[Ints, ...]] = []
    costs: list[Floats] = []
    main = np.argmax(np.bincount(layout.zone, rows.tubes.sum(axis=1)))
    for row, (group, run) in enumerate(zip(rows.group.tolist(), rows.run.tolist(), strict=True)):
        members, pieces = layout.members[group], layout.group_pieces[group]
        some = members[rows.tubes[members, run] > 0]
        at = np.flatnonzero(pieces[:, 0] == run)
        tubes, is_main = rows.tubes[some, run], layout.zone[members[0]] == main
        if len(some) == 1 and dear[some[0], at].any():
            least = bridging_tubes(pieces[at], int(load.pool[some[0]]))
            room = rows.room[some[0], at]
            at = at[_affordable(int(tubes[0]), room, dear[some[0], at], least)]
        held = _bridges(tubes, pieces[at], int(load.pool[some[0]])) if is_main else 0
        piece, capacity, cost = _tube_arcs(
            load, some, tubes, rows.room[np.ix_(some, at)], pieces[at], held
        )
        parts.append((np.full(len(piece), row), np.full(len(piece), group),
                      pieces[at[piece], 1], capacity, at[piece]))  # fmt: skip
        costs.append(cost)
    row_of, group_column, wave, capacity, piece = (
        np.concatenate(c) for c in zip(*parts, strict=True)
    )
    supplies = Supplies(rows.units, row_of, group_column, wave, capacity, np.concatenate(costs))
    return TubeSupply(supplies, piece)


def _bridges(tubes: Ints, pieces: Ints, pool: int) -> int:
    """Return the tubes that streams with enough of them keep in each wave of a run."""
    least = bridging_tubes(pieces, pool)
    return least * int((tubes >= least * len(pieces)).sum())


def _affordable(tubes: int, room: Ints, dear: Flags, least: int) -> slice:
    """Return as many waves in a row, the dear ones among them, as one stream can bridge.

    ``tubes`` fill the dear ones first, and all of them fit into the waves.
    """
    inside = np.flatnonzero(dear)
    first, end = int(inside[0]), int(inside[-1]) + 1
    left = tubes - int(np.where(dear, room, least)[first:end].sum())
    while first and (left >= least or room[first:end].sum() < tubes):
        first -= 1
        left -= least
    while end < len(room) and (left >= least or room[first:end].sum() < tubes):
        end += 1
        left -= least
    return slice(first, end)


def _tube_arcs(
    load: Load, streams: Ints, tubes: Ints, room: Ints, pieces: Ints, held: int
) -> tuple[Ints, Ints, Floats]:
    """Return (piece, capacity, cost) of the arcs of a group's run, in tubes.

    The first step are the tubes that streams send in every wave, because their blocks cannot pause;
    the last one is the tube that a wave's room does not fill: a last resort.
    """
    pool, finish = int(load.pool[streams[0]]), float(load.finish[streams[0]])
    parts: list[tuple[Ints, Ints, Floats]] = []
    for at, room_of_slots in alike(load, streams, pieces):
        whole = int((room_of_slots.sum(axis=0) // pool).sum())
        places = _cut_short(room_of_slots, tubes * pool, len(pieces))
        taken, minutes = fill_levels(tubes * pool, places, load.slot_min, 1 / len(pieces))
        full = int((places.sum(axis=0) // pool).sum())
        upto = np.minimum(np.floor(taken / pool + 1e-9).astype(np.int64), full)
        upto[-1] = full if upto[-1] * pool < int(tubes.sum()) * pool else upto[-1]
        kept = min(held, full)
        step = np.diff(np.maximum(upto, kept), prepend=kept)
        begin = pieces[at, 2] * load.slot_min * finish
        level = np.arange(len(step)) / len(step) * EVENNESS
        cost = begin[:, None] + (minutes * finish + level)[None, :]
        parts.append((np.repeat(at, len(step)), np.tile(step, len(at)), cost.ravel() * pool))
        parts.append((at, np.full(len(at), kept), (cost[:, 0] - _BRIDGE) * pool))
        spill = room[:, at].sum(axis=0) - whole
        parts.append((at, np.maximum(spill, 0), (cost[:, -1] + _LAST_RESORT) * pool))
    piece, capacity, cost = (np.concatenate(c) for c in zip(*parts, strict=True))
    some = capacity > 0
    return piece[some], capacity[some], cost[some]


def _cut_short(places: Ints, people: Ints, num_waves: int) -> Ints:
    """Return the places ``[slot, stream]`` of a wave for which the streams have ``people``.

    One stream alone is not cut: the flow knows how many tubes it has in all.
    """
    if num_waves <= _BUSY_WAVES or len(people) == 1:
        return places
    most = -(-people // _BUSY_WAVES)
    cut: Ints = np.diff(np.minimum(np.cumsum(places, axis=0), most), axis=0, prepend=0)
    return cut
