"""Few people give way where labs cannot start all tubes of their run."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import cast

import numpy as np

from scheduler.domain.city import Ints
from scheduler.domain.settings import Zone
from scheduler.solve.candidates import Pairs
from scheduler.solve.layout import Layout
from scheduler.solve.network import Reach
from scheduler.solve.ontime import Fitted
from scheduler.solve.relief import Relief
from scheduler.solve.rescue import Places
from scheduler.solve.runs import Task, people_by_run
from scheduler.solve.streams import Streams
from scheduler.solve.volumes import Volumes
from scheduler.solve.waves import Load, tube_rows

PER_WAVE, QUOTA, POOL = 4, 25, 10
RUNS = [0, 0, 1, 1, 2, 2]  # of the waves
ROOM = 2 * PER_WAVE * QUOTA  # people of a run


@dataclass
class City:
    """Streams that are sites and groups of their own, with three runs of two waves each.

    ``blocks[stream][run]`` are the people of its blocks, which are numbered in that order;
    ``roads[stream]`` are minutes to the only lab, which has room in the last run.
    """

    blocks: list[list[list[int]]]
    roads: list[int]
    strict: set[int] = field(default_factory=set)
    task: Task = field(init=False)
    runs: list[list[Ints]] = field(init=False)

    def __post_init__(self) -> None:
        """Number the blocks and lay out the streams."""
        people = np.array([p for runs in self.blocks for run in runs for p in run])
        upto = iter(range(len(people)))
        self.runs = [[np.array([next(upto) for _ in run], dtype=np.int64) for run in runs]
                     for runs in self.blocks]  # fmt: skip
        count = len(self.blocks)
        zone = [Zone.CONTROL if s in self.strict else Zone.NORMAL for s in range(count)]
        pieces = np.array([(r, w, w * PER_WAVE, (w + 1) * PER_WAVE) for w, r in enumerate(RUNS)])
        number, one = np.arange(count), np.ones(count, dtype=np.int64)
        layout = Layout(number, np.array(zone), number, [np.array([s]) for s in range(count)],
                        [pieces] * count)  # fmt: skip
        places = np.full((count, len(RUNS) * PER_WAVE), QUOTA)
        of_block = np.repeat(number, [sum(map(len, runs)) for runs in self.blocks])
        block, site = (grid.ravel() for grid in np.indices((len(people), count)))
        walk = np.abs(site - of_block[block]) * 100.0
        order = np.lexsort((walk, block))
        pairs = Pairs(block[order], site[order], walk[order])
        fixed = [runs if s in self.strict else None for s, runs in enumerate(self.runs)]
        streams = Streams(
            number.tolist(), [int(z) for z in zone], [[]] * count,
            [np.concatenate(runs) for runs in self.runs], fixed,
        )  # fmt: skip
        self.task = cast(
            "Task",
            SimpleNamespace(
                streams=streams, layout=layout, wide=layout, people=people,
                load=Load(one * QUOTA, places, one * POOL, np.full(count, 0.005), 15),
                places=Places(pairs, walk, np.array(zone)[of_block], people),
            ),
        )  # fmt: skip

    def give_way(self, beyond: dict[tuple[int, int], int], *, elsewhere: bool = False) -> bool:
        """Let blocks give way; ``beyond`` are tubes by stream and run."""
        layout = self.task.layout
        rows = tube_rows(layout, self.task.load, people_by_run(self.task, self.runs))
        number = dict(zip(zip(rows.group.tolist(), rows.run.tolist(), strict=True),
                          range(len(rows.group)), strict=True))  # fmt: skip
        tubes = np.zeros(len(rows.group), dtype=np.int64)
        for place, count in beyond.items():
            tubes[number[place]] = count
        travel = np.array(self.roads)[:, None]
        one = np.ones(travel.shape, dtype=bool)
        zeros = np.zeros(len(travel), dtype=np.int64)
        reach = Reach(travel, one, np.zeros(len(travel)), zeros, zeros[:, None], one)
        free = np.repeat(np.array(RUNS)[None, :] == 2, len(travel), axis=0)
        volumes = Volumes(np.zeros(free.shape), free)
        relief = Relief(self.task, self.runs, rows, Fitted(rows.room, tubes, reach), volumes)
        return relief.give_way(elsewhere=elsewhere)

    def people(self) -> list[list[int]]:
        """Return the people of each run of each stream."""
        found: list[list[int]] = people_by_run(self.task, self.runs).tolist()
        return found


def test_blocks_change_places_for_as_few_people_as_will_do() -> None:
    """A tube holds 10: the block of 42 gives way to the one of 31, and no run has more room."""
    city = City([[[60, 42], [20], [31, 55]]], [10])
    assert city.give_way({(0, 0): 1})
    assert city.people() == [[91, 20, 97]]


def test_people_move_to_a_run_in_which_labs_have_room() -> None:
    """The second run has most room, but its labs are booked."""
    city = City([[[60, 42], [], [31, 55]]], [10])
    assert city.give_way({(0, 0): 1})
    assert city.people() == [[91, 0, 97]]


def test_the_nearest_site_gives_way_for_a_stricter_zone() -> None:
    """Blocks of a stricter zone have their slots; the site with roads alike lets people wait."""
    city = City([[[50], [], []], [[60, 40], [], [45]], [[60, 40], [], [45]]], [10, 90, 12], {0})
    assert city.give_way({(0, 0): 1})
    assert city.people() == [[50, 0, 0], [100, 0, 45], [85, 0, 60]]


def test_a_run_without_room_is_left_as_it_is() -> None:
    """Nothing moves where the other runs are full, and the caller is told so."""
    full = [100, 100]
    city = City([[full, full, full]], [10])
    assert not city.give_way({(0, 0): 1})
    assert city.people() == [[ROOM, ROOM, ROOM]]


def test_a_block_moves_to_another_site() -> None:
    """Elsewhere is the last run with room of the nearest other site; the smallest enough goes."""
    city = City([[[90, 30, 12], [], []], [[50], [], []]], [10, 10])
    assert city.give_way({(0, 0): 1}, elsewhere=True)
    assert city.people() == [[120, 0, 0], [50, 0, 12]]
