"""What the report counts, against the tiny round set down by hand and against itself."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from scheduler.domain.plan import Plan
from scheduler.publish.report.facts import Facts
from scheduler.publish.report.hours import hour_axis, lab_capacity
from scheduler.publish.report.page import ASSETS, report_html
from scheduler.publish.report.payload import report_payload
from scheduler.publish.schedule import Schedule
from scheduler.publish.words import page_words
from scheduler.solve.spacing import site_quota
from tests.handmade import greedy_plan
from tests.pages import nobody_called
from tests.plans import CAPACITY, tiny_instance, tiny_plan
from tests.rounds import Recipe, random_instance

ECHARTS_SHA256 = "b66b25aeb4df84e33199dc21694014d336d222cbd9deb0e5a7c14bd6aa0d0fd0"
"""Of version 6.1.0."""
NOTHING: dict[str, Any] = {"simulations": [], "size": {}, "coverage": {}, "boundaries": []}


def _payload(schedule: Schedule, before: tuple[str, Plan] | None = None) -> dict[str, Any]:
    quota = site_quota(schedule.instance)
    return report_payload(schedule, quota, breaches=[], before=before, extras=NOTHING)


@pytest.fixture(scope="module")
def schedule() -> Schedule:
    """Return the tiny round: a late lab, home visits, a block without a team, one too large."""
    instance = tiny_instance()
    return Schedule(instance, tiny_plan(instance), "0001")


@pytest.fixture(scope="module")
def tiny(schedule: Schedule) -> dict[str, Any]:
    """Return the payload of the tiny round."""
    return _payload(schedule)


def test_headline_figures_can_be_followed_on_paper(tiny: dict[str, Any]) -> None:
    """Rule: the figures of the city and of each district are those of the plan's files."""
    city, a, b = tiny["figures"]
    assert [city[k] for k in ("people", "called", "home", "unserved")] == [740, 226, 4, 510]
    assert [a[k] for k in ("people", "called", "home", "unserved")] == [240, 226, 4, 10]
    assert [b[k] for k in ("communities", "people", "called", "first", "last")] == [
        1,
        500,
        0,
        -1,
        -1,
    ]
    assert (city["first"], city["last"], city["tubes"], city["labsUsed"]) == (0, 90, 41, 2)
    assert (city["sites"], city["sitesUsed"], b["walkMean"]) == (12, 2, -1)


def test_hours_hold_every_person_and_tube(tiny: dict[str, Any]) -> None:
    """Rule: the curves add up to the plan; an hour of a lab that opens in it counts in part."""
    hours = tiny["hours"]
    assert hours["labels"][:2] == ["12-22 06:00", "12-22 07:00"]
    assert np.sum(hours["people"], axis=0)[:2].tolist() == [127, 99]
    assert np.sum(hours["arrived"]) == np.sum(hours["started"]) == sum(hours["labs"]["tubes"]) == 41
    assert np.sum(hours["resulted"]) == 226
    labs = {"H1": 0, "H2": 1}
    for (lab, minute), tubes in CAPACITY.items():
        assert hours["labCapacity"][labs[lab]][minute // 60] == tubes


def test_times_are_spelt_for_every_minute_told(tiny: dict[str, Any]) -> None:
    """Rule: each minute that the page shows has its local time."""
    assert tiny["times"][0] == "12-22 06:00"
    firsts = [m for m in tiny["communities"]["first"] if m >= 0]
    assert all(minute in tiny["times"] for minute in firsts)


def test_people_without_a_slot_are_the_worst_off(tiny: dict[str, Any]) -> None:
    """Rule: worst first; who has no slot comes before who only walks, with the reason."""
    worst = tiny["worst"]
    burdens = [entry["burden"] for entry in worst]
    assert burdens == sorted(burdens, reverse=True)
    first, second = worst[0], worst[1]
    assert {first["community"], second["community"]} == {3, 4}
    assert {**first["rest"], **second["rest"]} == {"no_team": 10, "block_too_large": 500}
    for entry in worst:
        assert sum(entry["terms"].values()) == pytest.approx(entry["burden"], abs=0.05)


def test_late_results_are_counted() -> None:
    """Rule: with a shorter promise the late people are those of the summary."""
    instance = tiny_instance()
    targets = replace(instance.settings.targets, result_hours=5.0)
    hasty = instance.replace(settings=replace(instance.settings, targets=targets))
    plan = tiny_plan(hasty)
    payload = _payload(Schedule(hasty, plan, "0001"))
    assert plan.summary["late_people"] > 0
    assert payload["figures"][0]["late"] == plan.summary["late_people"]
    assert sum(payload["labs"]["late"]) == plan.summary["late_people"]


@pytest.mark.parametrize("seed", range(4))
def test_parts_agree_on_random_rounds(seed: int) -> None:
    """Rule: tables, curves and histograms of one report count the same people."""
    recipe = Recipe(num_communities=8, days=2, wave_minutes=30, odd_end_min=20)
    instance = random_instance(seed, recipe)
    payload = _payload(Schedule(instance, greedy_plan(instance), "0001"))
    city, *districts = payload["figures"]
    for key in ("people", "called", "home", "unserved", "tubes", "late", "communities", "sites"):
        assert city[key] == sum(d[key] for d in districts), key
    called = city["called"]
    assert sum(payload["communities"]["called"]) == sum(payload["sites"]["people"]) == called
    assert sum(payload["pairs"]["people"]) == called
    for table in (payload["hours"]["people"], *(s["people"] for s in payload["spread"].values())):
        assert np.sum(table) == called
    assert sum(payload["sent"]["tubes"]) == city["tubes"]
    json.dumps(payload, allow_nan=False)


def test_exactly_at_the_promise_is_within_it(schedule: Schedule, tiny: dict[str, Any]) -> None:
    """Rule: a bin holds its upper edge, so that people just in time are not shown as late."""
    spread = tiny["spread"]["turnaround"]
    inside = int(spread["limit"] // spread["step"])
    late = sum(sum(row[inside:]) for row in spread["people"])
    assert late == schedule.plan.summary["late_people"]


def test_nothing_changed_against_itself(schedule: Schedule) -> None:
    """Rule: against an equal plan nobody moved."""
    before = _payload(schedule, ("0000", schedule.plan))["before"]
    assert before["city"] == [226, 0, 0, 0, 0]
    assert before["figures"]["before"] == before["figures"]["after"]


def test_who_moved_is_told_by_place_and_time(schedule: Schedule) -> None:
    """Rule: another time, another site, newly called and no longer called are told apart."""
    rows = schedule.plan.assignments.copy()
    rows["site_id"] = rows["site_id"].astype(str)
    start = rows["start"].astype(str)
    c2, c1, c3 = (rows["block_id"] == b for b in ("C2-001", "C1-002", "C3-001"))
    rows["start"] = start.where(~c2, start.str.replace("06:00", "06:15"))
    rows.loc[c1, "site_id"] = "S2"
    old = replace(schedule.plan, assignments=rows[~c3])
    before = _payload(schedule, ("0000", old))["before"]
    assert before["city"] == [96, 50, 60, 20, 0]
    assert before["people"] == [[96, 50, 60, 20, 0], [0] * 5]
    gone = Schedule(schedule.instance, replace(schedule.plan, assignments=rows[~c3]), "0002")
    assert _payload(gone, ("0001", schedule.plan))["before"]["city"] == [96, 50, 60, 0, 20]


def test_a_plan_that_calls_nobody(schedule: Schedule) -> None:
    """Rule: where everybody is left out the report says so, and has no first slot."""
    payload = _payload(nobody_called(), ("0000", schedule.plan))
    city = payload["figures"][0]
    assert [city[k] for k in ("called", "unserved", "first", "walkMean")] == [0, 740, -1, -1]
    assert payload["before"]["city"] == [0, 0, 0, 0, 226]
    assert payload["worst"][0]["rest"] == {"full": 160}


def test_axis_begins_on_the_clock_hour() -> None:
    """Rule: a round that starts at half past counts by clock hours all the same."""
    instance = tiny_instance()
    moved = replace(instance.settings.round, start=instance.settings.round.start.replace(minute=30))
    late = instance.replace(settings=replace(instance.settings, round=moved))
    facts = Facts(Schedule(late, greedy_plan(late), "0001"), site_quota(late))
    axis = hour_axis(facts)
    assert axis.of(np.array([0, 29, 30, 90])).tolist() == [0, 0, 1, 2]
    assert lab_capacity(facts, axis)[1, :2].tolist() == [0, 15]


def test_page_is_one_file_and_always_the_same(tiny: dict[str, Any]) -> None:
    """Rule: the page names no other address than XML's, and the same payload gives its bytes."""
    page = report_html(tiny)
    assert page == report_html(tiny)
    own = page.replace(b"http://www.w3.org", b"").split(b"echarts={}")[0]
    assert b'src="' not in own
    assert b"@import" not in own
    assert b"\\u003c" not in page or b"</script" in page


def test_charting_library_is_the_published_one() -> None:
    """Rule: ECharts is byte for byte dist/echarts.min.js of its npm package, with its licence."""
    content = (ASSETS / "echarts.min.js").read_bytes()
    assert hashlib.sha256(content).hexdigest() == ECHARTS_SHA256
    assert b"Apache License" in (ASSETS / "echarts-LICENSE.txt").read_bytes()


def test_words_are_there_in_both_languages() -> None:
    """Rule: Chinese and English have the same words, with the same places to fill."""
    chinese, english = page_words(ASSETS, "zh"), page_words(ASSETS, "en")
    assert chinese.keys() == english.keys()
    for key, text in chinese.items():
        assert text.count("{") == english[key].count("{"), key
        assert text.strip()
