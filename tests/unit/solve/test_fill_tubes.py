"""Blocks change bins for full tubes where a tube is dear."""

from __future__ import annotations

import numpy as np
import pytest

from scheduler.solve.bins import Bins
from scheduler.solve.candidates import Pairs
from scheduler.solve.fill_tubes import Parts, TubeFiller, Wanted

POOL = 10


def _city(seed: int, bins: int = 20, per_bin: int = 6) -> Bins:
    """Return bins in a row, each block in its own with its neighbours as candidates."""
    rng = np.random.default_rng(seed)
    home = np.repeat(np.arange(bins), per_bin)
    people = rng.integers(40, 90, len(home))
    block = np.repeat(np.arange(len(home)), 3)
    number = np.clip(np.repeat(home, 3) + np.tile([-1, 0, 1], len(home)), 0, bins - 1)
    pairs, kept = np.unique(np.column_stack((block, number)), axis=0, return_index=True)
    price = np.where(pairs[:, 1] == home[pairs[:, 0]], 0.0, rng.random(len(kept)) * 3)
    load = np.bincount(home, weights=people).astype(np.int64)
    return Bins(Pairs(pairs[:, 0], pairs[:, 1], price), price, people, load + 60, home, load)


def _tubes(bins: Bins) -> int:
    return int((-(-bins.load // POOL)).sum())


def _cost(bins: Bins) -> float:
    return float((bins.now * bins.people).sum())


@pytest.mark.parametrize("seed", range(5))
def test_dear_tubes_are_filled_and_cheap_ones_left(seed: int) -> None:
    """Most empty places go where a tube is dear; nobody moves for tubes worth nothing."""
    bins = _city(seed)
    before, least = _tubes(bins), -(-int(bins.people.sum()) // POOL)
    TubeFiller(bins, POOL, np.zeros(20)).run()
    assert _cost(bins) == 0
    TubeFiller(bins, POOL, np.full(20, 5_000.0)).run()
    assert _tubes(bins) - least <= (before - least) / 4
    assert (bins.load <= bins.capacity).all()
    load = np.bincount(bins.bin_of, weights=bins.people, minlength=20)
    assert load.tolist() == bins.load.tolist()


def test_a_walk_dearer_than_the_tube_is_not_walked() -> None:
    """What the moves cost never exceeds what the tubes saved are worth."""
    bins = _city(7)
    before = _tubes(bins)
    TubeFiller(bins, POOL, np.full(20, 300.0)).run()
    assert _cost(bins) <= 300.0 * (before - _tubes(bins)) + 1e-6


@pytest.mark.parametrize("seed", range(5))
def test_parts_of_the_round_get_the_people_labs_wait_for(seed: int) -> None:
    """Whole tubes change days until each day has its people to within a few tubes."""
    bins = _city(seed)
    part = np.arange(20) % 2
    wanted = np.bincount(part, weights=bins.load) + np.array([-150.0, 150.0])
    bins.capacity = bins.load + 300
    TubeFiller(bins, POOL, np.full(20, 5_000.0), Parts(part, wanted)).run()
    assert np.abs(np.bincount(part, weights=bins.load) - wanted).max() <= 3 * POOL
    load = np.bincount(bins.bin_of, weights=bins.people, minlength=20)
    assert load.tolist() == bins.load.tolist()


def test_swaps_that_fill_no_tube_save_walking() -> None:
    """Two blocks of one size that would each walk less at the other's site change places."""
    people, price = np.array([50, 50]), np.array([3.0, 0.0, 0.0, 3.0])
    pairs = Pairs(np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1]), price)
    load = np.array([50, 50])
    bins = Bins(pairs, price, people, load, np.array([0, 1]), load.copy())
    TubeFiller(bins, POOL, np.full(2, 5_000.0)).run()
    assert bins.bin_of.tolist() == [1, 0]


@pytest.mark.parametrize("seed", range(5))
def test_bins_keep_people_in_tubes_worth_filling_in_part(seed: int) -> None:
    """With a tube for four in half of the bins, four people beyond full ones are no rest there."""
    bins, over = _city(seed), 4 * (np.arange(20) % 2)
    before = int((-(-(bins.load - over) // POOL)).sum())
    least = -(-int(bins.people.sum() - over.sum()) // POOL)
    TubeFiller(bins, POOL, np.full(20, 5_000.0), over=over).run()
    after = int((-(-(bins.load - over) // POOL)).sum())
    assert after - least <= (before - least) / 4


@pytest.mark.parametrize("seed", range(5))
def test_bins_keep_the_people_whose_places_are_worth_more(seed: int) -> None:
    """Tubes are filled, but no bin falls below those whom it would miss more than a tube."""
    bins, other = _city(seed), _city(seed)
    wanted = Wanted(bins.load.copy(), np.full(20, 1e6))
    part = np.arange(20) % 2
    parts = Parts(part, np.bincount(part, weights=bins.load) + np.array([-150.0, 150.0]))
    TubeFiller(other, POOL, np.full(20, 5_000.0), parts).run()
    assert (other.load < wanted.people).any()
    TubeFiller(bins, POOL, np.full(20, 5_000.0), parts, wanted).run()
    assert (bins.load >= wanted.people).all()
