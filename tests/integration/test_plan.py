"""``plan`` on round folders: exit codes, what is kept, and what is not."""

from __future__ import annotations

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from scheduler.app.init import init_round
from scheduler.publish.plan_files import revisions
from scheduler.store import RunRecord, open_store
from tests.integration.commands import Run, runner

DATA = Path(__file__).parents[1] / "data"
FILES = [
    *("assignments.csv", "consignments.csv", "lab_load.csv", "summary.json", "unserved.csv"),
]
SUMMARY_KEYS = {
    *("round", "revision", "status", "objective", "best_bound", "relative_gap", "gap_per_person"),
    *("terms", "people", "served", "late_people", "walk_m", "sites_per_community", "seed"),
    "inputs_sha256",
}
REAL_DATA = os.environ.get("NAT_SCHEDULER_REAL_DATA", "")


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Return a function that runs the command line: exit code, stdout, stderr."""
    return runner(monkeypatch, capsys)


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    """Return a copy of the tiny round."""
    return Path(shutil.copytree(DATA / "tiny", tmp_path / "tiny"))


@pytest.fixture(scope="session")
def made_dalian(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return synthetic Dalian with 20,000 people, for copies only."""
    folder = tmp_path_factory.mktemp("cities") / "dalian"
    init_round(folder, city="dalian", people=20_000)
    return folder


@pytest.fixture
def dalian(made_dalian: Path, tmp_path: Path) -> Path:
    """Return a copy of synthetic Dalian."""
    return Path(shutil.copytree(made_dalian, tmp_path / "dalian"))


def _spoil(folder: Path, file: str, old: str, new: str) -> None:
    text = (folder / file).read_text("utf-8")
    assert old in text
    (folder / file).write_text(text.replace(old, new), "utf-8")


def _last_run(folder: Path, url: str | None = None) -> RunRecord:
    with open_store(folder, url) as store:
        (latest,) = store.runs(limit=1)
    return latest


def _stored(folder: Path, url: str | None = None) -> list[str]:
    """Return the revisions in the store."""
    with open_store(folder, url) as store:
        return [r.revision for info in store.rounds() for r in store.revisions(info.round_id)]


def _rows(folder: Path, revision: str, file: str) -> list[dict[str, str]]:
    with (folder / "plans" / revision / file).open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def _nothing_kept(folder: Path) -> bool:
    return not revisions(folder) and not list((folder / "plans").glob("*")) and not _stored(folder)


def test_a_plan_is_kept_on_disk_and_in_the_store(tiny: Path, run: Run) -> None:
    """Exit 0: five files under plans/0001, a revision in the store, a line in the run log."""
    code, out, err = run("plan", tiny)
    assert code == 0
    assert sorted(p.name for p in (tiny / "plans" / "0001").iterdir()) == FILES
    assert [p.name for p in (tiny / "plans").iterdir()] == ["0001"]
    assert out.startswith(("Revision 0001: feasible", "Revision 0001: optimal"))
    assert "reading" in err
    assert "gap" in err
    assert _stored(tiny) == ["0001"]
    log = _last_run(tiny)
    assert (log.command, log.exit_code, log.revision) == ("plan", 0, "0001")
    assert log.round_id == "tiny-r1"
    assert {"reading", "checking and writing", "total"} <= log.stages.keys()


def test_the_summary_has_every_key(tiny: Path, run: Run) -> None:
    """--json prints what summary.json holds, the folder and the seconds of each stage."""
    code, out, err = run("plan", tiny, "--json", "--quiet", "--seed", 5)
    told = json.loads(out)
    assert (code, err) == (0, "")
    summary = json.loads((tiny / "plans" / "0001" / "summary.json").read_text("utf-8"))
    assert summary.keys() >= SUMMARY_KEYS
    assert {key: told[key] for key in summary} == summary
    assert told["folder"] == str(tiny / "plans" / "0001")
    assert told["seconds"]["total"] >= told["seconds"]["reading"] >= 0
    assert "seconds" not in summary
    assert set(summary["terms"]) == {"unserved", "late", "walk", "finish", "split", "churn"}
    assert set(summary["walk_m"]) == {"mean", "p95", "max"}
    assert summary["objective"] == pytest.approx(sum(summary["terms"].values()))
    assert summary["seed"] == 5


def test_the_store_holds_the_same_rows(dalian: Path, run: Run) -> None:
    """What is in plans/ is in the store, row for row."""
    assert run("plan", dalian, "--quiet")[0] == 0
    with open_store(dalian) as store:
        (info,) = store.rounds()
        (revision,) = store.revisions(info.round_id)
        tables = {
            "assignments.csv": store.assignments(info.round_id, "0001"),
            "consignments.csv": store.consignments(info.round_id, "0001"),
            "unserved.csv": store.unserved(info.round_id, "0001"),
        }
    for file, table in tables.items():
        rows = _rows(dalian, "0001", file)
        assert len(table) == len(rows) > 0
        assert int(table["people"].sum()) == sum(int(row["people"]) for row in rows)
    assert revision.people == 20_000
    assert revision.best_bound is not None
    assert revision.best_bound <= revision.objective


def test_the_same_seed_gives_the_same_bytes(dalian: Path, run: Run) -> None:
    """Two runs differ in nothing but the revision in summary.json; workers do not matter."""
    assert run("plan", dalian, "--quiet", "--seed", 3)[0] == 0
    assert run("plan", dalian, "--quiet", "--seed", 3, "--workers", 1)[0] == 0
    one, two = (dalian / "plans" / name for name in ("0001", "0002"))
    for file in FILES:
        first, second = (one / file).read_bytes(), (two / file).read_bytes()
        if file == "summary.json":
            first = first.replace(b'"revision": "0001"', b'"revision": "0002"')
        assert first == second, file
    assert _stored(dalian) == ["0001", "0002"]


def test_everybody_is_called_or_listed(dalian: Path, run: Run) -> None:
    """The people of the assignments and of unserved.csv are the people of the round."""
    assert run("plan", dalian, "--quiet")[0] == 0
    called = sum(int(row["people"]) for row in _rows(dalian, "0001", "assignments.csv"))
    left = sum(int(row["people"]) for row in _rows(dalian, "0001", "unserved.csv"))
    assert called + left == 20_000


@pytest.mark.parametrize("broken", ["C203", "C101", "C005"])
def test_broken_input_is_refused(broken: str, tmp_path: Path, run: Run) -> None:
    """Exit 1 with each error on stderr; nothing is kept, and the run is logged."""
    folder = Path(shutil.copytree(DATA / "broken" / broken, tmp_path / broken))
    code, out, err = run("plan", folder, "--json")
    assert code == 1
    assert f"[{broken}]" in err
    assert "error" in json.loads(out)
    assert _nothing_kept(folder)
    assert _last_run(folder).exit_code == 1


def test_a_missing_folder_cannot_run(tmp_path: Path, run: Run) -> None:
    """Exit 2, and the folder is not made."""
    code, _, err = run("plan", tmp_path / "nowhere")
    assert code == 2
    assert "nowhere" in err
    assert not (tmp_path / "nowhere").exists()


@pytest.mark.parametrize(
    "arguments",
    [("--seed", "-1"), ("--workers", "0"), ("--time-limit", "0"), ("--no-such-option",)],
)
def test_wrong_usage_cannot_run(arguments: tuple[str, ...], tiny: Path, run: Run) -> None:
    """Exit 2 for options that make no sense."""
    assert run("plan", tiny, *arguments)[0] == 2
    assert not (tiny / "plans").exists()


def test_an_unknown_district_cannot_run(tiny: Path, run: Run) -> None:
    """Exit 2, and the known districts are named."""
    code, _, err = run("plan", tiny, "--district", "甘井子区")
    assert code == 2
    assert "中山区" in err
    assert _nothing_kept(tiny)


@pytest.mark.parametrize(
    "url", ["postgresql://nobody@127.0.0.1:1/none", "mysql://somewhere/x", "no url at all"]
)
def test_a_wrong_database_cannot_run(url: str, tiny: Path, run: Run) -> None:
    """Exit 2 when the database cannot be used; no plan appears without its row."""
    code, _, err = run("plan", tiny, "--database-url", url)
    assert code == 2
    assert err.startswith("Error: ")
    assert not (tiny / "plans").exists()


HOLD = """
import sys, pathlib
from scheduler.app.runtime import round_lock
with round_lock(pathlib.Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def holder(tiny: Path) -> Iterator[subprocess.Popen[str]]:
    """Hold the tiny round's lock in another process."""
    command = [sys.executable, "-c", HOLD, str(tiny)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_a_round_in_use_cannot_run(tiny: Path, run: Run, holder: subprocess.Popen[str]) -> None:
    """Exit 2 while another process holds the lock, naming it; free again when that one dies."""
    code, _, err = run("plan", tiny)
    assert code == 2
    assert str(holder.pid) in err
    assert not (tiny / "plans").exists()
    holder.kill()
    holder.wait()
    assert run("plan", tiny, "--quiet")[0] == 0


def test_strict_keeps_no_late_plan(tiny: Path, run: Run) -> None:
    """Exit 3 when labs are too few for the promise; without --strict the plan is kept, exit 0."""
    _spoil(tiny, "labs.csv", ",60,180,", ",3,180,")
    _spoil(tiny, "labs.csv", ",30,150,", ",2,150,")
    code, _, err = run("plan", tiny, "--strict")
    assert code == 3
    assert "promise" in err
    assert _nothing_kept(tiny)
    log = _last_run(tiny)
    assert (log.exit_code, log.revision) == (3, None)
    code, out, err = run("plan", tiny, "--quiet")
    assert (code, revisions(tiny)) == (0, ["0001"])
    assert "late" in out
    assert "Warning" in err


def test_strict_keeps_a_plan_in_time(tiny: Path, run: Run) -> None:
    """--strict changes nothing where the promise is kept."""
    assert run("plan", tiny, "--strict", "--quiet")[0] == 0
    assert revisions(tiny) == ["0001"]


def test_no_plan_in_time(dalian: Path, run: Run) -> None:
    """Exit 4 when the time limit passes first; nothing is kept."""
    code, _, err = run("plan", dalian, "--time-limit", "0.000001")
    assert code == 4
    assert "--time-limit" in err
    assert _nothing_kept(dalian)
    assert _last_run(dalian).exit_code == 4


@pytest.mark.parametrize("stage", ["reading", "places and labs", "checking and writing"])
def test_an_interrupt_leaves_nothing_half_written(stage: str, dalian: Path, run: Run) -> None:
    """Exit 130 on Ctrl-C; only complete revisions are there, and the next run works."""
    command = [sys.executable, "-m", "scheduler", "plan", str(dalian)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if stage in line:
                process.send_signal(signal.SIGINT)
                break
        rest = process.stderr.read()
    assert process.returncode == 130
    assert "Interrupted" in rest
    assert not list((dalian / "plans").glob(".*"))
    for name in revisions(dalian):
        assert sorted(p.name for p in (dalian / "plans" / name).iterdir()) == FILES
    assert revisions(dalian) == _stored(dalian)
    assert _last_run(dalian).exit_code != 0
    assert run("plan", dalian, "--quiet")[0] == 0
    assert revisions(dalian) == _stored(dalian)


def test_a_kill_leaves_nothing_in_the_way(dalian: Path, run: Run) -> None:
    """After a kill -9 in the middle of writing, the next run works and sweeps up."""
    partial = dalian / "plans" / ".0001.partial"
    partial.mkdir(parents=True)
    (partial / "assignments.csv").write_text("half a li")
    assert revisions(dalian) == []
    assert run("plan", dalian, "--quiet")[0] == 0
    assert revisions(dalian) == _stored(dalian) == ["0001"]
    assert not partial.exists()


def test_districts_apart_do_not_overload_a_lab(dalian: Path, run: Run) -> None:
    """Every district plans with its share of the labs: together they keep each lab's capacity."""
    with (dalian / "communities.csv").open(encoding="utf-8-sig", newline="") as lines:
        rows = list(csv.DictReader(lines))
    column = next(name for name in rows[0] if name in {"district", "区县"})
    with (dalian / "labs.csv").open(encoding="utf-8-sig", newline="") as lines:
        capacity = {
            next(iter(lab.values())): int(lab.get("tubes_per_hour") or lab["每小时管数"])
            for lab in csv.DictReader(lines)
        }
    load: Counter[tuple[str, str]] = Counter()
    people = 0
    for number, district in enumerate(sorted({row[column] for row in rows}), start=1):
        code, out, _ = run("plan", dalian, "--quiet", "--json", "--district", district)
        told: dict[str, Any] = json.loads(out)
        assert (code, told["district"]) == (0, district)
        people += told["people"]
        for row in _rows(dalian, f"{number:04d}", "lab_load.csv"):
            load[row["lab_id"], row["hour"]] += int(row["tubes"])
    assert people == 20_000
    assert load
    assert all(tubes <= capacity[lab] for (lab, _), tubes in load.items())


def test_a_plan_is_kept_in_postgresql(tiny: Path, run: Run, postgres_url: str) -> None:
    """--database-url and its environment variable take the place of the SQLite file."""
    assert run("plan", tiny, "--quiet", "--database-url", postgres_url)[0] == 0
    assert _stored(tiny, postgres_url) == ["0001"]
    assert not list(tiny.glob("*.db")) + list(tiny.glob("*.sqlite*"))
    log = _last_run(tiny, postgres_url)
    assert (log.command, log.exit_code, log.revision) == ("plan", 0, "0001")
    os.environ["NAT_SCHEDULER_DATABASE_URL"] = postgres_url
    try:
        assert run("plan", tiny, "--quiet")[0] == 0
    finally:
        del os.environ["NAT_SCHEDULER_DATABASE_URL"]
    assert _stored(tiny, postgres_url) == ["0001", "0002"]


@pytest.mark.slow
@pytest.mark.skipif(not REAL_DATA, reason="NAT_SCHEDULER_REAL_DATA names no folder of real lists")
def test_real_lists_are_planned(tmp_path: Path, run: Run) -> None:
    """The real lists of Dalian, at 100,000 people, give a plan that verify finds clean."""
    script = Path(__file__).parents[2] / "scripts" / "real_city.py"
    folder = tmp_path / "real"
    subprocess.run(
        [sys.executable, script, REAL_DATA, folder, "--people", "100000"],
        check=True,
        capture_output=True,
    )
    code, out, _ = run("plan", folder, "--quiet", "--json")
    told = json.loads(out)
    assert code == 0
    assert told["people"] == pytest.approx(100_000, rel=0.01)
    assert told["terms"]["unserved"] == 0
    assert 0 <= told["best_bound"] <= told["objective"]
    assert run("verify", folder)[0] == 0
