"""Ranges of whole numbers one after another, for columns that unfold into more rows."""

from __future__ import annotations

import numpy as np

from scheduler.domain.city import Ints


def steps(count: Ints) -> Ints:
    """Return 0, 1, ... ``count`` - 1 of each row, one row after another."""
    numbers: Ints = np.arange(int(count.sum())) - np.repeat(np.cumsum(count) - count, count)
    return numbers


def ranges(first: Ints, end: Ints) -> Ints:
    """Return the numbers of all ranges [first, end), one after another."""
    width = end - first
    numbers: Ints = np.repeat(first, width) + steps(width)
    return numbers
