"""What goes into the store and comes out of it, apart from plans: plain records, no database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundInfo:
    """A round as the store knows it; ``start`` and ``end`` are ISO 8601 texts with offset."""

    round_id: str
    name: str
    timezone: str
    start: str
    end: str
    synthetic: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RevisionInfo:
    """The figures of one stored plan; ``None`` where unknown.

    ``objective``, ``best_bound`` and ``gap_per_person`` are person-minutes, ``relative_gap`` is a
    share. ``start`` is the round's start that this plan was made for. ``summary`` is the content
    of ``summary.json``.
    """

    round_id: str
    revision: str
    created_at: datetime
    start: str
    status: str
    objective: float
    best_bound: float | None
    relative_gap: float | None
    gap_per_person: float | None
    people: int
    served: int
    late_people: int
    seed: int
    inputs_sha256: str
    district: str | None
    summary: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRecord:
    """One run of a command.

    ``stages`` maps a stage to its seconds, ``files`` a file that was read to its SHA-256.
    """

    command: str
    started_at: datetime
    ended_at: datetime
    exit_code: int
    seconds: float
    round_id: str | None = None
    revision: str | None = None
    inputs_sha256: str | None = None
    message: str = ""
    stages: Mapping[str, float] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class RosterRecord:
    """The roster of a revision: SHA-256 of its file, and people by where they ended."""

    sha256: str
    input: int
    slot: int
    home_visit: int
    exempt: int
    rejected: int
