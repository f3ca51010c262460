"""Tight rounds are called as early as places allow where labs have time."""

from __future__ import annotations

from dataclasses import dataclass, replace
from unittest.mock import patch

import numpy as np
import pytest

from scheduler.domain.verify import verify
from scheduler.solve import call_and_ship, early, make_plan
from scheduler.solve.early import best_early
from scheduler.solve.network import Reach
from scheduler.solve.runs import Task
from scheduler.solve.schedule import Calls
from tests.effort import no_effort
from tests.rounds import Recipe
from tests.unit.solve.test_tight import ONE_ZONE, full_round

NONE = np.empty((0, 0))
COUNTS = NONE.astype(np.int64)
NOWHERE = Reach(COUNTS, NONE > 0, NONE, COUNTS, COUNTS, NONE > 0)


@pytest.fixture(autouse=True)
def plans_of_flows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the plans of the flows: the exact search would mend what is tested here."""
    no_effort(monkeypatch)


def test_nobody_waits_for_full_tubes_that_labs_do_not_need() -> None:
    """Called early, a tight round costs less, and nothing is broken."""
    instance = full_round(0, replace(ONE_ZONE, special=True, num_communities=10, num_sites=8))
    with patch.object(call_and_ship, "best_early", lambda _task, way, reckon, _waves: reckon(*way)):
        before = make_plan(instance)
    plan = make_plan(instance)
    assert not verify(instance, plan, revision="0001")
    assert plan.summary["terms"]["finish"] < before.summary["terms"]["finish"]
    assert plan.summary["objective"] < before.summary["objective"]


def test_the_same_blocks_come_in_the_same_order_and_no_later() -> None:
    """Every block is called whole by its stream, and none ends later than it did."""
    found = _noted(replace(ONE_ZONE, split_hours=True, lanes=(2, 4)))
    assert found
    for task, before, now in found:
        assert _last(now).keys() == _last(before).keys()
        for key, (slot, people) in _last(now).items():
            assert people == _last(before)[key][1] == task.people[key[0]]
            assert slot <= _last(before)[key][0]
        load = np.zeros_like(task.load.places)
        np.add.at(load, (now.stream, now.slot), now.people)
        assert (load <= task.load.places).all()


def test_as_many_streams_are_early_as_labs_have_time_for() -> None:
    """Where only some may be early, nearly so many are, and nobody waits longer than before."""
    task, before, early_calls = _noted(replace(ONE_ZONE, num_communities=20, num_sites=16))[0]
    every, streams = _early(before, early_calls), len(task.streams)
    assert every > 3
    for most in range(every + 1):

        def reckon(calls: Calls, _reach: Reach, most: int = most) -> Early:
            """Let labs lack time where more than ``most`` streams are early."""
            now = _early(before, calls)
            return Early(now, float(calls.slot @ calls.people) + 1e9 * (now > most))

        found = best_early(task, (before, NOWHERE), reckon, (4, 96))
        assert most - 1 - streams // 32 <= found.streams <= most
        assert found.cost <= float(before.slot @ before.people)


@dataclass(frozen=True)
class Early:
    """How many streams are early, and what that costs."""

    streams: int
    cost: float


def _early(before: Calls, calls: Calls) -> int:
    """Return how many streams are not called as they were before."""
    streams = np.unique(before.stream).tolist()
    return sum(_rows(before, s) != _rows(calls, s) for s in streams)


def _rows(calls: Calls, stream: int) -> list[tuple[int, ...]]:
    """Return the rows of a stream, in order."""
    some = calls.where(calls.stream == stream)
    return sorted(zip(some.block.tolist(), some.slot.tolist(), some.people.tolist(), strict=True))


def _noted(recipe: Recipe) -> list[tuple[Task, Calls, Calls]]:
    """Return what was called early in a round that is nearly full: task, calls before and after."""
    found: list[tuple[Task, Calls, Calls]] = []
    inner = early.called_early

    def noted(task: Task, calls: Calls) -> Calls:
        found.append((task, calls, inner(task, calls)))
        return found[-1][2]

    with patch.object(early, "called_early", noted):
        make_plan(full_round(0, recipe))
    return found


def _last(calls: Calls) -> dict[tuple[int, int], tuple[int, int]]:
    """Return the last slot and the people of each (block, stream)."""
    found: dict[tuple[int, int], tuple[int, int]] = {}
    columns = (calls.block, calls.stream, calls.slot, calls.people)
    for block, stream, slot, people in zip(*(c.tolist() for c in columns), strict=True):
        last, sum_before = found.get((block, stream), (-1, 0))
        found[block, stream] = max(last, slot), sum_before + people
    return found
