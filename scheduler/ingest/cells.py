"""From the text of one cell to its value: one function per kind of column."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from scheduler.domain.city import DEDICATED, FIXED, MOBILE
from scheduler.domain.settings import Zone
from scheduler.ingest.hours import HoursError, format_hours, parse_hours


class CellError(Exception):
    """The cell cannot be used: code and what was expected."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.text = text


Parser = Callable[[str], tuple[Any, str | None]]
"""Takes a cell that is not blank, returns its value and, where normalised, what it was read as."""

_INVISIBLE = " \u200b\u200c\u200d\u2060\ufeff"
_FULL_WIDTH = re.compile("[\uff01-\uff5e\ufe50-\ufe6b\u3000]")
_DAMAGED = re.compile("[\ufffd\ue000-\uf8ff]")
_SPREADSHEET_ERROR = re.compile(r"#(?:REF!|N/A|VALUE!|NAME\?|DIV/0!|NUM!|NULL!)")
_WHOLE = re.compile(r"-?\d+", re.ASCII)
_WHOLE_AS_REAL = re.compile(r"(-?\d+)\.0+", re.ASCII)
_REAL = re.compile(r"-?\d+(?:\.\d+)?", re.ASCII)
_PLAIN_ID = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}", re.ASCII)
_MANGLED_ID = re.compile(r"\d(?:\.\d+)?E\+\d+", re.ASCII)
_NOT_IN_FILE_NAMES = re.compile(r'[\\/:*?"<>|]')
_RESERVED = re.compile(r"(?:CON|PRN|AUX|NUL|COM\d|LPT\d)(?:\..*)?", re.IGNORECASE)
_LIST_SEPARATORS = re.compile(r"[;,、，；]")
_IDENTITY = re.compile(
    r"(?=([1-9]\d{5}(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}[\dXx]))", re.ASCII
)
_IDENTITY_LENGTH = 18
_LONGEST_ID, _LONGEST_ID_BYTES = 100, 240
_LONGEST_TEXT = 500
_LONGEST_NUMBER = 40


def is_blank(cell: str) -> bool:
    """Return whether a cell holds nothing but blanks, full-width and invisible ones included."""
    return not cell or not tidy_text(cell)


def tidy_text(cell: str) -> str:
    """Return free text without outer blanks, invisible characters and line breaks."""
    if cell.isprintable() and cell[:1] != " " and cell[-1:] != " ":
        return cell
    kept = "".join(c for c in cell if c not in _INVISIBLE[1:])
    return re.sub(r"\s+", " ", kept).strip() if not kept.isprintable() else kept.strip()


def tidy(cell: str) -> str:
    """Return a cell as :func:`tidy_text` does, with full-width forms as plain ones."""
    if cell.isascii():
        return tidy_text(cell)
    plain = _FULL_WIDTH.sub(lambda m: unicodedata.normalize("NFKC", m[0]), cell)
    return tidy_text(plain)


def has_identity_number(text: str) -> bool:
    """Return whether the text holds an 18-digit identity number with a right check digit.

    The check digit is that of GB 11643-1999 (ISO 7064, MOD 11-2).
    """
    if len(text) < _IDENTITY_LENGTH:
        return False
    return any(_check_digit(m[1]) == m[1][-1].upper() for m in _IDENTITY.finditer(tidy(text)))


def free_text(cell: str) -> tuple[str, str | None]:
    """Return a name or an address."""
    text = tidy_text(cell)
    _refuse_damage(text)
    if len(text) > _LONGEST_TEXT:
        raise CellError("C212", f"expected at most {_LONGEST_TEXT} characters")
    return text, (text if text != cell else None)


def key(cell: str) -> tuple[str, str | None]:
    """Return an id that names no file, or refers to one that does."""
    if _PLAIN_ID.fullmatch(cell) and len(cell) < _IDENTITY_LENGTH and "E" not in cell:
        return cell, None
    text = tidy(cell)
    _refuse_damage(text)
    if _MANGLED_ID.fullmatch(text):
        raise CellError("C210", "expected an id, not a number that a spreadsheet has rounded")
    if len(text) > _LONGEST_ID or len(text.encode()) > _LONGEST_ID_BYTES:
        raise CellError("C210", f"expected at most {_LONGEST_ID} characters")
    return text, (text if text != cell else None)


def file_key(cell: str) -> tuple[str, str | None]:
    """Return an id that names a file."""
    text, read_as = key(cell)
    _refuse_as_file_name(text)
    return text, read_as


def folder_name(cell: str) -> tuple[str, str | None]:
    """Return a district: free text that names a folder."""
    text, read_as = free_text(cell)
    _refuse_as_file_name(text)
    return text, read_as


@dataclass(frozen=True)
class Whole:
    """Parser of whole numbers in [least, most]."""

    least: int
    most: int

    def __call__(self, cell: str) -> tuple[int, str | None]:
        """Return the number."""
        text = tidy(cell)
        as_real = _WHOLE_AS_REAL.fullmatch(text)
        if as_real:
            text = as_real[1]
        if not _WHOLE.fullmatch(text) or int(text[:20]) < self.least:
            raise CellError("C203", f"expected a whole number >= {self.least}")
        if len(text) > 15 or int(text) > self.most:  # noqa: PLR2004  # digits that fit 64 bits
            raise CellError("C205", f"expected at most {self.most}")
        value = int(text)
        return value, (str(value) if str(value) != cell else None)


@dataclass(frozen=True)
class Real:
    """Parser of numbers in [least, most]; ``above`` leaves the lower end out."""

    least: float
    most: float
    above: bool = False
    strict_most: bool = False

    def __call__(self, cell: str) -> tuple[float, str | None]:
        """Return the number."""
        text = tidy(cell)
        value = float(text) if _REAL.fullmatch(text) else float("nan")
        low = value > self.least if self.above else value >= self.least
        if not low or (self.strict_most and value > self.most):
            raise CellError("C204", f"expected a number {self._range()}")
        if value > self.most:
            raise CellError("C205", f"expected at most {self.most:g}")
        return value, (text if text != cell else None)

    def _range(self) -> str:
        if self.strict_most:
            return f"in {'(' if self.above else '['}{self.least:g}, {self.most:g}]"
        return f"{'>' if self.above else '>='} {self.least:g}"


def degrees(cell: str) -> tuple[float, str | None]:
    """Return a latitude or longitude; its range is a matter of the point, not of the cell."""
    text = tidy(cell)
    if not _REAL.fullmatch(text) or len(text) > _LONGEST_NUMBER:
        raise CellError("C204", "expected decimal degrees")
    return float(text), (text if text != cell else None)


_ZONES = {zone.word: zone for zone in Zone} | {
    "封控": Zone.LOCKDOWN,
    "管控": Zone.CONTROL,
    "防范": Zone.PRECAUTION,
    "普通": Zone.NORMAL,
}
_KINDS = {
    **{word: word for word in (FIXED, MOBILE, DEDICATED)},
    "固定": FIXED,
    "流动": MOBILE,
    "专用": DEDICATED,
}
_OTHER_KINDS = {"定点": FIXED, "移动": MOBILE, "上门": DEDICATED}


def zone(cell: str) -> tuple[int, str | None]:
    """Return a value of ``Zone``."""
    if cell in _ZONES:
        return int(_ZONES[cell]), None
    text = tidy(cell).lower()
    for word in (text, text.removesuffix("区"), text.removesuffix("zone").strip()):
        if word in _ZONES:
            return int(_ZONES[word]), _ZONES[word].word
    raise CellError("C206", "expected a zone: lockdown, control, precaution or normal")


def zones(cell: str) -> tuple[tuple[int, ...], str | None]:
    """Return the zones a site accepts."""
    parts, written = _split(cell)
    parsed = [zone(part) for part in parts]
    values = tuple(value for value, _ in parsed)
    if len(set(values)) != len(values):
        raise CellError("C209", "expected each zone once")
    clean = written and all(note is None for _, note in parsed)
    return values, (None if clean else ";".join(Zone(v).word for v in values))


def kind(cell: str) -> tuple[str, str | None]:
    """Return the kind of a site."""
    if cell in _KINDS:
        return _KINDS[cell], None
    text = tidy(cell).lower()
    found = _KINDS.get(text) or _OTHER_KINDS.get(text)
    if found is None:
        raise CellError("C207", "expected fixed, mobile or dedicated")
    return found, found


def hours(cell: str) -> tuple[tuple[tuple[int, int], ...], str | None]:
    """Return opening windows of the local day."""
    try:
        windows, written = parse_hours(tidy(cell))
    except HoursError as error:
        raise CellError("C208", str(error)) from None
    return windows, (None if written and tidy(cell) == cell else format_hours(windows))


def keys(cell: str) -> tuple[tuple[str, ...], str | None]:
    """Return a list of ids."""
    parts, written = _split(cell)
    values = tuple(key(part)[0] for part in parts)
    if len(set(values)) != len(values):
        raise CellError("C209", "expected each id once")
    return values, (None if written and parts == list(values) else ";".join(values))


def pool_sizes(cell: str) -> tuple[tuple[int, ...], str | None]:
    """Return the pool sizes that a lab takes, sorted."""
    parts, written = _split(cell)
    whole = Whole(1, 100)
    try:
        parsed = [whole(part) for part in parts]
    except CellError:
        raise CellError("C209", "expected people per tube such as 1;10") from None
    values = tuple(sorted(value for value, _ in parsed))
    if len(set(values)) != len(values):
        raise CellError("C209", "expected each pool size once")
    clean = written and all(note is None for _, note in parsed)
    return values, (None if clean else ";".join(map(str, values)))


def _split(cell: str) -> tuple[list[str], bool]:
    """Return the items of a list, and whether it was written with ; alone."""
    text = tidy(cell)
    parts = [part.strip() for part in _LIST_SEPARATORS.split(text)]
    if not all(parts):
        raise CellError("C209", "expected items separated by ;")
    return parts, ";".join(parts) == cell


def _refuse_damage(text: str) -> None:
    if has_identity_number(text):
        raise CellError("C211", "expected no identity number of a person (not shown)")
    if not text.isprintable() or _DAMAGED.search(text) or _SPREADSHEET_ERROR.match(text):
        raise CellError("C212", "expected text, found damage or control characters")


def _refuse_as_file_name(text: str) -> None:
    if text.startswith(".") or text.endswith("."):
        raise CellError("C210", "expected no dot at either end")
    if _NOT_IN_FILE_NAMES.search(text) or _RESERVED.fullmatch(text):
        raise CellError("C210", "expected a text that can name a file")
    if len(text) > _LONGEST_ID or len(text.encode()) > _LONGEST_ID_BYTES:
        raise CellError("C210", f"expected at most {_LONGEST_ID} characters")


def _check_digit(number: str) -> str:
    total = sum(int(d) * pow(2, 17 - i, 11) for i, d in enumerate(number[:17]))
    return "10X98765432"[total % 11]
