"""Safety margins: a tighter round to plan, the true one to measure."""

from __future__ import annotations

import pytest

from scheduler.domain.margins import Margins, expected_margins, tighten, with_true_capacity
from tests.plans import tiny_instance, tiny_plan


def test_a_tighter_round() -> None:
    """Rule: the promise is shorter, laboratories and named sites slower, nothing else changes."""
    margins = Margins(60, 0.9, labs={"H2": 0.5}, sites={"S2": 0.8})
    instance = tiny_instance()
    tight = tighten(instance, margins)
    assert tight.settings.targets.result_hours == 5
    assert tight.labs.tubes_per_hour.tolist() == [7, 15]
    assert tight.labs.max_tubes_per_day.tolist() == [10, -1]
    assert tight.sites.people_per_lane_hour[:3].tolist() == [60, 48, 60]
    assert tight.blocks is instance.blocks
    assert tighten(instance, Margins()) is instance


def test_the_promise_never_vanishes() -> None:
    """Rule: a margin longer than the promise leaves half an hour of it."""
    assert tighten(tiny_instance(), Margins(1000)).settings.targets.result_hours == 0.5


def test_margins_follow_the_settings() -> None:
    """Rule: two delays of a courier and a line's cycle; less of the laboratories than they can."""
    margins = expected_margins(tiny_instance())
    assert margins.promise_min == 70
    assert 0.3 < margins.lab_share < 1
    assert Margins().none
    assert not margins.none


def test_the_load_is_shown_against_what_laboratories_can() -> None:
    """Rule: lab_load.csv of a plan with margins has the true capacity, also of half hours."""
    instance = tiny_instance()
    plan = tiny_plan(instance)
    wrong = plan.lab_load.assign(capacity=1)
    found = with_true_capacity(instance, type(plan)(
        plan.assignments, plan.consignments, wrong, plan.unserved, plan.summary
    ))  # fmt: skip
    assert found.lab_load["capacity"].tolist() == plan.lab_load["capacity"].tolist()
    assert with_true_capacity(instance, plan).lab_load["capacity"].tolist() == pytest.approx(
        plan.lab_load["capacity"].tolist()
    )
