"""What parts of the city should send, shared among their streams in whole tubes."""

from __future__ import annotations

import numpy as np

from scheduler.domain.city import Floats, Ints
from scheduler.solve.layout import Layout
from scheduler.solve.volumes import Shares, Volumes, even_volumes, move_tubes, share_tubes
from scheduler.solve.waves import Load, TubeRows, bridging_tubes


def shared(
    layout: Layout, load: Load, rows: TubeRows, volumes: Volumes, bridge: Ints | None = None
) -> Ints:
    """Return tubes ``[stream, piece]`` near the volumes of its groups.

    Runs are shared each for itself: a row is a stream's run, its columns the pieces of the run.
    ``bridge[stream, run]`` is given where labs are short (``Shares``).
    """
    most_runs = rows.tubes.shape[1]
    edges = np.array(
        [np.searchsorted(pieces[:, 0], range(most_runs + 1)) for pieces in layout.group_pieces]
    )  # edges[group, run]: the first piece
    stream, run = np.nonzero(rows.tubes)
    part = layout.group[stream]
    column = edges[part, run][:, None] + np.arange(np.diff(edges, axis=1).max())
    here = column < edges[part, run + 1][:, None]
    room = np.where(here, rows.room[stream[:, None], np.where(here, column, 0)], 0)
    count = rows.tubes[stream, run]
    key = part * most_runs + run  # a run of a group is a part of its own
    distinct, which = np.unique(key, return_inverse=True)
    slices = [
        (int(group), slice(*edges[group, run : run + 2].tolist()))
        for group, run in zip(*np.divmod(distinct, most_runs), strict=True)
    ]
    total = np.bincount(which, weights=count).astype(np.int64)
    space = np.zeros((len(distinct), room.shape[1]), dtype=np.int64)
    np.add.at(space, which, room)
    wanted = np.zeros(space.shape)
    for number, (group, at) in enumerate(slices):
        inside = slice(at.stop - at.start)
        wanted[number, inside] = volumes.of_run(
            group, at, int(total[number]), space[number, inside]
        )
    quota = (load.quota / load.pool)[stream]
    held = None if bridge is None else bridge[stream, run]
    even = even_volumes(Shares(which, quota, count, room, wanted, held))
    tubes = np.zeros_like(rows.room)
    owed: dict[tuple[int, bytes], Floats] = {}
    order = np.argsort(which, kind="stable")
    bounds = np.searchsorted(which[order], np.arange(len(distinct) + 1))
    for number, (group, at) in enumerate(slices):
        mine = order[bounds[number] : bounds[number + 1]]
        pieces, inside = layout.group_pieces[group][at], slice(at.stop - at.start)
        least = bridging_tubes(pieces, int(load.pool[stream[mine[0]]]))
        name = (int(layout.zone[stream[mine[0]]]), pieces.tobytes())
        debt = owed.setdefault(name, np.zeros(len(pieces)))
        tubes[stream[mine], at] = share_tubes(
            even[mine, inside], count[mine], room[mine, inside], least, debt
        )
    return tubes


def follow(layout: Layout, rows: TubeRows, tubes: Ints, totals: Ints) -> None:
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
