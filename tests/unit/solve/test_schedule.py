"""Streams send what labs should get on each day, to the last tube that labs can start."""

from __future__ import annotations

import numpy as np
import pytest

from scheduler.domain.city import Floats, Ints
from scheduler.solve import make_plan, schedule
from scheduler.solve.city_volumes import meet_volumes
from scheduler.solve.day_shares import levelled
from scheduler.solve.layout import Layout
from scheduler.solve.runs import Task, split
from scheduler.solve.volumes import Volumes
from scheduler.solve.waves import Load, TubeRows
from tests.rounds import Recipe, random_instance

WAVES_A_DAY = 24
ROOMY = Recipe(num_communities=30, blocks_per_community=6, num_sites=10, days=3, special=False,
               lanes=(1, 2), lab_slack=2.0)  # fmt: skip
FEW = 7  # tubes that a day may miss in a round of 30 communities


def _by_day(wave: Ints, tubes: Ints | Floats) -> Floats:
    some = wave >= 0
    total: Floats = np.bincount(wave[some] // WAVES_A_DAY, tubes[some], 3).astype(np.float64)
    return total


@pytest.mark.parametrize("seed", [0, 1, 5])
def test_days_get_their_tubes_where_all_are_in_time(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All days but the last, which takes what tubes are begun beyond, get what labs should get."""
    short: list[Floats] = []

    def noted(layout: Layout, load: Load, rows: TubeRows, tubes: Ints, volumes: Volumes) -> Ints:
        wave = layout.column(1)
        short.append(_by_day(wave, volumes.tubes) - _by_day(wave[layout.group], tubes))
        return meet_volumes(layout, load, rows, tubes, volumes)

    monkeypatch.setattr(schedule, "meet_volumes", noted)
    make_plan(random_instance(seed, ROOMY))
    assert np.abs(short[0][:-1]).max() <= FEW


def test_shares_of_days_are_levelled_where_all_are_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """What sites without room leave of a day others make up for, as where some must be late."""
    found: list[list[Floats]] = []

    def noted(task: Task, volumes: Volumes, wish: list[Floats]) -> list[Floats]:
        found.append(levelled(task, volumes, wish))
        return found[-1]

    def shared(task: Task, wish: list[Floats], *args: float, **kwargs: float) -> list[list[Ints]]:
        assert all((a == b).all() for a, b in zip(wish, found[0], strict=True))
        return split(task, wish, *args, **kwargs)

    monkeypatch.setattr(schedule, "levelled", noted)
    monkeypatch.setattr(schedule, "split", shared)
    make_plan(random_instance(0, ROOMY))
    assert found
