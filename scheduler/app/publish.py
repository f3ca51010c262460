"""Use case: publish a clean revision."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from scheduler.app.revision import Revision, check_district, open_revision
from scheduler.app.roster_age import OtherTimes, other_times
from scheduler.app.runtime import Report, round_lock, silent
from scheduler.app.standing import changes_since, published_revisions
from scheduler.domain.verify import Breach, verify
from scheduler.errors import BreachError, CannotRunError
from scheduler.publish.files import FOLDER, sweep
from scheduler.publish.publisher import Progress, Published, Schedule, publish

__all__ = ["PublishResult", "breaches_of", "check_clean", "publish_revision"]

NUM_TOLD = 5
"""Breaches told with the error; `verify` lists them all."""


@dataclass(frozen=True)
class PublishResult:
    """What was published, and where."""

    revision: str
    district: str | None
    published: Published
    other_times: OtherTimes | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the result for ``--json``."""
        made = self.published
        return {
            "revision": self.revision,
            "district": self.district,
            "path": str(made.path),
            "link": str(made.link),
            "communities": made.communities,
            "sites": made.sites,
            "labs": made.labs,
            "districts": made.districts,
            "other_times": self.other_times and asdict(self.other_times),
        }


def publish_revision(
    folder: Path,
    *,
    revision: str | None = None,
    district: str | None = None,
    formats: Sequence[str] = (),
    report: Report = silent,
    progress: Progress | None = None,
) -> PublishResult:
    """Publish a revision, the newest by default; of a district only, where one is named.

    ``formats`` names those that are written beside the CSV files.

    A plan that was made for one district is published as that district's.

    Raises
    ------
    InputError
        When the input has errors.
    BreachError
        When the plan breaks a hard rule: then nothing is written.
    CannotRunError
        When there is no such revision or district, it is a variant, or the disk refuses.
    LockedError
        When another run holds the round's lock.
    """
    report("reading", None)
    opened = open_revision(folder, revision)
    if opened.variant:
        raise CannotRunError(
            f"Revision {opened.name} supposes what the files do not say "
            f"({', '.join(opened.variant)}) and is not published",
            hint="Write it into the files and plan again.",
        )
    district = district or opened.instance.district
    if district is not None:
        check_district(opened.instance, district)
    report("checking", None)
    check_clean(opened)
    report("writing", None)
    schedule = Schedule(opened.instance, opened.plan, opened.name)
    with round_lock(folder):
        sweep(folder / FOLDER)
        before = _before(folder, opened, district)
        made = publish(
            folder, schedule, district=district, before=before, formats=formats, progress=progress
        )
    return PublishResult(opened.name, district, made, other_times(folder, opened.name))


def _before(folder: Path, opened: Revision, district: str | None) -> Schedule | None:
    """Return what was published until now; of a revision published again, what was before it.

    ``None`` where nothing was, or it cannot be compared: other input files, or no plan any more.
    """
    told = published_revisions(folder)
    name = told.get(district or "") or told.get("")
    if name == opened.name:
        name = changes_since(folder, opened.name, district)
    if not name:
        return None
    try:
        old = open_revision(folder, name)
    except CannotRunError:
        return None
    if old.instance.inputs_sha256 != opened.instance.inputs_sha256:
        return None
    return Schedule(old.instance, old.plan, name)


def breaches_of(opened: Revision) -> list[Breach]:
    """Return every breach of a revision."""
    return verify(opened.instance, opened.plan, revision=opened.name, standing=opened.standing)


def check_clean(opened: Revision) -> None:
    """Refuse a revision that breaks a hard rule.

    Raises
    ------
    BreachError
        With the first of its breaches.
    """
    breaches = breaches_of(opened)
    if breaches:
        told = "\n".join(str(breach) for breach in breaches[:NUM_TOLD])
        raise BreachError(
            f"Revision {opened.name} has {len(breaches)} breach(es) and is not published:\n{told}",
            hint="Run `nat-scheduler verify` for all of them.",
        )
