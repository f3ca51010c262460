"""The rows of the published CSV files as tables, so that other formats carry the very same.

The tables are read from the files' own bytes: what a cell says is what it says there.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping

import polars as pl

from scheduler.publish.words import (
    CHINESE_HEADERS,
    COMMUNITY_COLUMNS,
    DISTRICT_COLUMNS,
    LAB_COLUMNS,
    SITE_COLUMNS,
)

KINDS = {
    "communities": COMMUNITY_COLUMNS,
    "sites": SITE_COLUMNS,
    "labs": LAB_COLUMNS,
    "districts": DISTRICT_COLUMNS,
}
"""Kind of file, the first part of its path, and its columns."""

NUMBERS = frozenset(
    {"people", "pool_size", "tubes", "lanes", "medics", "disinfection", "order_keepers", "staff",
     "swabs", "boxes", "tubes_started", "capacity", "called", "home_visits", "unserved",
     "communities", "sites"}
)  # fmt: skip
"""Columns that hold whole numbers; all others are text, ids above all."""


class Rows:
    """The tables of the files of a publication, by kind and path."""

    def __init__(self, language: str) -> None:
        self.language = language
        self._files: dict[str, dict[str, bytes]] = {kind: {} for kind in KINDS}

    def add(self, path: str, content: bytes) -> None:
        """Remember a file of one of these kinds, which its path begins with; no other."""
        kind = path.partition("/")[0]
        if kind in self._files:
            self._files[kind][path] = content

    def paths(self, kind: str) -> list[str]:
        """Return the files of a kind, in the order they were published."""
        return list(self._files[kind])

    def part(self, paths: Mapping[str, Iterable[str]]) -> Rows:
        """Return these files alone, by kind."""
        chosen = Rows(self.language)
        for kind, wanted in paths.items():
            chosen._files[kind] = {path: self._files[kind][path] for path in wanted}
        return chosen

    @property
    def num_bytes(self) -> int:
        """Return the bytes of all files."""
        return sum(len(content) for files in self._files.values() for content in files.values())

    def table(self, kind: str, paths: Iterable[str] | None = None) -> pl.DataFrame:
        """Return the rows of the files of a kind, all or those named, one below the other.

        Columns are named by their identifiers; :meth:`headers` has what the files call them.
        """
        wanted = self._files[kind] if paths is None else paths
        frames = [_frame(self._files[kind][path], KINDS[kind]) for path in wanted]
        return pl.concat(frames) if frames else _frame(b"", KINDS[kind])

    def headers(self, kind: str) -> dict[str, str]:
        """Return identifier -> header, in the language of the publication."""
        chinese = self.language == "zh"
        return {name: CHINESE_HEADERS[name] if chinese else name for name in KINDS[kind]}


def _frame(content: bytes, columns: tuple[str, ...]) -> pl.DataFrame:
    schema = {name: pl.Int64 if name in NUMBERS else pl.String for name in columns}
    table = pl.read_csv(
        io.BytesIO(content), schema=schema, has_header=False, skip_rows=1, raise_if_empty=False
    )
    if not table.width:
        return pl.DataFrame(schema=schema)
    return table.with_columns(pl.col(pl.String).fill_null(""))
