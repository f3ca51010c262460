"""Whatever happens during whatever round, the re-plan keeps every rule and moves who must move."""

from __future__ import annotations

import os

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scheduler.errors import NoPlanError
from scheduler.solve import make_plan
from tests.effort import no_effort
from tests.replans import (
    breaches,
    mended,
    next_standing,
    random_events,
    random_progress,
    standing_on,
)
from tests.rounds import Recipe, random_instance

ROUNDS = int(os.environ.get("NAT_SCHEDULER_TEST_ROUNDS", "60"))


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    no_effort(monkeypatch)  # how good the plans are is tested elsewhere


@st.composite
def recipes(draw: st.DrawFn) -> Recipe:
    """Draw a round: small in people, wide in rules."""
    return Recipe(
        num_communities=draw(st.integers(1, 7)),
        blocks_per_community=draw(st.integers(1, 5)),
        num_sites=draw(st.integers(1, 7)),
        num_labs=draw(st.integers(1, 4)),
        hours=draw(st.sampled_from((8.0, 4.5, 12.0))),
        days=draw(st.integers(1, 2)),
        people=draw(st.sampled_from(((40, 120), (1, 60), (100, 300)))),
        lanes=(1, draw(st.integers(1, 4))),
        lab_slack=draw(st.sampled_from((1.1, 0.9, 2.0))),
        special=draw(st.booleans()),
        split_hours=draw(st.booleans()),
        zone_sites=draw(st.booleans()),
        pools=draw(st.sampled_from(((1, 10, 10, 10), (1, 5, 10, 20), (3, 3, 3, 3)))),
        lab_pools=draw(st.sampled_from((((),), ((), (1, 5, 10)))),),
        lab_hours=draw(st.sampled_from((((),), (((0, 1440),), ((480, 1200),))))),
        lab_day_share=draw(st.sampled_from((None, 0.5))),
        wave_minutes=draw(st.sampled_from((60, 30, 120))),
        max_holding_min=draw(st.sampled_from((240, 150))),
        cross_district=draw(st.booleans()),
        span_km=draw(st.sampled_from((6.0, 40.0))),
        known_travel=draw(st.sampled_from((0.0, 0.5))),
    )  # fmt: skip


@settings(
    max_examples=ROUNDS,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(recipe=recipes(), seed=st.integers(0, 10_000))  # fmt: skip
def test_every_replan_is_clean(recipe: Recipe, seed: int) -> None:
    """Any events and progress at any moment, twice in a row: no breach, and nobody is forgotten."""
    instance = random_instance(seed, recipe)
    plan = make_plan(instance, seed=0)
    rng = np.random.default_rng(seed)
    now = int(rng.integers(-30, instance.clock.end_min))
    standing = standing_on(instance, plan, now, random_events(rng, instance, now))
    for later in (int(rng.integers(0, 90)), 0):
        progress = random_progress(rng, instance, plan, standing.now_min)
        try:
            answer, new = mended(standing, progress)
        except NoPlanError:
            return  # labs were shut for good while tubes were on their way
        if not answer.changed:
            return
        assert breaches(standing, answer, new) == []
        gone = answer.moved.people + int(answer.moved.dropped.sum())
        assert sum(answer.must_leave.values()) <= gone
        standing = next_standing(standing, answer, new, later)


@settings(
    max_examples=20,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(recipe=recipes(), seed=st.integers(0, 10_000))  # fmt: skip
def test_nothing_happens_nothing_changes(recipe: Recipe, seed: int) -> None:
    """Without events and with everybody sampled, no call is touched at any moment."""
    instance = random_instance(seed, recipe)
    plan = make_plan(instance, seed=0)
    now = int(np.random.default_rng(seed).integers(0, instance.clock.end_min))
    answer, _ = mended(standing_on(instance, plan, now, []))
    assert not answer.changed
    assert answer.moved.people == 0
