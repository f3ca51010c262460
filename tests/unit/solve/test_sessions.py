"""Which blocks go into which run: subset sums against all subsets."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest

from scheduler.domain.city import Ints
from scheduler.solve.sessions import Tube, split_runs, subset_near


def fits(sizes: Ints, capacity: list[int]) -> bool:
    """Return whether all blocks find a run."""
    empty = [0.0] * len(capacity)
    share = [c / max(1, sum(capacity)) for c in capacity]
    runs = split_runs(sizes, capacity, share, empty, [Tube(1)] * len(capacity))
    return sum(map(len, runs)) == len(sizes)


def _sums(sizes: list[int]) -> set[int]:
    return {sum(c) for n in range(len(sizes) + 1) for c in combinations(sizes, n)}


@pytest.mark.parametrize("seed", range(40))
def test_the_nearest_sum_is_found(seed: int) -> None:
    """With tubes of one the chosen sum is the nearest of all subsets within the range."""
    rng = np.random.default_rng(seed)
    sizes = rng.integers(1, 60, int(rng.integers(0, 9))).tolist()
    high = int(rng.integers(0, 200))
    low, target = int(rng.integers(0, high + 1)), int(rng.integers(0, 220))
    chosen = subset_near(sizes, target, low, high, Tube(1))
    total = sum(sizes[i] for i in chosen)
    inside = [s for s in _sums(sizes) if low <= s <= high]
    aim = min(max(target, low), high)
    if inside:
        assert abs(total - aim) == min(abs(s - aim) for s in inside)
    else:
        assert total == max(s for s in _sums(sizes) if s <= high)
    assert chosen == sorted(set(chosen))


def test_one_run_takes_any_number_of_blocks() -> None:
    """A site that works through has one run, and may have hundreds of blocks."""
    runs = split_runs(np.full(150, 20), [3_000], [1.0], [0.0], [Tube(10)])
    assert runs == [list(range(150))]
    assert split_runs(np.full(150, 20), [1_000], [1.0], [0.0], [Tube(10)]) == [list(range(50))]


def test_whole_tubes_are_worth_a_small_miss() -> None:
    """A sum that fills its tubes wins over a slightly nearer one that does not."""
    assert subset_near([41, 40], 41, 0, 100, Tube(10)) == [1]
    assert subset_near([99, 40], 99, 0, 200, Tube(10)) == [0]


def test_a_dear_tube_is_worth_a_large_miss() -> None:
    """Where tubes are dear a run is filled to whole tubes though its share is far off."""
    assert subset_near([99, 40], 99, 0, 200, Tube(10)) == [0]
    assert subset_near([99, 40], 99, 0, 200, Tube(10, empty_place=60)) == [1]


def test_people_missed_in_dear_waves_count_more_than_empty_places() -> None:
    """A run takes what its dear waves want, and leaves later ones theirs, before it fills tubes."""
    tube = Tube(10, 60, missed=30.0)
    assert subset_near([99, 40], 40, 0, 200, Tube(10, 60)) == [1]
    assert subset_near([99, 40], 40, 0, 200, tube, (90, 120)) == [0]
    assert subset_near([99, 40], 99, 0, 200, tube, (0, 50)) == [1]
    sizes = np.array([50, 50, 50, 20])
    for wanted, loads in (([50, 50, 50], [50, 70, 50]), ([20, 100, 50], [20, 100, 50])):
        dear = [replace(tube, dear=True)] * 3
        runs = split_runs(sizes, [200] * 3, [0.1, 0.8, 0.1], [0.0] * 3, dear, wanted)
        assert [int(sizes[run].sum()) for run in runs] == loads


def test_few_people_are_shared_among_dear_waves() -> None:
    """Where people fill the dear waves of some runs only, no run gets more than these hold."""
    sizes, tube = np.array([40, 40, 40]), Tube(10, 60, dear=True, missed=30.0)
    runs = split_runs(sizes, [200] * 3, [0.0, 0.0, 1.0], [0.0] * 3, [tube] * 3, [80, 80, 80])
    assert max(int(sizes[run].sum()) for run in runs) <= 80


def test_what_remains_is_in_full_tubes_too_where_these_are_dear() -> None:
    """One empty place here and nine later are worse than a sum that is farther off."""
    assert subset_near([59, 20, 41], 59, 0, 100, Tube(10, 30)) == [0]
    assert subset_near([59, 20, 41], 59, 0, 100, Tube(10, 30, dear=True)) == [1]


def test_people_in_tubes_worth_filling_in_part_are_no_rest() -> None:
    """Four people beyond full tubes leave no place empty in a run whose last tube is for four."""
    sizes, tube = [40, 44], Tube(10, 30)
    assert subset_near(sizes, 42, 0, 50, tube) == [0]
    assert subset_near(sizes, 42, 0, 50, replace(tube, over=4)) == [1]
    dear = replace(tube, dear=True)
    assert subset_near([40, 41, 43], 41, 0, 50, dear) == [0]
    assert subset_near([40, 41, 43], 41, 0, 50, replace(dear, over=1, later_over=3)) == [1]
    parts = [replace(dear, over=over) for over in (4, 0, 2)]
    people, carry = np.array([40, 44, 42]), [0.0] * 3
    runs = split_runs(people, [50] * 3, [1 / 3] * 3, carry, parts)
    assert [int(people[run].sum()) for run in runs] == [44, 40, 42]
    assert carry == pytest.approx([-2.0, 2.0, 0.0])


def test_no_room_takes_nothing() -> None:
    """A run without room is left empty."""
    assert subset_near([3, 4], 5, 0, -1, Tube(1)) == []
    assert subset_near([3, 4], 5, 0, 0, Tube(1)) == []


@pytest.mark.parametrize("seed", range(30))
def test_runs_share_the_blocks_within_their_room(seed: int) -> None:
    """No run gets more than it holds, no block is in two runs, and what all hold is placed."""
    rng = np.random.default_rng(seed)
    sizes = rng.integers(1, 50, 8)
    capacity = rng.integers(20, 160, 3).tolist()
    share = rng.dirichlet(np.ones(3)).tolist()
    carry = [0.0, 0.0, 0.0]
    runs = split_runs(sizes, capacity, share, carry, [Tube(10)] * 3)
    flat = [i for run in runs for i in run]
    assert len(flat) == len(set(flat))
    assert all(sizes[run].sum() <= room for run, room in zip(runs, capacity, strict=True))
    if max(capacity) >= sizes.sum() and int(np.argmax(capacity)) == 2:
        assert len(flat) == 8


def test_what_a_run_missed_is_owed_to_the_next_stream() -> None:
    """``carry`` holds the people by which the run missed its share so far."""
    carry = [0.0, 0.0]
    runs = split_runs(np.array([30, 30, 40]), [100, 100], [0.5, 0.5], carry, [Tube(1)] * 2)
    taken = 30 * len(set(runs[0]) & {0, 1}) + 40 * (2 in runs[0])
    assert carry[0] == pytest.approx(50 - taken)
    assert carry == pytest.approx([-carry[1], carry[1]])


def test_few_blocks_fill_all_tubes_before_the_last_run() -> None:
    """100 is nearest to what the first run wishes for, and leaves the second no full tubes."""
    sizes, runs = np.array([100, 52, 58, 103, 87]), [500, 500, 500]
    found = split_runs(sizes, runs, [0.25, 0.25, 0.5], [0.0] * 3, [Tube(10, 30)] * 3)
    assert [int(sizes[run].sum()) % 10 for run in found[:2]] == [0, 0]
    assert sorted(i for run in found for i in run) == [0, 1, 2, 3, 4]


def test_an_empty_place_counts_where_labs_ask_for_it() -> None:
    """The first run fills its tube, the second does what it wishes for: its labs cost nothing."""
    sizes, wish = np.array([41, 40, 47, 172]), [41.0, 47.0, 212.0]
    tubes = [Tube(10, 30), Tube(10, 0), Tube(10, 30)]
    found = split_runs(sizes, [300] * 3, [0.0] * 3, wish, tubes)
    assert [int(sizes[run].sum()) for run in found] == [40, 47, 213]


def test_fits_says_whether_all_find_a_run() -> None:
    """Two blocks of 6 do not fit into runs of 10 and 5, though 12 places are less than 15."""
    assert not fits(np.array([6, 6]), [10, 5])
    assert fits(np.array([6, 5]), [10, 5])
    assert fits(np.array([], dtype=np.int64), [10])
