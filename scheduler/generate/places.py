"""Points on the ground: kilometres to degrees, and scatter that looks like a city."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scheduler.domain.city import Floats, Ints

KM_PER_DEGREE = 111.195
"""Length of a degree of latitude on the sphere of radius 6,371,008.8 m (DESIGN: great circles)."""


@dataclass(frozen=True)
class Points:
    """WGS84 degrees, one pair per row."""

    lat: Floats
    lng: Floats

    def __getitem__(self, rows: Ints) -> Points:
        return Points(self.lat[rows], self.lng[rows])

    def moved(self, north_km: Floats, east_km: Floats) -> Points:
        """Return the points moved by kilometres."""
        lat = self.lat + north_km / KM_PER_DEGREE
        return Points(lat, self.lng + east_km / (KM_PER_DEGREE * np.cos(np.radians(self.lat))))

    def rounded(self) -> Points:
        """Return the points rounded to 6 digits, about 0.1 m."""
        return Points(self.lat.round(6), self.lng.round(6))


def distance_km(one: Points, other: Points) -> Floats:
    """Return distances on the plane tangent at ``one``, good to 1 % below 200 km."""
    north = (other.lat - one.lat) * KM_PER_DEGREE
    middle = np.radians((one.lat + other.lat) / 2)
    east = (other.lng - one.lng) * KM_PER_DEGREE * np.cos(middle)
    result: Floats = np.hypot(north, east)
    return result


def in_disc(rng: np.random.Generator, centre: tuple[float, float], km: float, count: int) -> Points:
    """Return points spread evenly over a disc, kilometres in radius."""
    radius = km * np.sqrt(rng.random(count))
    angle = rng.random(count) * 2 * np.pi
    middle = Points(np.full(count, centre[0]), np.full(count, centre[1]))
    return middle.moved(radius * np.sin(angle), radius * np.cos(angle))


def scattered(rng: np.random.Generator, points: Points, sigma_km: Floats | float) -> Points:
    """Return the points scattered normally, at most 2.5 sigma per axis."""
    moves = np.clip(rng.standard_normal((2, len(points.lat))), -2.5, 2.5) * sigma_km
    return points.moved(moves[0], moves[1])


def shrunk(
    place: tuple[float, float], centre: tuple[float, float], scale: float
) -> tuple[float, float]:
    """Return a place drawn nearer to a centre, so that fewer people live as densely."""
    return (
        centre[0] + (place[0] - centre[0]) * scale,
        centre[1] + (place[1] - centre[1]) * scale,
    )
