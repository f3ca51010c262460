"""Whole tubes everywhere, where a tube is dear.

A bin, a site or one of its runs, whose people are no multiple of the pool size ends with a
part-filled tube, and each counts as a whole one at a lab. Where labs are what the round lacks,
somebody is late for it; so blocks change places until tubes are full, as long as the walk costs
less than the tube. Which swaps do that at least cost in all is found along a tree of cheap swaps
(``tube_tree``), then along others for what the swaps of the first have taken from each other.
Labs wait for so many people each day: in the end swaps of whole tubes give each day its own again.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scheduler.domain.city import Floats, Ints
from scheduler.solve.bins import Bins, Swaps
from scheduler.solve.tube_tree import Edges, best_rests, spanning_tree

_TURNS = 6
_WORTH = 1.0  # person-minutes below which nothing is moved
_SHIFT = 0.02
"""Share of its place in a tube that a person costs who changes to another part of the round."""
_PAIRS_OF_PARTS = 12  # that are balanced, worst first


@dataclass(frozen=True)
class Parts:
    """Parts of the round, days say: ``of[bin]`` numbers them, ``people[part]`` labs wait for."""

    of: Ints
    people: Floats


class TubeFiller:
    """Swaps blocks between bins to need fewer tubes.

    ``worth[bin]`` is what a tube costs there, 0 where nothing is moved.
    """

    def __init__(self, bins: Bins, pool: int, worth: Floats, parts: Parts | None = None) -> None:
        self._bins, self._pool, self._worth = bins, pool, worth
        self._parts = parts or Parts(np.zeros(len(worth), dtype=np.int64), np.zeros(1))
        self._balance = parts is not None

    def run(self) -> None:
        """Make the swaps that save most, for a few turns over all bins."""
        before = None
        for _ in range(_TURNS):
            rest = self._bins.load % self._pool
            num_empty = int((-rest[self._worth > 0] % self._pool).sum())
            if num_empty < self._pool or num_empty == before:
                break
            before = num_empty
            edges = self._edges()
            tree = spanning_tree(len(rest), edges, float(self._worth.max()))
            passed = best_rests(tree, rest, self._worth)
            for number in tree.order:
                if passed[number]:
                    self._pass_on(number, tree.parent[number], passed[number])
        for number in np.flatnonzero(self._worth > 0).tolist():
            self._cheapen(number)
        if self._balance:
            for _ in range(_PAIRS_OF_PARTS):
                if not self._balance_worst():
                    break

    def _edges(self) -> Edges:
        """Return the cheapest swaps between all pairs of bins, by the rest that they pass on."""
        size, pool = len(self._worth), self._pool
        keys, costs = [np.empty(0, dtype=np.int64)], [np.empty(0)]
        for number in np.flatnonzero(self._worth > 0).tolist():
            swaps, target, cost = self._swaps(number)
            turned = target < number
            rest = np.where(turned, -swaps.gain, swaps.gain) % pool
            pair = np.where(turned, target * size + number, number * size + target)
            good = np.isfinite(cost)
            keys.append((pair * pool + rest)[good])
            costs.append(cost[good])
        key, cost = np.concatenate(keys), np.concatenate(costs)
        order = np.lexsort((cost, key))
        key, first = np.unique(key[order], return_index=True)
        pairs, which = np.unique(key // pool, return_inverse=True)
        table = np.full((len(pairs), pool), np.inf)
        table[which, key % pool] = cost[order][first]
        return Edges(np.column_stack(np.divmod(pairs, size)), table)

    def _swaps(self, number: int) -> tuple[Swaps, Ints, Floats]:
        """Return a bin's swaps, the other bin of each and its cost, inf where it does not fit."""
        bins, part = self._bins, self._parts.of
        swaps = bins.swaps(number, bins.inside(number))
        target = bins.pairs.site[swaps.out]
        good = swaps.fits & (swaps.gain >= -bins.room(number)) & (self._worth[target] > 0)
        moved = np.where(part[target] == part[number], 0, np.abs(swaps.gain))
        cost = swaps.cost + moved * self._worth[number] / self._pool * _SHIFT
        return swaps, target, np.where(good, cost, np.inf)

    def _pass_on(self, number: int, parent: int, rest: int) -> None:
        """Make the cheapest swap that passes a rest from a bin to its parent, if it is worth it."""
        best: tuple[float, Swaps, int] | None = None
        for here, there, wanted in ((number, parent, rest), (parent, number, self._pool - rest)):
            swaps, target, cost = self._swaps(here)
            good = (target == there) & (swaps.gain % self._pool == wanted)
            cost = np.where(good, cost, np.inf)
            at = int(np.argmin(cost)) if len(cost) else -1
            if at >= 0 and cost[at] < (best[0] if best else self._worth[number]):
                best = (float(cost[at]), swaps, at)
        if best:
            self._bins.swap(best[1], best[2])

    def _cheapen(self, number: int) -> None:
        """Make the swap of whole tubes that saves most walking, if any does."""
        swaps, _, cost = self._swaps(number)
        cost = np.where(swaps.gain % self._pool == 0, cost, np.inf)
        at = int(np.argmin(cost)) if len(cost) else -1
        if at >= 0 and cost[at] < -_WORTH:
            self._bins.swap(swaps, at)

    def _balance_worst(self) -> bool:
        """Move whole tubes of people from the part with most too many to that with most too few."""
        part, active = self._parts.of, self._worth > 0
        now = np.bincount(part[active], self._bins.load[active], minlength=len(self._parts.people))
        over = now - self._parts.people
        source, target = int(np.argmax(over)), int(np.argmin(over))
        left = int(min(over[source], -over[target]))
        rows = self._between(np.flatnonzero((part == source) & active), target, left)
        moved = False
        for gain, number, give, take in rows:
            if gain > left:
                continue
            swaps, to, cost = self._swaps(number)
            out = self._bins.pairs.block[swaps.out]
            back = np.where(swaps.back >= 0, self._bins.pairs.block[swaps.back], -1)
            good = (out == give) & (back == take) & (part[to] == target) & (swaps.gain == gain)
            good &= cost < gain * self._worth[number] / self._pool
            if good.any():
                self._bins.swap(swaps, int(np.argmin(np.where(good, cost, np.inf))))
                left -= gain
                moved = True
        return moved

    def _between(self, source: Ints, target: int, most: int) -> list[tuple[int, int, int, int]]:
        """Return swaps of whole tubes into a part: people, bin, block given, block taken or -1.

        Those that move most people for their cost come first.
        """
        found: list[tuple[float, int, int, int, int]] = []
        block = self._bins.pairs.block
        for number in source.tolist():
            swaps, to, cost = self._swaps(number)
            gain = swaps.gain
            good = (self._parts.of[to] == target) & (gain > 0) & (gain <= most)
            good &= (gain % self._pool == 0) & (cost < gain * self._worth[number] / self._pool)
            for at in np.flatnonzero(good).tolist():
                taken = int(block[swaps.back[at]]) if swaps.back[at] >= 0 else -1
                found.append((cost[at] / gain[at], int(gain[at]), number,
                              int(block[swaps.out[at]]), taken))  # fmt: skip
        return [row[1:] for row in sorted(found)]
