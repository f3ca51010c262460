"""A small plan to store."""

from __future__ import annotations

import pandas as pd

from scheduler.domain.plan import (
    ASSIGNMENT_COLUMNS,
    CONSIGNMENT_COLUMNS,
    LAB_LOAD_COLUMNS,
    UNSERVED_COLUMNS,
    Plan,
)
from scheduler.store import RoundInfo

ROUND = RoundInfo(
    round_id="dalian-r1",
    name="大连第一轮",
    timezone="Asia/Shanghai",
    start="2020-12-22T06:00:00+08:00",
    end="2020-12-24T22:00:00+08:00",
    synthetic=True,
)


def at(hour: int, minute: int = 0) -> str:
    """Return a time of the round's first day."""
    return f"2020-12-22T{hour:02d}:{minute:02d}:00+08:00"


def assignment_rows() -> list[tuple[object, ...]]:
    """Return rows in the order of ``assignments.csv``; 楼 of two communities have one id."""
    return [
        ("楼-1", "C1", "S1", at(6), at(6, 15), 30, 3, "normal", 10),
        ("楼-2", "C2", "S1", at(6), at(6, 15), 5, 1, "normal", 10),
        ("楼-1", "C1", "S1", at(6, 15), at(6, 30), 7, 0, "normal", 10),
        ("B3", "C2", "M1", at(7), at(7, 15), 2, 2, "lockdown", 1),
    ]


def consignment_rows() -> list[tuple[object, ...]]:
    """Return rows in the order that the store gives them back."""
    times = (at(7), at(7, 35), at(8), at(12), 4, 42, at(6))
    return [
        ("S1", "L1", "normal", 10, *times),
        ("M1", "L2", "lockdown", 1, at(8), at(8, 20), at(8, 20), at(12, 20), 2, 2, at(7)),
    ]


def sample_plan(**summary: object) -> Plan:
    """Return a plan of two communities; ``summary`` overrides figures."""
    lab_load = [("L1", at(8), 4, 100), ("L2", at(8), 2, 100)]
    return Plan(
        assignments=pd.DataFrame(assignment_rows(), columns=list(ASSIGNMENT_COLUMNS)),
        consignments=pd.DataFrame(consignment_rows(), columns=list(CONSIGNMENT_COLUMNS)),
        lab_load=pd.DataFrame(lab_load, columns=list(LAB_LOAD_COLUMNS)),
        unserved=pd.DataFrame([("B3", "C2", 1, "full")], columns=list(UNSERVED_COLUMNS)),
        summary={
            "round": ROUND.round_id,
            "revision": "0001",
            "status": "partial",
            "objective": 100_123.5,
            "best_bound": 100_100.25,
            "relative_gap": 0.000232,
            "gap_per_person": None,
            "terms": {"unserved": 100_000.0, "walk": 123.5},
            "people": 45,
            "served": 44,
            "late_people": 0,
            "walk_m": {"mean": 80.0, "p95": 200.0, "max": 300.0},
            "sites_per_community": 1.5,
            "seed": 2**40,
            "inputs_sha256": "ab" * 32,
            **summary,
        },
    )
