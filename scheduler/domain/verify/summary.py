"""Check ``summary.json`` against the figures worked out again and against itself."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from scheduler.domain.plan import PlanStatus
from scheduler.domain.verify.breach import SUMMARY, BreachLog
from scheduler.domain.verify.context import Context
from scheduler.domain.verify.figures import Figures

TOLERANCE = 1e-6
PROVEN = 1e-9  # relative gap below which a plan counts as optimal
WITHOUT = "without_unserved"


def check_summary(
    context: Context, figures: Figures, summary: Mapping[str, Any], stored_as: str | None
) -> None:
    """Check every figure, the status, the bound, the gaps and the labels."""
    reader = _Reader(summary, context.log)
    for name, value in figures.terms.items():
        reader.expect(f"terms.{name}", value)
    for name, count in figures.counts.items():
        reader.expect(name, count, tolerance=0.0)
    reader.expect("sites_per_community", figures.sites_per_community)
    for name, value in figures.walk_m.items():
        reader.expect(f"walk_m.{name}", value)
    total = sum(figures.terms.values())
    reader.expect("objective", total)
    reader.expect(f"{WITHOUT}.objective", total - figures.terms["unserved"])
    people = figures.counts["people"]
    _check_gaps(reader, "", people)
    _check_gaps(reader, f"{WITHOUT}.", people)
    _check_busiest(context, reader)
    _check_status(reader, figures)
    _check_labels(context, reader, stored_as)


class _Reader:
    """Figures by dotted name; what is missing or no number is a breach."""

    def __init__(self, summary: Mapping[str, Any], log: BreachLog) -> None:
        self.summary, self.log = summary, log

    def get(self, name: str) -> Any:  # noqa: ANN401  # JSON
        """Return a value, ``None`` where it is missing."""
        value: Any = self.summary
        for part in name.split("."):
            value = value.get(part) if isinstance(value, Mapping) else None
        return value

    def number(self, name: str, *, optional: bool = False) -> float | None:
        """Return a finite number; anything else is a breach, but null where ``optional``."""
        value = self.get(name)
        if value is None and optional and self._has(name):
            return None
        if (
            isinstance(value, bool)
            or not isinstance(value, int | float)
            or not math.isfinite(value)
        ):
            self.say("B191", f"{name}: expected a number, got {value!r}")
            return None
        return float(value)

    def expect(self, name: str, expected: float, *, tolerance: float = TOLERANCE) -> None:
        """Check one figure; counts are checked without tolerance."""
        got = self.number(name)
        if got is None:
            return
        if not math.isclose(got, expected, rel_tol=tolerance, abs_tol=tolerance):
            self.say("B192", f"{name}: expected {expected:,.6f} from the files, got {got:,.6f}")

    def say(self, code: str, text: str) -> None:
        self.log.add(code, SUMMARY, text)

    def _has(self, name: str) -> bool:
        *above, last = name.split(".")
        table = self.get(".".join(above)) if above else self.summary
        return isinstance(table, Mapping) and last in table


def _check_gaps(reader: _Reader, prefix: str, people: float) -> None:
    objective = reader.number(f"{prefix}objective")
    bound = reader.number(f"{prefix}best_bound", optional=True)
    relative = reader.number(f"{prefix}relative_gap", optional=True)
    per_person = reader.number(f"{prefix}gap_per_person", optional=True)
    if objective is None:
        return
    if bound is None:
        if relative is not None or per_person is not None:
            reader.say("B194", f"{prefix}best_bound is null: expected both gaps to be null")
        return
    if bound > objective + TOLERANCE * max(1.0, abs(objective)):
        reader.say(
            "B194", f"{prefix}best_bound: expected at most {objective:,.6f}, got {bound:,.6f}"
        )
    gap = objective - bound
    expected = {
        "relative_gap": (relative, gap / objective if objective else 0.0),
        "gap_per_person": (per_person, gap / people if people else 0.0),
    }
    # the gaps are differences of large numbers: what the figures' own rounding leaves is allowed
    scale = {"relative_gap": 1.0, "gap_per_person": max(1.0, abs(objective) / max(people, 1.0))}
    for name, (got, value) in expected.items():
        if got is None or abs(got - value) > TOLERANCE * max(abs(value), 1e-6 * scale[name]):
            reader.say("B194", f"{prefix}{name}: expected {value:.9g} from the bound, got {got}")


def _check_busiest(context: Context, reader: _Reader) -> None:
    """Check the slot in which the city calls most people; plans made before it was told lack it."""
    called, told = context.called, reader.get("busiest_slot")
    if "busiest_slot" not in reader.summary:
        return
    starts, at = np.unique(called.start, return_inverse=True)
    total, expected = np.bincount(at, called.people, len(starts)), None
    if len(total):
        when = context.axis.local(starts[total.argmax()]).isoformat()
        expected = {"start": when, "people": int(total.max())}
    if told != expected:
        reader.say("B192", f"busiest_slot: expected {expected} from the files, got {told}")


def _check_status(reader: _Reader, figures: Figures) -> None:
    objective, bound = reader.get("objective"), reader.get("best_bound")
    if figures.unserved:
        expected = PlanStatus.PARTIAL
    elif figures.counts["late_people"]:
        expected = PlanStatus.LATE
    elif _proven(objective, bound):
        expected = PlanStatus.OPTIMAL
    else:
        expected = PlanStatus.FEASIBLE
    if reader.get("status") != expected:
        reader.say("B193", f"status: expected {expected}, got {reader.get('status')}")


def _proven(objective: object, bound: object) -> bool:
    if not isinstance(objective, int | float) or not isinstance(bound, int | float):
        return False
    return objective - bound <= PROVEN * abs(objective)


def _check_labels(context: Context, reader: _Reader, stored_as: str | None) -> None:
    instance = context.instance
    if reader.get("inputs_sha256") != instance.inputs_sha256:
        words = "inputs_sha256: the input files have changed since this plan was made"
        reader.say("B195", f"{words}; plan again, or put the files back")
    expected = {"round": instance.settings.round.id, "district": instance.district}
    for name, value in expected.items():
        if reader.get(name) != value:
            reader.say("B196", f"{name}: expected {value}, got {reader.get(name)}")
    seed, revision = reader.get("seed"), reader.get("revision")
    expected_revision = stored_as or "a text such as 0001"
    if not isinstance(seed, int) or isinstance(seed, bool):
        reader.say("B196", f"seed: expected a whole number, got {seed!r}")
    if not isinstance(revision, str) or revision != (stored_as or revision):
        reader.say("B196", f"revision: expected {expected_revision}, got {revision!r}")
