"""Ranges one after another."""

from __future__ import annotations

import numpy as np

from scheduler.domain.ranges import fan_out, ranges, steps


def test_ranges_follow_one_another() -> None:
    """Each row gives its numbers from first to before its end; an empty one gives none."""
    first, end = np.array([5, 2, 9, 0]), np.array([8, 2, 10, 2])
    assert ranges(first, end).tolist() == [5, 6, 7, 9, 0, 1]
    assert steps(end - first).tolist() == [0, 1, 2, 0, 0, 1]
    assert ranges(first[:0], end[:0]).tolist() == []


def test_elements_fan_out_to_what_their_owners_have() -> None:
    """Each element comes once for each thing of its owner, and not at all where that has none."""
    rows, things = fan_out(np.array([2, 0, 1, 2]), np.array([0, 2, 2]), 3)
    assert list(zip(rows.tolist(), things.tolist(), strict=True)) == [
        (0, 1), (0, 2), (1, 0), (3, 1), (3, 2),
    ]  # fmt: skip
