"""``show`` on a round folder and its store."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from scheduler.app.show import show_revision, show_rounds
from scheduler.cli.commands.show import command
from scheduler.cli.render import width
from scheduler.domain.plan import Plan
from scheduler.errors import CannotRunError
from scheduler.ingest.loader import load_instance
from scheduler.publish.plan_files import write_plan
from scheduler.store.records import RoundInfo, RunRecord
from scheduler.store.repository import open_store
from tests.handmade import greedy_plan

TINY = Path(__file__).parents[1] / "data" / "tiny"
START, END = "2020-12-22T08:00:00+08:00", "2020-12-22T18:00:00+08:00"


@pytest.fixture
def planned(tmp_path: Path) -> tuple[Path, Plan]:
    """Return the tiny round with a plan."""
    home = tmp_path / "round"
    shutil.copytree(TINY, home)
    plan = greedy_plan(load_instance(home))
    write_plan(home, "0001", plan)
    return home, plan


def _run(*arguments: object) -> Result:
    return CliRunner().invoke(command, [str(a) for a in arguments], catch_exceptions=False)


def _store(folder: Path, plan: Plan, url: str | None) -> None:
    info = RoundInfo(
        round_id="tiny-r1",
        name="小城全员核酸检测第一轮",
        timezone="Asia/Shanghai",
        start=START,
        end=END,
        synthetic=True,
    )
    moment = datetime(2020, 12, 21, 20, tzinfo=UTC)
    record = RunRecord(
        command="plan", started_at=moment, ended_at=moment, exit_code=0, seconds=1.25
    )
    with open_store(folder, url, now=lambda: moment) as store:
        store.save_revision(info, "0001", plan)
        store.log_run(record)


def test_rounds_and_revisions_come_from_the_store(
    planned: tuple[Path, Plan], database_url: str | None
) -> None:
    """Each round with its revisions and their figures, on SQLite and PostgreSQL."""
    folder, plan = planned
    _store(folder, plan, database_url)
    overview = show_rounds(folder, database_url=database_url, runs=True)
    (stored,) = overview.rounds
    assert stored["round_id"] == "tiny-r1"
    (revision,) = stored["revisions"]
    assert (revision["served"], revision["people"]) == (442, 449)
    assert revision["objective"] == pytest.approx(plan.summary["objective"])
    assert overview.runs is not None
    assert overview.runs[0]["command"] == "plan"
    json.dumps(overview.to_dict())


def test_tables_fit_a_terminal(planned: tuple[Path, Plan]) -> None:
    """The overview names the round and its revision in at most 80 columns."""
    folder, plan = planned
    _store(folder, plan, None)
    result = _run(folder, "--runs")
    assert result.exit_code == 0
    assert "tiny-r1 小城全员核酸检测第一轮 (synthetic)" in result.stdout
    assert "2020-12-21 20:00" in result.stdout
    assert max(map(width, result.stdout.splitlines())) <= 80


def test_an_empty_store_says_what_to_do(planned: tuple[Path, Plan]) -> None:
    """Before the first plan, show says so and ends with 0."""
    result = _run(planned[0])
    assert result.exit_code == 0
    assert "run `nat-scheduler plan` first" in result.stdout
    assert json.loads(_run(planned[0], "--json").stdout) == {"rounds": []}


def test_one_revision_in_words(planned: tuple[Path, Plan]) -> None:
    """People, served, late, terms, gap, walk, sites per community, first and last slot."""
    result = _run(planned[0], "--revision", "0001")
    assert result.exit_code == 0
    for words in (
        *("442 of 449 people", "2020-12-22 08:00 to 2020-12-22 11:00", "7 are visited"),
        *("best plan is not known", "They walk 239 m", "uses 1.00 sites", "objective"),
    ):
        assert words in " ".join(result.stdout.split())
    told = json.loads(_run(planned[0], "--revision", "0001", "--json").stdout)
    assert told["summary"]["served"] == 442
    assert told["communities"] is None


def test_a_gap_is_told_both_ways(planned: tuple[Path, Plan]) -> None:
    """A known bound is told as a share and in minutes per person."""
    folder, plan = planned
    known = {"best_bound": 3600.0, "relative_gap": 0.0121, "gap_per_person": 0.0984}
    write_plan(folder, "0002", plan.with_summary({**plan.summary, **known}))
    text = _run(folder, "--revision", "0002").stdout
    assert "better by more than 1.210 %, or 0.0984 minutes per person" in text


def test_a_district_lists_its_communities(planned: tuple[Path, Plan]) -> None:
    """Sites, first and last slot and people of each community of the district, no others."""
    detail = show_revision(planned[0], district="西岗区")
    assert detail.communities is not None
    told = [(c.community_id, c.sites, c.called, c.first) for c in detail.communities]
    assert told == [
        ("C002", ["S02"], 107, "2020-12-22 08:00"),
        ("C003", ["S03"], 40, "2020-12-22 09:00"),
    ]
    text = _run(planned[0], "--district", "西岗区").stdout
    assert "C002  站北社区       1  12-22 08:00  12-22 09:15     109     107         0" in text
    assert "春海社区" not in text


def test_unknown_names_are_refused(planned: tuple[Path, Plan], tmp_path: Path) -> None:
    """A folder, revision or district that is not there ends with exit code 2."""
    with pytest.raises(CannotRunError):
        show_rounds(tmp_path / "nowhere")
    with pytest.raises(CannotRunError, match="0009"):
        show_revision(planned[0], revision="0009")
    with pytest.raises(CannotRunError, match="西港区"):
        show_revision(planned[0], district="西港区")
    assert _run(planned[0], "--runs", "--revision", "0001").exit_code == 2
