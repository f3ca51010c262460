"""People to tubes within site, wave and zone; a household shares a tube wherever tubes allow."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scheduler.domain.city import Flags, Ints
from scheduler.domain.instance import Instance
from scheduler.domain.settings import Zone
from scheduler.roster.fill import Bins, Filled, Items, fill
from scheduler.roster.homes import Homes, Rows
from scheduler.roster.ordering import order_by

_LARGEST_FAMILY = 20
"""People of a household in one tube where each has its own; 20-in-1 is the largest pool in use."""


@dataclass(frozen=True)
class Seated:
    """Households with the row of the plan that each comes in, -1 none."""

    homes: Homes
    row: Ints


@dataclass(frozen=True)
class Tubes:
    """The tube of each called person, -1 none, and counts."""

    of_person: Ints
    figures: dict[str, int]


def tubes_of(instance: Instance, rows: Rows, seated: Seated) -> Tubes:
    """Return the tube of each called person; tubes count from 1 within site and wave."""
    homes, row = seated.homes, seated.row
    wave = rows.start // instance.settings.round.wave_minutes
    width = int(wave.max(initial=0)) + 1
    key_of_row = (rows.site * width + wave) * len(Zone) + rows.zone
    keys, group_of_row = np.unique(key_of_row, return_inverse=True)
    group_of_row = group_of_row.reshape(-1)
    pool = np.zeros(len(keys), dtype=np.int64)
    pool[group_of_row] = rows.pool
    planned = np.bincount(group_of_row, rows.tubes, len(keys)).astype(np.int64)
    sealed = keys % len(Zone) == int(Zone.LOCKDOWN)
    single = sealed & (pool == 1) & (instance.settings.roster.lockdown_tubes == "single")
    whole = sealed & ~single
    pool = np.where(whole, np.maximum(pool, _LARGEST_FAMILY), pool)
    parts = _parts(homes, row, rows, (group_of_row, pool))
    people = np.bincount(parts.group, parts.size, len(keys)).astype(np.int64)
    number = -(-people // np.maximum(pool, 1))
    number = np.where(whole, np.bincount(parts.group, minlength=len(keys)), number)
    number = np.maximum(number, np.where(people > 0, np.where(whole, 0, planned), 0))
    found = _filled_tubes(parts, pool, number, whole)
    first = _first_tube(keys // len(Zone), number)
    start = found.bin - (np.cumsum(number) - number)[parts.group] + first[parts.group]
    tube = np.full(len(homes.of_person), -1, dtype=np.int64)
    inside = parts.size - found.spill
    tube[parts.persons] = start[parts.of_person] + (parts.nth >= inside[parts.of_person])
    used = np.bincount(found.bin, minlength=int(number.sum())) > 0
    used[(found.bin + 1)[found.spill > 0]] = True
    in_group = np.bincount(np.repeat(np.arange(len(keys)), number)[used], minlength=len(keys))
    figures = {
        "tubes": int(used.sum()),
        "tubes_planned": int(planned.sum()),
        "tubes_over_plan": int(np.maximum(in_group - planned, 0).sum()),
        "split_households": len(np.unique(parts.home[found.spill > 0])),
        "split_tubes": int(2 * (found.spill > 0).sum()),
    }
    return Tubes(tube, figures)


@dataclass(frozen=True)
class _Parts:
    """Households, cut where larger than a tube, in the order in which they come to a site."""

    home: Ints
    group: Ints
    size: Ints
    rank: Ints
    persons: Ints  # called persons with a slot
    of_person: Ints  # part of each of them
    nth: Ints  # place of each within the part


def _parts(homes: Homes, row: Ints, rows: Rows, groups: tuple[Ints, Ints]) -> _Parts:
    """Return the parts; ``groups`` holds the group of each row, and people per tube by group."""
    group_of_row, pool_of_group = groups
    placed = row >= 0
    at = np.where(placed, row, 0)
    if not placed.any():
        none = np.empty(0, dtype=np.int64)
        return _Parts(none, none, none, none, none, none, none)
    pool = pool_of_group[group_of_row[at]]
    pieces = np.where(placed, -(-homes.size // pool), 0)
    home = np.repeat(np.arange(len(pieces)), pieces)
    first = np.cumsum(pieces) - pieces
    number = np.arange(len(home)) - first[home]
    size = np.minimum(pool[home], homes.size[home] - number * pool[home])
    persons = np.flatnonzero(placed[homes.of_person])
    of_home = homes.of_person[persons]
    begin = np.cumsum(homes.size) - homes.size
    within = persons - begin[of_home]
    order = order_by(rows.start[at[home]])
    rank = np.empty(len(home), dtype=np.int64)
    rank[order] = np.arange(len(home))
    return _Parts(
        home=home,
        group=group_of_row[at[home]],
        size=size,
        rank=rank,
        persons=persons,
        of_person=first[of_home] + within // pool[of_home],
        nth=within % pool[of_home],
    )


def _filled_tubes(parts: _Parts, pool: Ints, number: Ints, whole: Flags) -> Filled:
    group = np.repeat(np.arange(len(pool)), number)
    people = np.bincount(parts.group, parts.size, len(pool)).astype(np.int64)
    bins = Bins(
        group=group,
        capacity=pool[group],
        slack=np.zeros(len(group), dtype=np.int64),
        spare=np.maximum(number * pool - people, 0),
        partial=np.zeros(len(pool), dtype=bool),
        may_split=True,
    )
    shared = ~whole[parts.group]
    if shared.all():
        return fill(Items(parts.group, parts.size, parts.rank), bins)
    found = Filled(
        np.full(len(parts.size), -1),
        np.zeros(len(parts.size), dtype=np.int64),
        np.zeros(0, dtype=np.int64),
    )
    some = fill(Items(parts.group[shared], parts.size[shared], parts.rank[shared]), bins)
    found.bin[shared], found.spill[shared] = some.bin, some.spill
    own = np.flatnonzero(~shared)
    own = own[np.lexsort((parts.rank[own], parts.group[own]))]
    nth = np.arange(len(own)) - np.searchsorted(parts.group[own], parts.group[own])
    found.bin[own] = (np.cumsum(number) - number)[parts.group[own]] + nth
    return found


def _first_tube(place: Ints, number: Ints) -> Ints:
    """Return the first tube number of each group; groups of a site and wave count on."""
    before = np.cumsum(number) - number
    first: Ints = before - before[np.searchsorted(place, place)] + 1
    return first
