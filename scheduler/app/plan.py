"""Use case: make a plan, check it, and keep it as a new revision."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scheduler.app.foreseen import stage_seconds
from scheduler.app.heal import heal, round_info
from scheduler.app.runlog import Stages, logged
from scheduler.app.runtime import Clock, Report, round_lock, silent
from scheduler.app.variant import vary
from scheduler.domain.district import restrict
from scheduler.domain.instance import Instance
from scheduler.domain.plan import Plan
from scheduler.domain.verify import Breach, verify
from scheduler.errors import BreachError, CannotRunError, InputError, PromiseError
from scheduler.ingest.loader import load
from scheduler.publish.plan_files import commit_plan, discard_partial, next_revision, stage_plan
from scheduler.solve import make_plan
from scheduler.store import Store

if TYPE_CHECKING:
    from scheduler.app.certify import Certified


@dataclass(frozen=True, kw_only=True)
class PlanOptions:
    """What a user may ask of ``plan``."""

    seed: int = 0
    time_limit_s: float | None = None
    workers: int = 2
    strict: bool = False
    district: str | None = None
    database_url: str | None = None
    changes: tuple[str, ...] = ()
    certify: bool = False


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


def plan_round(
    folder: Path,
    options: PlanOptions,
    report: Report = silent,
    clock: Clock | None = None,
    foresee: Callable[[Mapping[str, float]], None] = lambda _seconds: None,
) -> PlanResult:
    """Plan a round folder; a new revision appears whole in ``plans/`` and the store, or not at all.

    ``foresee`` is told the seconds that the stages after reading should take, by name and in order.

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
    with round_lock(folder), logged("plan", folder, options.database_url, stages) as run:
        heal(folder, run.store)
        stages("reading")
        loaded = load(folder)
        run.files = loaded.inputs
        if loaded.instance is None:
            raise InputError(loaded.findings)
        whole = vary(loaded.instance, options.changes)
        instance = whole if options.district is None else restrict(whole, options.district)
        run.instance = instance
        if not options.certify:  # which plans again and again
            foresee(stage_seconds(len(instance.blocks)))
        run.revision, plan = make_revision(
            folder, instance, options, run.store, Watch(clock, stages)
        )
    return PlanResult(run.revision, folder / "plans" / run.revision, plan.summary, run.seconds)


@dataclass(frozen=True)
class Watch:
    """The clock of a run and whoever is told of its stages."""

    clock: Clock
    stages: Report


def make_revision(
    folder: Path,
    instance: Instance,
    options: PlanOptions,
    store: Store,
    watch: Watch,
    *,
    extra: Mapping[str, bytes] | None = None,
) -> tuple[str, Plan]:
    """Plan an instance and keep it as the next revision; the caller holds the round's lock.

    ``extra`` holds further files of the revision by name. Raises as :func:`plan_round` does.
    """
    revision = next_revision(folder)
    plan = _make(instance, options, revision, watch)
    if options.strict:
        _refuse_late(instance, plan)
    watch.stages("checking and writing", plan.summary["relative_gap"])
    keep_when_clean(
        folder, (revision, plan), instance, store, extra,
        lambda: _refuse_breaches(verify(instance, plan, revision=revision)),
    )  # fmt: skip
    return revision, plan


def _make(instance: Instance, options: PlanOptions, revision: str, watch: Watch) -> Plan:
    """Make a plan as the options ask: certified, or of a variant, which the summary then tells."""
    deadline = _deadline(watch.clock, options)

    def make(this: Instance) -> Plan:
        return make_plan(
            this, seed=options.seed, revision=revision, report=watch.stages, deadline=deadline
        )

    if options.certify:
        from scheduler.app.certify import certify  # noqa: PLC0415  # few plans are lived through

        certified = certify(instance, make, seed=options.seed, report=watch.stages)
        _refuse_uncertified(certified, options)
        plan = certified.plan
        plan.summary["certified"] = certified.about
    else:
        plan = make(instance)
    if options.changes:
        plan.summary["variant"] = list(options.changes)
    return plan


def _deadline(clock: Clock, options: PlanOptions) -> Any:  # noqa: ANN401  # a function or None
    if options.time_limit_s is None:
        return None
    end = clock.monotonic() + options.time_limit_s
    return lambda: clock.monotonic() > end


def _refuse_late(instance: Instance, plan: Plan) -> None:
    if plan.summary["late_people"]:
        raise PromiseError(
            f"{plan.summary['late_people']:,} people would get their result after the promise "
            f"of {instance.settings.targets.result_hours:g} hours; the plan was not kept",
            hint="Plan without --strict to see when and where.",
        )


def _refuse_breaches(breaches: Sequence[Breach]) -> None:
    if breaches:
        raise BreachError(
            f"The plan made has {len(breaches)} breach(es) and was not kept; the first: "
            f"{breaches[0]}",
            hint="This is an error of the program, not of the input: please report it.",
        )


def _refuse_uncertified(certified: Certified, options: PlanOptions) -> None:
    if options.strict and not certified.reached:
        about = certified.about
        raise PromiseError(
            f"Lived through, {about['share_in_time']:.1%} of results are in time and "
            f"{about['sites_beyond_ground']} site(s) outgrow their ground; the plan was not kept",
            hint="Plan without --strict to see why; `nat-scheduler size` tells what would help.",
        )


def keep_when_clean(  # what keep needs, and the check
    folder: Path,
    made: tuple[str, Plan],
    instance: Instance,
    store: Store,
    more: Mapping[str, bytes] | None,
    check: Callable[[], None],
) -> None:
    """Write a revision on one core while ``check()``, which raises, looks at it on the other.

    It is renamed and committed only after the check.
    """
    with ThreadPoolExecutor(max_workers=1) as aside:
        checked = aside.submit(check)
        try:
            keep(folder, made, instance, store, more, checked.result)
        except (CannotRunError, LookupError, ValueError):
            checked.result()  # what breaks a rule may not fit into the tables either: say why
            raise


def keep(
    folder: Path,
    made: tuple[str, Plan],
    instance: Instance,
    store: Store,
    more: Mapping[str, bytes] | None = None,
    agreed: Callable[[], None] = lambda: None,
) -> None:
    """Write the folder beside its place, insert the rows, rename, commit: whole or not at all.

    ``made`` is the revision and its plan, ``more`` further files of it; ``agreed()`` raises where
    it must not be kept, and is asked last. Killed between renaming and committing, the folder is
    there and the rows are not: :func:`heal` puts them in.
    """
    revision, plan = made
    stage_plan(folder, revision, plan, more)
    try:
        with store.transaction() as change:
            change.add_revision(round_info(instance), revision, plan, replace=True)
            agreed()
            commit_plan(folder, revision)
    finally:
        discard_partial(folder)
