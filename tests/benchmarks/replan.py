"""What ``scripts/bench --replan`` runs: plan a city, let things go wrong, re-plan at noon.

Cases: ``sites`` (the three busiest after noon close), ``lab`` (the lab with the median of tubes is
out), ``behind`` (a third of the people were sampled in 5 % of the blocks called until 11:00),
``both`` (sites and lab) and ``all``. Each is re-planned from the same plan, as a whole process.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from tests.benchmarks.measure import Measured, machine, run

PROGRAM = (sys.executable, "-m", "scheduler")
CASES = {
    "sites": {"sites"},
    "lab": {"lab"},
    "behind": {"behind"},
    "both": {"sites", "lab"},
    "all": {"sites", "lab", "behind"},
}
NUM_SITES, BEHIND, SAMPLED = 3, 0.05, 1 / 3
HEADERS = (
    *("people", "case", "plan CPU s", "replan CPU s", "ratio", "clock s", "MiB"),
    *("must move", "moved", "moved / must", "late before", "late", "breaches"),
)


@dataclass(frozen=True)
class Row:
    """One case, re-planned; seconds are those of the processor, ``clock`` of the wall."""

    people: int
    case: str
    plan_seconds: float
    replan_seconds: float
    ratio: float
    clock_seconds: float
    peak_mib: float
    must_move: int
    moved: int
    moved_per_must: float
    late_before: int
    late_people: int
    breaches: int


def main(arguments: list[str] | None = None) -> int:
    """Measure, print a table, and return 1 when a re-plan has breaches."""
    options = _parser().parse_args(arguments)
    rows = []
    with tempfile.TemporaryDirectory(prefix="nat-bench-") as place:
        for people in map(int, options.sizes.split(",")):
            folder = Path(place) / str(people)
            _ran("init", folder, "--city", "dalian", "--people", people, "--json")
            planned = _ran("plan", folder, "--json")
            for case in options.cases.split(","):
                rows.append(measure(folder, case, planned))
                sys.stderr.write(f"{_line(rows[-1])}\n")
    sys.stdout.write(f"{_table(rows)}\n")
    if options.json:
        kept = {"machine": machine(), "rows": [asdict(row) for row in rows]}
        options.json.write_text(json.dumps(kept, indent=2) + "\n", encoding="utf-8")
    return int(any(row.breaches for row in rows))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="scripts/bench --replan", description=__doc__)
    parser.add_argument(
        "--sizes", default="100000,1000000,6379000", help="people of synthetic Dalian"
    )
    parser.add_argument("--cases", default=",".join(CASES), help=f"some of {','.join(CASES)}")
    parser.add_argument("--json", type=Path, metavar="FILE", help="keep the figures here")
    return parser


def measure(planned_folder: Path, case: str, planned: Measured) -> Row:
    """Re-plan a copy of a planned folder, and verify the answer."""
    with tempfile.TemporaryDirectory(prefix="nat-bench-") as place:
        folder = Path(shutil.copytree(planned_folder, Path(place) / "round"))
        files, now = happen(folder, CASES[case])
        done = _ran("replan", folder, "--now", now, "--json", *files)
        verified = run([*PROGRAM, "verify", str(folder), "--json"])
    told, before = done.document, planned.document
    must, moved = told["replan"]["must_move"], told["replan"]["moved"]
    return Row(
        people=before["people"], case=case, plan_seconds=planned.cpu_seconds,
        replan_seconds=done.cpu_seconds, ratio=done.cpu_seconds / planned.cpu_seconds,
        clock_seconds=done.seconds, peak_mib=done.peak_mib, must_move=must, moved=moved,
        moved_per_must=moved / max(1, must), late_before=before["late_people"],
        late_people=told["late_people"], breaches=verified.document["total"],
    )  # fmt: skip


def happen(folder: Path, what: set[str]) -> tuple[list[str], str]:
    """Write events and progress of a case beside the newest plan; returns options, and now."""
    plan = max((folder / "plans").glob("[0-9]*"))
    calls = pd.read_csv(plan / "assignments.csv", dtype={"block_id": str, "site_id": str})
    noon = f"{calls['start'].min()[:10]}T12:00"
    options: list[str] = []
    for kind, rows in (("events", _events(plan, calls, noon, what)),
                       ("progress", _progress(calls, noon, what))):  # fmt: skip
        if len(rows):
            rows.to_csv(folder / f"{kind}.csv", index=False)
            options += [f"--{kind}", str(folder / f"{kind}.csv")]
    return options, noon


def _events(plan: Path, calls: pd.DataFrame, noon: str, what: set[str]) -> pd.DataFrame:
    rows: list[dict[str, str]] = []
    if "sites" in what:
        later = calls[calls["start"] >= noon].groupby("site_id")["people"].sum()
        rows += [
            {"kind": "site_closed", "site_id": str(s)} for s in later.nlargest(NUM_SITES).index
        ]
    if "lab" in what:
        tubes = pd.read_csv(plan / "lab_load.csv", dtype={"lab_id": str})
        by_size = tubes.groupby("lab_id")["tubes"].sum().sort_values(kind="stable")
        rows.append({"kind": "lab_out", "lab_id": str(by_size.index[len(by_size) // 2])})
    return pd.DataFrame([{"time": noon, **row} for row in rows])


def _progress(calls: pd.DataFrame, noon: str, what: set[str]) -> pd.DataFrame:
    done = calls[calls["end"] <= f"{noon[:10]}T11:00:59"]
    if "behind" not in what:
        return done[:0]
    blocks = np.sort(done["block_id"].unique())
    some = np.random.default_rng(0).choice(blocks, int(len(blocks) * BEHIND), replace=False)
    slow = done[done["block_id"].isin(some)]
    return pd.DataFrame({
        "time": noon, "site_id": slow["site_id"], "slot": slow["start"],
        "sampled": (slow["people"] * SAMPLED).astype(int), "block_id": slow["block_id"],
    })  # fmt: skip


def _ran(command: str, folder: Path, *options: object) -> Measured:
    done = run([*PROGRAM, command, str(folder), *map(str, options)])
    if done.exit_code:
        raise SystemExit(done.errors)
    return done


def _line(row: Row) -> str:
    return "| " + " | ".join(_cells(row)) + " |"


def _table(rows: list[Row]) -> str:
    head = ["| " + " | ".join(HEADERS) + " |", "| " + " | ".join(["---:"] * len(HEADERS)) + " |"]
    return "\n".join([*head, *map(_line, rows)])


def _cells(row: Row) -> Iterator[str]:
    for value in asdict(row).values():
        yield f"{value:,.2f}" if isinstance(value, float) else _plain(value)


def _plain(value: Any) -> str:  # noqa: ANN401  # a number or a word
    return f"{value:,}" if isinstance(value, int) else str(value)


if __name__ == "__main__":
    sys.exit(main())
