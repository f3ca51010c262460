"""Prices of whole blocks by Lagrangian relaxation, and whole blocks by diving along them.

"Each block in one bin" is priced per block, so that every bin is a knapsack of its own (Fisher,
Jaikumar and Van Wassenhove 1986, doi 10.1287/mnsc.32.9.1095): a bound that knows whole blocks,
which a flow does not. Prices rise where no bin wants a block, and fall where two do (``ascent``).
Pairs that most answers agree on are then settled, a few at a time, and the prices of the others go
on.
"""

from __future__ import annotations

import numpy as np

from scheduler.domain.city import Floats, Ints
from scheduler.solve.ascent import USUAL, Ascent
from scheduler.solve.knapsacks import Knapsacks, best_set

_TURNS, _SETTLED = 4, 0.15  # per dive: turns, and share of the waiting blocks
_AGREED = 0.3  # share of recent answers that must name a pair


class BlockPrices(Ascent):
    """Ascends from prices ``now[block]``; ``bin_of[block]`` is -1 until a dive settles it."""

    def __init__(
        self, sacks: Knapsacks, start: Floats, stride: float, highest: float = np.inf
    ) -> None:
        """Start from prices of blocks; arguments as in ``Ascent``."""
        super().__init__(start, stride, highest)
        self.sacks = sacks
        self.bin_of = np.full(len(start), -1, dtype=np.int64)
        self._waiting = sacks.people > 0
        self._active = np.ones(len(sacks.pairs), dtype=bool)
        self._load = np.zeros(len(sacks.upto), dtype=np.int64)
        self._often = np.zeros(len(sacks.pairs))

    def ascend(self, turns: int) -> None:
        """Improve prices and bound."""
        for _ in range(turns):
            before = self.now
            self.note(before, self._turn())

    def dive(self) -> None:
        """Settle blocks, those first that most answers agree on, until they agree no more."""
        while self._waiting.any():
            if not self._settle():
                break
            for _ in range(_TURNS):
                self._turn()

    def _turn(self) -> float:
        """Return the bound at the present prices (of what waits), then step."""
        rows, worth = self._answers()
        pairs, waiting = self.sacks.pairs, self._waiting
        self._often *= USUAL.memory
        self._often[rows] += 1 - USUAL.memory
        found = np.bincount(pairs.block[rows], minlength=len(self.now))
        bound = float(self.now[waiting].sum()) - worth
        self.move(np.where(waiting, 1.0 - found, 0.0), bound, waiting)
        return bound

    def _answers(self) -> tuple[Ints, float]:
        """Return the pairs that bins choose at the present prices, and what they are worth."""
        sacks, total, chosen = self.sacks, 0.0, []
        value = self.now[sacks.pairs.block] - sacks.cost
        for rows, upto, load in zip(sacks.rows, sacks.upto, self._load.tolist(), strict=True):
            some = rows[self._active[rows]]
            if len(some):
                rest = upto[load:] - upto[load]
                worth, best = best_set(sacks.size[some], value[some], rest)
                total += worth
                chosen.append(some[best])
        return np.concatenate(chosen) if chosen else np.empty(0, dtype=np.int64), total

    def _settle(self) -> int:
        """Settle the pairs that most answers name, and return how many."""
        sacks = self.sacks
        often = np.where(self._active, self._often, 0.0)
        rows = np.flatnonzero(often >= _AGREED)
        most, done = max(3, round(_SETTLED * np.count_nonzero(self._waiting))), 0
        for row in rows[np.argsort(-often[rows], kind="stable")].tolist():
            block, number = int(sacks.pairs.block[row]), int(sacks.pairs.site[row])
            after = int(self._load[number]) + int(sacks.people[block])
            if self._waiting[block] and after < len(sacks.upto[number]):
                self._waiting[block], self.bin_of[block] = False, number
                self._load[number] = after
                done += 1
            if done == most:
                break
        self._active &= self._waiting[sacks.pairs.block]
        return done
