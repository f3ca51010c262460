"""A roster of residents as columns: every row, those that cannot be used marked with a code."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import polars as pl

from scheduler.domain.roster import UNKNOWN_YEAR, Category
from scheduler.domain.settings import Settings
from scheduler.errors import Finding, InputError, Severity
from scheduler.ingest.findings import FileLog
from scheduler.ingest.people_columns import CATEGORY_WORDS, PERSONAL_COLUMNS, RESIDENTS
from scheduler.ingest.text_rows import FAULT, LINE, read_rows
from scheduler.ingest.times import local_times

FILE = "file"
_OLDEST = 130  # years; nobody is known to have lived longer
_IDENTITY = r"^[1-9]\d{5}(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}[\dXx]$"
"""The form of GB 11643-1999; the check digit is not asked for, since numbers are also mistyped."""
_ID_LENGTH = 18
_ID_COLUMNS = ("resident_id", "household_id")
_SHARED = ("household_id", "block_id", "community_id", "address")
_YEAR = r"^(\d{4})(?:年|\.0+|[-/.年]\d.*|\d{4})?$"


@dataclass(frozen=True)
class ResidentRows:
    """Rows of all files of a roster.

    ``frame`` has resident_id; household_id, block_id, community_id and address (Categorical, ""
    where blank); birth_year (Int32, 0 unknown); category (Int8, values of ``Category``), odd where
    its word is not known; category_at (naive local time or null); priority and rounds_sampled
    (Int32); name, masked; file (UInt16, index into ``files``), line and fault.
    """

    frame: pl.DataFrame
    files: tuple[str, ...]
    notes: tuple[Finding, ...]


def read_residents(
    paths: Sequence[Path], settings: Settings, *, allow_names: bool = False
) -> ResidentRows:
    """Read the files of a roster.

    Raises
    ------
    InputError
        When a file as a whole cannot be used: no header, a column missing, personal columns.
    CannotRunError
        When a file cannot be opened.
    """
    parts: list[pl.DataFrame] = []
    findings: list[Finding] = []
    for number, path in enumerate(paths):
        log = FileLog(path.name)
        rows = read_rows(path, RESIDENTS, log)
        findings += log.findings
        if rows is None:
            continue
        if not allow_names:
            findings += _names_found(rows, path.name)
        typed = _typed(rows, settings, allow_names=allow_names)
        parts.append(typed.with_columns(pl.lit(number, pl.UInt16).alias(FILE)))
    if not any(f.severity is Severity.ERROR for f in findings) and not sum(map(len, parts)):
        log = FileLog(paths[0].name)
        log.add("C110", "expected at least one resident below the header")
        findings += log.findings
    if any(f.severity is Severity.ERROR for f in findings):
        error = InputError(findings)
        error.hint = "Mend the file, then run the command again; nothing was changed."
        raise error
    names = tuple(path.name for path in paths)
    return ResidentRows(pl.concat(parts), names, tuple(findings))


def _names_found(rows: pl.DataFrame, file: str) -> list[Finding]:
    return [
        Finding(
            code="C601",
            file=file,
            line=None,
            column=name,
            text="expected no names and no identity numbers of persons (not shown)",
            hint="Take the column out, or allow names with --allow-names.",
        )
        for name in PERSONAL_COLUMNS
        if name in rows.columns and (rows[name] != "").any()
    ]


def _typed(rows: pl.DataFrame, settings: Settings, *, allow_names: bool) -> pl.DataFrame:
    """Return rows with typed columns and faults."""
    blank = pl.lit("")
    cell = {c.name: pl.col(c.name) if c.name in rows.columns else blank for c in RESIDENTS.columns}
    words = {word: int(value) for word, value in CATEGORY_WORDS.items()}
    frame = rows.select(
        "resident_id",
        *(cell[name].cast(pl.Categorical).alias(name) for name in _SHARED),
        cell["birth_year"].str.extract(_YEAR, 1).cast(pl.Int32).alias("birth_year"),
        (cell["birth_year"] != "").alias("year_there"),
        cell["category"].str.to_lowercase().replace_strict(
            words, default=-1, return_dtype=pl.Int8
        ).alias("category"),
        _whole(cell["priority"]).alias("priority"),
        _whole(cell["rounds_sampled"]).alias("rounds_sampled"),
        (_masked_name(cell["name"], cell["id_number"]) if allow_names else blank)
        .cast(pl.Categorical).alias("name"),
        LINE, FAULT,
    )  # fmt: skip
    at = rows["category_at"] if "category_at" in rows.columns else None
    frame = frame.with_columns(_times(at, settings)).with_columns(
        pl.lit(value=False).alias("time_wrong")
        if at is None
        else ((at != "") & _times(at, settings).is_null()).alias("time_wrong")
    )
    year = settings.round.start.year
    wrong_year = pl.col("year_there") & ~pl.col("birth_year").is_between(year - _OLDEST, year)
    rules: list[tuple[pl.Expr | pl.Series, str]] = [
        (pl.col("resident_id") == "", "C603"),
        (wrong_year.fill_null(value=True), "C610"),
        (pl.col("time_wrong"), "C615"),
    ]
    if not allow_names:
        rules[1:1] = [(_identity_numbers(rows[name]), "C613") for name in _ID_COLUMNS]
    for when, code in rules:
        frame = frame.with_columns(
            pl.when(pl.col(FAULT).is_null() & when).then(pl.lit(code)).otherwise(FAULT).alias(FAULT)
        )
    return _final(frame, settings)


def _times(cells: pl.Series | None, settings: Settings) -> pl.Series | pl.Expr:
    if cells is None:
        return pl.lit(None, pl.Datetime("ms")).alias("category_at")
    return local_times(cells, settings.round.timezone)


def _identity_numbers(cells: pl.Series) -> pl.Series:
    """Return which cells are identity numbers of persons by their form and birth date."""
    return (cells.str.len_bytes() == _ID_LENGTH) & cells.str.contains(_IDENTITY)


def _final(frame: pl.DataFrame, settings: Settings) -> pl.DataFrame:
    start = settings.round.start
    old = _expired(start, settings.roster.vaccinated_hours, Category.VACCINATED) | _expired(
        start, settings.roster.tested_hours, Category.TESTED
    )
    category = pl.when((pl.col("category") < 0) | old).then(int(Category.NORMAL))
    return frame.with_columns(
        pl.col("birth_year").fill_null(UNKNOWN_YEAR),
        (pl.col("category") < 0).alias("odd"),
        category.otherwise("category").cast(pl.Int8).alias("category"),
    ).drop("year_there", "time_wrong")


def _expired(start: datetime, hours: float, category: Category) -> pl.Expr:
    """Return which rows' vaccination or test lies too long before the round to exempt."""
    limit = pl.lit(start) - pl.duration(minutes=round(hours * 60))
    return (pl.col("category") == int(category)) & (pl.col("category_at") < limit).fill_null(
        value=False
    )


def _whole(cell: pl.Expr) -> pl.Expr:
    return cell.cast(pl.Int32, strict=False).fill_null(0).clip(0, 1000)


def _masked_name(name: pl.Expr, number: pl.Expr) -> pl.Expr:
    """Return names as 王*明 and identity numbers by their last four digits."""
    length = name.str.len_chars()
    star = pl.when(length > 1).then(pl.lit("*")).otherwise(pl.lit(""))
    end = pl.when(length > 2).then(name.str.slice(-1, 1)).otherwise(pl.lit(""))  # noqa: PLR2004
    last = pl.when(number != "").then(pl.lit(" ") + number.str.slice(-4)).otherwise(pl.lit(""))
    return (name.str.slice(0, 1) + star + end + last).str.strip_chars()
