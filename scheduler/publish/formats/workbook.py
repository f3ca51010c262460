"""Workbooks for Excel and WPS: one for each district, a sheet for each community."""

from __future__ import annotations

import hashlib
import io
import re
import signal
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from multiprocessing import get_context
from unicodedata import east_asian_width

import polars as pl
import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.workbook import Workbook

from scheduler.publish.formats.rows import NUMBERS, Rows

SHEETS = {
    "zh": {"districts": "汇总", "sites": "采样点", "labs": "检测机构"},
    "en": {"districts": "Summary", "sites": "Sites", "labs": "Labs"},
}
LONGEST_NAME = 31  # characters; Excel refuses more
RESERVED = "history"  # Excel keeps this name for itself
MOST_COLUMNS = 40  # width of the widest column, in characters
MEASURED_ROWS = 300  # rows that decide how wide a column is
PROCESSES = 2
TOGETHER_BYTES = 8_000_000  # of files of which one process makes all workbooks, in 5 seconds

_UNSAFE = re.compile(r"[\x00-\x1f\[\]:*?/\\]")
Parts = dict[str, list[str]]
"""Kind -> files of one district."""


def workbook_files(rows: Rows, parts: Iterable[tuple[str, Parts]]) -> Iterator[tuple[str, bytes]]:
    """Yield path and content of ``workbooks/<district>.xlsx``, for each district and its files.

    Large ones are made by two processes, since cells are written one by one.
    """
    books = [(f"workbooks/{folder}.xlsx", (rows.part(paths), paths)) for folder, paths in parts]
    if len(books) == 1 or rows.num_bytes < TOGETHER_BYTES:
        yield from ((path, _workbook(book)) for path, book in books)
        return
    context = get_context("spawn")  # threads of this process would not be there in a copy of it
    with context.Pool(PROCESSES, initializer=_leave_interrupts) as pool:
        made = pool.imap(_workbook, [book for _, book in books])
        yield from ((path, content) for (path, _), content in zip(books, made, strict=True))


def _leave_interrupts() -> None:
    """Leave Ctrl-C to the process that asked: it ends this one."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def sheet_names(wanted: Iterable[str]) -> list[str]:
    """Return names that Excel takes, none twice: letter case does not tell two names apart."""
    names: list[str] = []
    taken: set[str] = set()
    for text in wanted:
        name = _UNSAFE.sub("_", text).strip().strip("'") or "_"
        if len(name) > LONGEST_NAME or name.lower() in taken or name.lower() == RESERVED:
            digest = hashlib.sha256(f"{text}{len(names)}".encode()).hexdigest()[:6]
            name = f"{name[: LONGEST_NAME - 7]}~{digest}"
        taken.add(name.lower())
        names.append(name)
    return names


def _workbook(district: tuple[Rows, Parts]) -> bytes:
    rows, paths = district
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, {"constant_memory": True, "strings_to_urls": False}) as book:
        # The date of a file that is made again must not make it another file.
        book.set_properties({"created": datetime(2020, 1, 1, tzinfo=UTC).replace(tzinfo=None)})
        head = book.add_format({"bold": True, "bg_color": "#DDE6EC", "bottom": 1, "font_size": 11})
        common = SHEETS[rows.language]
        towns = [rows.table("communities", [path]) for path in paths["communities"]]
        titles = [
            _title(town, path) for town, path in zip(towns, paths["communities"], strict=True)
        ]
        names = sheet_names([*common.values(), *titles])
        for kind, name in zip(common, names, strict=False):
            _sheet(book, name, rows.table(kind, paths[kind]), (rows.headers(kind), head))
        for town, name in zip(towns, names[len(common) :], strict=True):
            _sheet(book, name, town, (rows.headers("communities"), head))
    return buffer.getvalue()


def _title(town: pl.DataFrame, path: str) -> str:
    return str(town["community"][0]) if len(town) else path.rpartition("/")[2].removesuffix(".csv")


def _sheet(
    book: Workbook, name: str, table: pl.DataFrame, style: tuple[dict[str, str], Format]
) -> None:
    headers, head = style
    sheet = book.add_worksheet(name)
    for at, column in enumerate(table.columns):
        sheet.set_column(at, at, _width(headers[column], table[column].head(MEASURED_ROWS)))
    sheet.freeze_panes(1, 0)
    sheet.autofilter(0, 0, max(len(table), 1), len(table.columns) - 1)
    sheet.ignore_errors({"number_stored_as_text": "A1:XFD1048576"})
    for at, column in enumerate(table.columns):
        sheet.write_string(0, at, headers[column], head)
    numbers = [column in NUMBERS for column in table.columns]
    for line, row in enumerate(table.iter_rows(), 1):
        for at, cell in enumerate(row):
            if numbers[at] and cell is not None:
                sheet.write_number(line, at, cell)
            elif cell:
                sheet.write_string(line, at, cell)


def _width(header: str, cells: pl.Series) -> int:
    """Return the width of a column: a Chinese character takes two."""
    longest = max((_columns(str(cell)) for cell in cells if cell is not None), default=0)
    return min(max(longest, _columns(header) + 3) + 2, MOST_COLUMNS)


def _columns(text: str) -> int:
    return sum(2 if east_asian_width(character) in "WF" else 1 for character in text)
