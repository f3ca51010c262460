"""``size`` on round folders: proofs, ways out, and the plan that takes one."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from scheduler.app.init import init_round
from scheduler.cli.commands.size import _lines
from tests.integration.commands import Run, runner

DATA = Path(__file__).parents[1] / "data"


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Return a function that runs the command line."""
    return runner(monkeypatch, capsys)


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    """Return the tiny round without a plan."""
    return Path(shutil.copytree(DATA / "tiny", tmp_path / "tiny"))


@pytest.fixture(scope="module")
def short_dalian(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return synthetic Dalian with 20,000 people and three tenths of its laboratories."""
    folder = tmp_path_factory.mktemp("cities") / "dalian"
    init_round(folder, city="dalian", people=20_000)
    return folder


def sized(run: Run, *arguments: object) -> dict[str, Any]:
    code, out, _ = run("size", *arguments, "--json")
    assert code == 0
    found: dict[str, Any] = json.loads(out)
    return found


def test_dalian_as_it_happened(short_dalian: Path, run: Run) -> None:
    """Rule: labs at three tenths: the failure is proved, and the named remedy, planned, holds."""
    less = "labs.tubes_per_hour*=0.30155"
    found = sized(run, short_dalian, "--set", less)
    assert found["verdict"] == "cannot"
    assert found["proof"]["late_people_at_least"] > 10_000
    city = [row for row in found["shortfalls"] if not row["district"]]
    tubes = sum(row["tubes"] for row in city)
    assert tubes == pytest.approx(found["proof"]["late_tubes_at_least"], abs=len(city))
    by_district = sum(r["tubes"] for r in found["shortfalls"] if r["district"])
    assert by_district == pytest.approx(tubes, abs=len(found["shortfalls"]))
    assert re.fullmatch(
        r"labs are short [\d,]+ tubes between \d\d:\d\d on day \d and \d\d:\d\d on day \d",
        city[0]["text"]["en"],
    )
    assert "管" in city[0]["text"]["zh"]
    best = found["remedies"][0]
    assert (best["kind"], best["keeps_promise"]) == ("labs", True)
    assert best["amount"] > best["least"] > 0
    sets = [part for change in (less, *best["changes"]) for part in ("--set", change)]
    code, out, _ = run("plan", short_dalian, "--certify", "--quiet", *sets)
    assert (code, "Certified: it holds" in out) == (0, True)
    name = json.loads((short_dalian / "plans/0001/summary.json").read_text("utf-8"))["revision"]
    code, out, _ = run("simulate", short_dalian, "--revision", name, "--no-compare", "--json")
    assert json.loads(out)["cases"][0]["city"]["share_in_time"]["p50"] >= 0.95


def test_with_less_than_the_least_no_remedy_helps(short_dalian: Path, run: Run) -> None:
    """Rule: just below its least amount a remedy is proved not to suffice."""
    found = sized(run, short_dalian, "--set", "labs.tubes_per_hour*=0.5")
    (labs,) = [w for w in found["remedies"] if w["kind"] == "labs"]
    below = 0.5 * (1 + (labs["least"] - 1) / 100)
    again = sized(run, short_dalian, "--set", f"labs.tubes_per_hour*={below}")
    assert again["verdict"] == "cannot"
    assert again["proof"]["late_people_at_least"] < found["proof"]["late_people_at_least"]


def test_a_round_that_keeps_its_promise(tiny: Path, run: Run) -> None:
    """Rule: no shortfall, no remedy; least capacity is no more than there is; guide beside it."""
    found = sized(run, tiny, "--promise", "20h")
    assert found["verdict"] == "kept"
    assert found["shortfalls"] == found["remedies"] == []
    labs = found["least"]["labs"]
    assert labs["least"] <= labs["advised"] <= labs["tubes_per_hour"]
    assert all(0 < row["least"] <= row["lanes"] for row in found["least"]["lanes"])
    assert found["guide"]["city"]["samplers_by_guide"] == 1
    assert found["target"]["result_hours"] == 20
    assert found["revision"] is None
    assert not (tiny / "analysis").exists()


def test_a_target_is_written_beside_the_plan(tiny: Path, run: Run) -> None:
    """Rule: with a plan of these files the document goes to analysis/<revision>/size.json."""
    assert run("plan", tiny)[0] == 0
    found = sized(run, tiny, "--deadline", "3h")
    kept = json.loads((tiny / "analysis/0001/size.json").read_text("utf-8"))
    assert kept == {k: v for k, v in found.items() if k != "file"}
    assert kept["target"]["hours"] == 3
    assert {"revision", "shortfalls", "remedies", "guide"} <= set(kept)
    assert sized(run, tiny, "--set", "sites.lanes=9")["file"] is None


def test_lanes_that_are_short_are_told(tiny: Path, run: Run) -> None:
    """Rule: in half an hour the lanes cannot swab everybody; lanes, or time, would help."""
    found = sized(run, tiny, "--deadline", "150min", "--promise", "20h",
                  "--set", "sites.lanes=1")  # fmt: skip
    assert found["verdict"] == "cannot"
    lanes = [row for row in found["shortfalls"] if row["kind"] == "lanes"]
    assert lanes
    assert all(row["people"] > 0 and "lanes are short" in row["text"]["en"] for row in lanes)
    kinds = {way["kind"]: way for way in found["remedies"]}
    assert kinds["lanes"]["keeps_promise"]
    assert kinds["finish_later"]["keeps_promise"]
    assert not kinds["labs"]["keeps_promise"]
    assert all(way["text"]["zh"] and way["text"]["en"] for way in found["remedies"])


def test_tables_are_printed(tiny: Path, run: Run) -> None:
    """Rule: verdict, ways out as commands, capacity, guide and prices are told in words."""
    code, out, err = run("size", tiny, "--prices")
    assert code == 0
    assert "The promise" in out
    assert "Laboratories, tubes per hour" in out
    assert "guide" in out
    assert "what no plan can do" in err


def test_prices_where_the_promise_fails(tiny: Path, run: Run) -> None:
    """Rule: with --prices the minutes that lanes and tubes save stand beside the people spared."""
    found = sized(run, tiny, "--set", "labs.tubes_per_hour*=0.05", "--prices")
    assert (found["verdict"], found["worth"]["bound"] > 0) == ("cannot", True)
    assert found["worth"]["labs"]
    assert all(row["late_people_fewer"] * row["saves_min"] > 0 for row in found["worth"]["labs"])
    assert re.search(r"lab +name +tubes/h +people +saves", "\n".join(_lines(found)))


def test_confirmed_by_a_plan(tiny: Path, run: Run) -> None:
    """Rule: --confirm plans with the laboratories of the remedy, and lives through it."""
    found = sized(run, tiny, "--set", "labs.tubes_per_hour*=0.05", "--confirm",
                  "--quiet")  # fmt: skip
    (labs,) = [way for way in found["remedies"] if way["kind"] == "labs"]
    assert labs["confirmed"] in {True, False}
    assert labs["about"]["share_in_time"] <= 1


@pytest.mark.parametrize("span", ["soon", "-3h", "0", "3 weeks", ""])
def test_spans_that_are_none_are_refused(tiny: Path, run: Run, span: str) -> None:
    """Rule: a time that is not understood exits 2 with an example."""
    code, _, err = run("size", tiny, "--deadline", span)
    assert (code, "24h" in err) == (2, True)


def test_what_cannot_be_sized_is_told(tiny: Path, run: Run, tmp_path: Path) -> None:
    """Rule: unknown revisions, bad changes and folders that are not there exit 2."""
    assert run("size", tiny, "--revision", "0003")[0] == 2
    code, _, err = run("size", tiny, "--set", "labs.rate=1")
    assert (code, "labs.rate" in err) == (2, True)
    code, _, err = run("size", tmp_path / "nowhere")
    assert (code, "nowhere" in err) == (2, True)


def test_a_deadline_shorter_than_a_slot(tiny: Path, run: Run) -> None:
    """Rule: where no slot lies before the deadline nobody is swabbed, and only time helps."""
    found = sized(run, tiny, "--deadline", "5min")
    assert found["verdict"] == "cannot"
    assert found["proof"]["late_people_at_least"] == found["target"]["people"]
    kept = [way["kind"] for way in found["remedies"] if way["keeps_promise"]]
    assert kept == ["finish_later"]
    assert all(row["least"] is None for row in found["least"]["lanes"])


def test_a_failure_is_told_in_words(tiny: Path, run: Run) -> None:
    """Rule: proof, shortfalls, ways out as commands, and what does not help are printed."""
    code, out, _ = run("size", tiny, "--set", "labs.tubes_per_hour*=0.05", "--confirm", "--quiet")
    assert code == 0
    assert "The promise CANNOT be kept" in out
    assert "labs are short" in out
    assert 'nat-scheduler plan DIR --certify --set "labs.tubes_per_hour*=0.05"' in out
    assert "planned and lived through it" in out
    assert "alone do not help" in out
    assert "spare most people a late result" in out
    assert "Not written" in out


def test_ways_out_are_commands_for_the_same_target(tiny: Path, run: Run) -> None:
    """Rule: what was supposed, and the target asked for, stand in the command of each way out."""
    found = sized(run, tiny, "--deadline", "3h", "--promise", "4h", "--set", "sites.lanes=1")
    assert found["target"]["supposes"] == [
        "sites.lanes=1", "round.end=2020-12-22T11:00", "targets.result_hours=4",
    ]  # fmt: skip
    ways = [way for way in found["remedies"] if way["keeps_promise"]]
    assert ways
    for way in ways:
        assert '--set "sites.lanes=1" --set "round.end=2020-12-22T11:00"' in way["options"]
