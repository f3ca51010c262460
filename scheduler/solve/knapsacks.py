"""Bins that whole blocks share, each with a cost that rises with its people.

At given prices of blocks every bin is a knapsack of its own: the set of blocks that is worth most
beyond walk and places is found exactly, by dynamic programming over the people in the bin.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from scheduler.domain.city import Flags, Floats, Ints
from scheduler.solve.candidates import Pairs

_FEW_BLOCKS = 8  # all of which are looked at sooner than settled
_ROUNDING = 1e-9


@dataclass(frozen=True)
class Knapsacks:
    """Who may go where at what cost, in person-minutes.

    ``pairs`` are (block, bin) sorted by block, ``cost[pair]`` is the walk of the whole block,
    ``people[block]``, ``upto[bin][n]`` the cost of the first ``n`` people in a bin: convex, and as
    long as the bin's room.
    """

    pairs: Pairs
    cost: Floats
    people: Ints
    upto: list[Floats]

    @cached_property
    def room(self) -> Ints:
        """People that each bin holds."""
        return np.array([len(u) - 1 for u in self.upto], dtype=np.int64)

    @cached_property
    def size(self) -> Ints:
        """People of each pair's block."""
        return self.people[self.pairs.block]

    @cached_property
    def rows(self) -> list[Ints]:
        """Rows of ``pairs`` that lead to each bin."""
        order = np.argsort(self.pairs.site, kind="stable")
        return np.split(
            order, np.searchsorted(self.pairs.site[order], np.arange(1, len(self.upto)))
        )

    def change(self, number: int, upto: Floats) -> None:
        """Let the first people of a bin cost something else, and its room be another one."""
        self.upto[number] = upto
        self.room[number] = len(upto) - 1

    def total(self, bin_of: Ints) -> float:
        """Return what the blocks in bins cost; ``bin_of[block]`` is -1 for those in none."""
        here = bin_of[self.pairs.block] == self.pairs.site
        load = np.bincount(
            self.pairs.site[here], weights=self.size[here], minlength=len(self.upto)
        ).astype(np.int64)
        places = sum(float(u[n]) for u, n in zip(self.upto, load.tolist(), strict=True))
        return float(self.cost[here].sum()) + places


def cost_upto(cost: Floats, room: Ints) -> Floats:
    """Return the cost of the first 0, 1, 2, ... people; ``room[slot]`` at ``cost[slot]`` each.

    Cheapest slots come first; those that cost infinitely much are not there.
    """
    known = np.flatnonzero(np.isfinite(cost) & (room > 0))
    order = known[np.argsort(cost[known], kind="stable")]
    total: Floats = np.concatenate(([0.0], np.cumsum(np.repeat(cost[order], room[order]))))
    return total


def best_set(size: Ints, value: Floats, upto: Floats) -> tuple[float, Ints]:
    """Return the most that blocks can be worth beyond ``upto``, and the positions of the best set.

    ``size`` and ``value`` are of the blocks. One whose value does not even pay for the cheapest
    places is not in it, for the costs are convex.
    """
    room = len(upto) - 1
    fits = np.flatnonzero(size <= room)
    some = fits[value[fits] > upto[size[fits]]]
    some = some[np.argsort(size[some], kind="stable")]
    is_sure, is_open = _settled(size[some], value[some], upto)
    sure, some = some[is_sure], some[is_open]
    inside = int(size[sure].sum())
    best, taken = best_sums(size[some], value[some], room - inside)
    profit = best - upto[inside:]
    people = int(np.argmax(profit))
    chosen = some[trace_back(size[some].tolist(), taken, people)]
    return float(profit[people] + value[sure].sum()), np.concatenate((sure, chosen))


def _settled(size: Ints, value: Floats, upto: Floats) -> tuple[Flags, Flags]:
    """Return which blocks are in every best set, and which are in some only.

    At a price of a place, what blocks are worth beyond it and what places cost less is no less than
    any set is worth; a block that changes it by more than a known set lies below it is settled
    (Dantzig 1957, doi 10.1287/opre.5.2.266).
    """
    every = np.ones(len(size), dtype=bool)
    if len(size) < _FEW_BLOCKS:
        return ~every, every
    density = value / size
    order = np.argsort(-density, kind="stable")
    people = np.cumsum(size[order])
    fit = int(np.searchsorted(people, len(upto)))
    known = np.cumsum(value[order[:fit]]) - upto[people[:fit]]
    at = int(np.argmax(known))
    price = float(density[order[min(at + 1, len(order) - 1)]])
    beyond = value - price * size
    places = np.searchsorted(np.diff(upto), price)
    most = float(np.maximum(beyond, 0).sum()) + price * places - float(upto[places])
    slack = most - float(known[at]) + _ROUNDING * (1 + abs(most))
    return beyond > slack, np.abs(beyond) <= slack


def best_sums(size: Ints, value: Floats, most: int) -> tuple[Floats, list[Flags]]:
    """Return the most that blocks of every sum of people up to ``most`` are worth.

    -inf where no blocks make up the sum; with it goes what ``trace_back`` asks for.
    """
    best = np.full(most + 1, -np.inf)
    best[0] = 0.0
    taken: list[Flags] = []
    top = 0
    for people, worth in zip(size.tolist(), value.tolist(), strict=True):
        top = min(most, top + people)
        now = best[people : top + 1]
        new = best[: max(0, top + 1 - people)] + worth
        taken.append(new > now)
        np.maximum(now, new, out=now)
    return best, taken


def trace_back(size: list[int], taken: list[Flags], people: int) -> list[int]:
    """Return the positions of the blocks that make up a sum of people.

    ``taken[at][n]`` tells whether a block of ``size[at]`` came to a sum of ``n`` before it.
    """
    chosen = []
    for at in range(len(size) - 1, -1, -1):
        before = people - size[at]
        if 0 <= before < len(taken[at]) and taken[at][before]:
            chosen.append(at)
            people = before
    return chosen[::-1]
