"""What other commands left in the round's folder about a revision; read when it is there."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from scheduler.errors import CannotRunError

ANALYSIS = "analysis"
COVERAGE = Path("coverage") / "coverage.json"


def read_extras(folder: Path, revision: str) -> dict[str, Any]:
    """Return simulations by case, sizing and coverage; ``None`` or empty where not there.

    Raises
    ------
    CannotRunError
        When a file is there and cannot be read.
    """
    home = folder / ANALYSIS / revision
    simulated = [_read(path) for path in sorted(home.glob("simulate-*.json"))]
    return {
        "simulations": [
            {**case, "sites": _site_waits(case)}
            for case in sorted(simulated, key=lambda c: c.get("case") != "plain")
        ],
        "size": _read(home / "size.json"),
        "coverage": _read(folder / COVERAGE),
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


def _read(path: Path) -> dict[str, Any]:
    """Return the object of a JSON file, empty where there is no such file."""
    try:
        content = json.loads(path.read_bytes())
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise CannotRunError(
            f"Expected JSON in {path}, got: {error}",
            hint="Run the command that wrote it again, or take the file away.",
        ) from None
    if not isinstance(content, dict):
        raise CannotRunError(f"Expected a JSON object in {path}, got {type(content).__name__}")
    return content
