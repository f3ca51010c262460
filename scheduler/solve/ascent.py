"""Ascent of prices to a better Lagrangian bound.

Prices rise where less is answered than asked, and fall where more is: a subgradient step, deflected
by the steps before it (Camerini, Fratta and Maffioli 1975, doi 10.1007/BFb0120697).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scheduler.domain.city import Flags, Floats


@dataclass(frozen=True)
class Pace:
    """How steps go on: ``memory`` of earlier ones, and how soon and how much they become shorter.

    They do after so many turns without a better bound (``patience``).
    """

    memory: float = 0.8
    patience: int = 3
    shorter: float = 1.5


USUAL = Pace()
STEADY = Pace(0.9, 4, 1.3)
"""For many turns. Measured on a million people at 97 %, whole blocks of all zones priced: 160 turns
leave 0.45 % of a gap, and 0.53 % at the usual pace; of 80 they leave as much."""


def patient(turns: int) -> Pace:
    """Return a pace for more turns than ``STEADY`` is for: steps stay long in proportion to them.

    Measured on 100,000 people at 97 %: 400 turns leave 1.17 % of a gap, and 1.25 % with a patience
    of 6 instead of 12.
    """
    return Pace(0.95, turns // 33, 1.4)


class Ascent:
    """Prices ``now``, in person-minutes, and ``best``: those of ``bound``, the best so far."""

    def __init__(
        self, start: Floats, stride: float, highest: Floats | float = np.inf, pace: Pace = USUAL
    ) -> None:
        """Start from prices, which stay below ``highest``.

        ``stride`` is by what share of the first bound it may still rise, about: the first step.
        """
        self.now, self.best, self.bound = start.copy(), start, -np.inf
        self._highest, self._stride, self._pace = highest, stride, pace
        self._direction = np.zeros(len(start))
        self._step, self._failed = 0.0, 0

    def move(self, slope: Floats, bound: float, active: Flags) -> None:
        """Change the prices of what is ``active`` along a slope, found with ``bound``."""
        self._direction = np.where(active, slope + self._pace.memory * self._direction, 0.0)
        if not self._step:
            self._step = self._stride * abs(bound)
        length = max(1.0, float(self._direction @ self._direction))
        step = self._step / length * self._direction
        self.now = np.minimum(self.now + step, self._highest)

    def note(self, prices: Floats, bound: float) -> None:
        """Keep a bound if it is better; shorten the steps where several were not."""
        if bound > self.bound:
            self.bound, self.best, self._failed = bound, prices, 0
        else:
            self._failed += 1
        if self._failed >= self._pace.patience:
            self._step, self._failed = self._step / self._pace.shorter, 0
