"""When a site works, and how fast: waiting for it to open, and registration that is down.

Slow work is lived through in *work minutes*: a clock that runs slower while registration is down,
so that the lanes need not know of it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scheduler.domain.city import Floats, Window
from scheduler.domain.instance import RoundClock
from scheduler.simulate.lanes import Times

EARLIEST_MIN = -1440
"""Nobody comes earlier than a day before the round."""


def opening_table(clock: RoundClock, hours: tuple[Window, ...], end_min: int) -> Times:
    """Return until when who comes in a minute waits for the site to open, -inf: not at all.

    The table begins at ``EARLIEST_MIN`` and its last minute stands for all later ones. Whoever was
    called is swabbed, after closing too; who comes in the later half of a gap between two windows
    waits for the next.
    """
    table = np.full(end_min - EARLIEST_MIN + 1, -np.inf, dtype=np.float32)
    closed = EARLIEST_MIN
    for opening, closing in clock.windows(hours, EARLIEST_MIN, end_min):
        first = closed if closed == EARLIEST_MIN else (closed + opening) // 2
        table[max(first - EARLIEST_MIN, 0) : max(opening - EARLIEST_MIN, 0)] = opening
        closed = closing
    return table


@dataclass(frozen=True)
class Pace:
    """Registration is down in ``down``; ``speed[row]`` is then the share of the usual rate."""

    down: tuple[int, int]
    speed: Floats

    def to_work(self, minute: Times) -> Times:
        """Return work minutes of ``minute[person, row]``."""
        first, last = self.down
        lost = np.clip(minute - first, 0, last - first) * (1 - self.speed)
        return (minute - lost).astype(np.float32)

    def to_minute(self, work: Times) -> Times:
        """Return the minute of work minutes."""
        first, last = self.down
        inside = first + (work - first) / self.speed
        after = work + (last - first) * (1 - self.speed)
        slow_end = first + (last - first) * self.speed
        found = np.where(work <= first, work, np.where(work < slow_end, inside, after))
        return found.astype(np.float32)
