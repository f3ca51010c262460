"""GCJ-02 and BD-09 points to WGS84.

GCJ-02 is the datum of Chinese map services, BD-09 Baidu's on top of it. The formulas are the ones
known from the eviltransform project (github.com/googollee/eviltransform); GCJ-02 has no closed
inverse, so it is found by iteration, to far below 0.5 m. Outside China GCJ-02 is WGS84.
"""

from __future__ import annotations

import numpy as np

from scheduler.domain.city import Flags, Floats

_AXIS_M = 6_378_245.0  # Krasovsky 1940
_ECCENTRICITY_SQUARED = 0.00669342162296594323
_BAIDU_PI = np.pi * 3000.0 / 180.0
_CHINA = ((0.8293, 55.8271), (72.004, 137.8347))
"""Latitudes and longitudes between which GCJ-02 differs from WGS84."""

_ITERATIONS = 10
"""The shift changes by less than 1 % per degree: each iteration gains two digits or more."""


def to_wgs84(lat: Floats, lng: Floats, datum: str) -> tuple[Floats, Floats]:
    """Return WGS84 degrees of points in ``wgs84``, ``gcj02`` or ``bd09``; NaN stays NaN."""
    if datum == "wgs84":
        return lat, lng
    if datum == "bd09":
        lat, lng = bd09_to_gcj02(lat, lng)
    return gcj02_to_wgs84(lat, lng)


def wgs84_to_gcj02(lat: Floats, lng: Floats) -> tuple[Floats, Floats]:
    """Return GCJ-02 degrees."""
    shift_lat, shift_lng = _shift(lat, lng)
    inside = _inside(lat, lng)
    return np.where(inside, lat + shift_lat, lat), np.where(inside, lng + shift_lng, lng)


def gcj02_to_wgs84(lat: Floats, lng: Floats) -> tuple[Floats, Floats]:
    """Return WGS84 degrees, by iteration."""
    wgs_lat, wgs_lng = lat.copy(), lng.copy()
    for _ in range(_ITERATIONS):
        shift_lat, shift_lng = _shift(wgs_lat, wgs_lng)
        wgs_lat, wgs_lng = lat - shift_lat, lng - shift_lng
    inside = _inside(lat, lng)
    return np.where(inside, wgs_lat, lat), np.where(inside, wgs_lng, lng)


def bd09_to_gcj02(lat: Floats, lng: Floats) -> tuple[Floats, Floats]:
    """Return GCJ-02 degrees of Baidu's, by iteration on the forward formula."""
    gcj_lat, gcj_lng = lat - 0.006, lng - 0.0065
    for _ in range(_ITERATIONS):
        there_lat, there_lng = gcj02_to_bd09(gcj_lat, gcj_lng)
        gcj_lat, gcj_lng = gcj_lat + lat - there_lat, gcj_lng + lng - there_lng
    return gcj_lat, gcj_lng


def gcj02_to_bd09(lat: Floats, lng: Floats) -> tuple[Floats, Floats]:
    """Return Baidu's degrees."""
    radius = np.hypot(lng, lat) + 0.00002 * np.sin(lat * _BAIDU_PI)
    angle = np.arctan2(lat, lng) + 0.000003 * np.cos(lng * _BAIDU_PI)
    return radius * np.sin(angle) + 0.006, radius * np.cos(angle) + 0.0065


def _inside(lat: Floats, lng: Floats) -> Flags:
    (south, north), (west, east) = _CHINA
    inside: Flags = (lng >= west) & (lng <= east) & (lat >= south) & (lat <= north)
    return inside


def _shift(lat: Floats, lng: Floats) -> tuple[Floats, Floats]:
    """Return how far GCJ-02 lies from a WGS84 point, degrees."""
    metres_lat, metres_lng = _wave(lat - 35.0, lng - 105.0)
    radians = lat / 180.0 * np.pi
    magic = 1 - _ECCENTRICITY_SQUARED * np.sin(radians) ** 2
    per_lat = _AXIS_M * (1 - _ECCENTRICITY_SQUARED) / (magic * np.sqrt(magic)) * np.pi / 180.0
    per_lng = _AXIS_M / np.sqrt(magic) * np.cos(radians) * np.pi / 180.0
    return metres_lat / per_lat, metres_lng / per_lng


def _wave(y: Floats, x: Floats) -> tuple[Floats, Floats]:
    """Return the shift in metres north and east, y and x in degrees from (35, 105)."""
    root, product = np.sqrt(np.abs(x)), x * y
    sin = np.sin
    both = (20.0 * sin(6.0 * x * np.pi) + 20.0 * sin(2.0 * x * np.pi)) * 2.0 / 3.0
    north = -100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.1 * product + 0.2 * root + both
    north += (20.0 * sin(y * np.pi) + 40.0 * sin(y / 3.0 * np.pi)) * 2.0 / 3.0
    north += (160.0 * sin(y / 12.0 * np.pi) + 320.0 * sin(y * np.pi / 30.0)) * 2.0 / 3.0
    east = 300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * product + 0.1 * root + both
    east += (20.0 * sin(x * np.pi) + 40.0 * sin(x / 3.0 * np.pi)) * 2.0 / 3.0
    east += (150.0 * sin(x / 12.0 * np.pi) + 300.0 * sin(x / 30.0 * np.pi)) * 2.0 / 3.0
    return north, east
