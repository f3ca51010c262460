"""Safety margins set from the simulation."""

from __future__ import annotations

from dataclasses import replace

import pytest

from scheduler.app.certify import certify
from scheduler.app.runtime import silent
from scheduler.domain.instance import Instance
from scheduler.domain.metrics import summarise
from scheduler.domain.plan import Plan
from scheduler.domain.verify import verify
from scheduler.solve import make_plan
from tests.effort import no_effort
from tests.handmade import greedy_plan
from tests.rounds import Recipe, random_instance

BUSY = Recipe(special=False, num_communities=6, num_sites=4, num_labs=2, hours=8, result_hours=5.0,
              people=(80, 120), lab_slack=2.0)  # fmt: skip


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Search no small round: how good the plans are is not tested here."""
    no_effort(monkeypatch)


def made(instance: Instance) -> Plan:
    return make_plan(instance)


def round_with(rate: int, queue_m: float = 200.0) -> Instance:
    """Return a round of two laboratories with this rate, and sites with such a ground."""
    instance = random_instance(8, replace(BUSY, tubes_per_hour=rate, queue_length_m=queue_m))
    rules = replace(instance.settings.simulate, replications=10)
    return instance.replace(settings=replace(instance.settings, simulate=rules))


def test_a_plan_that_does_not_hold_gets_margins_until_it_does() -> None:
    """Rule: the certified plan holds, is clean, and is measured by the true round."""
    instance = round_with(40)
    plain = made(instance)
    found = certify(instance, made, seed=0, report=silent)
    assert found.reached
    assert found.about["plans_made"] > 1
    assert found.about["share_in_time"] >= 0.95
    assert found.about["margins"]["promise_min"] > 0
    assert verify(instance, found.plan) == []
    tables = found.plan
    summary = summarise(instance, tables, best_bound=plain.summary["best_bound"], seed=0,
                        revision="0001")  # fmt: skip
    assert {k: tables.summary[k] for k in summary} == summary
    assert tables.summary["best_bound"] <= tables.summary["objective"]


def test_a_plan_that_holds_is_left_as_it_is() -> None:
    """Rule: no margin where none is needed."""
    instance = random_instance(8, replace(BUSY, tubes_per_hour=4000, result_hours=20.0))
    found = certify(instance, made, seed=0, report=silent)
    assert found.reached
    assert found.about["plans_made"] == 1
    assert found.about["margins"] == {"promise_min": 0, "lab_share": 1.0, "labs": {}, "sites": {}}


def test_a_promise_beyond_reach_is_said_to_be() -> None:
    """Rule: where no margin helps the best plan is kept, and why results come late."""
    found = certify(round_with(9), greedy_plan, seed=0, report=silent)
    assert not found.reached
    assert "size" in found.about["why_late"]
    assert found.about["share_in_time"] < 0.95


def test_a_ground_beyond_reach_is_named() -> None:
    """Rule: sites where groups of 40 form on a ground of 20 are named, each with the reason."""
    instance = round_with(4000, queue_m=20.0)
    groups = replace(instance.settings.simulate, group_people=40, group_wait_min=60.0)
    instance = instance.replace(settings=replace(instance.settings, simulate=groups))
    found = certify(instance, made, seed=0, report=silent)
    assert not found.reached
    assert found.about["sites_beyond_ground"] == len(found.about["sites"]) > 0
    site = found.about["sites"][0]
    assert site["level"] < 0.95
    assert site["places"] == 20 < site["peak_queue"]
    assert f"{site['peak_queue']} people stand there at once" in site["why"]
