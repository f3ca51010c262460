"""Split whole numbers by weights, without losing or inventing one."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from scheduler.domain.city import Ints


def split_whole(total: int, weights: ArrayLike, at_least: int = 0) -> Ints:
    """Split ``total`` by weights with largest remainders; ties go to the first.

    Each part is at least ``at_least`` where the total allows.
    """
    shares = np.asarray(weights, dtype=float)
    if len(shares) == 0:
        return np.zeros(0, dtype=np.int64)
    base = min(at_least, total // len(shares))
    left = total - base * len(shares)
    # What the floor already gives counts towards a part's proportional share.
    wanted = np.maximum(shares / shares.sum() * total - base, 0.0)
    exact = wanted / wanted.sum() * left if wanted.sum() > 0 else np.zeros(len(shares))
    parts = np.floor(exact).astype(np.int64)
    order = np.argsort(parts - exact, kind="stable")
    parts[order[: left - int(parts.sum())]] += 1
    result: Ints = parts + base
    return result


def split_groups(totals: Ints, group: Ints, weights: ArrayLike) -> Ints:
    """Split ``totals[g]`` among the rows of group g by weights; ``group`` is sorted."""
    shares = np.asarray(weights, dtype=float)
    before = np.concatenate([[0.0], np.cumsum(shares)])
    first = np.searchsorted(group, np.arange(len(totals)))
    last = np.searchsorted(group, np.arange(len(totals)), side="right")
    whole = before[last] - before[first]
    reached = (before[1:] - before[first][group]) / whole[group] * totals[group]
    edges = np.floor(reached + 1e-6).astype(np.int64)
    starts = np.where(np.arange(len(group)) == first[group], 0, np.roll(edges, 1))
    parts: Ints = edges - starts
    return parts
