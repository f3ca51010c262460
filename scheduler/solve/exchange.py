"""The best way for two bins to share their blocks, for all pairs of neighbours until none gains.

One exchange may move any number of blocks both ways: the subset that goes to the first bin is found
exactly by dynamic programming over its people.
"""

from __future__ import annotations

import numpy as np

from scheduler.domain.city import Flags, Floats, Ints
from scheduler.solve.bins import Bins
from scheduler.solve.knapsacks import Knapsacks, best_sums, trace_back

_WORTH = 1.0  # person-minutes below which an exchange is not made
_MOST_TURNS = 20


class Exchanges:
    """Exchanges of blocks between two bins; ``bins`` holds who is where and is changed."""

    def __init__(self, sacks: Knapsacks, bins: Bins) -> None:
        self._sacks, self._bins = sacks, bins
        self._wide = len(sacks.upto)
        key = sacks.pairs.block * self._wide + sacks.pairs.site
        self._order = np.argsort(key)
        self._key = key[self._order]

    def run(self, numbers: Ints | None = None) -> None:
        """Exchange until no two neighbours gain; after the first turn only where one changed.

        At first, only ``numbers`` and their neighbours are looked at, where given.
        """
        neighbours = self._neighbours()
        changed = np.ones(self._wide, dtype=bool)
        if numbers is not None:
            changed[:] = False
            changed[numbers] = True
        for _ in range(_MOST_TURNS):
            again = neighbours[changed[neighbours].any(axis=1)]
            changed[:] = False
            for one, other in again.tolist():
                if self._exchange(one, other):
                    changed[[one, other]] = True
            if not changed.any():
                break

    def _neighbours(self) -> Ints:
        """Return the pairs of bins of which one could take a block of the other."""
        pairs, here = self._sacks.pairs, self._bins.bin_of[self._sacks.pairs.block]
        some = (here >= 0) & (here != pairs.site)
        ends = np.column_stack((here[some], pairs.site[some]))
        found: Ints = np.unique(np.sort(ends, axis=1), axis=0)
        return found

    def _rows_to(self, blocks: Ints, number: int) -> Ints:
        """Return the rows of pairs from blocks to a bin, -1 where it is no candidate."""
        key = blocks * self._wide + number
        at = np.minimum(np.searchsorted(self._key, key), len(self._key) - 1)
        return np.where(self._key[at] == key, self._order[at], -1)

    def _exchange(self, one: int, other: int) -> bool:
        """Share the blocks of two bins in the cheapest way; tell whether that gained."""
        inside = self._bins.inside(one), self._bins.inside(other)
        blocks = np.concatenate(inside)
        size = self._sacks.people[blocks]
        rows = self._rows_to(blocks, one), self._rows_to(blocks, other)
        first = np.arange(len(blocks)) < len(inside[0])
        shared = _Shared(size, *(np.where(r >= 0, self._sacks.cost[r], np.inf) for r in rows))
        upto = self._sacks.upto[one], self._sacks.upto[other]
        chosen = shared.best(upto, first)
        if chosen is None:
            return False
        for at in np.flatnonzero(chosen != first).tolist():  # rooms hold when all have moved
            self._bins.move(int(blocks[at]), int(rows[0 if chosen[at] else 1][at]))
        return True


class _Shared:
    """Blocks with what each costs in either of two bins (inf: no candidate)."""

    def __init__(self, size: Ints, one: Floats, other: Floats) -> None:
        self.size, self.one, self.other = size, one, other

    def best(self, upto: tuple[Floats, Floats], now: Flags) -> Flags | None:
        """Return which blocks go to the first bin, None where that gains nothing on ``now``."""
        bound = np.isinf(self.other)  # these have no choice
        free = np.flatnonzero(np.isfinite(self.one) & np.isfinite(self.other))
        if len(free) < 2:  # noqa: PLR2004  # ways to share
            return None
        base, everybody = int(self.size[bound].sum()), int(self.size.sum())
        low = max(0, everybody - (len(upto[1]) - 1) - base)
        high = min(len(upto[0]) - 1 - base, int(self.size[free].sum()))
        if low > high:
            return None
        extra = self.one[free] - self.other[free]
        saved, taken = best_sums(self.size[free], -extra, high)
        people = np.arange(low, high + 1)
        places = upto[0][base + people] + upto[1][everybody - base - people]
        total = places - saved[low:]
        at = int(np.argmin(total))
        inside = int(self.size[free][now[free]].sum())
        before = extra[now[free]].sum() + upto[0][base + inside]
        before += upto[1][everybody - base - inside]
        if not total[at] < before - _WORTH:
            return None
        chosen = bound.copy()
        chosen[free[trace_back(self.size[free].tolist(), taken, low + at)]] = True
        return chosen
