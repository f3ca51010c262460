"""Small rounds once more, exactly: the plan of the flows is only a start there.

In a round of few blocks, whole tubes, whole blocks and single lab hours weigh so much that the
city's heuristic may lie far from the best plan; there the whole model fits into CP-SAT. The work is
limited by the solver's own count of operations, not by time, so that the same input gives the same
plan.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from scheduler.domain.instance import Instance
from scheduler.solve.exact_answer import answer_of, solution_of
from scheduler.solve.exact_model import ExactModel, Found
from scheduler.solve.exact_round import MOST_BLOCKS, Answer, SmallRound
from scheduler.solve.market import Market
from scheduler.solve.planner import Solution, num_blocks
from scheduler.solve.tables import objective

MOST_VARIABLES = 12_000
"""A round with more keeps the plan of the flows."""
EFFORT = 0.5
"""CP-SAT's deterministic time for a model: some 1 to 3 seconds."""
MOST_MIP_EFFORT = 80_000  # variables x blocks
MIP_NODES = 30
"""HiGHS's limits: most of what it finds is there after the root, some 2 to 8 seconds."""
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
    if not 0 < num_blocks(instance) <= MOST_BLOCKS:
        return solution
    cost = objective(instance, market, solution)
    small = SmallRound(instance, market, cost)
    if small.size > MOST_VARIABLES or cost - solution.bound <= _ENOUGH * cost:
        return solution
    report("small round exactly", (cost - solution.bound) / cost)
    return _solve(small, solution, cost, seed)


def _solve(small: SmallRound, solution: Solution, cost: float, seed: int) -> Solution:
    """Search with CP-SAT and, where that does not prove its answer, with HiGHS."""
    best, bound = solution, solution.bound
    for found in _searches(small, answer_of(small, solution), seed):
        if small.complete:
            bound = max(bound, found.bound)
        new = _plan_of(small, found.answer, solution)
        new_cost = cost if new is None else objective(small.instance, small.market, new)
        if new is not None and new_cost < cost:
            best, cost = new, new_cost
    return replace(best, bound=min(bound, cost))


def _searches(small: SmallRound, hint: Answer, seed: int) -> Iterator[Found]:
    model = ExactModel(small, 0)
    model.start_from(hint)
    found = model.solve(seed, EFFORT)
    yield found
    if not found.proven and small.size * len(small.blocks) <= MOST_MIP_EFFORT:
        yield model.solve_as_mip(MIP_NODES)


def _plan_of(small: SmallRound, answer: Answer | None, old: Solution) -> Solution | None:
    """Return an answer as a plan; where it is none, a plan that leaves its blocks in place."""
    new = None if answer is None else solution_of(small, answer, old)
    if answer is None or new is not None:
        return new
    model = ExactModel(small, 1)
    model.keep_cells(answer)
    unbroken = model.solve_as_mip(MIP_NODES).answer
    return None if unbroken is None else solution_of(small, unbroken, old)
