"""Put the report in its place."""

from __future__ import annotations

import os
from pathlib import Path

from scheduler.errors import CannotRunError

REPORT = "report.html"


def write_beside(path: Path, content: bytes) -> Path:
    """Write a file whole or not at all, its folders made where missing, and return it.

    Raises
    ------
    CannotRunError
        When the disk refuses.
    """
    partial = path.with_name(f".{path.name}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with partial.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except OSError as error:
        raise CannotRunError(f"Expected to write {path}, got {error}") from error
    return path
