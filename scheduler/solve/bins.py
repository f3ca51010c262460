"""Whole blocks in bins of limited room, sites or runs: who is where, and what moves cost."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scheduler.domain.city import Floats, Ints
from scheduler.domain.ranges import ranges
from scheduler.solve.candidates import Pairs


class Bins:
    """An assignment under change: ``bin_of[block]`` (-1: none) and ``load[bin]`` in people.

    ``pairs`` are (block, bin) sorted by block; ``price[pair]`` is what a place costs, in
    person-minutes per person.
    """

    def __init__(
        self, pairs: Pairs, price: Floats, people: Ints, capacity: Ints, bin_of: Ints, load: Ints
    ) -> None:
        self.pairs, self.price, self.people = pairs, price, people
        self.capacity, self.bin_of, self.load = capacity, bin_of, load
        self._starts = np.searchsorted(pairs.block, np.arange(len(people) + 1))
        self._by_bin = np.argsort(pairs.site, kind="stable")
        edges = np.arange(len(capacity) + 1)
        self._bin_starts = np.searchsorted(pairs.site[self._by_bin], edges)
        self._inside: list[set[int]] = [set() for _ in range(len(capacity))]
        for block in np.flatnonzero(bin_of >= 0).tolist():
            self._inside[bin_of[block]].add(block)
        self.now = np.full(len(people), np.nan)  # price of each block's present place
        here = bin_of[pairs.block] == pairs.site
        self.now[pairs.block[here]] = price[here]
        self.least = np.full(len(people), np.inf)
        np.minimum.at(self.least, pairs.block, price)

    def inside(self, number: int) -> Ints:
        """Return the blocks in a bin, in order."""
        return np.array(sorted(self._inside[number]), dtype=np.int64)

    def room(self, number: int) -> int:
        """Return the people that still fit into a bin."""
        return int(self.capacity[number] - self.load[number])

    def left_out(self) -> list[int]:
        """Return the blocks that are in no bin, the largest first."""
        out = np.flatnonzero((self.bin_of < 0) & (self.people > 0))
        blocks: list[int] = out[np.argsort(-self.people[out], kind="stable")].tolist()
        return blocks

    def rows_of(self, blocks: Ints) -> Ints:
        """Return the rows of ``pairs`` of some blocks."""
        return ranges(self._starts[blocks], self._starts[blocks + 1])

    def wanting(self, number: int) -> Ints:
        """Return the rows of ``pairs`` that lead to a bin, of blocks that are in another one."""
        rows = self._by_bin[self._bin_starts[number] : self._bin_starts[number + 1]]
        bin_of = self.bin_of[self.pairs.block[rows]]
        kept: Ints = rows[(bin_of >= 0) & (bin_of != number)]
        return kept

    def take_out(self, block: int) -> None:
        """Leave a block in no bin."""
        old = int(self.bin_of[block])
        if old >= 0:
            self.load[old] -= self.people[block]
            self._inside[old].remove(block)
            self.bin_of[block], self.now[block] = -1, np.nan

    def move(self, block: int, row: int) -> None:
        """Put a block where a row of ``pairs`` leads to."""
        self.take_out(block)
        new = int(self.pairs.site[row])
        self.load[new] += self.people[block]
        self._inside[new].add(block)
        self.bin_of[block], self.now[block] = new, self.price[row]

    def swaps(self, number: int, mine: Ints) -> Swaps:
        """Return the ways to swap one of a bin's blocks, ``mine``, for another bin's or none."""
        go = self.rows_of(mine)
        go = go[self.pairs.site[go] != number]
        back = self.wanting(number)
        target = self.bin_of[self.pairs.block[back]]
        order = np.argsort(target, kind="stable")
        back, target = back[order], target[order]
        first = np.searchsorted(target, self.pairs.site[go])
        end = np.searchsorted(target, self.pairs.site[go], side="right")
        there = ranges(first, end)
        out = np.repeat(go, end - first)
        give, take = self.pairs.block[out], self.pairs.block[back[there]]
        lone = self.pairs.block[go]
        gain = np.r_[self.people[give] - self.people[take], self.people[lone]]
        cost = np.r_[
            self._extra(out) + self._extra(back[there]),
            self._extra(go),
        ]
        room = (self.capacity - self.load)[self.pairs.site[np.r_[out, go]]]
        none = np.full(len(go), -1, dtype=np.int64)
        return Swaps(np.r_[out, go], np.r_[back[there], none], gain, cost, gain <= room)

    def _extra(self, rows: Ints) -> Floats:
        """Return what it costs more to move the blocks of rows there, person-minutes."""
        block = self.pairs.block[rows]
        extra: Floats = (self.price[rows] - self.now[block]) * self.people[block]
        return extra

    def swap(self, swaps: Swaps, at: int) -> None:
        """Make a swap."""
        out, back = int(swaps.out[at]), int(swaps.back[at])
        self.move(int(self.pairs.block[out]), out)
        if back >= 0:
            self.move(int(self.pairs.block[back]), back)


@dataclass(frozen=True)
class Swaps:
    """Columns: rows of pairs ``out`` and ``back`` (-1: none), people gained, cost, does it fit."""

    out: Ints
    back: Ints
    gain: Ints
    cost: Floats
    fits: Ints
