"""Time ``publish`` on synthetic Dalian: ``python -m tests.benchmarks.publish``.

The plan is greedy (see ``tests.handmade``) and is not checked, so that nothing but reading and
writing is timed.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

from scheduler.generate.city import write_city
from scheduler.ingest.loader import load_instance
from scheduler.publish.plan_files import read_plan, write_plan
from scheduler.publish.publisher import Schedule, publish
from tests.handmade import greedy_plan


def main() -> None:
    """Print the seconds of reading and of two publications, the second replacing the first."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "dalian"
        write_city(folder, "dalian", None, 1)
        write_plan(folder, "0001", greedy_plan(load_instance(folder)))
        begin = time.perf_counter()
        instance, plan = load_instance(folder), read_plan(folder, "0001")
        _tell(f"read {len(plan.assignments):,} rows", begin)
        for what in ("publish", "publish again"):
            begin = time.perf_counter()
            made = publish(folder, Schedule(instance, plan, "0001"))
            _tell(f"{what}: {made.communities + made.sites + made.labs:,} files", begin)


def _tell(what: str, begin: float) -> None:
    sys.stdout.write(f"{what}: {time.perf_counter() - begin:.2f} s\n")


if __name__ == "__main__":
    main()
