"""Which block goes next, so that few people go for the tubes that labs cannot take in time."""

from __future__ import annotations

import numpy as np

from scheduler.domain.city import Flags, Ints
from scheduler.solve.repair.groups import Groups, group_key
from scheduler.solve.repair.rows import Calls


class Choice:
    """Blocks that may go, with the tubes that each would save, wave by wave.

    ``rest[wave]`` are the tubes too many in each wave, less those that chosen blocks save.
    """

    def __init__(
        self,
        calls: Calls,
        groups: Groups,
        which: tuple[Flags, Ints],
        rest: Ints,
        shape: tuple[int, Ints],
    ) -> None:
        (may_go, part), (per_wave, pools) = which, shape
        self.groups, self.rest, self.pools = groups, rest, pools
        self.left = groups.people.copy()
        key = group_key(calls.site, calls.slot // per_wave, calls.zone, groups.num_waves)
        group = np.searchsorted(groups.key, key)
        going = may_go[group]
        count = len(groups)
        pair, at = np.unique(calls.block[going] * count + group[going], return_inverse=True)
        block, self.group = np.divmod(pair, count)
        self.people = np.bincount(at.reshape(-1), calls.people[going], len(pair)).astype(np.int64)
        self.blocks, self.at = np.unique(block, return_inverse=True)
        self.at = self.at.reshape(-1)
        self.total = np.bincount(calls.block, calls.people)[self.blocks]
        zone = np.zeros(len(self.blocks), dtype=np.int64)
        zone[self.at] = groups.zone[self.group]
        self.strictness = (zone.max(initial=0) - zone) * float(1 << 40)
        self.gone = np.zeros(len(self.blocks), dtype=bool)
        self.part = part[self.group]
        self.saved = self._saves(np.arange(len(pair)))

    def best(self) -> int | None:
        """Return the block with the fewest people per tube that must go, less strict zones first.

        None where no block helps.
        """
        useful = np.minimum(self.saved, np.maximum(self.rest[self.part], 0))
        tubes = np.bincount(self.at, useful, len(self.blocks))
        helps = (tubes > 0) & ~self.gone
        if not helps.any():
            return None
        cost = np.where(helps, self.total / np.maximum(tubes, 1) + self.strictness, np.inf)
        return int(self.blocks[np.argmin(cost)])

    def stay(self, block: int) -> None:
        """Let a block stay: it is not proposed again."""
        self.gone[np.searchsorted(self.blocks, block)] = True

    def go(self, block: int) -> None:
        """Let a block go; count what it saves."""
        self.stay(block)
        rows = np.flatnonzero(self.at == np.searchsorted(self.blocks, block))
        np.subtract.at(self.rest, self.part[rows], self.saved[rows])
        self.left[self.group[rows]] -= self.people[rows]
        again = np.flatnonzero(np.isin(self.group, self.group[rows]))
        self.saved[again] = self._saves(again)

    def _saves(self, rows: Ints) -> Ints:
        """Return the tubes less in a group when the people of a row leave it."""
        pool, there = self.pools[self.groups.zone[self.group[rows]]], self.left[self.group[rows]]
        after = np.maximum(there - self.people[rows], 0)
        saved: Ints = -(-there // pool) + (-after // pool)
        return saved
