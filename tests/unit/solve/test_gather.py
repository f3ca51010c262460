"""Room for a block is gathered from neighbours that each have too little."""

from __future__ import annotations

import numpy as np
import pytest

from scheduler.domain.city import Ints
from scheduler.solve.bins import Bins
from scheduler.solve.candidates import Pairs
from scheduler.solve.exchange import Exchanges
from scheduler.solve.gather import Gathering
from scheduler.solve.hot_spots import bins_of
from scheduler.solve.knapsacks import Knapsacks

BINS, ROOM, LAST = 4, 100, 24


def _all_but_full(seed: int, spare: int) -> tuple[Knapsacks, Bins]:
    """Return bins that have ``spare`` places left each, and a last block that is in none.

    A block may go to its bin and the next one on either side.
    """
    rng = np.random.default_rng(seed)
    sizes: list[int] = []
    home: list[int] = []
    for number in range(BINS):
        left = ROOM - spare
        while left:
            size = min(left, int(rng.integers(7, 19)))
            sizes.append(size)
            home.append(number)
            left -= size
    people, bin_of = np.array([*sizes, LAST]), np.array([*home, -1])
    rows = [
        (block, number)
        for block, mine in enumerate(bin_of.tolist())
        for number in range(BINS)
        if (abs(number - mine) <= 1 if mine >= 0 else number == 0)
    ]
    block, site = np.array(rows).T
    pairs = Pairs(block, site, np.zeros(len(block)))
    cost = rng.uniform(0, 100, len(block))
    sacks = Knapsacks(pairs, cost, people, [np.arange(ROOM + 1.0) for _ in range(BINS)])
    return sacks, bins_of(sacks, cost / people[block], bin_of)


def _load(sacks: Knapsacks, bin_of: Ints) -> Ints:
    return np.bincount(bin_of[bin_of >= 0], sacks.people[bin_of >= 0], BINS).astype(np.int64)


@pytest.mark.parametrize("seed", range(6))
def test_room_is_gathered_where_all_have_enough_together(seed: int) -> None:
    """Bins with seven places each hold a block of 24 people more."""
    sacks, bins = _all_but_full(seed, 7)
    assert Gathering(bins, Exchanges(sacks, bins)).place(len(sacks.people) - 1)
    assert (bins.bin_of >= 0).all()
    assert (_load(sacks, bins.bin_of) <= ROOM).all()
    assert bins.load.tolist() == _load(sacks, bins.bin_of).tolist()


def test_all_stays_as_it_was_where_room_is_too_little() -> None:
    """Bins with five places each cannot hold 24 people, and nobody is moved for it."""
    sacks, bins = _all_but_full(0, 5)
    before = bins.bin_of.copy()
    assert not Gathering(bins, Exchanges(sacks, bins)).place(len(sacks.people) - 1)
    assert bins.bin_of.tolist() == before.tolist()
