"""Write the folder of a next round, whole or not at all."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

import polars as pl

from scheduler.errors import CannotRunError
from scheduler.publish.private import replace_file

SERIES_FILE = "series.csv"
CITY_FOLDER = "city"
RESIDENTS_FILE = "residents.parquet"
CITY_RESIDENTS = "rosters/city.parquet"


def write_next_round(
    folder: Path, files: Mapping[str, bytes], private: Mapping[str, pl.DataFrame]
) -> None:
    """Write a new round folder: plain files, and tables of persons 0640.

    Raises
    ------
    CannotRunError
        When the folder exists and is not empty, or the disk refuses.
    """
    target = folder.resolve()
    partial = target.parent / f".{target.name}.{os.getpid()}.tmp"
    try:
        if folder.exists() and any(folder.iterdir()):
            raise CannotRunError(
                f"Expected a new or empty folder, got {folder}", hint="Name another with --to."
            )
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        for name, content in files.items():
            (partial / name).parent.mkdir(exist_ok=True)
            (partial / name).write_bytes(content)
        for name, frame in private.items():
            replace_file(partial / name, frame)
        if target.is_dir():
            target.rmdir()
        partial.rename(target)
    except OSError as error:
        raise CannotRunError(f"Expected a folder that can be written, got {error}") from None
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def read_series(folder: Path, schema: Mapping[str, type[pl.DataType]]) -> pl.DataFrame:
    """Return the rounds before a folder's, no rows for a first round.

    Raises
    ------
    CannotRunError
        When the file cannot be read.
    """
    path = folder / SERIES_FILE
    if not path.exists():
        return pl.DataFrame(schema=dict(schema))
    try:
        return pl.read_csv(path, schema_overrides=dict(schema)).select(list(schema))
    except (OSError, pl.exceptions.PolarsError) as error:
        raise CannotRunError(f"Cannot read {path}: {str(error).splitlines()[0]}") from None


def read_city(folder: Path) -> pl.DataFrame | None:
    """Return the residents of the whole city that a round was opened with, None for a first round.

    Raises
    ------
    CannotRunError
        When the file cannot be read.
    """
    path = folder / CITY_RESIDENTS
    if not path.exists():
        return None
    try:
        return pl.read_parquet(path)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise CannotRunError(f"Cannot read {path}: {str(error).splitlines()[0]}") from None
