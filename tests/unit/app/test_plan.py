"""The use case ``plan``: what is logged, measured and kept when something goes wrong."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from scheduler.app import plan as use_case
from scheduler.app.plan import PlanOptions, PlanResult, plan_round
from scheduler.app.runtime import Clock
from scheduler.domain.plan import Plan
from scheduler.errors import BreachError, CannotRunError, NoPlanError
from scheduler.publish.plan_files import revisions
from scheduler.solve import make_plan
from scheduler.store import RunRecord, StoreTransaction, open_store
from tests.unit.ingest.folders import TINY

NOW = datetime(2020, 12, 21, 20, tzinfo=UTC)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a copy of the tiny round."""
    return Path(shutil.copytree(TINY, tmp_path / "round"))


def _runs(folder: Path) -> list[RunRecord]:
    with open_store(folder) as store:
        return store.runs()


def _stored(folder: Path) -> list[str]:
    with open_store(folder) as store:
        return [r.revision for info in store.rounds() for r in store.revisions(info.round_id)]


def _ticking(step: float = 1.0) -> Clock:
    """Return a clock on which every look at the stopwatch takes ``step`` seconds."""
    seconds = iter(step * n for n in range(10_000))
    return Clock(now=lambda: NOW, monotonic=lambda: next(seconds))


def test_stages_are_measured_by_the_clock(folder: Path) -> None:
    """Seconds per stage come from the stopwatch, and the run log has them and the time of day."""
    told: list[str] = []

    def report(stage: str, _gap: float | None) -> None:
        told.append(stage)

    result = plan_round(folder, PlanOptions(), report, _ticking())
    assert told[0] == "reading"
    assert told[-1] == "done"
    assert result.seconds["reading"] == 1
    assert sum(v for k, v in result.seconds.items() if k != "total") <= result.seconds["total"]
    (log,) = _runs(folder)
    assert (log.started_at, log.seconds) == (NOW, result.seconds["total"])
    assert log.stages == result.seconds


def test_the_time_limit_is_looked_at_between_stages(folder: Path) -> None:
    """When the stopwatch passes the limit no plan is made, and the log says so."""
    with pytest.raises(NoPlanError):
        plan_round(folder, PlanOptions(time_limit_s=3.5), clock=_ticking())
    (log,) = _runs(folder)
    assert log.exit_code == 4
    assert "time limit" in log.message
    assert revisions(folder) == []


def test_a_plan_with_a_breach_is_not_kept(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the solver returns, a plan that verify does not find clean is never stored."""

    def careless(*arguments: Any, **options: Any) -> Plan:  # noqa: ANN401  # passed on as it is
        made = make_plan(*arguments, **options)
        return replace(made, unserved=made.unserved.iloc[1:])

    monkeypatch.setattr(use_case, "make_plan", careless)
    with pytest.raises(BreachError, match=r"breach\(es\) and was not kept"):
        plan_round(folder, PlanOptions())
    assert revisions(folder) == []
    assert _stored(folder) == []
    assert _runs(folder)[0].exit_code == 1


def test_a_failed_insert_leaves_no_folder(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows and folder appear together: when the store refuses, plans/ stays as it was."""

    def refuse(*_arguments: object, **_options: object) -> None:
        raise CannotRunError("Expected a database with room, got a full disk")

    monkeypatch.setattr(StoreTransaction, "add_revision", refuse)
    with pytest.raises(CannotRunError, match="full disk"):
        plan_round(folder, PlanOptions())
    assert list((folder / "plans").iterdir()) == []
    assert _stored(folder) == []
    assert (_runs(folder)[0].exit_code, _runs(folder)[0].revision) == (2, None)


def test_a_failed_rename_leaves_no_rows(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows and folder appear together: when the folder cannot be named, the rows go back."""

    def refuse(*_arguments: object) -> Path:
        raise CannotRunError("Expected a folder that can be written")

    monkeypatch.setattr(use_case, "commit_plan", refuse)
    with pytest.raises(CannotRunError):
        plan_round(folder, PlanOptions())
    assert list((folder / "plans").iterdir()) == []
    assert _stored(folder) == []


def test_an_error_of_the_program_is_logged_too(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even an error that nobody foresaw leaves a line in the run log, and frees the lock."""

    def fail(*_arguments: object, **_options: object) -> Plan:
        raise ZeroDivisionError

    with monkeypatch.context() as patch:
        patch.setattr(use_case, "make_plan", fail)
        with pytest.raises(ZeroDivisionError):
            plan_round(folder, PlanOptions())
    (log,) = _runs(folder)
    assert (log.exit_code, log.message) == (2, "ZeroDivisionError")
    assert plan_round(folder, PlanOptions()).revision == "0001"


def test_a_revision_lost_from_disk_is_made_anew(folder: Path) -> None:
    """The folder decides the next number; rows left of a deleted revision are replaced."""
    plan_round(folder, PlanOptions())
    shutil.rmtree(folder / "plans" / "0001")
    assert plan_round(folder, PlanOptions(seed=2)).revision == "0001"
    assert _stored(folder) == ["0001"]


def test_a_district_is_named_in_the_result(folder: Path) -> None:
    """A district's plan has only its people, and says whose it is."""
    result = plan_round(folder, PlanOptions(district="西岗区"))
    whole = plan_round(folder, PlanOptions())
    assert result.summary["district"] == "西岗区"
    assert "district" not in whole.summary
    assert 0 < result.summary["people"] < whole.summary["people"]
    assert (result.revision, whole.revision) == ("0001", "0002")


def test_json_adds_folder_and_seconds() -> None:
    """What --json prints is the summary with the folder and the seconds."""
    result = PlanResult("0001", Path("plans/0001"), {"status": "late"}, {"total": 1.5})
    assert result.to_dict() == {
        "status": "late",
        "folder": "plans/0001",
        "seconds": {"total": 1.5},
    }
