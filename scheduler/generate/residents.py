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
SMALLEST_VILLAGE = 1_000
PEOPLE_FOR_ALL_ZONES = 50_000
"""From this size on, a control and a precaution zone are there at least once each."""
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
        part
        for d, p, n in zip(districts, people, counts, strict=True)
        for part in _of_district(rng, d, (int(p), int(n)), _Frame(figures, size))
    ]
    district = np.repeat(np.arange(len(districts)), counts)
    lat = np.concatenate([part.points.lat for part in parts])
    points = Points(lat, np.concatenate([part.points.lng for part in parts])).rounded()
    totals = np.concatenate([part.people for part in parts])
    made = MadeCommunities(
        _ids(f"{figures.city.prefix}-C", len(totals)),
        np.concatenate([part.names for part in parts]),
        district,
        np.concatenate([part.streets for part in parts]),
        _zones(figures.zones, [d.name for d in districts], district, points, size),
        totals,
        points,
        np.concatenate([np.full(len(part.people), part.block_sigma_km) for part in parts]),
        rng.binomial(totals, figures.city.homebound_share),
    )
    return districts, made


@dataclass(frozen=True)
class _Frame:
    figures: CityFigures
    size: Size

    def place(self, centre: tuple[float, float]) -> tuple[float, float]:
        """Return where a district's centre lies at this size."""
        return shrunk(centre, self.figures.districts[0].centre, self.size.scale)


@dataclass(frozen=True)
class _Part:
    """The urban or the rural communities of a district."""

    names: Texts
    streets: Texts
    people: Ints
    points: Points
    block_sigma_km: float


def _of_district(
    rng: np.random.Generator,
    district: DistrictFigures,
    people_and_count: tuple[int, int],
    frame: _Frame,
) -> list[_Part]:
    people, count = people_and_count
    rural_people = round(people * (1 - district.urban_share))
    whole = district.communities + district.villages
    # Where the census counts village people as urban, those villages are urban communities too.
    rural = min(round(count * district.villages / whole), rural_people // SMALLEST_VILLAGE)
    urban = max(count - rural, 1)
    rural = count - urban
    num_streets = min(count, max(1, round(district.streets * frame.size.scale**2)))
    of_town = min(urban, num_streets, max(1, round(num_streets * district.urban_share)))
    of_land = min(rural, max(num_streets - of_town, 1))
    if not rural:
        of_town, rural_people = min(urban, num_streets), 0
    streets = place_names(rng, of_town + of_land, _endings("街道", of_town, "镇", of_land))
    names = place_names(rng, count, _endings("社区", urban, "村", rural))
    town = (frame.place(district.centre), district.urban_km * frame.size.scale)
    parts = [_part(rng, names[:urban], streets[:of_town], people - rural_people, town)]
    if rural:
        land = (frame.place(district.rural_centre), district.rural_km * frame.size.scale)
        parts.append(_part(rng, names[urban:], streets[of_town:], rural_people, land))
    return parts


def _part(
    rng: np.random.Generator,
    names: Texts,
    streets: Texts,
    people: int,
    disc: tuple[tuple[float, float], float],
) -> _Part:
    """Scatter streets over a disc, communities around streets, and people over communities."""
    count, (centre, km) = len(names), disc
    middles = in_disc(rng, centre, km, len(streets))
    of_street = np.sort(np.arange(count) % len(streets))
    points = scattered(rng, middles[of_street], 0.6 * km / np.sqrt(len(streets)))
    weights = np.clip(rng.lognormal(0.0, 0.35, count), 0.45, 2.2)
    sigma = float(np.clip(0.3 * km * np.sqrt(np.pi / count), 0.08, 0.9))
    numbers = split_whole(people, weights, at_least=SMALLEST_BLOCK)
    return _Part(names, streets[of_street], numbers, points, sigma)


def _endings(one: str, num_one: int, other: str, num_other: int) -> Texts:
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
    least = int(size.people >= PEOPLE_FOR_ALL_ZONES)
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
