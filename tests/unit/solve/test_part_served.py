"""Parts of blocks are served where whole ones have no place."""

from __future__ import annotations

from dataclasses import replace
from unittest.mock import patch

import numpy as np
import pytest

from scheduler.domain.verify import verify
from scheduler.solve import call_and_ship, make_plan, part_served
from tests.effort import no_effort
from tests.rounds import Recipe, random_instance

FULL = Recipe(8, 4, num_sites=2, lanes=(1, 2), hours=6.0, lab_slack=3.0, people=(60, 90))


@pytest.fixture(autouse=True)
def plans_of_flows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the plans of the flows: the exact search serves parts as well."""
    no_effort(monkeypatch)


@pytest.mark.parametrize("seed", range(3))
def test_places_that_hold_no_block_serve_parts(seed: int) -> None:
    """More people are served, one slot after the other, and the rest is told why."""
    instance = random_instance(seed, replace(FULL, special=seed == 2))
    with patch.object(call_and_ship, "serve_parts", lambda _market, calls: calls):
        before = make_plan(instance)
    plan = make_plan(instance)
    assert verify(instance, plan, revision="0001") == []
    assert plan.summary["served"] > before.summary["served"]
    assert plan.summary["objective"] < before.summary["objective"]
    called = plan.assignments.groupby("block_id", observed=True)["people"].sum()
    demand = dict(zip(instance.blocks.ids, instance.demand.tolist(), strict=True))
    torn = [block for block, people in called.items() if people < demand[block]]
    left = plan.unserved[plan.unserved["reason"].astype(str) != "home_visit"]
    assert 0 < len(torn) <= len(left)


def test_a_round_with_room_tears_no_block() -> None:
    """Whoever has a place has it with the whole block."""
    instance = random_instance(0, replace(FULL, hours=20.0, special=False))
    plan = make_plan(instance)
    called = plan.assignments.groupby("block_id", observed=True)["people"].sum()
    assert int(called.sum()) == int(instance.demand.sum())
    assert np.count_nonzero(instance.demand) == len(called)


@pytest.mark.parametrize("seed", range(2))
def test_blocks_too_large_for_every_site_are_served_in_part(seed: int) -> None:
    """Each site serves what it holds, the bound knows it, and the rest is told why."""
    short = replace(FULL, num_sites=4, lanes=(1, 1), hours=1.0, people=(200, 300), special=False)
    instance = random_instance(seed, short)
    plan = make_plan(instance)
    assert verify(instance, plan, revision="0001") == []
    assert len(np.unique(plan.assignments["site_id"].astype(str))) == 4
    left = plan.unserved[plan.unserved["reason"].astype(str) != "home_visit"]
    assert set(left["reason"].astype(str)) == {"block_too_large"}
    assert 0 < plan.summary["best_bound"] <= plan.summary["objective"] + 1e-6
    assert plan.summary["relative_gap"] < 0.05


def test_largest_parts_come_first_and_take_no_place_twice() -> None:
    """What one block takes of a run is not there for the next, whose part is found anew."""
    free = np.array([[5, 5, 5, 0], [4, 0, 0, 0]])
    best = part_served._best_part(free, [0, 1], 12)
    assert (best[0], best[1], best[2].tolist()) == (0, 0, [5, 5, 2])
    free[0, :3] -= best[2]
    stream, first, people = part_served._best_part(free, [0, 1], 9)
    assert (stream, first, people.tolist()) == (1, 0, [4])
