from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from scheduler.domain.instance import Instance
from scheduler.domain.settings import PoolingSettings
from scheduler.domain.verify import verify
from scheduler.domain.verify.breach import BreachLog
from tests.plans import LAT, iso, summarised, tiny_instance, tiny_plan, whole, with_targets
from tests.planting import Case, codes, edit, labs, moved, sites


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
    summary = summarised(
        instance,
        plan,
        bound=bound,
    ).summary
    assert summary["gap_per_person"] == pytest.approx(0.1)
    assert summary["relative_gap"] == pytest.approx(74 / plan.summary["objective"])
    assert verify(instance, plan.with_summary(summary)) == []


def test_nearest_sites_are_allowed_beyond_the_walk() -> None:
    """The eight nearest accepting sites stay candidates however short the longest walk is."""
    instance = with_targets(tiny_instance(), max_walk_m=0)
    assert verify(instance, tiny_plan(instance)) == []


@pytest.mark.parametrize(("minutes", "fits"), [(29, False), (30, True), (31, True), (32, False)])
def test_ceiling_at_a_whole_minute_goes_either_way(minutes: int, fits: bool) -> None:
    """Where travel is a whole minute within rounding, both neighbours of ceil() are accepted."""
    instance = tiny_instance()
    km = 30 / 60 * 20 / 1.4  # 20 minutes on the road
    lat = np.array([LAT + 0.05, LAT + np.degrees(km / 6371.0088)])
    plan = edit(tiny_plan(instance), "consignments", 5, arrive_at=iso(60 + minutes))
    assert ("B164" not in codes(verify(labs(instance, lat=lat), plan))) == fits


def test_pool_sizes_come_from_the_settings() -> None:
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


def test_revision_is_the_folders() -> None:
    """A plan copied to another revision's folder is found out."""
    instance = tiny_instance()
    plan = tiny_plan(instance)
    assert verify(instance, plan, revision="0001") == []
    assert codes(verify(instance, plan, revision="0002")) == {"B196"}
