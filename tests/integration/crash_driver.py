"""Kill plan, replan, publish and record again and again, and look after each kill at what is left.

Run as a program: ``python -m tests.integration.crash_driver DIR KILLS SEED [DATABASE_URL]``.
Every run is a child of its own that the kernel kills (SIGKILL), half of them at a random moment,
half at a random touch of the disk, where the interesting moments are. Prints what was found as
JSON.
"""

from __future__ import annotations

import hashlib
import json
import os
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import alembic.context  # noqa: F401  # here, so that no child has to
import numpy as np
import pytest

from scheduler.app.plan import PlanOptions, plan_round
from scheduler.app.publish import publish_revision
from scheduler.app.record import RecordOptions, record_round
from scheduler.app.replan import ReplanOptions, replan_round
from scheduler.app.roster import RosterOptions, roster_round
from scheduler.app.verify import verify_round
from scheduler.publish.plan_files import revisions
from scheduler.publish.record_files import read_state
from scheduler.roster.recorded import SAMPLE_SCHEMA
from scheduler.store import open_store
from tests.effort import no_effort

WATCHED = {"open", "os.rename", "os.mkdir", "os.remove", "os.rmdir", "os.symlink", "shutil.rmtree"}
BLOCKS = {
    "C001-B1": 110,
    "C001-B2": 100,
    "C001-B3": 90,
    "C002-B1": 60,
    "C002-B2": 49,
    "C003-B1": 40,
}
"""People of the blocks of ``tests/data/tiny``; the roster names as many."""
PLAN_FILES = ("assignments.csv", "consignments.csv", "lab_load.csv", "unserved.csv", "summary.json")
CHECK_EVERY = 25


class Crashes:
    """One round folder and everything that is done to it."""

    def __init__(self, folder: Path, seed: int, url: str | None) -> None:
        self.folder, self.url = folder, url
        self.rng = np.random.default_rng(seed)
        self.added = self.num_samples = 0
        self.problems: list[str] = []
        self.killed: Counter[str] = Counter()
        self.ended: Counter[str] = Counter()
        self.usual: dict[str, tuple[float, int]] = {}
        self.was_published = False

    def run(self, kills: int) -> None:
        """Kill so many runs."""
        for name in ("plan", "roster", "publish", "replan", "record"):
            self._measure(name)
        often = ["plan", "replan", "replan", "publish", "record"]
        while sum(self.killed.values()) < kills and len(self.problems) < CHECK_EVERY:
            never = [task for task in often if not self.killed[task]]
            name = str(self.rng.choice(never or often))
            self._kill_one(name)
            self._look(name)
            if sum(self.killed.values()) % CHECK_EVERY == 0:
                self._go_on()
        self._go_on()

    def _task(self, name: str) -> Callable[[], object]:
        if name == "plan":
            return lambda: plan_round(self.folder, PlanOptions(database_url=self.url))
        if name == "publish":
            return lambda: publish_revision(self.folder)
        if name == "roster":
            asked = RosterOptions(residents=(self._residents(),), database_url=self.url)
            return lambda: roster_round(self.folder, asked)
        if name == "record":
            self._add_samples()
            samples = RecordOptions(samples=(self.folder / "samples",), database_url=self.url)
            return lambda: record_round(self.folder, samples)
        self._add_people()
        options = ReplanOptions(now="2020-12-22T06:30", database_url=self.url, publish=True)
        return lambda: replan_round(self.folder, options)

    def _residents(self) -> Path:
        """Write a roster, four to a household."""
        rows = [f"R-{block}-{n},H-{block}-{n // 4},{block}\n"
                for block, people in BLOCKS.items() for n in range(people)]  # fmt: skip
        path = self.folder / "residents.csv"
        path.write_text("resident_id,household_id,block_id\n" + "".join(rows), encoding="utf-8")
        return path

    def _add_samples(self) -> None:
        """Hand in one more file of samples, of one person."""
        block = list(BLOCKS)[self.num_samples % len(BLOCKS)]
        who = f"R-{block}-{self.num_samples // len(BLOCKS)}"
        line = f"{who},S01,2020-12-22 08:05,T{self.num_samples}\n"
        path = self.folder / "samples" / f"{self.num_samples:04}.csv"
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"resident_id,site_id,sampled_at,tube\n{line}", encoding="utf-8")
        self.num_samples += 1

    def _add_people(self) -> None:
        """Report one more event, so that there is something to re-plan for."""
        self.added += 1
        path = self.folder / "events" / "people.csv"
        path.parent.mkdir(exist_ok=True)
        new = "" if path.exists() else "time,kind,community_id,people\n"
        minute, second = divmod(self.added, 60)
        new += (
            f"2020-12-22T0{4 + minute // 60}:{minute % 60:02d},people_added,C001,{2 + second % 3}\n"
        )
        with path.open("a", encoding="utf-8") as file:
            file.write(new)

    def _measure(self, name: str) -> None:
        """Learn how long a run takes and how often it touches the disk, by one that ends well."""
        task, count = self._task(name), self.folder / ".touches"
        begin = time.monotonic()
        pid = os.fork()
        if not pid:
            touched = [0]
            sys.addaudithook(
                lambda event, _: touched.__setitem__(0, touched[0] + (event in WATCHED))
            )
            code = _outcome(task)
            count.write_text(str(touched[0]), encoding="utf-8")
            os._exit(code)
        if self._wait(pid):
            self.problems.append(f"{name} does not even end well when left alone")
        self.usual[name] = (time.monotonic() - begin, int(count.read_text(encoding="utf-8")))
        count.unlink()

    def _kill_one(self, name: str) -> None:
        seconds, touches = self.usual[name]
        moment = self.rng.random() * seconds
        touch = int(self.rng.integers(1, touches + 1)) if self.rng.random() < 0.5 else 0
        task = self._task(name)
        pid = os.fork()
        if not pid:
            if touch:
                _die_at(touch)
            os._exit(_outcome(task))
        if not touch:
            time.sleep(moment)
            os.kill(pid, signal.SIGKILL)
        code = self._wait(pid)
        if code == -signal.SIGKILL:
            self.killed[name] += 1
        elif code:
            self.problems.append(f"{name} ended with {code} after a kill")
        else:
            self.ended[name] += 1
            touches = min(touches, max(1, touch - 1)) if touch else touches
        # so that most runs are killed, also when the machine has other work than at first
        self.usual[name] = (seconds * (1.03 if code else 0.9), touches)

    def _look(self, name: str) -> None:
        """Whatever was killed: revisions are whole, and the last publication can be trusted."""
        for revision in revisions(self.folder):
            home = self.folder / "plans" / revision
            missing = [file for file in PLAN_FILES if not (home / file).is_file()]
            if missing:
                self.problems.append(f"after {name}: {revision} lacks {missing}")
                continue
            json.loads((home / "summary.json").read_bytes())
        latest = self.folder / "published" / "latest"
        if not latest.exists():
            if self.was_published:
                self.problems.append(f"after {name}: nothing is published any more")
            return
        self.was_published = True
        manifest = json.loads((latest / "manifest.json").read_bytes())
        for path, digest in manifest["files"].items():
            if hashlib.sha256((latest / path).read_bytes()).hexdigest() != digest:
                self.problems.append(f"after {name}: published {path} is not what was written")

    def _go_on(self) -> None:
        """The next run, left alone, continues by itself and leaves everything in order."""
        for name in ("replan", "publish", "record"):
            if self._child(self._task(name)):
                self.problems.append(f"{name} does not go on after kills")
        if self._child(lambda: _all_recorded(self.folder, self.num_samples)):
            self.problems.append("samples are lost, or counted twice")
        with open_store(self.folder, self.url) as store:
            stored = [r.revision for i in store.rounds() for r in store.revisions(i.round_id)]
        if stored != revisions(self.folder):
            self.problems.append(f"the store has {stored}, the folder {revisions(self.folder)}")
        for place in ("plans", "published"):
            rest = [p.name for p in (self.folder / place).iterdir() if p.name.startswith(".")]
            if rest:
                self.problems.append(f"{rest} was not cleared away in {place}")
        if self._child(lambda: _clean(self.folder)):
            self.problems.append("the newest revision is not clean")

    def _child(self, task: Callable[[], object], *, seconds: float = 60.0) -> int:
        """Run a task in a child and return its exit code; a child that hangs is ended.

        This process itself never runs one: threads of its own would not be there in the children.
        """
        pid = os.fork()
        if not pid:
            os._exit(_outcome(task))
        return self._wait(pid, seconds)

    def _wait(self, pid: int, seconds: float = 60.0) -> int:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            done, status = os.waitpid(pid, os.WNOHANG)
            if done:
                return os.waitstatus_to_exitcode(status)
            time.sleep(0.002)
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        self.problems.append("a run hung")
        return 1


def _outcome(task: Callable[[], object]) -> int:
    try:
        task()
    except Exception as error:  # noqa: BLE001  # the parent only sees a number
        print(f"{type(error).__name__}: {error}", file=sys.stderr)  # noqa: T201  # a program
        return 1
    return 0


def _clean(folder: Path) -> None:
    found = verify_round(folder)
    if found.breaches:
        raise RuntimeError(str(found.breaches[0]))


def _all_recorded(folder: Path, expected: int) -> None:
    known = read_state(folder, "samples", SAMPLE_SCHEMA)["tube"]
    if (known.len(), known.n_unique()) != (expected, expected):
        raise RuntimeError(f"{known.len()} samples of {known.n_unique()} tubes, not {expected}")


def _die_at(touch: int) -> None:
    left = [touch]

    def hook(event: str, _arguments: object) -> None:
        if event in WATCHED:
            left[0] -= 1
            if not left[0]:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)


def main() -> None:
    """Kill as often as asked, and print what was found."""
    folder, kills, seed, *url = sys.argv[1:]
    no_effort(pytest.MonkeyPatch())
    crashes = Crashes(Path(folder), int(seed), url[0] if url else None)
    crashes.run(int(kills))
    print(json.dumps({"killed": crashes.killed, "ended": crashes.ended,  # noqa: T201  # a program
                      "problems": crashes.problems}))  # fmt: skip


if __name__ == "__main__":
    main()
