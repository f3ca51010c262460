"""Whole numbers split by weights."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from scheduler.generate.shares import split_groups, split_whole

WEIGHTS = st.lists(st.floats(0.1, 10), min_size=1, max_size=30)


@given(total=st.integers(0, 10_000), weights=WEIGHTS, at_least=st.integers(0, 20))
def test_split_whole_keeps_total_and_floor(total: int, weights: list[float], at_least: int) -> None:
    """Rule: the parts add up to the total, none below the floor that the total allows."""
    parts = split_whole(total, weights, at_least)
    assert parts.sum() == total
    assert parts.min() >= min(at_least, total // len(weights))


def test_split_whole_follows_weights() -> None:
    """Rule: each part lies within one of its exact share."""
    assert split_whole(10, [1, 1, 2]).tolist() == [3, 2, 5]


@given(totals=st.lists(st.integers(0, 5_000), min_size=1, max_size=6), data=st.data())
def test_split_groups_keeps_each_total(totals: list[int], data: st.DataObject) -> None:
    """Rule: the parts of each group add up to the total of the group, none negative."""
    sizes = data.draw(st.lists(st.integers(1, 5), min_size=len(totals), max_size=len(totals)))
    group = np.repeat(np.arange(len(totals)), sizes)
    weights = np.linspace(0.3, 1.2, len(group))
    parts = split_groups(np.array(totals), group, weights)
    assert np.bincount(group, parts).astype(int).tolist() == totals
    assert parts.min() >= 0


def test_split_whole_of_nothing() -> None:
    """Rule: no weights, no parts."""
    assert split_whole(5, []).tolist() == []
