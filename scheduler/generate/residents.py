"""Made-up communities and blocks that add up to the figures."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scheduler.domain.city import Floats, Ints, Texts
from scheduler.domain.settings import Zone
from scheduler.generate.figures import CityFigures, DistrictFigures, ZoneFigures
from scheduler.generate.names import place_names
from scheduler.generate.places import Points, distance_km, in_disc, scattered, shrunk
from scheduler.generate.shares import split_groups, split_whole

SMALLEST_COMMUNITY = 100
"""People below which a district is left out of a small city."""
PEOPLE_PER_BLOCK, LARGEST_BLOCK, SMALLEST_BLOCK = 245, 300, 50


@dataclass(frozen=True)
class MadeCommunities:
    """Communities as columns, sorted by district and street."""

    ids: Texts
    names: Texts
    district: Ints  # index into the districts used
    streets: Texts
    zone: Ints  # values of Zone
    people: Ints
    points: Points
    block_sigma_km: Floats
    homebound: Ints


@dataclass(frozen=True)
class MadeBlocks:
    """Blocks as columns, sorted by community."""

    ids: Texts
    names: Texts
    community: Ints
    people: Ints
    households: Ints
    elderly: Ints
    points: Points


@dataclass(frozen=True)
class Size:
    """How much of the city is made: its people, as a share and as a linear scale."""

    people: int
    share: float
    scale: float  # 1 at full size; distances shrink with the root of the share

    @classmethod
    def of(cls, figures: CityFigures, people: int | None) -> Size:
        """Return the size for a number of people, the published one by default."""
        wanted = figures.city.people if people is None else people
        share = wanted / figures.city.people
        return cls(wanted, share, min(1.0, float(np.sqrt(share))))


def districts_used(figures: CityFigures, size: Size) -> tuple[list[DistrictFigures], Ints]:
    """Return the districts large enough to hold a community at this size, and their people."""
    kept = list(figures.districts)
    while len(kept) > 1:
        people = split_whole(size.people, [d.people for d in kept])
        if people.min() >= SMALLEST_COMMUNITY:
            break
        kept.pop(int(people.argmin()))
    return kept, split_whole(size.people, [d.people for d in kept])


def make_communities(
    rng: np.random.Generator, figures: CityFigures, size: Size
) -> tuple[list[DistrictFigures], MadeCommunities]:
    """Return the districts used and their communities."""
    districts, people = districts_used(figures, size)
    wanted = max(len(districts), round(figures.num_communities * size.share))
    counts = split_whole(wanted, [d.communities + d.villages for d in districts], at_least=1)
    counts = np.clip(counts, 1, np.maximum(people // SMALLEST_COMMUNITY, 1))
    parts = [
        _of_district(rng, figures, d, (int(p), int(n)), size)
        for d, p, n in zip(districts, people, counts, strict=True)
    ]
    names, streets, numbers, lat, lng, sigma = (
        np.concatenate([part[i] for part in parts]) for i in range(6)
    )
    district = np.repeat(np.arange(len(districts)), counts)
    points = Points(lat.astype(float), lng.astype(float)).rounded()
    totals = numbers.astype(np.int64)
    ids = _ids(f"{figures.city.prefix}-C", len(totals))
    zone = _zones(figures.zones, [d.name for d in districts], district, points, size)
    homebound = rng.binomial(totals, figures.city.homebound_share)
    made = MadeCommunities(
        ids, names, district, streets, zone, totals, points, sigma.astype(float), homebound
    )
    return districts, made


def _of_district(
    rng: np.random.Generator,
    figures: CityFigures,
    district: DistrictFigures,
    people_and_count: tuple[int, int],
    size: Size,
) -> tuple[Texts, Texts, Ints, Floats, Floats, Floats]:
    people, count = people_and_count
    whole = district.communities + district.villages
    # Where the census counts everybody as urban, the villages are urban communities too.
    town = 1.0 if district.urban_share >= 1 else district.communities / whole
    urban = min(count, max(1, round(count * town)))
    num_streets = min(count, max(1, round(district.streets * size.scale**2)))
    urban_streets = min(urban, num_streets, max(1, round(num_streets * district.urban_share)))
    rural = count - urban
    rural_streets = min(rural, max(num_streets - urban_streets, 1)) if rural else 0
    urban_people = round(people * district.urban_share) if rural else people
    city = figures.districts[0].centre
    kinds = [
        (urban, urban_streets, urban_people, district.centre, district.urban_km),
        (rural, rural_streets, people - urban_people, district.rural_centre, district.rural_km),
    ]
    street_names = place_names(
        rng, urban_streets + rural_streets, _repeat("街道", urban_streets, "镇", rural_streets)
    )
    names = place_names(rng, count, _repeat("社区", urban, "村", rural))
    streets, numbers, lat, lng, sigma, named = [], [], [], [], [], 0
    for num, num_str, total, centre, km in kinds:
        if not num:
            continue
        reach = km * size.scale
        middles = in_disc(rng, shrunk(centre, city, size.scale), reach, num_str)
        of_street = np.sort(np.arange(num) % num_str)
        spread = 0.6 * reach / np.sqrt(num_str)
        points = scattered(rng, middles[of_street], spread)
        weights = np.clip(rng.lognormal(0.0, 0.35, num), 0.45, 2.2)
        numbers.append(split_whole(total, weights, at_least=SMALLEST_BLOCK))
        streets.append(street_names[named : named + num_str][of_street])
        lat.append(points.lat)
        lng.append(points.lng)
        sigma.append(np.full(num, np.clip(0.3 * reach * np.sqrt(np.pi / num), 0.08, 0.9)))
        named += num_str
    return (
        names,
        np.concatenate(streets),
        np.concatenate(numbers),
        np.concatenate(lat),
        np.concatenate(lng),
        np.concatenate(sigma),
    )


def _repeat(one: str, num_one: int, other: str, num_other: int) -> Texts:
    return np.array([one] * num_one + [other] * num_other, dtype=object)


def _ids(prefix: str, count: int) -> Texts:
    width = max(4, len(str(count)))
    return np.array([f"{prefix}{i + 1:0{width}d}" for i in range(count)], dtype=object)


def _zones(
    figures: ZoneFigures, names: list[str], district: Ints, points: Points, size: Size
) -> Ints:
    """Lay the zones around one community: lockdown inmost, precaution outmost."""
    zone = np.full(len(district), int(Zone.NORMAL))
    if figures.district not in names:
        return zone
    least = int(size.people >= 50_000)
    wanted = [
        (Zone.LOCKDOWN, round(figures.lockdown * min(size.share, 1))),
        (Zone.CONTROL, max(least, round(figures.control * min(size.share, 1)))),
        (Zone.PRECAUTION, max(least, round(figures.precaution * min(size.share, 1)))),
    ]
    local = np.flatnonzero(district == names.index(figures.district))
    heart = points[local[:1]]
    near = local[np.argsort(distance_km(heart, points[local]), kind="stable")]
    taken = 0
    for which, count in wanted:
        zone[near[taken : taken + count]] = int(which)
        taken += count
    return zone


def make_blocks(
    rng: np.random.Generator, districts: list[DistrictFigures], made: MadeCommunities
) -> MadeBlocks:
    """Cut communities into blocks of 50 to 300 people, each with its own point."""
    counts = np.maximum(
        np.rint(made.people / PEOPLE_PER_BLOCK), np.ceil(made.people / (LARGEST_BLOCK - 10))
    ).astype(np.int64)
    community = np.repeat(np.arange(len(counts)), counts)
    weights = np.clip(rng.normal(1.0, 0.18, len(community)), 0.3, 1.2)
    people = split_groups(made.people, community, weights)
    even = split_groups(made.people, community, np.ones(len(community)))
    wrong = np.bincount(
        community[(people > LARGEST_BLOCK) | (people < SMALLEST_BLOCK)], minlength=len(counts)
    )
    people = np.where(wrong[community] > 0, even, people)
    share = np.array([d.elderly_share for d in districts])[made.district]
    of_community = np.clip(share * rng.normal(1.0, 0.15, len(counts)), 0.02, 0.6)
    size = np.array([d.household_size for d in districts])[made.district][community]
    households = np.clip(np.rint(people / size + rng.normal(0, 2, len(people))), 1, people)
    nth = np.arange(len(community)) - (np.cumsum(counts) - counts)[community]
    ids = np.array(
        [f"{c}-{i + 1:03d}" for c, i in zip(made.ids[community], nth, strict=True)], dtype=object
    )
    return MadeBlocks(
        ids,
        np.array([f"第{i + 1}网格" for i in nth], dtype=object),
        community,
        people,
        households.astype(np.int64),
        rng.binomial(people, of_community[community]),
        scattered(rng, made.points[community], made.block_sigma_km[community]).rounded(),
    )
