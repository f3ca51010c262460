"""A roster of residents as columns: every row read, those that cannot be used marked with a code."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
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
_ID_LENGTH = 18
_WEIGHTS = np.array([pow(2, 17 - i, 11) for i in range(17)])  # GB 11643-1999, ISO 7064 MOD 11-2
_CHECK_DIGITS = np.frombuffer(b"10X98765432", dtype=np.uint8)


@dataclass(frozen=True)
class ResidentRows:
    """Rows of all files of a roster.

    ``frame`` has the columns of ``residents`` with ``birth_year`` (Int32, 0 unknown), ``category``
    (Int8, values of ``Category``), ``category_at`` (naive local time or null), ``priority`` and
    ``rounds_sampled`` (Int32), ``file`` (UInt16, index into ``files``), ``line`` and ``fault``.
    """

    frame: pl.DataFrame
    files: tuple[str, ...]
    notes: tuple[Finding, ...]
    remarks: dict[str, int]  # rows per code of a note, such as C611


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
    parts, findings = [], []
    for number, path in enumerate(paths):
        log = FileLog(path.name)
        rows = read_rows(path, RESIDENTS, log)
        if rows is not None and not allow_names:
            _refuse_names(rows, path.name, findings)
        findings += log.findings
        if rows is not None:
            parts.append(rows.with_columns(pl.lit(number, pl.UInt16).alias(FILE)))
    if any(f.severity is Severity.ERROR for f in findings):
        error = InputError(findings)
        error.hint = "Mend the file, then run the command again; nothing was changed."
        raise error
    frame = pl.concat(parts)
    del parts
    frame, remarks = _typed(frame, settings, allow_names=allow_names)
    return ResidentRows(frame, tuple(path.name for path in paths), tuple(findings), remarks)


def _refuse_names(rows: pl.DataFrame, file: str, findings: list[Finding]) -> None:
    for name in PERSONAL_COLUMNS:
        if (rows[name] != "").any():
            findings.append(
                Finding(
                    code="C601",
                    file=file,
                    line=None,
                    column=name,
                    text="expected no names and no identity numbers of persons (not shown)",
                    hint="Take the column out, or allow names with --allow-names.",
                )
            )


def _typed(
    frame: pl.DataFrame, settings: Settings, *, allow_names: bool
) -> tuple[pl.DataFrame, dict[str, int]]:
    year = settings.round.start.year
    born = pl.col("birth_year").str.extract(r"^(\d{4})(?:年|\.0+|[-/.年]\d.*|\d{4})?$", 1)
    frame = frame.with_columns(
        born.cast(pl.Int32).alias("born"),
        pl.col("category").str.to_lowercase().replace_strict(
            {word: int(value) for word, value in CATEGORY_WORDS.items()},
            default=-1, return_dtype=pl.Int8,
        ),
        local_times(frame["category_at"], settings.round.timezone).alias("at"),
    )  # fmt: skip
    wrong_year = (pl.col("birth_year") != "") & ~pl.col("born").is_between(year - _OLDEST, year)
    rules = [
        (pl.col("resident_id") == "", "C603"),
        (wrong_year.fill_null(value=True), "C610"),
        ((pl.col("category_at") != "") & pl.col("at").is_null(), "C615"),
    ]
    if not allow_names:
        rules[1:1] = [(_identity_numbers(frame, name), "C613") for name in _ID_COLUMNS]
    for when, code in rules:
        frame = frame.with_columns(
            pl.when(pl.col(FAULT).is_null() & when).then(pl.lit(code)).otherwise(FAULT).alias(FAULT)
        )
    usable = frame[FAULT].is_null()
    remarks = {
        "C611": int(((frame["category"] < 0) & usable).sum()),
        "C614": int(((frame["household_id"] == "") & usable).sum()),
    }
    return _final(frame, settings, allow_names=allow_names), remarks


_ID_COLUMNS = ("resident_id", "household_id")


def _identity_numbers(frame: pl.DataFrame, name: str) -> pl.Series:
    """Return which cells are identity numbers of persons, by birth date and check digit."""
    cells = frame[name]
    there = (cells.str.len_bytes() == _ID_LENGTH) & cells.str.contains(_IDENTITY)
    if not there.any():
        return there
    texts = cells.filter(there).str.to_uppercase().to_list()
    digits = np.array(texts, dtype=f"S{_ID_LENGTH}").view(np.uint8).reshape(-1, _ID_LENGTH)
    total = (digits[:, :17].astype(np.int64) - ord("0")) @ _WEIGHTS
    right = _CHECK_DIGITS[total % 11] == digits[:, 17]
    return there.cast(pl.Boolean).scatter(there.arg_true(), pl.Series(right))


def _final(frame: pl.DataFrame, settings: Settings, *, allow_names: bool) -> pl.DataFrame:
    start = settings.round.start
    old = _expired(start, settings.roster.vaccinated_hours, Category.VACCINATED) | _expired(
        start, settings.roster.tested_hours, Category.TESTED
    )
    category = pl.when((pl.col("category") < 0) | old).then(int(Category.NORMAL))
    masked = _masked_name() if allow_names else pl.lit("")
    return frame.select(
        *("resident_id", "household_id", "block_id", "community_id", "address"),
        pl.col("born").fill_null(UNKNOWN_YEAR).alias("birth_year"),
        category.otherwise("category").cast(pl.Int8).alias("category"),
        pl.col("at").alias("category_at"),
        _whole("priority"),
        _whole("rounds_sampled"),
        masked.alias("name"),
        *(FILE, LINE, FAULT),
    )


def _expired(start: datetime, hours: float, category: Category) -> pl.Expr:
    """Return which rows' vaccination or test lies too long before the round to exempt."""
    limit = pl.lit(start) - pl.duration(minutes=round(hours * 60))
    return (pl.col("category") == int(category)) & (pl.col("at") < limit).fill_null(value=False)


def _whole(name: str) -> pl.Expr:
    return pl.col(name).cast(pl.Int32, strict=False).fill_null(0).clip(0, 1000)


def _masked_name() -> pl.Expr:
    """Return names as 王*明 and identity numbers by their last four digits."""
    name, number = pl.col("name"), pl.col("id_number")
    length = name.str.len_chars()
    short = name.str.slice(0, 1) + pl.when(length > 1).then(pl.lit("*")).otherwise(pl.lit(""))
    middle = pl.when(length > 2).then(name.str.slice(-1, 1)).otherwise(pl.lit(""))  # noqa: PLR2004
    last = pl.when(number != "").then(pl.lit(" ") + number.str.slice(-4)).otherwise(pl.lit(""))
    return (short + middle + last).str.strip_chars()
