"""Ascent of prices to a better Lagrangian bound.

Prices rise where less is answered than asked, and fall where more is: a subgradient step, deflected
by the steps before it (Camerini, Fratta and Maffioli 1975, doi 10.1007/BFb0120697).
"""

from __future__ import annotations

import numpy as np

from scheduler.domain.city import Flags, Floats

MEMORY = 0.8  # of earlier steps
_PATIENCE = 3  # turns without a better bound before steps become shorter
_SHORTER = 1.5


class Ascent:
    """Prices ``now``, in person-minutes, and ``best``: those of ``bound``, the best so far."""

    def __init__(self, start: Floats, stride: float, highest: Floats | float = np.inf) -> None:
        """Start from prices, which stay below ``highest``.

        ``stride`` is by what share of the first bound it may still rise, about: the first step.
        """
        self.now, self.best, self.bound = start.copy(), start, -np.inf
        self._highest, self._stride = highest, stride
        self._direction = np.zeros(len(start))
        self._step, self._failed = 0.0, 0

    def move(self, slope: Floats, bound: float, active: Flags) -> None:
        """Change the prices of what is ``active`` along a slope, found with ``bound``."""
        self._direction = np.where(active, slope + MEMORY * self._direction, 0.0)
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
        if self._failed >= _PATIENCE:
            self._step, self._failed = self._step / _SHORTER, 0
