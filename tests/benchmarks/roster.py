"""What ``scripts/bench --roster`` runs: roster, record and missed of a whole city, as processes.

Beside each stands the bare reading of the files that it reads and writing of the files that it
writes, by the same library (polars), with nothing between.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import polars as pl

from scheduler.app.revision import open_revision
from scheduler.publish.roster_files import read_roster
from tests.benchmarks.measure import Measured, machine, run
from tests.samples import results_of_tubes, sampled_people, write_parts

PROGRAM = (sys.executable, "-m", "scheduler")
TOP = Path(__file__).parents[2]
HEADERS = ("step", "people", "seconds", "CPU s", "peak MiB", "bare s", "bare CPU s", "ratio",
           "CPU ratio")  # fmt: skip
SAMPLE_FILES, RESULT_FILES = 500, 60


@dataclass(frozen=True)
class Step:
    """One command as a whole process, and the bare read and write of its rows."""

    step: str
    people: int
    seconds: float
    cpu_seconds: float
    peak_mib: float
    bare_seconds: float
    bare_cpu_seconds: float

    @property
    def ratios(self) -> tuple[float, float]:
        """How many times the bare read and write the command takes, by the clock and in CPU time.

        The clock of a busy machine tells little; of CPU time the command's start counts, too.
        """
        return self.seconds / self.bare_seconds, self.cpu_seconds / self.bare_cpu_seconds


def main(arguments: list[str] | None = None) -> int:
    """Measure, print a table, keep JSON."""
    options = _parser().parse_args(arguments)
    if options.bare:
        sys.stdout.write(json.dumps(_bare(options.bare, options.folder).to_dict()) + "\n")
        return 0
    with tempfile.TemporaryDirectory(prefix="nat-bench-") as place:
        steps = _measure(Path(place) / "r", options.people)
    lines = [list(HEADERS), ["---", *["---:"] * (len(HEADERS) - 1)]]
    lines += [[_cell(v) for v in (*asdict(s).values(), *s.ratios)] for s in steps]
    sys.stdout.write("\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n")
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    path = options.json or TOP / "bench-results" / f"roster-{stamp}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    content = {"at": stamp, "machine": machine(), "steps": [asdict(s) for s in steps]}
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="scripts/bench --roster")
    parser.add_argument("--people", type=int, default=6_379_000, help="of synthetic Dalian")
    parser.add_argument("--json", type=Path, metavar="FILE", help="keep the figures here")
    parser.add_argument("--bare", choices=("roster", "record", "missed"), help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    return parser


def _measure(folder: Path, people: int) -> list[Step]:
    here = str(folder)
    _made("init", here, "--city", "dalian", "--people", str(people), "--residents", "--json")
    _made("plan", here, "--quiet", "--json")
    steps = [_step("roster", folder, people, "--residents", str(folder / "residents.csv"))]
    samples = sampled_people(open_revision(folder, None).instance, read_roster(folder)[1])
    write_parts(samples, folder / "samples", SAMPLE_FILES)
    write_parts(results_of_tubes(samples, positive=20), folder / "results", RESULT_FILES)
    rows = samples.height
    del samples
    steps.append(_step("record", folder, rows, "--samples", str(folder / "samples")))
    _made("record", here, "--results", str(folder / "results"), "--quiet", "--json")
    steps.append(_step("missed", folder, people, "--at", "2020-12-25 08:00"))
    return steps


def _step(name: str, folder: Path, people: int, *arguments: str) -> Step:
    sys.stderr.write(f"{name} ...\n")
    done = run([*PROGRAM, name, str(folder), *arguments, "--quiet", "--json"])
    _check(done)
    again = [sys.executable, "-m", "tests.benchmarks.roster", "--bare", name]
    bare = run([*again, "--folder", str(folder)])
    _check(bare)
    return Step(
        step=name,
        people=people,
        seconds=round(done.seconds, 2),
        cpu_seconds=round(done.cpu_seconds, 2),
        peak_mib=round(done.peak_mib, 1),
        bare_seconds=round(bare.document["seconds"], 2),
        bare_cpu_seconds=round(bare.document["cpu_seconds"], 2),
    )


def _made(command: str, *arguments: str) -> dict[str, Any]:
    done = run([*PROGRAM, command, *arguments])
    _check(done)
    return done.document


def _check(done: Measured) -> None:
    if done.exit_code:
        raise SystemExit(done.errors)


class _Spent:
    """Time spent inside ``with``, by the clock and in CPU time of all threads, seconds."""

    def __init__(self) -> None:
        self.seconds = self.cpu_seconds = 0.0

    def __enter__(self) -> None:
        self._begin = time.perf_counter(), time.process_time()

    def __exit__(self, *error: object) -> None:
        self.seconds += time.perf_counter() - self._begin[0]
        self.cpu_seconds += time.process_time() - self._begin[1]

    def to_dict(self) -> dict[str, float]:
        return {"seconds": self.seconds, "cpu_seconds": self.cpu_seconds}


def _bare(step: str, folder: Path) -> _Spent:
    """Time reading the rows that a command reads and writing the files that it writes."""
    spent = _Spent()
    with spent:
        if step == "roster":
            pl.read_csv(folder / "residents.csv", infer_schema=False)
        elif step == "record":
            for path in (folder / "samples").glob("*.csv"):
                pl.read_csv(path, infer_schema=False)
            pl.read_parquet(folder / "rosters/0001/roster.parquet", columns=["resident_id"])
        else:
            pl.read_parquet(folder / "rosters/0001/roster.parquet")
            pl.read_parquet(folder / "rosters/records/samples.parquet")
            pl.read_parquet(folder / "rosters/records/results.parquet")
    written = {"roster": "rosters/0001", "record": "rosters/records", "missed": "rosters/missed"}
    with tempfile.TemporaryDirectory(dir=folder) as place:
        _write_again(folder / written[step], Path(place), spent)
    return spent


def _write_again(source: Path, target: Path, spent: _Spent) -> None:
    """Write the tables of a folder once more, those of each community among them.

    Only the writing is timed, and the flush to the disk that the command waits for, too.
    """
    for path in source.rglob("*"):
        if path.suffix not in {".parquet", ".csv"}:
            continue
        copy = target / path.relative_to(source)
        copy.parent.mkdir(parents=True, exist_ok=True)
        parquet = path.suffix == ".parquet"
        rows = pl.read_parquet(path) if parquet else pl.read_csv(path, infer_schema=False)
        with spent:
            if parquet:
                rows.write_parquet(copy, compression="zstd", compression_level=1)
            else:
                rows.write_csv(copy)
    with spent:
        os.sync()


def _cell(value: object) -> str:
    if isinstance(value, float):
        return f"{value:,.1f}"
    return f"{value:,}" if isinstance(value, int) else str(value)


if __name__ == "__main__":
    sys.exit(main())
