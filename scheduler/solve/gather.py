"""Room for a block that no chain of moves finds room for: neighbours pour theirs into one bin.

Where all bins are all but full, each has some room left and none enough. Two bins can share their
blocks in so many ways that one of them is nearly always filled to the last place (``exchange``);
what both have left is then in the other. So room is gathered from neighbour to neighbour until it
holds the block, whatever that costs: cheaper exchanges come afterwards.
"""

from __future__ import annotations

import numpy as np

from scheduler.solve.bins import Bins
from scheduler.solve.exchange import Exchanges

_FAR = 3  # steps from which neighbours pour


class Gathering:
    """Gathers room in ``bins``, which are changed."""

    def __init__(self, bins: Bins, exchanges: Exchanges) -> None:
        self._bins, self._exchanges = bins, exchanges

    def place_all(self) -> None:
        """Place the blocks that are in no bin, the largest first, as far as room is found."""
        for block in self._bins.left_out():
            self.place(block)

    def place(self, block: int) -> bool:
        """Give a block the cheapest of its bins in which room can be gathered; tell whether."""
        bins = self._bins
        rows, size = bins.rows_of(np.array([block])), int(bins.people[block])
        rows = rows[bins.capacity[bins.pairs.site[rows]] >= size]
        for row in rows[np.argsort(bins.price[rows], kind="stable")].tolist():
            number, before = int(bins.pairs.site[row]), bins.bin_of.copy()
            if self._gather(number, size, _FAR, {number}):
                bins.move(block, row)
                return True
            self._put_back(before)
        return False

    def _gather(self, number: int, room: int, far: int, passed: set[int]) -> bool:
        """Let neighbours pour room into a bin until it has so much; tell whether it has."""
        bins = self._bins
        around = [n for n in self._exchanges.beside(number).tolist() if n not in passed]
        around.sort(key=lambda n: (-bins.room(n), n))
        for other in around:
            if (short := room - bins.room(number)) <= 0:
                return True
            self._exchanges.pour(other, number, short)
        for other in around if far > 1 else ():
            if (short := room - bins.room(number)) <= 0:
                return True
            self._gather(other, bins.room(other) + short, far - 1, passed | set(around))
            self._exchanges.pour(other, number, short)
        return bins.room(number) >= room

    def _put_back(self, bin_of: np.ndarray) -> None:
        """Move all blocks back to where they were."""
        bins = self._bins
        rows = bins.rows_of(np.flatnonzero(bins.bin_of != bin_of))
        for row in rows[bin_of[bins.pairs.block[rows]] == bins.pairs.site[rows]].tolist():
            bins.move(int(bins.pairs.block[row]), row)
