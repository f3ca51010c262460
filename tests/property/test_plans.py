"""Whatever the round, the plan that the solver returns passes ``verify``, and its bound is one."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from scheduler.domain.instance import Instance
from scheduler.domain.plan import Plan
from scheduler.domain.verify import verify
from scheduler.solve import make_plan
from tests.effort import little_effort
from tests.rounds import Recipe, random_instance

ROUNDS = int(os.environ.get("NAT_SCHEDULER_TEST_ROUNDS", "80"))
"""Random rounds per test; set it to thousands for a night's search."""

ALL_DAY, NIGHT, SPLIT = ((0, 1440),), ((1200, 1680),), ((480, 690), (780, 1080))
ODD, SHORT, OFFICE = ((367, 901),), ((0, 60),), ((490, 725), (735, 1330))
STARTS = tuple(
    datetime.fromisoformat(text)
    for text in (
        *("2020-12-22T06:00", "2020-12-22T06:30", "2020-12-22T20:15"),
        *("2021-03-27T22:00", "2021-10-30T20:30"),  # clocks change in these nights in Berlin
    )
)


@st.composite
def recipes(draw: st.DrawFn) -> Recipe:
    """Draw a round: small in people, wide in rules."""
    slot = draw(st.sampled_from((15, 10, 20, 30)))
    return Recipe(
        num_communities=draw(st.integers(1, 9)),
        blocks_per_community=draw(st.integers(1, 6)),
        num_sites=draw(st.integers(1, 8)),
        num_labs=draw(st.integers(1, 4)),
        hours=draw(st.sampled_from((8.0, 1.0, 2.0, 4.5, 12.0, 16.0))),
        days=draw(st.integers(1, 3)),
        span_km=draw(st.sampled_from((6.0, 1.0, 40.0))),
        people=draw(st.sampled_from(((40, 120), (0, 20), (1, 60), (100, 300), (1, 600), (5, 5)))),
        lanes=(1, draw(st.integers(1, 5))),
        lab_slack=draw(st.sampled_from((1.1, 0.3, 0.9, 2.0))),
        tubes_per_hour=draw(st.sampled_from((None, 1, 3, 50))),
        special=draw(st.booleans()),
        split_hours=draw(st.booleans()),
        pools=draw(st.tuples(*[st.sampled_from((10, 1, 3, 5, 20))] * 4)),
        slot_minutes=slot,
        wave_minutes=slot * draw(st.sampled_from((4, 1, 2, 3, 6, 8))),
        result_hours=draw(st.sampled_from((6.0, 3.0, 4.25, 24.0))),
        start=draw(st.sampled_from(STARTS)),
        timezone=draw(
            st.sampled_from(("Asia/Shanghai", "Asia/Kolkata", "Asia/Kathmandu", "Europe/Berlin"))
        ),
        odd_end_min=draw(st.sampled_from((0, 7, -20, 45))),
        site_hours=draw(
            st.sampled_from(((), (ALL_DAY,), (SPLIT, NIGHT), (SHORT, ODD, ALL_DAY), (SHORT,)))
        ),
        lab_hours=draw(
            st.sampled_from(((ALL_DAY,), (((480, 1320),),), (OFFICE, ALL_DAY), (NIGHT,)))
        ),
        lab_pools=draw(st.sampled_from((((),), ((10, 20), ()), ((1,), (10,)), ((7,),)))),
        lab_day_share=draw(st.sampled_from((None, 0.1, 0.4))),
        max_holding_min=draw(st.sampled_from((240, 30, 60, 90, 600))),
        max_walk_m=draw(st.sampled_from((3000, 0, 500, 50_000))),
        cross_district=draw(st.booleans()),
        clearing_min=draw(st.sampled_from((30, 0, 20, 120))),
        max_homebound=draw(st.sampled_from((2, 0, 50))),
        known_travel=draw(st.sampled_from((0.0, 0.5, 1.0))),
        empty_communities=draw(st.sampled_from((0, 0, 1, 20))),
        queue_length_m=draw(st.sampled_from((200.0, 0.5, 5.0, 30.0))),
        zone_sites=draw(st.booleans()),
    )


@pytest.fixture(autouse=True, scope="module")
def _give_up_early() -> Iterator[None]:
    """Let CP-SAT give up early: its answers are looked at here, not how good they are."""
    with pytest.MonkeyPatch.context() as patch:
        little_effort(patch)
        yield


quick = settings(
    max_examples=ROUNDS,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
seeds = st.integers(0, 2**16)


@quick
@given(seed=seeds, recipe=recipes())
def test_every_plan_is_clean(seed: int, recipe: Recipe) -> None:
    """No plan breaks a hard rule, loses anybody, or costs less than its lower bound."""
    instance = random_instance(seed, recipe)
    _check(instance, make_plan(instance))


def _check(instance: Instance, plan: Plan) -> None:
    """Assert that a plan breaks no rule, loses nobody and costs no less than its bound."""
    event(plan.summary["status"])
    assert verify(instance, plan, revision="0001") == []
    assert _accounted(plan).equals(_people(instance))
    assert 0 <= plan.summary["best_bound"] <= plan.summary["objective"]


def _people(instance: Instance) -> pd.Series[int]:
    people = pd.Series(instance.blocks.people, index=instance.blocks.ids.astype(str))
    return people[people > 0].sort_index()


def _accounted(plan: Plan) -> pd.Series[int]:
    """Return people per block that are called or listed."""
    both = pd.concat(
        [table[["block_id", "people"]] for table in (plan.assignments, plan.unserved)]
    ).astype({"block_id": str})
    people: pd.Series[int] = both.groupby("block_id")["people"].sum().sort_index()
    return people.astype(np.int64).rename_axis(None).rename(None)


@settings(quick, max_examples=max(10, ROUNDS // 8))
@given(seed=seeds, recipe=recipes())
def test_the_same_seed_gives_the_same_plan(seed: int, recipe: Recipe) -> None:
    """Input, settings and seed decide every cell."""
    one, two = (make_plan(random_instance(seed, recipe), seed=seed) for _ in range(2))
    for table in ("assignments", "consignments", "lab_load", "unserved"):
        pd.testing.assert_frame_equal(getattr(one, table), getattr(two, table))
    assert one.summary == two.summary


@settings(quick, max_examples=max(10, ROUNDS // 4))
@given(seed=seeds, recipe=recipes(), slack=st.sampled_from((0.5, 0.7, 0.9)))
def test_rounds_whose_labs_are_short_are_clean(seed: int, recipe: Recipe, slack: float) -> None:
    """Filling tubes, pausing and moving between days lose nobody and break no rule."""
    short = replace(recipe, lab_slack=slack, tubes_per_hour=None, hours=12.0, people=(40, 120))
    instance = random_instance(seed, short)
    _check(instance, make_plan(instance))


@settings(quick, max_examples=max(10, ROUNDS // 8))
@given(seed=seeds, recipe=recipes())
def test_more_labs_never_raise_the_bound(seed: int, recipe: Recipe) -> None:
    """With ample labs the old plan is still allowed, so the new bound may not pass its cost."""
    instance = random_instance(seed, recipe)
    objective = make_plan(instance).summary["objective"]
    labs = instance.labs
    ample = replace(
        labs,
        tubes_per_hour=np.full(len(labs), 10_000),
        max_tubes_per_day=np.full(len(labs), -1),
        pool_sizes=((),) * len(labs),
    )
    bound = make_plan(instance.replace(labs=ample)).summary["best_bound"]
    assert bound <= objective * (1 + 1e-9) + 1e-6
