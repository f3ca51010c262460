"""Write a round folder whole, or not at all."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from scheduler.config import ROUND_FILE
from scheduler.errors import CannotRunError
from scheduler.generate.headers import Table, write_table


def write_folder(folder: Path, round_text: str, tables: Mapping[str, Table]) -> dict[str, int]:
    """Write ``round.toml`` and CSV files; return the rows of each CSV file.

    Raises
    ------
    CannotRunError
        When the folder exists and is not empty, or cannot be written.
    """
    check_free(folder)
    target = folder.resolve()
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        beside = target.parent / f".{target.name}.{os.getpid()}.tmp"
        shutil.rmtree(beside, ignore_errors=True)
        try:
            return _write(beside, target, round_text, tables)
        finally:
            shutil.rmtree(beside, ignore_errors=True)
    except OSError as error:
        raise CannotRunError(f"Expected a folder that can be written, got {error}") from None


def _write(
    beside: Path, target: Path, round_text: str, tables: Mapping[str, Table]
) -> dict[str, int]:
    beside.mkdir()
    rows = {name: write_table(beside / name, table) for name, table in tables.items()}
    (beside / ROUND_FILE).write_text(round_text, encoding="utf-8", newline="\n")
    if not target.exists():
        beside.rename(target)
        return rows
    # An empty folder stays the same one, as somebody may be standing in it; round.toml comes
    # last, since a folder without it is no round.
    try:
        for name in (*tables, ROUND_FILE):
            (beside / name).rename(target / name)
    except BaseException:
        for name in (*tables, ROUND_FILE):
            (target / name).unlink(missing_ok=True)
        raise
    return rows


def check_free(folder: Path) -> None:
    """Refuse early a folder that :func:`write_folder` would refuse late.

    Raises
    ------
    CannotRunError
        When the folder exists and is not empty, or cannot be looked into.
    """
    try:
        taken = folder.exists() and (not folder.is_dir() or any(folder.iterdir()))
    except OSError as error:
        raise CannotRunError(f"Expected a folder that can be written, got {error}") from None
    if taken:
        raise CannotRunError(
            f"Expected a new or empty folder, got {folder}",
            hint="Name another folder, or remove this one first.",
        )
