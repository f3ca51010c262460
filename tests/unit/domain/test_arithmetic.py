from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import numpy as np

from scheduler.domain.arithmetic import round_arithmetic, target_people
from scheduler.domain.instance import Instance
from scheduler.domain.lab_arithmetic import lab_round_tubes, travel_to_labs
from scheduler.domain.opening import open_slots
from scheduler.ingest.loader import load_instance
from tests.unit.ingest.folders import TINY


def tiny(**changes: object) -> Instance:
    return load_instance(TINY).replace(**changes)


def at(time: str) -> datetime:
    return datetime.fromisoformat(f"2020-12-22T{time}")


def test_target_people_rounds_half_to_even() -> None:
    """Population x participation, half to even."""
    people = target_people(np.array([25, 35, 121]), np.array([0.5, 0.5, 0.9]))
    assert people.tolist() == [12, 18, 109]


def test_open_slots_are_whole_slots_inside_windows() -> None:
    """Slots count from the round's start and lie whole inside window and round."""
    assert open_slots(tiny()).tolist() == [16 + 20, 40, 32]
    sites = tiny().sites
    hours = (((485, 719),), ((0, 1440),), ((1080, 1500),))
    assert open_slots(tiny(sites=replace(sites, hours=hours))).tolist() == [14, 40, 0]


def test_needs_add_up() -> None:
    """Districts add up to the city; tubes hold people of one zone."""
    result = round_arithmetic(tiny())
    assert [n.district for n in result.districts] == ["中山区", "西岗区"]
    for name in ("communities", "people", "home_visits", "tubes", "sites", "lanes"):
        assert sum(getattr(n, name) for n in result.districts) == getattr(result.city, name)
    assert result.city.people == 449
    assert result.city.home_visits == 7
    assert result.city.tubes_by_pool_size == {1: 40, 10: 30 + 11}
    assert abs(sum(n.tubes_share for n in result.districts) - 1) < 1e-9
    assert sum(n.called for n in result.districts) == result.labs.people_needed == 442
    assert sum(n.lab_tubes_there for n in result.districts) == result.labs.tubes_there
    assert result.city.lab_tubes_there == result.labs.tubes_there
    assert result.city.people_bound == result.labs.people_bound


def test_lane_hours() -> None:
    """Needed at the usual rate; there are lanes x open hours x max_load, weighted by pace."""
    zhongshan, xigang = round_arithmetic(tiny()).districts
    assert abs(zhongshan.lane_hours_needed - 295 / 60) < 1e-9
    assert abs(zhongshan.lane_hours_there - 2 * 9 * 0.95) < 1e-9
    assert abs(xigang.lane_hours_there - (2 * 10 + 8 * 40 / 60) * 0.95) < 1e-9


def test_travel_takes_listed_minutes_first() -> None:
    """Listed minutes plus handling, else distance at the courier's speed, rounded up."""
    listed = np.array([[17, -1], [-1, -1], [-1, -1]])
    minutes = travel_to_labs(tiny(travel_min=listed))
    assert minutes[0, 0] == 27
    # 2.96 km x 1.4 / 30 km/h = 8.3 min, plus 10, rounded up
    assert minutes[2, 1] == 16
    assert minutes.shape == (3, 2)


def test_lab_tubes_within_the_promise() -> None:
    """A lab works from the first arrival to the last start that keeps the promise."""
    # Waves 8-9 ... 17-18; nearest site 12 and 13 min away or so; last start 23:00 less cycle.
    labs = tiny().labs
    everything = lab_round_tubes(tiny())
    # L01: 09:13 to 20:00, twelve clock hours x 60 = 720 (limit 800); L02: to 20:30, x 30.
    assert everything.tolist() == [720, 360]
    capped = replace(labs, max_tubes_per_day=np.array([50, 0]))
    assert lab_round_tubes(tiny(labs=capped)).tolist() == [50, 0]
    slow = replace(labs, processing_min=np.array([360, 150]))
    assert lab_round_tubes(tiny(labs=slow)).tolist() == [0, 360]
    night = replace(labs, hours=(((0, 480),), ((600, 660),)))
    assert lab_round_tubes(tiny(labs=night)).tolist() == [0, 30]


def test_fluid_bound_of_the_published_example() -> None:
    """19,500 tubes an hour, pools of 10, 6 h promise, 1 h transport, 3 h cycle: 2.73 M in 12 h."""
    start = tiny().settings
    settings = replace(
        start,
        round=replace(start.round, start=at("06:00"), end=at("18:00")),
        pooling=replace(start.pooling, lockdown=10),
    )
    sites = replace(tiny().sites, hours=(((360, 1080),),) * 3)
    labs = replace(
        tiny().labs,
        tubes_per_hour=np.array([19_500 - 1, 1]),
        processing_min=np.array([180, 180]),
        max_tubes_per_day=np.array([-1, -1]),
    )
    instance = tiny(
        settings=settings, sites=sites, labs=labs, travel_min=np.full((3, 2), 50, dtype=np.int64)
    )
    result = round_arithmetic(instance).labs
    assert result.window_hours_per_day == (12.0,)
    assert abs(result.slack_hours - 2.0) < 1e-9
    assert result.people_bound == 2_730_000


def test_guide_figures() -> None:
    """Figures of the national guide, as published for 6.379 million people."""
    instance = tiny()
    communities = instance.communities
    blocks = replace(instance.blocks, people=np.array([6_379_000, 0, 0, 0, 0, 0]))
    blocks = replace(blocks, home_visits=np.zeros(6, dtype=np.int64))
    city = round_arithmetic(instance.replace(blocks=blocks, communities=communities)).city
    assert city.sites_by_guide == (2126, 3190)
    assert city.lanes_by_guide == (7974, 10632)
    assert city.samplers_by_guide == 17719
