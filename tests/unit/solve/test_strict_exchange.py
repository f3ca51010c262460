"""Blocks of stricter zones change sites only where that costs less."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from scheduler.solve.site_offer import Movable
from scheduler.solve.strict_exchange import exchange, total_cost
from tests.unit.solve.strict_rounds import SITES, cost_of, strict_round


@pytest.mark.parametrize("seed", range(12))
def test_blocks_never_pay_more(seed: int) -> None:
    """Whatever the sites are at first, nothing that moves raises the sum of all costs."""
    movable, offer = strict_round(seed)
    rng = np.random.default_rng(seed)
    home = rng.integers(-1, SITES, len(movable.people))
    new = exchange(home, movable, offer, rng)
    assert cost_of(new, movable, offer) <= cost_of(home, movable, offer) + 1e-6


@pytest.mark.parametrize("seed", range(6))
def test_effort_finds_the_best_places(seed: int) -> None:
    """Thrown blocks settle at the least of all costs, which counting out all ways gives."""
    movable, offer = strict_round(seed)
    new = exchange(np.zeros(5, dtype=np.int64), movable, offer, np.random.default_rng(0), 20_000)
    every = (np.array(home) for home in product(range(SITES), repeat=5))
    best = min(cost_of(home, movable, offer) for home in every)
    assert cost_of(new, movable, offer) == pytest.approx(best)


def test_what_is_thrown_in_vain_comes_back() -> None:
    """More effort never ends at more cost, and the same seed ends at the same sites."""
    movable, offer = strict_round(3, blocks=9)
    home = np.zeros(9, dtype=np.int64)
    costs = []
    for effort in (0, 500, 5_000):
        new = exchange(home, movable, offer, np.random.default_rng(1), effort)
        again = exchange(home, movable, offer, np.random.default_rng(1), effort)
        assert np.array_equal(new, again)
        costs.append(cost_of(new, movable, offer))
    assert costs == sorted(costs, reverse=True)


def test_an_effort_ends_where_nothing_can_move() -> None:
    """A block with one candidate stays, however much effort is to be spent."""
    movable, offer = strict_round(0, blocks=1)
    only = Movable(
        movable.pairs.where(movable.pairs.site == 1), movable.walk_cost[1:2], movable.people,
        movable.zone, movable.community, 20.0,
    )  # fmt: skip
    home = np.array([1])
    assert exchange(home, only, offer, np.random.default_rng(0), 3_000).tolist() == [1]


@pytest.mark.parametrize("seed", range(12))
def test_the_sum_told_is_the_sum_of_all(seed: int) -> None:
    """What a way to place the blocks costs is told as counted slot by slot."""
    movable, offer = strict_round(seed)
    home = np.random.default_rng(seed).integers(-1, SITES, len(movable.people))
    assert total_cost(home, movable, offer) == pytest.approx(cost_of(home, movable, offer))
