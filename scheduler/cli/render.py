"""Tables and lines that fit a terminal of 80 columns, Chinese characters counted as two."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Iterable, Sequence

import click

WIDTH = 80
GAP = "  "
SHORTEST = 6  # columns that a text column keeps when a table is squeezed


def paint(text: str, colour: str) -> str:
    """Return a text in bold and colour, plain where ``NO_COLOR`` is set (no-color.org).

    Where the output is no terminal, click takes the colour away again.
    """
    plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
    return text if plain else click.style(text, fg=colour, bold=True)


def width(text: str) -> int:
    """Return the columns a text takes: two for a wide or full-width character."""
    return sum(_columns(character) for character in text)


def cut(text: str, columns: int, mark: str = "…") -> str:
    """Return a text of at most so many columns, with ``mark`` where something was cut off."""
    if width(text) <= columns:
        return text
    kept, used = "", 0
    for character in text:
        used += _columns(character)
        if used > columns - 1:
            break
        kept += character
    return kept + mark


def table(headers: Sequence[str], rows: Iterable[Sequence[object]], *, columns: int = WIDTH) -> str:
    """Return an aligned table; numbers stand right, and wide text columns are cut to fit.

    ``None`` becomes ``-``.
    """
    cells = [[_cell(value) for value in row] for row in rows]
    values = [list(column) for column in zip(*cells, strict=True)] or [[] for _ in headers]
    right = [bool(column) and all(map(_is_number, column)) for column in values]
    widths = [
        max([width(head), *map(width, column)])
        for head, column in zip(headers, values, strict=True)
    ]
    widths = _squeeze(widths, right, columns)
    lines = [_line(line, widths, right) for line in (list(headers), *cells)]
    return "\n".join([lines[0], GAP.join("-" * w for w in widths), *lines[1:]])


def wrap(text: str, *, indent: str = "", columns: int = WIDTH) -> str:
    """Return a text broken into lines; breaks at spaces, and anywhere between wide characters."""
    lines, line = [], ""
    for piece in _pieces(text):
        if line and width(indent + line + piece.rstrip()) > columns:
            lines.append(line.rstrip())
            line = ""
        line += piece
    return "\n".join(indent + line for line in [*lines, line.rstrip()])


def _pieces(text: str) -> Iterable[str]:
    """Yield what must stay together: words with the space after them, or one wide character.

    Punctuation stays with what stands before it.
    """
    piece = ""
    for character in text:
        wide = _columns(character) > 1
        closes = unicodedata.category(character) in {"Po", "Pe", "Pf"}
        if piece and not closes and (wide or piece.endswith(" ") or _columns(piece[-1]) > 1):
            yield piece
            piece = ""
        piece += character
    yield piece


def _columns(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _cell(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    return str(value)


def _is_number(text: str) -> bool:
    return (
        text in {"-", ""}
        or text.replace(",", "").rstrip(" %").lstrip("-").replace(".", "", 1).isdigit()
    )


def _squeeze(widths: list[int], right: list[bool], columns: int) -> list[int]:
    """Take columns from the widest text columns until the table fits, or none can give."""
    widths = list(widths)
    while sum(widths) + len(GAP) * (len(widths) - 1) > columns:
        texts = [i for i, w in enumerate(widths) if not right[i] and w > SHORTEST]
        if not texts:
            break
        widths[max(texts, key=lambda i: widths[i])] -= 1
    return widths


def _line(cells: list[str], widths: list[int], right: list[bool]) -> str:
    parts = []
    for text, columns, at_right in zip(cells, widths, right, strict=True):
        shown = cut(text, columns)
        space = " " * (columns - width(shown))
        parts.append(space + shown if at_right else shown + space)
    return GAP.join(parts).rstrip()
