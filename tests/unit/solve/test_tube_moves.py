"""Blocks chosen along trees pass on what was planned, at the cost that was planned."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from scheduler.domain.city import Ints
from scheduler.solve.tube_moves import Moves, Rests, allotted, exchanges, swapped

POOL, WORTH = 5, 60.0


def _moves(rng: np.random.Generator, bins: int, blocks: int) -> tuple[Moves, Rests]:
    """Return blocks in bins, each of which may go to every other one."""
    home, people = rng.integers(0, bins, blocks), rng.integers(3, 9, blocks)
    block, target = (a.ravel() for a in np.indices((blocks, bins)))
    row = np.flatnonzero(target != home[block])
    row = row[np.lexsort((target[row], home[block[row]]))]
    block, target = block[row], target[row]
    moves = Moves(row, block, home[block], target, people[block], rng.uniform(-2, 20, len(row)))
    load = np.bincount(home, people, bins).astype(np.int64)
    none = np.zeros(bins, dtype=np.int64)
    room = np.full(bins, 1_000)
    zero = np.zeros(bins)
    return moves, Rests(load % POOL, room, np.full(bins, WORTH), POOL, none, zero, none, zero)


def _paid(moves: Moves, bins: Rests, made: Ints) -> float:
    """Return what moves and the places of tubes that stay empty cost."""
    change = np.bincount(moves.target[made], moves.people[made], len(bins.rest))
    change -= np.bincount(moves.source[made], moves.people[made], len(bins.rest))
    empty = (-(bins.rest + change) % POOL).sum()
    return float(moves.cost[made].sum() + empty * WORTH / POOL)


@pytest.mark.parametrize("seed", range(10))
def test_exchanges_are_all_moves_and_all_swaps(seed: int) -> None:
    """Each block may go alone, and any two of different bins that want each other's may swap."""
    moves, bins = _moves(np.random.default_rng(seed), 4, 7)
    every = exchanges(moves, len(bins.rest))
    found = set()
    for one, two, low, high, gain, cost in zip(
        every.one, every.two, every.low, every.high, every.gain, every.cost, strict=True
    ):
        some = [m for m in (one, two) if m >= 0]
        up = sum(int(moves.people[m]) * (1 if moves.target[m] == high else -1) for m in some)
        assert low < high
        assert gain == up
        assert cost == pytest.approx(moves.cost[some].sum())
        found.add(frozenset(int(m) for m in some))
    ends = list(zip(moves.source.tolist(), moves.target.tolist(), strict=True))
    pairs = {frozenset((a, b)) for a, b in product(range(len(ends)), repeat=2)
             if ends[a] == ends[b][::-1]}  # fmt: skip
    assert found == {frozenset((m,)) for m in range(len(ends))} | pairs
    assert len(found) == len(every.one)


@pytest.mark.parametrize("seed", range(20))
def test_moves_allotted_never_cost_more_than_none(seed: int) -> None:
    """No block moves twice, and walks and empty places together cost no more than before."""
    rng = np.random.default_rng(seed)
    moves, bins = _moves(rng, 6, 20)
    made = allotted(moves, bins, 5.0, rng)
    assert len(np.unique(moves.block[made])) == len(made)
    assert _paid(moves, bins, made) <= _paid(moves, bins, made[:0]) + 1e-9


@pytest.mark.parametrize("seed", range(20))
def test_two_bins_are_served_by_the_best_of_all_sets(seed: int) -> None:
    """Between two bins, no other set of blocks costs less."""
    rng = np.random.default_rng(seed)
    moves, bins = _moves(rng, 2, 7)
    made = allotted(moves, bins, 5.0, rng)
    ways = product((False, True), repeat=len(moves.row))
    least = min(_paid(moves, bins, np.flatnonzero(way)) for way in ways)
    assert _paid(moves, bins, made) == pytest.approx(least)


@pytest.mark.parametrize("seed", range(20))
def test_swaps_fit_and_move_no_block_twice(seed: int) -> None:
    """Exchanges along a tree respect rooms in the order in which they are made."""
    rng = np.random.default_rng(seed)
    moves, bins = _moves(rng, 5, 15)
    tight = replace(bins, room=rng.integers(0, 6, 5))
    made = swapped(moves, tight, None)
    assert len(np.unique(moves.block[made])) == len(made)
    change = np.bincount(moves.target[made], moves.people[made], 5)
    change -= np.bincount(moves.source[made], moves.people[made], 5)
    assert (change <= tight.room).all()


def test_blocks_of_different_parts_have_no_links() -> None:
    """Parts keep their people where every block has one link."""
    rng = np.random.default_rng(3)
    moves, bins = _moves(rng, 6, 20)
    part = np.arange(6) % 2
    apart = replace(bins, part=part)
    made = allotted(moves, apart, 5.0, rng)
    assert len(made)
    assert (part[moves.source[made]] == part[moves.target[made]]).all()


def test_only_people_that_were_not_to_spare_are_lost() -> None:
    """A bin loses what its missing people cost, and gains it back with those who come."""
    _, bins = _moves(np.random.default_rng(0), 3, 5)
    bins = replace(bins, spare=np.array([7, 0, -4]), missed=np.array([3.0, 3.0, 2.0]))
    every = np.arange(3)
    assert bins.lost(every, np.full(3, -5)).tolist() == [0.0, 15.0, 10.0]
    assert bins.lost(every, np.full(3, -10)).tolist() == [9.0, 30.0, 20.0]
    assert bins.lost(every, np.full(3, 5)).tolist() == [0.0, 0.0, -8.0]


@pytest.mark.parametrize("choose", ["swapped", "allotted"])
def test_no_tube_is_filled_with_people_who_are_missed_more(choose: str) -> None:
    """Bins give away nobody whose place is worth more than any tube."""
    for seed in range(10):
        rng = np.random.default_rng(seed)
        moves, bins = _moves(rng, 5, 15)
        dear = replace(bins, spare=np.zeros(5, dtype=np.int64), missed=np.full(5, 1e6))
        made = [swapped(moves, some, None) if choose == "swapped"
                else allotted(moves, some, 5.0, np.random.default_rng(seed))
                for some in (bins, dear)]  # fmt: skip
        assert len(made[0])
        change = np.bincount(moves.target[made[1]], moves.people[made[1]], 5)
        change -= np.bincount(moves.source[made[1]], moves.people[made[1]], 5)
        assert (change == 0).all()
