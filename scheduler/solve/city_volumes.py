"""What streams send in each wave sums to what the whole city should send.

Parts of the city follow the coarse flow each for itself: where streams of a part have no room left,
a wave stays short, although streams of other parts have room. Labs reach far, so others make up
for it.
"""

from __future__ import annotations

import numpy as np

from scheduler.domain.city import Floats, Ints
from scheduler.solve.layout import Layout
from scheduler.solve.volumes import Volumes, move_tubes
from scheduler.solve.waves import Load, TubeRows, bridging_tubes


def meet_volumes(layout: Layout, load: Load, rows: TubeRows, tubes: Ints, volumes: Volumes) -> Ints:
    """Return ``tubes[stream, piece]`` moved within runs until the city's waves have their volumes.

    ``layout`` is that of the volumes. Streams of stricter zones stay as they are.
    """
    wave, run = (layout.column(number)[layout.group] for number in (1, 0))
    main = layout.zone == np.argmax(np.bincount(layout.zone, tubes.sum(axis=1) * load.pool))
    sent = _by_wave(wave, tubes)
    wanted = _by_wave(layout.column(1), volumes.tubes, len(sent))
    stream, piece = np.nonzero((wave >= 0) & main[:, None] & (rows.room > 0))
    row_of = stream * rows.tubes.shape[1] + run[stream, piece]
    distinct, row = np.unique(row_of, return_inverse=True)
    at = row, wave[stream, piece]  # a stream's run has one piece in a wave
    table, room = (np.zeros((len(distinct), len(sent)), dtype=np.int64) for _ in range(2))
    table[at], room[at] = tubes[stream, piece], rows.room[stream, piece]
    least = _bridging(layout, load)[distinct // rows.tubes.shape[1]]
    move_tubes(table, room, np.rint(wanted - sent).astype(np.int64), least)
    met = tubes.copy()
    met[stream, piece] = table[at]
    return met


def _by_wave(wave: Ints, tubes: Ints | Floats, num_waves: int = 0) -> Floats:
    """Return the city's tubes of each wave; ``wave`` is -1 where there is no piece."""
    some = wave >= 0
    total: Floats = np.bincount(wave[some], tubes[some], num_waves).astype(np.float64)
    return total


def _bridging(layout: Layout, load: Load) -> Ints:
    """Return the tubes that bridge a wave of each stream."""
    pool = load.pool[layout.first].tolist()
    least = [bridging_tubes(p, k) for p, k in zip(layout.group_pieces, pool, strict=True)]
    return np.array(least, dtype=np.int64)[layout.group]
