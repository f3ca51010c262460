from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from scheduler.domain.instance import Instance
from scheduler.domain.plan import Plan
from scheduler.domain.settings import PoolingSettings, Zone
from scheduler.domain.verify import CODES, Breach, verify
from scheduler.domain.verify.breach import BreachLog
from tests.plans import LAT, iso, summarised, texts, tiny_instance, tiny_plan, whole, with_targets

Case = tuple[Instance, Plan]
Planter = Callable[[Instance, Plan], Case]
PLANTED: list[tuple[str, Planter]] = []


def plants(code: str) -> Callable[[Planter], Planter]:
    """Register a function that puts one breach into the tiny plan."""

    def register(planter: Planter) -> Planter:
        PLANTED.append((code, planter))
        return planter

    return register


def edit(plan: Plan, table: str, row: int, **cells: object) -> Plan:
    """Return the plan with some cells of one row changed."""
    frame = getattr(plan, table).astype(object)
    for column, value in cells.items():
        frame.loc[row, column] = value
    changed: dict[str, Any] = {table: _numbers(frame)}
    return replace(plan, **changed)


def without(plan: Plan, table: str, row: int) -> Plan:
    """Return the plan with one row less."""
    return replace(plan, **{table: getattr(plan, table).drop(index=row).reset_index(drop=True)})


def again(plan: Plan, table: str, row: int, **cells: object) -> Plan:
    """Return the plan with a changed copy of one row at the end."""
    frame = getattr(plan, table)
    longer = pd.concat([frame, frame.iloc[[row]]], ignore_index=True)
    return edit(replace(plan, **{table: longer}), table, len(frame), **cells)


def figure(plan: Plan, **changes: object) -> Plan:
    """Return the plan with other entries in its summary."""
    return replace(plan, summary={**plan.summary, **changes})


def sites(instance: Instance, **columns: object) -> Instance:
    return instance.replace(sites=replace(instance.sites, **columns))  # type: ignore[arg-type]  # tests name them


def labs(instance: Instance, **columns: object) -> Instance:
    return instance.replace(labs=replace(instance.labs, **columns))  # type: ignore[arg-type]  # tests name them


def _numbers(frame: pd.DataFrame) -> pd.DataFrame:
    for column in frame.columns:
        if all(isinstance(cell, int | np.integer) for cell in frame[column]):
            frame[column] = frame[column].astype(np.int64)
    return frame


def moved(plan: Plan, row: int, minute: int) -> Plan:
    return edit(plan, "assignments", row, start=iso(minute), end=iso(minute + 15))


@plants("B101")
def _lost_column(instance: Instance, plan: Plan) -> Case:
    return instance, replace(plan, unserved=plan.unserved.drop(columns="reason"))


@plants("B102")
def _unknown_site(instance: Instance, plan: Plan) -> Case:
    return instance, edit(plan, "assignments", 0, site_id="S99")


@plants("B102")
def _unknown_lab(instance: Instance, plan: Plan) -> Case:
    return instance, edit(plan, "lab_load", 0, lab_id="H9")


@plants("B103")
def _no_offset(instance: Instance, plan: Plan) -> Case:
    return instance, edit(plan, "assignments", 0, start="2020-12-22T06:00:00")


@plants("B103")
def _other_offset(instance: Instance, plan: Plan) -> Case:
    return instance, edit(plan, "consignments", 0, pickup_at="2020-12-21T23:00:00+00:00")


@plants("B103")
def _no_time(instance: Instance, plan: Plan) -> Case:
    return instance, edit(plan, "lab_load", 0, hour="soon")


@plants("B104")
def _nobody(instance: Instance, plan: Plan) -> Case:
    return instance, edit(plan, "assignments", 0, people=0)


@plants("B104")
def _half_a_person(instance: Instance, plan: Plan) -> Case:
    return instance, edit(plan, "assignments", 0, people="49.5")


@plants("B104")
def _less_than_nobody(instance: Instance, plan: Plan) -> Case:
    return instance, edit(plan, "unserved", 0, people=-4)


@plants("B105")
def _row_twice(instance: Instance, plan: Plan) -> Case:
    return instance, again(plan, "assignments", 0)


@plants("B105")
def _consignment_twice(instance: Instance, plan: Plan) -> Case:
    return instance, again(plan, "consignments", 0)


@plants("B105")
def _lab_hour_twice(instance: Instance, plan: Plan) -> Case:
    return instance, again(plan, "lab_load", 0)


@plants("B105")
def _reason_twice(instance: Instance, plan: Plan) -> Case:
    return instance, again(plan, "unserved", 1)


@plants("B106")
def _other_community(instance: Instance, plan: Plan) -> Case:
    return instance, edit(plan, "assignments", 0, community_id="C1")


@plants("B106")
def _other_zone(instance: Instance, plan: Plan) -> Case:
    return instance, edit(plan, "assignments", 0, zone="normal")


@plants("B106")
def _other_pool(instance: Instance, plan: Plan) -> Case:
    return instance, edit(plan, "consignments", 0, pool_size=20)


@plants("B111")
def _one_forgotten(instance: Instance, plan: Plan) -> Case:
    return instance, edit(plan, "assignments", 2, people=38)


@plants("B111")
def _block_dropped(instance: Instance, plan: Plan) -> Case:
    return instance, without(plan, "unserved", 2)


@plants("B112")
def _visit_as_full(instance: Instance, plan: Plan) -> Case:
    return instance, edit(plan, "unserved", 0, reason="full")


@plants("B113")
def _made_up_reason(instance: Instance, plan: Plan) -> Case:
    return instance, edit(plan, "unserved", 2, reason="forgotten")


@plants("B114")
def _team_for_a_normal_block(instance: Instance, plan: Plan) -> Case:
    return instance, edit(plan, "unserved", 2, reason="no_team")


@plants("B114")
def _site_is_there(instance: Instance, plan: Plan) -> Case:
    return instance, edit(plan, "unserved", 2, reason="no_site")


@plants("B114")
def _no_team_called_full(instance: Instance, plan: Plan) -> Case:
    return instance, edit(plan, "unserved", 1, reason="full")


@plants("B114")
def _window_holds_it(instance: Instance, plan: Plan) -> Case:
    return sites(instance, hours=((((0, 1440),),) * len(instance.sites))), plan


@plants("B121")
def _lanes_overrun(instance: Instance, plan: Plan) -> Case:
    plan = edit(plan, "assignments", 3, people=19)
    return instance, edit(plan, "assignments", 4, people=41)


@plants("B121")
def _fewer_lanes(instance: Instance, plan: Plan) -> Case:
    return sites(instance, lanes=whole(3, *instance.sites.lanes[1:])), plan


@plants("B122")
def _short_ground(instance: Instance, plan: Plan) -> Case:
    return sites(instance, queue_length_m=np.full(len(instance.sites), 5.0)), plan


@plants("B122")
def _wide_spacing(instance: Instance, plan: Plan) -> Case:
    return with_targets(instance, spacing_m=30.0), plan


@plants("B131")
def _second_site(instance: Instance, plan: Plan) -> Case:
    return instance, edit(plan, "assignments", 4, site_id="S2")


@plants("B132")
def _gap_in_a_block(instance: Instance, plan: Plan) -> Case:
    return instance, moved(plan, 4, 90)


@plants("B133")
def _off_the_grid(instance: Instance, plan: Plan) -> Case:
    return instance, moved(plan, 4, 80)


@plants("B133")
def _two_slots_long(instance: Instance, plan: Plan) -> Case:
    return instance, edit(plan, "assignments", 4, end=iso(105))


@plants("B133")
def _before_the_round(instance: Instance, plan: Plan) -> Case:
    return instance, moved(plan, 0, -15)


@plants("B133")
def _after_the_round(instance: Instance, plan: Plan) -> Case:
    return instance, moved(plan, 4, 240)


@plants("B134")
def _at_noon_break(instance: Instance, plan: Plan) -> Case:
    return instance, moved(plan, 0, 135)


@plants("B141")
def _two_zones(instance: Instance, plan: Plan) -> Case:
    return instance, moved(plan, 1, 0)


@plants("B142")
def _no_clearing(instance: Instance, plan: Plan) -> Case:
    return instance, moved(plan, 1, 30)


@plants("B143")
def _zone_not_accepted(instance: Instance, plan: Plan) -> Case:
    return instance, edit(plan, "assignments", 0, site_id="S2")


@plants("B144")
def _not_its_team(instance: Instance, plan: Plan) -> Case:
    return instance, edit(plan, "assignments", 3, site_id="T1")


@plants("B145")
def _lockdown_walks(instance: Instance, plan: Plan) -> Case:
    return instance, edit(plan, "assignments", 5, site_id="S3")


@plants("B151")
def _far_away(instance: Instance, plan: Plan) -> Case:
    return instance, edit(plan, "assignments", 3, site_id="S10")


@plants("B151")
def _ninth_nearest(instance: Instance, plan: Plan) -> Case:
    return with_targets(instance, max_walk_m=500), edit(plan, "assignments", 3, site_id="S9")


@plants("B152")
def _across_the_border(instance: Instance, plan: Plan) -> Case:
    instance = with_targets(instance, cross_district=False)
    return instance, edit(plan, "assignments", 3, site_id="S10")


@plants("B160")
def _tubes_of_a_row(instance: Instance, plan: Plan) -> Case:
    plan = edit(plan, "assignments", 3, tubes=int(plan.assignments["tubes"][3]) + 1)
    return instance, edit(plan, "assignments", 4, tubes=int(plan.assignments["tubes"][4]) - 1)


@plants("B161")
def _consignment_lost(instance: Instance, plan: Plan) -> Case:
    return instance, without(plan, "consignments", 2)


@plants("B161")
def _people_lost(instance: Instance, plan: Plan) -> Case:
    return instance, edit(plan, "consignments", 2, people=26)


@plants("B161")
def _invented_wave(instance: Instance, plan: Plan) -> Case:
    return instance, again(plan, "consignments", 2, pickup_at=iso(240))


@plants("B162")
def _overfull_tubes(instance: Instance, plan: Plan) -> Case:
    plan = edit(plan, "consignments", 1, people=31)
    return instance, edit(plan, "consignments", 2, people=26)


@plants("B162")
def _empty_tubes(instance: Instance, plan: Plan) -> Case:
    return instance, edit(plan, "consignments", 2, people=2)


@plants("B163")
def _early_pickup(instance: Instance, plan: Plan) -> Case:
    return instance, edit(plan, "consignments", 0, pickup_at=iso(45))


@plants("B164")
def _quick_courier(instance: Instance, plan: Plan) -> Case:
    return instance, edit(plan, "consignments", 0, arrive_at=iso(89), start_at=iso(89))


@plants("B164")
def _slow_courier(instance: Instance, plan: Plan) -> Case:
    return instance, edit(plan, "consignments", 5, arrive_at=iso(103))


@plants("B165")
def _before_arrival(instance: Instance, plan: Plan) -> Case:
    return instance, edit(plan, "consignments", 0, start_at=iso(80))


@plants("B165")
def _not_on_the_hour(instance: Instance, plan: Plan) -> Case:
    return instance, edit(plan, "consignments", 0, start_at=iso(95))


@plants("B166")
def _lab_is_shut(instance: Instance, plan: Plan) -> Case:
    return labs(instance, hours=(((0, 1440),), ((480, 900),))), plan


@plants("B167")
def _pool_not_taken(instance: Instance, plan: Plan) -> Case:
    return labs(instance, pool_sizes=((10,), (5, 10))), plan


@plants("B168")
def _hour_overrun(instance: Instance, plan: Plan) -> Case:
    return labs(instance, tubes_per_hour=whole(7, 30)), plan


@plants("B168")
def _half_hour_overrun(instance: Instance, plan: Plan) -> Case:
    plan = edit(plan, "consignments", 2, tubes=16, people=160)
    return instance, edit(plan, "lab_load", 2, tubes=16)


@plants("B169")
def _day_overrun(instance: Instance, plan: Plan) -> Case:
    return labs(instance, max_tubes_per_day=whole(11, -1)), plan


@plants("B171")
def _old_samples(instance: Instance, plan: Plan) -> Case:
    return with_targets(instance, max_holding_min=101), plan


@plants("B172")
def _younger_than_it_is(instance: Instance, plan: Plan) -> Case:
    return instance, edit(plan, "consignments", 0, oldest_sample_at=iso(15))


@plants("B181")
def _result_too_early(instance: Instance, plan: Plan) -> Case:
    return instance, edit(plan, "consignments", 0, result_by=iso(260))


@plants("B182")
def _load_lost(instance: Instance, plan: Plan) -> Case:
    return instance, without(plan, "lab_load", 1)


@plants("B182")
def _load_differs(instance: Instance, plan: Plan) -> Case:
    return instance, edit(plan, "lab_load", 1, tubes=5)


@plants("B182")
def _load_off_the_hour(instance: Instance, plan: Plan) -> Case:
    return instance, edit(plan, "lab_load", 1, hour=iso(190))


@plants("B183")
def _capacity_differs(instance: Instance, plan: Plan) -> Case:
    return instance, edit(plan, "lab_load", 2, capacity=30)


@plants("B191")
def _figure_missing(instance: Instance, plan: Plan) -> Case:
    rest = {key: value for key, value in plan.summary.items() if key != "served"}
    return instance, replace(plan, summary=rest)


@plants("B191")
def _figure_is_text(instance: Instance, plan: Plan) -> Case:
    return instance, figure(plan, people="740")


@plants("B192")
def _objective_differs(instance: Instance, plan: Plan) -> Case:
    return instance, figure(plan, objective=plan.summary["objective"] * 0.99)


@pytest.mark.parametrize("name", ["unserved", "late", "walk", "finish", "split", "churn"])
def test_every_term_is_worked_out_again(name: str) -> None:
    """Each term of the objective is recomputed from the plan's files."""
    instance = tiny_instance()
    plan = tiny_plan(instance)
    terms = {**plan.summary["terms"], name: plan.summary["terms"][name] * 1.01 + 0.5}
    assert "B192" in codes(verify(instance, figure(plan, terms=terms)))


@pytest.mark.parametrize("name", ["people", "served", "late_people", "sites_per_community"])
def test_every_count_is_worked_out_again(name: str) -> None:
    """Each count of the summary is recomputed from the plan's files."""
    instance = tiny_instance()
    plan = tiny_plan(instance)
    wrong = figure(plan, **{name: plan.summary[name] + 1})
    assert codes(verify(instance, wrong)) == {"B192"}


@pytest.mark.parametrize("name", ["mean", "p95", "max"])
def test_walks_are_worked_out_again(name: str) -> None:
    """Mean, 95th percentile and longest walk are recomputed from the plan's files."""
    instance = tiny_instance()
    plan = tiny_plan(instance)
    walk = {**plan.summary["walk_m"], name: plan.summary["walk_m"][name] + 0.01}
    assert codes(verify(instance, figure(plan, walk_m=walk))) == {"B192"}


@plants("B193")
def _called_feasible(instance: Instance, plan: Plan) -> Case:
    return instance, figure(plan, status="feasible")


@plants("B194")
def _bound_above(instance: Instance, plan: Plan) -> Case:
    above = plan.summary["objective"] + 100
    return instance, figure(plan, best_bound=above, relative_gap=0.0, gap_per_person=0.0)


@plants("B194")
def _gap_of_no_bound(instance: Instance, plan: Plan) -> Case:
    return instance, figure(plan, relative_gap=0.0)


@plants("B194")
def _gap_too_small(instance: Instance, plan: Plan) -> Case:
    bounded = summarised(instance, plan, bound=plan.summary["objective"] * 0.9)
    return instance, figure(bounded, relative_gap=0.01)


@plants("B195")
def _other_input(instance: Instance, plan: Plan) -> Case:
    return instance.replace(inputs_sha256="cd" * 32), plan


@plants("B196")
def _other_round(instance: Instance, plan: Plan) -> Case:
    return instance, figure(plan, round="another")


@plants("B196")
def _seed_lost(instance: Instance, plan: Plan) -> Case:
    return instance, figure(plan, seed=None, revision=1)


@plants("B196")
def _other_district(instance: Instance, plan: Plan) -> Case:
    return instance, figure(plan, district="A")


def codes(breaches: list[Breach]) -> set[str]:
    return {breach.code for breach in breaches}


def test_the_handmade_plan_is_clean() -> None:
    """A correct plan has no breach."""
    instance = tiny_instance()
    assert verify(instance, tiny_plan(instance)) == []


def test_categoricals_read_like_texts() -> None:
    """A plan read from disk holds categoricals; they are checked the same."""
    instance = tiny_instance()
    plan = tiny_plan(instance)
    frames: dict[str, Any] = {}
    for table in ("assignments", "consignments", "lab_load", "unserved"):
        frame = getattr(plan, table)
        words = {c: "category" for c in frame if not pd.api.types.is_integer_dtype(frame[c])}
        frames[table] = frame.astype(words)
    assert verify(instance, replace(plan, **frames)) == []


@pytest.mark.parametrize(
    ("code", "planter"), [pytest.param(c, p, id=f"{c}{p.__name__}") for c, p in PLANTED]
)
def test_planted_breach_is_found(code: str, planter: Planter) -> None:
    """Each kind of breach, planted in a correct plan, is found under its code."""
    instance = tiny_instance()
    case, broken = planter(instance, tiny_plan(instance))
    assert code in codes(verify(case, broken))


def test_every_code_has_a_planted_breach() -> None:
    """No breach code is without a test that plants it, and none is planted that does not exist."""
    assert {code for code, _ in PLANTED} == set(CODES)


def test_breach_names_file_line_and_ids() -> None:
    """A breach says where it is: file, line as an editor counts it, ids."""
    instance = tiny_instance()
    found = verify(instance, moved(tiny_plan(instance), 0, 135))
    (breach,) = [b for b in found if b.code == "B134"]
    assert (breach.file, breach.line, breach.where) == ("assignments.csv", 2, ("C2-001", "S1"))
    assert str(breach).startswith("assignments.csv:2: C2-001 S1: expected a slot within")


def test_unknown_code_is_refused() -> None:
    """A check cannot report under a code that is not in the register."""
    with pytest.raises(KeyError):
        BreachLog().add("B999", "assignments.csv", "no such code")


def test_tiny_figures() -> None:
    """The summary's figures agree with arithmetic on paper."""
    instance = tiny_instance()
    summary = tiny_plan(instance).summary
    assert summary["people"] == 740
    assert summary["served"] == 226
    assert summary["status"] == "partial"
    assert summary["terms"]["unserved"] == 510 * 100_000
    walked = 206 * 111.195 * 1.3  # all at S1, 0.001 degrees of latitude away
    assert summary["terms"]["walk"] == pytest.approx(walked / 70, rel=1e-5)
    normal = 57 * 45 + 57 * 60 + 42 * 75
    assert summary["terms"]["finish"] == pytest.approx(normal * 0.005 + 8 * 15 * 0.5)
    assert summary["walk_m"]["p95"] == pytest.approx(111.195 * 1.3, rel=1e-5)


def test_late_people_and_status() -> None:
    """A promise of five hours makes the 14 results after it late, and partial still wins."""
    instance = with_targets(tiny_instance(), result_hours=5.0)
    plan = tiny_plan(instance)
    assert verify(instance, plan) == []
    late = {27: 350 - 300, 20: 360 - 300, 59: 410 - 360}  # people: minutes late
    assert plan.summary["late_people"] == sum(late)
    assert plan.summary["terms"]["late"] == sum(n * minutes * 10 for n, minutes in late.items())
    assert plan.summary["status"] == "partial"


def _all_served(instance: Instance) -> Case:
    """Return a round without the blocks that cannot be served, and its plan."""
    kept = whole(0, 1, 2, 3)
    columns = {name: column[kept] for name, column in vars(instance.blocks).items()}
    small = instance.replace(blocks=replace(instance.blocks, **columns))
    plan = tiny_plan(instance)
    return small, summarised(small, replace(plan, unserved=plan.unserved.iloc[:1]))


def test_status_follows_from_the_bound() -> None:
    """All served in time is feasible, and optimal only where the bound proves it."""
    instance, plan = _all_served(tiny_instance())
    objective = plan.summary["objective"]
    expected = {None: "feasible", objective * 0.99: "feasible", objective: "optimal"}
    for bound, status in expected.items():
        bounded = summarised(instance, plan, bound=bound)
        assert bounded.summary["status"] == status
        assert verify(instance, bounded) == []


def test_late_plan_says_so() -> None:
    """All served but some after the promise is late."""
    instance, plan = _all_served(with_targets(tiny_instance(), result_hours=5.0))
    assert plan.summary["status"] == "late"
    assert verify(instance, plan) == []


def test_gaps_leave_out_the_unserved() -> None:
    """The gap is given with and without the constant of unserved people."""
    instance = tiny_instance()
    plan = tiny_plan(instance)
    bound = plan.summary["objective"] - 74
    summary = summarised(instance, plan, bound=bound, bound_unserved=51e6).summary
    assert summary["gap_per_person"] == pytest.approx(0.1)
    assert summary["relative_gap"] == pytest.approx(74 / plan.summary["objective"])
    assert verify(instance, plan.with_summary(summary)) == []


def test_nearest_sites_are_allowed_beyond_the_walk() -> None:
    """The eight nearest accepting sites stay candidates however short the longest walk is."""
    instance = with_targets(tiny_instance(), max_walk_m=0)
    assert verify(instance, tiny_plan(instance)) == []


def test_ceiling_at_a_whole_minute_goes_either_way() -> None:
    """Where travel is a whole minute within rounding, both neighbours of ceil() are accepted."""
    instance = tiny_instance()
    km = 30 / 60 * 20 / 1.4  # 20 minutes
    lat = np.array([LAT + 0.05, LAT + np.degrees(km / 6371.0088)])
    for minutes in (30, 31):
        near = labs(instance, lat=lat)
        plan = edit(tiny_plan(instance), "consignments", 5, arrive_at=iso(60 + minutes))
        found = [b for b in verify(near, plan) if b.code == "B164"]
        assert bool(found) == (minutes == 31 and not _rounds_up(near))


def _rounds_up(instance: Instance) -> bool:
    lat = np.radians(instance.labs.lat[1] - LAT)
    return bool(lat * 6371.0088 * 1.4 / 30 * 60 > 20 - 1e-6)


def test_zone_words_of_another_pool() -> None:
    """Pool sizes come from the settings: twenty to a tube makes every tube figure wrong."""
    instance = tiny_instance()
    pooling = PoolingSettings(normal=20)
    changed = instance.replace(settings=replace(instance.settings, pooling=pooling))
    assert {"B106", "B160", "B161"} <= codes(verify(changed, tiny_plan(instance)))


def test_nobody_called_is_a_plan_too() -> None:
    """A plan that calls nobody is complete when everybody is listed."""
    instance = tiny_instance()
    plan = tiny_plan(instance)
    rows: list[tuple[Any, ...]] = [("C1-001", "C1", 4, "home_visit")]
    for block in range(6):
        demand = int(instance.demand[block])
        if demand and block != 4:
            name = str(instance.blocks.ids[block])
            rows.append((name, name[:2], demand, "block_too_large" if block == 5 else "full"))
    rows.append(("C4-001", "C4", 10, "no_team"))
    left = pd.DataFrame(rows, columns=list(plan.unserved.columns))
    empty = {t: getattr(plan, t).iloc[:0] for t in ("assignments", "consignments", "lab_load")}
    nobody = summarised(instance, replace(plan, unserved=left, **empty))
    assert verify(instance, nobody) == []
    assert nobody.summary["served"] == 0


def test_site_that_is_never_open_is_no_candidate() -> None:
    """A block whose only sites are closed all round has no candidate: reason no_site is true."""
    instance = tiny_instance()
    closed = sites(instance, hours=(((0, 300),),) * len(instance.sites))
    plan = edit(tiny_plan(instance), "unserved", 2, reason="no_site")
    assert "B114" not in codes(verify(closed, plan))


def test_zone_indices_are_strictest_first() -> None:
    """The clearing check relies on lower numbers being stricter."""
    assert list(Zone) == sorted(Zone)
    assert texts("lockdown")[0] == Zone(0).word
