"""Bins as knapsacks of whole blocks: the best set, prices of blocks, exchanges, hot spots."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from scheduler.domain.city import Floats, Ints
from scheduler.solve.block_prices import BlockPrices
from scheduler.solve.candidates import Pairs
from scheduler.solve.exchange import Exchanges
from scheduler.solve.hot_spots import HotSpots, bins_of, make_room
from scheduler.solve.knapsacks import Knapsacks, best_set, cost_upto

SEEDS = range(12)


def small(seed: int, blocks: int = 6, bins: int = 3) -> Knapsacks:
    """Return bins that are all but full, with blocks of mixed sizes."""
    rng = np.random.default_rng(seed)
    people = rng.integers(3, 12, blocks)
    walk = rng.uniform(0, 15, (blocks, bins))
    walk[rng.random(walk.shape) < 0.15] = np.inf
    block, number = np.nonzero(np.isfinite(walk))
    slots = -(-int(people.sum() * 1.1) // (2 * bins))
    upto = [cost_upto(np.sort(rng.uniform(0, 3, slots)), np.full(slots, 2)) for _ in range(bins)]
    pairs = Pairs(block, number, walk[block, number])
    return Knapsacks(pairs, walk[block, number] * people[block], people, upto)


def every_packing(sacks: Knapsacks) -> list[Ints]:
    """Return all ways to give each block a bin, or none, that fit."""
    bins = range(-1, len(sacks.upto))
    found = []
    for choice in product(bins, repeat=len(sacks.people)):
        bin_of = np.array(choice)
        some = bin_of >= 0
        load = np.bincount(bin_of[some], sacks.people[some], len(sacks.upto))
        pairs = set(zip(sacks.pairs.block.tolist(), sacks.pairs.site.tolist(), strict=True))
        near = all((b, n) in pairs for b, n in enumerate(choice) if n >= 0)
        if near and (load <= sacks.room).all():
            found.append(bin_of)
    return found


def check(sacks: Knapsacks, bin_of: Ints) -> None:
    """Demand that a packing fits and that everybody is at a candidate."""
    some = bin_of >= 0
    load = np.bincount(bin_of[some], sacks.people[some], len(sacks.upto))
    assert (load <= sacks.room).all()
    here = bin_of[sacks.pairs.block] == sacks.pairs.site
    assert np.count_nonzero(here) == np.count_nonzero(some)


@pytest.mark.parametrize("seed", range(40))
def test_settled_blocks_change_no_best_set(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A set is worth the same whether blocks are settled first or all looked at."""
    rng = np.random.default_rng(seed)
    blocks, places = int(rng.integers(8, 30)), int(rng.integers(10, 120))
    size = rng.integers(3, 12, blocks)
    value = size * rng.uniform(0, 4, blocks) + rng.normal(0, seed % 4, blocks)
    upto = cost_upto(np.sort(rng.uniform(0, 3, places)), np.ones(places, dtype=np.int64))
    worth, chosen = best_set(size, value, upto)
    assert worth == pytest.approx(value[chosen].sum() - upto[size[chosen].sum()])
    monkeypatch.setattr("scheduler.solve.knapsacks._FEW_BLOCKS", 100)
    assert best_set(size, value, upto)[0] == pytest.approx(worth)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_best_set_is_best(seed: int) -> None:
    """No subset that fits is worth more, and the set named is worth what is said."""
    rng = np.random.default_rng(seed)
    size, value = rng.integers(1, 9, 8), rng.uniform(-5, 20, 8)
    upto = cost_upto(rng.uniform(0, 4, 6), rng.integers(0, 5, 6))

    def worth(chosen: Ints) -> float:
        people = int(size[chosen].sum())
        return float(value[chosen].sum() - upto[people]) if people < len(upto) else -np.inf

    most = max(worth(np.flatnonzero(c)) for c in product((0, 1), repeat=8))
    found, chosen = best_set(size, value, upto)
    assert found == pytest.approx(most)
    assert worth(chosen) == pytest.approx(most)


def test_cheapest_slots_come_first() -> None:
    """Slots that are not offered hold nobody, others are sold by price."""
    upto = cost_upto(np.array([3.0, np.inf, 1.0]), np.array([1, 5, 2]))
    assert upto.tolist() == [0, 1, 2, 5]


@pytest.mark.parametrize("seed", SEEDS)
def test_prices_of_blocks_bound_every_packing(seed: int) -> None:
    """The bound lies below the cheapest packing of everybody, whatever prices it begins from."""
    sacks = small(seed)
    whole = [sacks.total(b) for b in every_packing(sacks) if (b >= 0).all()]
    prices = BlockPrices(sacks, np.random.default_rng(seed).uniform(0, 200, 6), 0.05)
    prices.ascend(40)
    assert prices.bound <= min(whole, default=np.inf) + 1e-9
    prices.dive()
    check(sacks, prices.bin_of)


def _fitting(seed: int) -> list[Ints]:
    """Return the packings of a few blocks that leave none out."""
    return [b for b in every_packing(small(seed, 7, 2)) if (b >= 0).all()]


@pytest.mark.parametrize("seed", [seed for seed in SEEDS if _fitting(seed)])
def test_two_bins_share_their_blocks_in_the_best_way(seed: int) -> None:
    """With two bins an exchange finds the optimum, from any packing."""
    sacks = small(seed, 7, 2)
    whole = _fitting(seed)
    dearest = max(whole, key=sacks.total)
    bins = bins_of(sacks, sacks.cost / sacks.size, dearest)
    Exchanges(sacks, bins).run()
    check(sacks, bins.bin_of)
    assert sacks.total(bins.bin_of) <= min(map(sacks.total, whole)) + 1.0


@pytest.mark.parametrize("seed", SEEDS)
def test_a_hot_spot_never_costs_more(seed: int) -> None:
    """Packing anew leaves no more people out and, with as many, costs no more."""
    sacks = small(seed, 12, 4)
    price: Floats = np.full(12, 100.0)
    bins = bins_of(sacks, sacks.cost / sacks.size, np.full(12, -1))
    make_room(bins)
    left, before = int(sacks.people[bins.bin_of < 0].sum()), sacks.total(bins.bin_of)
    points = np.random.default_rng(seed).normal(size=(4, 3))
    HotSpots(sacks, bins, price, points).run(np.random.default_rng(0), 10, 1e-3)
    check(sacks, bins.bin_of)
    now = int(sacks.people[bins.bin_of < 0].sum())
    assert now <= left
    assert now < left or sacks.total(bins.bin_of) <= before + 1e-9
