"""Whole blocks in bins: chains, swaps and what they cost."""

from __future__ import annotations

from unittest.mock import patch

import numpy as np
import pytest

from scheduler.domain.city import Floats, Ints
from scheduler.solve import make_room
from scheduler.solve.bins import Bins
from scheduler.solve.candidates import Pairs
from scheduler.solve.make_room import cheapen, place, place_all


def _bins(
    walk: Floats, people: list[int], capacity: list[int], bin_of: list[int], near: float = 1e9
) -> Bins:
    """Return bins with ``walk[block, bin]`` as price; no pair beyond ``near``."""
    block, number = np.nonzero(walk <= near)
    size, at = np.array(people), np.array(bin_of)
    load = np.bincount(at[at >= 0], weights=size[at >= 0], minlength=len(capacity))
    price = walk[block, number].astype(np.float64)
    return Bins(
        Pairs(block, number, price), price, size, np.array(capacity), at, load.astype(np.int64)
    )


def _cost(bins: Bins) -> float:
    return float((bins.now * bins.people)[bins.bin_of >= 0].sum())


def _check(bins: Bins) -> None:
    """Demand that loads are what they say, within capacity, and every block at a candidate."""
    inside = bins.bin_of >= 0
    load = np.bincount(
        bins.bin_of[inside], weights=bins.people[inside], minlength=len(bins.capacity)
    )
    assert load.tolist() == bins.load.tolist()
    assert (bins.load <= bins.capacity).all()
    pairs = set(zip(bins.pairs.block.tolist(), bins.pairs.site.tolist(), strict=True))
    for block in np.flatnonzero(inside).tolist():
        assert (block, int(bins.bin_of[block])) in pairs
    for number in range(len(bins.capacity)):
        assert bins.inside(number).tolist() == np.flatnonzero(bins.bin_of == number).tolist()


def test_a_chain_passes_the_lack_on_until_it_fits() -> None:
    """A block pushes another out, which pushes a third: each bin gives the room it has left."""
    far = 1e10
    walk = np.array([[0, far, far], [0, 1, far], [far, 0, 1]])
    bins = _bins(walk, [50, 45, 40], [50, 45, 40], [-1, 0, 1])
    assert place(bins, 0)
    assert bins.bin_of.tolist() == [0, 1, 2]
    _check(bins)


def test_swaps_gather_room_where_no_single_move_does() -> None:
    """Room for 10 is gathered out of two rooms of 5, by swaps of blocks of like size."""
    walk = np.array([[0, 9], [0, 0], [0, 0], [0, 0], [0, 0.0]])
    bins = _bins(walk, [10, 25, 20, 30, 25], [55, 50], [-1, 0, 1, 0, 1], 5)
    bins.capacity[:] = [60, 50]
    assert bins.room(0) == 5
    assert bins.room(1) == 5
    assert place(bins, 0)
    assert bins.bin_of[0] == 0
    _check(bins)


def test_what_fits_nowhere_leaves_all_as_it_was() -> None:
    """A block for which no room can be made stays out, and nobody has moved."""
    walk = np.zeros((4, 2))
    bins = _bins(walk, [30, 40, 40, 15], [50, 50], [-1, 0, 1, -1])
    before = bins.bin_of.copy()
    assert not place(bins, 0)
    assert (bins.bin_of == before).all()
    _check(bins)


def test_dear_places_are_swapped_for_cheap_ones() -> None:
    """Two blocks that each stand in the other's best bin change places."""
    bins = _bins(np.array([[0, 9], [9, 0.0]]), [50, 50], [50, 50], [1, 0])
    cheapen(bins, 10)
    assert bins.bin_of.tolist() == [0, 1]
    assert _cost(bins) == 0
    _check(bins)


def _planted(seed: int, fill: float) -> tuple[Ints, Floats, Ints]:
    """Return people, walk and capacity of a random case whose planted answer fills the bins."""
    rng = np.random.default_rng(seed)
    bins, per_bin = 12, 12
    people = rng.integers(40, 120, bins * per_bin)
    home = np.repeat(np.arange(bins), per_bin)
    load = np.bincount(home, weights=people)
    place_of_bin = rng.random((bins, 2))
    place_of_block = place_of_bin[home] + rng.normal(0, 0.1, (len(people), 2))
    apart = np.linalg.norm(place_of_block[:, None] - place_of_bin[None], axis=2)
    return people, apart, np.ceil(load / fill).astype(np.int64)


@pytest.mark.parametrize("seed", range(10))
def test_nearly_full_bins_take_everybody(seed: int) -> None:
    """Where an answer that fills 97 % of the room is known, one is found, and cheapened cleanly."""
    people, walk, capacity = _planted(seed, 0.97)
    bins = _bins(walk, people.tolist(), capacity.tolist(), [-1] * len(people))
    for block in np.argsort(-people, kind="stable").tolist():
        assert place(bins, block)
    _check(bins)
    before = _cost(bins)
    cheapen(bins, 1_000)
    _check(bins)
    assert (bins.bin_of >= 0).all()
    assert _cost(bins) <= before


@pytest.mark.parametrize("seed", range(3))
def test_cheapened_bins_are_near_the_best(seed: int) -> None:
    """Moves and swaps end within 3 % of the linear relaxation, where greedy places do not."""
    people, walk, capacity = _planted(seed, 0.97)
    bins = _bins(walk, people.tolist(), capacity.tolist(), [-1] * len(people))
    for block in np.argsort(-people, kind="stable").tolist():
        place(bins, block)
    cheapen(bins, 10_000)
    assert _cost(bins) <= 1.03 * _relaxation(people, walk, capacity)


def _relaxation(people: Ints, walk: Floats, capacity: Ints) -> float:
    """Return the least cost when blocks may be split, by linear programming."""
    from scipy.optimize import linprog  # noqa: PLC0415  # only this reference needs it

    blocks, bins = walk.shape
    once = np.kron(np.eye(blocks), np.ones((1, bins)))
    room = np.kron(np.ones((1, blocks)), np.eye(bins))
    result = linprog(
        (walk).ravel(), A_eq=once, b_eq=people, A_ub=room, b_ub=capacity, bounds=(0, None)
    )
    assert result.fun is not None
    return float(result.fun)


def test_room_that_is_not_there_is_looked_for_once() -> None:
    """Of many blocks with the same bins only the first of each size is tried, and smaller ones."""
    bins = _bins(np.zeros((8, 2)), [40, 40, 30, 30, 30, 30, 5, 5], [47, 40], [0, 1] + [-1] * 6)
    tried: list[int] = []

    def noted(some: Bins, block: int) -> bool:
        tried.append(block)
        return place(some, block)

    with patch.object(make_room, "place", noted):
        place_all(bins, bins.left_out())
    assert tried == [2, 6, 7]
    assert bins.bin_of.tolist() == [0, 1, -1, -1, -1, -1, 0, -1]
    _check(bins)
