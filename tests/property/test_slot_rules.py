"""Random rounds with a profile of opening hours and a most of people in the whole city."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from scheduler.domain.instance import Instance
from scheduler.domain.settings import SlotSettings
from scheduler.domain.verify import verify
from scheduler.errors import NoPlanError
from scheduler.solve import exact, make_plan
from tests.property.test_plans import ROUNDS, quick, recipes, seeds
from tests.property.test_replans import recipes as days
from tests.replans import breaches, mended, random_events, random_progress, standing_on
from tests.rounds import Recipe, random_instance

PER_SLOT = (0.0, 0.5, 1.0, 1.1, 2.0, 5.0)
"""The city's most as a multiple of the people of a round spread evenly over its slots; 0: none."""


@pytest.fixture(autouse=True, scope="module")
def _little_effort() -> Iterator[None]:
    """Let the exact search give up early: rules are looked at here, not how good plans are."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(exact, "EFFORT", 0.02)
        patch.setattr(exact, "MOST_MIP_EFFORT", 0)
        yield


shapes = st.builds(
    SlotSettings,
    profile=st.sampled_from(("flat", "elbow")),
    edge_min=st.sampled_from((60, 15, 30, 120, 600)),
    edge_share=st.sampled_from((0.5, 0.1, 0.9, 0.01)),
)


def _with(instance: Instance, slots: SlotSettings, times: float) -> Instance:
    most = int(instance.demand.sum() * times / max(1, instance.clock.num_slots))
    slots = replace(slots, city_people=max(1, most) if times else 0)
    return instance.replace(settings=replace(instance.settings, slots=slots))


@settings(quick, max_examples=max(8, ROUNDS // 8))
@given(seed=seeds, recipe=recipes(), slots=shapes, times=st.sampled_from(PER_SLOT))
def test_every_plan_keeps_to_profile_and_city(
    seed: int, recipe: Recipe, slots: SlotSettings, times: float
) -> None:
    """No slot of a site has more than its profile, none of the city more than its most."""
    instance = _with(random_instance(seed, recipe), slots, times)
    plan = make_plan(instance)
    event(f"{slots.profile} {times} {plan.summary['status']}")
    assert verify(instance, plan, revision="0001") == []
    both = (plan.assignments["people"], plan.unserved["people"])
    assert sum(int(people.sum()) for people in both) == int(instance.blocks.people.sum())
    assert plan.summary["best_bound"] <= plan.summary["objective"]


@settings(quick, max_examples=max(4, ROUNDS // 16))
@given(seed=seeds, recipe=days(), slots=shapes, times=st.sampled_from((0.0, 1.1, 2.0)))
def test_every_replan_keeps_to_profile_and_city(
    seed: int, recipe: Recipe, slots: SlotSettings, times: float
) -> None:
    """Whatever happens, nobody is moved into a slot that site or city have no room in."""
    instance = _with(random_instance(seed, recipe), slots, times)
    plan = make_plan(instance)
    rng = np.random.default_rng(seed)
    now = int(rng.integers(-30, instance.clock.end_min))
    standing = standing_on(instance, plan, now, random_events(rng, instance, now))
    try:
        answer, new = mended(standing, random_progress(rng, instance, plan, now))
    except NoPlanError:
        return  # labs were shut for good while tubes were on their way
    event(f"changed: {answer.changed}")
    if answer.changed:
        assert breaches(standing, answer, new) == []
