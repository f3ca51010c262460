"""What ``record`` keeps: samples, results and people around positive tubes, all private."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl

from scheduler.domain.instance import Instance
from scheduler.errors import CannotRunError
from scheduler.publish.call_lists import Lookup, by_community, resident_cells, safe_cells
from scheduler.publish.people_words import FOLLOW_COLUMNS, ROLES, STAGE_WORDS, YES_NO, people_header
from scheduler.publish.private import BOM, private_folder, replace_file
from scheduler.publish.roster_places import ROSTERS_FOLDER

RECORDS = f"{ROSTERS_FOLDER}/records"
FOLLOW_UP = "follow_up"
_IDENTITY = r"\d{17}[\dXx]"


def read_state(folder: Path, name: str, schema: Mapping[str, Any]) -> pl.DataFrame:
    """Return what was kept under a name, no rows where nothing was.

    Raises
    ------
    CannotRunError
        When the file cannot be read, or has other columns.
    """
    path = folder / RECORDS / f"{name}.parquet"
    if not path.exists():
        return pl.DataFrame(schema=dict(schema))
    try:
        return pl.read_parquet(path).select(list(schema))
    except (OSError, pl.exceptions.PolarsError) as error:
        words = str(error).splitlines()[0]
        raise CannotRunError(f"Cannot read {path}: {words}") from None


def keep_state(folder: Path, name: str, frame: pl.DataFrame) -> None:
    """Keep rows under a name, in one step.

    Raises
    ------
    CannotRunError
        When the disk refuses.
    """
    replace_file(folder / RECORDS / f"{name}.parquet", frame)


def keep_table(folder: Path, name: str, frame: pl.DataFrame) -> Path:
    """Write a table for the command centre under ``records``; identity numbers are masked.

    Raises
    ------
    CannotRunError
        When the disk refuses.
    """
    frame = frame.with_columns(pl.col(pl.Categorical).cast(pl.String))
    texts = [c for c, kind in frame.schema.items() if kind == pl.String]
    shown = frame.with_columns(
        safe_cells(frame[c].str.replace_all(_IDENTITY, "******")).alias(c) for c in texts
    )
    out = io.BytesIO()
    out.write(BOM)
    shown.write_csv(out, line_terminator="\r\n", datetime_format="%Y-%m-%d %H:%M")
    path = folder / RECORDS / f"{name}.csv"
    replace_file(path, out.getvalue())
    return path


def drop_table(folder: Path, name: str) -> None:
    """Remove a table of the command centre that says nothing any more.

    Raises
    ------
    CannotRunError
        When the disk refuses.
    """
    path = folder / RECORDS / f"{name}.csv"
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise CannotRunError(f"Cannot remove {path}: {error.strerror}") from None


def write_follow_up(folder: Path, instance: Instance, people: pl.DataFrame, *, plain: bool) -> Path:
    """Write a list per community of people around positive tubes, in place of the older ones.

    ``people`` is sorted by community and has community and block (indices), household_id, code,
    resident_id, tube, role, isolate_from, resample_from, resample_by and stage.

    Raises
    ------
    CannotRunError
        When the disk refuses.
    """
    language = instance.settings.round.language
    lookup, top = Lookup.of(instance), people_header(FOLLOW_COLUMNS, language)

    def rows(part: pl.DataFrame) -> pl.DataFrame:
        in_time = part["resample_from"] <= part["resample_by"]
        words = pl.Series(list(YES_NO[language])).gather(in_time.cast(pl.UInt32))
        shown = part.with_columns(resident_cells(part, plain_ids=plain)).select(
            safe_cells(part["tube"].cast(pl.String)).alias("tube"),
            pl.col("role").replace_strict(ROLES[language], return_dtype=pl.String),
            lookup.blocks[0].gather(part["block"]).alias("block_id"),
            lookup.blocks[1].gather(part["block"]).alias("block"),
            "household_id",
            "resident",
            *(
                pl.col(c).dt.strftime("%Y-%m-%d %H:%M")
                for c in ("isolate_from", "resample_from", "resample_by")
            ),
            words.alias("in_time"),
            pl.col("stage").replace_strict(STAGE_WORDS[language], return_dtype=pl.String),
        )
        return shown.select(FOLLOW_COLUMNS).rename(top)

    with private_folder(folder / RECORDS, FOLLOW_UP) as target:
        for name, part in by_community(instance, people, rows):
            target.write_csv(name, part)
    return folder / RECORDS / FOLLOW_UP
