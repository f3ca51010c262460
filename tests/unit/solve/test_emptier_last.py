"""Tubes that are not full change hours with full ones where people must wait."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from scheduler.domain.city import Ints
from scheduler.domain.verify import verify
from scheduler.solve import call_and_ship, make_plan
from scheduler.solve.consign import Batches, Shipments
from scheduler.solve.emptier_last import Starts, emptier_last
from scheduler.solve.reach import Promise
from scheduler.solve.timeline import LabHours
from tests.effort import no_effort
from tests.rounds import Recipe, random_instance

HOURS, POOL = 12, np.array([10])
SHORT = Recipe(num_communities=9, num_sites=6, num_labs=2, hours=16.0, days=2, lab_slack=0.7)


def starts(wave: Ints, due_min: int, processing_min: tuple[int, ...] = (0,)) -> Starts:
    """Return starts at labs that are always open, ten minutes from all sites."""
    begin, labs = 60 * np.arange(HOURS), len(processing_min)
    hours = LabHours(
        begin, np.full((labs, HOURS), 5), np.tile(begin, (labs, 1)),
        np.ones((labs, 60 * HOURS), dtype=bool), np.zeros(HOURS, dtype=np.int64),
    )  # fmt: skip
    pickup = 60 * np.arange(1, 5)
    promise = Promise(pickup, pickup - 60 + due_min, np.array(processing_min))
    arrive = np.repeat(pickup[wave][:, None] + 10, labs, axis=1)
    return Starts(hours, promise, wave, arrive, np.ones(arrive.shape, dtype=bool))


def batches(people: list[int], wave: Ints) -> Batches:
    """Return batches of one stream each."""
    none = np.zeros(len(people), dtype=np.int64)
    count = np.array(people)
    return Batches(none, wave, count, -(-count // 10), none)


def sent(
    batch: list[int],
    hour: list[int],
    tubes: list[int],
    people: list[int],
    lab: tuple[int, ...] = (),
) -> Shipments:
    """Return shipments, to the first lab unless told."""
    columns = (np.array(c) for c in (batch, lab or [0] * len(batch), hour, tubes, people))
    return Shipments(*columns)


def late_people_min(ships: Shipments, begun: Starts) -> int:
    """Return the minutes that people wait in all."""
    return int((begun.late_min(ships) * ships.people).sum())


def test_a_tube_with_few_people_waits_for_a_full_one() -> None:
    """Two people wait two hours more, so that ten wait two hours less."""
    wave = np.array([0, 0])
    begun = starts(wave, 60)
    before = sent([0, 1], [5, 7], [1, 3], [2, 30])
    after = emptier_last(batches([2, 30], wave), before, POOL, begun)
    assert after.batch.tolist() == [0, 1, 1]
    assert after.hour.tolist() == [7, 5, 7]
    assert after.tubes.tolist() == [1, 1, 2]
    assert after.people.tolist() == [2, 10, 20]
    assert late_people_min(before, begun) - late_people_min(after, begun) == 8 * 120


def test_it_waits_in_any_lab_that_takes_it() -> None:
    """A slower lab gets the tube with two people in it and the other one a full tube for it."""
    wave = np.array([0, 0])
    begun = starts(wave, 60, (0, 30))
    before = sent([0, 1], [5, 5], [1, 3], [2, 30], (0, 1))
    after = emptier_last(batches([2, 30], wave), before, POOL, begun)
    found = after.batch.tolist(), after.lab.tolist(), after.people.tolist()
    assert found == ([0, 1, 1], [1, 0, 1], [2, 10, 20])
    assert late_people_min(before, begun) - late_people_min(after, begun) == 8 * 30
    closed = replace(begun, takes=np.array([[True, False], [True, True]]))
    assert emptier_last(batches([2, 30], wave), before, POOL, closed) is before


def test_no_tube_is_started_before_it_arrives() -> None:
    """A full tube that is picked up later cannot take the hour of one that is there."""
    wave = np.array([0, 3])
    before = sent([0, 1], [2, 7], [1, 1], [2, 10])
    after = emptier_last(batches([2, 10], wave), before, POOL, starts(wave, 60))
    assert after is before


def test_nothing_changes_where_nobody_is_late() -> None:
    """Labs that start all tubes in time keep their hours."""
    wave = np.array([0, 0])
    before = sent([0, 1], [5, 7], [1, 3], [2, 30])
    assert emptier_last(batches([2, 30], wave), before, POOL, starts(wave, 600)) is before


@pytest.mark.parametrize("seed", range(3))
def test_plans_are_sound_and_people_wait_less(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whole plans have no breach, and are never dearer than without the swaps."""
    no_effort(monkeypatch)
    instance = random_instance(seed, replace(SHORT, special=False))
    plan = make_plan(instance)
    assert verify(instance, plan, revision="0001") == []
    assert plan.summary["late_people"] > 0
    monkeypatch.setattr(call_and_ship, "emptier_last", lambda _batches, ships, *_: ships)
    assert plan.summary["objective"] <= make_plan(instance).summary["objective"]
