"""Blocks go into runs near what labs should get, in tubes that are worth their places."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

import numpy as np
import pytest

from scheduler.domain.city import Floats
from scheduler.domain.settings import Zone
from scheduler.solve.day_shares import missing
from scheduler.solve.layout import Layout
from scheduler.solve.runs import Task, people_by_run, run_ends, settle, split
from scheduler.solve.streams import Streams
from scheduler.solve.volumes import Volumes
from scheduler.solve.waves import Load, tube_rows

PER_WAVE, QUOTA, POOL = 4, 28, 10
RUNS = [0, 0, 1, 1]  # of the waves: a wave has 112 places, two of them in a tube of their own
FULL = 2 * (PER_WAVE * QUOTA // POOL * POOL)


def task_of(blocks: list[list[int]], strict: int = 0) -> Task:
    """Return streams that are sites and groups of their own; ``blocks[stream]`` are people.

    The first ``strict`` ones are of a stricter zone and have all their blocks in the first run.
    """
    count = len(blocks)
    people = np.array([p for some in blocks for p in some])
    numbers = np.split(np.arange(len(people)), np.cumsum([len(b) for b in blocks])[:-1])
    pieces = np.array([(r, w, w * PER_WAVE, (w + 1) * PER_WAVE) for w, r in enumerate(RUNS)])
    first = pieces[:1].copy()
    number, one = np.arange(count), np.ones(count, dtype=np.int64)
    zone = np.array([Zone.CONTROL if s < strict else Zone.NORMAL for s in range(count)])
    layout = Layout(number, zone, number, [np.array([s]) for s in range(count)],
                    [first if s < strict else pieces for s in range(count)])  # fmt: skip
    fixed = [[numbers[s]] if s < strict else None for s in range(count)]
    streams = Streams(number.tolist(), [int(z) for z in zone], [[]] * count, list(numbers), fixed)
    places = np.full((count, len(RUNS) * PER_WAVE), QUOTA)
    return cast(
        "Task",
        SimpleNamespace(
            streams=streams, layout=layout, wide=layout, people=people, packed={},
            load=Load(one * QUOTA, places, one * POOL, np.full(count, 0.005), 15),
            topped=np.zeros((count, len(RUNS)), dtype=bool), tube_worth=np.zeros(count),
            lab_cost=np.ones((count, len(RUNS))), turn=np.arange(count),
        ),
    )  # fmt: skip


def halves(task: Task) -> list[Floats]:
    """Return the wish that each run gets half of its stream."""
    return [np.full(2, 0.5)] * len(task.streams)


def test_a_run_takes_no_more_than_its_full_tubes_hold() -> None:
    """One more block would fit into the first run, and leave eight empty places in each wave."""
    task = task_of([[112, 112, 108, 104]])
    task.lab_cost[:] = 0
    assert people_by_run(task, split(task, [np.array([0.75, 0.25])])).max() <= FULL


def test_a_run_takes_every_place_that_is_worth_a_tube() -> None:
    """Where the last places of a wave pay for the tube they begin, the first run is full."""
    task = task_of([[112, 112, 100, 100]])
    task.topped[:], task.lab_cost[:] = True, 0
    found = people_by_run(task, split(task, [np.array([0.75, 0.25])]))
    assert found[0, 0] == 2 * PER_WAVE * QUOTA


def test_more_people_than_full_tubes_hold_find_a_place() -> None:
    """Where all full tubes are too few every place is taken."""
    task = task_of([[112] * 4])
    assert people_by_run(task, split(task, halves(task))).sum() == 4 * 112


def test_what_others_have_taken_does_not_come_back() -> None:
    """A stream that has given a block to another, and taken one, settles with neither twice."""
    task = task_of([[100, 60, 40], [70, 60, 60]])
    runs = [[np.array([0]), np.array([3, 2])], [np.array([1]), np.array([4, 5])]]
    settle(task, runs, {(int(Zone.NORMAL), 8): 80.0, (int(Zone.NORMAL), 16): -80.0})
    assert sorted(np.concatenate([b for blocks in runs for b in blocks]).tolist()) == list(range(6))


def test_streams_make_up_for_what_the_city_misses() -> None:
    """The stream with most blocks sends 40 people more in the first run, in full tubes."""
    task = task_of([[50, 50], [60, 40, 20, 30, 10, 40]])
    runs = split(task, halves(task))
    before = people_by_run(task, runs)
    end = run_ends(task, 1)[0]
    owed = {end: 40.0}
    settle(task, runs, owed)
    after = people_by_run(task, runs)
    assert after[:, 0].sum() == before[:, 0].sum() + 40
    assert after.sum() == before.sum()
    assert owed[end] == pytest.approx(0.0)


def test_what_is_missing_counts_tubes_of_stricter_zones() -> None:
    """Theirs end before the first run does, and spare it two of the three tubes it is short of."""
    task = task_of([[20], [100, 100]], strict=1)
    runs = split(task, halves(task))
    rows = tube_rows(task.layout, task.load, people_by_run(task, runs))
    tubes = np.array([[0.0, 0, 0, 0], [7.0, 6.0, 5.0, 5.0]])
    found = missing(task, rows, Volumes(tubes, np.zeros(tubes.shape, dtype=bool)))
    first, second = run_ends(task, 1)
    assert found == {first: pytest.approx(10.0), second: pytest.approx(0.0)}
