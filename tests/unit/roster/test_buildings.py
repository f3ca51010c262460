"""Blocks out of addresses."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scheduler.roster.buildings import building_of, natural_order, pack_buildings

QUICK = settings(deadline=None, derandomize=True, max_examples=60)


@pytest.mark.parametrize(
    ("address", "building"),
    [
        ("幸福路12号3号楼2单元501", "幸福路12号3号楼"),
        ("阳光小区7栋1203室", "阳光小区7栋"),
        ("解放街88号402", "解放街88号"),
        ("12 Park Rd, Building 3, Flat 501", "12 Park Rd, Building 3"),
        ("王家村17", "王家村"),
        ("海边小院", "海边小院"),
    ],
)
def test_building_of_an_address(address: str, building: str) -> None:
    """An address names its building before stairway and flat; an unknown form is kept whole."""
    assert pl.DataFrame({"a": [address]}).select(building_of(pl.col("a"))).item() == building


def test_buildings_count_as_people_do() -> None:
    """2号楼 comes before 10号楼."""
    names = ["10号楼", "2号楼", "1号楼"]
    assert [names[i] for i in natural_order(names)] == ["1号楼", "2号楼", "10号楼"]


@QUICK
@given(st.lists(st.integers(1, 700), max_size=30))
def test_blocks_of_buildings(people: list[int]) -> None:
    """Small buildings share a block of at most 250; a larger one has blocks to itself, in order."""
    first, pieces = pack_buildings(np.array(people, dtype=np.int64), 250)
    expected = 0
    for n, (block, count) in enumerate(zip(first.tolist(), pieces.tolist(), strict=True)):
        assert count == max(1, -(-people[n] // 250))
        assert block in {expected, expected - 1}
        expected = max(expected, block + count)
    alone = pieces > 1
    shared = np.bincount(first[~alone], np.array(people)[~alone]) if (~alone).any() else np.zeros(1)
    assert (shared <= 250).all()
    assert not set(first[alone].tolist()) & set(first[~alone].tolist())
