"""Whole tubes by one exact choice over the whole city.

Only the rest of a bin's people divided by the pool size decides how many places of its last tube
stay empty. A block that changes bins passes some of that rest on, so rests can travel from bin to
bin until they meet in full tubes. Over a tree of links between bins the cheapest way of all is
found exactly: what each bin passes on to its parent is one of ``pool`` numbers, and dynamic
programming from the leaves up tries all of them, a level of the tree at a time.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import (
    breadth_first_order,
    connected_components,
    minimum_spanning_tree,
)

from scheduler.domain.city import Flags, Floats, Ints


@dataclass(frozen=True)
class Tree:
    """A spanning forest: ``parent[bin]`` and the ``link[bin]`` to it, both -1 for a root.

    ``turned[bin]`` tells that the link's first end is the parent. ``levels`` are the bins by depth,
    deepest first, each level in parts in which no two have the same parent.
    """

    parent: Ints
    link: Ints
    turned: Flags
    levels: list[list[Ints]]

    def upward(self, cost: Floats) -> Floats:
        """Return ``[bin, rest]``, what passing on to the parent costs, of ``cost[link, rest]``."""
        up = np.full((len(self.parent), cost.shape[1]), np.inf)
        up[:, 0] = 0.0
        some = np.flatnonzero(self.link >= 0)
        mine = cost[self.link[some]]
        up[some] = np.where(self.turned[some, None], np.roll(mine[:, ::-1], 1, axis=1), mine)
        return up

    def upwards(self) -> Ints:
        """Return all links that are in the forest, deepest first."""
        every = [np.empty(0, dtype=np.int64), *(p for level in self.levels[:-1] for p in level)]
        links: Ints = self.link[np.concatenate(every)]
        return links

    def along(self, passed: Ints, pool: int, num_links: int) -> Ints:
        """Return what passes along each link from its first end to its second, -1: not used."""
        rest = np.full(num_links, -1, dtype=np.int64)
        some = np.flatnonzero(self.link >= 0)
        rest[self.link[some]] = np.where(self.turned[some], -passed[some] % pool, passed[some])
        return rest


def spanning_tree(num_bins: int, ends: Ints, weight: Floats) -> Tree:
    """Return the forest of least weight; ``ends[link]`` are two bins in order, sorted."""
    one, two = ends.T
    # an edge of weight 0 would be none
    forest = minimum_spanning_tree(
        csr_matrix((weight - weight.min(initial=0) + 1, (one, two)), (num_bins, num_bins))
    )
    found = forest.tocoo()
    wanted = found.row.astype(np.int64) * num_bins + found.col
    at = np.searchsorted(one * num_bins + two, wanted)
    _, part = connected_components(forest, directed=False)
    _, first = np.unique(part, return_index=True)
    top = np.full(len(first), num_bins)  # a bin above all parts, for one search through all
    linked = csr_matrix((np.ones(len(at) + len(first)),
                         (np.r_[one[at], top], np.r_[two[at], first])),
                        (num_bins + 1, num_bins + 1))  # fmt: skip
    order, above = breadth_first_order(linked, num_bins, directed=False)
    parent = np.where(above[:num_bins] == num_bins, -1, above[:num_bins]).astype(np.int64)
    turned = np.zeros(num_bins, dtype=bool)
    link = np.full(num_bins, -1, dtype=np.int64)
    up = parent[one[at]] == two[at]
    link[np.where(up, one[at], two[at])] = at
    turned[two[at[~up]]] = True
    return Tree(parent, link, turned, _levels(order[1:].astype(np.int64), parent))


def _levels(order: Ints, parent: Ints) -> list[list[Ints]]:
    """Return the levels of a forest; ``order`` lists parents before their children."""
    depth, rank, children = ([0] * len(parent) for _ in range(3))
    above = parent.tolist()
    for number in order.tolist():
        if above[number] >= 0:
            depth[number] = depth[above[number]] + 1
            rank[number] = children[above[number]]
            children[above[number]] += 1
    place = np.array([depth, rank], dtype=np.int64).T
    parts: dict[int, list[Ints]] = {}
    keys, which = np.unique(place, axis=0, return_inverse=True)
    members = np.argsort(which.reshape(-1), kind="stable")
    ends = np.cumsum(np.bincount(which.reshape(-1), minlength=len(keys)))
    for (level, _), some in zip(keys.tolist(), np.split(members, ends[:-1]), strict=True):
        parts.setdefault(level, []).append(some)
    roots = parts.get(0, [])
    return [parts[level] for level in sorted(parts, reverse=True) if level] + [roots]


def best_rests(tree: Tree, cost: Floats, rest: Ints, worth: Floats) -> Ints:
    """Return what each bin passes on to its parent, modulo the pool size, at least cost.

    ``cost[link, rest]`` is of a rest, modulo the pool size, passed from the link's first end to its
    second, inf where nothing does it. ``rest[bin]`` are its people modulo the pool size,
    ``worth[bin]`` what a tube costs: each place in it that stays empty counts its share.
    """
    pool, size = cost.shape[1], len(rest)
    steps = np.arange(pool)
    minus = (steps[:, None] - steps[None, :]) % pool  # [a, b]: a - b
    empty = ((-steps) % pool / pool)[minus]
    upward = tree.upward(cost)
    known = np.full((size, pool), np.inf)  # what bins hold with all their children passed on
    known[np.arange(size), rest] = 0.0
    holds = np.zeros((size, pool), dtype=np.int64)  # [bin, passed on]: what it holds before
    gave = np.zeros((size, pool), dtype=np.int64)  # [child, parent holds]: what it passed on
    for level in tree.levels:
        for some in level:
            total = known[some][:, :, None] + worth[some, None, None] * empty
            holds[some] = np.argmin(total, axis=1)
            parent = tree.parent[some]
            if len(some) and parent[0] >= 0:
                joined = known[parent][:, minus] + (total.min(axis=1) + upward[some])[:, None, :]
                gave[some] = np.argmin(joined, axis=2)
                known[parent] = joined.min(axis=2)
    return _read_back(tree, holds, gave, minus)


def _read_back(tree: Tree, holds: Ints, gave: Ints, minus: Ints) -> Ints:
    """Follow the choices from the roots down."""
    passed = np.zeros(len(holds), dtype=np.int64)
    inside = holds[:, 0].copy()
    for level in tree.levels[-2::-1]:
        for some in reversed(level):  # those joined last are read first
            parent = tree.parent[some]
            passed[some] = gave[some, inside[parent]]
            inside[parent] = minus[inside[parent], passed[some]]
        for some in level:
            inside[some] = holds[some, passed[some]]
    return passed
