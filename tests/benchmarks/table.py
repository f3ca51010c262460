"""What ``scripts/bench`` runs: plan rounds of several sizes as a user would, print one table."""

from __future__ import annotations

import argparse
import csv
import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TextIO

from tests.benchmarks.lived import Lived, live, lived_table
from tests.benchmarks.measure import Measured, machine, run
from tests.benchmarks.peers import table as peers

PROGRAM = (sys.executable, "-m", "scheduler")
TOP = Path(__file__).parents[2]
SIZES = "100000,1000000,6379000"
HEADERS = (
    "input", "people", "blocks", "sites", "plan s", "peak MiB", "gap %", "gap/person",
    "breaches", "unserved", "late", "publish s",
)  # fmt: skip


@dataclass(frozen=True)
class Row:
    """One round, planned, verified and published; None where a step failed."""

    input: str
    people: int | None
    blocks: int | None
    sites: int
    plan_seconds: float
    peak_mib: float
    gap_percent: float | None
    gap_per_person: float | None
    breaches: int | None
    unserved: int | None
    late: int | None
    publish_seconds: float | None
    stages: dict[str, float]
    error: str = ""


def main(arguments: list[str] | None = None) -> int:
    """Measure, print, keep JSON; return 1 when a round could not be planned cleanly."""
    options = _parser().parse_args(arguments)
    if options.peers:
        return _peers(options)
    rows, ratio = [], None
    lived: list[Lived] = []
    with tempfile.TemporaryDirectory(prefix="nat-bench-") as place:
        for name, folder in _rounds(Path(place), options):
            rows.append(_measure(name, folder))
            _say(_line(rows[-1]))
            if options.simulate and not rows[-1].error:
                lived.append(live(folder))
            if options.ratio and folder.name == "r0":
                ratio = _ratio(folder, rows[-1])
    _say(_table(rows))
    if lived:
        _say("\n" + lived_table(lived))
    if ratio is not None:
        _say(
            f"\nplan {ratio['plan_seconds']:.1f} s / one bare flow {ratio['call_seconds']:.1f} s "
            f"({ratio['arcs']:,} arcs, {ratio['nodes']:,} nodes): ratio {ratio['ratio']:.2f}"
        )
    kept = _keep(
        {
            "machine": machine(),
            "rows": [asdict(r) for r in rows],
            "ratio": ratio,
            "lived": [asdict(r) for r in lived],
        },
        options,
    )
    _say(f"\nKept as {kept}", sys.stderr)
    return int(any(row.error or row.breaches for row in rows))


def _peers(options: argparse.Namespace) -> int:
    """Compare the planner with other ways to plan, on small rounds."""
    people = list(peers.SIZES.values())
    found = peers.compare(
        people, options.peer_seconds, options.seed, lambda text: _say(text, sys.stderr)
    )
    _say(peers.table(found))
    kept = _keep({"machine": machine(), "peers": found}, options)
    _say(f"\nKept as {kept}", sys.stderr)
    return int(peers.failed(found))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="scripts/bench", description="Measure plan, verify and publish as whole processes."
    )
    parser.add_argument(
        "--sizes", default=SIZES, help=f"people of synthetic Dalian (default {SIZES}); '' for none"
    )
    parser.add_argument(
        "--real", type=Path, metavar="SOURCE_FOLDER",
        default=os.environ.get("NAT_SCHEDULER_REAL_DATA") or None,
        help="also plan these real lists (default: NAT_SCHEDULER_REAL_DATA)",
    )  # fmt: skip
    parser.add_argument("--seed", type=int, default=0, help="seed of the plans")
    parser.add_argument(
        "--ratio", action="store_true",
        help="compare the largest plan with one bare minimum-cost flow of OR-Tools",
    )  # fmt: skip
    parser.add_argument(
        "--simulate", action="store_true",
        help="also live through each plan 20 times, and size it with few laboratories",
    )  # fmt: skip
    parser.add_argument(
        "--peers", action="store_true",
        help="only compare with a greedy, CP-SAT and HiGHS on 200, 1,000 and 5,000 blocks",
    )  # fmt: skip
    parser.add_argument(
        "--peer-seconds", type=float, default=60.0, metavar="S",
        help=f"limit of CP-SAT's search (default 60); HiGHS gets {peers.LP_TIMES} times as much",
    )  # fmt: skip
    parser.add_argument("--json", type=Path, metavar="FILE", help="keep the figures here")
    return parser


def _rounds(place: Path, options: argparse.Namespace) -> Iterator[tuple[str, Path]]:
    """Make each round folder as it is needed; the largest synthetic one is ``r0``."""
    sizes = sorted((int(size) for size in options.sizes.split(",") if size), reverse=True)
    for number, people in reversed(list(enumerate(sizes))):
        folder = place / f"r{number}"
        _made(
            [*PROGRAM, "init", str(folder), "--city", "dalian", "--people", str(people), "--json"]
        )
        yield "synthetic", folder
    if options.real:
        script = str(TOP / "scripts/real_city.py")
        _made([sys.executable, script, str(options.real), str(place / "real"), "--json"])
        yield "real lists", place / "real"


def _made(command: list[str]) -> None:
    made = run(command)
    if made.exit_code:
        raise SystemExit(made.errors)


def _measure(name: str, folder: Path) -> Row:
    _say(f"planning {name} ...", sys.stderr)
    plan = run([*PROGRAM, "plan", str(folder), "--json"])
    found = plan.document if plan.exit_code == 0 else {}
    verified = run([*PROGRAM, "verify", str(folder), "--json"]) if found else None
    published = run([*PROGRAM, "publish", str(folder), "--json"]) if found else None
    gap = found.get("relative_gap")
    return Row(
        input=name,
        people=found.get("people"),
        blocks=_blocks(Path(found["folder"])) if found else None,
        sites=sum(1 for _ in _read(folder / "sites.csv")),
        plan_seconds=round(plan.seconds, 2),
        peak_mib=round(plan.peak_mib, 1),
        gap_percent=None if gap is None else 100 * gap,
        gap_per_person=found.get("gap_per_person"),
        breaches=verified.document.get("total") if verified else None,
        unserved=_unserved(Path(found["folder"])) if found else None,
        late=found.get("late_people"),
        publish_seconds=round(published.seconds, 2) if published else None,
        stages=found.get("seconds", {}),
        error=_error(plan, verified, published),
    )


def _error(*steps: Measured | None) -> str:
    """Return what the first step that failed said last."""
    for step in steps:
        if step is not None and step.exit_code:
            said = step.errors.strip().splitlines()
            return f"exit {step.exit_code}: {said[-1] if said else ''}"
    return ""


def _ratio(folder: Path, row: Row) -> dict[str, Any]:
    """Compare a plan's whole process with the call alone of the fixed reference network."""
    _say("solving the reference network ...", sys.stderr)
    bare = run([sys.executable, "-m", "tests.benchmarks.reference", str(folder)])
    if bare.exit_code or row.error:
        raise SystemExit(bare.errors or f"Expected a plan to compare with, got {row.error}")
    call = bare.document["call_seconds"]
    return {
        **bare.document,
        "peak_mib": round(bare.peak_mib, 1),
        "plan_seconds": row.plan_seconds,
        "ratio": round(row.plan_seconds / call, 3),
    }


def _read(path: Path) -> Iterator[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as lines:
        yield from csv.DictReader(lines)


def _blocks(revision: Path) -> int:
    """Return the blocks of a plan, those of blocks.csv or those that the program cut."""
    files = ("assignments.csv", "unserved.csv")
    return len({row["block_id"] for name in files for row in _read(revision / name)})


def _unserved(revision: Path) -> int:
    """Return the people without a slot, home visits apart."""
    rows = _read(revision / "unserved.csv")
    return sum(int(row["people"]) for row in rows if row["reason"] != "home_visit")


def _line(row: Row) -> str:
    if row.error:
        return f"{row.input}: {row.error}"
    return f"{row.input} {row.people:,}: {row.plan_seconds:.1f} s, {row.peak_mib:,.0f} MiB"


def _table(rows: list[Row]) -> str:
    cells = [[_cell(v) for v in list(asdict(row).values())[: len(HEADERS)]] for row in rows]
    lines = [list(HEADERS), ["---", *["---:"] * (len(HEADERS) - 1)], *cells]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cell(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:.4f}" if value < 1 else f"{value:,.1f}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def _keep(document: dict[str, Any], options: argparse.Namespace) -> Path:
    """Write the figures, by default under bench-results with the time in the name."""
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    path: Path = options.json or TOP / "bench-results" / f"{stamp}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"at": stamp, **document}, indent=2) + "\n", encoding="utf-8")
    return path


def _say(text: str, stream: TextIO | None = None) -> None:
    (stream or sys.stdout).write(f"{text}\n")
    (stream or sys.stdout).flush()


if __name__ == "__main__":
    sys.exit(main())
