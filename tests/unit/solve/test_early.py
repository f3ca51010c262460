"""Tight rounds are called as early as places allow where labs have time."""

from __future__ import annotations

from dataclasses import replace
from unittest.mock import patch

import numpy as np
import pytest

from scheduler.domain.verify import verify
from scheduler.solve import early, make_plan, planner
from scheduler.solve.runs import Task
from scheduler.solve.schedule import Calls
from tests.effort import no_effort
from tests.unit.solve.test_tight import ONE_ZONE, full_round


@pytest.fixture(autouse=True)
def plans_of_flows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the plans of the flows: the exact search would mend what is tested here."""
    no_effort(monkeypatch)


def test_nobody_waits_for_full_tubes_that_labs_do_not_need() -> None:
    """Called early, a tight round costs less, and nothing is broken."""
    instance = full_round(0, replace(ONE_ZONE, special=True, num_communities=10, num_sites=8))
    with patch.object(planner, "early_as_well", lambda _task, ways: ways):
        before = make_plan(instance)
    plan = make_plan(instance)
    assert not verify(instance, plan, revision="0001")
    assert plan.summary["terms"]["finish"] < before.summary["terms"]["finish"]
    assert plan.summary["objective"] < before.summary["objective"]


def test_the_same_blocks_come_in_the_same_order_and_no_later() -> None:
    """Every block is called whole by its stream, and none ends later than it did."""
    found: list[tuple[Task, Calls, Calls]] = []
    inner = early.called_early

    def noted(task: Task, calls: Calls) -> Calls:
        found.append((task, calls, inner(task, calls)))
        return found[-1][2]

    with patch.object(early, "called_early", noted):
        make_plan(full_round(0, replace(ONE_ZONE, split_hours=True, lanes=(2, 4))))
    assert found
    for task, before, now in found:
        assert _last(now).keys() == _last(before).keys()
        for key, (slot, people) in _last(now).items():
            assert people == _last(before)[key][1] == task.people[key[0]]
            assert slot <= _last(before)[key][0]
        load = np.zeros_like(task.load.places)
        np.add.at(load, (now.stream, now.slot), now.people)
        assert (load <= task.load.places).all()


def _last(calls: Calls) -> dict[tuple[int, int], tuple[int, int]]:
    """Return the last slot and the people of each (block, stream)."""
    found: dict[tuple[int, int], tuple[int, int]] = {}
    columns = (calls.block, calls.stream, calls.slot, calls.people)
    for block, stream, slot, people in zip(*(c.tolist() for c in columns), strict=True):
        last, sum_before = found.get((block, stream), (-1, 0))
        found[block, stream] = max(last, slot), sum_before + people
    return found
