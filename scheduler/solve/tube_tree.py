"""Whole tubes everywhere by one exact choice over the whole city.

Only the rest of a bin's people divided by the pool size decides how many places of its last tube
stay empty. Swapping a block for one of another bin passes some of that rest on, so rests can travel
from bin to bin until they meet in full tubes. Over a tree of cheap swaps the cheapest way of all is
found exactly: what each bin passes on to its parent is one of ``pool`` numbers, and dynamic
programming from the leaves up tries all of them.
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

from scheduler.domain.city import Floats, Ints


@dataclass(frozen=True)
class Edges:
    """Pairs of bins: ``ends[edge]`` are two bins in order, sorted; ``cost[edge, rest]``.

    A rest, modulo the pool size, is passed from the first to the second; inf where no swap does it.
    """

    ends: Ints
    cost: Floats


@dataclass(frozen=True)
class Tree:
    """A spanning forest, leaves first: ``order``, ``parent[bin]`` (-1: none), ``cost[bin, rest]``.

    ``cost`` is that of passing a rest on to the parent.
    """

    order: list[int]
    parent: list[int]
    cost: Floats


def spanning_tree(num_bins: int, edges: Edges, dear: float) -> Tree:
    """Return a forest of edges that pass any rest on cheaply; ``dear`` caps what one counts."""
    weight = np.minimum(edges.cost[:, 1:], dear).mean(axis=1)
    one, two = edges.ends.T
    shape = (num_bins, num_bins)
    # an edge of weight 0 would be none
    forest = minimum_spanning_tree(
        csr_matrix((weight - weight.min(initial=0) + 1, (one, two)), shape)
    )
    found = forest.tocoo()
    at = np.searchsorted(one * num_bins + two, found.row * num_bins + found.col)
    _, part = connected_components(forest, directed=False)
    _, first = np.unique(part, return_index=True)
    top = np.full(len(first), num_bins)  # a bin above all parts, for one search through all
    linked = csr_matrix((np.ones(len(at) + len(first)),
                         (np.r_[one[at], top], np.r_[two[at], first])),
                        (num_bins + 1, num_bins + 1))  # fmt: skip
    order, parent = breadth_first_order(linked, num_bins, directed=False)
    cost = np.full((num_bins, edges.cost.shape[1]), np.inf)
    up = parent[one[at]] == two[at]
    cost[one[at[up]]] = edges.cost[at[up]]
    cost[two[at[~up]]] = _turned(edges.cost[at[~up]])
    cost[:, 0] = 0
    above = np.where(parent[:num_bins] == num_bins, -1, parent[:num_bins])
    return Tree(order[:0:-1].tolist(), above.tolist(), cost)


def _turned(cost: Floats) -> Floats:
    """Return the costs of passing rests on in the other direction."""
    turned: Floats = np.roll(cost[:, ::-1], 1, axis=1)
    return turned


def best_rests(tree: Tree, rest: Ints, worth: Floats) -> list[int]:
    """Return what each bin passes on to its parent, modulo the pool size, at least cost.

    ``rest[bin]`` are its people modulo the pool size, ``worth[bin]`` what a tube costs: each place
    in it that stays empty counts its share.
    """
    pool = tree.cost.shape[1]
    steps = np.arange(pool)
    minus = (steps[:, None] - steps[None, :]) % pool  # [a, b]: a - b
    empty = (-steps) % pool / pool
    known = np.full((len(rest), pool), np.inf)  # what bins hold with all their children passed on
    known[np.arange(len(rest)), rest] = 0.0
    holds = np.zeros((len(rest), pool), dtype=np.int64)  # [bin, passed on]: what it holds before
    gave = np.zeros((len(rest), pool), dtype=np.int64)  # [child, parent holds]: what it passed on
    for number in tree.order:
        total = known[number][:, None] + (worth[number] * empty)[minus]  # [holds, passed on]
        holds[number] = np.argmin(total, axis=0)
        up = total[holds[number], steps] + tree.cost[number]
        parent = tree.parent[number]
        if parent >= 0:
            joined = known[parent][minus] + up[None, :]  # [parent holds, passed on]
            gave[number] = np.argmin(joined, axis=1)
            known[parent] = joined[steps, gave[number]]
    return _read_back(tree, holds, gave, minus)


def _read_back(tree: Tree, holds: Ints, gave: Ints, minus: Ints) -> list[int]:
    """Follow the choices from the roots down."""
    passed = [0] * len(tree.order)
    children: list[list[int]] = [[] for _ in tree.order]
    for number in tree.order:  # in the order in which they were joined
        if tree.parent[number] >= 0:
            children[tree.parent[number]].append(number)
    for number in reversed(tree.order):
        inside = int(holds[number, passed[number]])
        for child in reversed(children[number]):
            passed[child] = int(gave[child, inside])
            inside = int(minus[inside, passed[child]])
    return passed
