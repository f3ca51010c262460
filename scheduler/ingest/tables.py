"""From columns of text to columns of values: every cell is parsed, every bad one reported."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scheduler.domain.city import Flags
from scheduler.ingest.cells import CellError, is_blank
from scheduler.ingest.columns import Column, Table
from scheduler.ingest.findings import FileLog
from scheduler.ingest.reader import TextTable

Values = NDArray[Any]


@dataclass(frozen=True)
class Parsed:
    """Typed columns of one file; ``bad`` marks the cells that hold a placeholder."""

    table: Table
    lines: list[int]
    values: dict[str, Values]
    bad: dict[str, Flags]
    filled: dict[str, Flags]  # cells that were not blank
    stray: frozenset[str]
    complete: bool  # every row was read, and the ids among its columns
    log: FileLog

    def __len__(self) -> int:
        return len(self.lines)

    def good(self, *names: str) -> Flags:
        """Return the rows whose cells in all these columns can be used."""
        flags = np.ones(len(self), dtype=bool)
        for name in names:
            flags &= ~self.bad[name]
        return flags

    def report(self, code: str, row: int, column: str, text: str, value: object = None) -> None:
        """Add a finding about one cell."""
        shown = None if value is None else str(value)
        self.log.add(code, text, line=self.lines[row], column=column, value=shown)


def parse_table(raw: TextTable, log: FileLog) -> Parsed:
    """Parse all columns of a file; absent optional columns get their defaults."""
    values: dict[str, Values] = {}
    bad: dict[str, Flags] = {}
    filled: dict[str, Flags] = {}
    for column in raw.table.columns:
        cells = raw.cells.get(column.name)
        if cells is None:
            absent = [column.filler] * len(raw.lines)
            values[column.name] = as_array(absent, column.dtype)
            bad[column.name] = np.full(len(absent), column.required)
            filled[column.name] = np.zeros(len(absent), dtype=bool)
        else:
            parsed = _parse_column(column, cells, raw.lines, log)
            values[column.name], bad[column.name], filled[column.name] = parsed
    complete = raw.complete and raw.table.columns[0].name in raw.cells
    return Parsed(raw.table, raw.lines, values, bad, filled, raw.stray, complete, log)


def as_array(values: list[Any], dtype: type) -> Values:
    """Return a one-dimensional array, also of tuples."""
    if dtype is not object:
        return np.array(values, dtype=dtype)
    return np.fromiter(values, dtype=object, count=len(values))


def _parse_column(
    column: Column, cells: list[str], lines: list[int], log: FileLog
) -> tuple[Values, Flags, Flags]:
    """Parse each distinct cell once; go cell by cell only where something is to be said."""
    distinct = set(cells)
    meaning: dict[str, Any] = {}
    remarks: dict[str, tuple[str, str]] = {}
    unusable: set[str] = set()
    blank: set[str] = set()
    for cell in distinct:
        if is_blank(cell):
            blank.add(cell)
            meaning[cell] = column.filler
            if column.required:
                remarks[cell] = ("C201", "expected a filled cell")
                unusable.add(cell)
            continue
        try:
            meaning[cell], read_as = column.parse(cell)
        except CellError as error:
            meaning[cell] = column.filler
            remarks[cell] = (error.code, error.text)
            unusable.add(cell)
        else:
            if read_as is not None:
                remarks[cell] = ("C202", f'read as "{read_as}"')
    if remarks:
        _report_cells(column, cells, lines, (remarks, log))
    values = as_array([meaning[cell] for cell in cells], column.dtype)
    return values, _among(cells, unusable), ~_among(cells, blank)


def _report_cells(
    column: Column,
    cells: list[str],
    lines: list[int],
    about: tuple[dict[str, tuple[str, str]], FileLog],
) -> None:
    remarks, log = about
    for cell, line in zip(cells, lines, strict=True):
        if cell in remarks:
            code, text = remarks[cell]
            value = None if code == "C201" else cell
            log.add(code, text, line=line, column=column.name, value=value)


def _among(cells: list[str], group: set[str]) -> Flags:
    if not group:
        return np.zeros(len(cells), dtype=bool)
    return np.fromiter((cell in group for cell in cells), dtype=bool, count=len(cells))
