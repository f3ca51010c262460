"""Made-up laboratories, and what a promise needs of them.

A wave that starts at minute s is picked up at s + 60 and reaches a lab of the neighbourhood about
20 minutes later. Its tubes keep the promise when they start by s + promise - processing. So a
lab can serve a day of sampling

    from  opening + 60 + 20
    until (closing - 60) + promise - processing,

the *usable hours*: 16.75 a day for 06:00-22:00, a promise of 6 h and 195 minutes of processing. The
tubes needed are people / pool size, by zone. Labs are sized so that

    sum over labs of tubes_per_hour x usable hours x days = headroom x tubes needed,

within each group of districts (a lab 100 km away cannot keep a promise of 6 h). The last tube
of a site and wave is seldom full: about half a tube per site and wave used. That is **not**
in the tubes needed; it comes out of the headroom. On the other side the model gives a tube the
whole clock hour in which it arrives, so that 07:20 opens the full capacity of 07:00-08:00: counted
in whole clock hours, as `check` does, the headroom of Dalian is about 13 %, of which tubes that
are not full take 3 to 9.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scheduler.domain.city import Floats, Ints
from scheduler.domain.settings import PoolingSettings
from scheduler.generate.places import Points, distance_km
from scheduler.generate.shares import split_whole

WAVE_MIN, NEAR_TRAVEL_MIN, DAY_MIN = 60, 20, 1440
COMPACT_KM = 12.0
"""Radius within which any lab serves anybody, so that labs may differ as much as they do."""
LARGE_LABS = 2
"""Largest labs of an area; they are quick enough for its furthest sites."""


@dataclass(frozen=True)
class Promise:
    """When a round swabs, and what it promises."""

    open_min: int  # minute of the day
    close_min: int
    days: int
    result_min: int

    def usable_hours(self, processing_min: Ints) -> Floats:
        """Return the hours of the whole round in which a lab starts tubes that keep the promise."""
        first = self.open_min + WAVE_MIN + NEAR_TRAVEL_MIN
        last = self.close_min - WAVE_MIN + self.result_min - processing_min
        per_day = np.minimum(last - first, DAY_MIN) if self.days > 1 else last - first
        hours: Floats = np.maximum(per_day, 0) * self.days / 60
        return hours


@dataclass(frozen=True)
class Demand:
    """Tubes of each community, where they come from and which labs serve them."""

    tubes: Floats
    points: Points
    area: Ints  # group of districts that share labs


@dataclass(frozen=True)
class MadeLabs:
    """Labs as columns."""

    points: Points
    community: Ints  # nearest community, for name and address
    tubes_per_hour: Ints
    processing_min: Ints


def tubes_needed(people: Ints, zone: Ints) -> Floats:
    """Return people / pool size by zone, without partial tubes."""
    pools = np.array(PoolingSettings().by_zone(), dtype=float)
    tubes: Floats = people / pools[zone]
    return tubes


def make_labs(
    rng: np.random.Generator, demand: Demand, count: int, promise: Promise, headroom: float
) -> MadeLabs:
    """Return labs near the people, sized for their group of districts."""
    areas = _merged(demand, count)
    names, group = np.unique(areas, return_inverse=True)
    need = np.bincount(group, weights=demand.tubes)
    several = 2 if count >= 3 * len(names) else 1  # a stand-in where one stops
    counts = split_whole(count, need, at_least=several)
    made = [
        _of_area(rng, demand, np.flatnonzero(group == a), int(counts[a]), promise)
        for a in range(len(names))
    ]
    community, weights, processing = (np.concatenate([m[i] for m in made]) for i in range(3))
    of_lab = np.repeat(np.arange(len(names)), counts)
    usable = promise.usable_hours(processing)
    share = np.bincount(of_lab, weights=weights)
    exact = headroom * need[of_lab] * weights / share[of_lab] / usable
    reached = np.ceil(np.cumsum(exact)).astype(np.int64)
    rates = np.maximum(np.diff(reached, prepend=0), 1)
    return MadeLabs(demand.points[community], community, rates, processing)


def _merged(demand: Demand, count: int) -> Ints:
    """Join the smallest group of districts to its nearest until there is a lab for each."""
    area = demand.area.copy()
    while len(np.unique(area)) > count:
        ids = np.unique(area)
        centres = [_middle(demand, area == a) for a in ids]
        need = [demand.tubes[area == a].sum() for a in ids]
        small = int(np.argmin(need))
        away = [float(distance_km(centres[small], c)[0]) for c in centres]
        away[small] = np.inf
        area[area == ids[small]] = ids[int(np.argmin(away))]
    return area


def _middle(demand: Demand, rows: np.ndarray) -> Points:
    weights = demand.tubes[rows]
    lat = np.average(demand.points.lat[rows], weights=weights)
    lng = np.average(demand.points.lng[rows], weights=weights)
    return Points(np.array([lat]), np.array([lng]))


def _of_area(
    rng: np.random.Generator, demand: Demand, rows: Ints, count: int, promise: Promise
) -> tuple[Ints, Floats, Ints]:
    """Return host community, weight and processing minutes of the labs of one group."""
    points, tubes = demand.points[rows], demand.tubes[rows]
    hosts, served = _spread(rng, points, tubes, count)
    away = distance_km(_middle(demand, rows), points)
    reach = away[np.argsort(away, kind="stable")][int(0.95 * (len(away) - 1))]
    compact = bool(reach <= COMPACT_KM)
    if compact:
        # From a hospital's hundred tubes per hour to a large lab's thousands.
        rank = np.argsort(np.argsort(rng.permutation(count)))
        weights: Floats = (1.0 / (rank + 1.0)).astype(np.float64)
        quick, any_speed = rng.integers(0, 4, count), rng.integers(0, 10, count)
        steps = np.where(rank < LARGE_LABS, quick, any_speed)
    else:
        weights = served
        steps = rng.integers(0, 4, count)
    processing = 150 + 10 * steps
    limit = promise.result_min - WAVE_MIN - 2 * NEAR_TRAVEL_MIN
    return rows[hosts], weights, np.minimum(processing, limit).astype(np.int64)


def _spread(
    rng: np.random.Generator, points: Points, tubes: Floats, count: int
) -> tuple[Ints, Floats]:
    """Place labs among people by weighted means; return host rows and tubes nearest to each."""
    steps = (np.arange(count) + rng.random(count)) * tubes.sum() / count
    hosts = np.searchsorted(np.cumsum(tubes), steps, side="right").clip(0, len(tubes) - 1)
    centres = points[hosts]
    for _ in range(12):
        nearest = _nearest(points, centres)
        served = np.bincount(nearest, weights=tubes, minlength=count)
        weight = np.where(served > 0, served, 1.0)
        lat = np.bincount(nearest, weights=tubes * points.lat, minlength=count) / weight
        lng = np.bincount(nearest, weights=tubes * points.lng, minlength=count) / weight
        some = served > 0
        centres = Points(np.where(some, lat, centres.lat), np.where(some, lng, centres.lng))
    nearest = _nearest(points, centres)
    served = np.bincount(nearest, weights=tubes, minlength=count)
    hosts = np.array([int(_km_to(points, centres, k).argmin()) for k in range(count)])
    return hosts, np.maximum(served, 0.2 * tubes.sum() / count)


def _km_to(points: Points, centres: Points, k: int) -> Floats:
    return distance_km(points, centres[np.full(len(points.lat), k)])


def _nearest(points: Points, centres: Points) -> Ints:
    away = np.stack([_km_to(points, centres, k) for k in range(len(centres.lat))])
    result: Ints = away.argmin(axis=0)
    return result


__all__ = ["Demand", "MadeLabs", "Promise", "make_labs", "tubes_needed"]
