"""The dual of a community's choice of sites: a bound, and a close one."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from scheduler.solve.candidates import Pairs
from scheduler.solve.split_bound import raised_costs


def cheapest(cost: np.ndarray, most: np.ndarray, weight: float) -> float:
    """Return the least cost over all choices of a site (or none) for each block."""
    blocks, sites = cost.shape
    best = np.inf
    for choice in product(range(sites + 1), repeat=blocks):
        total = sum(most[b] if s == sites else cost[b, s] for b, s in enumerate(choice))
        used = len({s for s in choice if s < sites})
        best = min(best, total + weight * max(0, used - 1))
    return float(best)


@pytest.mark.parametrize("seed", range(30))
def test_the_bound_of_a_community_is_one(seed: int) -> None:
    """It lies at or below the best choice of all, and at or above walking alone."""
    rng = np.random.default_rng(seed)
    blocks, sites = 4, 4
    cost = rng.uniform(0, 60, (blocks, sites))
    most = np.full(blocks, 70.0) if seed % 3 else rng.uniform(10, 80, blocks)
    pairs = Pairs(
        np.repeat(np.arange(blocks), sites), np.tile(np.arange(sites), blocks),
        np.zeros(blocks * sites),
    )  # fmt: skip
    one = np.zeros(blocks, dtype=np.int64)
    (bound,) = raised_costs(pairs, cost.ravel(), most, one, 20.0)
    alone = np.minimum(cost.min(axis=1), most).sum()
    assert alone - 1e-9 <= bound <= cheapest(cost, most, 20.0) + 1e-9


def test_sites_that_must_differ_are_paid_for() -> None:
    """Two blocks at two far sites cost the split weight: the bound knows all of it."""
    pairs = Pairs(np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1]), np.zeros(4))
    cost = np.array([0.0, 500.0, 500.0, 0.0])
    community = np.zeros(2, dtype=np.int64)
    assert raised_costs(pairs, cost, np.full(2, 1e6), community, 20.0).tolist() == [20.0]
    assert raised_costs(pairs, cost, np.full(2, 1e6), np.array([0, 1]), 20.0).tolist() == [0, 0]


def test_blocks_without_a_site_cost_what_is_left_out() -> None:
    """A block that no pair names is bounded by its dearest cost."""
    none = Pairs(np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64), np.empty(0))
    costs = raised_costs(none, np.empty(0), np.array([7.0]), np.zeros(1, dtype=np.int64), 20.0)
    assert costs.tolist() == [7.0]
