"""Cells of a CSV file that Excel and WPS open, and names of files that any disk takes.

Text and identifiers are always quoted and never altered, so that a CSV reader gets the very id
back; the two exceptions are cells that a spreadsheet would run as a formula, and identity numbers.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable

import numpy as np

BOM = "\ufeff"
END = "\r\n"
"""Line end of RFC 4180, which Excel writes itself."""

FORMULA_STARTS = ("=", "+", "-", "@", "＝", "＋", "－", "＠")
CONTROL_STARTS = ("\t", "\r", "\n")
MAX_NAME_BYTES = 200  # file systems take 255; room is left for suffix and temporary names

_IDENTITY = re.compile(r"(?<!\d)(\d{6})[ -]?(\d{8})[ -]?(\d{3}[\dXxＸｘ])(?![\dXxＸｘ])")
_UNSAFE = re.compile(r'[\x00-\x1f\x7f/\\:*?"<>|]')
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)  # GB 11643-1999


def public_text(value: str) -> str:
    """Return a text in which 18-digit identity numbers are masked."""
    return _IDENTITY.sub(r"\g<1>************", value)


def text_cell(value: str) -> str:
    """Return a quoted cell of free text: no formula, no 18-digit identity number."""
    return _quoted(public_text(value))


def id_cell(value: str) -> str:
    """Return a quoted cell of an identifier, unaltered unless a formula or an identity number.

    An 18-digit code of a grid is no identity number: only what has a birth date and the check
    digit of GB 11643-1999 is masked.
    """
    return _quoted(value[:6] + "*" * 12 if _is_identity(value) else value)


def csv_bytes(header: str, lines: Iterable[str]) -> bytes:
    """Return a whole file in UTF-8 with BOM; each line carries its end."""
    return f"{BOM}{header}{END}{''.join(lines)}".encode()


def file_names(values: Iterable[str]) -> dict[str, str]:
    """Return value -> name of a file or folder, each safe and none twice."""
    names: dict[str, str] = {}
    taken: set[str] = set()
    distinct = sorted(set(values))
    for value in sorted(distinct, key=lambda v: _safe_name(v) != v):
        name = _safe_name(value)
        if name in taken:
            name = f"{name}-{_digest(value)}"
        taken.add(name)
        names[value] = name
    return names


def _safe_name(value: str) -> str:
    name = _UNSAFE.sub("_", value).strip().rstrip(".")
    name = re.sub(r"^\.+", "_", name) or "_"
    if len(name.encode()) > MAX_NAME_BYTES:
        name = name.encode()[:MAX_NAME_BYTES].decode(errors="ignore") + "-" + _digest(value)
    return name


def _digest(value: str) -> str:
    return hashlib.sha256(value.encode()).hexdigest()[:8]


def _quoted(value: str) -> str:
    if value.startswith(CONTROL_STARTS) or value.lstrip().startswith(FORMULA_STARTS):
        value = "'" + value
    return '"' + value.replace('"', '""') + '"'


def _is_identity(value: str) -> bool:
    if not re.fullmatch(r"\d{17}[\dXx]", value):
        return False
    try:
        np.datetime64(f"{value[6:10]}-{value[10:12]}-{value[12:14]}", "D")
    except ValueError:
        return False
    total = sum(int(d) * w for d, w in zip(value, _WEIGHTS, strict=False))
    return value[17].upper() == "10X98765432"[total % 11]
