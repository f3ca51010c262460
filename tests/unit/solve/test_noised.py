"""Few-block rounds are planned again with noise, and the cheapest of all plans is kept."""

from __future__ import annotations

from dataclasses import replace
from unittest.mock import patch

import pytest

from scheduler.domain.instance import Instance
from scheduler.domain.verify import verify
from scheduler.solve import make_plan, noised
from scheduler.solve.planner import in_silence, solve_round
from scheduler.solve.spacing import site_quota
from tests.rounds import Recipe, random_instance

MANY = Recipe(25, 4, num_sites=6, lanes=(1, 2), hours=10.0, lab_slack=0.9, people=(30, 90))


@pytest.fixture(autouse=True)
def with_noise(monkeypatch: pytest.MonkeyPatch) -> None:
    """Plan with noise, as the program does."""
    monkeypatch.setattr(noised, "FEW_BLOCKS", 200)


def _without_noise(instance: Instance) -> float:
    with patch.object(noised, "FEW_BLOCKS", 0):
        return float(make_plan(instance).summary["objective"])


@pytest.mark.parametrize("seed", range(2))
def test_noise_never_costs_more(seed: int) -> None:
    """The plan keeps all rules, costs no more than that without noise, and not below its bound."""
    instance = random_instance(seed, MANY)
    plan = make_plan(instance)
    assert verify(instance, plan, revision="0001") == []
    assert plan.summary["best_bound"] <= plan.summary["objective"] + 1e-6
    assert plan.summary["objective"] <= _without_noise(instance) + 1e-6


def test_some_rounds_cost_less_by_it() -> None:
    """Of a few rounds with little room or few labs one at least ends in a better plan."""
    recipes = (MANY, replace(MANY, lab_slack=0.7), replace(MANY, hours=8.0, split_hours=True))
    rounds = [random_instance(seed, recipe) for recipe in recipes for seed in range(2)]
    saved = [_without_noise(one) - float(make_plan(one).summary["objective"]) for one in rounds]
    assert max(saved) > 1.0


def test_larger_rounds_are_planned_again_less_often(monkeypatch: pytest.MonkeyPatch) -> None:
    """Twice as many blocks as few ones have half of the noise; the plan keeps all rules."""
    monkeypatch.setattr(noised, "_ENOUGH_OF_SEEDS", 1.0)
    monkeypatch.setattr(noised, "_ENOUGH", -1.0)
    monkeypatch.setattr(noised, "FEW_BLOCKS", 50)
    instance, told = random_instance(1, replace(MANY, lab_slack=0.7)), list[str]()
    plan = make_plan(instance, report=lambda stage, _gap: told.append(stage))
    every = list(noised._noised(instance.settings))
    blocks = int((instance.demand > 0).sum())
    expected = -(-len(every) * 50 // blocks)
    assert 0 < told.count("once more with noise") == expected < len(every)
    assert verify(instance, plan, revision="0001") == []
    assert plan.summary["best_bound"] <= plan.summary["objective"] + 1e-6


@pytest.mark.parametrize(
    ("costs", "tried", "kept"),
    [((0.99, 0.97, 0.98, 1.1), 4, 0.97), ((1.0, 0.9), 1, 1.0), ((0.98, 0.905, 0.9), 2, 0.905)],
)
def test_the_cheapest_seed_is_kept(costs: tuple[float, ...], tried: int, kept: float) -> None:
    """Other seeds are tried while the gap is large, unless chance changes nothing."""
    instance = random_instance(1, replace(MANY, num_communities=11))
    market, solved = solve_round(instance, site_quota(instance), 0, in_silence)
    known = replace(solved, cost=1.0, bound=0.9)
    with (
        patch.object(noised, "objective", lambda _instance, _market, found: found.cost),
        patch.object(noised, "solve_again") as again,
        patch.object(noised, "_ENOUGH", 1.0),
    ):
        again.side_effect = [(market, replace(solved, cost=cost)) for cost in costs]
        best = noised.plan_noised(instance, (market, known), 5, in_silence)
    assert [call.args[2] for call in again.call_args_list] == [6, 7, 8, 9][:tried]
    assert (best.cost, best.bound) == (kept, known.bound)


def test_a_time_limit_that_passes_meanwhile_keeps_the_plan(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whoever has a plan within the limit keeps it, better or not."""
    monkeypatch.setattr(noised, "_ENOUGH", -1.0)
    monkeypatch.setattr(noised, "_ENOUGH_OF_SEEDS", 1.0)
    instance, told = random_instance(0, replace(MANY, lab_slack=0.7)), list[str]()
    plan = make_plan(
        instance,
        report=lambda stage, _gap: told.append(stage),
        deadline=lambda: "once more with noise" in told,
    )
    assert told.count("once more with noise") == 1
    assert told[-1] == "tables"
    assert verify(instance, plan, revision="0001") == []


def test_rounds_with_a_most_in_a_slot_stay_as_they_are() -> None:
    """The bound does not know the most, so that its distance says nothing."""
    instance = random_instance(0, MANY)
    slots = replace(instance.settings.slots, city_people=60)
    capped = instance.replace(settings=replace(instance.settings, slots=slots))
    with patch.object(noised, "solve_again", side_effect=AssertionError):
        make_plan(capped)
