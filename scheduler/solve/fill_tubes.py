"""Whole tubes everywhere, where a tube is dear.

A bin, a site or one of its runs, whose people are no multiple of the pool size ends with a
part-filled tube, and each counts as a whole one at a lab. Where labs are what the round lacks,
somebody is late for it; so blocks change places until tubes are full, as long as the walk costs
less than the tube. Which moves do that at least cost in all is found along trees of cheap moves
(``tube_moves``), one tree after the other, each from where the last has left the blocks.
Labs wait for so many people each day: in the end swaps of whole tubes give each day its own again.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import connected_components

from scheduler.domain.city import Floats, Ints
from scheduler.solve.bins import Bins
from scheduler.solve.tube_moves import Moves, Rests, allotted, exchanges, swapped

_TURNS = 40
_PATIENCE, _LITTLE = 12, 0.002  # so many turns that gain less of a tube per bin are the last
_SWAPS_FIRST, _SWAPS_EVERY = 3, 6
"""Trees of exchanges come first, and every few turns after. Measured on sites of a million people
with 10 % late: with exchanges alone walks and empty places cost 8 % more after as many seconds,
without any 6 %."""
_NOISE = 0.5  # of the logarithm of what exchanges along a link cost
_GAIN = 1e-3  # person-minutes below which nothing is moved
_SHIFT = 0.02
"""Share of its place in a tube that a person costs who changes to another part of the round."""
_PAIRS_OF_PARTS = 12  # that are balanced, worst first


@dataclass(frozen=True)
class Parts:
    """Parts of the round, days say: ``of[bin]`` numbers them, ``people[part]`` labs wait for."""

    of: Ints
    people: Floats


@dataclass(frozen=True)
class Wanted:
    """The ``people[bin]`` whose places are worth more than others, by ``missed[bin]`` each."""

    people: Ints
    missed: Floats


class TubeFiller:
    """Moves blocks between bins to need fewer tubes.

    ``worth[bin]`` is what a tube costs there, 0 where nothing is moved; bins with fewer people than
    ``wanted`` miss them. Of a bin's people ``over[bin]`` are in tubes worth it though not full.
    """

    def __init__(
        self,
        bins: Bins,
        pool: int,
        worth: Floats,
        parts: Parts | None = None,
        wanted: Wanted | None = None,
        over: Ints | None = None,
    ) -> None:
        self._bins, self._pool, self._worth = bins, pool, worth
        self._parts = parts or Parts(np.zeros(len(worth), dtype=np.int64), np.zeros(1))
        self._balance = parts is not None
        self._over = np.zeros(len(worth), dtype=np.int64) if over is None else over
        self._wanted = wanted or Wanted(np.zeros(len(worth), dtype=np.int64), np.zeros(len(worth)))
        self._bin_of, self._load = bins.bin_of.copy(), bins.load.astype(np.int64)
        block = bins.pairs.block
        inside = (worth > 0)[bins.bin_of[block]] & (bins.bin_of[block] >= 0)
        self._rows = np.flatnonzero(inside & (worth > 0)[bins.pairs.site])
        self._price = bins.price * bins.people[block]
        self._now = bins.now * bins.people

    def run(self) -> None:
        """Move what saves most, for a few turns over all bins, and balance the parts."""
        if not len(self._rows) or self._pool == 1:  # then every tube is full
            return
        rng = np.random.default_rng(0)
        little = _LITTLE * float(self._worth.sum())
        usual = self._usual_cost()
        gains: list[float] = []
        for turn in range(_TURNS):
            if sum(gains[-_PATIENCE:]) < little and turn >= _PATIENCE:
                break
            moves = self._moves(float(self._worth.max()))
            if not len(moves.row):
                break
            if turn < _SWAPS_FIRST or turn % _SWAPS_EVERY == 0:
                noise = rng.standard_normal(len(moves.row)) * _NOISE if turn else None
                made = swapped(moves, self._rests(), noise)
            else:
                made = allotted(moves, self._rests(), usual, rng)
            gains.append(self._accept(moves, made))
        if self._balance:
            for _ in range(_PAIRS_OF_PARTS):
                if not self._balance_worst():
                    break
        self._write()

    def _usual_cost(self) -> float:
        """Return what the cheapest move of a block costs, half of them more, half of them less."""
        moves = self._moves(np.inf)
        least = np.full(len(self._bin_of), np.inf)
        np.minimum.at(least, moves.block, moves.cost)
        known = least[np.isfinite(least)]
        return max(_GAIN, float(np.median(known))) if len(known) else 1.0

    def _rests(self) -> Rests:
        return Rests(
            (self._load - self._over) % self._pool, self._bins.capacity - self._load, self._worth,
            self._pool, self._parts.of, self._worth / self._pool * _SHIFT,
            self._load - self._wanted.people, self._wanted.missed,
        )  # fmt: skip

    def _moves(self, dear: float) -> Moves:
        """Return the moves that cost less than ``dear``, in order of bins."""
        pairs, people = self._bins.pairs, self._bins.people
        rows = self._rows
        block, target = pairs.block[rows], pairs.site[rows]
        source, cost = self._bin_of[block], self._price[rows] - self._now[block]
        keep = np.flatnonzero((source != target) & (cost < dear))
        keep = keep[np.lexsort((target[keep], source[keep]))]
        block = block[keep]
        return Moves(rows[keep], block, source[keep], target[keep], people[block], cost[keep])

    def _accept(self, moves: Moves, made: Ints) -> float:
        """Make moves; those of bins that they join only if all fit and cost less than before.

        Returns the person-minutes gained.
        """
        size, source, target = len(self._load), moves.source[made], moves.target[made]
        change = np.zeros(size, dtype=np.int64)
        np.add.at(change, target, moves.people[made])
        np.subtract.at(change, source, moves.people[made])
        load = self._load + change
        empty = (self._over - load) % self._pool - (self._over - self._load) % self._pool
        _, joined = connected_components(
            csr_matrix((np.ones(len(made)), (source, target)), (size, size)), directed=False
        )
        cost = np.bincount(joined, empty * self._worth / self._pool)
        if self._wanted.missed.any():
            cost += np.bincount(joined, self._rests().lost(np.arange(size), change))
        cost += np.bincount(joined[source], moves.cost[made], minlength=len(cost))
        too_full = (load > self._bins.capacity) & (change > 0)
        cost[joined[too_full]] = np.inf
        self._make(moves, made[cost[joined[source]] < -_GAIN])
        return -float(cost[cost < -_GAIN].sum())

    def _make(self, moves: Moves, made: Ints) -> None:
        block, people = moves.block[made], moves.people[made]
        np.add.at(self._load, moves.target[made], people)
        np.subtract.at(self._load, moves.source[made], people)
        self._bin_of[block] = moves.target[made]
        self._now[block] = self._price[moves.row[made]]

    def _balance_worst(self) -> bool:
        """Move whole tubes of people from the part with most too many to that with most too few."""
        part, active = self._parts.of, self._worth > 0
        now = np.bincount(part[active], self._load[active], minlength=len(self._parts.people))
        over = now - self._parts.people
        source, target = int(np.argmax(over)), int(np.argmin(over))
        left = int(min(over[source], -over[target]))
        moves = self._moves(np.inf)
        ends = np.array([source, target])
        moves = moves.where(np.isin(part[moves.source], ends) & np.isin(part[moves.target], ends))
        every = exchanges(moves, len(self._load))
        down = every.gain < 0
        giver, taker = np.where(down, every.high, every.low), np.where(down, every.low, every.high)
        gain = np.abs(every.gain)
        cost, rests = every.cost, self._rests()
        if rests.missed.any():
            cost = cost + rests.lost(giver, -gain) + rests.lost(taker, gain)
        good = (part[giver] == source) & (part[taker] == target) & (gain > 0) & (gain <= left)
        good &= (gain % self._pool == 0) & (cost < gain * self._worth[giver] / self._pool)
        some = np.flatnonzero(good)
        some = some[np.argsort(cost[some] / gain[some], kind="stable")]
        gone: set[int] = set()
        for at in some.tolist():
            made = np.array([m for m in (every.one[at], every.two[at]) if m >= 0])
            blocks = moves.block[made].tolist()
            room = self._bins.capacity[taker[at]] - self._load[taker[at]]
            if gain[at] <= min(left, room) and gone.isdisjoint(blocks):
                self._make(moves, made)
                gone.update(blocks)
                left -= int(gain[at])
        return bool(gone)

    def _write(self) -> None:
        """Move the blocks in their bins."""
        pairs = self._bins.pairs
        there = self._bin_of[pairs.block] == pairs.site
        moved = there & (self._bin_of != self._bins.bin_of)[pairs.block]
        for row in np.flatnonzero(moved).tolist():
            self._bins.move(int(pairs.block[row]), row)
