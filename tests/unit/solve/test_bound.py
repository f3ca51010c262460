"""The lower bound is below every plan, whatever the prices are."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from scheduler.domain.settings import Settings, WeightSettings
from scheduler.solve import make_plan
from scheduler.solve.bound import LabPrices, foregone_prices, place_prices, slot_gain
from scheduler.solve.city_bound import lower_bound
from scheduler.solve.market import Market
from scheduler.solve.spacing import site_quota
from tests.rounds import Recipe, random_instance

pytestmark = pytest.mark.usefixtures("little_effort")

RECIPES = (
    Recipe(),
    Recipe(lab_slack=0.6, split_hours=True),
    Recipe(pools=(1, 5, 10, 20), tubes_per_hour=2, days=2),
    Recipe(num_communities=3, num_sites=2, special=False, lab_day_share=0.1, known_travel=0.5),
)


def _planned(seed: int, recipe: Recipe) -> tuple[float, Market]:
    """Return the objective of a random round's plan, and its market before any prices."""
    instance = random_instance(seed, recipe)
    objective = float(make_plan(instance).summary["objective"])
    return objective, Market(instance, site_quota(instance), 0)


@pytest.mark.parametrize("recipe", RECIPES)
@pytest.mark.parametrize("seed", range(3))
def test_any_prices_give_a_bound(seed: int, recipe: Recipe) -> None:
    """No prices, and random ones, bound the objective of the plan that is found from below."""
    objective, market = _planned(seed, recipe)
    assert 0 <= lower_bound(market) <= objective + 1e-6
    rng = np.random.default_rng(seed)
    hour, day = market.prices.hour.shape, market.prices.day.shape
    for scale in (0.1, 10.0, 1000.0):
        market.prices = LabPrices(rng.uniform(0, scale, hour), rng.uniform(0, scale, day))
        market.wave_costs = {}
        assert 0 <= lower_bound(market) <= objective + 1e-6


@pytest.mark.parametrize("seed", range(3))
def test_what_sites_earn_less_never_makes_a_bound_less(seed: int) -> None:
    """Stricter zones pay less for it: if that is more, the bound is the one without it."""
    _, market = _planned(seed, RECIPES[0])
    zones = np.unique(market.instance.block_zone[market.instance.demand > 0]).tolist()
    costs = {z: market.slot_cost(z, market.offered) for z in zones}
    price = {z: np.full(len(market.quota), 3.0) for z in zones}
    bare = market.finder.evaluate(costs, price, 0.0)
    sites = np.arange(len(market.quota))
    for less in (0.0 * sites, 0.01 * sites, np.where(sites == seed, 1e-3, 0.0), 0.5 + sites):
        assert market.finder.evaluate(costs, price, 0.0, lambda *_, by=less: by) >= bare


def test_a_bound_at_prices_before_a_most_in_a_slot_counts_as_well() -> None:
    """Whichever is higher is the bound."""
    _, market = _planned(0, RECIPES[0])
    found = lower_bound(market)
    market.bound_before = found - 1.0
    assert lower_bound(market) == found
    market.bound_before = found + 1.0
    assert lower_bound(market) == found + 1.0


@pytest.mark.parametrize("seed", range(4))
def test_places_cost_what_sites_forego_for_them(seed: int) -> None:
    """Prices of places rise to what others gain in the slots, and sites earn no more for it."""
    rng, shape = np.random.default_rng(seed), (6, 10)
    costs = {z: np.where(rng.random(shape) < 0.8, rng.uniform(0, 9, shape), np.inf) for z in (1, 3)}
    price = {1: np.full(6, -np.inf), 3: rng.uniform(0, 12, 6)}
    least = place_prices(costs, price)
    place = foregone_prices(costs, least)
    assert (place[3] == least[3]).all()
    assert (place[1] >= least[1]).all()
    assert (place[1] > least[1] + 0.1).any()
    earned, before = (
        np.maximum(*(slot_gain(by[z], costs[z]) for z in costs)) for by in (place, least)
    )
    assert earned == pytest.approx(before)
    lower = foregone_prices(costs, least, 0.5)
    assert lower[1] == pytest.approx(np.maximum(least[1], place[1] - 0.5))


@pytest.mark.parametrize("recipe", RECIPES)
@pytest.mark.parametrize("seed", range(4))
def test_any_prices_of_whole_blocks_give_a_bound(seed: int, recipe: Recipe) -> None:
    """Whatever blocks are thought to be worth, no plan costs less, people left out included."""
    objective, market = _planned(seed, recipe)
    without = lower_bound(market)
    rng = np.random.default_rng(seed)
    for scale in (0.0, 10.0, 1000.0, 1e6):
        market.beyond_flow = rng.uniform(0, scale, len(market.instance.demand))
        assert without <= lower_bound(market) <= objective + 1e-6


def test_labs_have_no_end() -> None:
    """Two tubes a day take weeks: the hours looked at reach until leaving out is cheaper."""
    recipe = Recipe(
        2, 2, num_sites=1, num_labs=2, special=False, lab_day_share=0.1, tubes_per_hour=1
    )
    instance = random_instance(191, replace(recipe, people=(4, 6), max_homebound=0))
    plan = make_plan(instance)
    assert plan.summary["terms"]["unserved"] == 0
    assert plan.summary["best_bound"] <= plan.summary["objective"]


def test_dear_lateness_leaves_people_out_within_the_bound() -> None:
    """Where lateness costs more than leaving out, fewer hours are looked at and the bound holds."""
    instance = random_instance(3, Recipe(tubes_per_hour=1))
    weights = WeightSettings(late=1000.0, unserved=100.0)
    settings: Settings = replace(instance.settings, weights=weights)
    summary = make_plan(instance.replace(settings=settings)).summary
    assert summary["best_bound"] <= summary["objective"]
    assert summary["terms"]["unserved"] > 0
