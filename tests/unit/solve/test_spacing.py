"""The quota of a site against a queue that is lived through event by event."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from heapq import heappop, heappush
from typing import Any

import numpy as np
import pytest

from scheduler.domain.explain import lane_quota
from scheduler.domain.instance import Instance
from scheduler.domain.settings import QueueSettings
from scheduler.solve.spacing import Crowd, Desk, Ground, site_quota
from tests.rounds import Recipe, random_instance

ARRIVE, LEAVE = 1, 0  # who leaves makes room for who arrives at that moment
WARM_UP = 30


def events_share(called: int, desk: Desk, queue: QueueSettings, places: int) -> float:
    """Return the share of 15-minute slots whose queue fits the places, by a calendar of events."""
    rng = np.random.default_rng([7, called, desk.lanes])
    num_slots = WARM_UP + max(150, 60_000 // called)
    calendar: list[tuple[float, int]] = []
    for slot in range(num_slots + 4):
        come = called - rng.binomial(called, queue.no_show)
        times = rng.normal(15 * slot - queue.early_mean_min, queue.punctuality_sd_min, come)
        calendar += [(time, ARRIVE) for time in times.tolist()]
    calendar.sort(reverse=True)
    swab_min, cv = 60 / desk.rate, queue.swab_cv
    size = len(calendar)
    swabs = rng.gamma(cv**-2, swab_min * cv**2, size) if cv else np.full(size, swab_min)
    peaks = _peaks(calendar, iter(swabs.tolist()), desk.lanes, num_slots)
    return float(np.mean(np.array(peaks[WARM_UP:]) <= places))


def _peaks(
    calendar: list[tuple[float, int]], swabs: Iterator[float], lanes: int, num_slots: int
) -> list[int]:
    leaving: list[float] = []
    waiting, busy, slot = 0, 0, 0
    peaks = [0] * num_slots
    while slot < num_slots:
        leaves = bool(leaving) and leaving[0] <= calendar[-1][0]
        now = heappop(leaving) if leaves else calendar.pop()[0]
        while slot + 1 <= num_slots and now >= 15 * (slot + 1):
            slot += 1
            if slot < num_slots:
                peaks[slot] = waiting
        if leaves and waiting == 0:
            busy -= 1
            continue
        if not leaves and busy == lanes:
            waiting += 1
            if slot < num_slots:
                peaks[slot] = max(peaks[slot], waiting)
            continue
        waiting -= leaves
        busy += not leaves
        heappush(leaving, now + next(swabs))
    return peaks


def quota_by_events(desk: Desk, queue: QueueSettings, places: int, level: float) -> int:
    """Return the most people per slot whose queue fits, by halving."""
    low, high = 0, desk.most + 1
    while high - low > 1:
        middle = (low + high) // 2
        fits = events_share(middle, desk, queue, places) >= level
        low, high = (middle, high) if fits else (low, middle)
    return low


def one_site(queue: QueueSettings | None = None, **sites: float) -> Instance:
    """Return a round whose sites all have these lanes and queue_length_m."""
    instance = random_instance(1, Recipe(num_sites=2))
    columns: dict[str, Any] = {name: np.full(2, value) for name, value in sites.items()}
    settings = replace(instance.settings, queue=queue or QueueSettings())
    return instance.replace(settings=settings, sites=replace(instance.sites, **columns))


@pytest.mark.parametrize(
    ("desk", "queue", "places", "level"),
    [
        (Desk(4, 60.0, 57), QueueSettings(), 12, 0.95),
        (Desk(1, 60.0, 14), QueueSettings(swab_cv=1.0), 10, 0.95),
        (Desk(2, 100.0, 47), QueueSettings(punctuality_sd_min=2.0), 15, 0.9),
        (Desk(3, 60.0, 42), QueueSettings(no_show=0.2, punctuality_sd_min=0.0), 20, 0.95),
        (Desk(8, 60.0, 114), QueueSettings(swab_cv=0.0, early_mean_min=20.0), 15, 0.95),
        (Desk(20, 40.0, 190), QueueSettings(punctuality_sd_min=1.0), 40, 0.99),
        (Desk(2, 60.0, 29), QueueSettings(swab_cv=1.5, early_mean_min=-5.0), 25, 0.95),
    ],
)
def test_quota_is_that_of_an_event_simulation(
    desk: Desk, queue: QueueSettings, places: int, level: float
) -> None:
    """Rule 2: the spacing quota is the largest that fits in steady state, to 2 % or 1 person."""
    quota = Ground(Crowd(queue, 15), desk, level).quota(places)
    expected = quota_by_events(desk, queue, places, level)
    assert expected > 0
    assert abs(quota - expected) <= max(1, 0.02 * expected)


def test_more_people_called_need_more_places() -> None:
    """A queue never shrinks when more are called, so the quota can be searched by halving."""
    ground = Ground(Crowd(QueueSettings(), 15), Desk(3, 60.0, 42), 0.95)
    needed = [ground.places_needed(called) for called in range(0, 43, 6)]
    assert needed == sorted(needed)
    assert needed[0] == 0 < needed[-1]


def test_more_places_and_a_lower_level_give_no_smaller_quota() -> None:
    """More ground, or a lower service level, never lowers the quota."""
    crowd, desk = Crowd(QueueSettings(), 15), Desk(4, 60.0, 57)
    by_places = [Ground(crowd, desk, 0.95).quota(places) for places in range(0, 40, 4)]
    by_level = [Ground(crowd, desk, level).quota(12) for level in (0.99, 0.95, 0.8)]
    assert by_places == sorted(by_places)
    assert by_level == sorted(by_level)
    assert by_places[0] < by_places[-1] == 57
    assert by_level[0] < by_level[-1]


def test_order_of_questions_does_not_change_the_answer_much() -> None:
    """Sites share what was simulated; a quota stays within 1 % or 1 person of one found alone."""
    crowd, desk = Crowd(QueueSettings(punctuality_sd_min=1.0), 15), Desk(20, 60.0, 285)
    shared = Ground(crowd, desk, 0.95)
    for places in (90, 40, 60, 20):
        alone = Ground(crowd, desk, 0.95).quota(places)
        assert abs(shared.quota(places) - alone) <= max(1, alone // 100)


def test_ample_ground_gives_what_the_lanes_swab() -> None:
    """On 200 m of ground the lanes bind: floor(lanes x rate x slot / 60 x max_load)."""
    instance = one_site(lanes=4, queue_length_m=200.0)
    assert site_quota(instance).tolist() == [57, 57] == lane_quota(instance).tolist()


def test_spacing_turns_metres_into_places() -> None:
    """Places are floor(queue_length_m / spacing_m): twice the spacing on twice the ground."""
    narrow = one_site(lanes=4, queue_length_m=12.0)
    targets = replace(narrow.settings.targets, spacing_m=2.0)
    wide = one_site(lanes=4, queue_length_m=25.9)
    wide = wide.replace(settings=replace(wide.settings, targets=targets))
    assert site_quota(narrow).tolist() == site_quota(wide).tolist()
    assert site_quota(narrow)[0] < 57


def test_no_ground_for_anybody() -> None:
    """Without a place nobody may wait: one person a slot passes at one lane, a crowd never does.

    Two people called to one lane meet too often; at 16 lanes several seldom wait.
    """
    assert site_quota(one_site(lanes=1, queue_length_m=0.9)).tolist() == [1, 1]
    queue, desk = QueueSettings(), Desk(16, 60.0, 228)
    expected = quota_by_events(desk, queue, 0, 0.95)
    quota = site_quota(one_site(lanes=16, queue_length_m=0.0))
    assert 16 < expected < 228
    assert abs(quota[0] - expected) <= 2  # 1 % each for the doubt of either simulation


def test_quota_is_zero_where_one_person_a_slot_does_not_fit() -> None:
    """A swab of an hour at a lane keeps the next person waiting: no place, no quota."""
    hour = one_site(lanes=1, queue_length_m=0.0, people_per_lane_hour=4.5)
    assert lane_quota(hour).tolist() == [1, 1]
    assert site_quota(hour).tolist() == [0, 0]


def test_lanes_too_slow_for_one_person_a_slot() -> None:
    """Lanes that swab less than one person a slot have quota 0, whatever the ground."""
    assert site_quota(one_site(lanes=1, people_per_lane_hour=3.0)).tolist() == [0, 0]


def test_queue_at_full_load_has_no_steady_state() -> None:
    """Called for all that lanes can swab, with nobody absent, a queue grows for ever."""
    queue = QueueSettings(no_show=0.0)
    ground = Ground(Crowd(queue, 15), Desk(4, 60.0, 60), 0.95)
    assert ground.places_needed(60) == np.inf
    assert 57 <= ground.quota(200) < 60


def test_absent_people_leave_room() -> None:
    """More people may be called where more stay away."""
    few = site_quota(one_site(QueueSettings(no_show=0.0), lanes=4, queue_length_m=10.0))
    many = site_quota(one_site(QueueSettings(no_show=0.3), lanes=4, queue_length_m=10.0))
    assert many[0] > few[0]


def test_each_site_has_its_own_quota_and_every_run_the_same() -> None:
    """Sites of different lanes, rate and ground get their own; every run finds the same."""
    instance = random_instance(3, Recipe(num_sites=12, lanes=(1, 8)))
    rng = np.random.default_rng(5)
    sites = replace(
        instance.sites,
        queue_length_m=rng.integers(5, 60, 12).astype(float),
        people_per_lane_hour=rng.choice([40.0, 60.0], 12),
    )
    instance = instance.replace(sites=sites)
    quota = site_quota(instance)
    assert quota.dtype == np.int64
    assert (quota == site_quota(instance)).all()
    assert (quota <= lane_quota(instance)).all()
    for site in range(12):
        desk = Desk(
            int(sites.lanes[site]),
            float(sites.people_per_lane_hour[site]),
            int(lane_quota(instance)[site]),
        )
        alone = Ground(Crowd(QueueSettings(), 15), desk, 0.95)
        assert abs(quota[site] - alone.quota(int(sites.queue_length_m[site]))) <= 1
