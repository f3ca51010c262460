"""What the files show about a community's plan."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from scheduler.domain.explain import Explanation, Why, explain
from scheduler.domain.instance import Instance
from scheduler.domain.plan import Plan
from tests.plans import frame, iso, tiny_instance, tiny_plan

QUOTA = np.array([57, *[28] * 9, 14, 14])


def _explain(
    community: int, *, instance: Instance | None = None, plan: Plan | None = None
) -> Explanation:
    instance = instance or tiny_instance()
    return explain(instance, plan or tiny_plan(instance), community, QUOTA)


def _why(facts: Explanation, site: str) -> Why:
    return next(c.why for c in facts.candidates if c.site_id == site)


def _moved(instance: Instance, site: str) -> Plan:
    """Return the plan with the normal community sent to another site, same times."""
    plan = tiny_plan(instance)
    rows = plan.assignments
    there = rows["community_id"] == "C1"
    return replace(plan, assignments=rows.assign(site_id=rows["site_id"].where(~there, site)))


def test_people_and_visits_are_those_of_the_plan() -> None:
    """People, time and place are the plan's; a stay without a break is one visit."""
    facts = _explain(0)
    assert (facts.people, facts.called, facts.rest) == (160, 156, {"home_visit": 4})
    assert [(v.site_id, v.start, v.end, v.people) for v in facts.visits] == [("S1", 45, 90, 156)]


def test_candidates_are_sites_that_accept_the_zone_in_reach() -> None:
    """Sites within max_walk_m or among the nearest eight, and none that refuses the zone."""
    assert [c.site_id for c in _explain(0).candidates] == [f"S{n}" for n in range(1, 9)]
    control = {c.site_id for c in _explain(1).candidates}
    assert "S2" not in control  # takes normal zones only
    assert "T2" in control  # named for it


def test_lockdown_has_its_team_only() -> None:
    """A lockdown community is served by the team named for it, in place, or not at all."""
    (team,) = _explain(2).candidates
    assert (team.site_id, team.in_place, team.walk_m, team.why) == ("T1", True, 0, Why.USED)
    assert _explain(3).candidates == ()
    assert _explain(3).rest == {"no_team": 10}


def test_walks_are_great_circle_times_detour() -> None:
    """0.001 degree of latitude is 111.195 m; x 1.3 detour, at 70 m a minute."""
    first = _explain(0).candidates[0]
    assert first.walk_m == round(111.195 * 1.3)
    assert first.walk_min == pytest.approx(111.195 * 1.3 / 70, abs=0.05)


def test_own_district_only() -> None:
    """Without cross_district, sites of other districts are no candidates."""
    instance = tiny_instance()
    targets = replace(instance.settings.targets, cross_district=False)
    alone = instance.replace(settings=replace(instance.settings, targets=targets))
    assert [c.site_id for c in _explain(4, instance=alone).candidates] == ["S10"]


def test_load_counts_everybody_at_the_site() -> None:
    """Places are quota times open slots: in the community's three slots, and in the round."""
    site = _explain(0).candidates[0]
    assert (site.people_here, site.then_called, site.then_places) == (156, 156, 3 * 57)
    assert (site.round_called, site.round_places) == (206, 14 * 57)


def test_what_limits_a_site_is_told() -> None:
    """A quota below what the lanes can swab is the queue ground's."""
    quota = QUOTA.copy()
    quota[0] = 40
    instance = tiny_instance()
    facts = explain(instance, tiny_plan(instance), 0, quota)
    assert [c.limit for c in facts.candidates[:2]] == ["ground", "lanes"]


def test_farther_sites_need_no_reason() -> None:
    """A site that is no nearer than the one in use is told as such."""
    assert _why(_explain(0), "S2") is Why.FARTHER


def test_no_reason_is_invented() -> None:
    """A nearer site with room is told as cheaper for the whole, and no more."""
    instance = tiny_instance()
    facts = _explain(0, instance=instance, plan=_moved(instance, "S5"))
    assert _why(facts, "S2") is Why.WHOLE
    assert _why(facts, "S5") is Why.USED


def test_nobody_called_is_not_explained_away() -> None:
    """Where nobody is called and a site has room, only that is told."""
    instance = tiny_instance()
    plan = tiny_plan(instance)
    others = plan.assignments[plan.assignments["community_id"] != "C1"]
    facts = _explain(0, instance=instance, plan=replace(plan, assignments=others))
    assert facts.visits == ()
    assert {c.why for c in facts.candidates} == {Why.ROOM}


def test_a_full_site_is_told() -> None:
    """A nearer site without room for the smallest block in those slots is full."""
    instance = tiny_instance()
    plan = _moved(instance, "S5")
    extra = [("C5-001", "C5", "S2", iso(m), iso(m + 15), 28, 3, "normal", 10) for m in (45, 60, 75)]
    rows = frame(
        tuple(plan.assignments.columns), [*map(tuple, plan.assignments.to_numpy()), *extra]
    )
    facts = _explain(0, instance=instance, plan=replace(plan, assignments=rows))
    assert _why(facts, "S2") is Why.FULL
    more = [
        ("C5-001", "C5", "S2", iso(m), iso(m + 15), 28, 3, "normal", 10) for m in range(0, 240, 15)
    ]
    rows = frame(tuple(plan.assignments.columns), [*map(tuple, plan.assignments.to_numpy()), *more])
    facts = _explain(0, instance=instance, plan=replace(plan, assignments=rows))
    assert _why(facts, "S2") is Why.FULL_ROUND


def test_another_zone_is_told() -> None:
    """A nearer site that another zone holds or that is being cleared then is told as such."""
    instance = tiny_instance()
    plan = _moved(instance, "S5")
    rows = plan.assignments
    strict = rows.index[rows["block_id"] == "C2-001"]
    rows = rows.copy()
    rows.loc[strict, ["start", "end"]] = [iso(45), iso(60)]
    facts = _explain(0, instance=instance, plan=replace(plan, assignments=rows))
    assert _why(facts, "S1") is Why.ZONE  # 06:45 control, clearing to 07:30


def test_closed_sites_are_told() -> None:
    """A nearer site that never opens, or not then, is told as such."""
    instance = tiny_instance()
    hours = list(instance.sites.hours)
    hours[1], hours[2] = ((1200, 1260),), ((540, 600),)
    closed = instance.replace(sites=replace(instance.sites, hours=tuple(hours)))
    facts = _explain(0, instance=closed, plan=_moved(closed, "S5"))
    assert _why(facts, "S2") is Why.CLOSED
    assert _why(facts, "S3") is Why.SHUT
    assert facts.num_candidates == 8


def test_labs_take_the_tubes_of_its_waves() -> None:
    """Tubes, load of the hours used, and the least time to the promise, per lab."""
    labs = {lab.lab_id: lab for lab in _explain(0).labs}
    assert set(labs) == {"H1", "H2"}
    first = labs["H1"]
    assert (first.tubes, first.first_start, first.last_result) == (7, 90, 360)
    assert (first.load_tubes, first.capacity_tubes) == (12, 16)
    assert (first.num_hours, first.full_hours) == (2, 1)
    assert first.margin_min == 60
    assert _explain(4).labs == ()
