"""Whether call lists tell people the times of the plan that stands."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from scheduler.app.standing import published_revisions
from scheduler.publish.plan_files import read_summary, revisions
from scheduler.publish.roster_places import rosters


@dataclass(frozen=True)
class OtherTimes:
    """Call lists of one revision beside a plan of another."""

    roster: str
    revision: str

    def __str__(self) -> str:
        """Return the warning with the way out."""
        newer = int(self.revision) > int(self.roster)
        return (
            f"Warning: the newest call lists, in rosters/{self.roster}, tell the times of revision "
            f"{self.roster}, not those of revision {self.revision}. "
        ) + (
            "Run `nat-scheduler roster` with the residents again."
            if newer
            else f"Publish revision {self.roster}, or run `nat-scheduler roster` with --revision "
            f"{self.revision}."
        )


def other_times(folder: Path, revision: str | None) -> OtherTimes | None:
    """Return what to warn of where the newest roster follows another revision than this."""
    found = rosters(folder)
    if not found or revision is None or found[-1] == revision:
        return None
    return OtherTimes(found[-1], revision)


def standing_revision(folder: Path, *, planned: bool = False) -> str | None:
    """Return the revision that people go by: the one published last, else the newest plan.

    With ``planned`` the newest plan in any case. A variant is no plan that people go by.
    """
    published = published_revisions(folder).get("")
    if published and not planned:
        return published
    for revision in reversed(revisions(folder)):
        if not read_summary(folder, revision).get("variant"):
            return revision
    return None
