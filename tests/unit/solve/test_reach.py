"""Minutes on the road, lateness against the promise, and starts within a lab's hour."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import datetime

import numpy as np

from scheduler.domain.instance import Instance
from scheduler.solve.candidates import EARTH_RADIUS_M
from scheduler.solve.reach import Promise, start_min, travel_minutes
from scheduler.solve.timeline import lab_hours
from tests.rounds import Recipe, random_instance


def _minutes(instance: Instance, site: int, lab: int) -> int:
    """Return DESIGN.md's ceil(km x detour / speed x 60 + handling) by the haversine formula."""
    travel, sites, labs = instance.settings.travel, instance.sites, instance.labs
    a, b = math.radians(sites.lat[site]), math.radians(labs.lat[lab])
    east = math.radians(labs.lng[lab] - sites.lng[site])
    half = math.sin((b - a) / 2) ** 2 + math.cos(a) * math.cos(b) * math.sin(east / 2) ** 2
    km = 2 * EARTH_RADIUS_M * math.asin(math.sqrt(half)) / 1000
    return math.ceil(km * travel.detour / travel.speed_kmh * 60 + travel.handling_min)


def test_travel_follows_the_formula() -> None:
    """Without travel.csv the minutes follow from the distance, handling added, rounded up."""
    instance = random_instance(1, Recipe(num_sites=6, num_labs=4, span_km=50.0))
    expected = [[_minutes(instance, i, j) for j in range(4)] for i in range(6)]
    assert travel_minutes(instance).tolist() == expected


def test_known_minutes_win_and_get_handling_too() -> None:
    """A row of travel.csv replaces the formula; handling is always added, 0 minutes included."""
    instance = random_instance(1, Recipe(num_sites=2, num_labs=2))
    instance = instance.replace(travel_min=np.array([[0, 33], [-1, -1]]))
    minutes = travel_minutes(instance)
    assert minutes[0].tolist() == [10, 43]
    assert minutes[1].tolist() == [_minutes(instance, 1, 0), _minutes(instance, 1, 1)]


def test_a_site_at_its_lab_takes_the_handling_only() -> None:
    """No last binary digit turns a whole number of minutes into the next one."""
    instance = random_instance(1, Recipe(num_sites=1, num_labs=1, special=False))
    labs = replace(instance.labs, lat=instance.sites.lat, lng=instance.sites.lng)
    assert travel_minutes(instance.replace(labs=labs)).tolist() == [[10]]


def test_a_tube_is_as_old_as_its_wave() -> None:
    """The promise runs from the start of the wave; lateness is never negative."""
    instance = random_instance(1, Recipe(wave_minutes=30, result_hours=4.5, num_labs=1))
    promise = Promise.of(instance)
    processing = int(instance.labs.processing_min[0])
    assert promise.pickup_min[:3].tolist() == [30, 60, 90]
    assert promise.due_min[:3].tolist() == [270, 300, 330]
    start = np.array([270 - processing, 271 - processing, 0])
    late = promise.late_min(np.zeros(3, dtype=np.int64), np.zeros(3, dtype=np.int64), start)
    assert late.tolist() == [0, 1, 0]


def test_start_is_arrival_or_the_beginning_of_the_hour() -> None:
    """Tubes start on arrival in that hour, at the beginning of a later one, inside hours only."""
    recipe = Recipe(
        num_labs=1,
        lab_hours=(((435, 600),),),
        start=datetime(2020, 12, 22, 6, 30),  # noqa: DTZ001  # local time by rule
    )
    hours = lab_hours(random_instance(1, recipe), 6)
    hour = np.array([0, 1, 1, 2, 3, 4, 5, 6, -1])
    arrive = np.array([10, 40, 50, 50, 50, 50, 50, 50, 50])
    start, allowed = start_min(hours, np.zeros(9, dtype=np.int64), hour, arrive)
    assert start[:6].tolist() == [10, 40, 50, 90, 150, 210]
    assert allowed.tolist() == [False, False, True, True, True, False, False, False, False]
