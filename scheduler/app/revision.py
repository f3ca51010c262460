"""A revision on disk together with the input it was made from."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scheduler.app.standing import REPLAN, counted_input, stored_standing
from scheduler.app.variant import vary
from scheduler.domain.district import restrict
from scheduler.domain.instance import Instance
from scheduler.domain.overlay import lay_over
from scheduler.domain.plan import Plan
from scheduler.domain.settings import ZONE_WORDS
from scheduler.domain.standing import Standing
from scheduler.errors import CannotRunError, InputError
from scheduler.ingest.loader import load
from scheduler.publish.plan_files import read_plan, read_summary, revisions


@dataclass(frozen=True)
class Revision:
    """A plan and its input; of one district, with events, or the changes of a variant, if so."""

    name: str
    instance: Instance
    plan: Plan
    standing: Standing | None = None  # where a re-plan made it

    @property
    def variant(self) -> list[str]:
        """Changes that the plan supposes in its input, see ``plan --set``."""
        return variant_of(self.plan.summary)

    def zone_word(self, community: int) -> str:
        """Return the zone of a community, such as ``normal``."""
        return ZONE_WORDS[int(self.instance.communities.zone[community])]

    def check_input(self) -> None:
        """Refuse a plan whose input files changed since: what they say is not what it was made of.

        Raises
        ------
        CannotRunError
            When they changed.
        """
        if self.plan.summary.get("inputs_sha256") != self.instance.inputs_sha256:
            raise CannotRunError(
                f"The input files have changed since revision {self.name} was made",
                hint="Run `nat-scheduler plan` again, or put the files back.",
            )


def open_revision(folder: Path, revision: str | None) -> Revision:
    """Read the input and a revision of a round folder, the newest when none is named.

    Where none is named, variants made with ``plan --set`` do not count.

    Raises
    ------
    InputError
        When the input has errors.
    CannotRunError
        When there is no such revision.
    """
    loaded = load(folder)
    if loaded.instance is None:
        raise InputError(loaded.findings)
    name = revision or newest(folder)
    plan = read_plan(folder, name)
    instance = vary(counted_input(folder, name, loaded), variant_of(plan.summary))
    if REPLAN in plan.summary:
        standing = stored_standing(folder, instance, name, plan)
        overlay = lay_over(instance, standing.events, standing.now_min)
        return Revision(name, overlay.instance, plan, standing)
    district = plan.summary.get("district")
    if district is not None:
        instance = restrict(instance, str(district))
    return Revision(name, instance, plan)


def variant_of(summary: dict[str, Any]) -> list[str]:
    """Return the changes that a plan supposes in its input; none for a plan of the files."""
    return [str(change) for change in summary.get("variant", ())]


def newest(folder: Path) -> str:
    """Return the newest revision of a round folder that is no variant.

    Raises
    ------
    CannotRunError
        When nothing was planned yet, or variants only.
    """
    known = revisions(folder)
    for name in reversed(known):
        if not variant_of(read_summary(folder, name)):
            return name
    if known:
        raise CannotRunError(
            f"Expected a plan of the files in {folder}, found variants only ({', '.join(known)})",
            hint="Name one with --revision, or run `nat-scheduler plan` without --set.",
        )
    raise CannotRunError(
        f"Expected a plan in {folder}, found none", hint="Run `nat-scheduler plan` on it first."
    )


def check_district(instance: Instance, district: str) -> None:
    """Refuse a district without communities.

    Raises
    ------
    CannotRunError
        With the nearest names.
    """
    known = sorted(set(instance.communities.districts))
    if district not in known:
        near = difflib.get_close_matches(district, known, n=3, cutoff=0.3) or known
        raise CannotRunError(
            f'Expected a district of this revision, got "{district}"',
            hint=f"Known: {', '.join(near)}.",
        )
