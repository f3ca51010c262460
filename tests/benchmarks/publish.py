"""Time what is made of a plan of synthetic Dalian: ``python -m tests.benchmarks.publish``.

Publishing in CSV and in each other format, the report and all notices. The plan is greedy (see
``tests.handmade``) and is not checked, so that nothing but reading and writing is timed.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from scheduler.domain.choices import FORMATS
from scheduler.generate.city import write_city
from scheduler.ingest.loader import load_instance
from scheduler.publish.notices.template import Templates
from scheduler.publish.notices.texts import TextBook
from scheduler.publish.notices.writer import notice_pages, write_notices
from scheduler.publish.plan_files import read_plan, write_plan
from scheduler.publish.publisher import Schedule, publish
from scheduler.publish.report.page import report_html
from scheduler.publish.report.payload import report_payload
from scheduler.solve.spacing import site_quota
from tests.handmade import greedy_plan


def main() -> None:
    """Print the seconds of reading, of publications, each replacing the last, and of pages."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "dalian"
        write_city(folder, "dalian", None, 1)
        write_plan(folder, "0001", greedy_plan(load_instance(folder)))
        begin = time.perf_counter()
        instance, plan = load_instance(folder), read_plan(folder, "0001")
        _tell(f"read {len(plan.assignments):,} rows", begin)
        schedule = Schedule(instance, plan, "0001")
        home = folder / "published" / "0001"
        for name in ("csv", *FORMATS):
            begin = time.perf_counter()
            publish(folder, Schedule(instance, plan, "0001"), formats=(name,))
            size = sum(path.stat().st_size for path in home.rglob("*") if path.is_file())
            _tell(f"publish {name}: {size / 1e6:,.1f} MB with CSV", begin)
        begin = time.perf_counter()
        extras: dict[str, Any] = {"simulations": [], "size": {}, "coverage": {}, "boundaries": []}
        quota = site_quota(instance)
        payload = report_payload(schedule, quota, breaches=[], before=None, extras=extras)
        _tell(f"report: {len(report_html(payload)) / 1e6:.1f} MB", begin)
        begin = time.perf_counter()
        everybody = np.arange(len(instance.communities))
        pages = notice_pages(schedule, everybody, Templates(None), TextBook())
        written = write_notices(home, pages, len(everybody), lambda *_: None, whole=True)
        _tell(f"notices: {len(written):,} pages", begin)


def _tell(what: str, begin: float) -> None:
    sys.stdout.write(f"{what}: {time.perf_counter() - begin:.2f} s\n")


if __name__ == "__main__":
    main()
