"""The order of blocks within a run."""

from __future__ import annotations

from datetime import datetime
from itertools import groupby

import numpy as np
import pytest

from scheduler.solve.sequence import Order, elder_waves, order_blocks
from tests.rounds import Recipe, random_instance


def _order(elder_wave: list[bool], share: list[float], community: list[int]) -> Order:
    people = np.full(len(share), 10)
    return Order(np.array(community), people, np.array(share), np.array(elder_wave))


@pytest.mark.parametrize("seed", range(10))
def test_communities_stay_together(seed: int) -> None:
    """Every block is called once, and no community is interrupted by another."""
    rng = np.random.default_rng(seed)
    community = rng.integers(0, 4, 12)
    order = Order(community, rng.integers(1, 60, 12), rng.random(12), rng.random(5) < 0.5)
    people = order.people.sum() // 5 * np.ones(5, dtype=np.int64)
    people[-1] += order.people.sum() - people.sum()
    found = order_blocks(order, np.arange(12), np.arange(5), people)
    assert sorted(found) == list(range(12))
    visits = [key for key, _ in groupby(community[found].tolist())]
    assert len(visits) == len(set(visits))


def test_old_people_get_their_hours() -> None:
    """Blocks with the largest share of 65 and over are called in the waves meant for them."""
    order = _order([False, True, False], [0.1, 0.9, 0.2, 0.8, 0.3, 0.0], [0] * 6)
    found = order_blocks(order, np.arange(6), np.arange(3), np.array([20, 20, 20]))
    assert set(found[2:4]) == {1, 3}


def test_their_hours_are_morning_and_afternoon() -> None:
    """Waves that begin in 09:00-11:00 or 14:00-16:00 local time are meant for old people."""
    recipe = Recipe(start=datetime(2020, 12, 22, 8), hours=10)  # noqa: DTZ001  # local by rule
    found = np.flatnonzero(elder_waves(random_instance(1, recipe).clock))
    assert (found + 8).tolist() == [9, 10, 14, 15]
