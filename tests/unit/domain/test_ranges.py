"""Ranges one after another."""

from __future__ import annotations

import numpy as np

from scheduler.domain.ranges import ranges, steps


def test_ranges_follow_one_another() -> None:
    """Each row gives its numbers from first to before its end; an empty one gives none."""
    first, end = np.array([5, 2, 9, 0]), np.array([8, 2, 10, 2])
    assert ranges(first, end).tolist() == [5, 6, 7, 9, 0, 1]
    assert steps(end - first).tolist() == [0, 1, 2, 0, 0, 1]
    assert ranges(first[:0], end[:0]).tolist() == []
