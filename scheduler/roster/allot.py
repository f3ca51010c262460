"""Households of a block to the slots of its block, and to tubes within site, wave and zone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from scheduler.domain.city import Flags, Ints
from scheduler.domain.instance import Instance
from scheduler.domain.plan import Plan, Reason
from scheduler.domain.roster import REASONS, Fate
from scheduler.domain.settings import Zone
from scheduler.roster.fill import Bins, Filled, Items, fill

_DAY_WINDOWS = ((9 * 60, 11 * 60), (14 * 60, 16 * 60))
"""Minutes of the day in which old people come; the same as in the plan's order of blocks."""


@dataclass(frozen=True)
class Rows:
    """Rows of ``assignments.csv`` as columns; times are minutes since the round's start."""

    block: Ints
    site: Ints
    start: Ints
    end: Ints
    people: Ints
    tubes: Ints
    zone: Ints
    pool: Ints


@dataclass(frozen=True)
class Residents:
    """People by row, those of a household side by side."""

    block: Ints  # of the instance
    household: Ints
    fate: Ints
    reason: Ints
    elderly: Flags
    priority: Ints


@dataclass(frozen=True)
class Allotted:
    """What each person gets; -1 without a slot. ``tube`` counts from 1 within site and wave."""

    fate: Ints
    reason: Ints
    row: Ints
    tube: Ints
    figures: dict[str, int]


def plan_rows(instance: Instance, plan: Plan) -> Rows:
    """Return the assignments of a plan as columns of numbers."""
    table = plan.assignments
    clock = instance.clock
    return Rows(
        block=_index(table["block_id"], instance.blocks.ids.tolist()),
        site=_index(table["site_id"], instance.sites.ids.tolist()),
        start=_by_text(table["start"], clock.minute_of_iso),
        end=_by_text(table["end"], clock.minute_of_iso),
        people=table["people"].to_numpy(np.int64),
        tubes=table["tubes"].to_numpy(np.int64),
        zone=_index(table["zone"], [z.word for z in Zone]),
        pool=table["pool_size"].to_numpy(np.int64),
    )


def allot(instance: Instance, plan: Plan, people: Residents, quota: Ints) -> Allotted:
    """Give every household a slot of its block, and its people tubes.

    ``quota[site]`` is the most people that may be called to a site in a slot.
    """
    rows = plan_rows(instance, plan)
    called = np.flatnonzero(people.fate == Fate.SLOT)
    homes = _homes(people, called)
    slack = _slack(rows, quota)
    homes = _cut(homes, _largest(rows, slack, len(instance.blocks)))
    row = _slots(instance, rows, homes, slack)
    fate, reason = people.fate.copy(), people.reason.copy()
    row_of = np.full(len(fate), -1, dtype=np.int64)
    tube_of = np.full(len(fate), -1, dtype=np.int64)
    placed = row.bin >= 0
    tubes = _tubes(instance, rows, _Seated(homes, row.bin))
    row_of[called] = row.bin[homes.of_person]
    tube_of[called] = tubes.of_person
    without = called[~placed[homes.of_person]]
    fate[without] = Fate.HOME_VISIT
    reason[without] = _why_left(instance, plan)[people.block[without]]
    actual = np.bincount(row_of[row_of >= 0], minlength=len(rows.people))
    figures = {
        "households": homes.count,
        "cut_households": homes.num_cut,
        "moved": int(np.maximum(actual - rows.people, 0).sum()),
        "over_quota": int(row.over.sum()),
        "no_slot": len(without),
        **tubes.figures,
    }
    return Allotted(fate, reason, row_of, tube_of, figures)


@dataclass(frozen=True)
class _Homes:
    """Households, or parts of one too large for any slot, sorted by block."""

    block: Ints
    size: Ints
    elderly: Flags
    priority: Ints
    of_person: Ints  # of each called person
    count: int
    num_cut: int


def _homes(people: Residents, called: Ints) -> _Homes:
    household = people.household[called]
    fresh = np.ones(len(called), dtype=bool)
    fresh[1:] = household[1:] != household[:-1]
    begins = np.flatnonzero(fresh)
    of_person = np.cumsum(fresh) - 1
    size = np.diff(np.append(begins, len(called)))
    if not len(called):
        return _Homes(begins, size, begins > 0, begins, of_person, 0, 0)
    return _Homes(
        block=people.block[called][begins],
        size=size,
        elderly=np.logical_or.reduceat(people.elderly[called], begins),
        priority=np.maximum.reduceat(people.priority[called], begins),
        of_person=of_person,
        count=len(begins),
        num_cut=0,
    )


def _cut(homes: _Homes, largest: Ints) -> _Homes:
    """Cut households that no slot of their block holds, such as dormitories."""
    limit = np.maximum(largest[homes.block], 1)
    pieces = np.where(largest[homes.block] > 0, -(-homes.size // limit), 1)
    if (pieces == 1).all():
        return homes
    first = np.cumsum(pieces) - pieces
    origin = np.repeat(np.arange(len(pieces)), pieces)
    nth = np.arange(len(origin)) - first[origin]
    size = np.minimum(limit[origin], homes.size[origin] - nth * limit[origin])
    begin = np.cumsum(homes.size) - homes.size
    within = np.arange(len(homes.of_person)) - begin[homes.of_person]
    return _Homes(
        block=homes.block[origin],
        size=size,
        elderly=homes.elderly[origin],
        priority=homes.priority[origin],
        of_person=first[homes.of_person] + within // limit[homes.of_person],
        count=homes.count,
        num_cut=int((pieces > 1).sum()),
    )


def _slack(rows: Rows, quota: Ints) -> Ints:
    """Return the people that each row may take beyond the plan's, without exceeding the quota."""
    key = rows.site * (int(rows.start.max(initial=0)) + 1) + rows.start
    _, slot, sharing = np.unique(key, return_inverse=True, return_counts=True)
    slot = slot.reshape(-1)
    called = np.bincount(slot, rows.people, len(sharing)).astype(np.int64)
    spare = np.zeros(len(sharing), dtype=np.int64)
    spare[slot] = quota[rows.site]
    spare = np.maximum(spare - called, 0)
    order = np.lexsort((rows.block, slot))
    nth = np.empty(len(slot), dtype=np.int64)
    nth[order] = np.arange(len(slot)) - np.searchsorted(slot[order], slot[order])
    share, odd = np.divmod(spare, np.maximum(sharing, 1))
    result: Ints = share[slot] + (nth < odd[slot])
    return result


def _largest(rows: Rows, slack: Ints, num_blocks: int) -> Ints:
    """Return the most people that any slot of each block holds, 0 without slots."""
    largest = np.zeros(num_blocks, dtype=np.int64)
    np.maximum.at(largest, rows.block, rows.people + slack)
    return largest


def _slots(instance: Instance, rows: Rows, homes: _Homes, slack: Ints) -> Filled:
    """Return the row of each household: ``bin`` is an index into the rows of the plan."""
    num = len(instance.blocks)
    by_day = _by_day(instance, rows)
    mixed = (np.bincount(rows.block[by_day], minlength=num) > 0) & (
        np.bincount(rows.block[~by_day], minlength=num) > 0
    )
    order = np.lexsort((rows.start, mixed[rows.block] & ~by_day, rows.block))
    capacity, block = rows.people[order], rows.block[order]
    wanted = np.bincount(homes.block, homes.size, num)
    room = np.bincount(block, capacity, num)
    later = mixed[homes.block] & ~homes.elderly
    first = np.lexsort((-homes.priority, later, homes.block))
    rank = np.empty(len(first), dtype=np.int64)
    rank[first] = np.arange(len(first))
    bins = Bins(
        block, capacity, slack[order], np.zeros(num, dtype=np.int64), wanted > room, may_split=False
    )
    found = fill(Items(homes.block, homes.size, rank), _copy(bins))
    found = _tighter(homes, bins, found)
    over = np.zeros(len(order), dtype=np.int64)
    over[order] = found.over
    row = np.where(found.bin >= 0, order[found.bin] if len(order) else -1, -1)
    return Filled(row, found.spill, over)


def _copy(bins: Bins) -> Bins:
    return Bins(
        bins.group,
        bins.capacity,
        bins.slack.copy(),
        bins.spare.copy(),
        bins.partial,
        bins.may_split,
    )


def _tighter(homes: _Homes, bins: Bins, found: Filled) -> Filled:
    """Try blocks again, largest households first, whose last slot had to take too many."""
    crowded = np.unique(bins.group[found.over > 0])
    if not len(crowded):
        return found
    again = np.flatnonzero(np.isin(homes.block, crowded))
    rank = np.empty(len(again), dtype=np.int64)
    rank[np.lexsort((again, -homes.size[again]))] = np.arange(len(again))
    second = fill(Items(homes.block[again], homes.size[again], rank), _copy(bins))
    num = len(bins.spare)
    worse = np.bincount(bins.group, found.over, num)
    better = np.bincount(bins.group, second.over, num) < worse
    taken = better[homes.block[again]]
    bin_of, over = found.bin.copy(), found.over.copy()
    bin_of[again[taken]] = second.bin[taken]
    chosen = better[bins.group]
    over[chosen] = second.over[chosen]
    return Filled(bin_of, found.spill, over)


def _by_day(instance: Instance, rows: Rows) -> Flags:
    distinct, where = np.unique(rows.start, return_inverse=True)
    local = [instance.clock.at(int(m)) for m in distinct]
    minutes = np.array([t.hour * 60 + t.minute for t in local], dtype=np.int64)
    flags = np.zeros(len(distinct), dtype=bool)
    for begin, end in _DAY_WINDOWS:
        flags |= (minutes >= begin) & (minutes < end)
    by_day: Flags = flags[where.reshape(-1)]
    return by_day


@dataclass(frozen=True)
class _Seated:
    """Households with the row of the plan that each comes in."""

    homes: _Homes
    row: Ints


@dataclass(frozen=True)
class _Tubes:
    of_person: Ints
    figures: dict[str, int]


def _tubes(instance: Instance, rows: Rows, seated: _Seated) -> _Tubes:
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
        "split_households": int(len(np.unique(parts.home[found.spill > 0]))),
        "split_tubes": int(2 * (found.spill > 0).sum()),
    }
    return _Tubes(tube, figures)


_LARGEST_FAMILY = (
    20  # people of one household in one tube where each has its own; 20-in-1 is the largest pool
)


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


def _parts(homes: _Homes, row: Ints, rows: Rows, groups: tuple[Ints, Ints]) -> _Parts:
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
    order = np.lexsort((home, rows.start[at[home]]))
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
    spare = np.maximum(number * pool - people, 0)
    capacity = pool[group]
    bins = Bins(
        group, capacity, np.zeros(len(group), dtype=np.int64), spare, np.zeros(len(pool), dtype=bool),
        may_split=True,
    )  # fmt: skip
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


def _why_left(instance: Instance, plan: Plan) -> Ints:
    """Return why each block's people beyond its slots have none, as an index into ``REASONS``."""
    reason = np.full(len(instance.blocks), REASONS.index(Reason.FULL.value))
    left = plan.unserved[plan.unserved["reason"].astype(str) != Reason.HOME_VISIT.value]
    blocks = _index(left["block_id"], instance.blocks.ids.tolist())
    reason[blocks] = [REASONS.index(str(word)) for word in left["reason"]]
    return reason


def _index(column: pd.Series, ids: list[str]) -> Ints:
    codes, texts = pd.factorize(column)
    place = {text: p for p, text in enumerate(ids)}
    return np.array([place[str(t)] for t in texts], dtype=np.int64)[codes]


def _by_text(column: pd.Series, parse: object) -> Ints:
    codes, texts = pd.factorize(column)
    return np.array([parse(str(t)) for t in texts], dtype=np.int64)[codes]  # type: ignore[operator]
