"""Use case: make a plan, check it, and keep it as a new revision."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from scheduler.app.heal import heal, round_info
from scheduler.app.runtime import Clock, Report, round_lock, silent
from scheduler.domain.district import restrict
from scheduler.domain.instance import Instance
from scheduler.domain.plan import Plan
from scheduler.domain.verify import verify
from scheduler.errors import BreachError, InputError, PromiseError, SchedulerError
from scheduler.ingest.loader import load
from scheduler.publish.plan_files import commit_plan, discard_partial, next_revision, stage_plan
from scheduler.solve import make_plan
from scheduler.store import RunRecord, Store, open_store

INTERRUPTED = 130
"""Exit code after Ctrl-C, by the shells' convention of 128 + signal number."""


@dataclass(frozen=True, kw_only=True)
class PlanOptions:
    """What a user may ask of ``plan``."""

    seed: int = 0
    time_limit_s: float | None = None
    workers: int = 2
    strict: bool = False
    district: str | None = None
    database_url: str | None = None


@dataclass
class PlanResult:
    """A stored plan and how long each stage took, in seconds."""

    revision: str
    folder: Path
    summary: dict[str, Any]
    seconds: dict[str, float] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Return the result for ``--json``."""
        return {**self.summary, "folder": str(self.folder), "seconds": self.seconds}


class Stages:
    """Measures stages and passes them on to whoever reports progress."""

    def __init__(self, clock: Clock, report: Report) -> None:
        self._clock, self._report = clock, report
        self._begin = self._last = clock.monotonic()
        self._name = ""
        self.seconds: dict[str, float] = {}

    def __call__(self, name: str, gap: float | None = None) -> None:
        """Begin a stage."""
        now = self._clock.monotonic()
        if self._name:
            spent = self.seconds.get(self._name, 0.0) + now - self._last
            self.seconds[self._name] = round(spent, 3)
        self._name, self._last = name, now
        self._report(name, gap)

    def end(self) -> dict[str, float]:
        """Close the last stage and return all of them with their total."""
        self("done")
        return {**self.seconds, "total": round(self._clock.monotonic() - self._begin, 3)}


def plan_round(
    folder: Path, options: PlanOptions, report: Report = silent, clock: Clock | None = None
) -> PlanResult:
    """Plan a round folder; a new revision appears whole in ``plans/`` and the store, or not at all.

    Raises
    ------
    InputError
        When the input has errors.
    BreachError
        When the plan made breaks a hard rule (an error of this program): it is not kept.
    PromiseError
        With ``strict``, when some result comes after the promise: it is not kept.
    NoPlanError
        When the time limit passes before a plan is complete.
    """
    clock = clock or Clock()
    stages = Stages(clock, report)
    with round_lock(folder), logged(folder, options.database_url, (clock, stages)) as run:
        heal(folder, run.store)
        stages("reading")
        loaded = load(folder)
        run.files = loaded.inputs
        if loaded.instance is None:
            raise InputError(loaded.findings)
        whole = loaded.instance
        instance = whole if options.district is None else restrict(whole, options.district)
        run.instance = instance
        revision = next_revision(folder)
        plan = make_plan(
            instance, seed=options.seed, revision=revision, report=stages,
            deadline=_deadline(clock, options),
        )  # fmt: skip
        stages("checking", plan.summary["relative_gap"])
        _refuse_breaches(instance, plan, revision)
        if options.strict and plan.summary["late_people"]:
            raise PromiseError(
                f"{plan.summary['late_people']:,} people would get their result after the promise "
                f"of {instance.settings.targets.result_hours:g} hours; the plan was not kept",
                hint="Plan without --strict to see when and where.",
            )
        stages("writing")
        keep(folder, (revision, plan), instance, run.store)
        run.revision = revision
    return PlanResult(revision, folder / "plans" / revision, plan.summary, run.seconds)


def _deadline(clock: Clock, options: PlanOptions) -> Any:  # noqa: ANN401  # a function or None
    if options.time_limit_s is None:
        return None
    end = clock.monotonic() + options.time_limit_s
    return lambda: clock.monotonic() > end


def _refuse_breaches(instance: Instance, plan: Plan, revision: str) -> None:
    breaches = verify(instance, plan, revision=revision)
    if breaches:
        raise BreachError(
            f"The plan made has {len(breaches)} breach(es) and was not kept; the first: "
            f"{breaches[0]}",
            hint="This is an error of the program, not of the input: please report it.",
        )


def keep(
    folder: Path,
    made: tuple[str, Plan],
    instance: Instance,
    store: Store,
    more: Mapping[str, bytes] | None = None,
) -> None:
    """Write the folder beside its place, insert the rows, rename, commit: whole or not at all.

    ``made`` is the revision and its plan, ``more`` further files of it. Killed between renaming
    and committing, the folder is there and the rows are not: :func:`heal` puts them in.
    """
    revision, plan = made
    stage_plan(folder, revision, plan, more)
    try:
        with store.transaction() as change:
            change.add_revision(round_info(instance), revision, plan, replace=True)
            commit_plan(folder, revision)
    finally:
        discard_partial(folder)


@dataclass
class Run:
    """What is known of a run while it goes on."""

    store: Store
    files: dict[str, str] = field(default_factory=dict)
    instance: Instance | None = None
    revision: str | None = None
    seconds: dict[str, float] = field(default_factory=dict)


@contextmanager
def logged(
    folder: Path, database_url: str | None, times: tuple[Clock, Stages], command: str = "plan"
) -> Iterator[Run]:
    """Open the store, and log the run however it ends."""
    clock, stages = times
    begin = clock.now()
    with open_store(folder, database_url, now=clock.now) as store:
        run = Run(store)
        exit_code, message = 0, ""
        try:
            yield run
        except SchedulerError as error:
            exit_code, message = error.exit_code, error.message
            raise
        except BaseException as error:
            exit_code = INTERRUPTED if isinstance(error, KeyboardInterrupt) else 2
            message = type(error).__name__
            raise
        finally:
            run.seconds = stages.end()
            store.log_run(
                RunRecord(
                    command=command, started_at=begin, ended_at=clock.now(), exit_code=exit_code,
                    seconds=run.seconds["total"], message=message, stages=run.seconds,
                    round_id=run.instance.settings.round.id if run.instance else None,
                    revision=run.revision,
                    inputs_sha256=run.instance.inputs_sha256 if run.instance else None,
                    files=run.files,
                )
            )  # fmt: skip
