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


def fan_out(of: Ints, owner: Ints, num_owners: int) -> tuple[Ints, Ints]:
    """Return each element with each thing that its owner has: rows of ``of``, and the things.

    ``of[row]`` is an owner, ``owner[thing]`` is sorted.
    """
    first = np.searchsorted(owner, np.arange(num_owners + 1))
    rows = np.repeat(np.arange(len(of)), np.diff(first)[of])
    return rows, ranges(first[of], first[of + 1])
