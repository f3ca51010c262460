"""Put a synthetic round together: communities, blocks, sites and labs of one city."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np

from scheduler.domain.city import Ints
from scheduler.errors import CannotRunError
from scheduler.generate.figures import CityFigures, DistrictFigures, load_ages, load_figures
from scheduler.generate.folder import check_free, write_folder
from scheduler.generate.headers import ZONE_CHINESE, Table
from scheduler.generate.labs import Demand, MadeLabs, Promise, make_labs, tubes_needed
from scheduler.generate.people import make_people
from scheduler.generate.residents import (
    MadeBlocks,
    MadeCommunities,
    Size,
    make_blocks,
    make_communities,
)
from scheduler.generate.round_file import round_text
from scheduler.generate.stations import MadeSites, make_sites

FEWEST_PEOPLE, FEWEST_LABS = 1_000, 3
PEOPLE_FOR_ALL_LAB_AREAS = 200_000
"""From this size on, each group of districts has a lab of its own."""


@dataclass(frozen=True)
class SyntheticCity:
    """A made-up city, ready to be written."""

    figures: CityFigures
    size: Size
    districts: list[DistrictFigures]
    communities: MadeCommunities
    blocks: MadeBlocks
    sites: MadeSites
    labs: MadeLabs


def make_city(city: str, people: int | None, seed: int) -> SyntheticCity:
    """Make up a city; the same arguments give the same city.

    Raises
    ------
    CannotRunError
        When the city is unknown or so few people make no city.
    """
    figures = load_figures(city)
    if people is not None and people < FEWEST_PEOPLE:
        raise CannotRunError(f"Expected --people of at least {FEWEST_PEOPLE}, got {people}")
    rng = np.random.Generator(np.random.PCG64(seed))
    size = Size.of(figures, people)
    districts, communities = make_communities(rng, figures, size)
    blocks = make_blocks(rng, districts, communities)
    sites = make_sites(rng, figures, communities, blocks)
    demand = Demand(
        tubes_needed(communities.people, communities.zone),
        communities.points,
        _lab_areas(districts)[communities.district],
    )
    count, headroom = _num_labs(figures, size, demand), figures.city.lab_headroom
    labs = make_labs(rng, demand, count, promise_of(figures), headroom)
    return SyntheticCity(figures, size, districts, communities, blocks, sites, labs)


def write_city(
    folder: Path, city: str, people: int | None, seed: int, *, residents: bool = False
) -> dict[str, int]:
    """Make up a city and write its round folder; return the rows of each CSV file.

    With ``residents``, its people too, one by one; the other files stay the same to the byte.

    Raises
    ------
    CannotRunError
        When the folder is not empty or cannot be written, or the city cannot be made.
    """
    check_free(folder)
    made = make_city(city, people, seed)
    tables: dict[str, Table] = {
        "communities.csv": _community_table(made),
        "blocks.csv": _block_table(made),
        "sites.csv": _site_table(made),
        "labs.csv": _lab_table(made),
    }
    if residents:
        tables["residents.csv"] = _resident_table(made, seed)
    return write_folder(folder, _round_text(made, city, seed), tables)


def promise_of(figures: CityFigures) -> Promise:
    """Return the daily window, days and promise of a city's round."""
    start, end = (datetime.fromisoformat(t) for t in (figures.city.start, figures.city.end))
    opens, closes = (
        int(clock[:2]) * 60 + int(clock[3:5]) for clock in figures.city.hours.split("-")
    )
    days = (end.date() - start.date()).days + 1
    return Promise(opens, closes, days, round(figures.city.result_hours * 60))


def _lab_areas(districts: list[DistrictFigures]) -> Ints:
    _, area = np.unique([d.lab_area for d in districts], return_inverse=True)
    result: Ints = area.astype(np.int64)
    return result


def _num_labs(figures: CityFigures, size: Size, demand: Demand) -> int:
    areas = len(np.unique(demand.area)) if size.people >= PEOPLE_FOR_ALL_LAB_AREAS else 0
    return max(FEWEST_LABS, areas, round(figures.city.labs * size.share))


def _round_text(made: SyntheticCity, city: str, seed: int) -> str:
    figures = made.figures.city
    heading = (
        "SYNTHETIC round (合成数据): no community, site or laboratory in this folder is real.\n"
        f"Made by `nat-scheduler init DIR --city {city} --people {made.size.people} --seed {seed}` "
        f"from published figures (configs/{city}.toml).\n"
        "With fewer people than the city has, distances shrink so that they live as densely."
    )
    values = {
        ("round", "id"): figures.round_id,
        ("round", "name"): figures.title,
        ("round", "start"): figures.start,
        ("round", "end"): figures.end,
        ("round", "synthetic"): True,
        ("targets", "result_hours"): figures.result_hours,
    }
    return round_text(heading, values)


def _community_table(made: SyntheticCity) -> Table:
    these, num = made.communities, len(made.communities.ids)
    households = np.bincount(made.blocks.community, made.blocks.households, num).astype(int)
    elderly = np.bincount(made.blocks.community, made.blocks.elderly, num).astype(int)
    return {
        "community_id": these.ids,
        "name": these.names,
        "district": _district_names(made, these.district),
        "street": these.streets,
        "zone": [ZONE_CHINESE[z] for z in these.zone],
        "population": these.people,
        "lat": these.points.lat,
        "lng": these.points.lng,
        "households": households,
        "elderly": elderly,
        "homebound": these.homebound,
    }


def _block_table(made: SyntheticCity) -> Table:
    these = made.blocks
    return {
        "block_id": these.ids,
        "community_id": made.communities.ids[these.community],
        "name": these.names,
        "people": these.people,
        "households": these.households,
        "lat": these.points.lat,
        "lng": these.points.lng,
        "elderly": these.elderly,
    }


def _site_table(made: SyntheticCity) -> Table:
    these = made.sites
    return {
        "site_id": these.ids,
        "name": these.names,
        "district": _district_names(made, these.district),
        "address": these.addresses,
        "lat": these.points.lat,
        "lng": these.points.lng,
        "lanes": these.lanes,
        "queue_length_m": these.queue_length_m,
        "hours": [made.figures.city.hours] * len(these.ids),
        "zones": these.zones,
        "kind": these.kinds,
        "community_ids": these.community_ids,
    }


def _lab_table(made: SyntheticCity) -> Table:
    these = made.labs
    districts = _district_names(made, made.communities.district[these.community])
    numbers = range(1, len(districts) + 1)
    return {
        "lab_id": [f"{made.figures.city.prefix}-L{n:03d}" for n in numbers],
        "name": [f"{d}第{n}核酸检测实验室" for d, n in zip(districts, numbers, strict=True)],
        "lat": these.points.lat,
        "lng": these.points.lng,
        "tubes_per_hour": these.tubes_per_hour,
        "processing_min": these.processing_min,
        "hours": ["00:00-24:00"] * len(districts),
        "batch_tubes": [94] * len(districts),
    }


def _resident_table(made: SyntheticCity, seed: int) -> Table:
    rng = np.random.Generator(np.random.PCG64([seed, 1]))  # apart from what the city was made by
    figures = made.figures.city
    year = datetime.fromisoformat(figures.start).year
    return make_people(
        rng, made.communities, made.blocks, prefix=figures.prefix, year=year, ages=load_ages()
    )


def _district_names(made: SyntheticCity, district: Ints) -> list[str]:
    return [made.districts[d].name for d in district]
