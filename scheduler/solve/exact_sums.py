"""Whole tubes whose sums are exact: of each stream's run, and of each wave of a part of the city.

Shares are rounded stream by stream (``volumes``), so that waves are missed by a tube or so and by
more where sites are full. Where labs are short, a tube missing in an early wave is an hour of a
laboratory lost, and one too many waits until night. One flow of few units mends both: controlled
rounding (Cox 1987, doi 10.1080/01621459.1987.10478456).
"""

from __future__ import annotations

import numpy as np

from scheduler.domain.city import Flags, Ints
from scheduler.solve.flow import ArcList, solve
from scheduler.solve.layout import Layout
from scheduler.solve.waves import TubeRows

_MISSED = 100.0  # what a tube in the wrong wave counts, in moves of tubes


def meet_sums(layout: Layout, rows: TubeRows, tubes: Ints, totals: Ints, bridge: Ints) -> Ints:
    """Return ``tubes[stream, piece]`` changed to sum to ``totals[group, piece]`` where they can.

    Sums of runs stay, room is never passed, and runs keep ``bridge[stream, run]`` tubes, or as many
    as they have, in each wave between their first and their last.
    """
    run = layout.column(0)[layout.group]
    stream, piece = np.nonzero(_between(tubes > 0, run))
    now, number = tubes[stream, piece], run[stream, piece]
    _, row = np.unique(stream * rows.tubes.shape[1] + number, return_inverse=True)
    first = int(row.max(initial=-1)) + 1
    cell = layout.group[stream] * totals.shape[1] + piece
    sums = np.bincount(cell, now, totals.size).astype(np.int64)
    spare = first + totals.size
    supply = np.zeros(spare + 1, dtype=np.int64)
    supply[first:spare] = np.where(sums > 0, sums - totals.ravel(), 0)
    supply[spare] = -supply.sum()
    arcs = ArcList()
    less = arcs.add(first + cell, row, now - np.minimum(bridge[stream, number], now), 1.0)
    more = arcs.add(row, first + cell, rows.room[stream, piece] - now, 1.0)
    some = np.flatnonzero(supply[:spare])
    slack = np.full(len(some), spare)
    arcs.add(some, slack, np.abs(supply[some]), _MISSED)
    arcs.add(slack, some, np.abs(supply[some]), _MISSED)
    flow = solve(arcs.network(supply))
    found = tubes.copy()
    found[stream, piece] += flow[more] - flow[less]
    return found


def _between(some: Flags, run: Ints) -> Flags:
    """Return which pieces lie between the first and the last of a run that have ``some`` tubes.

    ``run[stream, piece]`` is -1 where there is none; the pieces of a run are in order.
    """
    inside = np.zeros(some.shape, dtype=bool)
    for number in range(int(run.max(initial=-1)) + 1):
        here = some & (run == number)
        before = np.maximum.accumulate(here, axis=1)
        after = np.maximum.accumulate(here[:, ::-1], axis=1)[:, ::-1]
        inside |= before & after & (run == number)
    return inside
