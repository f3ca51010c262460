from __future__ import annotations

import numpy as np
import pytest

from scheduler.ingest.datum import (
    bd09_to_gcj02,
    gcj02_to_bd09,
    gcj02_to_wgs84,
    to_wgs84,
    wgs84_to_gcj02,
)

# WGS84 lat, lng, GCJ-02 lat, lng: test values of the eviltransform project.
KNOWN = [
    (31.1774276, 121.5272106, 31.17530398364597, 121.531541859215),
    (22.543847, 113.912316, 22.540796131694766, 113.9171764808363),
    (39.911954, 116.377817, 39.91334545536069, 116.38404722455657),
]
HALF_METRE_DEG = 0.5 / 111_320


def one(lat: float, lng: float) -> tuple[np.ndarray, np.ndarray]:
    return np.array([lat]), np.array([lng])


@pytest.mark.parametrize("pair", KNOWN)
def test_known_pairs(pair: tuple[float, float, float, float]) -> None:
    """Both directions agree with published pairs to far below half a metre."""
    there = np.concatenate(wgs84_to_gcj02(*one(*pair[:2])))
    back = np.concatenate(gcj02_to_wgs84(*one(*pair[2:])))
    assert np.abs(there - pair[2:]).max() < 1e-9
    assert np.abs(back - pair[:2]).max() < 1e-9


def test_baidu() -> None:
    """BD-09 of a published GCJ-02 point, and its exact inverse."""
    there = np.concatenate(gcj02_to_bd09(*one(39.915, 116.404)))
    assert np.abs(there - [39.92133699351021, 116.41036949371029]).max() < 1e-9
    back = np.concatenate(bd09_to_gcj02(*one(*there)))
    assert np.abs(back - [39.915, 116.404]).max() < HALF_METRE_DEG / 100


@pytest.mark.parametrize("datum", ["gcj02", "bd09"])
def test_inverse_over_the_whole_country(datum: str) -> None:
    """Points all over China come back to less than half a metre."""
    rng = np.random.default_rng(1)
    lat, lng = rng.uniform(18.5, 53, 2000), rng.uniform(74, 134, 2000)
    shifted = wgs84_to_gcj02(lat, lng)
    if datum == "bd09":
        shifted = gcj02_to_bd09(*shifted)
    back = to_wgs84(*shifted, datum)
    assert np.abs(back[0] - lat).max() < HALF_METRE_DEG
    assert np.abs(back[1] - lng).max() < HALF_METRE_DEG


def test_unknown_and_foreign_points_stay() -> None:
    """NaN stays NaN, GCJ-02 outside China is WGS84, and WGS84 is left alone."""
    lat, lng = np.array([np.nan, 48.1]), np.array([np.nan, 17.1])
    for datum in ("gcj02", "wgs84"):
        back = to_wgs84(lat, lng, datum)
        assert np.isnan(back[0][0])
        assert (back[0][1], back[1][1]) == (48.1, 17.1)
