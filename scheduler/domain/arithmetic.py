"""The arithmetic of a round, before any plan: what is needed and what is there.

Pure functions of an instance. Needs are lower bounds (tubes fill up only in the best case) and
what is there are upper bounds (labs get tubes from their nearest site), so a shortage shown here
is real, while no shortage promises nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scheduler.domain.city import Flags, Floats, Ints, Window
from scheduler.domain.instance import Instance

_EARTH_RADIUS_KM = 6371.0088
# The third national guide: 2,000-3,000 people per site, samplers = population / 360. The Health
# Commission on 13 May 2022: 600-800 people per sampling table.
_PEOPLE_PER_SITE = (3000, 2000)
_PEOPLE_PER_LANE = (800, 600)
_PEOPLE_PER_SAMPLER = 360


@dataclass(frozen=True)
class Needs:
    """Needs of one district, or of the city, against what it has."""

    district: str
    communities: int
    people: int
    home_visits: int
    tubes: int
    tubes_by_pool_size: dict[int, int]
    lane_hours_needed: float
    lane_hours_there: float
    tubes_share: float  # of the city's tubes
    sites: int
    sites_by_guide: tuple[int, int]
    lanes: int
    lanes_by_guide: tuple[int, int]
    samplers_by_guide: int


@dataclass(frozen=True)
class LabArithmetic:
    """What the city's labs can do within the promise."""

    tubes_needed: int
    tubes_there: int  # that can be started in time for the promise
    tubes_per_hour: int
    people_needed: int
    people_bound: int  # fluid bound over the days of the round
    people_bound_per_day: tuple[int, ...]
    window_hours_per_day: tuple[float, ...]
    slack_hours: float  # promise - transport - lab cycle, mean weighted by tubes per hour


@dataclass(frozen=True)
class RoundArithmetic:
    """The arithmetic of a round, per district and for the city."""

    districts: tuple[Needs, ...]
    city: Needs
    labs: LabArithmetic


def target_people(population: Ints, participation: Floats) -> Ints:
    """Return people to be sampled of each community: population x participation, half to even."""
    people: Ints = np.rint(population * participation).astype(np.int64)
    return people


def round_arithmetic(instance: Instance) -> RoundArithmetic:
    """Return needs and means of every district, of the city and of its labs."""
    names = list(dict.fromkeys([*instance.communities.districts, *instance.sites.districts]))
    slots = open_slots(instance)
    every = np.ones(len(instance.communities), dtype=bool), np.ones(len(instance.sites), dtype=bool)
    parts = [
        (instance.communities.districts == name, instance.sites.districts == name) for name in names
    ]
    total = sum(sum(_tubes_by_pool(instance, here).values()) for here, _ in parts)
    districts = tuple(
        _needs(instance, name, part, (slots, total))
        for name, part in zip(names, parts, strict=True)
    )
    city = _sum_of_tubes(_needs(instance, "", every, (slots, total)), districts)
    return RoundArithmetic(districts, city, _labs(instance, city.tubes))


def open_slots(instance: Instance) -> Ints:
    """Return the whole slots inside the round that each site is open, shape (sites,)."""
    slots: Ints = _slot_flags(instance).sum(axis=1, dtype=np.int64)
    return slots[_hours_index(instance)[1]]


def lab_round_tubes(instance: Instance) -> Ints:
    """Return tubes that each lab can start in time for the promise, shape (labs,).

    A clock hour counts whole as soon as a tube of any wave, coming from the nearest site, may
    start in it, be inside the lab's hours and be reported within the promise.
    """
    hours = _clock_hours(instance)
    usable = _usable_hours(instance, hours)
    dates = np.array([instance.clock.at(int(h)).toordinal() for h in hours])
    labs, tubes = instance.labs, np.zeros(len(instance.labs), dtype=np.int64)
    for date in np.unique(dates):
        daily = usable[:, dates == date].sum(axis=1) * labs.tubes_per_hour
        capped = np.minimum(daily, labs.max_tubes_per_day)
        tubes += np.where(labs.max_tubes_per_day >= 0, capped, daily)
    return tubes


def travel_to_labs(instance: Instance) -> Ints:
    """Return courier minutes[site, lab], handling included; ``travel.csv`` before distance."""
    travel, sites, labs = instance.settings.travel, instance.sites, instance.labs
    a, b = np.radians(sites.lat)[:, None], np.radians(labs.lat)[None, :]
    span = np.radians(labs.lng)[None, :] - np.radians(sites.lng)[:, None]
    half = np.sin((a - b) / 2) ** 2 + np.cos(a) * np.cos(b) * np.sin(span / 2) ** 2
    km = 2 * _EARTH_RADIUS_KM * np.arcsin(np.sqrt(half))
    driven = np.ceil(km * travel.detour / travel.speed_kmh * 60 + travel.handling_min)
    listed = instance.travel_min
    minutes: Ints = np.where(listed >= 0, listed + travel.handling_min, driven).astype(np.int64)
    return minutes


def _needs(
    instance: Instance, name: str, part: tuple[Flags, Flags], about: tuple[Ints, int]
) -> Needs:
    communities, sites = part
    slots, city_tubes = about
    blocks = communities[instance.blocks.community_index]
    called = int(instance.demand[blocks].sum())
    people = int(instance.blocks.people[blocks].sum())
    by_pool = _tubes_by_pool(instance, communities)
    rate = instance.settings.sites.people_per_lane_hour
    return Needs(
        district=name,
        communities=int(communities.sum()),
        people=people,
        home_visits=people - called,
        tubes=sum(by_pool.values()),
        tubes_by_pool_size=by_pool,
        lane_hours_needed=called / rate,
        lane_hours_there=float(_lane_hours(instance, slots)[sites].sum()),
        tubes_share=sum(by_pool.values()) / city_tubes if city_tubes else 0.0,
        sites=int(sites.sum()),
        sites_by_guide=_guide(people, _PEOPLE_PER_SITE),
        lanes=int(instance.sites.lanes[sites].sum()),
        lanes_by_guide=_guide(people, _PEOPLE_PER_LANE),
        samplers_by_guide=round(people / _PEOPLE_PER_SAMPLER),
    )


def _sum_of_tubes(city: Needs, districts: tuple[Needs, ...]) -> Needs:
    """Return the city's needs with tubes that are the sum of its districts'."""
    sizes = {size for part in districts for size in part.tubes_by_pool_size}
    by_pool = {
        size: sum(part.tubes_by_pool_size.get(size, 0) for part in districts)
        for size in sorted(sizes)
    }
    changed = {"tubes": sum(by_pool.values()), "tubes_by_pool_size": by_pool, "tubes_share": 1.0}
    return Needs(**(vars(city) | changed))


def _guide(people: int, per: tuple[int, int]) -> tuple[int, int]:
    return round(people / per[0]), round(people / per[1])


def _tubes_by_pool(instance: Instance, communities: Flags) -> dict[int, int]:
    """Return the fewest tubes by people per tube: a tube holds people of one zone."""
    blocks = communities[instance.blocks.community_index]
    people = np.bincount(instance.block_zone[blocks], instance.demand[blocks], minlength=4)
    tubes: dict[int, int] = {}
    for size, count in zip(instance.settings.pooling.by_zone(), people, strict=True):
        if count:
            tubes[size] = tubes.get(size, 0) + -(-int(count) // size)
    return dict(sorted(tubes.items()))


def _lane_hours(instance: Instance, slots: Ints) -> Floats:
    """Return planned lane-hours of each site, in hours of a lane at the usual rate."""
    hours = slots * (instance.settings.round.slot_minutes / 60)
    pace = instance.sites.people_per_lane_hour / instance.settings.sites.people_per_lane_hour
    lane_hours: Floats = instance.sites.lanes * hours * pace * instance.settings.targets.max_load
    return lane_hours


def _hours_index(instance: Instance) -> tuple[list[tuple[Window, ...]], Ints]:
    """Return the distinct opening hours of sites, and which of them each site has."""
    distinct = {hours: place for place, hours in enumerate(dict.fromkeys(instance.sites.hours))}
    index = np.fromiter((distinct[h] for h in instance.sites.hours), np.int64, len(instance.sites))
    return list(distinct), index


def _slot_flags(instance: Instance) -> Flags:
    """Return open[distinct hours, slot]: the slot lies whole inside one window."""
    clock, slot = instance.clock, instance.settings.round.slot_minutes
    distinct, _ = _hours_index(instance)
    flags = np.zeros((len(distinct), clock.num_slots), dtype=bool)
    for place, hours in enumerate(distinct):
        for begin, end in clock.windows(hours, 0, clock.end_min):
            flags[place, -(-max(begin, 0) // slot) : max(end, 0) // slot] = True
    return flags


def _open_waves(instance: Instance) -> Ints:
    """Return the waves in which some site is open."""
    slots = np.flatnonzero(_slot_flags(instance).any(axis=0))
    waves: Ints = np.unique(slots // instance.clock.slots_per_wave)
    return waves


def _clock_hours(instance: Instance) -> Ints:
    """Return begins of clock hours, in minutes of the round, until the last promise ends."""
    end = instance.clock.end_min + int(instance.settings.targets.result_hours * 60)
    end += instance.settings.round.wave_minutes
    return np.arange(-instance.clock.start.minute, end, 60, dtype=np.int64)


def _usable_hours(instance: Instance, hours: Ints) -> Flags:
    """Return usable[lab, hour]."""
    wave_minutes = instance.settings.round.wave_minutes
    begins = _open_waves(instance)[:, None] * wave_minutes
    promise = instance.settings.targets.result_hours * 60
    nearest = _nearest_travel(instance)
    usable = np.zeros((len(instance.labs), len(hours)), dtype=bool)
    last = int(hours[-1]) + 60
    for lab, windows in enumerate(instance.labs.hours):
        arrival = begins + wave_minutes + nearest[lab]
        deadline = begins + promise - instance.labs.processing_min[lab]
        for opening, closing in instance.clock.windows(windows, 0, last):
            begin = np.maximum(np.maximum(arrival, hours[None, :]), opening)
            fits = (begin <= deadline) & (begin < hours[None, :] + 60) & (begin < closing)
            usable[lab] |= fits.any(axis=0)
    return usable


def _nearest_travel(instance: Instance) -> Ints:
    """Return minutes to each lab from its nearest site, shape (labs,)."""
    if not len(instance.sites):
        return np.zeros(len(instance.labs), dtype=np.int64)
    nearest: Ints = travel_to_labs(instance).min(axis=0)
    return nearest


def _labs(instance: Instance, tubes_needed: int) -> LabArithmetic:
    labs = instance.labs
    cycle = _nearest_travel(instance) + labs.processing_min
    slack = instance.settings.targets.result_hours - cycle / 60
    windows = _window_hours(instance)
    called = int(instance.demand.sum())
    fluid_tubes = float((instance.demand / instance.block_pool).sum())
    pool = called / fluid_tubes if fluid_tubes else 1.0
    days = tuple(int(pool * _fluid_tubes(instance, hours, slack)) for hours in windows)
    rate = int(labs.tubes_per_hour.sum())
    return LabArithmetic(
        tubes_needed=tubes_needed,
        tubes_there=int(lab_round_tubes(instance).sum()),
        tubes_per_hour=rate,
        people_needed=called,
        people_bound=sum(days),
        people_bound_per_day=days,
        window_hours_per_day=windows,
        slack_hours=float((slack * labs.tubes_per_hour).sum()) / rate if rate else 0.0,
    )


def _window_hours(instance: Instance) -> tuple[float, ...]:
    """Return hours in which some site is open, for each local date that has any."""
    slot = instance.settings.round.slot_minutes
    slots = np.flatnonzero(_slot_flags(instance).any(axis=0))
    dates = np.array([instance.clock.at(int(s) * slot).toordinal() for s in slots], dtype=np.int64)
    _, counts = np.unique(dates, return_counts=True)
    return tuple(float(count) * slot / 60 for count in counts)


def _fluid_tubes(instance: Instance, window_hours: float, slack_hours: Floats) -> float:
    """Return tubes of one day in time: mu x (W + s), at most 24 mu or the daily limit."""
    labs = instance.labs
    tubes = labs.tubes_per_hour * np.clip(window_hours + slack_hours, 0, 24)
    capped = np.minimum(tubes, labs.max_tubes_per_day)
    return float(np.where(labs.max_tubes_per_day >= 0, capped, tubes).sum())
