"""Files of samples and of results, many at a time; rows that cannot be used are kept apart."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from scheduler.domain.settings import Settings
from scheduler.errors import CannotRunError, Finding, InputError, Severity
from scheduler.ingest.columns import Table
from scheduler.ingest.findings import FileLog
from scheduler.ingest.people_columns import RESULT_WORDS, RESULTS, SAMPLES, VOID_WORDS
from scheduler.ingest.text_rows import FAULT, LINE, read_rows
from scheduler.ingest.times import local_times

Progress = Callable[[int, int], None]
"""Called with files read so far and files in all."""

_SUFFIXES = (".csv", ".txt", ".parquet")
_CELLS = ("resident_id", "site_id", "sampled_at", "tube", "result", "reported_at")


@dataclass(frozen=True)
class RecordRows:
    """Rows of all files: those that can be used, and the others with file, line, fault and cells.

    ``frame`` has resident_id, site_id, sampled_at, tube, recorded_at (null where not given) and
    void; or tube, result and reported_at. Tubes and sites are Categorical, times naive local.
    """

    frame: pl.DataFrame
    rejected: pl.DataFrame
    num_rows: int
    files: tuple[str, ...]
    notes: tuple[Finding, ...]


def files_of(paths: Sequence[Path]) -> list[Path]:
    """Return the files named, and of folders the CSV and Parquet files in them, sorted.

    Raises
    ------
    CannotRunError
        When a path is not there, or a folder holds no such file.
    """
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            inside = sorted(p for p in path.rglob("*") if p.suffix.lower() in _SUFFIXES)
            if not inside:
                raise CannotRunError(f"Expected CSV or Parquet files in {path}, found none")
            found += inside
        else:
            found.append(path)
    return found


def read_samples(
    paths: Sequence[Path], settings: Settings, progress: Progress | None = None
) -> RecordRows:
    """Read files of samples.

    Raises
    ------
    InputError
        When a file as a whole cannot be used; then none is.
    CannotRunError
        When a file cannot be opened.
    """

    def typed(rows: pl.DataFrame) -> pl.DataFrame:
        return _typed_samples(rows, settings)

    return _read(files_of(paths), SAMPLES, typed, progress)


def read_results(
    paths: Sequence[Path], settings: Settings, progress: Progress | None = None
) -> RecordRows:
    """Read files of results; raises as :func:`read_samples` does."""

    def typed(rows: pl.DataFrame) -> pl.DataFrame:
        at = local_times(rows["reported_at"], settings.round.timezone)
        words = pl.col("result").str.to_lowercase()
        result = words.replace_strict(RESULT_WORDS, default=None, return_dtype=pl.String)
        tube = pl.col("tube").cast(pl.Categorical)
        frame = rows.with_columns(at, result.alias("result"), tube)
        return _faults(
            frame,
            [
                (pl.col("tube") == "", "C603"),
                (pl.col("result").is_null(), "C631"),
                (pl.col("reported_at").is_null(), "C615"),
            ],
        )

    return _read(files_of(paths), RESULTS, typed, progress)


def _read(
    paths: list[Path],
    table: Table,
    typed: Callable[[pl.DataFrame], pl.DataFrame],
    progress: Progress | None,
) -> RecordRows:
    sorted_out = _SortedOut(typed)
    findings: list[Finding] = []
    for number, path in enumerate(paths):
        log = FileLog(path.name)
        rows = read_rows(path, table, log)
        findings += log.findings
        if rows is not None:
            sorted_out.add(rows.with_columns(pl.lit(number, pl.UInt32).alias("file")))
        if progress is not None:
            progress(number + 1, len(paths))
    if any(f.severity is Severity.ERROR for f in findings):
        error = InputError(findings)
        error.hint = "Mend the file, then run the command again; nothing was recorded."
        raise error
    frame, rejected = sorted_out.result()
    names = tuple(path.name for path in paths)
    return RecordRows(frame, rejected, frame.height + rejected.height, names, tuple(findings))


@dataclass
class _SortedOut:
    """Rows that can be used and rows that cannot, of many files of the same columns at once.

    Each step costs the same for a small file as for a large one, and there are thousands of them.
    """

    typed: Callable[[pl.DataFrame], pl.DataFrame]
    good: list[pl.DataFrame] = field(default_factory=list)
    bad: list[pl.DataFrame] = field(default_factory=list)
    waiting: list[pl.DataFrame] = field(default_factory=list)

    def add(self, rows: pl.DataFrame) -> None:
        """Take in the rows of a file."""
        if self.waiting and self.waiting[-1].columns != rows.columns:
            self._flush()
        self.waiting.append(rows)
        if sum(part.height for part in self.waiting) >= _ROWS_AT_ONCE:
            self._flush()

    def result(self) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Return the rows that can be used, and the others with file, line, fault and cells."""
        self._flush()
        rejected = pl.concat(self.bad) if self.bad else pl.DataFrame(schema=_REJECTED)
        return pl.concat(self.good, how="vertical_relaxed"), rejected

    def _flush(self) -> None:
        if not self.waiting:
            return
        rows = pl.concat(self.waiting)
        self.waiting = []
        frame = self.typed(rows)
        usable = frame[FAULT].is_null()
        self.good.append(frame.filter(usable).drop(LINE, FAULT, "file", strict=False))
        if not usable.all():
            self.bad.append(_kept_apart(rows, frame[FAULT]))


_ROWS_AT_ONCE = 250_000
_REJECTED = {
    "file": pl.UInt32, LINE: pl.UInt32, FAULT: pl.String, **dict.fromkeys(_CELLS, pl.String)
}  # fmt: skip


def _kept_apart(rows: pl.DataFrame, fault: pl.Series) -> pl.DataFrame:
    wrong = rows.with_columns(fault).filter(pl.col(FAULT).is_not_null())
    cells = [pl.col(name) if name in rows.columns else pl.lit("").alias(name) for name in _CELLS]
    return wrong.select("file", LINE, FAULT, *cells)


def _typed_samples(rows: pl.DataFrame, settings: Settings) -> pl.DataFrame:
    zone = settings.round.timezone
    there = "recorded_at" in rows.columns
    recorded = local_times(rows["recorded_at"], zone) if there else _NO_TIME
    void = (
        pl.col("status").str.to_lowercase().is_in(VOID_WORDS)
        if "status" in rows.columns
        else pl.lit(value=False)
    )
    wrong = (rows["recorded_at"] != "") & recorded.is_null() if there else pl.lit(value=False)
    frame = rows.select(
        "resident_id",
        pl.col("site_id").cast(pl.Categorical),
        local_times(rows["sampled_at"], zone),
        pl.col("tube").cast(pl.Categorical),
        recorded.alias("recorded_at"),
        void.alias("void"),
        wrong.alias("wrong"),
        LINE,
        FAULT,
    )
    blank = (pl.col("resident_id") == "") | (pl.col("tube") == "") | (pl.col("site_id") == "")
    frame = _faults(
        frame,
        [
            (blank, "C603"),
            (pl.col("sampled_at").is_null() | pl.col("wrong"), "C615"),
            (pl.col("sampled_at") < settings.round.start, "C621"),
        ],
    )
    return frame.drop("wrong")


_NO_TIME = pl.lit(None, pl.Datetime("ms"))


def _faults(frame: pl.DataFrame, rules: list[tuple[pl.Expr, str]]) -> pl.DataFrame:
    for when, code in rules:
        fault = pl.when(pl.col(FAULT).is_null() & when).then(pl.lit(code)).otherwise(FAULT)
        frame = frame.with_columns(fault.alias(FAULT))
    return frame
