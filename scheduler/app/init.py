"""Use case: start a round folder, made up for a city or as templates."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from scheduler.domain.choices import DEFAULT_SEED
from scheduler.errors import CannotRunError
from scheduler.generate.city import write_city
from scheduler.generate.templates import write_templates


@dataclass(frozen=True)
class InitResult:
    """What was written: rows of each CSV file."""

    folder: str
    city: str | None
    synthetic: bool
    seed: int | None
    rows: dict[str, int]

    def to_dict(self) -> dict[str, Any]:
        """Return the result for ``--json``."""
        return asdict(self)


def init_round(
    folder: Path,
    *,
    city: str | None = None,
    people: int | None = None,
    seed: int | None = None,
    residents: bool = False,
) -> InitResult:
    """Write a new round folder: a synthetic city, or templates when no city is named.

    Raises
    ------
    CannotRunError
        When the folder exists and is not empty, or the arguments do not fit together.
    """
    if city is None:
        if people is not None or seed is not None or residents:
            raise CannotRunError("Expected --people, --seed and --residents with --city only")
        return InitResult(str(folder), None, False, None, write_templates(folder))
    used = DEFAULT_SEED if seed is None else seed
    rows = write_city(folder, city, people, used, residents=residents)
    return InitResult(str(folder), city, True, used, rows)
