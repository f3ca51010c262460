"""Households into slots and tubes: whole, within room, nobody lost."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scheduler.roster.fill import Bins, Filled, Items, fill

QUICK = settings(deadline=None, derandomize=True, max_examples=60)

GROUPS = st.lists(
    st.tuples(
        st.lists(st.integers(1, 6), max_size=12),  # households
        st.lists(st.integers(1, 12), min_size=1, max_size=5),  # bins
    ),
    min_size=1,
    max_size=5,
)


def slots(groups: list[tuple[list[int], list[int]]], slack: int) -> tuple[Items, Bins]:
    households = [(g, size) for g, (sizes, _) in enumerate(groups) for size in sizes]
    bins = [(g, room) for g, (_, rooms) in enumerate(groups) for room in rooms]
    group = np.array([g for g, _ in households], dtype=np.int64)
    size = np.array([s for _, s in households], dtype=np.int64)
    partial = [sum(sizes) > sum(rooms) for sizes, rooms in groups]
    return Items(group, size, np.arange(len(size))), Bins(
        group=np.array([g for g, _ in bins], dtype=np.int64),
        capacity=np.array([c for _, c in bins], dtype=np.int64),
        slack=np.full(len(bins), slack),
        spare=np.zeros(len(groups), dtype=np.int64),
        partial=np.array(partial),
        may_split=False,
    )


def loads(items: Items, bins: Bins, found: Filled) -> np.ndarray:
    """Return people by bin, those of split households in both of theirs."""
    placed = found.bin >= 0
    count = np.bincount(found.bin[placed], (items.size - found.spill)[placed], len(bins.capacity))
    split = np.flatnonzero(found.spill > 0)
    np.add.at(count, found.bin[split] + 1, found.spill[split])
    return count.astype(np.int64)


@QUICK
@given(GROUPS, st.integers(0, 3))
def test_slots_hold_whole_households(groups: list[tuple[list[int], list[int]]], slack: int) -> None:
    """A household is in one slot of its group, within capacity and slack, or the excess is told."""
    items, bins = slots(groups, slack)
    limit = bins.capacity + bins.slack
    found = fill(items, bins)
    placed = found.bin >= 0
    assert (bins.group[found.bin[placed]] == items.group[placed]).all()
    assert (found.spill == 0).all()
    assert (loads(items, bins, found) <= limit + found.over).all()
    assert placed[~bins.partial[items.group]].all()  # enough room: everybody has a slot
    assert (found.over[bins.partial[bins.group]] == 0).all()


def test_order_is_kept_where_it_fits() -> None:
    """Households fill slots in their order, but for one nearby that fills a slot to the brim."""
    items, bins = slots([([2, 3, 1, 5, 1], [6, 6])], 0)
    assert fill(items, bins).bin.tolist() == [0, 0, 0, 1, 1]
    items, bins = slots([([2, 3, 4, 1, 2], [6, 6])], 0)
    assert fill(items, bins).bin.tolist() == [0, 1, 0, 1, 1]


def test_a_household_may_exceed_the_slot_by_its_slack() -> None:
    """Where nobody fits, a household goes in as far as the quota allows, else into the next one."""
    items, bins = slots([([2, 2, 2], [3, 3])], 1)
    assert fill(items, bins).bin.tolist() == [0, 0, 1]
    items, bins = slots([([2, 2, 2], [3, 3])], 0)
    found = fill(items, bins)
    assert found.bin.tolist() == [0, 1, 1]
    assert found.over.tolist() == [0, 1]


@QUICK
@given(
    st.lists(st.lists(st.integers(1, 10), max_size=14), min_size=1, max_size=5),
    st.integers(0, 2),
)
def test_tubes_hold_everybody(groups: list[list[int]], more: int) -> None:
    """With ceil(people / 10) tubes or more nobody is left, and no tube holds more than ten."""
    group = np.array([g for g, sizes in enumerate(groups) for _ in sizes], dtype=np.int64)
    size = np.array([s for sizes in groups for s in sizes], dtype=np.int64)
    people = np.array([sum(sizes) for sizes in groups])
    number = np.where(people > 0, -(-people // 10) + more, 0)
    bins = Bins(
        group=np.repeat(np.arange(len(groups)), number),
        capacity=np.full(number.sum(), 10),
        slack=np.zeros(number.sum(), dtype=np.int64),
        spare=number * 10 - people,
        partial=np.zeros(len(groups), dtype=bool),
        may_split=True,
    )
    items = Items(group, size, np.arange(len(size)))
    found = fill(items, bins)
    count = loads(items, bins, found)
    assert (found.bin >= 0).all()
    assert (count <= 10).all()
    assert count.sum() == size.sum()
    assert (bins.group[found.bin] == group).all()
    split = found.spill > 0
    assert (bins.group[found.bin[split] + 1] == group[split]).all()


@pytest.mark.parametrize(("sizes", "splits"), [([4, 4, 2, 5, 5], 0), ([4, 4, 4, 4, 4], 1)])
def test_households_share_a_tube_where_tubes_allow(sizes: list[int], splits: int) -> None:
    """A household is split over two tubes only where whole ones do not fill the tubes there are."""
    bins = Bins(
        group=np.zeros(2, dtype=np.int64),
        capacity=np.full(2, 10),
        slack=np.zeros(2, dtype=np.int64),
        spare=np.zeros(1, dtype=np.int64),
        partial=np.zeros(1, dtype=bool),
        may_split=True,
    )
    size = np.array(sizes)
    found = fill(Items(np.zeros(5, dtype=np.int64), size, np.arange(5)), bins)
    assert (found.spill > 0).sum() == splits
