"""One day of a round, lived through: residents come, a site and a lab fail, cron re-plans.

The residents are simulated and say so: everybody called comes or stays away, sites swab what their
lanes can, whoever is not reached in a slot is swabbed in the next. Re-planning is the real program,
one process per run, as cron starts it; only its clock is given (``--now``).
"""

from __future__ import annotations

import argparse
import csv
import json
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from scheduler.app.revision import Revision, open_revision
from scheduler.app.standing import published_revisions
from scheduler.domain.instance import RoundClock

PROGRAM = (sys.executable, "-m", "scheduler")
SITE_FAILS, LAB_FAILS, LAB_BACK = 0.25, 0.4, 0.55
"""When, as shares of the first day's opening hours."""


@dataclass
class Day:
    """What has happened so far; people and tubes by site (or lab) and minute of the slot."""

    folder: Path
    seed: int
    sampled: dict[tuple[str, int], int] = field(default_factory=dict)
    waiting: dict[str, list[tuple[int, int]]] = field(default_factory=dict)
    runs: list[dict[str, Any]] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    closed: dict[str, int] = field(default_factory=dict)


def main() -> None:
    """Run the drill and print the day's figures."""
    asked = _arguments()
    with tempfile.TemporaryDirectory(prefix="nat-drill-") as temporary:
        folder = asked.folder or Path(temporary) / "round"
        figures = drill(folder, asked)
    if asked.json:
        print(json.dumps(figures, ensure_ascii=False))  # noqa: T201  # the output of a script
        return
    for name, value in figures.items():
        print(f"{name.replace('_', ' '):<28}{value:>14,}")  # noqa: T201  # the output of a script


def drill(folder: Path, asked: argparse.Namespace) -> dict[str, float]:
    """Plan, publish, live through the first day, and return its figures."""
    _program("init", folder, "--city", asked.city, "--people", asked.people, "--seed", asked.seed)
    _program("plan", folder, "--quiet")
    _program("publish", folder)
    day = Day(folder, asked.seed)
    revision = open_revision(folder, None)
    clock, end = revision.instance.clock, _end_of_first_day(revision)
    _announce(day, revision, end)
    for now in range(asked.every, end + asked.every, asked.every):
        told = open_revision(folder, published_revisions(folder)[""])
        _live(day, told, now - asked.every, now)
        _report(day, told, now)
        _replan(day, clock, now)
    return _figures(day)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/drill", description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, metavar="DIR")
    parser.add_argument("--city", default="dazu")
    parser.add_argument("--people", default=20_000, type=int)
    parser.add_argument("--every", default=10, type=int, metavar="MINUTES")
    parser.add_argument("--seed", default=1, type=int)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    asked.folder = asked.folder and asked.folder.resolve()
    return asked


def _program(*arguments: object) -> str:
    done = subprocess.run(
        [*PROGRAM, *map(str, arguments)], capture_output=True, text=True, check=False,
        encoding="utf-8",
    )  # fmt: skip
    if done.returncode:
        raise SystemExit(f"{' '.join(map(str, arguments))}: exit {done.returncode}\n{done.stderr}")
    return done.stdout


def _end_of_first_day(revision: Revision) -> int:
    """Return the end of the last slot of the first date."""
    clock, starts = revision.instance.clock, _calls(revision)["start"]
    first = clock.start.date()
    return max(int(m) for m in starts.unique() if clock.at(int(m)).date() == first) + (
        clock.round.slot_minutes
    )


def _calls(revision: Revision) -> pd.DataFrame:
    frame = revision.plan.assignments
    times = {text: revision.instance.clock.minute_of_iso(str(text))
             for text in frame["start"].unique()}  # fmt: skip
    return pd.DataFrame({
        "site": frame["site_id"].astype(str),
        "start": frame["start"].map(times).astype("int64"),
        "people": frame["people"],
    })  # fmt: skip


def _announce(day: Day, revision: Revision, end: int) -> None:
    """Write the day's events: the busiest site closes, the busiest lab is out for a while."""
    clock = revision.instance.clock
    calls = _calls(revision)
    busiest = str(calls.groupby("site")["people"].sum().idxmax())
    lab = str(revision.plan.lab_load.groupby("lab_id", observed=True)["tubes"].sum().idxmax())
    day.closed[busiest] = int(end * SITE_FAILS)
    rows = [
        (clock.iso(int(end * SITE_FAILS)), "site_closed", busiest, "", ""),
        (clock.iso(int(end * LAB_FAILS)), "lab_out", "", lab, clock.iso(int(end * LAB_BACK))),
    ]
    for number, row in enumerate(rows):
        _write(day.folder / "events-to-come" / f"{number}.csv",
               ("time", "kind", "site_id", "lab_id", "end"), [row])  # fmt: skip


def _live(day: Day, revision: Revision, begin: int, end: int) -> None:
    """Let the people of the slots that start in [begin, end) come, and the sites swab."""
    instance, slot = revision.instance, revision.instance.settings.round.slot_minutes
    calls = _calls(revision).groupby(["site", "start"])["people"].sum()
    queue = instance.settings.queue
    for number, site in enumerate(instance.sites.ids.astype(str)):
        rng = np.random.default_rng([day.seed, number, begin])
        line = day.waiting.setdefault(site, [])
        own = calls[site] if site in calls.index.get_level_values("site") else {}
        for start, people in dict(own).items():
            if begin <= start < end:
                line.append((int(start), int(rng.binomial(people, 1 - queue.no_show))))
        if end > day.closed.get(site, 1 << 30):
            continue
        able = instance.sites.lanes[number] * instance.sites.people_per_lane_hour[number] / 60
        left = int(rng.poisson(able * (end - begin)))
        day.waiting[site] = []
        for start, people in line:
            now = min(left, people)
            day.sampled[site, start] = day.sampled.get((site, start), 0) + now
            left -= now
            if people > now and start > begin - 8 * slot:
                day.waiting[site].append((start, people - now))


def _report(day: Day, revision: Revision, now: int) -> None:
    """Write the three kinds of progress files, replaced as a whole like an export would be."""
    clock = revision.instance.clock
    at, home = clock.iso(now), day.folder / "progress"
    rows = [(at, site, clock.iso(start), n) for (site, start), n in sorted(day.sampled.items())]
    _write(home / "sampled.csv", ("time", "site_id", "slot", "sampled"), rows)
    sent = revision.plan.consignments.astype({"site_id": str, "lab_id": str})
    for column, key, figure in (
        ("pickup_at", "site_id", "tubes_sent"), ("result_by", "lab_id", "tubes_resulted"),
    ):  # fmt: skip
        done = sent[[clock.minute_of_iso(str(text)) <= now for text in sent[column]]]
        sums = done.groupby(key)["tubes"].sum()
        _write(home / f"{figure}.csv", ("time", key, figure),
               [(at, ident, int(n)) for ident, n in sums.items()])  # fmt: skip


def _write(path: Path, header: tuple[str, ...], rows: list[tuple[Any, ...]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header, *rows])


def _replan(day: Day, clock: RoundClock, now: int) -> None:
    """Run what cron runs; events are handed in once their time has come."""
    given: list[str] = []
    for path in sorted((day.folder / "events-to-come").glob("*.csv")):
        when = path.read_text(encoding="utf-8").splitlines()[1].split(",")[0]
        if clock.minute_of_iso(when) <= now:
            given += ["--events", str(path)]
    begin = time.monotonic()
    out = _program("replan", day.folder, "--now", clock.iso(now), "--publish", "--json", *given)
    day.seconds.append(time.monotonic() - begin)
    day.runs.append(json.loads(out))
    for name in given[1::2]:
        Path(name).unlink()


def _figures(day: Day) -> dict[str, float]:
    changed = [run for run in day.runs if run["changed"]]
    last = open_revision(day.folder, None)
    served = max(1, int(last.plan.summary["served"]))
    return {
        "runs": len(day.runs),
        "revisions": len(changed),
        "people_sampled": sum(day.sampled.values()),
        "must_move": sum(run["replan"]["must_move"] for run in changed),
        "moved": sum(run["replan"]["moved"] for run in changed),
        "lost_place": sum(run["replan"]["lost_place"] for run in changed),
        "promise_kept_percent": round(100 - 100 * last.plan.summary["late_people"] / served, 2),
        "seconds_per_replan": round(sum(day.seconds) / max(1, len(day.seconds)), 2),
        "seconds_at_most": round(max(day.seconds, default=0.0), 2),
    }


if __name__ == "__main__":
    main()
