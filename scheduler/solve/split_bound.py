"""What the split term adds to the lower bound: dual ascent for site choice within a community.

At given prices of places each community faces an uncapacitated facility location problem: sites
cost the split weight, the first one excepted. Its dual is solved from below by raising each block's
cost as far as the sites' slack allows (Erlenkotter 1978, A dual-based procedure for uncapacitated
facility location, doi 10.1287/opre.26.6.992): any dual solution gives a valid bound.
"""

from __future__ import annotations

import numpy as np

from scheduler.domain.city import Floats, Ints
from scheduler.solve.candidates import Pairs


def raised_costs(
    pairs: Pairs, cost: Floats, most: Floats, community: Ints, weight: float
) -> Floats:
    """Return each community's least cost of serving its blocks, the split term included.

    ``cost[pair]`` is the cost of a whole block at a site in person-minutes, ``most[block]`` what a
    block costs at most, and at least at any site that has no pair; ``community[block]``. Blocks
    without pairs cost ``most``.
    """
    communities = int(community.max(initial=-1)) + 1
    least, raised = raised_blocks(pairs, cost, most, community, weight)
    alone = np.bincount(community, weights=least, minlength=communities).astype(np.float64)
    together = np.bincount(community, weights=raised, minlength=communities) - weight
    better: Floats = np.maximum(alone, together)
    return better


def raised_blocks(
    pairs: Pairs, cost: Floats, most: Floats, community: Ints, weight: float
) -> tuple[Floats, Floats]:
    """Return the least cost of each block, and the same raised by what sites may take of it.

    At each site, what the blocks of a community are raised above their cost there comes to no more
    than the split weight.
    """
    starts = np.flatnonzero(np.r_[True, pairs.block[1:] != pairs.block[:-1]][: len(pairs)])
    least = most.copy()
    if len(starts):
        here = pairs.block[starts]
        least[here] = np.minimum(most[here], np.minimum.reduceat(cost, starts))
    if not weight or not len(starts):
        return least, least
    return least, _Ascent(pairs, cost, community, weight).run(least, most)


class _Ascent:
    """Raises blocks in turn, one of each community at a time."""

    def __init__(self, pairs: Pairs, cost: Floats, community: Ints, weight: float) -> None:
        rank = _rank_within(community)
        order = np.lexsort((pairs.block, rank[pairs.block]))
        self.block, self.cost = pairs.block[order], cost[order]
        site = community[self.block] * (int(pairs.site.max()) + 1) + pairs.site[order]
        distinct, self.key = np.unique(site, return_inverse=True)
        self.slack = np.full(len(distinct), weight)
        self.turns = np.searchsorted(rank[self.block], np.arange(int(rank.max()) + 2))

    def run(self, least: Floats, most: Floats) -> Floats:
        """Raise every block to its second site, then as far as slack goes."""
        level = least.copy()
        for second_only in (True, False):
            for begin, end in zip(self.turns[:-1].tolist(), self.turns[1:].tolist(), strict=True):
                if begin < end:
                    self._raise(slice(begin, end), level, most, second_only=second_only)
        return level

    def _raise(self, part: slice, level: Floats, most: Floats, *, second_only: bool) -> None:
        block, cost, key = self.block[part], self.cost[part], self.key[part]
        starts = np.flatnonzero(np.r_[True, block[1:] != block[:-1]])
        width = np.diff(np.r_[starts, len(block)])
        here = block[starts]
        now = np.repeat(level[here], width)
        limit = np.minimum(np.minimum.reduceat(np.maximum(cost, now) + self.slack[key], starts),
                           most[here])  # fmt: skip
        if second_only:
            above = np.where(cost > now, cost, np.inf)
            limit = np.minimum(limit, np.minimum.reduceat(above, starts))
        new = np.maximum(level[here], limit)
        wide = np.repeat(new, width)
        self.slack[key] -= np.maximum(0, wide - np.maximum(cost, now))
        level[here] = new


def _rank_within(group: Ints) -> Ints:
    """Return the position of each element among those of its group."""
    order = np.argsort(group, kind="stable")
    first = np.searchsorted(group[order], group[order])
    rank = np.empty(len(group), dtype=np.int64)
    rank[order] = np.arange(len(group)) - first
    return rank
