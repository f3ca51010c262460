"""The face of this package: one round in, one complete plan out."""

from __future__ import annotations

from collections.abc import Callable

from scheduler.domain.instance import Instance
from scheduler.domain.metrics import summarise
from scheduler.domain.plan import Plan
from scheduler.errors import NoPlanError
from scheduler.solve.exact_round import MOST_BLOCKS
from scheduler.solve.market import Market
from scheduler.solve.noised import plan_noised
from scheduler.solve.planner import Solution, num_blocks, solve_round
from scheduler.solve.spacing import site_quota
from scheduler.solve.tables import plan_tables, tie_breaks

Report = Callable[[str, float | None], None]


def make_plan(
    instance: Instance,
    *,
    seed: int = 0,
    revision: str = "0001",
    report: Report = lambda _stage, _gap: None,
    deadline: Callable[[], bool] | None = None,
) -> Plan:
    """Return a plan of a round; ``deadline()`` tells whether the time limit has passed.

    Raises
    ------
    NoPlanError
        When the time limit passes between two stages before there is a plan: one that is only
        being improved is kept.
    """

    def in_time(name: str) -> None:
        if deadline is not None and deadline():
            raise NoPlanError(
                f"The time limit passed before the stage '{name}': no plan was made",
                hint="Give more time with --time-limit.",
            )

    def stage(name: str, gap: float | None) -> None:
        in_time(name)
        report(name, gap)

    stage("queue grounds", None)
    quota = site_quota(instance)
    market, solution = solve_round(instance, quota, seed, stage)
    in_time("tables")
    solution = plan_noised(instance, (market, solution), seed, stage)
    solution = _improved(instance, market, solution, seed, report)
    report("tables", None)
    tables = plan_tables(instance, market, solution)
    summary = summarise(
        instance, tables, best_bound=solution.bound, seed=seed, revision=revision,
    )  # fmt: skip
    summary["tie_breaks"] = tie_breaks(instance, solution)
    return tables.with_summary(summary)


def _improved(
    instance: Instance, market: Market, solution: Solution, seed: int, report: Report
) -> Solution:
    """Search small rounds exactly."""
    if num_blocks(instance) > MOST_BLOCKS:
        return solution  # the solvers for that take 0.1 s to import
    from scheduler.solve.exact import improve  # noqa: PLC0415

    return improve(instance, market, solution, seed=seed, report=report)
