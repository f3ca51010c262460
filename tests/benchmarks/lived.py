"""What ``scripts/bench --simulate`` adds: rounds lived through and sized, as whole processes."""

from __future__ import annotations

import sys
from dataclasses import asdict, dataclass
from pathlib import Path

from scheduler.ingest.loader import load_instance
from tests.benchmarks.measure import Measured, run

PROGRAM = (sys.executable, "-m", "scheduler")
AS_IT_HAPPENED_TUBES_PER_HOUR = 4070
"""Dalian, 25 December 2020: 3.131 M people resulted by hour 77, 40,700 an hour at 10 per tube."""

FULL_PEOPLE = 6_379_000
HEADERS = (
    *("people", "replications", "simulate s", "MiB", "in time %", "longest queue", "no schedule %"),
    *("its queue", "size s", "late people proved"),
)


@dataclass(frozen=True)
class Lived:
    """One planned round: 20 replications, then its size with laboratories as they were."""

    people: int
    replications: int
    simulate_seconds: float
    simulate_mib: float
    in_time_percent: float
    peak_queue: float
    no_schedule_percent: float
    no_schedule_queue: float
    size_seconds: float
    late_people: int


def live(folder: Path) -> Lived:
    """Measure a round folder that has a plan.

    Raises
    ------
    SystemExit
        When a command fails.
    """
    lived = _ran("simulate", folder, "--json", "--quiet")
    (case,) = lived.document["cases"]
    city, alone = case["city"], case["no_schedule"]
    instance = load_instance(folder)
    had = AS_IT_HAPPENED_TUBES_PER_HOUR / FULL_PEOPLE * int(instance.blocks.people.sum())
    share = had / int(instance.labs.tubes_per_hour.sum())
    sized = _ran("size", folder, "--set", f"labs.tubes_per_hour*={share:.5f}", "--json", "--quiet")
    return Lived(
        people=city["people"], replications=case["replications"],
        simulate_seconds=round(lived.seconds, 1), simulate_mib=round(lived.peak_mib),
        in_time_percent=100 * city["share_in_time"]["p50"], peak_queue=city["peak_queue"]["p50"],
        no_schedule_percent=100 * alone["share_in_time"]["p50"],
        no_schedule_queue=alone["peak_queue"]["p50"], size_seconds=round(sized.seconds, 1),
        late_people=sized.document["proof"]["late_people_at_least"],
    )  # fmt: skip


def lived_table(rows: list[Lived]) -> str:
    """Return the rows as a table for the README."""
    lines = [list(HEADERS), ["---:"] * len(HEADERS)]
    lines += [[_cell(value) for value in asdict(row).values()] for row in rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _ran(command: str, folder: Path, *options: str) -> Measured:
    done = run([*PROGRAM, command, str(folder), *options])
    if done.exit_code:
        raise SystemExit(done.errors)
    return done


def _cell(value: float) -> str:
    return f"{value:,.1f}" if value < 100 else f"{value:,.0f}"
