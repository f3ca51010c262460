"""Whole tubes everywhere, where a tube is dear.

A site whose people are no multiple of the pool size ends with a part-filled tube, and each counts
as a whole one at a lab. Where labs are what the round lacks, somebody is late for it; so blocks
change places until tubes are full, as long as the walk costs less than the tube.
"""

from __future__ import annotations

import numpy as np

from scheduler.domain.city import Floats, Ints
from scheduler.solve.bins import Bins, Swaps

_BLURS = (0.0, 1.0, 0.5, 1.0, 0.0, 1.0, 0.5, 0.0)
"""Turn by turn, how far a part-filled tube counts as its root instead of as a whole one: at 1, two
of 6 and 7 people gladly become one of 10 and one of 3, which the next swap may fill up."""
_UNFELT = 0.0003
"""Share of all people by which a part of the round may change its size for nothing. Measured on a
round of a million with 10 % late: 0.1 % above the best of 0 to 0.24 % of people at most."""
_WORTH = 1.0  # person-minutes below which nothing is moved


class TubeFiller:
    """Swaps blocks between bins to need fewer tubes.

    ``worth[bin]`` is what a tube costs there. ``part[bin]`` numbers parts of the round, days say:
    labs wait for as many people of each as there are now, so that a person more or less in a part
    costs a place in a tube, but for so few that labs hardly feel it.
    """

    def __init__(self, bins: Bins, pool: int, worth: Floats, part: Ints) -> None:
        self._bins, self._pool, self._worth, self._part = bins, pool, worth, part
        self._too_many = np.zeros(int(part.max(initial=0)) + 1, dtype=np.int64)
        self._unfelt = int(_UNFELT * bins.load.sum())

    def run(self) -> None:
        """Make swaps that save more than they cost, for a few turns over all bins."""
        for blur in _BLURS:
            rest = self._bins.load % self._pool > 0
            for number in np.flatnonzero(rest & (self._worth > 0)).tolist():
                self._swap_best(number, blur)

    def _swap_best(self, number: int, blur: float) -> None:
        bins = self._bins
        swaps = bins.swaps(number, bins.inside(number))
        good = swaps.fits & (swaps.gain >= -bins.room(number))
        if not good.any():
            return
        cost = swaps.cost + self._tube_costs(number, swaps, blur) + self._shift(number, swaps)
        best = int(np.argmin(np.where(good, cost, np.inf)))
        if cost[best] <= -_WORTH:
            parts = self._part[[number, bins.pairs.site[swaps.out[best]]]]
            np.add.at(self._too_many, parts, [-swaps.gain[best], swaps.gain[best]])
            bins.swap(swaps, best)

    def _tube_costs(self, number: int, swaps: Swaps, blur: float) -> Floats:
        """Return what the tubes of both bins cost more after each swap."""
        load, worth = self._bins.load, self._worth
        target = self._bins.pairs.site[swaps.out]
        here = self._tubes(load[number] - swaps.gain, blur) - self._tubes(load[number], blur)
        there = self._tubes(load[target] + swaps.gain, blur) - self._tubes(load[target], blur)
        more: Floats = here * worth[number] + there * worth[target]
        return more

    def _shift(self, number: int, swaps: Swaps) -> Floats:
        """Return what each swap costs by people who change to another part of the round."""
        here, there = self._part[number], self._part[self._bins.pairs.site[swaps.out]]
        now, gain = self._too_many, swaps.gain
        more = self._beyond(now[here] - gain) - self._beyond(now[here])
        more = more + self._beyond(now[there] + gain) - self._beyond(now[there])
        cost: Floats = np.where(here == there, 0, more) * self._worth[number] / self._pool
        return cost

    def _beyond(self, people: Ints) -> Ints:
        """Return how many people too many or too few labs would feel."""
        felt: Ints = np.maximum(np.abs(people) - self._unfelt, 0)
        return felt

    def _tubes(self, people: Ints, blur: float) -> Floats:
        rest = people % self._pool
        last = (1 - blur) * (rest > 0) + blur * np.sqrt(rest / self._pool)
        tubes: Floats = people // self._pool + last
        return tubes
