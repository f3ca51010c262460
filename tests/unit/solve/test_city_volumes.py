"""Streams of one part of the city make up for another's waves."""

from __future__ import annotations

import numpy as np

from scheduler.domain.city import Ints
from scheduler.domain.settings import Zone
from scheduler.solve.city_volumes import meet_volumes
from scheduler.solve.layout import Layout
from scheduler.solve.volumes import Volumes
from scheduler.solve.waves import Load, TubeRows, tube_rows

PER_WAVE, QUOTA, POOL = 4, 25, 10
WAVE_ROOM = PER_WAVE * QUOTA // POOL  # tubes
RUNS = [0, 0, 0, 1, 1]  # of the waves


def city(people: Ints, zones: list[int]) -> tuple[Layout, Load, TubeRows]:
    """Return streams that are groups of their own, in two runs; ``people[stream, run]``."""
    streams = len(people)
    pieces = np.array([(r, w, w * PER_WAVE, (w + 1) * PER_WAVE) for w, r in enumerate(RUNS)])
    number, one = np.arange(streams), np.ones(streams, dtype=np.int64)
    members = [np.array([stream]) for stream in range(streams)]
    layout = Layout(number, np.array(zones), number, members, [pieces] * streams)
    places = np.full((streams, len(RUNS) * PER_WAVE), QUOTA)
    load = Load(one * QUOTA, places, one * POOL, np.full(streams, 0.005), 15)
    return layout, load, tube_rows(layout, load, people)


def met(zones: list[int], tubes: list[list[int]], wanted: list[list[float]]) -> list[list[int]]:
    """Return what streams send in each wave, of what they sent and their groups want."""
    table = np.array(tubes)
    by_run = np.stack([table[:, :3].sum(axis=1), table[:, 3:].sum(axis=1)], axis=1)
    layout, load, rows = city(by_run * POOL, zones)
    volumes = Volumes(np.array(wanted), np.zeros(table.shape, dtype=bool))
    found: list[list[int]] = meet_volumes(layout, load, rows, table, volumes).tolist()
    return found


def test_another_part_makes_up_for_a_full_stream() -> None:
    """The first is full in the wave in which its group wants more; the second sends it."""
    tubes = [[WAVE_ROOM, 3, 3, 0, 0], [6, 4, 4, 5, 5]]
    wanted = [[12.0, 2.0, 2.0, 0.0, 0.0], [6.0, 4.0, 4.0, 5.0, 5.0]]
    found = met([Zone.NORMAL] * 2, tubes, wanted)
    assert np.sum(found, axis=0).tolist() == [18, 6, 6, 5, 5]
    assert np.sum(found, axis=1).tolist() == np.sum(tubes, axis=1).tolist()
    assert found[0][0] <= WAVE_ROOM


def test_a_run_keeps_its_tubes() -> None:
    """Blocks never span a closing: what the second run has to spare is no use to the first."""
    tubes = [[5, 3, 3, 6, 6]]
    assert met([Zone.NORMAL], tubes, [[8.0, 3.0, 3.0, 3.0, 6.0]]) == tubes


def test_stricter_zones_keep_their_waves() -> None:
    """Their blocks have their slots already; the commonest zone alone makes up for them."""
    tubes = [[2, 4, 2, 0, 0], [5, 6, 6, 8, 8]]
    wanted = [[5.0, 2.0, 1.0, 0.0, 0.0], [5.0, 5.0, 7.0, 8.0, 8.0]]
    found = met([Zone.CONTROL, Zone.NORMAL], tubes, wanted)
    assert found == [tubes[0], [8, 3, 6, 8, 8]]
