"""Parts of blocks are served where whole ones have no place."""

from __future__ import annotations

from dataclasses import replace
from unittest.mock import patch

import numpy as np
import pytest

from scheduler.domain.verify import verify
from scheduler.solve import call_and_ship, make_plan
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
