"""Mop-up slots: free room only, households together, zones apart."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from scheduler.domain.settings import SlotSettings, Zone
from scheduler.roster.mop_up import Free, Missing, free_room, propose
from tests.rounds import Recipe, random_instance

INSTANCE = random_instance(2, Recipe(num_communities=4, blocks_per_community=1, num_sites=3))
NONE = np.empty(0, dtype=np.int64)


def free(room: list[list[int]], zone: list[list[int]] | None = None) -> Free:
    rooms = np.array(room)
    zones = np.full(rooms.shape, -1) if zone is None else np.array(zone)
    return Free(0, 15, rooms, zones, rooms.sum(axis=0))


def test_rooms_are_what_quota_leaves_in_open_hours() -> None:
    """A slot has its quota less those called; closed hours have none, also past the round's end."""
    called = (np.array([2, 2]), np.array([60, 60]), np.array([3, 3]))
    quota = np.array([10, 20, 30])
    day = free_room(INSTANCE, quota, called, (0, 1440 + 60))
    assert day.room[2, 4] == 28
    assert day.zone[2, 4] == Zone.NORMAL
    assert day.room[:, 0].tolist() == [10, 20, 30]
    assert (day.room[:, 33:90] == 0).all()  # the sites close after eight hours
    assert (day.room[:, -4:] == quota[:, None]).all()  # and open again the next day


def test_rooms_keep_to_profile_and_city() -> None:
    """The edge of opening hours has half the places; the city has what its most people leave."""
    slots = SlotSettings(profile="elbow", edge_share=0.5, city_people=25)
    instance = INSTANCE.replace(settings=replace(INSTANCE.settings, slots=slots))
    called = (np.array([2, 1]), np.array([60, 60]), np.array([3, 3]))
    day = free_room(instance, np.array([10, 20, 32]), called, (0, 120))
    assert day.room[:, 0].tolist() == [5, 11, 18]
    assert day.room[:, 7].tolist() == [10, 20, 32]
    assert day.city.tolist() == [25, 25, 25, 25, 23, 25, 25, 25]
    missing = Missing(np.array([3, 3, 3]), np.array([9, 9, 9]))
    found = propose(instance, missing, day, [NONE, NONE, NONE, np.array([2, 1])])
    assert found.start.tolist() == [0, 0, 15]
    assert day.city[:2].tolist() == [7, 16]


def test_zones_are_kept_apart() -> None:
    """No slot is shared with another zone, and a less strict zone waits for the clearing time."""
    there = free([[5] * 6], [[-1, Zone.CONTROL, -1, -1, -1, Zone.NORMAL]])
    assert there.usable(Zone.NORMAL, 30)[0].tolist() == [True, False, False, False, True, True]
    assert there.usable(Zone.CONTROL, 30)[0].tolist() == [True, True, True, False, False, False]


def test_households_stay_together_in_the_earliest_room() -> None:
    """A household has one slot; it goes to its own site first, then to the next one."""
    rooms = free([[1, 4], [9, 9], [0, 0]])
    missing = Missing(np.array([3, 3, 3, 3]), np.array([3, 1, 2, 9]))
    sites = [NONE, NONE, NONE, np.array([0, 1])]
    found = propose(INSTANCE, missing, rooms, sites)
    assert found.site.tolist() == [0, 0, 1, 1]
    assert found.start.tolist() == [15, 0, 0, 15]
    assert rooms.room.tolist() == [[0, 1], [7, 0], [0, 0]]


def test_nothing_free_is_told() -> None:
    """Whoever fits nowhere has no slot, and nobody is put where there is no room."""
    rooms = free([[2, 2], [0, 0], [0, 0]])
    missing = Missing(np.array([3]), np.array([3]))
    found = propose(INSTANCE, missing, rooms, [NONE, NONE, NONE, np.array([0, 1])])
    assert found.site.tolist() == [-1]
    assert rooms.room[0].tolist() == [2, 2]


def test_nobody_missing() -> None:
    """Without anybody missed there is nothing to propose."""
    assert len(propose(INSTANCE, Missing(NONE, NONE), free([[1]] * 3), [NONE] * 4).site) == 0
