"""What a synthetic city is made of."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from scheduler.domain.choices import CITIES
from scheduler.domain.settings import Zone
from scheduler.errors import CannotRunError
from scheduler.generate.city import SyntheticCity, make_city
from scheduler.generate.places import distance_km

PUBLISHED = {"dalian": 6_379_000, "harbin": 4_517_549, "dazu": 834_522, "shanghai": 25_665_000}


@cache
def made(city: str, people: int | None = None) -> SyntheticCity:
    return make_city(city, people, 1)


@pytest.mark.parametrize("city", CITIES)
def test_people_add_up_to_the_published_figure(city: str) -> None:
    """Rule: communities and blocks add up to the published people exactly."""
    it = made(city)
    assert it.communities.people.sum() == PUBLISHED[city]
    sums = np.bincount(it.blocks.community, it.blocks.people).astype(int)
    assert sums.tolist() == it.communities.people.tolist()


@pytest.mark.parametrize("city", CITIES)
def test_blocks_hold_50_to_300_people(city: str) -> None:
    """Rule: a block has 50 to 300 people, of whom households and elderly are a part."""
    blocks = made(city).blocks
    assert blocks.people.min() >= 50
    assert blocks.people.max() <= 300
    assert (blocks.elderly <= blocks.people).all()
    assert (blocks.households >= 1).all()
    assert (blocks.households <= blocks.people).all()


def test_dalian_counts() -> None:
    """Rule: Dalian has 10 districts, 152 streets and about the ordered numbers of all else."""
    it = made("dalian")
    these = it.communities
    assert len(it.districts) == 10
    assert len(these.ids) == pytest.approx(1740, abs=5)
    assert len(set(zip(these.district.tolist(), these.streets, strict=True))) == 152
    assert len(it.blocks.ids) >= 25_000
    assert len(it.sites.ids) == pytest.approx(2550, abs=10)
    assert len(it.labs.tubes_per_hour) == 60


def test_dalian_zones_and_teams() -> None:
    """Rule: two lockdown, eight control, four precaution; two teams for each lockdown community."""
    it = made("dalian")
    counts = np.bincount(it.communities.zone, minlength=4)
    assert counts.tolist() == [2, 8, 4, len(it.communities.ids) - 14]
    locked = it.communities.ids[it.communities.zone == int(Zone.LOCKDOWN)]
    mobile = it.sites.kinds == "mobile"
    assert sorted(it.sites.community_ids[mobile]) == sorted([*locked, *locked])
    assert set(it.sites.zones[mobile]) == {"lockdown"}
    assert set(it.sites.zones[~mobile]) == {"control;precaution;normal"}


def test_dalian_ages_and_households_follow_the_census() -> None:
    """Rule: 16.87 % are 65 and over, 2.29 people per household, within sampling noise."""
    blocks = made("dalian").blocks
    assert blocks.elderly.sum() / blocks.people.sum() == pytest.approx(0.1687, abs=0.003)
    assert blocks.people.sum() / blocks.households.sum() == pytest.approx(2.29, abs=0.02)


def test_people_walk_little_in_the_core_and_some_kilometres_at_most_in_the_country() -> None:
    """Rule: half of the core's blocks have a site within 400 m, 99 % of all within 6 km."""
    it = made("dalian")
    points, sites = it.blocks.points, it.sites.points
    rng = np.random.Generator(np.random.PCG64(0))
    sample = rng.choice(len(points.lat), 800, replace=False)
    nearest = np.array(
        [distance_km(points[np.full(len(sites.lat), b)], sites).min() for b in sample]
    )
    core = it.communities.district[it.blocks.community[sample]] < 4
    assert np.median(nearest[core]) < 0.4
    assert np.quantile(nearest, 0.99) < 6


def test_labs_are_six_per_cent_above_the_need() -> None:
    """Rule: tubes per hour x usable hours are 1.06 x people / pool size, derived anew here."""
    it = made("dalian")
    pool = np.where(it.communities.zone == 0, 1, 10)
    needed = (it.communities.people / pool).sum()
    # First start 07:20 (wave of 06:00, picked up 07:00, 20 minutes of travel); last start is
    # six hours less processing after 21:00, the start of the last wave.
    last = 21 * 60 + 360 - it.labs.processing_min
    usable = 3 * (last - (7 * 60 + 20)) / 60
    capacity = (it.labs.tubes_per_hour * usable).sum()
    assert capacity / needed == pytest.approx(1.06, abs=0.001)


def test_every_district_has_its_share_of_lab_capacity() -> None:
    """Rule: labs stand where people are: each area's capacity is near its share of the tubes."""
    it = made("dalian")
    area = np.array([d.lab_area for d in it.districts])[it.communities.district]
    of_lab = area[it.labs.community]
    tubes = it.communities.people / np.where(it.communities.zone == 0, 1, 10)
    usable = 3 * (1260 + 360 - it.labs.processing_min - 440) / 60
    for name in set(area):
        capacity = (it.labs.tubes_per_hour * usable)[of_lab == name].sum()
        assert capacity >= 1.04 * tubes[area == name].sum()
        assert (of_lab == name).sum() >= 2


def test_labs_differ_from_a_hospital_to_more_than_a_thousand() -> None:
    """Rule: lab rates are as uneven as they are, and results take 150 to 240 minutes."""
    labs = made("dalian").labs
    assert labs.tubes_per_hour.min() < 100
    assert labs.tubes_per_hour.max() > 1000
    assert labs.processing_min.min() >= 150
    assert labs.processing_min.max() <= 240


@pytest.mark.parametrize("people", [1_000, 10_000, 50_000, 100_000, 1_000_000])
def test_smaller_cities_stay_sane(people: int) -> None:
    """Rule: everything shrinks with --people, three labs and the zones stay."""
    it = made("dalian", people)
    counts = np.bincount(it.communities.zone, minlength=4)
    assert it.communities.people.sum() == people
    assert len(it.labs.tubes_per_hour) >= 3
    assert len(it.sites.ids) == max(2, round(people / 2500))
    assert counts[1] >= int(people >= 50_000)
    assert counts[2] >= int(people >= 50_000)
    assert it.communities.people.min() >= 50


def test_seeds_differ() -> None:
    """Rule: another seed makes another city of the same size."""
    other = make_city("dalian", 100_000, 2)
    assert other.communities.people.tolist() != made("dalian", 100_000).communities.people.tolist()


def test_names_are_unique_in_a_district() -> None:
    """Rule: two communities of a district never share a name."""
    these = made("dalian").communities
    assert len(set(zip(these.district.tolist(), these.names, strict=True))) == len(these.ids)


def test_too_few_people_are_refused() -> None:
    """Rule: below a thousand people there is no city to make."""
    with pytest.raises(CannotRunError, match="at least 1000"):
        make_city("dalian", 999, 1)
