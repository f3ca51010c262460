"""Use case: every finding of a round folder, and the arithmetic of the round."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from scheduler.domain.arithmetic import Needs, RoundArithmetic, round_arithmetic
from scheduler.domain.lab_arithmetic import LabArithmetic
from scheduler.errors import Finding, Severity
from scheduler.ingest.findings import FileLog
from scheduler.ingest.loader import load

_ROUNDING = 1e-9


@dataclass(frozen=True)
class CheckResult:
    """Findings, errors first, and the arithmetic; none where there are errors."""

    findings: tuple[Finding, ...]
    arithmetic: RoundArithmetic | None

    @property
    def num_errors(self) -> int:
        """Findings that forbid planning."""
        return sum(f.severity is Severity.ERROR for f in self.findings)

    @property
    def num_notes(self) -> int:
        """Findings that do not."""
        return len(self.findings) - self.num_errors

    def to_dict(self) -> dict[str, Any]:
        """Return the result for ``--json``."""
        return {
            "findings": [asdict(f) | {"message": str(f)} for f in self.findings],
            "arithmetic": None if self.arithmetic is None else asdict(self.arithmetic),
            "errors": self.num_errors,
            "notes": self.num_notes,
        }


def check_round(folder: Path) -> CheckResult:
    """Read a round folder and compute what it needs and has.

    Raises
    ------
    CannotRunError
        When the folder does not exist or a file in it cannot be opened.
    """
    loaded = load(folder)
    if loaded.instance is None:
        return CheckResult(loaded.findings, None)
    arithmetic = round_arithmetic(loaded.instance)
    return CheckResult((*loaded.findings, *_shortages(arithmetic)), arithmetic)


def _shortages(arithmetic: RoundArithmetic) -> list[Finding]:
    sites, labs = FileLog("sites.csv"), FileLog("labs.csv")
    for place, needs in _places(arithmetic):
        _note_lanes(place, needs, sites)
    _note_labs(arithmetic.labs, labs)
    settings = FileLog("round.toml")
    _note_city(arithmetic, settings)
    return [*sites.findings, *labs.findings, *settings.findings]


def _note_city(arithmetic: RoundArithmetic, log: FileLog) -> None:
    most, slots, people = arithmetic.city_people, arithmetic.slots, arithmetic.city.called
    if most and people > most * slots:
        least = f"at least {-(-people // slots):,} in a slot" if slots else "open sites"
        text = (
            f"{people:,} people are to be called, {most:,} in each of {slots:,} slots are "
            f"{most * slots:,}: everybody needs {least}"
        )
        log.add("C508", text, column="slots.city_people", value=str(most))


def _places(arithmetic: RoundArithmetic) -> Iterator[tuple[str, Needs]]:
    for needs in arithmetic.districts:
        yield needs.district, needs
    yield "the city", arithmetic.city


def _note_lanes(place: str, needs: Needs, log: FileLog) -> None:
    if needs.lane_hours_needed > needs.lane_hours_there + _ROUNDING:
        text = (
            f"{place} needs {needs.lane_hours_needed:,.0f} lane-hours in the round, "
            f"there are {needs.lane_hours_there:,.0f}"
        )
        log.add("C505", text, column="lanes")


def _note_labs(labs: LabArithmetic, log: FileLog) -> None:
    if labs.tubes_needed > labs.tubes_there:
        text = (
            f"the round needs {labs.tubes_needed:,} tubes, "
            f"{labs.tubes_there:,} can be started in time for the promise"
        )
        log.add("C506", text, column="tubes_per_hour")
    if labs.people_needed > labs.people_bound:
        text = (
            f"{labs.people_needed:,} people to be sampled, the labs keep the promise for "
            f"at most {labs.people_bound:,}"
        )
        log.add("C507", text, column="tubes_per_hour")
