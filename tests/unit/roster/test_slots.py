"""Households to the slots of their block, with quotas that leave no room to spare."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scheduler.domain.city import Ints
from scheduler.roster.homes import Homes, Rows
from scheduler.roster.slots import seat
from tests.rounds import Recipe, random_instance

QUICK = settings(deadline=None, derandomize=True, max_examples=60)

INSTANCE = random_instance(1, Recipe(num_communities=4, blocks_per_community=2))
SLOT = 15


def rows_of(blocks: list[list[int]], start: int = 0) -> Rows:
    """Return rows of blocks at one site, each block's slots after those of the block before."""
    people = [n for block in blocks for n in block]
    block = [b for b, slots in enumerate(blocks) for _ in slots]
    first = start + SLOT * np.arange(len(people))
    return Rows(
        block=np.array(block), site=np.zeros(len(people), dtype=np.int64), start=first,
        end=first + SLOT, people=np.array(people), tubes=np.ones(len(people), dtype=np.int64),
        zone=np.full(len(people), 3), pool=np.full(len(people), 10),
    )  # fmt: skip


def homes_of(sizes: list[list[int]], old: list[bool] | None = None) -> Homes:
    size = np.array([s for block in sizes for s in block], dtype=np.int64)
    block = np.array([b for b, block in enumerate(sizes) for _ in block], dtype=np.int64)
    elderly = np.array(old or [False] * len(size))
    person = np.repeat(np.arange(len(size)), size)
    none = np.zeros(len(size), dtype=np.int64)
    return Homes(block, size, elderly, none, person, len(size), 0)


def excess(sizes: list[int], row: tuple[int, ...], limits: list[int]) -> int:
    load = np.bincount(row, sizes, len(limits))
    return int(np.maximum(load - limits, 0).sum())


def quota_of(value: int) -> Ints:
    return np.full(len(INSTANCE.sites), value)


@QUICK
@given(
    st.lists(st.integers(1, 4), min_size=1, max_size=6),
    st.lists(st.integers(1, 6), min_size=2, max_size=3),
)
def test_against_every_way_of_seating(sizes: list[int], cuts: list[int]) -> None:
    """With one quota for all slots the seating exceeds it only where every way of seating does."""
    total, limit = sum(sizes), max(cuts)
    planned = [min(c, limit) for c in cuts]
    planned[-1] = max(total - sum(planned[:-1]), 1)
    limit = max(*planned, 1)
    rows, homes = rows_of([planned]), homes_of([sizes])
    found = seat(INSTANCE, rows, homes, quota_of(limit))
    if sum(planned) < total:
        return
    assert (found.row >= 0).all()
    assert excess(sizes, tuple(found.row.tolist()), [limit] * len(planned)) == found.over
    ways = itertools.product(range(len(planned)), repeat=len(sizes))
    best = min(excess(sizes, way, [limit] * len(planned)) for way in ways)
    assert (found.over == 0) == (best == 0)


def test_a_crowded_slot_is_relieved() -> None:
    """Where the plan's waves leave a household no slot, it moves to the nearest that has room."""
    rows, homes = rows_of([[3, 3, 3, 3, 2]], start=0), homes_of([[2] * 7])
    found = seat(INSTANCE, rows, homes, quota_of(4))
    assert found.over == 0
    assert np.bincount(found.row, homes.size, 5).max() <= 4


def test_what_no_slot_holds_is_told() -> None:
    """People beyond the quota are counted when households cannot be seated otherwise."""
    rows, homes = rows_of([[3, 3]]), homes_of([[2, 2, 2]])
    found = seat(INSTANCE, rows, homes, quota_of(3))
    assert found.over == 1
    assert sorted(np.bincount(found.row, homes.size, 2).tolist()) == [2, 4]


def test_old_people_come_by_day() -> None:
    """Households with old people get slots between 09:00 and 11:00 where their block has some."""
    start = 2 * 60  # the round begins at 06:00: one slot before nine, three after
    rows = rows_of([[4, 4, 4, 4, 4, 4]], start=start)
    homes = homes_of([[2] * 12], [True] + [False] * 10 + [True])
    found = seat(INSTANCE, rows, homes, quota_of(4))
    hours = 6 + rows.start[found.row[homes.elderly]] / 60
    assert ((hours >= 9) & (hours < 11)).all()


@pytest.mark.parametrize("blocks", [1, 3])
def test_each_block_keeps_its_own_slots(blocks: int) -> None:
    """Nobody is seated in a slot of another block, nor where the plan has too few slots for all."""
    rows = rows_of([[5, 5]] * blocks)
    homes = homes_of([[3, 3, 3, 3]] * blocks)
    found = seat(INSTANCE, rows, homes, quota_of(5))
    placed = found.row >= 0
    assert (rows.block[found.row[placed]] == homes.block[placed]).all()
    assert placed.sum() == 2 * blocks
    assert found.over == 0
