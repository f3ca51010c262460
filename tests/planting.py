"""Put breaches into the tiny plan, and keep a register of what was planted under which code."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from scheduler.domain.instance import Instance
from scheduler.domain.plan import Plan
from scheduler.domain.verify import Breach
from tests.plans import iso

Case = tuple[Instance, Plan]
Planter = Callable[[Instance, Plan], Case]
PLANTED: list[tuple[str, Planter]] = []


def plants(code: str) -> Callable[[Planter], Planter]:
    """Register a function that puts one breach into the tiny plan."""

    def register(planter: Planter) -> Planter:
        PLANTED.append((code, planter))
        return planter

    return register


def edit(plan: Plan, table: str, row: int, **cells: object) -> Plan:
    """Return the plan with some cells of one row changed."""
    frame = getattr(plan, table).astype(object)
    for column, value in cells.items():
        frame.loc[row, column] = value
    changed: dict[str, Any] = {table: _numbers(frame)}
    return replace(plan, **changed)


def without(plan: Plan, table: str, row: int) -> Plan:
    """Return the plan with one row less."""
    return replace(plan, **{table: getattr(plan, table).drop(index=row).reset_index(drop=True)})


def again(plan: Plan, table: str, row: int, **cells: object) -> Plan:
    """Return the plan with a changed copy of one row at the end."""
    frame = getattr(plan, table)
    longer = pd.concat([frame, frame.iloc[[row]]], ignore_index=True)
    return edit(replace(plan, **{table: longer}), table, len(frame), **cells)


def figure(plan: Plan, **changes: object) -> Plan:
    """Return the plan with other entries in its summary."""
    return replace(plan, summary={**plan.summary, **changes})


def sites(instance: Instance, **columns: object) -> Instance:
    return instance.replace(sites=replace(instance.sites, **columns))  # type: ignore[arg-type]  # tests name them


def labs(instance: Instance, **columns: object) -> Instance:
    return instance.replace(labs=replace(instance.labs, **columns))  # type: ignore[arg-type]  # tests name them


def _numbers(frame: pd.DataFrame) -> pd.DataFrame:
    for column in frame.columns:
        if all(isinstance(cell, int | np.integer) for cell in frame[column]):
            frame[column] = frame[column].astype(np.int64)
    return frame


def moved(plan: Plan, row: int, minute: int) -> Plan:
    return edit(plan, "assignments", row, start=iso(minute), end=iso(minute + 15))


def codes(breaches: list[Breach]) -> set[str]:
    return {breach.code for breach in breaches}
