"""Outlines for the map: read when there, refused when they cannot be drawn."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from scheduler.errors import CannotRunError
from scheduler.publish.report.boundaries import read_boundaries

RING = [[121.6, 38.9], [121.7, 38.9], [121.70001, 38.90001], [121.7, 39.0], [121.6, 38.9]]


def _write(folder: Path, geometry: object) -> Path:
    document = {
        "type": "FeatureCollection",
        "features": [{"type": "Feature", "geometry": geometry}],
    }
    (folder / "boundaries.geojson").write_text(json.dumps(document))
    return folder


@pytest.mark.parametrize(
    "geometry",
    [
        {"type": "Polygon", "coordinates": [RING]},
        {"type": "MultiPolygon", "coordinates": [[RING]]},
        {"type": "Feature", "geometry": {"type": "Polygon", "coordinates": [RING]}},
    ],
)
def test_rings_of_any_polygon(tmp_path: Path, geometry: object) -> None:
    """Rule: every ring is kept; corners that fall together on the map's grid are one."""
    corners = [[12160000, 3890000], [12170000, 3890000], [12170000, 3900000], [12160000, 3890000]]
    assert read_boundaries(_write(tmp_path, geometry)) == [corners]


def test_no_file_no_outline(tmp_path: Path) -> None:
    """Rule: without the file the map has points only; a ring too small to see is left out."""
    assert read_boundaries(tmp_path) == []
    dot = {"type": "Polygon", "coordinates": [[[121.6, 38.9]] * 4]}
    assert read_boundaries(_write(tmp_path, dot)) == []


@pytest.mark.parametrize(
    "geometry",
    [
        {"type": "Point", "coordinates": [1, 2]},
        {},
        None,
        {"type": "Polygon", "coordinates": [["a"]]},
    ],
)
def test_what_is_no_polygon_is_refused(tmp_path: Path, geometry: object) -> None:
    """Rule: a file that cannot be drawn is named, with the way out."""
    with pytest.raises(CannotRunError, match=r"boundaries\.geojson"):
        read_boundaries(_write(tmp_path, geometry))
