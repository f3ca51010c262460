"""The verifier's rules for re-plans: what must have stayed, and the input that events leave."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from scheduler.domain.events import Event, Kind
from scheduler.domain.overlay import lay_over
from scheduler.domain.plan import Plan
from scheduler.domain.standing import Standing
from scheduler.domain.verify import verify
from scheduler.domain.verify.effective import Effective
from scheduler.solve import exact, make_plan
from scheduler.solve.repair import Repaired
from tests.planting import again, edit, without
from tests.replans import (
    breaches,
    mended,
    next_standing,
    no_progress,
    random_events,
    standing_on,
)
from tests.rounds import Recipe, random_instance

NOW = 200
Case = tuple[Standing, Repaired, Plan]
SPOILT: dict[str, Callable[[Case], Case]] = {}


def spoils(code: str) -> Callable[[Callable[[Case], Case]], Callable[[Case], Case]]:
    """Register a function that puts one breach into a correct re-plan."""

    def register(planter: Callable[[Case], Case]) -> Callable[[Case], Case]:
        SPOILT[code] = planter
        return planter

    return register


@pytest.fixture(scope="module")
def case() -> Case:
    """Return a correct re-plan: a site closed, and people of one call missed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(exact, "EFFORT", 0.0)
        instance = random_instance(3, Recipe(num_communities=8, num_sites=6, special=False))
        plan = make_plan(instance, seed=0)
    first = plan.assignments.iloc[int(np.argmax(plan.assignments["people"]))]
    starts = plan.assignments["start"].astype(str)
    last = plan.assignments["site_id"].to_numpy()[int(np.argmax(starts.to_numpy(dtype=str)))]
    event = Event(minute=NOW - 5, kind=Kind.SITE_CLOSED, site_id=str(last))
    standing = standing_on(instance, plan, NOW, [event])
    progress = pd.DataFrame({
        "minute": [NOW], "site": [str(first["site_id"])],
        "slot": [instance.clock.minute_of_iso(str(first["start"]))],
        "block": [str(first["block_id"])], "sampled": [1],
    })  # fmt: skip
    answer, new = mended(standing, progress)
    assert answer.changed
    assert len(answer.done) > 0
    assert breaches(standing, answer, new) == []
    return standing, answer, new


def _early(case: Case) -> int:
    starts = case[2].assignments["start"].astype(str)
    return int(np.argmin(starts.to_numpy(dtype=str)))


@spoils("B201")
def _call_before_the_freeze_is_gone(case: Case) -> Case:
    return case[0], case[1], without(case[2], "assignments", _early(case))


@spoils("B203")
def _people_missing_of_a_slot_to_come(case: Case) -> Case:
    standing, answer, plan = case
    clock = standing.files.clock
    done = answer.done.astype(object)
    done.loc[0, "start"] = clock.iso(standing.frozen_min)
    return standing, replace(answer, done=done.astype({"called": int, "sampled": int})), plan


@spoils("B204")
def _lab_started_what_was_not_sent(case: Case) -> Case:
    plan, clock = case[2], case[0].files.clock
    starts = [clock.minute_of_iso(str(text)) for text in plan.consignments["start_at"]]
    row = int(np.argmin(starts))
    assert starts[row] <= NOW
    more = int(plan.consignments["tubes"].to_numpy()[row]) + 1
    return case[0], case[1], edit(plan, "consignments", row, tubes=more)


@spoils("B205")
def _moved_is_another_number(case: Case) -> Case:
    told = {**case[2].summary["replan"], "moved": case[2].summary["replan"]["moved"] + 1}
    return case[0], case[1], replace(case[2], summary={**case[2].summary, "replan": told})


@pytest.mark.parametrize("name", ["must_move", "lost_place"])
def test_a_figure_that_cannot_be_is_found(case: Case, name: str) -> None:
    """More people who must move than were moved, or who lost their place than did: B205."""
    told = {**case[2].summary["replan"], name: case[2].summary["replan"]["moved"] + 1}
    plan = replace(case[2], summary={**case[2].summary, "replan": told})
    assert {breach.code for breach in breaches(case[0], case[1], plan)} == {"B205"}


@pytest.mark.parametrize("code", SPOILT)
def test_spoilt_replan_is_found(case: Case, code: str) -> None:
    """Each rule of re-plans, broken once, is found under its code."""
    assert code in {breach.code for breach in breaches(*SPOILT[code](case))}


def test_a_summary_without_replan_is_a_breach(case: Case) -> None:
    """A plan that stands on another must say so."""
    standing, answer, plan = case
    bare = {key: value for key, value in plan.summary.items() if key != "replan"}
    found = breaches(standing, answer, replace(plan, summary=bare))
    assert {breach.code for breach in found} == {"B205"}


def test_calls_after_the_freeze_obey_the_closing(case: Case) -> None:
    """The plan as it was calls people to the closed site: its slots are not open any more."""
    standing, answer, _ = case
    found = verify(standing.files, standing.base, revision="0001",
                   standing=standing.with_done(answer.done))  # fmt: skip
    assert "B134" in {breach.code for breach in found}


def test_a_block_after_the_freeze_has_one_site(case: Case) -> None:
    """Half a block called elsewhere is a breach, as in every plan."""
    standing, answer, plan = case
    starts = plan.assignments["start"].astype(str)
    row = int(np.argmax(starts.to_numpy(dtype=str)))
    others = plan.assignments["site_id"].astype(str)
    elsewhere = next(s for s in others if s != others[row])
    spoilt = again(plan, "assignments", row, site_id=elsewhere)
    assert {"B105", "B131", "B111"} & {b.code for b in breaches(standing, answer, spoilt)}


def test_a_replan_of_a_replan_is_clean(case: Case) -> None:
    """An hour later the site opens again and nobody is moved for that."""
    standing, answer, plan = case
    site = standing.events[0].site_id
    later = next_standing(standing, answer, plan, 60)
    opened = Event(minute=NOW + 30, kind=Kind.SITE_OPENED, site_id=site)
    later = replace(later, events=(*standing.events, opened))
    second, new = mended(later, no_progress())
    assert second.moved.people == 0
    assert not second.changed
    assert new.assignments.shape == plan.assignments.shape


@pytest.mark.parametrize("seed", range(40))
def test_both_codes_lay_events_the_same_way(seed: int) -> None:
    """Planner and verifier work out the effective input apart, and agree."""
    rng = np.random.default_rng(seed)
    instance = random_instance(seed, Recipe(days=1 + seed % 2))
    standing = standing_on(instance, _nothing(), NOW, random_events(rng, instance, NOW) * 2)
    overlay = lay_over(instance, standing.events, NOW)
    world = Effective(instance, standing.events, NOW)
    assert world.instance.settings.round == overlay.instance.settings.round
    for table in ("communities", "blocks"):
        for name, column in vars(getattr(overlay.instance, table)).items():
            np.testing.assert_array_equal(getattr(getattr(world.instance, table), name), column)
    np.testing.assert_array_equal(world.shut, overlay.closed)
    np.testing.assert_array_equal(world.sealed_since(), overlay.sealed_from)
    for first, end, part in world.epochs():
        for slot in range(first, end):
            np.testing.assert_array_equal(part.sites.lanes, overlay.lanes[:, slot])
            np.testing.assert_allclose(part.sites.people_per_lane_hour, overlay.rate[:, slot])


def _nothing() -> Plan:
    none = pd.DataFrame()
    return Plan(none, none, none, none, {})
