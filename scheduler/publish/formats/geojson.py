"""GeoJSON for QGIS: every published row at its point (RFC 7946, WGS84)."""

from __future__ import annotations

import io
from collections.abc import Iterator

import numpy as np
import polars as pl

from scheduler.domain.city import Floats, Texts
from scheduler.publish.formats.rows import KINDS, Rows
from scheduler.publish.schedule import Schedule

ID_COLUMN = {"communities": "block_id", "sites": "site_id", "labs": "lab_id", "districts": "id"}
"""Whose point a row has; a total has none."""
DIGITS = 6
SLICE = 10_000
"""Rows that are turned into features at once: as text they take many times their memory."""
_HEAD = b'{"type":"FeatureCollection","features":[\n'


def geojson_files(rows: Rows, schedule: Schedule) -> Iterator[tuple[str, bytes]]:
    """Yield path and content: ``geojson/<kind>.geojson``, communities by district."""
    for kind in KINDS:
        points = _points(kind, schedule)
        for name, paths in _parts(kind, rows).items():
            yield f"geojson/{name}.geojson", _collection(rows, kind, paths, points)


def _parts(kind: str, rows: Rows) -> dict[str, list[str]]:
    """Return name -> files: the communities of a city are too many for one layer."""
    paths = rows.paths(kind)
    if kind != "communities":
        return {kind: paths}
    parts: dict[str, list[str]] = {}
    for path in paths:
        parts.setdefault(f"communities/{path.split('/')[1]}", []).append(path)
    return parts


def _points(kind: str, schedule: Schedule) -> pl.DataFrame:
    """Return id and ``geometry`` of everything that rows of a kind are about."""
    instance = schedule.instance
    tables: dict[str, tuple[tuple[Texts, Floats, Floats], ...]] = {
        "communities": ((instance.blocks.ids, instance.blocks.lng, instance.blocks.lat),),
        "sites": ((instance.sites.ids, instance.sites.lng, instance.sites.lat),),
        "labs": ((instance.labs.ids, instance.labs.lng, instance.labs.lat),),
        "districts": (
            (instance.communities.ids, instance.communities.lng, instance.communities.lat),
            (instance.sites.ids, instance.sites.lng, instance.sites.lat),
        ),
    }
    ids, lngs, lats = (np.concatenate(column) for column in zip(*tables[kind], strict=True))
    frame = pl.DataFrame(
        {"key": ids.tolist(), "lng": lngs.round(DIGITS), "lat": lats.round(DIGITS)}
    )
    point = pl.struct(type=pl.lit("Point"), coordinates=pl.concat_list("lng", "lat"))
    return frame.unique("key", keep="first").select("key", geometry=point)


def _collection(rows: Rows, kind: str, paths: list[str], points: pl.DataFrame) -> bytes:
    table, headers = rows.table(kind, paths), rows.headers(kind)
    properties = pl.struct([pl.col(name).alias(headers[name]) for name in table.columns])
    buffer = io.BytesIO()
    buffer.write(_HEAD)
    for part in table.iter_slices(SLICE):
        features = part.join(
            points, left_on=ID_COLUMN[kind], right_on="key", how="left", maintain_order="left"
        ).select(type=pl.lit("Feature"), geometry="geometry", properties=properties)
        lines = io.BytesIO()
        features.write_ndjson(lines)
        buffer.write(lines.getvalue().replace(b"\n", b",\n"))
    if len(table):
        buffer.seek(-2, io.SEEK_CUR)  # the last feature has no comma after it
        buffer.truncate()
    buffer.write(b"\n]}\n")
    return buffer.getvalue()
