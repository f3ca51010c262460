"""Small rounds whose optimum is known: bound <= optimum <= cost <= optimum + 2 %."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest

from scheduler.domain.instance import Instance
from scheduler.domain.settings import Zone
from scheduler.domain.verify import verify
from scheduler.solve import make_plan
from scheduler.solve.city_bound import bound_at_prices
from scheduler.solve.planner import solve_round
from scheduler.solve.spacing import site_quota
from scheduler.solve.tables import objective
from tests.effort import little_effort
from tests.property.brute_force import BruteForce
from tests.rounds import Recipe, random_instance

NEAR = 1.02
ROUNDING = 1e-6


@dataclass(frozen=True)
class Tiny:
    """A round of a few people with 3 places a slot; ``zones`` of its communities."""

    zones: tuple[Zone, ...] = (Zone.NORMAL,)
    blocks_per_community: int = 3
    people: tuple[int, int] = (2, 5)
    hours: float = 1.5
    pool: int = 3
    result_hours: float = 3.0
    holding_min: int = 240


def tiny(seed: int, kind: Tiny) -> Instance:
    """Return a seeded round with two sites and two labs that start a tube an hour."""
    rng = np.random.default_rng(seed)
    recipe = Recipe(
        num_communities=len(kind.zones),
        blocks_per_community=kind.blocks_per_community,
        num_sites=2,
        num_labs=2,
        hours=kind.hours,
        people=kind.people,
        special=False,
        pools=(1, 2, kind.pool, kind.pool),
        wave_minutes=int(rng.choice([30, 45])),
        tubes_per_hour=1,
        span_km=4.0,
        max_homebound=0,
        result_hours=kind.result_hours,
        max_holding_min=kind.holding_min,
        clearing_min=15,
    )
    base = random_instance(seed, recipe)
    return base.replace(
        communities=replace(base.communities, zone=np.array(kind.zones, dtype=np.int64)),
        sites=replace(
            base.sites, lanes=np.array([1, 1]), people_per_lane_hour=np.array([15.0, 15.0])
        ),
        labs=replace(base.labs, processing_min=np.array([60, 90])),
        travel_min=rng.integers(5, 50, (2, 2)),
    )


KINDS = {
    "on time": Tiny(),
    "two communities": Tiny(zones=(Zone.NORMAL, Zone.NORMAL), blocks_per_community=1),
    "late": Tiny(pool=2, result_hours=2.0, blocks_per_community=2),
    "stale": Tiny(holding_min=70, blocks_per_community=2),
    "zones": Tiny(zones=(Zone.CONTROL, Zone.NORMAL), blocks_per_community=1, people=(4, 7)),
    "three zones": Tiny(
        zones=(Zone.CONTROL, Zone.PRECAUTION, Zone.NORMAL), blocks_per_community=1, people=(2, 4)
    ),
}


def check_near(instance: Instance, optimum: float) -> None:
    plan = make_plan(instance)
    assert verify(instance, plan, revision="0001") == []
    cost, bound = plan.summary["objective"], plan.summary["best_bound"]
    assert bound <= optimum * (1 + ROUNDING)
    assert optimum * (1 - ROUNDING) <= cost <= optimum * NEAR


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("kind", KINDS)
def test_the_plan_of_a_tiny_round_is_the_best_of_all(kind: str, seed: int) -> None:
    """No plan that brute force finds is 2 % better, and none is below the bound."""
    instance = tiny(seed, KINDS[kind])
    optimum = BruteForce(instance, may_leave_out=False).run()
    assert optimum < instance.settings.weights.unserved  # so nobody is left out in any optimum
    check_near(instance, optimum)


@pytest.mark.parametrize("seed", range(4))
def test_as_few_people_as_can_be_are_left_out(seed: int) -> None:
    """Where a round has too few places, the plan leaves out no more people than it must."""
    kind = Tiny(hours=0.5, people=(4, 6))
    instance = tiny(seed, kind)
    optimum = BruteForce(instance, may_leave_out=True).run()
    check_near(instance, optimum)


@pytest.mark.slow
@pytest.mark.parametrize(("seed", "unserved"), [(2, 200.0), (3, 1_000.0)])
def test_patterns_bound_rounds_in_which_people_are_better_left_out(
    seed: int, unserved: float
) -> None:
    """Dear laboratory hours, at any prices, do not raise the bound above the optimum."""
    zones = ((Zone.CONTROL, Zone.NORMAL), (Zone.CONTROL, Zone.PRECAUTION, Zone.NORMAL),
             (Zone.PRECAUTION, Zone.NORMAL))[seed % 3]  # fmt: skip
    people = (3, 7) if len(zones) == 2 else (2, 4)
    kind = Tiny(zones=zones, blocks_per_community=1, people=people, hours=1.0, pool=2,
                result_hours=1.0)  # fmt: skip
    base = tiny(seed, kind)
    weights = replace(base.settings.weights, unserved=unserved)
    instance = base.replace(settings=replace(base.settings, weights=weights))
    optimum = BruteForce(instance, may_leave_out=True).run()
    market, _ = solve_round(instance, site_quota(instance), 0, lambda _stage, _gap: None)
    known = market.prices
    for scale in (1.0, 0.5, 1.5):
        market.prices, market.wave_costs = replace(known, hour=known.hour * scale), {}
        assert bound_at_prices(market) <= optimum * (1 + ROUNDING)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_a_small_round_never_gets_dearer(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """In rounds of 8 to 20 blocks the plan costs at most what the flows' plan costs."""
    if seed % 2:  # of all zones, which takes long to search
        little_effort(monkeypatch)
    recipe = Recipe(
        num_communities=4 + seed,
        blocks_per_community=2,
        num_sites=4,
        hours=4,
        special=bool(seed % 2),
        lab_slack=(0.9, 1.1, 1.3, 2.0)[seed],
    )
    instance = random_instance(seed, recipe)
    market, solution = solve_round(instance, site_quota(instance), 0, lambda _stage, _gap: None)
    before = objective(instance, market, solution)
    plan = make_plan(instance)
    assert verify(instance, plan, revision="0001") == []
    assert plan.summary["objective"] <= before * (1 + ROUNDING)
