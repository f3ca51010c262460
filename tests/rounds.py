"""Random rounds, built as columns without files, for property tests and comparisons."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from scheduler.domain.city import (
    DEDICATED,
    FIXED,
    MOBILE,
    Blocks,
    Communities,
    Labs,
    Sites,
    Window,
)
from scheduler.domain.instance import Instance
from scheduler.domain.settings import (
    PoolingSettings,
    RoundSettings,
    Settings,
    SiteSettings,
    TargetSettings,
    Zone,
)


@dataclass(frozen=True)
class Recipe:
    """What a random round looks like."""

    num_communities: int = 6
    blocks_per_community: int = 4
    num_sites: int = 5
    num_labs: int = 2
    hours: float = 8
    days: int = 1
    span_km: float = 6.0
    people: tuple[int, int] = (40, 120)
    lanes: tuple[int, int] = (1, 4)
    lab_slack: float = 1.3
    special: bool = True
    split_hours: bool = False
    pools: tuple[int, int, int, int] = (1, 10, 10, 10)
    wave_minutes: int = 60
    result_hours: float = 6.0
    tubes_per_hour: int | None = None
    start: datetime = datetime(2020, 12, 22, 6)  # noqa: DTZ001  # local time by rule
    timezone: str = "Asia/Shanghai"
    slot_minutes: int = 15
    odd_end_min: int = 0  # minutes by which the round's end lies off the hour
    site_hours: tuple[tuple[Window, ...], ...] = ()  # taken in turn; empty: the hours above
    lab_hours: tuple[tuple[Window, ...], ...] = (((0, 1440),),)  # taken in turn
    lab_pools: tuple[tuple[int, ...], ...] = ((),)  # taken in turn
    lab_day_share: float | None = None  # daily limit over tubes_per_hour x 24
    max_holding_min: int = 240
    max_walk_m: int = 3000
    cross_district: bool = True
    clearing_min: int = 30
    max_homebound: int = 2
    known_travel: float = 0.0  # share of (site, lab) with minutes of their own
    empty_communities: int = 0
    queue_length_m: float = 200.0
    zone_sites: bool = False  # some fixed sites accept some zones only


def _texts(values: list[str]) -> np.ndarray:
    return np.array(values, dtype=object)


def random_instance(seed: int, recipe: Recipe | None = None) -> Instance:
    """Return a seeded random round."""
    recipe = recipe or Recipe()
    rng = np.random.default_rng(seed)
    communities = _communities(rng, recipe)
    blocks = _blocks(rng, recipe, communities)
    settings = _settings(seed, recipe)
    sites = _sites(rng, recipe, communities)
    labs = _labs(rng, recipe, int(blocks.people.sum()))
    return Instance(
        settings=settings,
        communities=communities,
        blocks=blocks,
        sites=sites,
        labs=labs,
        travel_min=_travel(rng, recipe),
        inputs_sha256="0" * 64,
        has_blocks_file=True,
    )


def _settings(seed: int, recipe: Recipe) -> Settings:
    length = timedelta(days=recipe.days - 1, hours=recipe.hours, minutes=recipe.odd_end_min)
    return Settings(
        round=RoundSettings(
            id=f"random-{seed}",
            timezone=recipe.timezone,
            start=recipe.start,
            end=recipe.start + length,
            slot_minutes=recipe.slot_minutes,
            wave_minutes=recipe.wave_minutes,
        ),
        pooling=PoolingSettings(
            lockdown=recipe.pools[0],
            control=recipe.pools[1],
            precaution=recipe.pools[2],
            normal=recipe.pools[3],
        ),
        targets=TargetSettings(
            result_hours=recipe.result_hours,
            max_holding_min=recipe.max_holding_min,
            max_walk_m=recipe.max_walk_m,
            cross_district=recipe.cross_district,
        ),
        sites=SiteSettings(clearing_min=recipe.clearing_min),
    )


def _travel(rng: np.random.Generator, recipe: Recipe) -> np.ndarray:
    shape = (recipe.num_sites, recipe.num_labs)
    none = np.full(shape, -1, dtype=np.int64)
    if not recipe.known_travel:
        return none
    known = rng.random(shape) < recipe.known_travel
    return np.where(known, rng.integers(0, 90, shape), none)


def _points(rng: np.random.Generator, count: int, span_km: float) -> tuple[np.ndarray, np.ndarray]:
    centre_lat, centre_lng = 38.9, 121.6
    span = span_km / 111.0
    return (
        centre_lat + rng.uniform(-0.5, 0.5, count) * span,
        centre_lng + rng.uniform(-0.5, 0.5, count) * span / np.cos(np.radians(centre_lat)),
    )


def _communities(rng: np.random.Generator, recipe: Recipe) -> Communities:
    count = recipe.num_communities
    lat, lng = _points(rng, count, recipe.span_km)
    zone = np.full(count, Zone.NORMAL, dtype=np.int64)
    if recipe.special and count >= 4:
        zone[:3] = [Zone.LOCKDOWN, Zone.CONTROL, Zone.PRECAUTION]
    return Communities(
        ids=_texts([f"C{c:05d}" for c in range(count)]),
        names=_texts([f"community {c}" for c in range(count)]),
        districts=_texts([f"D{c * 3 // count}" for c in range(count)]),
        streets=_texts([f"S{c}" for c in range(count)]),
        zone=zone,
        population=np.zeros(count, dtype=np.int64),
        lat=lat,
        lng=lng,
        households=np.full(count, -1),
        elderly=np.full(count, -1),
        homebound=rng.integers(0, recipe.max_homebound + 1, count),
        participation=np.ones(count),
    )


def _blocks(rng: np.random.Generator, recipe: Recipe, communities: Communities) -> Blocks:
    per, count = recipe.blocks_per_community, recipe.num_communities * recipe.blocks_per_community
    community = np.repeat(np.arange(recipe.num_communities), per)
    people = rng.integers(recipe.people[0], recipe.people[1] + 1, count)
    people[community < recipe.empty_communities] = 0
    home = np.zeros(count, dtype=np.int64)
    home[::per] = np.minimum(communities.homebound, people[::per])
    np.add.at(communities.population, community, people)
    names = [f"{communities.ids[c]}-{i % per + 1:03d}" for i, c in enumerate(community)]
    jitter = 0.15 / 111
    return Blocks(
        ids=_texts(names),
        names=_texts([f"building {i}" for i in range(count)]),
        community_index=community,
        people=people,
        home_visits=home,
        households=np.full(count, -1),
        elderly=(people * rng.uniform(0.05, 0.35, count)).astype(np.int64),
        lat=communities.lat[community] + rng.normal(0, jitter, count),
        lng=communities.lng[community] + rng.normal(0, jitter, count),
    )


def _sites(rng: np.random.Generator, recipe: Recipe, communities: Communities) -> Sites:
    count = recipe.num_sites
    lat, lng = _points(rng, count, recipe.span_km)
    kinds = [FIXED] * count
    named: list[tuple[int, ...]] = [()] * count
    if recipe.special and recipe.num_communities >= 4 and count >= 3:
        kinds[0], named[0] = MOBILE, (0,)
        lat[0], lng[0] = communities.lat[0], communities.lng[0]
        if count >= 5:
            kinds[1], named[1] = DEDICATED, (1, 3)
    accepts = np.ones((count, len(Zone)), dtype=bool)
    accepts[[kind == FIXED for kind in kinds], Zone.LOCKDOWN] = False
    if recipe.zone_sites:
        some = np.array(kinds) == FIXED
        accepts[some, Zone.CONTROL] = rng.random(int(some.sum())) < 0.5
        accepts[some, Zone.NORMAL] = rng.random(int(some.sum())) < 0.8
    hours = _hours(recipe)
    return Sites(
        ids=_texts([f"L{i:04d}" for i in range(count)]),
        names=_texts([f"site {i}" for i in range(count)]),
        districts=_texts([f"D{i % 3}" for i in range(count)]),
        addresses=_texts([""] * count),
        lat=lat,
        lng=lng,
        lanes=rng.integers(recipe.lanes[0], recipe.lanes[1] + 1, count),
        queue_length_m=np.full(count, recipe.queue_length_m),
        people_per_lane_hour=np.full(count, 60.0),
        hours=tuple(hours[i % len(hours)] for i in range(count)),
        accepts=accepts,
        kinds=_texts(kinds),
        community_indices=tuple(named),
    )


def _hours(recipe: Recipe) -> list[tuple[Window, ...]]:
    """Return opening hours that sites take in turn."""
    if recipe.site_hours:
        return list(recipe.site_hours)
    begin = recipe.start.hour * 60 + recipe.start.minute
    opening = (begin, begin + min(1440, int(recipe.hours * 60)))
    middle = (opening[0] + opening[1]) // 2 // 15 * 15
    halves = ((opening[0], middle - 30), (middle + 30, opening[1]))
    return [(opening,), halves] if recipe.split_hours else [(opening,)]


def _labs(rng: np.random.Generator, recipe: Recipe, people: int) -> Labs:
    count = recipe.num_labs
    lat, lng = _points(rng, count, recipe.span_km)
    share = rng.dirichlet(np.full(count, 5.0))
    per_hour = people / 10 / (recipe.hours + 1) / recipe.days * recipe.lab_slack
    if recipe.tubes_per_hour is None:
        rate = np.maximum(1, np.ceil(share * per_hour)).astype(np.int64)
    else:
        rate = np.full(count, recipe.tubes_per_hour, dtype=np.int64)
    daily = np.full(count, -1)
    if recipe.lab_day_share is not None:
        daily = np.maximum(1, (rate * 24 * recipe.lab_day_share).astype(np.int64))
    return Labs(
        ids=_texts([f"H{i:02d}" for i in range(count)]),
        names=_texts([f"lab {i}" for i in range(count)]),
        lat=lat,
        lng=lng,
        tubes_per_hour=rate,
        processing_min=rng.choice([150, 180, 240], count).astype(np.int64),
        hours=tuple(recipe.lab_hours[i % len(recipe.lab_hours)] for i in range(count)),
        max_tubes_per_day=daily,
        batch_tubes=np.full(count, 94),
        pool_sizes=tuple(recipe.lab_pools[i % len(recipe.lab_pools)] for i in range(count)),
    )
