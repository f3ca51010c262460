"""Use case: re-plan during the round, calmly, and keep the answer as a new revision."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from scheduler.app.heal import heal
from scheduler.app.inbox import EVENTS, PROGRESS, Inbox, checksums, read_inbox, take_in
from scheduler.app.plan import keep_when_clean
from scheduler.app.publish import publish_revision
from scheduler.app.runlog import Run, Stages, logged
from scheduler.app.runtime import Clock, Report, round_lock, silent
from scheduler.app.standing import (
    REPLAN,
    counted_input,
    new_standing,
    newest_whole,
    published_revisions,
)
from scheduler.app.webhook import post_json
from scheduler.domain.calm import cost_of_calm, still_bounds
from scheduler.domain.instance import Instance, RoundClock
from scheduler.domain.metrics import summarise
from scheduler.domain.overlay import lay_over
from scheduler.domain.plan import Plan
from scheduler.domain.standing import Standing
from scheduler.domain.verify import verify
from scheduler.errors import BreachError, CannotRunError, Finding, InputError, NoPlanError, Severity
from scheduler.ingest.counted import COUNTED_FILE
from scheduler.ingest.events import lost_events, read_events
from scheduler.ingest.loader import load
from scheduler.ingest.progress import Progress, read_progress
from scheduler.publish.plan_files import next_revision, read_extra
from scheduler.publish.replan_files import DONE_FILE, EVENTS_FILE, done_bytes, events_bytes
from scheduler.solve.repair import Repaired, repair_plan


@dataclass(frozen=True, kw_only=True)
class ReplanOptions:
    """What a user may ask of ``replan``; files are taken into the folder and read with its own."""

    progress: tuple[Path, ...] = ()
    events: tuple[Path, ...] = ()
    now: str | None = None
    time_limit_s: float | None = None
    database_url: str | None = None
    publish: bool = False
    webhook: str | None = None


@dataclass
class ReplanResult:
    """A new revision, or none where nothing has changed; with seconds per stage."""

    revision: str | None
    based_on: str
    folder: Path | None
    summary: dict[str, Any]
    notes: tuple[Finding, ...] = ()
    published: Path | None = None
    webhook_error: str = ""
    seconds: dict[str, float] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Return the result for ``--json``."""
        return {
            **self.summary,
            "changed": self.revision is not None,
            "revision": self.revision,
            "based_on": self.based_on,
            "folder": None if self.folder is None else str(self.folder),
            "published": None if self.published is None else str(self.published),
            "webhook_error": self.webhook_error,
            "notes": [str(note) for note in self.notes],
            "seconds": self.seconds,
        }


def replan_round(
    folder: Path, options: ReplanOptions, report: Report = silent, clock: Clock | None = None
) -> ReplanResult:
    """Mend the newest plan of a round after what has happened; nothing is written if it holds.

    Raises
    ------
    InputError
        When input, events or progress have errors.
    BreachError
        When the plan made breaks a hard rule (an error of this program): it is not kept.
    CannotRunError
        When nothing was planned yet, the input has changed, or disk or database refuse.
    NoPlanError
        When the time limit passes first, or no laboratory takes tubes that are filled already.
    """
    clock = clock or Clock()
    stages = Stages(clock, report)
    with round_lock(folder):
        with logged("replan", folder, options.database_url, stages) as run:
            heal(folder, run.store)
            result = _replan(folder, options, run, (clock, _limited(stages, clock, options)))
        result.seconds = run.seconds
    if options.publish:
        result.published = _published(folder, result)
    if options.webhook and result.revision is not None:
        result.webhook_error = _told_webhook(options.webhook, result)
    return result


def _told_webhook(url: str, result: ReplanResult) -> str:
    """Tell the webhook; returns why it did not take the news, which undoes nothing."""
    try:
        post_json(url, _news(result))
    except CannotRunError as error:
        return error.message
    return ""


def _limited(stages: Stages, clock: Clock, options: ReplanOptions) -> Report:
    """Return a report that ends the run when its time is over."""
    if options.time_limit_s is None:
        return stages
    end = clock.monotonic() + options.time_limit_s

    def stage(name: str, gap: float | None = None) -> None:
        if clock.monotonic() > end:
            raise NoPlanError(
                f"The time limit passed before the stage '{name}': no plan was made",
                hint="Give more time with --time-limit.",
            )
        stages(name, gap)

    return stage


def _replan(
    folder: Path, options: ReplanOptions, run: Run, times: tuple[Clock, Report]
) -> ReplanResult:
    clock, stage = times
    stage("reading", None)
    loaded = load(folder)
    run.files = dict(loaded.inputs)
    if loaded.instance is None:
        raise InputError(loaded.findings)
    base = newest_whole(folder)
    files = run.instance = counted_input(folder, base, loaded)
    now = _moment(files.clock, options.now, clock.now)
    reports = {kind: read_inbox(folder, kind, given) for kind, given in
               ((EVENTS, options.events), (PROGRESS, options.progress))}  # fmt: skip
    for found in reports.values():
        run.files |= checksums(found.files)
    log = read_events(reports[EVENTS].files, files)
    standing = new_standing(folder, files, log.events, now)
    overlay = lay_over(files, log.events, now)
    known = frozenset(map(str, overlay.instance.blocks.ids))
    progress = read_progress(reports[PROGRESS].files, files, known, now)
    gone = lost_events(reports[EVENTS].replaced, log, files)
    findings = (*log.findings, *gone, *progress.findings)
    if any(f.severity is Severity.ERROR for f in findings):
        raise InputError(findings, hint="Mend the lines named, or take the file away.")
    for found in reports.values():
        take_in(found)
    mended = repair_plan(standing, overlay, progress.sampled, stage)
    if not mended.changed:
        return ReplanResult(None, standing.based_on, None, {}, findings)
    revision = next_revision(folder)
    told = _told(folder, standing, mended, (reports, progress))
    plan = _plan(standing, overlay.instance, mended, (revision, told))
    stage("checking and writing", plan.summary["relative_gap"])
    more = {
        EVENTS_FILE: events_bytes(files.clock, log.events),
        DONE_FILE: done_bytes(mended.done),
    }
    counted = read_extra(folder, base, COUNTED_FILE)
    if counted is not None:
        more[COUNTED_FILE] = counted
    keep_when_clean(
        folder, (revision, plan), overlay.instance, run.store, more,
        lambda: _refuse_breaches(standing, mended, plan, revision),
    )  # fmt: skip
    run.revision = revision
    return ReplanResult(
        revision, standing.based_on, folder / "plans" / revision, plan.summary, findings
    )


def _moment(clock: RoundClock, text: str | None, now: Callable[[], datetime]) -> int:
    """Return the minute of the round that counts as now.

    Raises
    ------
    CannotRunError
        When the text is no time.
    """
    try:
        moment = now() if text is None else datetime.fromisoformat(text)
    except ValueError:
        raise CannotRunError(
            f'Expected --now with a date and time, got "{text}"',
            hint="Write 2020-12-22T12:00 (local time of the round) or with an offset.",
        ) from None
    if moment.tzinfo is None:
        return clock.minute_of_local(moment)
    return clock.minute_of_iso(moment.isoformat())


def _told(
    folder: Path,
    standing: Standing,
    mended: Repaired,
    heard: tuple[dict[str, Inbox], Progress],
) -> dict[str, Any]:
    """Return what ``summary.json`` says of the re-plan."""
    clock, (reports, progress) = standing.files.clock, heard
    must_leave, lost = sum(mended.must_leave.values()), int(mended.moved.dropped.sum())
    return {
        "based_on": standing.based_on,
        "published": published_revisions(folder),
        "now": clock.iso(standing.now_min),
        "frozen_until": clock.iso(standing.frozen_min),
        "must_leave": must_leave,
        "must_leave_by_cause": mended.must_leave,
        "lost_place": lost,
        "must_move": max(0, must_leave - lost),
        "moved": mended.moved.people,
        "moved_to_other_site": int(mended.moved.site.sum()),
        "moved_to_other_time": int(mended.moved.time.sum()),
        "sampled": int(progress.sampled["sampled"].sum()),
        "tubes_sent": int(progress.sent["tubes"].sum()),
        "tubes_resulted": int(progress.resulted["tubes"].sum()),
        "events": len(standing.events),
        "files_sha256": _digest(reports),
    }


def _digest(reports: dict[str, Inbox]) -> str:
    files = [sorted(checksums(found.files).items()) for found in reports.values()]
    lines = [f"{name} {digest}" for some in files for name, digest in some]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def _plan(
    standing: Standing, instance: Instance, mended: Repaired, about: tuple[str, dict[str, Any]]
) -> Plan:
    revision, told = about
    bound = standing.base.summary.get("best_bound")
    if not still_bounds(standing.files, standing.events):
        bound = None
    summary = summarise(
        instance, mended.tables, best_bound=bound, seed=int(standing.base.summary["seed"]),
        revision=revision, churn=mended.churn_cost,
    )  # fmt: skip
    told["cost_of_calm"] = cost_of_calm(summary, standing.base.summary)
    return mended.tables.with_summary({**summary, REPLAN: told})


def _refuse_breaches(standing: Standing, mended: Repaired, plan: Plan, revision: str) -> None:
    breaches = verify(
        standing.files, plan, revision=revision, standing=standing.with_done(mended.done)
    )
    if breaches:
        raise BreachError(
            f"The plan made has {len(breaches)} breach(es) and was not kept; the first: "
            f"{breaches[0]}",
            hint="This is an error of the program, not of the input: please report it.",
        )


def _published(folder: Path, result: ReplanResult) -> Path | None:
    """Publish the revision that stands, also one whose publication was cut short before."""
    newest = result.revision or result.based_on
    if published_revisions(folder).get("") == newest:
        return None
    return publish_revision(folder, revision=newest).published.path


def _news(result: ReplanResult) -> bytes:
    told = result.summary[REPLAN]
    news = {
        "round": result.summary["round"],
        "revision": result.revision,
        "based_on": result.based_on,
        "status": result.summary["status"],
        "now": told["now"],
        "must_move": told["must_move"],
        "moved": told["moved"],
        "lost_place": told["lost_place"],
        "late_people": result.summary["late_people"],
        "published": result.published is not None,
    }
    return json.dumps(news, ensure_ascii=False).encode()
