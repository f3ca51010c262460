"""The whole city's most people in a slot: kept, with staggered starts, at little cost."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from scheduler.domain.city import Ints
from scheduler.domain.instance import Instance
from scheduler.domain.plan import Plan
from scheduler.domain.settings import SlotSettings
from scheduler.domain.verify import verify
from scheduler.solve import make_plan
from scheduler.solve.stagger import _Hand
from tests.rounds import Recipe, random_instance

ROUND = Recipe(
    num_communities=24, blocks_per_community=5, num_sites=16, num_labs=3, hours=8.0, days=1,
    people=(60, 120), lanes=(3, 4), lab_slack=2.0,
)  # fmt: skip


def _with(instance: Instance, city_people: int) -> Instance:
    slots = SlotSettings(city_people=city_people)
    return instance.replace(settings=replace(instance.settings, slots=slots))


def _by_slot(plan: Plan) -> Ints:
    return plan.assignments.groupby("start", observed=True)["people"].sum().to_numpy(np.int64)


def _first_slots(plan: Plan) -> set[str]:
    starts = plan.assignments.astype({"start": str})
    return set(starts.groupby("site_id", observed=True)["start"].min())


@pytest.fixture(scope="module", name="free")
def _free() -> tuple[Instance, Plan]:
    instance = random_instance(3, ROUND)
    return instance, make_plan(instance)


@pytest.mark.parametrize("part", [0.8, 0.6, 0.47])
def test_the_most_is_kept_and_everybody_called(free: tuple[Instance, Plan], part: float) -> None:
    """Where the round has slots enough nobody is left out, and the plan is clean."""
    instance, plan = free
    most = int(_by_slot(plan).max() * part)
    capped = _with(instance, most)
    new = make_plan(capped)
    assert _by_slot(new).max() <= most
    assert new.summary["busiest_slot"]["people"] == _by_slot(new).max()
    assert new.summary["terms"]["unserved"] == plan.summary["terms"]["unserved"] == 0
    assert new.summary["objective"] >= plan.summary["best_bound"]
    assert verify(capped, new) == []


def test_a_most_that_is_never_reached_changes_nothing(free: tuple[Instance, Plan]) -> None:
    """With room for everybody in each slot the plan is that of a round without a most."""
    instance, plan = free
    same = make_plan(_with(instance, int(instance.demand.sum())))
    assert same.assignments.equals(plan.assignments)
    assert same.summary["objective"] == plan.summary["objective"]


def test_sites_begin_one_after_the_other(free: tuple[Instance, Plan]) -> None:
    """All begin at the same moment without a most; with one, starts spread over slots."""
    instance, plan = free
    assert len(_first_slots(plan)) < len(_first_slots(_half(instance, plan)))


def _half(instance: Instance, plan: Plan, seed: int = 0) -> Plan:
    return make_plan(_with(instance, int(_by_slot(plan).max() / 2)), seed=seed)


def test_the_seed_decides_who_begins(free: tuple[Instance, Plan]) -> None:
    """The same seed gives the same plan, another one another order."""
    one, same, other = (_half(*free, seed=seed) for seed in (0, 0, 1))
    assert one.assignments.equals(same.assignments)
    assert not one.assignments.equals(other.assignments)


def test_what_cannot_be_is_left_out_with_a_reason(free: tuple[Instance, Plan]) -> None:
    """Too small a most is filled nearly up; the others are told that all is full."""
    instance, _ = free
    most = int(instance.demand.sum()) // instance.clock.num_slots // 2
    capped = _with(instance, most)
    plan = make_plan(capped)
    assert verify(capped, plan) == []
    assert 0.8 * most <= _by_slot(plan).mean() <= most
    assert set(plan.unserved["reason"].astype(str)) <= {"full", "home_visit"}


def test_strict_zones_go_first() -> None:
    """When the city is full the strictest zone waits no longer than it did."""
    instance = random_instance(5, replace(ROUND, special=True))
    plan = make_plan(instance)
    new = make_plan(_with(instance, int(_by_slot(plan).max() * 0.6)))
    zones = set(plan.assignments["zone"].astype(str))
    strictest = next(z for z in ("lockdown", "control", "precaution", "normal") if z in zones)
    assert strictest != "normal"
    assert _last(new, strictest) <= _last(plan, strictest)


def _last(plan: Plan, zone: str) -> str:
    rows = plan.assignments
    return max(rows.loc[rows["zone"].astype(str) == zone, "start"].astype(str))


def test_too_little_is_shared_alike_or_in_turn() -> None:
    """A slot's places go to all in proportion, or to one after the other; none is made or lost."""
    turn = np.array([2, 0, 1])
    alike = _Hand(10, np.array([1, 0, 0]))
    alike.alike(np.array([7, 6, 6]), turn)
    assert alike.given.sum() == 10
    assert alike.given.tolist() == [4, 3, 3]
    in_turn = _Hand(10, np.array([1, 0, 0]))
    in_turn.in_turn(np.array([7, 6, 6]), turn)
    assert in_turn.given.tolist() == [4, 0, 6]
    assert in_turn.left == 0
