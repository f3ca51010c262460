"""Small rounds once more, exactly: the plan of the flows is only a start there.

In a round of few blocks, whole tubes, whole blocks and single lab hours weigh so much that the
city's heuristic may lie far from the best plan; there the whole model fits into CP-SAT. The work is
limited by the solver's own count of operations, not by time, so that the same input gives the same
plan.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from scheduler.domain.instance import Instance
from scheduler.domain.metrics import summarise
from scheduler.solve.exact_answer import answer_of, solution_of
from scheduler.solve.exact_model import ExactModel
from scheduler.solve.exact_round import SmallRound
from scheduler.solve.market import Market
from scheduler.solve.planner import Solution
from scheduler.solve.tables import plan_tables

MOST_BLOCKS = 40
MOST_VARIABLES = 12_000
"""Rounds above either limit keep the plan of the flows."""
EFFORT = 3.0
"""CP-SAT's deterministic time for each of the two models; about as many seconds."""
_PIECES = 2
_ENOUGH = 1e-6


def improve(
    instance: Instance,
    market: Market,
    solution: Solution,
    *,
    seed: int = 0,
    report: Callable[[str, float | None], None] = lambda _stage, _gap: None,
) -> Solution:
    """Return the better of a solution and CP-SAT's, with the better bound; small rounds only."""
    if not 0 < int((instance.demand > 0).sum()) <= MOST_BLOCKS:
        return solution
    cost = objective(instance, market, solution)
    small = SmallRound(instance, market, cost)
    if small.size > MOST_VARIABLES or cost - solution.bound <= _ENOUGH * cost:
        return solution
    report("small round exactly", (cost - solution.bound) / cost)
    return _solve(small, solution, cost, seed)


def objective(instance: Instance, market: Market, solution: Solution) -> float:
    """Return the cost of a solution in person-minutes."""
    tables = plan_tables(instance, market, solution)
    summary = summarise(instance, tables, best_bound=None, seed=0, revision="")
    return float(summary["objective"])


def _solve(small: SmallRound, solution: Solution, cost: float, seed: int) -> Solution:
    """Solve without and, where an answer is no plan, with unbroken pieces."""
    hint = answer_of(small, solution)
    best, bound = solution, solution.bound if small.keeps_bound else 0.0
    for pieces in (0, _PIECES):
        model = ExactModel(small, pieces)
        model.start_from(hint)
        answer, limit = model.solve(seed, EFFORT)
        if answer is None:
            continue
        if not pieces and small.complete:
            bound = max(bound, limit)
        found = solution_of(small, answer, solution)
        if found is not None:
            new = objective(small.instance, small.market, found)
            if new < cost:
                best, cost = found, new
            if not pieces:
                break
    return replace(best, bound=min(bound, cost))
