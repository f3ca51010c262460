"""Outlines of districts for the map, from ``boundaries.geojson`` where the round has one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from scheduler.domain.city import Ints
from scheduler.errors import CannotRunError

BOUNDARIES_FILE = "boundaries.geojson"
STEP = 100
"""Corners are put on a grid of so many hundred-thousandths of a degree, about 100 m: a page of a
city needs no more."""


def read_boundaries(folder: Path) -> list[list[list[int]]]:
    """Return rings of corners, longitude and latitude in hundred-thousandths of a degree.

    The file holds polygons in WGS84 (RFC 7946); there are no rings without it.

    Raises
    ------
    CannotRunError
        When the file is no GeoJSON with polygons.
    """
    path = folder / BOUNDARIES_FILE
    try:
        document = json.loads(path.read_bytes())
        rings = [_simple(ring) for shape in _shapes(document) for ring in shape]
    except FileNotFoundError:
        return []
    except (OSError, ValueError, TypeError, KeyError, AttributeError, IndexError) as error:
        raise CannotRunError(
            f"Expected GeoJSON with polygons in {path}, got: {error}",
            hint="Export it again as GeoJSON (RFC 7946), or take the file away.",
        ) from None
    return [ring.tolist() for ring in rings if len(ring) > 3]  # noqa: PLR2004  # a triangle, closed


def _shapes(document: dict[str, Any]) -> Iterator[list[Any]]:
    """Yield the rings of each polygon."""
    kind = document["type"]
    if kind == "FeatureCollection":
        for feature in document["features"]:
            yield from _shapes(feature["geometry"])
    elif kind == "Feature":
        yield from _shapes(document["geometry"])
    elif kind == "Polygon":
        yield document["coordinates"]
    elif kind == "MultiPolygon":
        yield from document["coordinates"]
    else:
        raise ValueError(f"a {kind}")


def _simple(ring: list[list[float]]) -> Ints:
    """Return the corners on the grid, without those that fall together."""
    corners = np.array([corner[:2] for corner in ring], dtype=float).reshape(-1, 2)
    grid = np.rint(corners * 1e5 / STEP).astype(np.int64) * STEP
    moved = np.r_[True, (np.diff(grid, axis=0) != 0).any(axis=1)]
    kept: Ints = grid[moved[: len(grid)]]
    return kept
