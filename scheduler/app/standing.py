"""What a re-plan stands on, as the files of the round folder tell it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from scheduler.domain.events import Event
from scheduler.domain.instance import Instance
from scheduler.domain.plan import Plan
from scheduler.domain.standing import NEVER, Standing, first_free_min, no_done
from scheduler.errors import CannotRunError, InputError, Severity
from scheduler.ingest.counted import COUNTED_FILE, with_counted
from scheduler.ingest.events import read_events
from scheduler.ingest.loader import Loaded
from scheduler.publish.files import FOLDER, MANIFEST
from scheduler.publish.plan_files import (
    read_bytes,
    read_extra,
    read_plan,
    read_summary,
    revisions,
)
from scheduler.publish.replan_files import DONE_FILE, EVENTS_FILE, done_of

REPLAN = "replan"
"""Key of ``summary.json`` under which a re-plan says what it stands on."""


@dataclass(frozen=True)
class _Before:
    """A revision that others stand on: its plan, events, calls cut short, and its moment."""

    plan: Plan
    events: tuple[Event, ...]
    done: pd.DataFrame
    now_min: int


def stored_standing(folder: Path, files: Instance, name: str, plan: Plan) -> Standing:
    """Return what a stored re-plan stands on.

    Raises
    ------
    CannotRunError
        When a file of it, or the revision it was made from, is not there or cannot be read.
    """
    told = plan.summary[REPLAN]
    try:
        based_on, published = str(told["based_on"]), dict(told["published"])
        now = files.clock.minute_of_iso(told["now"])
        frozen = files.clock.minute_of_iso(told["frozen_until"])
    except (KeyError, TypeError, ValueError):
        raise CannotRunError(
            f"Expected revision {name} to say what it stands on (summary.json, replan)",
            hint="Put the file back, or run `nat-scheduler replan` again.",
        ) from None
    base = _before(folder, files, based_on)
    own = _before(folder, files, name, plan)
    return Standing(
        files, based_on, base.plan, base.done, base.events, base.now_min,
        _plans(folder, published, {based_on: base.plan}), own.events, own.done, now, frozen,
    )  # fmt: skip


def new_standing(
    folder: Path, files: Instance, events: tuple[Event, ...], now_min: int
) -> Standing:
    """Return what a new re-plan stands on: the newest plan of the whole round.

    Raises
    ------
    CannotRunError
        When there is no such plan, the input has changed since it was made, or it was made later.
    """
    base_name = newest_whole(folder)
    plan = read_plan(folder, base_name)
    if plan.summary.get("inputs_sha256") != files.inputs_sha256:
        raise CannotRunError(
            f"The input files have changed since revision {base_name} was made",
            hint="Report changes as events, or put the files back; "
            "`nat-scheduler plan` starts the round anew.",
        )
    base = _before(folder, files, base_name, plan)
    if now_min < base.now_min:
        raise CannotRunError(
            f"Expected a time from {files.clock.iso(base.now_min)} on, at which revision "
            f"{base_name} was made, got {files.clock.iso(now_min)}",
            hint="Look at --now, or at the clock of this machine.",
        )
    frozen = first_free_min(
        now_min, files.settings.replan.freeze_min, files.settings.round.slot_minutes
    )
    return Standing(
        files, base_name, base.plan, base.done, base.events, base.now_min,
        _plans(folder, published_revisions(folder), {base_name: base.plan}),
        events, no_done(), now_min, frozen,
    )  # fmt: skip


def counted_input(folder: Path, name: str, loaded: Loaded) -> Instance:
    """Return the input of a revision: the files, with the people that a roster counted if it has.

    Raises
    ------
    InputError
        When the input has errors.
    """
    if loaded.instance is None:
        raise InputError(loaded.findings)
    counted = read_extra(folder, name, COUNTED_FILE)
    return loaded.instance if counted is None else with_counted(loaded, counted)


def published_revisions(folder: Path) -> dict[str, str]:
    """Return the revision that was published last, by district; "" is the whole city.

    A district's own publication counts where it is newer than the city's.
    """
    found = {about["district"] or "": str(about["revision"]) for about in _manifests(folder)}
    city = found.get("", "")
    return {d: r for d, r in found.items() if not d or r > city}


def changes_since(folder: Path, revision: str, district: str | None) -> str | None:
    """Return the revision that the changes of a published one are told against."""
    for about in _manifests(folder):
        if about["revision"] == revision and about["district"] == district:
            since: str | None = about.get("changes_since")
            return since
    return None


def _manifests(folder: Path) -> list[dict[str, Any]]:
    """Return the manifests of what is published now; a link that leads nowhere is left out."""
    found = []
    for link in sorted((folder / FOLDER).glob("latest*")):
        try:
            about = json.loads((link / MANIFEST).read_bytes())
            found.append({**about, "district": about["district"], "revision": about["revision"]})
        except (OSError, ValueError, KeyError, TypeError):
            continue
    return found


def newest_whole(folder: Path) -> str:
    """Return the newest revision of the whole round that is no variant.

    Raises
    ------
    CannotRunError
        When there is none.
    """
    for name in reversed(revisions(folder)):
        summary = read_summary(folder, name)
        if summary.get("district") is None and not summary.get("variant"):
            return name
    raise CannotRunError(
        f"Expected a plan of the whole round in {folder}, found none",
        hint="Run `nat-scheduler plan` on it first.",
    )


def _before(folder: Path, files: Instance, name: str, plan: Plan | None = None) -> _Before:
    plan = plan or read_plan(folder, name)
    told = plan.summary.get(REPLAN)
    if not isinstance(told, Mapping):
        return _Before(plan, (), no_done(), NEVER)
    done = done_of(read_bytes(folder, name, DONE_FILE), f"plans/{name}/{DONE_FILE}")
    return _Before(plan, _events(folder, files, name), done, _minute(files, told))


def _minute(files: Instance, told: Mapping[str, Any]) -> int:
    try:
        return files.clock.minute_of_iso(str(told["now"]))
    except (KeyError, ValueError):
        return NEVER


def _events(folder: Path, files: Instance, name: str) -> tuple[Event, ...]:
    where = f"plans/{name}/{EVENTS_FILE}"
    log = read_events({where: read_bytes(folder, name, EVENTS_FILE)}, files)
    if any(f.severity is Severity.ERROR for f in log.findings):
        raise InputError(log.findings)
    return log.events


def _plans(
    folder: Path, published: Mapping[str, str], known: Mapping[str, Plan]
) -> dict[str, Plan]:
    """Return the plans of the published revisions, by district."""
    plans = dict(known)
    for name in published.values():
        if name not in plans:
            plans[name] = read_plan(folder, name)
    return {district: plans[name] for district, name in published.items()}
