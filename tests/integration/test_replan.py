"""``replan`` on round folders: exit codes, what is written, what stays, and what goes wrong."""

from __future__ import annotations

import csv
import ctypes
import http.server
import json
import os
import resource
import shutil
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from scheduler.app.init import init_round
from scheduler.publish.plan_files import revisions
from scheduler.solve import exact
from scheduler.store import open_store
from tests.integration.commands import Run, caller

TOP = Path(__file__).parents[2]
DATA = TOP / "tests" / "data"
NOON = "2020-12-22T12:00"


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exact, "EFFORT", 0.0)
    monkeypatch.delenv("NAT_SCHEDULER_DATABASE_URL", raising=False)


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Return a function that runs the command line: exit code, stdout, stderr."""
    return caller(monkeypatch, capsys)


@pytest.fixture(scope="module")
def planned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return synthetic Dalian with 20,000 people, planned and published, for copies only."""
    folder = tmp_path_factory.mktemp("cities") / "dalian"
    init_round(folder, city="dalian", people=20_000)
    for name in ("plan", "publish"):
        command = [sys.executable, "-m", "scheduler", name, str(folder)]
        subprocess.run(command, check=True, capture_output=True)
    return folder


@pytest.fixture
def dalian(planned: Path, tmp_path: Path) -> Path:
    """Return a copy of the planned city."""
    return Path(shutil.copytree(planned, tmp_path / "dalian", symlinks=True))


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as lines:
        return list(csv.DictReader(lines))


def _calls(folder: Path, revision: str) -> list[dict[str, str]]:
    return _rows(folder / "plans" / revision / "assignments.csv")


def _event(folder: Path, *lines: str, name: str = "events.csv") -> Path:
    """Write an event file beside the round."""
    path = folder.parent / name
    header = "time,kind,site_id,lab_id,community_id,lanes,people,zone,end"
    path.write_text("\n".join([header, *lines, ""]), encoding="utf-8")
    return path


def _busiest(folder: Path, after: str) -> str:
    totals: dict[str, int] = {}
    for row in _calls(folder, "0001"):
        if row["start"] >= after:
            totals[row["site_id"]] = totals.get(row["site_id"], 0) + int(row["people"])
    return max(totals, key=lambda site: totals[site])


def _state(folder: Path) -> dict[str, float]:
    """Return every file under plans/ and published/ with the time it was written."""
    return {
        str(path.relative_to(folder)): path.lstat().st_mtime
        for place in ("plans", "published")
        for path in sorted((folder / place).rglob("*"))
    }


def test_a_closed_site_is_left(dalian: Path, run: Run) -> None:
    """Nobody is called to a closed site, what is done stays, few are moved, verify is content."""
    site = _busiest(dalian, "2020-12-22T13")
    events = _event(dalian, f"{NOON},site_closed,{site},,,,,,")
    code, out, _ = run("replan", dalian, "--events", events, "--now", NOON, "--json")
    told = json.loads(out)
    assert (code, told["revision"], told["changed"]) == (0, "0002", True)
    new = _calls(dalian, "0002")
    assert not [row for row in new if row["site_id"] == site and row["start"] >= "2020-12-22T12"]
    early = [
        [row for row in _calls(dalian, name) if row["end"] <= "2020-12-22T12:00:00+08:00"]
        for name in ("0001", "0002")
    ]
    assert early[0] == early[1]
    assert 0 < told["replan"]["must_move"] <= told["replan"]["moved"]
    assert told["replan"]["moved"] <= 1.2 * told["replan"]["must_move"]
    assert run("verify", dalian)[0] == 0
    assert (dalian / "events" / "0001-events.csv").read_bytes() == events.read_bytes()
    assert len(list((dalian / "events" / ".versions").iterdir())) == 1


def test_nothing_changed_writes_nothing(dalian: Path, run: Run) -> None:
    """Nothing new: no revision, no file touched, silence with --quiet, one line in the run log."""
    before = _state(dalian)
    assert run("replan", dalian, "--now", NOON, "--quiet") == (0, "", "")
    code, out, _ = run("replan", dalian, "--now", NOON)
    assert (code, out) == (0, "Nothing has changed: revision 0001 stands\n")
    assert _state(dalian) == before
    with open_store(dalian) as store:
        newest = store.runs()[0]
    assert (newest.command, newest.exit_code, newest.revision) == ("replan", 0, None)
    assert set(newest.files) >= {"round.toml", "sites.csv"}


def test_the_same_events_again_change_nothing(dalian: Path, run: Run) -> None:
    """Events that were answered already lead to no second revision, also when they come again."""
    site = _busiest(dalian, "2020-12-22T13")
    events = _event(dalian, f"{NOON},site_closed,{site},,,,,,")
    assert run("replan", dalian, "--events", events, "--now", NOON, "--quiet")[0] == 0
    again = run("replan", dalian, "--events", events, "--now", "2020-12-22T12:10", "--quiet")
    assert again == (0, "", "")
    assert revisions(dalian) == ["0001", "0002"]
    code, _, err = run("replan", dalian, "--now", "2020-12-22T11:00")
    assert (code, "Expected a time from 2020-12-22T12:00" in err) == (2, True)  # time runs on


def test_people_missed_are_called_later(dalian: Path, run: Run) -> None:
    """Who was not sampled gets a later slot; the rest of the block's people keep theirs."""
    first = next(r for r in _calls(dalian, "0001") if r["end"] <= "2020-12-22T10" and
                 int(r["people"]) >= 20)  # fmt: skip
    progress = dalian.parent / "progress.csv"
    progress.write_text(
        "time,site_id,slot,sampled,block_id\n"
        f"{NOON},{first['site_id']},{first['start']},5,{first['block_id']}\n",
        encoding="utf-8",
    )
    code, out, _ = run("replan", dalian, "--progress", progress, "--now", NOON, "--json")
    told = json.loads(out)["replan"]
    missed = int(first["people"]) - 5
    assert code == 0
    assert told["must_leave_by_cause"] == {"missed": missed}
    mine = [r for r in _calls(dalian, "0002") if r["block_id"] == first["block_id"]]
    assert sum(int(r["people"]) for r in mine if r["start"] >= "2020-12-22T13") >= missed
    (done,) = _rows(dalian / "plans" / "0002" / "done.csv")
    assert (done["called"], done["sampled"]) == (first["people"], "5")
    assert run("verify", dalian)[0] == 0


def test_a_corrected_file_replaces_the_earlier_one(dalian: Path, run: Run) -> None:
    """Given again under its name, a file counts as it is now: what it had before is undone."""
    site = _busiest(dalian, "2020-12-22T13")
    events = _event(dalian, f"{NOON},site_closed,{site},,,,,,", f"{NOON},lab_out,,DL-L001,,,,,")
    assert run("replan", dalian, "--events", events, "--now", NOON, "--quiet")[0] == 0
    events = _event(dalian, f"{NOON},lab_out,,DL-L001,,,,,")
    code, _, err = run("replan", dalian, "--events", events, "--now", "2020-12-22T12:05")
    assert (code, "[C708]" in err, f"site_closed {site}" in err) == (0, True, True)
    more = _event(dalian, "2020-12-22T12:05,people_added,,,DL-C0001,,40,,", name="more.csv")
    assert run("replan", dalian, "--events", more, "--now", "2020-12-22T12:05", "--quiet")[0] == 0
    answered = _rows(dalian / "plans" / revisions(dalian)[-1] / "events.csv")
    assert {row["kind"] for row in answered} == {"lab_out", "people_added"}
    assert sorted(path.name for path in (dalian / "events").glob("*.csv")) == [
        "0002-events.csv",
        "0003-more.csv",
    ]
    assert len(list((dalian / "events" / ".versions").iterdir())) == 3
    assert run("verify", dalian)[0] == 0


def test_progress_out_of_order_and_corrected(dalian: Path, run: Run) -> None:
    """A later time wins whatever file it stands in; a correction given once stays."""
    first = next(r for r in _calls(dalian, "0001") if r["end"] <= "2020-12-22T09" and
                 int(r["people"]) >= 20)  # fmt: skip
    key = f"{first['site_id']},{first['start']}"

    def told(name: str, time: str, sampled: int) -> Path:
        path = dalian.parent / name
        row = f"2020-12-22T{time},{key},{sampled},{first['block_id']}"
        path.write_text(f"time,site_id,slot,sampled,block_id\n{row}\n", encoding="utf-8")
        return path

    late, early = told("late.csv", "11:30", int(first["people"])), told("early.csv", "10:00", 1)
    given = ("--progress", late, "--progress", early, "--now", NOON, "--quiet")
    assert run("replan", dalian, *given) == (0, "", "")  # the newest says that all came
    wrong = told("late.csv", "11:30", 2)
    code, out, _ = run("replan", dalian, "--progress", wrong, "--now", NOON, "--json")
    missed = int(first["people"]) - 2
    assert (code, json.loads(out)["replan"]["must_leave_by_cause"]) == (0, {"missed": missed})
    assert run("replan", dalian, "--now", NOON, "--quiet") == (0, "", "")
    right = told("late.csv", "11:30", int(first["people"]))
    assert run("replan", dalian, "--progress", right, "--now", NOON, "--quiet")[0] == 0
    done = dalian / "plans" / revisions(dalian)[-1] / "done.csv"
    assert (revisions(dalian)[-1], _rows(done)) == ("0003", [])  # nobody is called a second time
    assert run("verify", dalian)[0] == 0


def test_blocks_cut_short_stay_whole_when_labs_are_short(dalian: Path, run: Run) -> None:
    """Missed people of blocks that are still called get one new place each, though a lab is out."""
    slots: dict[str, list[dict[str, str]]] = {}
    for row in _calls(dalian, "0001"):
        slots.setdefault(row["block_id"], []).append(row)
    lines = [
        f"{NOON},{rows[0]['site_id']},{rows[0]['start']},0,{block}"
        for block, rows in slots.items()
        if rows[0]["end"] <= "2020-12-22T11:45" and rows[-1]["start"] >= "2020-12-22T12:30"
    ]
    assert lines
    progress = dalian.parent / "progress.csv"
    text = "\n".join(["time,site_id,slot,sampled,block_id", *lines, ""])
    progress.write_text(text, encoding="utf-8")
    lab = max(_rows(dalian / "plans/0001/lab_load.csv"), key=lambda row: int(row["tubes"]))
    events = _event(dalian, f"{NOON},lab_out,,{lab['lab_id']},,,,,")
    given = ("--events", events, "--progress", progress, "--now", NOON, "--quiet")
    assert run("replan", dalian, *given)[0] == 0
    assert run("verify", dalian)[0] == 0


def test_changes_are_told_per_community(dalian: Path, run: Run) -> None:
    """changes/ has only communities that changed, each with old and new place and time."""
    site = _busiest(dalian, "2020-12-22T13")
    events = _event(dalian, f"{NOON},site_closed,{site},,,,,,")
    code, _, _ = run("replan", dalian, "--events", events, "--now", NOON, "--publish", "--quiet")
    assert code == 0
    assert (dalian / "published" / "latest").readlink() == Path("0002")
    told = list((dalian / "published" / "0002" / "changes").rglob("*.csv"))
    rows = [row for path in told for row in _rows(path)]
    assert 0 < len(told) <= 10
    assert {row["原采样点编码"] for row in rows} >= {site}
    assert site not in {row["采样点编码"] for row in rows}
    summary = json.loads((dalian / "plans" / "0002" / "summary.json").read_bytes())
    assert sum(int(row["人数"]) for row in rows) == summary["replan"]["moved"]
    (community, *_) = (dalian / "published" / "0002" / "communities").rglob("*.csv")
    assert {row["版次"] for row in _rows(community)} == {"0002"}
    before = sorted(path.read_bytes() for path in told)
    assert run("publish", dalian)[0] == 0  # again: the changes are still those against 0001
    after = (dalian / "published" / "0002" / "changes").rglob("*.csv")
    assert sorted(path.read_bytes() for path in after) == before


@pytest.mark.parametrize(
    ("line", "code", "where"),
    [
        (f"{NOON},site_vanished,S1,,,,,,", "C701", "bad.csv:2: kind:"),
        ("noon,site_closed,DL-S00001,,,,,,", "C702", ":2: time:"),
        (f"{NOON},site_closed,,,,,,,", "C703", ":2: site_id:"),
        (f"{NOON},site_closed,NOWHERE,,,,,,", "C303", ":2: site_id:"),
        (f"{NOON},lanes_changed,DL-S00001,,,many,,,", "C203", ":2: lanes:"),
        (f"{NOON},site_closed,DL-S00001,,,,,,2020-12-22T11:00", "C705", ":2: end:"),
        (f"{NOON},site_closed", "C108", ":2:"),
    ],
)  # fmt: skip
def test_bad_events_are_refused(dalian: Path, run: Run, line: str, code: str, where: str) -> None:
    """An event that is not understood is exit 1 with file and line, and nothing is written."""
    events, before = _event(dalian, line, name="bad.csv"), _state(dalian)
    exit_code, _, err = run("replan", dalian, "--events", events, "--now", NOON)
    assert exit_code == 1
    assert f"[{code}]" in err
    assert where in err
    assert _state(dalian) == before
    assert run("replan", dalian, "--now", NOON, "--quiet") == (0, "", "")  # cron is not stopped


def test_an_empty_file_and_a_strange_one_are_refused(dalian: Path, run: Run) -> None:
    """Progress without text or without a known figure is a finding, not silence."""
    for name, text, code in (("a.csv", "", "C102"), ("b.csv", "time,site_id,stars\n", "C711")):
        path = dalian.parent / name
        path.write_text(text, encoding="utf-8")
        exit_code, _, err = run("replan", dalian, "--progress", path, "--now", NOON)
        assert (exit_code, f"[{code}]" in err) == (1, True), err


def test_what_cannot_be_replanned(tmp_path: Path, dalian: Path, run: Run) -> None:
    """No plan, changed input, a time that is none, a webhook that is none: exit 2 and a way out."""
    folder = Path(shutil.copytree(DATA / "tiny", tmp_path / "tiny"))
    assert "Run `nat-scheduler plan`" in run("replan", folder, "--now", NOON)[2]
    assert run("replan", dalian, "--now", "noon")[0] == 2
    assert run("replan", dalian, "--webhook", "ftp://nowhere")[0] == 2
    assert run("replan", dalian, "--events", tmp_path / "nowhere.csv")[0] == 2
    with (dalian / "sites.csv").open("a", encoding="utf-8") as file:
        file.write("\n")
    code, _, err = run("replan", dalian, "--now", NOON)
    assert (code, "input files have changed" in err) == (2, True)


def test_the_time_limit_ends_a_run(dalian: Path, run: Run) -> None:
    """A run that takes too long is exit 4, and the plan stands as it was."""
    assert run("replan", dalian, "--now", NOON, "--time-limit", "0.000001")[0] == 4
    assert revisions(dalian) == ["0001"]


def test_a_second_run_is_told_who_holds_the_lock(dalian: Path, run: Run) -> None:
    """While another run holds the round, replan is exit 2 at once; a dead holder is no obstacle."""
    (dalian / ".lock.json").write_text(
        json.dumps({"pid": 4711, "host": "h", "since": "2020-12-22T03:50:00+00:00"}), "utf-8"
    )
    with FileLock(dalian / ".lock", timeout=0):
        code, _, err = run("replan", dalian, "--now", NOON)
    assert code == 2
    assert "process 4711 on h, since 2020-12-22T03:50:00+00:00" in err
    assert run("replan", dalian, "--now", NOON)[0] == 0  # .lock.json of the dead is still there


def test_two_runs_at_once_make_one_plan(dalian: Path) -> None:
    """Two processes started together: one re-plans, the other ends or finds nothing to do."""
    site = _busiest(dalian, "2020-12-22T13")
    (dalian / "events").mkdir()
    shutil.copy(_event(dalian, f"{NOON},site_closed,{site},,,,,,"), dalian / "events")
    command = [sys.executable, "-m", "scheduler", "replan", str(dalian), "--now", NOON, "--quiet"]
    both = [subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            for _ in range(2)]  # fmt: skip
    codes = sorted(process.wait(timeout=120) for process in both)
    assert codes in ([0, 0], [0, 2])
    assert revisions(dalian) == ["0001", "0002"]


@pytest.fixture
def listener() -> Iterator[tuple[str, list[Any]]]:
    """Address of an HTTP server of the test's own, and what was posted to it."""
    heard: list[Any] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:  # the library's name
            body = self.rfile.read(int(self.headers["Content-Length"]))
            heard.append((self.headers["Content-Type"], json.loads(body)))
            self.send_response(500 if self.path == "/broken" else 204)
            self.end_headers()

        def log_message(self, *_arguments: object) -> None:
            """Say nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", heard
        server.shutdown()


def test_the_webhook_hears_of_new_revisions_only(
    dalian: Path, run: Run, listener: tuple[str, list[Any]]
) -> None:
    """A short JSON is posted for a new revision; one that fails is told, the plan stands."""
    url, heard = listener
    assert run("replan", dalian, "--now", NOON, "--webhook", f"{url}/new")[0] == 0
    assert heard == []
    site = _busiest(dalian, "2020-12-22T13")
    events = _event(dalian, f"{NOON},site_closed,{site},,,,,,")
    hook = ("--webhook", f"{url}/new")
    assert run("replan", dalian, "--events", events, "--now", NOON, "--quiet", *hook)[0] == 0
    ((kind, news),) = heard
    assert kind.startswith("application/json")
    assert (news["revision"], news["based_on"], news["published"]) == ("0002", "0001", False)
    more = _event(dalian, f"{NOON},site_opened,{site},,,,,,",
                  "2020-12-22T12:05,people_added,,,DL-C0001,,40,,", name="more.csv")  # fmt: skip
    code, _, err = run("replan", dalian, "--events", more, "--now", "2020-12-22T12:10",
                       "--webhook", f"{url}/broken", "--quiet")  # fmt: skip
    assert (code, "did not take the news" in err) == (0, True)
    assert revisions(dalian) == ["0001", "0002", "0003"]
    assert run("verify", dalian)[0] == 0


def _replan_in(folder: Path, **how: Any) -> subprocess.CompletedProcess[str]:  # noqa: ANN401  # of run
    command = [sys.executable, "-m", "scheduler", "replan", str(folder), "--now", NOON, "--publish"]
    # a child that measures coverage writes a file of its own, which these faults forbid too
    env = {name: value for name, value in os.environ.items() if not name.startswith("COV")}
    return subprocess.run(
        command, capture_output=True, text=True, check=False, encoding="utf-8", cwd=TOP, env=env,
        **how,
    )  # fmt: skip


def test_a_full_disk_leaves_the_last_publication(dalian: Path) -> None:
    """Files that cannot grow any more: exit 2 and a sentence; plans and publication as before."""
    site = _busiest(dalian, "2020-12-22T13")
    (dalian / "events").mkdir()
    shutil.copy(_event(dalian, f"{NOON},site_closed,{site},,,,,,"), dalian / "events")
    before = _state(dalian)

    def small_files() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))

    done = _replan_in(dalian, preexec_fn=small_files)  # the limit of one child
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    changed = {p for p, t in _state(dalian).items() if before.get(p) != t} - {"plans"}
    assert changed == set()
    assert _replan_in(dalian).returncode == 0
    assert revisions(dalian) == ["0001", "0002"]


def test_a_read_only_folder_is_told(dalian: Path) -> None:
    """A folder that may not be written: exit 2 and a sentence, nothing touched."""
    before = _state(dalian)
    places = [dalian, *(path for path in dalian.rglob("*") if path.is_dir())]

    def without_privilege() -> None:
        """Let rights count for root too: drop CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH."""
        if os.geteuid() == 0:
            for capability in (1, 2):
                ctypes.CDLL(None).prctl(24, capability)  # PR_CAPBSET_DROP, linux/prctl.h

    for place in places:
        place.chmod(0o555)
    try:
        done = _replan_in(dalian, preexec_fn=without_privilege)  # one child
    finally:
        for place in places:
            place.chmod(0o755)
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    assert _state(dalian) == before


def test_a_database_that_is_locked_or_gone_is_told(dalian: Path) -> None:
    """The database locked by somebody, or not a database: exit 2, the publication untouched."""
    site = _busiest(dalian, "2020-12-22T13")
    (dalian / "events").mkdir()
    shutil.copy(_event(dalian, f"{NOON},site_closed,{site},,,,,,"), dalian / "events")
    before, file = _state(dalian), dalian / "nat-scheduler.sqlite3"
    connection = sqlite3.connect(file, isolation_level=None)
    connection.execute("BEGIN EXCLUSIVE")
    done = _replan_in(dalian)
    connection.close()
    assert (done.returncode, "locked by another run" in done.stderr) == (2, True), done.stderr
    changed = {p for p, t in _state(dalian).items() if before.get(p) != t} - {"plans"}
    assert changed == set()
    for rest in ("-wal", "-shm"):
        file.with_name(file.name + rest).unlink(missing_ok=True)
    file.write_bytes(b"no database at all" * 100)
    done = _replan_in(dalian)
    assert (done.returncode, "is not an SQLite database" in done.stderr) == (2, True), done.stderr


def test_a_revision_without_rows_is_stored_by_the_next_run(
    dalian: Path, run: Run, database_url: str | None
) -> None:
    """Killed between renaming and committing, the folder is there and the rows are put in."""
    url = ("--database-url", database_url) if database_url else ()
    with open_store(dalian, database_url) as store:
        store.remove_revision("dalian-2020-12-r1", "0001")
    (dalian / "plans" / ".0007.partial").mkdir()
    (dalian / "published" / ".0009.partial").mkdir()
    assert run("replan", dalian, "--now", NOON, "--quiet", *url)[0] == 0
    with open_store(dalian, database_url) as store:
        assert [r.revision for r in store.revisions("dalian-2020-12-r1")] == ["0001"]
    assert [p.name for p in (dalian / "plans").iterdir()] == ["0001"]
    assert not (dalian / "published" / ".0009.partial").exists()


def test_the_installer_only_says_what_it_would_do(dalian: Path) -> None:
    """Without --yes nothing is installed; the line has the round and the program in it."""
    script = TOP / "scripts" / "install-cron"
    for more in ([], ["--systemd"]):
        done = subprocess.run(
            [script, dalian, "--program", sys.executable, *more],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        assert f"replan {dalian} --quiet --publish" in done.stdout
        assert "Nothing was done" in done.stdout
    assert subprocess.run([script, TOP / "tests"], check=False, capture_output=True).returncode == 2


@pytest.mark.slow
def test_a_day_is_drilled(tmp_path: Path) -> None:
    """The drill of a small city ends with the day's figures, and its last plan is clean."""
    command = [sys.executable, "-m", "tests.benchmarks.drill", str(tmp_path / "d"), "--json"]
    done = subprocess.run(
        [*command, "--people", "12000", "--every", "60"],
        capture_output=True, text=True, check=True, cwd=TOP,
    )  # fmt: skip
    told = json.loads(done.stdout)
    assert told["runs"] >= 5
    assert told["revisions"] >= 1
    assert told["people_sampled"] > 10_000
    assert 0 < told["must_move"] <= told["moved"]
    check = [sys.executable, "-m", "scheduler", "verify", str(tmp_path / "d")]
    assert subprocess.run(check, check=False, capture_output=True).returncode == 0
