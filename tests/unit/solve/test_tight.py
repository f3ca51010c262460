"""Rounds whose sites are all but full: packed anew, and never worse for it."""

from __future__ import annotations

from dataclasses import replace
from unittest.mock import patch

import numpy as np
import pytest

from scheduler.domain.instance import Instance
from scheduler.domain.plan import Plan
from scheduler.domain.verify import verify
from scheduler.solve import make_plan, planner, tight
from scheduler.solve.assign import Whole
from scheduler.solve.market import Market
from scheduler.solve.spacing import site_quota
from scheduler.solve.strict_places import Strictly
from tests.effort import no_effort
from tests.rounds import Recipe, random_instance


@pytest.fixture(autouse=True)
def plans_of_flows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the plans of the flows: the exact search would mend what is tested here."""
    no_effort(monkeypatch)


FULL = 0.985
ONE_ZONE = Recipe(8, 5, num_sites=6, lanes=(1, 2), lab_slack=3.0, special=False, people=(40, 90))
RECIPES = (
    ONE_ZONE,
    replace(ONE_ZONE, split_hours=True, lanes=(2, 4)),
    replace(ONE_ZONE, special=True, lab_slack=1.05),
)


def full_round(seed: int, recipe: Recipe) -> Instance:
    """Return a round that is just long enough for its people to need 98.5 % of all places."""
    for quarters in range(4, 96):
        instance = random_instance(seed, replace(recipe, hours=quarters / 4))
        market = Market(instance, site_quota(instance), 0)
        places = int((market.places * market.offered).sum())
        if instance.demand.sum() <= FULL * places:
            return instance
    raise AssertionError("Expected a round of a day to hold everybody")


def _left(plan: Plan) -> float:
    return float(plan.summary["terms"]["unserved"])


@pytest.mark.parametrize("recipe", RECIPES)
@pytest.mark.parametrize("seed", range(2))
def test_a_full_round_is_planned_clean_and_above_its_bound(seed: int, recipe: Recipe) -> None:
    """Packed anew, nothing is broken, the bound holds, and no more people are left out."""
    instance = full_round(seed, recipe)
    with patch.object(planner, "pack_tighter", lambda _market, whole, _strictly: whole):
        before = make_plan(instance)
    plan = make_plan(instance)
    assert not verify(instance, plan, revision="0001")
    assert plan.summary["best_bound"] <= plan.summary["objective"] + 1e-6
    assert plan.summary["best_bound"] <= before.summary["objective"] + 1e-6
    assert _left(plan) <= _left(before)


def test_full_rounds_are_packed_and_others_are_not() -> None:
    """What an ordinary round pays for whole blocks is next to nothing, and it is left as it is."""
    packed = []
    found = tight._Packing.run  # whether it is called is what matters

    def run(packing: tight._Packing, whole: Whole, strictly: Strictly) -> Whole:
        packed.append(True)
        return found(packing, whole, strictly)

    with patch.object(tight._Packing, "run", run):
        make_plan(random_instance(0, replace(ONE_ZONE, hours=12)))
        assert not packed
        make_plan(full_round(0, ONE_ZONE))
        assert packed


def test_walks_count_for_little_where_labs_are_short() -> None:
    """A block a little beyond its best site makes a round tight unless lateness costs far more."""
    instance = random_instance(0, replace(ONE_ZONE, hours=12))
    market = Market(instance, site_quota(instance), 0)
    market.relax_main()
    market.lay_out()
    whole = market.make_main_whole()
    assert not tight._is_tight(market, whole)
    block = int(np.flatnonzero(market.people > 0)[0])
    pairs = market.main_pairs
    farthest = np.flatnonzero(pairs.block == block)[np.argmax(pairs.walk_m[pairs.block == block])]
    whole.site[block] = pairs.site[farthest]
    assert tight._is_tight(market, whole)
    market.relaxed.site_price[:] += 1e6  # as if tubes were that late wherever people go
    market.labs_are_short = True
    assert not tight._is_tight(market, whole)


def test_the_same_seed_packs_the_same() -> None:
    """A full round comes out the same twice."""
    instance = full_round(1, ONE_ZONE)
    one, other = make_plan(instance, seed=3), make_plan(instance, seed=3)
    assert one.assignments.equals(other.assignments)


def test_blocks_find_sites_farther_away_when_they_would_pay_for_them() -> None:
    """Pairs are added beyond the nearest ones, and the flow's answer keeps its places."""
    recipe = replace(ONE_ZONE, num_sites=12, span_km=3.0)
    market = Market(instance := random_instance(0, recipe), site_quota(instance), 0)
    market.relax_main()
    pairs, people = market.main_pairs, market.relaxed.people
    assert market.look_farther(np.full(len(instance.demand), 1e6))
    assert len(market.main_pairs) > len(pairs)
    assert market.relaxed.people.sum() == people.sum()
    carried = market.relaxed.people > 0
    assert market.main_pairs.site[carried].tolist() == pairs.site[people > 0].tolist()
    assert not market.look_farther(np.zeros(len(instance.demand)))
