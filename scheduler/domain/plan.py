"""A plan: four tables and a summary, exactly as they stand in ``plans/<revision>/``."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import pandas as pd

ASSIGNMENT_COLUMNS = (
    "block_id",
    "community_id",
    "site_id",
    "start",
    "end",
    "people",
    "tubes",
    "zone",
    "pool_size",
)
CONSIGNMENT_COLUMNS = (
    "site_id",
    "lab_id",
    "zone",
    "pool_size",
    "pickup_at",
    "arrive_at",
    "start_at",
    "result_by",
    "tubes",
    "people",
    "oldest_sample_at",
)
LAB_LOAD_COLUMNS = ("lab_id", "hour", "tubes", "capacity")
UNSERVED_COLUMNS = ("block_id", "community_id", "people", "reason")


class PlanStatus(StrEnum):
    """How good a plan is, worst last."""

    OPTIMAL = "optimal"  # objective equals the bound
    FEASIBLE = "feasible"  # everybody served in time
    LATE = "late"  # everybody served, some results after the promise
    PARTIAL = "partial"  # somebody beyond the home visits has no slot


class Reason(StrEnum):
    """Why people have no slot."""

    HOME_VISIT = "home_visit"
    NO_TEAM = "no_team"
    NO_SITE = "no_site"
    BLOCK_TOO_LARGE = "block_too_large"
    FULL = "full"
    PAST_END = "past_end"


@dataclass(frozen=True)
class PlanTables:
    """The four tables of a plan; columns are those of DESIGN.md section 4.

    Text columns are categoricals or strings; times are ISO 8601 texts with offset; people, tubes
    and pool_size are int64.
    """

    assignments: pd.DataFrame
    consignments: pd.DataFrame
    lab_load: pd.DataFrame
    unserved: pd.DataFrame

    def with_summary(self, summary: dict[str, Any]) -> Plan:
        """Return the complete plan of these tables and a summary."""
        return Plan(self.assignments, self.consignments, self.lab_load, self.unserved, summary)


@dataclass(frozen=True)
class Plan(PlanTables):
    """One complete answer: the tables and the content of ``summary.json``."""

    summary: dict[str, Any]
