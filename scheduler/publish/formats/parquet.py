"""Parquet for those who calculate: one file for each kind of published file."""

from __future__ import annotations

import io
from collections.abc import Iterator

from scheduler.publish.formats.rows import KINDS, Rows


def parquet_files(rows: Rows) -> Iterator[tuple[str, bytes]]:
    """Yield path and content of ``parquet/<kind>.parquet``, headers as in the CSV files."""
    for kind in KINDS:
        buffer = io.BytesIO()
        rows.table(kind).rename(rows.headers(kind)).write_parquet(buffer)
        yield f"parquet/{kind}.parquet", buffer.getvalue()
