"""Write ``analysis/<revision>/<name>.json`` in one step, and read it back."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from scheduler.errors import CannotRunError

ANALYSIS_FOLDER = "analysis"


def write_analysis(folder: Path, revision: str, name: str, document: dict[str, Any]) -> Path:
    """Write a document beside its place and rename it, so that it is found whole or not at all.

    Raises
    ------
    CannotRunError
        When the disk refuses.
    """
    target = folder / ANALYSIS_FOLDER / revision / f"{name}.json"
    partial = target.with_name(f".{name}.{os.getpid()}.partial")
    text = json.dumps(document, ensure_ascii=False, indent=1, allow_nan=False) + "\n"
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with partial.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(target)
    except OSError as error:
        raise CannotRunError(f"Expected to write {target}, got {error}") from None
    finally:
        partial.unlink(missing_ok=True)
    return target


def read_analysis(folder: Path, revision: str, name: str) -> dict[str, Any] | None:
    """Return a document, None where there is none that can be read."""
    try:
        found = json.loads((folder / ANALYSIS_FOLDER / revision / f"{name}.json").read_bytes())
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None
