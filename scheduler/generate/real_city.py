"""Turn real lists of a city into a round folder; the rules stand in ``scripts/real_city.py``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from scheduler.domain.city import Floats, Ints
from scheduler.domain.settings import SiteSettings
from scheduler.errors import CannotRunError
from scheduler.generate.folder import check_free, write_folder
from scheduler.generate.headers import Table
from scheduler.generate.ledger import Ledger
from scheduler.generate.places import Points, distance_km, in_disc
from scheduler.generate.real_labs import RealLabs, SiteLoad, place_labs
from scheduler.generate.real_source import (
    Source,
    Windows,
    commonest_windows,
    degrees,
    hours_text,
    read_source,
    seat_of,
)
from scheduler.generate.round_file import round_text
from scheduler.generate.shares import split_whole

COMMUNITIES, SITES = "communities.csv", "sites.csv"
KIND_WEIGHTS = {"residential": 3.0, "village": 1.0, "other": 1.0}
"""People of a community relative to a village of its district: an assumption."""
SAMPLED = {"210200": 6_379_000}
"""People sampled in the city's round (Dalian: Xinhua, 26 December 2020); else all of the census."""
LARGE_CITY = 5_000_000  # up to here two days, above three: second edition guide, 13 September 2021
HOMEBOUND_SHARE, LOAD, NEAREST_SITES = 0.003, 0.75, 1
BLOCK_PEOPLE = 105  # a building of Xinmin Huayuan: 124 buildings, 13,000 people (jsnews 2022-03-25)
PEOPLE_PER_LANE = 700  # 600-800 per sampling table: Health Commission, 13 May 2022
LEAST_GROUND_M, GROUND_PER_LANE_M = 200, 20
STREET_KM = {"residential": 0.5, "village": 2.0, "other": 2.0}
DISTRICT_KM = 5.0


@dataclass(frozen=True)
class RealSites:
    """Sampling sites that are open to everybody, as columns."""

    rows: list[dict[str, str]]
    points: Points
    windows: list[Windows]
    lanes: Ints
    people: Floats


def write_real_city(source_folder: Path, folder: Path, people: int | None, seed: int) -> Ledger:
    """Write the round folder of a city's real lists; return what had to be filled.

    Raises
    ------
    CannotRunError
        When a list is missing or cannot be used, or the folder cannot be written.
    """
    check_free(folder)
    if people is not None and people < 1:
        raise CannotRunError(f"Expected --people of at least 1, got {people}")
    source, ledger = read_source(source_folder), Ledger()
    rng = np.random.Generator(np.random.PCG64(seed))
    census = sum(int(cell) for cell in source.census["pop_2020"])
    total = SAMPLED.get(source.city_code, census) if people is None else people
    days = 2 if total <= LARGE_CITY else 3
    numbers = _populations(source, total, ledger)
    homes = _community_points(rng, source, ledger)
    sites = _sites(rng, source, (homes, numbers), days, ledger)
    streets = [row["district"] + row.get("street", "") for row in sites.rows]
    load = SiteLoad(sites.points, sites.people, sites.windows, streets, days)
    labs = place_labs(source, load, ledger)
    tables = {
        COMMUNITIES: _community_table(source, numbers, homes, ledger),
        SITES: _site_table(sites, ledger),
        "labs.csv": _lab_table(labs),
    }
    write_folder(folder, _round_text(source, total, days), tables)
    return ledger


def _populations(source: Source, total: int, ledger: Ledger) -> Ints:
    """Split people over districts by census, then over communities by kind."""
    census = source.census
    by_district = split_whole(total, [int(cell) for cell in census["pop_2020"]])
    district = np.array(source.communities["district"])
    weights = np.array([KIND_WEIGHTS.get(kind, 1.0) for kind in source.communities["kind"]])
    numbers = np.zeros(len(district), dtype=np.int64)
    for name, people in zip(census["district"], by_district, strict=True):
        rows = np.flatnonzero(district == name)
        if not len(rows):
            raise CannotRunError(f"Expected communities of {name} in communities.csv, got none")
        numbers[rows] = split_whole(int(people), weights[rows])
    if int(numbers.sum()) != total:
        raise CannotRunError("Expected every community in a district of the census")
    ledger.note_rows(COMMUNITIES, "read", len(district))
    rule = "census of the district, residential 3 : village 1 : other 1"
    ledger.fill(COMMUNITIES, "population", rule, len(district))
    return numbers


def _community_points(rng: np.random.Generator, source: Source, ledger: Ledger) -> Points:
    these = source.communities
    lat, lng = degrees(these, "lat"), degrees(these, "lng")
    reach = [STREET_KM.get(kind, 2.0) for kind in these["kind"]]
    missing = np.isnan(lat) | np.isnan(lng)
    for row in np.flatnonzero(missing).tolist():
        place = (these["street_code"][row], these["district"][row])
        lat[row], lng[row] = _guess(rng, source, place, reach[row], COMMUNITIES, ledger)
    return Points(lat, lng).rounded()


def _guess(
    rng: np.random.Generator,
    source: Source,
    place: tuple[str, str],
    reach_km: float,
    file: str,
    ledger: Ledger,
) -> tuple[float, float]:
    """Return a point around the street's, or around the seat of the district."""
    street, district = place
    found = source.streets.filter(source.streets["street_code"] == street)
    lat, lng = degrees(found, "lat"), degrees(found, "lng")
    if len(lat) and np.isfinite(lat[0]) and np.isfinite(lng[0]):
        ledger.fill_point(file, "scattered around the street's point")
        near = in_disc(rng, (float(lat[0]), float(lng[0])), reach_km, 1)
    else:
        ledger.fill_point(file, "scattered around the seat of the district")
        near = in_disc(rng, seat_of(source, district), DISTRICT_KM, 1)
    return float(near.lat[0]), float(near.lng[0])


def _sites(
    rng: np.random.Generator,
    source: Source,
    homes: tuple[Points, Ints],
    days: int,
    ledger: Ledger,
) -> RealSites:
    closed = source.sites["kind"] == "key_population"
    ledger.note_rows(SITES, "left out: for key occupations only", int(closed.sum()))
    these = source.sites.filter(~closed)
    if not these.height:
        raise CannotRunError("Expected sampling sites open to everybody, got none")
    ledger.note_rows(SITES, "read", these.height)
    rows = these.to_dicts()
    points = _site_points(rng, source, rows, ledger)
    windows = commonest_windows([row["hours_raw"] for row in rows], ledger)
    hours = np.array([sum(b - a for a, b in w) for w in windows]) * days / 60
    longest = np.array([max(b - a for a, b in w) for w in windows]) / 60
    people = _expected(homes, points, hours)
    pace = SiteSettings().people_per_lane_hour * LOAD
    # A whole block has to fit into one opening window.
    for_block = np.ceil(BLOCK_PEOPLE / (pace * longest))
    enough = np.maximum(np.ceil(people / (pace * hours)), for_block)
    lanes = np.maximum(enough, np.ceil(people / PEOPLE_PER_LANE)).astype(np.int64)
    rule = "a lane per 700 people nearby (guide: 600-800), more where the hours are short"
    ledger.fill(SITES, "lanes", rule, len(lanes))
    return RealSites(rows, points, windows, lanes, people)


def _site_points(
    rng: np.random.Generator, source: Source, rows: list[dict[str, str]], ledger: Ledger
) -> Points:
    """Return points of sites; one that the geocoder got wrong counts as unknown."""
    known = dict(
        zip(
            source.communities["community_code"],
            zip(
                degrees(source.communities, "lat"), degrees(source.communities, "lng"), strict=True
            ),
            strict=True,
        )
    )
    points = []
    for row in rows:
        at_home = known.get(row["community_code"], (np.nan, np.nan))
        if row["coord_ok"] == "1" and row["lat"] and row["lng"]:
            points.append((float(row["lat"]), float(row["lng"])))
        elif np.isfinite(at_home).all():
            ledger.fill_point(SITES, "point of its community (coord_ok = 0)")
            points.append((float(at_home[0]), float(at_home[1])))
        else:
            place = (row["street_code"], row["district"])
            points.append(_guess(rng, source, place, STREET_KM["residential"], SITES, ledger))
    lat, lng = (np.array(column, dtype=float) for column in zip(*points, strict=True))
    return Points(lat, lng).rounded()


def _expected(homes: tuple[Points, Ints], sites: Points, hours: Floats) -> Floats:
    """Return people expected at each site: a community's go to its nearest three, by hours."""
    points, numbers = homes
    people = np.zeros(len(hours))
    for row, number in enumerate(numbers):
        here = Points(np.full(len(hours), points.lat[row]), np.full(len(hours), points.lng[row]))
        near = np.argsort(distance_km(here, sites), kind="stable")[:NEAREST_SITES]
        people[near] += number * hours[near] / hours[near].sum()
    return people


def _community_table(source: Source, numbers: Ints, homes: Points, ledger: Ledger) -> Table:
    these, num = source.communities, source.communities.height
    size = dict(zip(source.census["district"], source.census["household_size"], strict=True))
    old = dict(zip(source.census["district"], source.census["pct_age_65plus"], strict=True))
    per_home = np.array([float(size[d]) for d in these["district"]])
    elderly = np.array([float(old[d]) / 100 for d in these["district"]])
    ledger.fill(COMMUNITIES, "households", "people / household size of the district", num)
    ledger.fill(COMMUNITIES, "elderly", "share of 65 and over in the district", num)
    ledger.fill(COMMUNITIES, "homebound", "0.3 % of people, an assumption", num)
    ledger.fill(COMMUNITIES, "zone", "all normal", num)
    return {
        "community_id": these["community_code"],
        "name": these["community"],
        "district": these["district"],
        "street": these["street"],
        "zone": ["普通"] * num,
        "population": numbers,
        "lat": homes.lat,
        "lng": homes.lng,
        "households": np.rint(numbers / per_home).astype(np.int64),
        "elderly": np.rint(numbers * elderly).astype(np.int64),
        "homebound": np.rint(numbers * HOMEBOUND_SHARE).astype(np.int64),
    }


def _site_table(sites: RealSites, ledger: Ledger) -> Table:
    ground = np.maximum(LEAST_GROUND_M, GROUND_PER_LANE_M * sites.lanes)
    ledger.fill(SITES, "queue_length_m", "200 m, or 20 m per lane where more", len(ground))
    return {
        "site_id": [row["site_id"] for row in sites.rows],
        "name": [row["name"] for row in sites.rows],
        "district": [row["district"] for row in sites.rows],
        "address": [row["address"] for row in sites.rows],
        "lat": sites.points.lat,
        "lng": sites.points.lng,
        "lanes": sites.lanes,
        "queue_length_m": ground,
        "hours": [hours_text(w) for w in sites.windows],
    }


def _lab_table(labs: RealLabs) -> Table:
    return {
        "lab_id": labs.ids,
        "name": labs.names,
        "lat": labs.points.lat,
        "lng": labs.points.lng,
        "tubes_per_hour": labs.tubes_per_hour,
        "processing_min": labs.processing_min,
        "hours": ["00:00-24:00"] * len(labs.ids),
    }


def _round_text(source: Source, total: int, days: int) -> str:
    heading = (
        f"{source.city}: real lists of communities, sampling sites and institutions, for "
        f"{total:,} people.\nWhat the lists lack was filled by rules: see the report of "
        "scripts/real_city.py and its docstring.\nLane counts, grounds, populations of communities "
        "and lab rates are ASSUMPTIONS (推算值), not published figures."
    )
    values = {
        ("round", "id"): f"real-{source.city_code}-r1",
        ("round", "name"): f"{source.city}全员核酸检测（真实名录，推算容量）",
        ("round", "start"): "2020-12-22T06:00",
        ("round", "end"): f"2020-12-{21 + days}T22:00",
        ("blocks", "max_people"): BLOCK_PEOPLE,
    }
    return round_text(heading, values)
