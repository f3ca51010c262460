"""How many people a plan moves against another one: to another site, or to another time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scheduler.domain.city import Floats, Ints


@dataclass(frozen=True)
class Churn:
    """People by block: sent to another site, or to another time at the same site, or not any more.

    ``dropped`` were called before and have no place now: they are not moved.
    """

    site: Ints
    time: Ints
    dropped: Ints

    @property
    def people(self) -> int:
        """All people who were moved."""
        return int(self.site.sum() + self.time.sum())

    def cost(self, per_site: float, per_time: float) -> Floats:
        """Return person-minutes of each block."""
        costs: Floats = self.site * per_site + self.time * per_time
        return costs


@dataclass(frozen=True)
class Call:
    """Columns of calls: block, site, slot (or start) and people."""

    block: Ints
    site: Ints
    slot: Ints
    people: Ints


def churn(old: Call, new: Call, num_blocks: int) -> Churn:
    """Compare calls block by block; people who are called in one of the two only are not moved."""
    called = np.bincount(old.block, old.people, num_blocks).astype(np.int64)
    both = _common(old.block, old.people, new.block, new.people, 1, num_blocks)
    sites = 1 + max(int(c.site.max(initial=0)) for c in (old, new))
    slots = 1 + max(int(c.slot.max(initial=0)) for c in (old, new))
    keys = [c.block * sites + c.site for c in (old, new)]
    same_site = _common(keys[0], old.people, keys[1], new.people, sites, num_blocks)
    keys = [key * slots + c.slot for key, c in zip(keys, (old, new), strict=True)]
    stay = _common(keys[0], old.people, keys[1], new.people, sites * slots, num_blocks)
    return Churn(both - same_site, same_site - stay, called - both)


def _common(  # two pairs of columns
    old_key: Ints, old: Ints, new_key: Ints, new: Ints, per_block: int, num_blocks: int
) -> Ints:
    """Return, per block, the people that both have under equal keys."""
    old_keys, at = np.unique(old_key, return_inverse=True)
    old_sum = np.bincount(at, old, len(old_keys))
    new_keys, at = np.unique(new_key, return_inverse=True)
    new_sum = np.bincount(at, new, len(new_keys))
    place = np.searchsorted(old_keys, new_keys)
    place = np.minimum(place, max(0, len(old_keys) - 1))
    if not len(old_keys):
        return np.zeros(num_blocks, dtype=np.int64)
    known = old_keys[place] == new_keys
    least = np.minimum(old_sum[place], new_sum)[known]
    block = new_keys[known] // per_block
    return np.bincount(block, least, num_blocks).astype(np.int64)
