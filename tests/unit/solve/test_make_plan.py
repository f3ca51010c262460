"""The face of the solver: progress, deadline, seed, and the reasons of those left out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from scheduler.domain.instance import Instance
from scheduler.domain.plan import Plan, Reason
from scheduler.domain.settings import ZONE_WORDS, Zone
from scheduler.domain.verify import verify
from scheduler.errors import NoPlanError
from scheduler.solve import make_plan, planner
from scheduler.solve.spacing import site_quota
from scheduler.solve.strict_zones import exchange_strict_zones
from tests.rounds import Recipe, random_instance

pytestmark = pytest.mark.usefixtures("little_effort")

SMALL = Recipe(num_communities=4, blocks_per_community=3, num_sites=4)
TABLES = ("assignments", "consignments", "lab_load", "unserved")


def _reasons(plan: Plan) -> dict[str, int]:
    """Return people by reason, home visits apart."""
    left = plan.unserved[plan.unserved["reason"].astype(str) != Reason.HOME_VISIT.value]
    people = left.groupby(left["reason"].astype(str))["people"].sum()
    return {str(reason): int(count) for reason, count in people.items()}


def _clean(instance: Instance) -> Plan:
    plan = make_plan(instance)
    assert verify(instance, plan, revision="0001") == []
    return plan


def test_stages_are_told_in_order_and_once_per_stage() -> None:
    """Progress names each stage as it begins; no gap is told before a bound is known."""
    told: list[tuple[str, float | None]] = []
    make_plan(random_instance(1, SMALL), report=lambda stage, gap: told.append((stage, gap)))
    names = [stage for stage, _ in told]
    assert names[0] == "queue grounds"
    assert names[-1] == "tables"
    assert "lower bound" in names
    assert all(gap is None or gap >= 0 for _, gap in told)


@pytest.mark.parametrize("stages", [0, 1, 3, 6])
def test_the_deadline_ends_the_work_between_stages(stages: int) -> None:
    """When the time is up no plan is returned, whichever stage is next."""
    left = iter([False] * stages + [True])
    with pytest.raises(NoPlanError, match="no plan was made") as caught:
        make_plan(random_instance(1, SMALL), deadline=lambda: next(left))
    assert caught.value.exit_code == 4


def test_a_deadline_that_does_not_pass_changes_nothing() -> None:
    """The plan does not depend on a time limit that is kept."""
    instance = random_instance(2, SMALL)
    one, two = make_plan(instance), make_plan(instance, deadline=lambda: False)
    for table in TABLES:
        pd.testing.assert_frame_equal(getattr(one, table), getattr(two, table))


def test_same_seed_same_plan_and_the_summary_names_both() -> None:
    """Seed and revision stand in the summary; the same seed gives the same tables."""
    instance = random_instance(3, SMALL)
    plans = [make_plan(instance, seed=7, revision=name) for name in ("0001", "0002")]
    for table in TABLES:
        pd.testing.assert_frame_equal(getattr(plans[0], table), getattr(plans[1], table))
    assert [p.summary["revision"] for p in plans] == ["0001", "0002"]
    assert {p.summary["seed"] for p in plans} == {7}


def test_tubes_of_a_wave_are_whole() -> None:
    """Per site, wave and zone the rows' tubes sum to ceil(people / pool size)."""
    instance = random_instance(4, replace(SMALL, pools=(1, 5, 10, 20)))
    rows = _clean(instance).assignments.astype({"site_id": str, "zone": str})
    minute = [instance.clock.minute_of_iso(str(text)) for text in rows["start"]]
    rows["wave"] = np.array(minute) // instance.settings.round.wave_minutes
    sums = rows.groupby(["site_id", "wave", "zone"])[["people", "tubes"]].sum().reset_index()
    pool = dict(zip(ZONE_WORDS, instance.settings.pooling.by_zone(), strict=True))
    expected = [-(-n // pool[z]) for n, z in zip(sums["people"], sums["zone"], strict=True)]
    assert sums["tubes"].tolist() == expected


def test_a_lockdown_without_a_team_is_told_so() -> None:
    """Lockdown blocks have no other candidates than teams named for them."""
    instance = random_instance(5, replace(SMALL, num_sites=2))
    lockdown = int(instance.demand[instance.block_zone == Zone.LOCKDOWN].sum())
    assert _reasons(_clean(instance))["no_team"] == lockdown


def test_a_zone_that_no_site_accepts_is_told_so() -> None:
    """Blocks without a candidate are listed with no_site."""
    instance = random_instance(5, SMALL)
    accepts = instance.sites.accepts.copy()
    accepts[1:, Zone.CONTROL] = False
    instance = instance.replace(sites=replace(instance.sites, accepts=accepts))
    control = int(instance.demand[instance.block_zone == Zone.CONTROL].sum())
    assert _reasons(_clean(instance))["no_site"] == control


def test_a_block_larger_than_every_window_is_told_so() -> None:
    """What no opening window holds of a block is block_too_large; the windows are filled."""
    recipe = replace(SMALL, special=False, people=(900, 900), lanes=(1, 1), max_homebound=0)
    instance = random_instance(6, recipe)
    plan = _clean(instance)
    assert _reasons(plan) == {"block_too_large": 12 * 900 - plan.summary["served"]}
    window = instance.clock.num_slots * site_quota(instance)
    assert 0.9 * window.sum() <= plan.summary["served"] <= window.sum()


def test_a_full_city_lists_the_rest() -> None:
    """Where places are short the rest is listed as full, and no place is left empty for long."""
    recipe = replace(SMALL, special=False, people=(200, 240), num_sites=1, lanes=(2, 2), hours=6)
    instance = random_instance(7, recipe)
    plan = _clean(instance)
    left = _reasons(plan)
    assert set(left) == {"full"}
    assert plan.summary["served"] + left["full"] == int(instance.demand.sum())
    places = instance.clock.num_slots * int(site_quota(instance)[0])
    assert places - 240 < plan.summary["served"] <= places


def test_tubes_that_no_lab_reaches_in_time_serve_nobody() -> None:
    """With 5 minutes of holding no sample arrives fresh: all are listed, none is sent."""
    plan = _clean(random_instance(8, replace(SMALL, max_holding_min=5)))
    assert len(plan.assignments) == len(plan.consignments) == len(plan.lab_load) == 0
    assert plan.summary["served"] == 0
    assert plan.summary["status"] == "partial"


def test_no_site_open_in_the_round_still_gives_a_plan() -> None:
    """A round in which no site has a whole slot lists everybody, with a bound that is met."""
    plan = _clean(random_instance(9, replace(SMALL, site_hours=(((0, 60),),))))
    assert plan.summary["served"] == 0
    assert plan.summary["relative_gap"] == pytest.approx(0)


def test_a_round_without_people_is_optimal() -> None:
    """Communities of population 0 are no reason to fail: the empty plan is the best one."""
    plan = _clean(random_instance(10, replace(SMALL, empty_communities=4)))
    assert plan.summary["status"] == "optimal"
    assert plan.summary["objective"] == 0


def test_a_zone_without_people_is_passed_over() -> None:
    """A lockdown community of population 0 takes no slots from the others."""
    plan = _clean(random_instance(11, replace(SMALL, empty_communities=1)))
    assert plan.summary["served"] > 0


def test_stricter_zones_may_fill_every_site() -> None:
    """When no slot is left to the commonest zone, its people are listed and the rest is served."""
    recipe = replace(SMALL, num_sites=3, hours=1, clearing_min=120, people=(20, 40))
    instance = random_instance(12, recipe)
    plan = _clean(instance)
    assert plan.summary["people"] == int(instance.blocks.people.sum())


def _nearly_full(seed: int, load: float, stricter: int) -> Instance:
    """Return a round whose people need a share of all sites' places, some in stricter zones."""
    wide = Recipe(
        num_communities=15, blocks_per_community=8, num_sites=6, people=(20, 70), special=False,
        span_km=2.0, queue_length_m=9_000.0, lab_slack=2.0,
    )  # fmt: skip
    instance = random_instance(seed, wide)
    zone = instance.communities.zone.copy()
    zone[:stricter] = [Zone.CONTROL, Zone.PRECAUTION][:stricter]
    places = instance.demand.sum() / load / 6 / instance.clock.num_waves / 4
    rate = np.full(6, (np.ceil(places) + 0.01) * 4 / instance.settings.targets.max_load)
    sites = replace(instance.sites, lanes=np.ones(6, dtype=np.int64), people_per_lane_hour=rate)
    return instance.replace(sites=sites, communities=replace(instance.communities, zone=zone))


@pytest.mark.parametrize("seed", range(4))
def test_nearly_full_sites_leave_nobody_out(seed: int) -> None:
    """Where 99 % of all places are needed, whole blocks are packed until everybody has one."""
    assert _reasons(_clean(_nearly_full(seed, 0.99, 0))) == {}


@pytest.mark.parametrize("seed", range(4))
def test_stricter_zones_give_places_back(seed: int) -> None:
    """Where clearing between zones would leave people out, stricter zones use fewer sites."""
    assert _reasons(_clean(_nearly_full(seed, 0.92, 2))) == {}


@pytest.mark.parametrize(("seed", "load", "stricter"), [(2, 0.9, 1), (1, 0.85, 1)])
def test_zones_settle_where_places_are_scarce(
    seed: int, load: float, stricter: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stricter zones that know what they make dear cost less than those that move once."""
    monkeypatch.setattr(planner, "OTHER_WAYS", ())
    instance = _nearly_full(seed, load, stricter)
    settled = _clean(instance).summary
    monkeypatch.setattr(planner, "settle_strict_zones", exchange_strict_zones)
    moved_once = _clean(instance).summary
    assert settled["terms"]["unserved"] == moved_once["terms"]["unserved"] == 0
    assert settled["objective"] < moved_once["objective"]


def test_where_labs_are_short_the_best_time_to_spare_is_taken(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Stricter zones get more or less time for their tubes, whichever costs less in all."""
    monkeypatch.setattr(planner, "SMALL_ROUND", 0)  # tubes' empty places have no price in any way
    short = Recipe(num_communities=9, num_sites=6, num_labs=2, hours=16.0, days=2, lab_slack=0.5)
    instance = random_instance(11, short)
    quota, spares = site_quota(instance), planner.SPARE_WHERE_SHORT_MIN

    def cost(tried: tuple[int, ...]) -> float:
        monkeypatch.setattr(planner, "SPARE_WHERE_SHORT_MIN", tried)
        _, found = planner.solve_round(instance, quota, 0, lambda _stage, _gap: None)
        assert found.calls.people.sum() == instance.demand.sum()
        return found.cost

    alone = [cost((spare,)) for spare in spares]
    assert cost(spares) == pytest.approx(min(alone))
    assert min(alone) < max(alone)


def test_other_orders_of_sites_make_small_rounds_cheaper(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first order is kept unless another one is cheaper, and some other is in some round."""
    recipe = Recipe(num_communities=24, blocks_per_community=3, num_sites=8, days=2, lanes=(1, 2),
                    special=False)  # fmt: skip
    costs = []
    for orders in (0, 4):
        monkeypatch.setattr("scheduler.solve.planner.ORDERS", orders)
        plans = [make_plan(random_instance(seed, recipe)) for seed in (1, 3)]
        costs.append([plan.summary["objective"] for plan in plans])
    assert all(more <= few + 1e-6 for few, more in zip(*costs, strict=True))
    assert any(more < few - 1.0 for few, more in zip(*costs, strict=True))
