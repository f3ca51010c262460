"""Sites of one lane: 56 places an hour are five tubes and a bit, and every empty place counts."""

from __future__ import annotations

from dataclasses import replace
from unittest.mock import patch

import numpy as np
import pytest

from scheduler.domain.verify import verify
from scheduler.solve import make_plan, planner, schedule
from scheduler.solve.waves import tubes_needed
from tests.effort import no_effort
from tests.rounds import Recipe, random_instance

ONE_LANE = Recipe(
    20, 4, num_sites=12, num_labs=3, hours=16.0, special=False, people=(90, 150), lanes=(1, 1),
    queue_length_m=300.0, span_km=8.0, max_homebound=0,
)  # fmt: skip
NIGHTS = replace(ONE_LANE, people=(60, 100), lab_hours=(((480, 1200),),), lab_slack=1.3)
SHORT = replace(ONE_LANE, lab_slack=0.7)


@pytest.fixture(autouse=True)
def plans_of_flows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the plans of the flows."""
    no_effort(monkeypatch)


def _total(recipe: Recipe) -> float:
    found = 0.0
    for seed in range(3):
        instance = random_instance(seed, recipe)
        plan = make_plan(instance)
        assert verify(instance, plan, revision="0001") == []
        found += float(plan.summary["objective"])
    return found


def test_sites_do_not_work_late_where_labs_are_closed_by_then() -> None:
    """Blocks cannot pause, but they need not go on until their site closes."""
    with patch.object(schedule, "_in_prompt_waves", lambda *_: None):
        before = _total(NIGHTS)
    assert _total(NIGHTS) < before


def test_tubes_that_are_not_full_have_their_price(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where labs are short people may go to other sites before they begin a tube for a few."""
    before = _total(SHORT)
    monkeypatch.setattr(planner, "SMALL_ROUND", 1_000)  # such rounds are planned both ways
    monkeypatch.setattr(planner, "ORDERS", 0)
    assert _total(SHORT) < 0.99 * before


def test_waves_worth_their_last_tube_get_it_as_long_as_there_are_people() -> None:
    """729 people fill the last tubes of twelve waves of 56 places, not of all sixteen or none."""
    room, worth = np.full((1, 16), 56), np.ones((1, 16), dtype=bool)
    _, per_wave = tubes_needed(np.array([729]), np.array([10]), room, worth)
    assert per_wave.tolist() == [[6] * 12 + [5] * 4]
