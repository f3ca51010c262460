"""Large files of rows, CSV or Parquet, as columns of text with line numbers, nothing lost.

A physical line is a row here: files about persons have millions of rows, some of them garbage, and
a quote that is never closed must not swallow those below it.
"""

from __future__ import annotations

import codecs
import csv
import io
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from scheduler.errors import CannotRunError
from scheduler.ingest.cells import tidy
from scheduler.ingest.columns import Table
from scheduler.ingest.findings import FileLog
from scheduler.ingest.reader import header_places

LINE, FAULT = "line", "fault"
"""Columns beside those of the table: line in the file, and a code where the row is no row."""

_PARQUET_MARK, _UTF8_MARK, _UTF16_MARKS = b"PAR1", b"\xef\xbb\xbf", (b"\xff\xfe", b"\xfe\xff")
_CHUNK_BYTES = 1 << 24
_CHUNK_ROWS = 200_000
_BLANKS = " \t\r\u00a0\u3000\u200b\u200c\u200d\u2060\ufeff"
_PLAIN_BLANKS = (b" ", b"\t")
_DAMAGE = "\ufffd"
_TRIED_BYTES = 1 << 20
_NO_FAULT = pl.lit(None, pl.String).alias(FAULT)
_MANGLED = r"^\d(\.\d+)?[eE]\+\d+$"  # an id that a spreadsheet has rounded
_POWERS = (b"E+", b"e+")


@dataclass(frozen=True)
class _Text:
    """Bytes in UTF-8; what could not be decoded stands as U+FFFD."""

    data: bytes
    damaged: bool


def read_rows(path: Path, table: Table, log: FileLog) -> pl.DataFrame | None:
    """Return the rows of a file: a text column for each column of the table, line and fault.

    Cells have no outer blanks and are "" where blank; columns that the file does not have are left
    out, and so are rows of nothing but blanks. None when the file as a whole cannot be read; the
    log says why.

    Raises
    ------
    CannotRunError
        When the file cannot be opened.
    """
    try:
        with path.open("rb") as handle:
            mark = handle.read(4)
        if mark == _PARQUET_MARK:
            return _from_parquet(path, table, log)
        text = _as_utf8(path.read_bytes(), log)
    except OSError as error:
        raise CannotRunError(f"Cannot read {path}: {error.strerror}") from None
    return None if text is None else _from_text(text, table, log)


def _as_utf8(data: bytes, log: FileLog) -> _Text | None:
    if data[:2] in _UTF16_MARKS:
        log.add("C104", "read as UTF-16, not as UTF-8")
        return _recoded(data, "utf-16")
    if b"\0" in data[: data.find(b"\n") + 1 or None]:
        log.add("C103", "expected text in UTF-8 or GB18030, found zero bytes")
        return None
    if _decodes(data, "utf-8"):
        return _Text(data, damaged=b"\0" in data or _DAMAGE.encode() in data)
    if data.startswith(_UTF8_MARK) or _mostly_utf8(data):
        return _recoded(data, "utf-8")
    log.add("C104", "read as GB18030, not as UTF-8")
    return _recoded(data, "gb18030")


def _decodes(data: bytes, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        for begin in range(0, len(data), _CHUNK_BYTES):
            chunk = data[begin : begin + _CHUNK_BYTES]
            if not chunk.isascii() or decoder.getstate()[0]:  # ASCII is told much sooner
                decoder.decode(chunk)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _mostly_utf8(data: bytes) -> bool:
    """Return whether most of what is not ASCII is UTF-8, by the first lines that are not ASCII."""
    wide = [line for line in data[:_TRIED_BYTES].split(b"\n") if not line.isascii()]
    good = sum(_decodes(line, "utf-8") for line in wide)
    return good * 2 > len(wide)


def _recoded(data: bytes, encoding: str) -> _Text:
    """Return the text in UTF-8; bytes that mean nothing become U+FFFD, so that their row shows."""
    decoder = codecs.getincrementaldecoder(encoding)(errors="replace")
    out = io.BytesIO()
    for begin in range(0, len(data), _CHUNK_BYTES):
        out.write(decoder.decode(data[begin : begin + _CHUNK_BYTES]).encode())
    out.write(decoder.decode(b"", final=True).encode())
    text = out.getvalue()
    return _Text(text, damaged=_DAMAGE.encode() in text or b"\0" in text)


def _from_text(text: _Text, table: Table, log: FileLog) -> pl.DataFrame | None:
    header, line, begin = _header(text.data)
    if header is None:
        log.add("C102", "expected a header and rows, found nothing")
        return None
    places = header_places(header, line, table, log)
    if any(c.required and c.name not in places for c in table.columns):
        return None
    names = [f"{place}" for place in range(len(header))]
    frame = _quick(text.data, names, (line, begin))
    if frame is None:
        frame = _careful(text.data[begin:], names, line + 1)
    plain = not (any(b in text.data for b in _PLAIN_BLANKS) or _has_bare_return(text.data))
    look = _Look(
        damaged=text.damaged,
        plain=plain,
        ascii=_is_ascii(text.data, begin),
        rounded=any(sign in text.data for sign in _POWERS),
    )
    return _known_columns(frame, places, table, look)


def _is_ascii(data: bytes, begin: int) -> bool:
    """Return whether the rows are ASCII, whatever the header is."""
    chunks = range(begin, len(data), _CHUNK_BYTES)
    return all(data[at : at + _CHUNK_BYTES].isascii() for at in chunks)


def _header(data: bytes) -> tuple[list[str] | None, int, int]:
    """Return the cells of the first line that is not blank, its number, where the next begins."""
    begin, line = 0, 1
    while begin < len(data):
        end = data.find(b"\n", begin)
        end = len(data) if end < 0 else end
        words = data[begin:end].decode().strip("\r").removeprefix("\ufeff")
        if tidy(words.replace(",", "")):
            return next(csv.reader([words])), line, end + 1
        begin, line = end + 1, line + 1
    return None, line, begin


def _quick(data: bytes, names: list[str], header: tuple[int, int]) -> pl.DataFrame | None:
    """Let polars read the rows; None where a row of it might not be a line of the file.

    ``header`` is the header's line and where the line below it begins.
    """
    line, begin = header
    lines = data.count(b"\n", begin) + (not data.endswith(b"\n"))
    schema = dict.fromkeys(names, pl.String)
    if not data[begin : begin + _TRIED_BYTES].strip():
        return None
    try:
        frame = pl.read_csv(
            data,
            has_header=False,
            skip_lines=line,
            new_columns=names,
            schema=schema,
            quote_char='"' if data.find(b'"', begin) >= 0 else None,
        )
    except pl.exceptions.PolarsError:
        return None
    if frame.height != lines:
        return None
    return frame.with_row_index(LINE, offset=line + 1).with_columns(_NO_FAULT)


def _careful(body: bytes, names: list[str], first_line: int) -> pl.DataFrame:
    """Read line by line; a line of more cells than the header, or of open quotes, has a fault."""
    schema = {**dict.fromkeys(names, pl.String), LINE: pl.UInt32, FAULT: pl.String}
    parts, rows = [pl.DataFrame(schema=schema)], []
    for number, line in enumerate(io.BytesIO(body), first_line):
        cells, fault = _cells(line.rstrip(b"\r\n").decode(), len(names))
        rows.append((*cells, number, fault))
        if len(rows) == _CHUNK_ROWS:
            parts.append(pl.DataFrame(rows, schema=schema, orient="row"))
            rows = []
    if rows:
        parts.append(pl.DataFrame(rows, schema=schema, orient="row"))
    return pl.concat(parts)


def _cells(line: str, count: int) -> tuple[list[str], str | None]:
    if '"' in line:
        try:
            cells = next(csv.reader([line], strict=True))
        except csv.Error:
            return [line, *[""] * (count - 1)], "C602"
    else:
        cells = line.split(",")
    if len(cells) <= count:
        return [*cells, *[""] * (count - len(cells))], None
    return cells[:count], ("C602" if any(map(str.strip, cells)) else None)


def _from_parquet(path: Path, table: Table, log: FileLog) -> pl.DataFrame | None:
    try:
        there = pl.read_parquet_schema(path)
    except (OSError, pl.exceptions.PolarsError):
        log.add("C103", "expected a Parquet file, found a damaged one")
        return None
    places = header_places(list(there), 1, table, log)
    if any(c.required and c.name not in places for c in table.columns):
        return None
    names = list(there)
    if any(there[names[place]].is_nested() for place in places.values()):
        log.add("C103", "expected columns of text or numbers, found lists or structures")
        return None
    try:
        frame = pl.read_parquet(path, columns=[names[place] for place in places.values()])
    except (OSError, pl.exceptions.PolarsError):
        log.add("C103", "expected a Parquet file, found a damaged one")
        return None
    wanted = {names[place]: f"{place}" for place in places.values()}
    frame = frame.select(pl.col(old).cast(pl.String).alias(new) for old, new in wanted.items())
    frame = frame.with_row_index(LINE, offset=1).with_columns(pl.lit(None, pl.String).alias(FAULT))
    return _known_columns(frame, places, table, _Look(damaged=True))


@dataclass(frozen=True)
class _Look:
    """What the bytes of a file tell of its cells, so that not each cell need be looked at.

    ``plain`` has no blank that ASCII knows, ``rounded`` may have ids that a spreadsheet rounded.
    """

    damaged: bool
    plain: bool = False
    ascii: bool = False
    rounded: bool = True


def _has_bare_return(data: bytes) -> bool:
    return b"\r" in data and data.count(b"\r") != data.count(b"\r\n")


def _known_columns(
    frame: pl.DataFrame, places: dict[str, int], table: Table, look: _Look
) -> pl.DataFrame:
    """Return the table's columns with tidy cells, without blank rows."""
    known = [column.name for column in table.columns if column.name in places]
    rows = pl.DataFrame(
        [_tidy(frame[f"{places[name]}"], look).alias(name) for name in known]
        + [frame[LINE], frame[FAULT]]
    )
    del frame
    blank = pl.all_horizontal(pl.col(name) == "" for name in known) & pl.col(FAULT).is_null()
    if rows.select(blank.any()).item():
        rows = rows.filter(~blank)
    if look.damaged:
        hurt = pl.any_horizontal(pl.col(name).str.contains(f"[{_DAMAGE}\0]") for name in known)
        rows = rows.with_columns(_first_fault(hurt, "C604"))
    if not look.rounded:
        return rows
    rounded = pl.col(known[0]).str.contains(_MANGLED)
    return rows.with_columns(_first_fault(rounded, "C604"))


def _first_fault(when: pl.Expr, code: str) -> pl.Expr:
    return pl.when(pl.col(FAULT).is_null() & when).then(pl.lit(code)).otherwise(FAULT).alias(FAULT)


def _tidy(cells: pl.Series, look: _Look) -> pl.Series:
    """Return cells without outer blanks; full-width forms become plain ones."""
    if cells.null_count():
        cells = cells.fill_null("")
    if not look.ascii and (cells.str.len_bytes() != cells.str.len_chars()).any():
        stripped = cells.str.strip_chars(_BLANKS)
        return stripped.str.normalize("NFKC").str.strip_chars(_BLANKS)
    if look.plain:
        return cells
    stripped = cells.str.strip_chars(_BLANKS)
    return cells if (stripped.str.len_bytes() == cells.str.len_bytes()).all() else stripped
