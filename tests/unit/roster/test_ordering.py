"""Rows in the order of several columns."""

from __future__ import annotations

import numpy as np
import pytest

from scheduler.roster.ordering import order_by


@pytest.mark.parametrize("span", [3, 1_000, 2**40])
def test_rows_are_sorted_as_one_by_one(span: int) -> None:
    """By the first column, then the next, equal rows as they were; also where numbers are large."""
    rng = np.random.default_rng(span)
    first, second = rng.integers(-span, span, 500), rng.integers(0, span, 500)
    flags = rng.random(500) < 0.5
    expected = sorted(range(500), key=lambda i: (first[i], flags[i], second[i]))
    assert order_by(first, flags, second).tolist() == expected


def test_no_rows() -> None:
    """Nothing is in order."""
    assert order_by(np.empty(0, dtype=np.int64), np.empty(0, dtype=bool)).tolist() == []
