"""The exact model as a mixed-integer program for HiGHS.

Where lateness is traded against whole tubes, linear relaxation and cuts find good plans that
CP-SAT's search does not: a round of 12 blocks came from 29 % to 0.2 % above its bound in 2 s. Work
is limited by nodes, not by time, so that the same input gives the same plan.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from ortools.sat.python import cp_model
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_matrix

from scheduler.domain.city import Floats, Ints
from scheduler.solve.exact_round import SCALE

_HUGE = 2**60
_GAP = 1e-4
_SLACK = 1e-5  # of a bound, for HiGHS computes in floating point


@dataclass
class _Rows:
    """Linear rows in triplets, with their limits."""

    row: list[int] = field(default_factory=list)
    column: list[int] = field(default_factory=list)
    factor: list[int] = field(default_factory=list)
    low: list[float] = field(default_factory=list)
    high: list[float] = field(default_factory=list)

    def add(self, columns: list[int], factors: list[int], low: float, high: float) -> None:
        self.row += [len(self.low)] * len(columns)
        self.column += columns
        self.factor += factors
        self.low.append(low if low > -_HUGE else -np.inf)
        self.high.append(high if high < _HUGE else np.inf)

    def add_literals(self, literals: list[int], low: float, high: float) -> None:
        """Add a row over literals; -x-1 stands for the opposite of x."""
        turned = sum(x < 0 for x in literals)
        columns = [x if x >= 0 else -x - 1 for x in literals]
        factors = [1 if x >= 0 else -1 for x in literals]
        self.add(columns, factors, low - turned, high - turned)


def solve_mip(model: cp_model.CpModel, nodes: int) -> tuple[Ints | None, float]:
    """Return the values of all variables, if any were found, and a bound in person-minutes."""
    proto = model.proto
    low = np.array([v.domain[0] for v in proto.variables], dtype=np.float64)
    high = np.array([v.domain[len(v.domain) - 1] for v in proto.variables], dtype=np.float64)
    rows = _rows_of(model)
    shape = (len(rows.low), len(low))
    matrix = csr_matrix(
        (np.array(rows.factor, dtype=np.float64), (rows.row, rows.column)), shape=shape
    )
    result = milp(
        _costs(model, len(low)),
        constraints=LinearConstraint(matrix, np.array(rows.low), np.array(rows.high)),
        bounds=Bounds(low, high),
        integrality=np.ones(len(low), dtype=np.int64),
        options={"node_limit": nodes, "mip_rel_gap": _GAP},
    )
    values = None if result.x is None else np.round(result.x).astype(np.int64)
    return values, _safe(result.mip_dual_bound)


def _safe(bound: float | None) -> float:
    return 0.0 if bound is None or not np.isfinite(bound) else max(0.0, bound * (1 - _SLACK))


def _costs(model: cp_model.CpModel, size: int) -> Floats:
    costs = np.zeros(size)
    goal = model.proto.objective
    np.add.at(costs, np.array(list(goal.vars)), np.array(list(goal.coeffs)) / SCALE)
    return costs


def _rows_of(model: cp_model.CpModel) -> _Rows:
    rows = _Rows()
    for constraint in model.proto.constraints:
        if constraint.has_linear():
            linear = constraint.linear
            domain = list(linear.domain)
            rows.add(list(linear.vars), list(linear.coeffs), domain[0], domain[-1])
        elif constraint.has_at_most_one():
            rows.add_literals(list(constraint.at_most_one.literals), -np.inf, 1)
        elif constraint.has_bool_or():
            rows.add_literals(list(constraint.bool_or.literals), 1, np.inf)
        elif constraint.has_bool_and():
            against = [-x - 1 for x in constraint.enforcement_literal]
            for literal in constraint.bool_and.literals:
                rows.add_literals([*against, literal], 1, np.inf)
        else:
            raise NotImplementedError(str(constraint))
    return rows
