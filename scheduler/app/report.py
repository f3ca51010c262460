"""Use case: the report of a revision."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scheduler.app.publish import breaches_of
from scheduler.app.revision import Revision, open_revision
from scheduler.app.runtime import Report, round_lock, silent
from scheduler.domain.plan import Plan
from scheduler.errors import CannotRunError
from scheduler.publish.files import FOLDER, MANIFEST, write_beside
from scheduler.publish.plan_files import read_plan, revisions
from scheduler.publish.publisher import REPORT, Schedule, publication_name
from scheduler.publish.report.boundaries import read_boundaries
from scheduler.publish.report.extras import read_extras
from scheduler.publish.report.page import report_html
from scheduler.publish.report.payload import report_payload
from scheduler.solve.spacing import site_quota


@dataclass(frozen=True)
class ReportResult:
    """Where the report is, and what it could show."""

    revision: str
    path: Path
    num_bytes: int
    breaches: int
    before: str | None
    simulations: list[str]

    def to_dict(self) -> dict[str, Any]:
        """Return the result for ``--json``."""
        return {
            "revision": self.revision,
            "path": str(self.path),
            "bytes": self.num_bytes,
            "breaches": self.breaches,
            "before": self.before,
            "simulations": self.simulations,
        }


def report_revision(
    folder: Path, *, revision: str | None = None, report: Report = silent
) -> ReportResult:
    """Write the report of a revision, the newest by default, beside what is published of it.

    A revision need not be published to be looked at. Breaches do not stop a report: it says so.

    Raises
    ------
    InputError
        When the input has errors.
    CannotRunError
        When there is no such revision, the input changed after planning, or the disk refuses.
    LockedError
        When another run holds the round's lock.
    """
    report("reading", None)
    opened = open_revision(folder, revision)
    opened.check_input()
    report("checking", None)
    breaches = breaches_of(opened)
    report("counting", None)
    extras = {**read_extras(folder, opened.name), "boundaries": read_boundaries(folder)}
    before = _before(folder, opened)
    schedule = Schedule(opened.instance, opened.plan, opened.name)
    payload = report_payload(
        schedule,
        site_quota(opened.instance),
        breaches=[str(breach) for breach in breaches],
        before=before,
        extras=extras,
    )
    report("writing", None)
    page = report_html(payload)
    home = folder / FOLDER / publication_name(schedule, opened.instance.district)
    with round_lock(folder):
        path = write_beside(home / REPORT, page)
    return ReportResult(
        revision=opened.name,
        path=path,
        num_bytes=len(page),
        breaches=len(breaches),
        before=before[0] if before else None,
        simulations=[str(case.get("case")) for case in extras["simulations"]],
    )


def _before(folder: Path, opened: Revision) -> tuple[str, Plan] | None:
    """Return the revision that this one replaced, if any.

    That is the one a re-plan was based on, else the newest earlier one that was published, else
    the newest earlier one; of the same district, where this is a district's.
    """
    earlier = [name for name in revisions(folder) if int(name) < int(opened.name)]
    based_on = opened.plan.summary.get("replan", {}).get("based_on")
    published = [name for name in earlier if _is_published(folder, name)]
    known = [name for name in earlier if name == based_on]
    for name in [*known, *reversed(published), *reversed(earlier)]:
        try:
            plan = read_plan(folder, name)
        except CannotRunError:  # an old plan that cannot be read is no reason to show no report
            continue
        if plan.summary.get("district") == opened.plan.summary.get("district"):
            return name, plan
    return None


def _is_published(folder: Path, revision: str) -> bool:
    places = (folder / FOLDER).glob(f"{revision}*/{MANIFEST}")
    return any(path.parent.name.split("-")[0] == revision for path in places)
