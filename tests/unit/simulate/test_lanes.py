"""Lanes against SimPy, swab by swab, and against the textbook."""

from __future__ import annotations

import numpy as np
import pytest
import simpy

from scheduler.simulate.lanes import serve, serve_groups
from tests.unit.simulate.reference import Hall, erlang_wait_min, poisson


def crowd(seed: int, rows: int, people: int) -> tuple[np.ndarray, np.ndarray]:
    """Return sorted arrivals [person, row] and swab minutes; some rows have fewer people."""
    rng = np.random.default_rng(seed)
    come = np.sort(rng.uniform(0, people * 0.4, (rows, people)), axis=1).astype(np.float32)
    for row in range(1, rows):
        come[row, people - row :] = np.inf
    swab = rng.gamma(4, 0.25, (people, rows)).astype(np.float32)
    return np.ascontiguousarray(come.T), swab


@pytest.mark.parametrize("lanes", [1, 2, 5])
@pytest.mark.parametrize(("group", "wait_min"), [(1, 0.0), (10, 3.0), (4, 100.0)])
def test_every_swab_is_that_of_an_event_simulation(lanes: int, group: int, wait_min: float) -> None:
    """Rule: each person leaves the queue and is done when SimPy says so."""
    come, swab = crowd(lanes, 3, 120)
    if group == 1:
        left, done = serve(come, swab, lanes)
    else:
        left, done = serve_groups(come, swab, lanes, group, wait_min)
    for row in range(3):
        there = np.isfinite(come[:, row])
        hall = Hall(simpy.Environment(), lanes, group, wait_min)
        hall.run(come[there, row].tolist(), swab[there, row].tolist())
        expected = sorted(hall.left), [hall.left[p] for p in sorted(hall.left)]
        assert len(expected[0]) == there.sum()
        assert left[there, row] == pytest.approx(np.array(expected[1]), abs=1e-3)
        assert done[there, row] == pytest.approx([hall.done[p] for p in expected[0]], abs=1e-3)
        assert np.isinf(left[~there, row]).all()


@pytest.mark.parametrize("lanes", [1, 3, 8])
def test_poisson_people_wait_as_erlang_says(lanes: int) -> None:
    """Rule: M/M/c has the mean wait of Erlang's formula C, within four standard errors."""
    rng = np.random.default_rng(lanes)
    rows, people, load = 200, 4000, 0.8
    come = np.cumsum(rng.exponential(1 / (load * lanes), (people, rows)), axis=0)
    left, _ = serve(
        come.astype(np.float32), rng.exponential(1.0, (people, rows)).astype(np.float32), lanes
    )
    waits = (left - come)[people // 4 :].mean(axis=0)
    error = waits.std(ddof=1) / np.sqrt(rows)
    assert abs(waits.mean() - erlang_wait_min(lanes, load * lanes, 1.0)) < 4 * error + 1e-3


def test_even_swabs_wait_as_pollaczek_and_khinchine_say() -> None:
    """Rule: M/D/1 has mean wait load / (2 (1 - load)) swabs, within four standard errors."""
    rng = np.random.default_rng(5)
    rows, people, load = 200, 4000, 0.7
    come = np.array([list(poisson(rng, load, people)) for _ in range(rows)]).T
    left, _ = serve(come.astype(np.float32), np.ones((people, rows), dtype=np.float32), 1)
    waits = (left - come)[people // 4 :].mean(axis=0)
    error = waits.std(ddof=1) / np.sqrt(rows)
    assert abs(waits.mean() - load / (2 * (1 - load))) < 4 * error + 1e-3
