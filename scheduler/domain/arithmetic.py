"""The arithmetic of a round, before any plan: what is needed and what is there.

Pure functions of an instance. Needs are lower bounds (tubes fill up only in the best case) and
what is there are upper bounds (labs get tubes from their nearest site), so a shortage shown here
is real, while no shortage promises nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from scheduler.domain.city import Flags, Floats, Ints
from scheduler.domain.instance import Instance
from scheduler.domain.lab_arithmetic import LabArithmetic, lab_arithmetic
from scheduler.domain.opening import open_slots, slots_of_city

# The third national guide: 2,000-3,000 people per site, samplers = population / 360. The Health
# Commission on 13 May 2022: 600-800 people per sampling table.
_PEOPLE_PER_SITE = (3000, 2000)
_PEOPLE_PER_LANE = (800, 600)
_PEOPLE_PER_SAMPLER = 360


@dataclass(frozen=True)
class Needs:
    """Needs of one district, or of the city, against what it has.

    Labs are the city's: a district has a share of them, in proportion to its tubes.
    """

    district: str
    communities: int
    people: int
    home_visits: int
    called: int  # people less home visits
    tubes: int
    tubes_by_pool_size: dict[int, int]
    lane_hours_needed: float
    lane_hours_there: float
    tubes_share: float  # of the city's tubes
    lab_tubes_there: int  # that can be started in time for the promise
    people_bound: int  # fluid bound over the days of the round
    sites: int
    sites_by_guide: tuple[int, int]
    lanes: int
    lanes_by_guide: tuple[int, int]
    samplers_by_guide: int


@dataclass(frozen=True)
class RoundArithmetic:
    """The arithmetic of a round, per district and for the city."""

    districts: tuple[Needs, ...]
    city: Needs
    labs: LabArithmetic
    slots: int  # in which some site is open
    city_people: int  # that may be called in a slot in the whole city, 0 without a limit


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
    labs = lab_arithmetic(instance, total)
    districts = tuple(
        _needs(instance, name, part, (slots, labs)) for name, part in zip(names, parts, strict=True)
    )
    city = _sum_of_tubes(_needs(instance, "", every, (slots, labs)), districts, labs)
    most = instance.settings.slots.city_people
    return RoundArithmetic(districts, city, labs, slots_of_city(instance), most)


def _needs(
    instance: Instance, name: str, part: tuple[Flags, Flags], about: tuple[Ints, LabArithmetic]
) -> Needs:
    communities, sites = part
    slots, labs = about
    blocks = communities[instance.blocks.community_index]
    called = int(instance.demand[blocks].sum())
    people = int(instance.blocks.people[blocks].sum())
    by_pool = _tubes_by_pool(instance, communities)
    share = sum(by_pool.values()) / labs.tubes_needed if labs.tubes_needed else 0.0
    rate = instance.settings.sites.people_per_lane_hour
    return Needs(
        district=name,
        communities=int(communities.sum()),
        people=people,
        home_visits=people - called,
        called=called,
        tubes=sum(by_pool.values()),
        tubes_by_pool_size=by_pool,
        lane_hours_needed=called / rate,
        lane_hours_there=float(_lane_hours(instance, slots)[sites].sum()),
        tubes_share=share,
        lab_tubes_there=int(labs.tubes_there * share),
        people_bound=labs.people_bound * called // max(labs.people_needed, 1),
        sites=int(sites.sum()),
        sites_by_guide=_guide(people, _PEOPLE_PER_SITE),
        lanes=int(instance.sites.lanes[sites].sum()),
        lanes_by_guide=_guide(people, _PEOPLE_PER_LANE),
        samplers_by_guide=round(people / _PEOPLE_PER_SAMPLER),
    )


def _sum_of_tubes(city: Needs, districts: tuple[Needs, ...], labs: LabArithmetic) -> Needs:
    """Return the city's needs with tubes that are the sum of its districts'."""
    sizes = {size for part in districts for size in part.tubes_by_pool_size}
    by_pool = {
        size: sum(part.tubes_by_pool_size.get(size, 0) for part in districts)
        for size in sorted(sizes)
    }
    tubes = sum(by_pool.values())
    return replace(
        city,
        tubes=tubes,
        tubes_by_pool_size=by_pool,
        tubes_share=1.0,
        lab_tubes_there=labs.tubes_there,
    )


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
