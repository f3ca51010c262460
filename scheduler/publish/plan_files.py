"""Write and read ``plans/<revision>/``: four CSV files and ``summary.json``, stable to the byte.

A revision is written into a hidden folder beside its place and renamed when it is complete, so
that a folder with a revision's name is always whole.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl

from scheduler.domain.plan import (
    ASSIGNMENT_COLUMNS,
    CONSIGNMENT_COLUMNS,
    LAB_LOAD_COLUMNS,
    UNSERVED_COLUMNS,
    Plan,
    PlanTables,
)
from scheduler.errors import CannotRunError

PLANS_FOLDER = "plans"
SUMMARY_FILE = "summary.json"
TABLE_FILES = {
    "assignments": ("assignments.csv", ASSIGNMENT_COLUMNS),
    "consignments": ("consignments.csv", CONSIGNMENT_COLUMNS),
    "lab_load": ("lab_load.csv", LAB_LOAD_COLUMNS),
    "unserved": ("unserved.csv", UNSERVED_COLUMNS),
}
_WHOLE_NUMBERS = frozenset({"people", "tubes", "pool_size", "capacity"})
_HINT = "Run `nat-scheduler plan` on the folder to make a new revision."


def revisions(folder: Path) -> list[str]:
    """Return the finished revisions of a round folder, oldest first."""
    plans = folder / PLANS_FOLDER
    if not plans.is_dir():
        return []
    names = [p.name for p in plans.iterdir() if re.fullmatch(r"\d{4,}", p.name) and p.is_dir()]
    return sorted(names, key=int)


def next_revision(folder: Path) -> str:
    """Return the name of the next revision, such as ``0001``."""
    known = revisions(folder)
    return f"{int(known[-1]) + 1 if known else 1:04d}"


def write_plan(folder: Path, revision: str, plan: Plan) -> Path:
    """Write a revision completely or not at all, and return its folder.

    Raises
    ------
    CannotRunError
        When the revision exists or the folder cannot be written.
    """
    stage_plan(folder, revision, plan)
    return commit_plan(folder, revision)


def stage_plan(
    folder: Path, revision: str, plan: Plan, extra: Mapping[str, bytes] | None = None
) -> Path:
    """Write a revision into its hidden folder, flushed to disk, and return that folder.

    ``extra`` holds the content of further files by name.

    Raises
    ------
    CannotRunError
        When the folder cannot be written.
    """
    partial = _partial(folder, revision)
    try:
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        for field, (name, columns) in TABLE_FILES.items():
            _write_table(partial / name, getattr(plan, field), columns)
        (partial / SUMMARY_FILE).write_bytes(_json_bytes(plan.summary))
        for name, content in (extra or {}).items():
            (partial / name).write_bytes(content)
        for path in (*partial.iterdir(), partial):
            _flush(path)
    except (OSError, pl.exceptions.PolarsError) as error:
        shutil.rmtree(partial, ignore_errors=True)
        raise CannotRunError(f"Expected a folder that can be written, got {error}") from None
    return partial


def commit_plan(folder: Path, revision: str) -> Path:
    """Give a staged revision its name in one step, and return its folder.

    Raises
    ------
    CannotRunError
        When the revision exists already or was not staged.
    """
    target = folder / PLANS_FOLDER / revision
    if target.exists():
        raise CannotRunError(f"Expected a new revision, got {revision}, which exists already")
    try:
        _partial(folder, revision).rename(target)
        _flush(target.parent)
    except OSError as error:
        raise CannotRunError(f"Expected a staged revision {revision}, got {error}") from None
    return target


def discard_partial(folder: Path) -> None:
    """Remove what unfinished runs left behind; call it only while holding the round's lock."""
    for path in (folder / PLANS_FOLDER).glob(".*.partial"):
        shutil.rmtree(path, ignore_errors=True)


def read_plan(folder: Path, revision: str) -> Plan:
    """Read a revision from disk; text columns become categoricals.

    A cell that should hold a whole number and does not leaves its column as text, for ``verify``
    to name.

    Raises
    ------
    CannotRunError
        When the revision or one of its files is missing or cannot be read.
    """
    home = folder / PLANS_FOLDER / revision
    if revision not in revisions(folder):
        raise CannotRunError(f"Expected a plan in {home}, found none", hint=_HINT)
    tables = {field: _read_table(home / name) for field, (name, _) in TABLE_FILES.items()}
    return PlanTables(**tables).with_summary(_read_summary(home / SUMMARY_FILE))


def read_summary(folder: Path, revision: str) -> dict[str, Any]:
    """Read ``summary.json`` of a revision.

    Raises
    ------
    CannotRunError
        When it is missing or cannot be read.
    """
    return _read_summary(folder / PLANS_FOLDER / revision / SUMMARY_FILE)


def read_extra(folder: Path, revision: str, name: str) -> bytes | None:
    """Return the content of a further file of a revision, None where it has none.

    Raises
    ------
    CannotRunError
        When the file cannot be read.
    """
    path = folder / PLANS_FOLDER / revision / name
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise CannotRunError(f"Cannot read {path}: {error.strerror}") from None


def read_bytes(folder: Path, revision: str, name: str) -> bytes:
    """Return the content of a file that a revision must have.

    Raises
    ------
    CannotRunError
        When it is missing or cannot be read.
    """
    content = read_extra(folder, revision, name)
    if content is None:
        path = folder / PLANS_FOLDER / revision / name
        raise CannotRunError(f"Expected {path}, found no such file", hint=_HINT)
    return content


def _partial(folder: Path, revision: str) -> Path:
    return folder / PLANS_FOLDER / f".{revision}.partial"


def _json_bytes(summary: dict[str, Any]) -> bytes:
    text = json.dumps(summary, ensure_ascii=False, indent=2, sort_keys=True, allow_nan=False)
    return (text + "\n").encode()


def _write_table(path: Path, frame: pd.DataFrame, columns: tuple[str, ...]) -> None:
    series = [_to_polars(name, frame[name]) for name in columns]
    pl.DataFrame(series).write_csv(path, line_terminator="\n")


def _to_polars(name: str, column: pd.Series[Any]) -> pl.Series:
    """Return a column for writing; polars' own conversion would need pyarrow."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        words = pl.Series(name, column.cat.categories.astype(str).tolist(), dtype=pl.String)
        return words.gather(column.cat.codes.to_numpy().astype(np.uint32))
    if pd.api.types.is_integer_dtype(column.dtype):
        return pl.Series(name, column.to_numpy(dtype=np.int64))
    return pl.Series(name, column.astype(str).tolist(), dtype=pl.String)


def _read_table(path: Path) -> pd.DataFrame:
    try:
        table = pl.read_csv(path, infer_schema=False)
    except FileNotFoundError:
        raise CannotRunError(f"Expected {path}, found no such file", hint=_HINT) from None
    except (OSError, pl.exceptions.PolarsError) as error:
        words = str(error).splitlines()[0]
        raise CannotRunError(f"Expected a CSV file in UTF-8 at {path}, got: {words}") from None
    return pd.DataFrame({name: _to_pandas(table[name]) for name in table.columns})


def _to_pandas(column: pl.Series) -> Any:  # noqa: ANN401  # an array or a categorical
    if column.name in _WHOLE_NUMBERS:
        numbers = column.cast(pl.Int64, strict=False)
        if not numbers.null_count():
            return numbers.to_numpy()
    column = column.fill_null("")
    words = column.unique().sort()
    codes = column.cast(pl.Enum(words)).to_physical().to_numpy()
    return pd.Categorical.from_codes(
        codes.astype(np.int64), pd.Index(words.to_list(), dtype=object)
    )


def _read_summary(path: Path) -> dict[str, Any]:
    try:
        summary = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise CannotRunError(f"Expected {path}, found no such file", hint=_HINT) from None
    except (OSError, ValueError) as error:
        raise CannotRunError(f"Expected JSON at {path}, got: {error}") from None
    if not isinstance(summary, dict):
        raise CannotRunError(f"Expected a JSON object at {path}, got {type(summary).__name__}")
    return summary


def _flush(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
