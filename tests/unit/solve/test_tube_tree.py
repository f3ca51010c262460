"""The cheapest way for rests to meet in full tubes, against all ways."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from scheduler.domain.city import Floats, Ints
from scheduler.solve.tube_tree import Edges, Tree, best_rests, spanning_tree

POOL = 3


def _edges(rng: np.random.Generator, bins: int, share: float) -> Edges:
    """Return random edges; some rests cannot be passed along them."""
    ends = np.array(np.triu_indices(bins, 1)).T
    ends = ends[rng.random(len(ends)) < share]
    cost = rng.integers(1, 40, (len(ends), POOL)).astype(np.float64)
    cost[rng.random(cost.shape) < 0.3] = np.inf
    return Edges(ends, cost)


def _cost(tree: Tree, rest: Ints, worth: Floats, passed: tuple[int, ...]) -> float:
    """Return what it costs that every bin passes on what ``passed`` says."""
    total, held = 0.0, rest.copy()
    for number, (parent, some) in enumerate(zip(tree.parent, passed, strict=True)):
        if some and parent < 0:
            return np.inf
        total += tree.cost[number, some]
        held[number] -= some
        if parent >= 0:
            held[parent] += some
    return total + float((-held % POOL / POOL * worth).sum())


@pytest.mark.parametrize("seed", range(40))
def test_rests_are_passed_on_at_least_cost(seed: int) -> None:
    """No other way to pass rests along the tree costs less, walks and empty places together."""
    rng = np.random.default_rng(seed)
    bins = int(rng.integers(1, 7))
    tree = spanning_tree(bins, _edges(rng, bins, 0.7), 50.0)
    rest, worth = rng.integers(0, POOL, bins), rng.integers(0, 90, bins).astype(np.float64)
    passed = best_rests(tree, rest, worth)
    least = min(_cost(tree, rest, worth, way) for way in product(range(POOL), repeat=bins))
    assert _cost(tree, rest, worth, tuple(passed)) == pytest.approx(least)


@pytest.mark.parametrize("seed", range(20))
def test_the_tree_joins_what_edges_join_and_turns_costs_with_them(seed: int) -> None:
    """Bins joined by edges have one root; a rest passed up is its opposite passed down."""
    rng = np.random.default_rng(seed)
    edges = _edges(rng, 7, 0.3)
    tree = spanning_tree(7, edges, 50.0)
    assert sorted(tree.order) == list(range(7))
    place = {number: at for at, number in enumerate(tree.order)}
    known = {(a, b): cost for (a, b), cost in zip(edges.ends.tolist(), edges.cost, strict=True)}
    for number, parent in enumerate(tree.parent):
        if parent < 0:
            continue
        assert place[number] < place[parent]
        for some in range(1, POOL):
            there, back = known.get((number, parent)), known.get((parent, number))
            cost = there[some] if there is not None else back[-some % POOL]  # type: ignore[index]
            assert tree.cost[number, some] == cost
    roots = [_root(tree, number) for number in range(7)]
    assert all(roots[a] == roots[b] for a, b in edges.ends.tolist())


def _root(tree: Tree, number: int) -> int:
    while tree.parent[number] >= 0:
        number = tree.parent[number]
    return number
