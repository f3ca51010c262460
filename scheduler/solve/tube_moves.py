"""Blocks that may change bins, and which of them together pass rests of tubes on.

Two ways to choose among them along a tree of links between bins (``tube_tree``). In one each link
has one exchange at most: a block, or two that change places. In the other each block has one link
along which it may go, and any number of blocks may go along a link: of those the cheapest that pass
a rest on are a knapsack modulo the pool size. What the second finds is exact but for rooms; the
first may want a block twice, and takes the next best then.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from scheduler.domain.city import Flags, Floats, Ints
from scheduler.domain.ranges import ranges
from scheduler.solve.tube_tree import best_rests, spanning_tree

_NOTHING = 1e-6  # person-minutes
_MOST_ON_A_LINK = 24  # blocks, the cheapest


@dataclass(frozen=True)
class Moves:
    """Columns sorted by ``source``, then ``target``: what a ``block`` of ``people`` may do.

    ``cost`` is what its people pay more there, in person-minutes; ``row`` is the way's number.
    """

    row: Ints
    block: Ints
    source: Ints
    target: Ints
    people: Ints
    cost: Floats

    def where(self, keep: Flags) -> Moves:
        """Return the moves that are kept."""
        return Moves(
            self.row[keep], self.block[keep], self.source[keep], self.target[keep],
            self.people[keep], self.cost[keep],
        )  # fmt: skip


@dataclass(frozen=True)
class Rests:
    """The bins: ``rest[bin]`` of the people in full tubes of ``pool``, ``worth[bin]`` of a tube.

    ``room[bin]`` are people that still fit in, ``shift[bin]`` is what a person costs who changes to
    another ``part[bin]`` of the round. ``spare[bin]`` are people beyond those whose places are
    worth more than others (below 0: some are missing), ``missed[bin]`` is what each of those costs.
    """

    rest: Ints
    room: Ints
    worth: Floats
    pool: int
    part: Ints
    shift: Floats
    spare: Ints
    missed: Floats

    def lost(self, number: Ints, more: Ints) -> Floats:
        """Return what bins that gain so many people lose by those that are missing there."""
        now, then = (np.maximum(-s, 0) for s in (self.spare[number], self.spare[number] + more))
        lost: Floats = (then - now) * self.missed[number]
        return lost


@dataclass(frozen=True)
class Exchanges:
    """Columns: move ``one`` and the move ``two`` back (-1: none) between bins ``low`` < ``high``.

    ``gain`` are the people that the higher bin gains, ``cost`` is in person-minutes.
    """

    one: Ints
    two: Ints
    low: Ints
    high: Ints
    gain: Ints
    cost: Floats


def exchanges(moves: Moves, num_bins: int) -> Exchanges:
    """Return all moves of one block, and all pairs of moves with which two change places."""
    source, target = moves.source, moves.target
    key, up = source * num_bins + target, np.flatnonzero(source < target)
    back = target[up] * num_bins + source[up]
    first, end = np.searchsorted(key, back), np.searchsorted(key, back, side="right")
    there, then = np.repeat(up, end - first), ranges(first, end)
    one = np.r_[np.arange(len(key)), there]
    two = np.r_[np.full(len(key), -1), then]
    people = moves.people
    gain = np.r_[np.where(source < target, people, -people), people[there] - people[then]]
    cost = np.r_[moves.cost, moves.cost[there] + moves.cost[then]]
    low, high = np.minimum(source, target)[one], np.maximum(source, target)[one]
    return Exchanges(one, two, low, high, gain, cost)


def swapped(moves: Moves, bins: Rests, noise: Floats | None) -> Ints:
    """Return the moves of the best exchanges, one at most for each link of a tree.

    ``noise[low * bins + high]`` changes the tree, none does not.
    """
    size, pool, dear = len(bins.rest), bins.pool, float(bins.worth.max())
    every = exchanges(moves, size)
    away = bins.part[every.low] != bins.part[every.high]
    cost = every.cost + np.where(away, np.abs(every.gain) * bins.shift[every.low], 0)
    if bins.missed.any():
        cost = cost + bins.lost(every.low, -every.gain) + bins.lost(every.high, every.gain)
    good = np.flatnonzero(cost < dear)
    key = (every.low * size + every.high)[good] * pool + every.gain[good] % pool
    order = np.lexsort((cost[good], key))
    good, key = good[order], key[order]
    distinct, first = np.unique(key, return_index=True)
    links, which = np.unique(distinct // pool, return_inverse=True)
    table = np.full((len(links), pool), np.inf)
    table[which, distinct % pool] = cost[good[first]]
    idle = table[:, 0] > -_NOTHING
    table[idle, 0] = 0.0
    weight = np.minimum(table[:, 1:], dear).mean(axis=1)
    if noise is not None:
        weight *= np.exp(noise[: len(weight)])
    tree = spanning_tree(size, np.column_stack(np.divmod(links, size)), weight)
    wanted = tree.along(best_rests(tree, table, bins.rest, bins.worth), pool, len(links))
    some = tree.upwards()
    some = some[(wanted[some] > 0) | (wanted[some] == 0) & ~idle[some]]
    asked = links[some] * pool + wanted[some]
    ends = (np.searchsorted(key, asked), np.searchsorted(key, asked, side="right"))
    return _cheapest_left(moves, every, bins.room, [good[a:b] for a, b in zip(*ends, strict=True)])


def _cheapest_left(moves: Moves, every: Exchanges, room: Ints, asked: list[Ints]) -> Ints:
    """Return the moves of one exchange of each list, the first that fits and moves no block again.

    ``room[bin]`` are people that still fit in.
    """
    gone: set[int] = set()
    kept: list[int] = []
    left = room.tolist()
    for choices in asked:
        for at in choices.tolist():
            low, high, gain = int(every.low[at]), int(every.high[at]), int(every.gain[at])
            some = [move for move in (int(every.one[at]), int(every.two[at])) if move >= 0]
            blocks = moves.block[some].tolist()
            if gain <= left[high] and -gain <= left[low] and gone.isdisjoint(blocks):
                left[high] -= gain
                left[low] += gain
                gone.update(blocks)
                kept += some
                break
    return np.array(kept, dtype=np.int64)


def allotted(moves: Moves, bins: Rests, usual: float, rng: np.random.Generator) -> Ints:
    """Return the best moves where each block has one link of a tree along which it may go.

    Tree and links are drawn at random, where moves cost little most likely; ``usual`` is what a
    cheap one costs. Bins of different parts have no links.
    """
    size, pool = len(bins.rest), bins.pool
    if bins.missed.any():
        lost = bins.lost(moves.source, -moves.people) + bins.lost(moves.target, moves.people)
        moves = replace(moves, cost=moves.cost + lost)
    moves_at = np.flatnonzero(bins.part[moves.source] == bins.part[moves.target])
    low = np.minimum(moves.source, moves.target)[moves_at]
    high = np.maximum(moves.source, moves.target)[moves_at]
    links, link = np.unique(low * size + high, return_inverse=True)
    ends = np.column_stack(np.divmod(links, size))
    ease = np.bincount(link, np.exp(-np.maximum(moves.cost[moves_at], 0) / usual))
    tree = spanning_tree(size, ends, rng.gumbel(size=len(links)) - np.log(ease + _NOTHING))
    inside = np.isin(link, tree.link)
    moves_at, link = moves_at[inside], link[inside]
    lot = moves.cost[moves_at] / usual - rng.gumbel(size=len(link))
    order = np.lexsort((lot, moves.block[moves_at]))
    _, first = np.unique(moves.block[moves_at[order]], return_index=True)
    mine = order[first]
    mine = mine[np.lexsort((moves.cost[moves_at[mine]], link[mine]))]
    moves_at, link = moves_at[mine], link[mine]
    people = moves.people[moves_at]
    rest = np.where(moves.source[moves_at] < moves.target[moves_at], people, -people) % pool
    sacks = _Sacks(link, rest, moves.cost[moves_at], len(links), pool)
    passed = best_rests(tree, sacks.cost, bins.rest, bins.worth)
    return moves_at[sacks.chosen(tree.along(passed, pool, len(links)))]


class _Sacks:
    """Knapsacks modulo the pool size, one for each link: ``cost[link, rest]``.

    Items are sorted by ``link``, cheapest first; ``rest[item]`` is passed on for ``price[item]``.
    """

    def __init__(self, link: Ints, rest: Ints, price: Floats, num_links: int, pool: int) -> None:
        self._link, self._rest, self._pool = link, rest, pool
        self.cost = np.full((num_links, pool), np.inf)
        self.cost[:, 0] = 0.0
        self._steps: list[tuple[Ints, Flags]] = []
        rank = np.arange(len(link)) - np.searchsorted(link, link)
        steps = np.arange(pool)
        for number in range(min(_MOST_ON_A_LINK, int(rank.max(initial=-1)) + 1)):
            items = np.flatnonzero(rank == number)
            now = self.cost[link[items]]
            before = (steps - rest[items, None]) % pool
            new = np.take_along_axis(now, before, axis=1) + price[items, None]
            self._steps.append((items, new < now))
            self.cost[link[items]] = np.minimum(now, new)

    def chosen(self, wanted: Ints) -> Ints:
        """Return the items that pass ``wanted[link]`` on at least cost, -1: a link not used."""
        left, found = wanted.copy(), [np.empty(0, dtype=np.int64)]
        for items, taken in reversed(self._steps):
            at = left[self._link[items]]
            some = items[taken[np.arange(len(items)), at] & (at >= 0)]
            left[self._link[some]] = (left[self._link[some]] - self._rest[some]) % self._pool
            found.append(some)
        return np.concatenate(found)
