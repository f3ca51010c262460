"""How many people came so far: what ``missed`` wrote, for the report."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

from scheduler.errors import CannotRunError
from scheduler.publish.people_words import LEVELS, people_header

COVERAGE = Path("rosters") / "missed" / "coverage.csv"
COLUMNS = people_header(("level", "id", "hour", "target", "sampled"), "zh")
"""Columns that are read: header in English -> in Chinese."""
CITY, DISTRICT, COMMUNITY = "city", "district", "community"
WORDS = {word: level for level, word in LEVELS["zh"].items()}


def read_coverage(folder: Path) -> dict[str, Any]:
    """Return how many came until the last hour told: of the city, districts and communities.

    ``city`` has ``hour``, ``target``, ``sampled`` and ``coverage``, their ratio; ``districts`` and
    ``communities`` have the same by name and id. Empty where there is no such file.

    Raises
    ------
    CannotRunError
        When the file is there and cannot be read.
    """
    path = folder / COVERAGE
    found: dict[str, dict[str, Any]] = {CITY: {}, DISTRICT: {}, COMMUNITY: {}}
    try:
        with path.open(encoding="utf-8-sig", newline="") as handle:
            for row in csv.DictReader(handle, strict=True):
                level, name, figures = _figures(row)
                found[level][name] = figures  # hours count up: the last one stays
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, LookupError, TypeError, csv.Error) as error:
        raise CannotRunError(
            f"Expected the table of coverage in {path}, got: {type(error).__name__}: {error}",
            hint="Run the command that wrote it again, or take the file away.",
        ) from None
    city = next(iter(found[CITY].values()), None)
    return {"city": city, "districts": found[DISTRICT], "communities": found[COMMUNITY]}


def _figures(row: dict[str, str]) -> tuple[str, str, dict[str, Any]]:
    """Return level, id and figures of a row, in either language."""
    value = {name: row[name] if name in row else row[chinese] for name, chinese in COLUMNS.items()}
    target, sampled = int(value["target"]), int(value["sampled"])
    return (
        WORDS.get(value["level"], value["level"]),
        value["id"].removeprefix("'"),  # put before what Excel would take for a formula
        {
            "hour": value["hour"],
            "target": target,
            "sampled": sampled,
            "coverage": sampled / target if target else None,
        },
    )
