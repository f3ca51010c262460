"""Tubes to waves where every tube can be in time: largest flows in place of cheapest ones.

The coarse flow tells how many tubes each part of the city should send in each wave. Groups follow
it; whether labs start all of them within the promise is then a question of largest flow, which is
answered hundreds of times faster than one of least cost. What is beyond keeps its run and moves to
waves with room in the labs.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scheduler.domain.city import Flags, Ints
from scheduler.solve.layout import Layout
from scheduler.solve.network import LabSide, Reach, Supplies, send_on_time
from scheduler.solve.waves import TubeRows


@dataclass(frozen=True)
class Desk:
    """The labs that tubes are sent to: ``near`` reaches those in use, ``far`` all of them.

    ``labs`` counts whole tubes; ``left_cost`` is the price of a tube not sent; ``all_on_time``
    tells whether the coarse flow kept the promise for nearly everybody. ``prompt[group, piece]``
    are waves whose tubes some lab could start in time if it were idle.
    """

    near: Reach
    far: Reach
    labs: LabSide
    left_cost: float
    all_on_time: bool
    prompt: Flags


@dataclass(frozen=True)
class Fitted:
    """``tubes[group, piece]`` of which ``beyond[row]`` do not start in time."""

    tubes: Ints
    beyond: Ints
    reach: Reach


def fit_on_time(
    layout: Layout, rows: TubeRows, planned: Ints, desk: Desk, few: float = 0
) -> Fitted:
    """Give every row's tubes waves in which labs start them in time, near what is planned.

    ``planned[stream, piece]`` are tubes. All labs are looked at where those in use leave more
    than a ``few``.
    """
    room, tubes = (_by_group(layout, tubes) for tubes in (rows.room, planned))
    beyond = np.zeros(len(rows.group), dtype=np.int64)
    reach = desk.near
    for reach in (desk.near, desk.far):
        tubes, beyond = _send(layout, rows, (tubes, room, beyond), reach, desk.labs)
        if beyond.sum() <= few:
            break
    return Fitted(_put_back(layout, rows, tubes, room, beyond), beyond, reach)


def _put_back(layout: Layout, rows: TubeRows, tubes: Ints, room: Ints, beyond: Ints) -> Ints:
    """Return the tubes with those beyond in the last waves of their runs that have room."""
    for row in np.flatnonzero(beyond).tolist():
        group, left = int(rows.group[row]), int(beyond[row])
        pieces = layout.group_pieces[group]
        for piece in np.flatnonzero(pieces[:, 0] == rows.run[row])[::-1].tolist():
            some = min(left, int(room[group, piece] - tubes[group, piece]))
            tubes[group, piece] += some
            left -= some
    return tubes


def _by_group(layout: Layout, tubes: Ints) -> Ints:
    """Return tubes ``[group, piece]`` of tubes ``[stream, piece]``."""
    total = np.zeros((layout.num_groups, tubes.shape[1]), dtype=np.int64)
    np.add.at(total, layout.group, tubes)
    return total


def _send(
    layout: Layout, rows: TubeRows, state: tuple[Ints, Ints, Ints], reach: Reach, labs: LabSide
) -> tuple[Ints, Ints]:
    """Send tubes as planned, then what is beyond in any wave of its run with room."""
    tubes, room, beyond = state
    held = _rows_of(layout, tubes)
    tubes, beyond = tubes.copy(), beyond.copy()
    group, piece = np.nonzero(tubes)
    row_of = _row_of_piece(layout, rows)
    flow = send_on_time(held, reach, labs)
    if flow.left.any():
        short = _spread(flow.left, tubes[group, piece], held.wave, reach.usable[group])
        tubes[group, piece] -= short
        np.add.at(beyond, row_of[group, piece], short)
    if beyond.any():
        tubes, beyond = _send_beyond(layout, (tubes, room - tubes, beyond), row_of, reach, labs)
    return tubes, beyond


def _spread(left: Ints, tubes: Ints, wave: Ints, labs: Flags) -> Ints:
    """Share what is left of a wave among all rows that reach a lab of a row with something left.

    A largest flow leaves it to few, who would have nothing in the wave at all: their blocks would
    have to pause. ``labs[row, lab]``.
    """
    out = np.zeros_like(left)
    for at in np.unique(wave[left > 0]).tolist():
        rows = np.flatnonzero(wave == at)
        missing = rows[left[rows] > 0]
        shares = labs[np.ix_(rows, labs[missing].any(axis=0))].any(axis=1)
        rows = rows[shares | (left[rows] > 0)]
        share = np.cumsum(tubes[rows] * (left[missing].sum() / tubes[rows].sum()))
        out[rows] = np.diff(np.rint(share).astype(np.int64), prepend=0)
    return np.minimum(out, tubes)


def _send_beyond(
    layout: Layout, state: tuple[Ints, Ints, Ints], row_of: Ints, reach: Reach, labs: LabSide
) -> tuple[Ints, Ints]:
    """Send all tubes that are placed, and rows' tubes beyond wherever their run has room."""
    tubes, spare, beyond = state
    held = _rows_of(layout, tubes)
    wanting = np.flatnonzero(beyond)
    number = np.full(len(beyond) + 1, -1)
    number[wanting] = len(held.units) + np.arange(len(wanting))
    group, piece = np.nonzero((spare > 0) & (number[row_of] >= 0))
    wave = _wave_of_piece(layout, tubes.shape[1])
    both = Supplies(
        np.concatenate((held.units, beyond[wanting])),
        np.concatenate((held.row, number[row_of[group, piece]])),
        np.concatenate((held.group, group)),
        np.concatenate((held.wave, wave[group, piece])),
        np.concatenate((held.capacity, spare[group, piece])),
        np.zeros(len(held.row) + len(group)),
    )
    flow = send_on_time(both, reach, labs)
    tubes, beyond = tubes.copy(), beyond.copy()
    at = np.nonzero(tubes)
    tubes[at] -= flow.left[: len(held.units)]
    np.add.at(beyond, row_of[at], flow.left[: len(held.units)])
    moved = flow.sent[len(held.row) :]
    tubes[group, piece] += moved
    np.subtract.at(beyond, row_of[group, piece], moved)
    return tubes, beyond


def _rows_of(layout: Layout, tubes: Ints) -> Supplies:
    """Return one row per (group, piece) with tubes."""
    group, piece = np.nonzero(tubes)
    units = tubes[group, piece]
    wave = _wave_of_piece(layout, tubes.shape[1])[group, piece]
    return Supplies(units, np.arange(len(units)), group, wave, units, np.zeros(len(units)))


def _wave_of_piece(layout: Layout, most: int) -> Ints:
    wave = np.zeros((layout.num_groups, most), dtype=np.int64)
    for group, pieces in enumerate(layout.group_pieces):
        wave[group, : len(pieces)] = pieces[:, 1]
    return wave


def _row_of_piece(layout: Layout, rows: TubeRows) -> Ints:
    """Return the row of each ``[group, piece]``, -1 where it has none."""
    row_of = np.full((layout.num_groups, rows.room.shape[1]), -1, dtype=np.int64)
    for row, (group, run) in enumerate(zip(rows.group.tolist(), rows.run.tolist(), strict=True)):
        row_of[group, np.flatnonzero(layout.group_pieces[group][:, 0] == run)] = row
    return row_of
