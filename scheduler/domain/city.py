"""The city as columns: communities, blocks, sites, labs.

Arrays of one table have the same length; ``*_index`` arrays point into another table. Points are
WGS84 degrees; NaN where unknown. Ids are unique within a table.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Texts = NDArray[np.object_]
Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

FIXED, MOBILE, DEDICATED = "fixed", "mobile", "dedicated"
"""Kinds of site; mobile and dedicated serve only the communities named in ``community_ids``."""

Window = tuple[int, int]
"""Opening window in minutes of the local day: (360, 1320) is 06:00-22:00. The end may exceed 1440
for a window that runs over midnight; 0-1440 is all day."""


@dataclass(frozen=True)
class Communities:
    """Residential units that get one schedule file each."""

    ids: Texts
    names: Texts
    districts: Texts
    streets: Texts
    zone: Ints  # values of Zone
    population: Ints  # people
    lat: Floats
    lng: Floats
    households: Ints  # -1 unknown
    elderly: Ints  # people of 65 and over, -1 unknown
    homebound: Ints  # people, 0 when the column is absent
    participation: Floats  # in (0, 1]

    def __len__(self) -> int:
        return len(self.ids)


@dataclass(frozen=True)
class Blocks:
    """Buildings or grids, the atoms of scheduling, sorted by community then block id."""

    ids: Texts
    names: Texts
    community_index: Ints
    people: Ints  # n_b before home visits are taken out
    home_visits: Ints  # people on the home-visit list, taken in order of block_id
    households: Ints  # -1 unknown
    elderly: Ints  # people of 65 and over, -1 unknown
    lat: Floats  # own point, or the community's
    lng: Floats

    def __len__(self) -> int:
        return len(self.ids)


@dataclass(frozen=True)
class Sites:
    """Sampling sites."""

    ids: Texts
    names: Texts
    districts: Texts
    addresses: Texts  # "" when absent
    lat: Floats
    lng: Floats
    lanes: Ints
    queue_length_m: Floats
    people_per_lane_hour: Floats  # own value, or the setting
    hours: tuple[tuple[Window, ...], ...]  # per site, local day windows, sorted
    accepts: Flags  # [site, zone]: explicit `zones`, or the default for its kind (see below)
    kinds: Texts  # FIXED, MOBILE or DEDICATED
    community_indices: tuple[tuple[int, ...], ...]  # per site; empty for fixed sites

    # `accepts` default where `zones` is empty: fixed sites accept all zones but lockdown; mobile
    # and dedicated sites accept every zone of the communities they are named for.

    def __len__(self) -> int:
        return len(self.ids)


@dataclass(frozen=True)
class Labs:
    """Laboratories."""

    ids: Texts
    names: Texts
    lat: Floats
    lng: Floats
    tubes_per_hour: Ints
    processing_min: Ints
    hours: tuple[tuple[Window, ...], ...]
    max_tubes_per_day: Ints  # -1 unlimited; counted on the local date of start_at
    batch_tubes: Ints  # tubes per plate, 94 by default
    pool_sizes: tuple[tuple[int, ...], ...]  # empty: all

    def __len__(self) -> int:
        return len(self.ids)

    def takes(self, pool: Ints) -> Flags:
        """Return which laboratories take tubes of each pool size, ``[pool, lab]``."""
        known, which = np.unique(pool, return_inverse=True)
        good = [[not s or size in s for s in self.pool_sizes] for size in known.tolist()]
        return np.array(good, dtype=bool).reshape(len(known), len(self))[which]
