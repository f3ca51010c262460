"""Laboratories of real lists: where they stand, and the rates that the promise needs of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scheduler.domain.city import Floats, Ints
from scheduler.domain.settings import PoolingSettings, TravelSettings
from scheduler.generate.ledger import Ledger
from scheduler.generate.places import Points, distance_km
from scheduler.generate.real_source import Source, Windows, degrees, seat_of

FILE = "labs.csv"
HEADROOM, LEAST_RATE = 1.06, 20
SUPPORT_KM = 30.0
"""No site shall be further from a lab: 30 km are 94 minutes of travel of the 6 hours promised."""
QUICK_MIN, USUAL_MIN, HOUR = 180, 210, 60
DAY_HOURS, ROUND_OPENS_HOUR = 24, 6


@dataclass(frozen=True)
class RealLabs:
    """Labs as columns."""

    ids: list[str]
    names: list[str]
    points: Points
    tubes_per_hour: Ints
    processing_min: Ints


@dataclass(frozen=True)
class SiteLoad:
    """People expected at each site, its point and its daily windows."""

    points: Points
    people: Floats
    windows: list[Windows]
    streets: list[str]  # for the names of labs that have to be added
    days: int


def place_labs(source: Source, load: SiteLoad, ledger: Ledger) -> RealLabs:
    """Return the listed institutions, and support labs where there is none within 30 km."""
    names = list(source.labs["name"])
    found = [_point_of(source, row, ledger) for row in source.labs.iter_rows(named=True)]
    ledger.note_rows(FILE, "read from testing_institutions_2021.csv", len(names))
    while True:
        points = Points(np.array([p[0] for p in found]), np.array([p[1] for p in found]))
        away = _distances(load.points, points)
        nearest_km = away.min(axis=1) if found else np.full(len(load.people), np.inf)
        far = nearest_km > SUPPORT_KM
        if not far.any():
            break
        # The busiest site out of reach hosts a lab, as provincial support teams did in 2020.
        host = int(np.where(far, load.people, -1.0).argmax())
        found.append((float(load.points.lat[host]), float(load.points.lng[host])))
        names.append(f"{load.streets[host]}支援实验室（假设）")
        ledger.note_rows(FILE, f"added: a support lab where none is within {SUPPORT_KM:g} km")
    rates, processing = _sized(load, away, ledger)
    ids = [f"{source.city_code}-L{i + 1:03d}" for i in range(len(names))]
    return RealLabs(ids, names, points, rates, processing)


def _point_of(source: Source, row: dict[str, str], ledger: Ledger) -> tuple[float, float]:
    """Return the point of an institution: its own site's, its street's, or the district seat."""
    good = source.sites.filter(source.sites["coord_ok"] == "1")
    for site in good.iter_rows(named=True):
        if row["name"] in site["name"] or row["name"] in site["address"]:
            ledger.fill_point(FILE, "point of the sampling site named after it")
            return float(site["lat"]), float(site["lng"])
    streets = source.streets.filter(source.streets["district"] == row["district"])
    lat, lng = degrees(streets, "lat"), degrees(streets, "lng")
    for i, name in enumerate(streets["street"]):
        if name in row["address"] and np.isfinite(lat[i]):
            ledger.fill_point(FILE, "point of the street in its address")
            return float(lat[i]), float(lng[i])
    ledger.fill_point(FILE, "seat of its district")
    return seat_of(source, row["district"])


def _distances(sites: Points, labs: Points) -> Floats:
    columns = [distance_km(sites, labs[np.full(len(sites.lat), k)]) for k in range(len(labs.lat))]
    return np.stack(columns, axis=1) if columns else np.empty((len(sites.lat), 0))


def _sized(load: SiteLoad, away: Floats, ledger: Ledger) -> tuple[Ints, Ints]:
    """Size each lab for the sites nearest to it, shared evenly among labs of the same place."""
    closest = away.min(axis=1, keepdims=True)
    serves = away <= closest + 1e-9
    share = serves / serves.sum(axis=1, keepdims=True)
    rates = np.zeros(away.shape[1], dtype=np.int64)
    processing = np.full(away.shape[1], QUICK_MIN)
    for k in range(away.shape[1]):
        rows = np.flatnonzero(serves[:, k])
        travel = _travel_min(away[rows, k])
        if not len(rows) or travel.max() < HOUR:
            # Arrived within the hour after pick-up, tubes may wait an hour more.
            processing[k] = USUAL_MIN
        tubes = _arrivals(load, rows, share[rows, k], travel)
        rates[k] = max(LEAST_RATE, int(np.ceil(HEADROOM * _steady_rate(tubes))))
    ledger.fill(
        FILE, "processing_min", "180; 210 where all its sites are within 59 minutes", len(rates)
    )
    ledger.fill(FILE, "tubes_per_hour", "what its nearest sites need in time, x 1.06", len(rates))
    ledger.fill(FILE, "hours", "all day", len(rates))
    return rates, processing


def _travel_min(km: Floats) -> Floats:
    travel = TravelSettings()
    return np.ceil(km * travel.detour / travel.speed_kmh * HOUR + travel.handling_min)


def _arrivals(load: SiteLoad, rows: Ints, share: Floats, travel: Floats) -> Floats:
    """Return tubes that arrive in each hour of the round, people spread over opening hours."""
    arrived = np.zeros(load.days * DAY_HOURS + DAY_HOURS)
    for row, part, minutes in zip(rows, share, travel, strict=True):
        hours = open_minutes(load.windows[row])
        tubes = load.people[row] / PoolingSettings().normal * hours / hours.sum() / load.days
        # The last tube of a wave is seldom full: half a tube, at most a tenth of the wave.
        tubes = tubes + np.minimum(0.5 * (hours > 0), 0.1 * tubes)
        delay = 1 + int(minutes) // HOUR
        for day in range(load.days):
            first = day * DAY_HOURS + delay
            arrived[first : first + DAY_HOURS] += part * tubes
    return arrived


def open_minutes(windows: Windows) -> Floats:
    """Return open minutes in each clock hour of a day, shape (24,)."""
    hour = np.arange(DAY_HOURS) * HOUR
    parts = [np.clip(np.minimum(b, hour + HOUR) - np.maximum(a, hour), 0, HOUR) for a, b in windows]
    result: Floats = np.sum(parts, axis=0).astype(float)
    return result


def _steady_rate(tubes: Floats) -> float:
    """Return the least tubes per hour such that each starts in the hour it arrives or the next."""
    total = np.concatenate([[0.0], np.cumsum(tubes)])
    first, last = np.triu_indices(len(tubes))
    return float(((total[last + 1] - total[first]) / (last - first + 2)).max())
