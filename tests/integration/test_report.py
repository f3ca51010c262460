"""``report`` on a round folder, with its exit codes."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from scheduler.app.publish import publish_revision
from scheduler.app.report import report_revision
from scheduler.app.runtime import round_lock
from scheduler.cli.commands.report import command
from scheduler.domain.district import restrict
from scheduler.domain.standing import no_done
from scheduler.errors import CannotRunError, LockedError
from scheduler.ingest.loader import load_instance
from scheduler.publish.plan_files import write_plan
from scheduler.publish.replan_files import DONE_FILE, EVENTS_FILE, done_bytes, events_bytes
from tests.handmade import greedy_plan
from tests.pages import hard_round, tiny_round, with_extras


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return the tiny round with a plan."""
    return tiny_round(tmp_path / "round")


def _run(*arguments: object) -> Result:
    return CliRunner().invoke(command, [str(a) for a in arguments], catch_exceptions=False)


def test_report_is_written_beside_what_is_published(folder: Path) -> None:
    """Rule: the report stands in the publication, whose manifest stays as it was."""
    path = publish_revision(folder).published.path
    manifest = (path / "manifest.json").read_bytes()
    result = _run(folder)
    assert result.exit_code == 0
    assert "0 breach(es)" in result.stdout
    assert (path / "report.html").read_bytes().startswith(b"<!doctype html>")
    assert (path / "manifest.json").read_bytes() == manifest
    assert [p.name for p in path.iterdir() if p.name.startswith(".")] == []


def test_publishing_again_keeps_the_report(folder: Path) -> None:
    """Rule: a report is of the revision, not of the moment it was published."""
    page = report_revision(folder).path.read_bytes()
    publish_revision(folder, formats=("xlsx",))
    path = publish_revision(folder).published.path
    assert (path / "report.html").read_bytes() == page
    assert "report.html" not in json.loads((path / "manifest.json").read_bytes())["files"]


def test_an_unpublished_revision_can_be_looked_at(folder: Path) -> None:
    """Rule: a report comes before publishing too, and does not publish: no manifest, no link."""
    told = json.loads(_run(folder, "--json", "--quiet").stdout)
    assert told["before"] is None
    assert Path(told["path"]).stat().st_size == told["bytes"]
    assert [p.name for p in (folder / "published").iterdir()] == ["0001"]
    assert [p.name for p in (folder / "published" / "0001").iterdir()] == ["report.html"]


def test_breaches_are_shown_not_hidden(folder: Path) -> None:
    """Rule: a plan that breaks a rule gets a report that says so, exit 0."""
    path = folder / "plans" / "0001" / "assignments.csv"
    path.write_text(path.read_text("utf-8").replace(",28,", ",29,", 1), "utf-8")
    result = _run(folder)
    assert result.exit_code == 0
    assert "0 breach(es)" not in result.stdout
    assert "[B121]" in (folder / "published" / "0001" / "report.html").read_text("utf-8")


def test_what_was_replaced_is_the_newest_published(tmp_path: Path) -> None:
    """Rule: before is what a re-plan is based on, else the newest published, else the newest."""
    folder = with_extras(hard_round(tmp_path / "round"))
    write_plan(folder, "0003", greedy_plan(load_instance(folder), "0003"))
    assert report_revision(folder).before == "0002"
    (folder / "published" / "0001").mkdir(parents=True)
    (folder / "published" / "0001" / "manifest.json").write_text("{}")
    assert report_revision(folder).before == "0001"
    path = folder / "plans" / "0003" / "summary.json"
    summary = json.loads(path.read_bytes())
    clock, home = load_instance(folder).clock, folder / "plans" / "0003"
    (home / EVENTS_FILE).write_bytes(events_bytes(clock, ()))
    (home / DONE_FILE).write_bytes(done_bytes(no_done()))
    moments = {"now": clock.iso(0), "frozen_until": clock.iso(60)}
    told = {"based_on": "0002", "published": {}, **moments}
    path.write_text(json.dumps({**summary, "replan": told}))
    assert report_revision(folder).before == "0002"
    path.write_text(json.dumps(summary))
    (folder / "plans" / "0001" / "summary.json").unlink()
    assert report_revision(folder).before == "0002"
    assert report_revision(folder, revision="0002").simulations == ["plain", "rain"]


def test_a_district_is_compared_with_its_own(folder: Path) -> None:
    """Rule: a district's plan is reported in its folder, and never compared with the city's."""
    part = restrict(load_instance(folder), "西岗区")
    write_plan(folder, "0002", greedy_plan(part, "0002"))
    made = report_revision(folder)
    assert made.path == folder / "published" / "0002-西岗区" / "report.html"
    assert made.before is None


def test_changed_input_is_refused(folder: Path) -> None:
    """Rule: a plan of other input is not reported with the new one."""
    path = folder / "sites.csv"
    path.write_text(path.read_text("utf-8").replace("朝阳街1号", "朝阳街2号"), "utf-8")
    with pytest.raises(CannotRunError, match="changed"):
        report_revision(folder)


def test_cannot_run(folder: Path) -> None:
    """Rule: no revision, a lock that is held and a disk that refuses end with exit code 2."""
    with pytest.raises(CannotRunError, match="0009"):
        report_revision(folder, revision="0009")
    with round_lock(folder), pytest.raises(LockedError):
        report_revision(folder)
    os.mkfifo(folder / "published")
    with pytest.raises(CannotRunError, match="Expected to write"):
        report_revision(folder)


def test_help_has_an_example() -> None:
    """Rule: the help text shows how to call the command."""
    assert "nat-scheduler report dalian" in _run("--help").stdout
