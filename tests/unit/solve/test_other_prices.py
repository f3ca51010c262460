"""Prices of flows that know as little as the bound make it better, and never wrong."""

from __future__ import annotations

from dataclasses import replace
from unittest.mock import patch

import numpy as np
import pytest

from scheduler.domain.instance import Instance
from scheduler.domain.settings import Zone
from scheduler.solve import city_bound, make_plan, other_prices
from scheduler.solve.city_bound import bound_at_other_prices, lower_bound
from scheduler.solve.lab_market import price_labs
from scheduler.solve.market import Market
from scheduler.solve.spacing import site_quota
from scheduler.solve.strict_places import Strictly
from scheduler.solve.strict_zones import place_strict_zones
from tests.effort import no_effort
from tests.rounds import Recipe, random_instance

SHORT = Recipe(12, num_sites=6, hours=8.0, lab_slack=0.6, lanes=(2, 3), result_hours=12.0)
POOLS = (SHORT, replace(SHORT, pools=(1, 5, 5, 10)), replace(SHORT, days=2))


def _market(instance: Instance) -> Market:
    market = Market(instance, site_quota(instance), 0)
    place_strict_zones(market, Strictly(4, late_min=60))
    market.relax_main()
    market.lay_out()
    price_labs(market)
    return market


@pytest.mark.parametrize("recipe", POOLS)
@pytest.mark.parametrize("seed", range(2))
def test_the_bound_at_other_prices_is_a_bound(
    seed: int, recipe: Recipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No plan costs less, and the market has its own prices again."""
    no_effort(monkeypatch)
    instance = random_instance(seed, recipe)
    market = _market(instance)
    before = market.prices
    found = bound_at_other_prices(market)
    assert market.prices is before
    plan = make_plan(instance)
    assert found <= plan.summary["objective"] + 1e-6
    assert plan.summary["best_bound"] <= plan.summary["objective"] + 1e-6


def test_rounds_with_stricter_zones_and_few_labs_have_a_better_bound() -> None:
    """Most of them gain by other prices, and the plan is told to be as near as that."""
    gains = []
    for seed in range(6):
        market = _market(random_instance(seed, SHORT))
        gains.append(bound_at_other_prices(market) - lower_bound(market))
    assert sum(gain > 1.0 for gain in gains) > len(gains) / 2


def test_of_many_streams_whole_blocks_are_weighed_at_the_best_prices_only(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The bound without whole blocks chooses the prices, and is found at all of them."""
    market = _market(random_instance(0, SHORT))
    weighed: list[float] = []
    found = city_bound._AtPrices.with_whole_blocks

    def with_whole_blocks(one: city_bound._AtPrices) -> float:
        weighed.append(one.bound)
        return found(one)

    monkeypatch.setattr(city_bound._AtPrices, "with_whole_blocks", with_whole_blocks)
    bound_at_other_prices(market)
    every = weighed.copy()
    assert len(every) > 1
    weighed.clear()
    monkeypatch.setattr(city_bound, "_FEW_STREAMS", 0)
    bound_at_other_prices(market)
    assert weighed == [max(every)]


def test_a_plan_has_the_better_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same plan lies farther from its bound where nobody looks at other prices."""
    no_effort(monkeypatch)
    instance = random_instance(5, SHORT)
    plan = make_plan(instance)
    with patch.object(city_bound, "other_prices", lambda _market, **_searched: iter(())):
        less = make_plan(instance)
    assert plan.summary["best_bound"] > less.summary["best_bound"]
    assert plan.summary["objective"] == less.summary["objective"]


def test_labs_with_time_are_not_asked_again() -> None:
    """Where nobody need be late there is one bound."""
    market = _market(random_instance(0, replace(SHORT, lab_slack=3.0)))
    assert not market.labs_are_short
    assert bound_at_other_prices(market) == 0


@pytest.mark.parametrize("recipe", POOLS)
def test_everybody_is_sent_in_both_flows(recipe: Recipe) -> None:
    """Streams of other flows hold the same people, with all slots where stricter zones are."""
    market = _market(random_instance(1, recipe))
    known = market.stream_people()
    every = int(known.sum())
    waiting, people = other_prices._waiting(market, known)
    assert int(people.sum()) == every
    for n in range(market.first_main):
        slots = sum(end - first for first, end in waiting.runs[n])
        assert slots == market.offered[waiting.site[n]].sum()
    sharing, together = other_prices._sharing(market, known)
    assert int(together.sum()) == every
    alone = {z for z, pool in enumerate(recipe.pools) if pool != recipe.pools[market.main_zone]}
    assert {z for z in sharing.zone if z != market.main_zone} <= alone
    assert Zone.LOCKDOWN in sharing.zone
    assert np.bincount(sharing.site, together).sum() == every
