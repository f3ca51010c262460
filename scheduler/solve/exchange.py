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
        low, high = np.minimum(here, pairs.site)[some], np.maximum(here, pairs.site)[some]
        return np.column_stack(np.divmod(np.unique(low * self._wide + high), self._wide))

    def _rows_to(self, blocks: Ints, number: int) -> Ints:
        """Return the rows of pairs from blocks to a bin, -1 where it is no candidate."""
        key = blocks * self._wide + number
        at = np.minimum(np.searchsorted(self._key, key), len(self._key) - 1)
        return np.where(self._key[at] == key, self._order[at], -1)

    def _exchange(self, one: int, other: int) -> bool:
        """Share the blocks of two bins in the cheapest way; tell whether that gained."""
        inside, shared, rows = self._shared(one, other)
        first = np.arange(len(shared.size)) < len(self._bins.inside(one))
        chosen = shared.best(self._upto(one, other), first)
        self._follow(inside, rows, first, chosen)
        return chosen is not None

    def pour(self, one: int, other: int, most: int) -> None:
        """Let the first bin take more of the blocks of both, so that the other one has room.

        It takes up to ``most`` people more if it has room for them, in the cheapest way.
        """
        inside, shared, rows = self._shared(one, other)
        first = np.arange(len(shared.size)) < len(self._bins.inside(one))
        chosen = shared.fuller(self._upto(one, other), first, most)
        self._follow(inside, rows, first, chosen)

    def beside(self, number: int) -> Ints:
        """Return the bins that could take a block of a bin, or give it one."""
        bins, pairs = self._bins, self._sacks.pairs
        go = pairs.site[bins.rows_of(bins.inside(number))]
        come = bins.bin_of[pairs.block[bins.wanting(number)]]
        both = np.union1d(go, come)
        found: Ints = both[both != number]
        return found

    def _upto(self, one: int, other: int) -> tuple[Floats, Floats]:
        return self._sacks.upto[one], self._sacks.upto[other]

    def _shared(self, one: int, other: int) -> tuple[Ints, _Shared, tuple[Ints, Ints]]:
        """Return the blocks of two bins, what they cost there, and the rows to either bin."""
        blocks = np.concatenate((self._bins.inside(one), self._bins.inside(other)))
        rows = self._rows_to(blocks, one), self._rows_to(blocks, other)
        costs = (np.where(r >= 0, self._sacks.cost[r], np.inf) for r in rows)
        return blocks, _Shared(self._sacks.people[blocks], *costs), rows

    def _follow(
        self, blocks: Ints, rows: tuple[Ints, Ints], first: Flags, chosen: Flags | None
    ) -> None:
        """Move the blocks whose bin is another one; ``chosen`` go to the first bin."""
        if chosen is None:
            return
        for at in np.flatnonzero(chosen != first).tolist():  # rooms hold when all have moved
            self._bins.move(int(blocks[at]), int(rows[0 if chosen[at] else 1][at]))


class _Shared:
    """Blocks with what each costs in either of two bins (inf: no candidate)."""

    def __init__(self, size: Ints, one: Floats, other: Floats) -> None:
        self.size, self.one, self.other = size, one, other
        self._bound = np.isinf(other)  # these have no choice
        self._free = np.flatnonzero(np.isfinite(one) & np.isfinite(other))

    def best(self, upto: tuple[Floats, Floats], now: Flags) -> Flags | None:
        """Return which blocks go to the first bin, None where that gains nothing on ``now``."""
        if len(self._free) < 2:  # noqa: PLR2004  # ways to share
            return None
        found = self._ways(upto)
        if found is None:
            return None
        low, total, taken = found
        at = int(np.argmin(total))
        base, everybody = self._fixed()
        extra = self.one[self._free] - self.other[self._free]
        inside = int(self.size[self._free][now[self._free]].sum())
        before = extra[now[self._free]].sum() + upto[0][base + inside]
        before += upto[1][everybody - base - inside]
        if not total[at] < before - _WORTH:
            return None
        return self._traced(taken, low + at)

    def fuller(self, upto: tuple[Floats, Floats], now: Flags, most: int) -> Flags | None:
        """Return which blocks go to the first bin so that it holds up to ``most`` people more.

        None where it cannot hold more.
        """
        found = self._ways(upto)
        if found is None:
            return None
        low, total, taken = found
        inside = int(self.size[self._free][now[self._free]].sum())
        more = np.flatnonzero(np.isfinite(total) & (np.arange(len(total)) + low > inside))
        if not len(more):
            return None
        enough = more[more + low >= inside + most]
        at = int(enough[np.argmin(total[enough])] if len(enough) else more[-1])
        return self._traced(taken, low + at)

    def _fixed(self) -> tuple[int, int]:
        """Return the people of blocks that must be in the first bin, and of all."""
        return int(self.size[self._bound].sum()), int(self.size.sum())

    def _ways(self, upto: tuple[Floats, Floats]) -> tuple[int, Floats, list[Flags]] | None:
        """Return the cost by people with a choice in the first bin, from a least number on.

        None where the rooms do not hold all; what ``trace_back`` asks for goes with it.
        """
        base, everybody = self._fixed()
        free = self._free
        low = max(0, everybody - (len(upto[1]) - 1) - base)
        high = min(len(upto[0]) - 1 - base, int(self.size[free].sum()))
        if low > high:
            return None
        extra = self.one[free] - self.other[free]
        saved, taken = best_sums(self.size[free], -extra, high)
        people = np.arange(low, high + 1)
        places = upto[0][base + people] + upto[1][everybody - base - people]
        return low, places - saved[low:], taken

    def _traced(self, taken: list[Flags], people: int) -> Flags:
        """Return which blocks are in the first bin when so many people with a choice are."""
        chosen = self._bound.copy()
        chosen[self._free[trace_back(self.size[self._free].tolist(), taken, people)]] = True
        return chosen
