"""The cheapest way for rests to meet in full tubes, against all ways."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from scheduler.domain.city import Floats, Ints
from scheduler.solve.tube_tree import Tree, best_rests, spanning_tree

POOL = 3


def _links(rng: np.random.Generator, bins: int, share: float) -> tuple[Ints, Floats]:
    """Return random links and costs; some rests cannot be passed along them."""
    ends = np.array(np.triu_indices(bins, 1)).T
    ends = ends[rng.random(len(ends)) < share]
    cost = rng.integers(1, 40, (len(ends), POOL)).astype(np.float64)
    cost[rng.random(cost.shape) < 0.3] = np.inf
    cost[:, 0] = -rng.integers(0, 2, len(ends))
    return ends, cost


def _cost(
    tree: Tree, ends: Ints, cost: Floats, rest: Ints, worth: Floats, passed: tuple[int, ...]
) -> float:
    """Return what it costs that every bin passes on what ``passed`` says."""
    total, held = 0.0, rest.copy()
    for number, (parent, some) in enumerate(zip(tree.parent.tolist(), passed, strict=True)):
        if parent < 0:
            total += np.inf if some else 0.0
            continue
        link = tree.link[number]
        total += cost[link, some if ends[link, 0] == number else -some % POOL]
        held[number] -= some
        held[parent] += some
    return total + float((-held % POOL / POOL * worth).sum())


@pytest.mark.parametrize("seed", range(40))
def test_rests_are_passed_on_at_least_cost(seed: int) -> None:
    """No other way to pass rests along the tree costs less, walks and empty places together."""
    rng = np.random.default_rng(seed)
    bins = int(rng.integers(1, 7))
    ends, cost = _links(rng, bins, 0.7)
    tree = spanning_tree(bins, ends, rng.random(len(ends)))
    rest, worth = rng.integers(0, POOL, bins), rng.integers(0, 90, bins).astype(np.float64)
    passed = best_rests(tree, cost, rest, worth)
    known = (tree, ends, cost, rest, worth)
    least = min(_cost(*known, way) for way in product(range(POOL), repeat=bins))
    assert _cost(*known, tuple(passed.tolist())) == pytest.approx(least)


@pytest.mark.parametrize("seed", range(20))
def test_the_tree_joins_what_links_join(seed: int) -> None:
    """Bins joined by links have one root, and each bin's link leads to its parent."""
    rng = np.random.default_rng(seed)
    ends, _ = _links(rng, 7, 0.3)
    tree = spanning_tree(7, ends, rng.random(len(ends)))
    for number, (parent, link) in enumerate(zip(tree.parent, tree.link, strict=True)):
        assert (parent < 0) == (link < 0)
        if parent >= 0:
            assert sorted((number, int(parent))) == ends[link].tolist()
            assert bool(tree.turned[number]) == (ends[link, 0] == parent)
    roots = [_root(tree, number) for number in range(7)]
    assert all(roots[a] == roots[b] for a, b in ends.tolist())


@pytest.mark.parametrize("seed", range(20))
def test_levels_hold_every_bin_once_children_before_parents(seed: int) -> None:
    """No two bins of a part have one parent, and parents come in the level after."""
    rng = np.random.default_rng(seed)
    ends, _ = _links(rng, 9, 0.3)
    tree = spanning_tree(9, ends, rng.random(len(ends)))
    depth: dict[int, int] = {}
    for at, level in enumerate(tree.levels):
        for part in level:
            parents = [int(p) for p in tree.parent[part] if p >= 0]
            assert len(parents) == len(set(parents))
            depth |= dict.fromkeys(part.tolist(), at)
    assert sorted(depth) == list(range(9))
    assert all(p < 0 or depth[p] == depth[b] + 1 for b, p in enumerate(tree.parent.tolist()))
    assert sorted(tree.upwards().tolist()) == sorted(k for k in tree.link.tolist() if k >= 0)


@pytest.mark.parametrize("seed", range(10))
def test_what_passes_along_a_link_is_counted_from_its_first_end(seed: int) -> None:
    """A rest passed up a turned link is its opposite along it; links not in the tree have -1."""
    rng = np.random.default_rng(seed)
    ends, _ = _links(rng, 8, 0.6)
    tree = spanning_tree(8, ends, rng.random(len(ends)))
    passed = rng.integers(0, POOL, 8)
    along = tree.along(passed, POOL, len(ends))
    for link, rest in enumerate(along.tolist()):
        below = np.flatnonzero(tree.link == link)
        if not len(below):
            assert rest == -1
        else:
            sign = 1 if ends[link, 0] == below[0] else -1
            assert rest == sign * passed[below[0]] % POOL


def _root(tree: Tree, number: int) -> int:
    while tree.parent[number] >= 0:
        number = int(tree.parent[number])
    return number
