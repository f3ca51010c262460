"""Rules of points: on the globe, not at zero, not swapped, near the city."""

from __future__ import annotations

import numpy as np

from scheduler.domain.city import Flags, Floats
from scheduler.ingest.tables import Parsed

_EARTH_RADIUS_KM = 6371.0088
_CITY_RADIUS_KM = 300.0
"""Wider than any city but Chongqing (470 km end to end, so 300 km from its middle is enough)."""

Point = tuple[float, float]


def check_points(tables: list[Parsed], middle: Point | None) -> None:
    """Report every point that cannot be in the city; ``middle`` as of :func:`middle_of`."""
    for table in tables:
        rows = _filled(table)
        lat, lng = table.values["lat"], table.values["lng"]
        off_globe = rows & ~_on_globe(lat, lng)
        at_zero = rows & (lat == 0) & (lng == 0)
        far = rows & ~off_globe & ~at_zero & _is_far(lat, lng, middle)
        suspects = off_globe | at_zero | far
        swapped = suspects & ~at_zero & _on_globe(lng, lat) & ~_is_far(lng, lat, middle)
        for row in np.flatnonzero(suspects):
            code = "C402" if swapped[row] else "C403" if at_zero[row] else None
            _report(table, int(row), code or ("C401" if off_globe[row] else "C404"))
            table.bad["lat"][row] = table.bad["lng"][row] = True


def middle_of(tables: list[Parsed]) -> Point | None:
    """Return the median of all points that may be right: robust while most are."""
    lats, lngs = [], []
    for table in tables:
        lat, lng = table.values["lat"], table.values["lng"]
        rows = _filled(table) & _on_globe(lat, lng) & ~((lat == 0) & (lng == 0))
        lats.append(lat[rows])
        lngs.append(lng[rows])
    lat, lng = np.concatenate([[], *lats]), np.concatenate([[], *lngs])
    return (float(np.median(lat)), float(np.median(lng))) if len(lat) else None


def check_half_points(blocks: Parsed) -> None:
    """Report blocks with one of lat and lng, and count those with neither."""
    has_lat, has_lng = blocks.filled["lat"], blocks.filled["lng"]
    for row in np.flatnonzero(has_lat != has_lng):
        column = "lng" if has_lat[row] else "lat"
        blocks.report("C201", int(row), column, "expected both lat and lng, or neither")
        blocks.bad[column][row] = True
    neither = int((~has_lat & ~has_lng).sum())
    if neither:
        text = f"{neither} of {len(blocks)} blocks have no point of their own"
        blocks.log.add("C405", text, column="lat")


def _filled(table: Parsed) -> Flags:
    return table.good("lat", "lng") & table.filled["lat"] & table.filled["lng"]


def _on_globe(lat: Floats, lng: Floats) -> Flags:
    on: Flags = (np.abs(lat) <= 90) & (np.abs(lng) <= 180)  # noqa: PLR2004  # the globe
    return on


def _is_far(lat: Floats, lng: Floats, middle: Point | None) -> Flags:
    if middle is None:
        return np.zeros(len(lat), dtype=bool)
    a, b = np.radians(lat), np.radians(middle[0])
    half = np.sin((a - b) / 2) ** 2
    half = half + np.cos(a) * np.cos(b) * np.sin(np.radians(lng - middle[1]) / 2) ** 2
    km = 2 * _EARTH_RADIUS_KM * np.arcsin(np.sqrt(np.clip(half, 0, 1)))
    far: Flags = km > _CITY_RADIUS_KM
    return far


def _report(table: Parsed, row: int, code: str) -> None:
    words = {
        "C401": "expected a point on the globe",
        "C402": "expected lat before lng; swapped they lie in the city",
        "C403": "expected a point, not zero",
        "C404": f"expected a point within {_CITY_RADIUS_KM:g} km of the others",
    }
    lat, lng = table.values["lat"][row], table.values["lng"][row]
    table.report(code, row, "lat", words[code], f"{lat:.10g}, {lng:.10g}")
