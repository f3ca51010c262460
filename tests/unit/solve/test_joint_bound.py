"""The bound of whole blocks of all zones: below every plan, and above what it is made of."""

from __future__ import annotations

from dataclasses import replace
from unittest.mock import patch

import numpy as np
import pytest

from scheduler.solve import city_bound, make_plan, planner
from scheduler.solve.city_bound import bound_at_prices, whole_tubes
from scheduler.solve.joint_bound import joint_bound
from scheduler.solve.market import Market
from scheduler.solve.spacing import site_quota
from scheduler.solve.strict_places import Strictly
from tests.effort import little_effort
from tests.rounds import Recipe
from tests.unit.solve import test_tight
from tests.unit.solve.test_tight import full_round

ZONES = Recipe(6, 2, num_sites=3, lanes=(1, 1), lab_slack=1.5, people=(30, 90), clearing_min=45)
RECIPES = (ZONES, replace(ZONES, split_hours=True, lanes=(1, 3)))


@pytest.fixture(autouse=True)
def searched_a_little(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the exact search find good plans, and give up early."""
    little_effort(monkeypatch)


def _market(seed: int, recipe: Recipe) -> tuple[Market, float]:
    """Return a market that has settled, and what the best plan known costs."""
    instance = full_round(seed, recipe)
    market, _ = planner._solve(
        instance, site_quota(instance), 0, Strictly(), lambda _stage, _gap: None
    )
    return market, float(make_plan(instance).summary["objective"])


@pytest.mark.parametrize("recipe", RECIPES)
@pytest.mark.parametrize("seed", range(4))
def test_any_prices_bound_every_plan(seed: int, recipe: Recipe) -> None:
    """Whatever places and blocks are said to be worth, no plan costs less."""
    market, objective = _market(seed, recipe)
    instance, rng = market.instance, np.random.default_rng(seed)
    zones = np.unique(instance.block_zone[instance.demand > 0]).tolist()
    costs = {z: market.slot_cost(z, market.offered) for z in zones}
    earnings = market.prices.earnings(market.hours, instance.labs.max_tubes_per_day)
    part_filled = whole_tubes(market).part_filled
    known = city_bound._best_prices(market, costs, earnings)
    for _ in range(4):
        price = {z: p * rng.uniform(0.2, 1.8, len(p)) for z, p in known.items()}
        beyond = rng.uniform(-200, 2_000, len(instance.demand))
        found = joint_bound(market.finder, costs, [price, known], beyond, part_filled)
        assert found - earnings <= objective + 1e-6


def test_it_knows_more_than_the_bounds_it_is_made_of() -> None:
    """In some tight rounds that have room for everybody it raises the bound."""
    with patch.object(test_tight, "FULL", 0.8):
        assert any(_raised(seed) > 1.0 for seed in range(4))


def _raised(seed: int) -> float:
    """Return by how much it raises the bound of a round."""
    market, _ = _market(seed, ZONES)
    if market.beyond_flow is None:
        market.beyond_flow = np.zeros(len(market.instance.demand))
    bound = bound_at_prices(market)
    with patch.object(city_bound, "joint_bound", lambda *_: 0.0):
        return bound - bound_at_prices(market)


def test_a_round_of_one_zone_has_none() -> None:
    """Without stricter zones there is nothing beside the commonest one's whole blocks."""
    market, _ = _market(0, replace(ZONES, special=False))
    zone = market.main_zone
    cost = {zone: market.slot_cost(zone, market.offered)}
    price = {zone: np.zeros(len(market.quota))}
    assert (market.instance.block_zone == zone).all()
    part_filled = whole_tubes(market).part_filled
    assert joint_bound(market.finder, cost, [price], np.zeros(1), part_filled) == 0.0
