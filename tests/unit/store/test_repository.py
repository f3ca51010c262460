"""What is saved is read back equal, on SQLite and on PostgreSQL."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pandas as pd
import pytest

from scheduler.domain.plan import ASSIGNMENT_COLUMNS, Plan
from scheduler.errors import CannotRunError
from scheduler.store import RunRecord, Store, open_store
from tests.unit.store.sample import ROUND, assignment_rows, consignment_rows, sample_plan

NOON = datetime(2026, 1, 2, 12, 0, tzinfo=UTC)


@pytest.fixture
def store(tmp_path: Path, database_url: str | None) -> Iterator[Store]:
    with open_store(tmp_path, database_url, now=lambda: NOON, wait_s=0.2) as opened:
        yield opened


def tuples(frame: pd.DataFrame) -> list[tuple[object, ...]]:
    return list(frame.itertuples(index=False, name=None))


def with_rows(plan: Plan, rows: list[tuple[object, ...]]) -> Plan:
    frame = pd.DataFrame(rows, columns=list(ASSIGNMENT_COLUMNS))
    return dataclasses.replace(plan, assignments=frame)


def test_plan_round_trip(store: Store) -> None:
    """Assignments, consignments and unserved people come back as they went in."""
    plan = sample_plan()
    store.save_revision(ROUND, "0001", plan)
    assert tuples(store.assignments("dalian-r1", "0001")) == sorted(
        assignment_rows(), key=lambda row: (str(row[3]), str(row[0]).encode())
    )
    assert tuples(store.consignments("dalian-r1", "0001")) == consignment_rows()
    assert tuples(store.unserved("dalian-r1", "0001")) == [("B3", "C2", 1, "full")]


def test_categoricals_are_stored_like_texts(store: Store) -> None:
    """Text columns may be categoricals, also with categories that no row has."""
    plan = sample_plan()
    texts = plan.assignments.select_dtypes(exclude="number").columns
    frame = plan.assignments.astype(dict.fromkeys(texts, "category")).iloc[:2]
    store.save_revision(ROUND, "0001", dataclasses.replace(plan, assignments=frame))
    assert len(store.assignments("dalian-r1", "0001")) == 2


def test_an_empty_plan_is_stored(store: Store) -> None:
    """A plan that serves nobody has no rows and is a revision all the same."""
    plan = sample_plan()
    empty = Plan(
        plan.assignments.iloc[:0],
        plan.consignments.iloc[:0],
        plan.lab_load.iloc[:0],
        plan.unserved.iloc[:0],
        plan.summary,
    )
    store.save_revision(ROUND, "0001", empty)
    assert store.has_revision("dalian-r1", "0001")
    assert store.assignments("dalian-r1", "0001").columns.tolist() == list(ASSIGNMENT_COLUMNS)


def test_round_and_figures_round_trip(store: Store) -> None:
    """The round and every figure of the summary come back as they went in, None included."""
    plan = sample_plan(district="中山区")
    store.save_revision(ROUND, "0001", plan)
    assert store.rounds() == [ROUND]
    (info,) = store.revisions("dalian-r1")
    assert (info.revision, info.created_at, info.start) == ("0001", NOON, ROUND.start)
    for key in ("status", "objective", "best_bound", "relative_gap", "gap_per_person", "people"):
        assert getattr(info, key) == plan.summary[key]
    for key in ("served", "late_people", "seed", "inputs_sha256", "district"):
        assert getattr(info, key) == plan.summary[key]
    assert info.summary == plan.summary


def test_revisions_of_two_districts_share_a_round(store: Store) -> None:
    """Two districts' plans of one round are two revisions, listed in order."""
    store.save_revision(ROUND, "0002", sample_plan(district="西岗区"))
    store.save_revision(ROUND, "0001", sample_plan(district="中山区"))
    found = [(info.revision, info.district) for info in store.revisions("dalian-r1")]
    assert found == [("0001", "中山区"), ("0002", "西岗区")]
    assert store.revisions("another") == []


def test_a_stored_revision_is_replaced_only_when_asked(store: Store) -> None:
    """A revision is immutable unless `replace` is given; its old rows then go."""
    store.save_revision(ROUND, "0001", sample_plan())
    with pytest.raises(CannotRunError, match="already stored"):
        store.save_revision(ROUND, "0001", sample_plan())
    shorter = with_rows(sample_plan(status="late"), assignment_rows()[:1])
    store.save_revision(ROUND, "0001", shorter, replace=True)
    assert [info.status for info in store.revisions("dalian-r1")] == ["late"]
    assert len(store.assignments("dalian-r1", "0001")) == 1


def test_a_changed_round_keeps_the_times_of_old_revisions(store: Store) -> None:
    """A round whose start was edited is described anew; stored plans keep their times."""
    store.save_revision(ROUND, "0001", sample_plan())
    before = store.assignments("dalian-r1", "0001")
    moved = dataclasses.replace(ROUND, name="改期", start="2020-12-22T05:00:00+08:00")
    store.save_revision(moved, "0002", sample_plan())
    assert store.rounds() == [moved]
    assert tuples(store.assignments("dalian-r1", "0001")) == tuples(before)
    assert tuples(store.assignments("dalian-r1", "0002")) == tuples(before)


def test_a_block_may_move_to_another_community(store: Store) -> None:
    """One block id in two communities is two blocks, so an old plan does not change."""
    store.save_revision(ROUND, "0001", sample_plan())
    row = assignment_rows()[0]
    moved = with_rows(sample_plan(), [(row[0], "C9", *row[2:])])
    store.save_revision(ROUND, "0002", moved)
    assert store.assignments("dalian-r1", "0001")["community_id"].tolist() == [
        "C1",
        "C2",
        "C1",
        "C2",
    ]
    assert store.assignments("dalian-r1", "0002")["community_id"].tolist() == ["C9"]


def test_remove_revision_takes_its_rows_along(store: Store) -> None:
    """A removed revision leaves no assignment behind; another one stays whole."""
    store.save_revision(ROUND, "0001", sample_plan())
    store.save_revision(ROUND, "0002", sample_plan())
    assert store.remove_revision("dalian-r1", "0001")
    assert not store.remove_revision("dalian-r1", "0001")
    assert not store.has_revision("dalian-r1", "0001")
    assert len(store.assignments("dalian-r1", "0001")) == 0
    assert len(store.assignments("dalian-r1", "0002")) == 4


def test_an_exception_in_the_block_leaves_nothing(store: Store) -> None:
    """What fails between insert and commit, such as a rename, takes the revision back."""

    def add_and_fail() -> None:
        with store.transaction() as transaction:
            transaction.add_revision(ROUND, "0001", sample_plan())
            raise OSError("rename failed")

    with pytest.raises(OSError, match="rename"):
        add_and_fail()
    assert store.rounds() == []
    assert not store.has_revision("dalian-r1", "0001")


@pytest.mark.parametrize(
    ("column", "value"),
    [("people", -1), ("tubes", -1), ("pool_size", 0), ("zone", "green"), ("end", ROUND.start)],
)
def test_a_row_that_breaks_a_rule_is_refused(store: Store, column: str, value: int | str) -> None:
    """A CHECK refuses the row, the user reads one sentence, and no part of the plan stays."""
    plan = sample_plan()
    plan.assignments.loc[1, column] = value
    with pytest.raises(CannotRunError, match="refused a row that breaks a rule"):
        store.save_revision(ROUND, "0001", plan)
    assert store.rounds() == []


def test_times_off_the_minute_are_refused(store: Store) -> None:
    """A time that minutes cannot hold is an error, not rounded in silence."""
    plan = sample_plan()
    plan.assignments.loc[0, "start"] = "2020-12-22T06:00:30+08:00"
    with pytest.raises(ValueError, match="whole minutes"):
        store.save_revision(ROUND, "0001", plan)


def test_runs_round_trip_newest_first(store: Store) -> None:
    """The run log keeps every field, turns times to UTC, and gives the newest run first."""
    began = datetime(2026, 1, 2, 8, 0, tzinfo=timezone(timedelta(hours=8)))
    record = RunRecord(
        command="plan",
        started_at=began,
        ended_at=began + timedelta(seconds=1.5),
        exit_code=0,
        seconds=1.5,
        round_id="dalian-r1",
        revision="0001",
        inputs_sha256="ab" * 32,
        message="done",
        stages={"read": 0.5, "solve": 1.0},
    )
    failed = dataclasses.replace(record, exit_code=2, revision=None, inputs_sha256=None, stages={})
    store.log_run(record)
    store.log_run(failed)
    assert store.runs(10) == [failed, record]
    assert store.runs(1) == [failed]


def test_a_second_writer_is_told_to_wait(
    store: Store, tmp_path: Path, database_url: str | None
) -> None:
    """A writer that meets another's open transaction gets a clear sentence; a reader does not."""
    store.save_revision(ROUND, "0001", sample_plan())
    with open_store(tmp_path, database_url, wait_s=0.2) as other:
        with store.transaction() as transaction:
            transaction.add_revision(ROUND, "0002", sample_plan())
            with pytest.raises(CannotRunError, match="locked by another run"):
                other.save_revision(ROUND, "0003", sample_plan())
            assert [info.revision for info in other.revisions("dalian-r1")] == ["0001"]
        other.save_revision(ROUND, "0003", sample_plan())
        assert [info.revision for info in other.revisions("dalian-r1")] == ["0001", "0002", "0003"]
