"""What other commands left in the round's folder about a revision; read when it is there."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from scheduler.errors import CannotRunError
from scheduler.publish.report.covered import read_coverage

ANALYSIS = "analysis"
AGAIN = "Run the command that wrote it again, or take the file away."


class _Read(BaseModel):
    """The keys that the report reads, if they are there; it passes on all others."""

    model_config = ConfigDict(extra="allow")


class _Text(_Read):
    zh: str
    en: str


class _Line(_Read):
    text: _Text | None = None


class _Size(_Read):
    shortfalls: list[_Line] = []
    remedies: list[_Line] = []


class _Simulation(_Read):
    case: str = ""
    city: dict[str, Any] = {}
    sites: list[dict[str, Any]] = []
    no_schedule: dict[str, Any] | None = None


def read_extras(folder: Path, revision: str) -> dict[str, Any]:
    """Return simulations by case, sizing and coverage; ``None`` or empty where not there.

    Raises
    ------
    CannotRunError
        When a file is there and cannot be read.
    """
    home = folder / ANALYSIS / revision
    simulated = [_read(path, _Simulation) for path in sorted(home.glob("simulate-*.json"))]
    return {
        "simulations": [
            {**case, "sites": _site_waits(case)}
            for case in sorted(simulated, key=lambda c: c.get("case") != "plain")
        ],
        "size": _read(home / "size.json", _Size),
        "coverage": read_coverage(folder),
    }


def _site_waits(case: dict[str, Any]) -> dict[str, list[Any]]:
    """Return site id -> median wait in minutes and 95th percentile of the largest queue."""
    waits = {}
    for site in case.get("sites") or []:
        wait, queue = _middle(site.get("wait_min")), _high(site.get("peak_queue"))
        waits[str(site.get("site_id"))] = [wait, queue]
    return waits


def _middle(figure: object) -> object:
    return figure.get("p50") if isinstance(figure, dict) else figure


def _high(figure: object) -> object:
    return figure.get("p95") if isinstance(figure, dict) else figure


def _read(path: Path, shape: type[_Read]) -> dict[str, Any]:
    """Return the object of a JSON file, empty where there is no such file."""
    try:
        content = json.loads(path.read_bytes())
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise CannotRunError(
            f"Expected JSON in {path}, got: {error}",
            hint=AGAIN,
        ) from None
    try:
        shape.model_validate(content, strict=True)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"])) or "the whole"
        raise CannotRunError(
            f"Unexpected content in {path}: {where}: {first['msg']}", hint=AGAIN
        ) from None
    known: dict[str, Any] = content
    return known
