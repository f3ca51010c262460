"""From the bytes of a CSV file to columns of text with line numbers."""

from __future__ import annotations

import csv
import difflib
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass

from scheduler.ingest.cells import is_blank, tidy
from scheduler.ingest.columns import Column, Table
from scheduler.ingest.findings import FileLog

_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")
_UTF8_MARK = b"\xef\xbb\xbf"


@dataclass(frozen=True)
class TextTable:
    """The rows of a file that fit its header, column by column.

    ``stray`` holds the cells of rows that do not fit, so that ids in them count as known and no
    finding follows from another. ``complete`` is false when the file could not be read to its end.
    """

    table: Table
    lines: list[int]
    cells: dict[str, list[str]]
    stray: frozenset[str]
    complete: bool


def read_table(data: bytes, table: Table, log: FileLog) -> TextTable | None:
    """Return the columns of a file; what is wrong with the file goes to the log.

    None when there is nothing to look at: no text, no header.
    """
    text = decode(data, log)
    if text is None:
        return None
    rows = _rows(text, log)
    first = next(rows, None)
    if first is None:
        log.add("C102", "expected a header and rows, found nothing")
        return None
    line, header = first
    places = header_places(header, line, table, log)
    return _columns(table, rows, (len(header), places), log)


def decode(data: bytes, log: FileLog) -> str | None:
    """Return the text of UTF-8, UTF-16 with a mark, or GB18030 (GBK is a part of it)."""
    if data[:2] in _UTF16_MARKS:
        return _decode_as(data, "utf-16", log)
    if b"\0" in data:
        log.add("C103", "expected text in UTF-8 or GB18030, found zero bytes")
        return None
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if data.startswith(_UTF8_MARK) or _is_damaged_utf8(data):
            line = data.count(b"\n", 0, error.start) + 1
            log.add("C103", "expected UTF-8 throughout, found other bytes", line=line)
            return None
    return _decode_as(data, "gb18030", log)


def _is_damaged_utf8(data: bytes) -> bool:
    """Return whether most of what is not ASCII is UTF-8: then another encoding would be a guess."""
    text = data.decode("utf-8", errors="replace")
    bad = text.count("\ufffd")
    good = sum(1 for c in re.sub(r"[\x00-\x7f]+", "", text)) - bad
    return good > bad


def _decode_as(data: bytes, encoding: str, log: FileLog) -> str | None:
    try:
        text = data.decode(encoding).removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        log.add("C103", "expected text in UTF-8 or GB18030", line=line)
        return None
    log.add("C104", f"read as {encoding.upper()}, not as UTF-8")
    return text


def _rows(text: str, log: FileLog) -> Iterator[tuple[int, list[str]]]:
    """Yield each row that is not blank, with the physical line it starts on."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    line = 1
    try:
        for row in reader:
            if row and (row[0][:1].isalnum() or not all(map(is_blank, row))):
                yield line, row
            line = reader.line_num + 1
    except csv.Error as error:
        log.add("C109", f"not CSV from here on: {error}", line=line)


def header_places(header: list[str], line: int, table: Table, log: FileLog) -> dict[str, int]:
    """Return where each known column stands; what is wrong with the header goes to the log."""
    places: dict[str, int] = {}
    for place, cell in enumerate(header):
        word = tidy(cell)
        column = table.headers.get(word.lower())
        if column is None:
            _note_unknown(word, place, line, (table, log))
        elif column.name in places:
            log.add(
                "C106",
                f'expected the column once, "{word}" repeats it',
                line=line,
                column=column.name,
            )
        else:
            places[column.name] = place
    _demand_columns(header, places, line, (table, log))
    return places


def _note_unknown(word: str, place: int, line: int, about: tuple[Table, FileLog]) -> None:
    table, log = about
    near = difflib.get_close_matches(word.lower(), table.headers, n=1)
    hint = f'Did you mean "{near[0]}"?' if near else None
    name = word or f"column {place + 1}"
    text = "unknown column, not read" if word else "column without a header, not read"
    log.add("C107", text, line=line, column=name, hint=hint)


def _demand_columns(
    header: list[str], places: dict[str, int], line: int, about: tuple[Table, FileLog]
) -> None:
    table, log = about
    one_cell = len(header) == 1 and re.search("[;\t|，]", header[0])
    hint = "Separate the columns with commas." if one_cell else None
    for column in table.columns:
        if column.required and column.name not in places:
            log.add(
                "C105",
                f'expected a column "{_spellings(column, table)}"',
                line=line,
                column=column.name,
                hint=hint,
            )


def _spellings(column: Column, table: Table) -> str:
    return '" or "'.join([s for s, c in table.headers.items() if c is column][:2])


def _columns(
    table: Table,
    rows: Iterator[tuple[int, list[str]]],
    header: tuple[int, dict[str, int]],
    log: FileLog,
) -> TextTable:
    width, places = header
    lines: list[int] = []
    cells: dict[str, list[str]] = {name: [] for name in places}
    takers = [(place, cells[name].append) for name, place in places.items()]
    stray: set[str] = set()
    for line, row in rows:
        if len(row) == width:
            lines.append(line)
            for place, take in takers:
                take(row[place])
        else:
            stray.update(map(tidy, row))
            log.add("C108", f"expected {width} cells as in the header, got {len(row)}", line=line)
    if not lines and not stray and table.required:
        log.add("C110", "expected at least one row below the header")
    complete = all(f.code != "C109" for f in log.findings)
    return TextTable(table, lines, cells, frozenset(stray), complete)
