"""Households to the slots of their block: first to its waves, then to the slots within them.

The plan counts tubes and laboratories by wave, so a wave keeps the plan's people; between the
slots of a wave people may move as far as the quota of the site goes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from scheduler.domain.city import Flags, Ints
from scheduler.domain.instance import Instance
from scheduler.domain.profile import slot_places
from scheduler.roster.fill import Bins, Filled, Items, fill
from scheduler.roster.homes import Homes, Rows
from scheduler.roster.ordering import order_by

_DAY_WINDOWS = ((9 * 60, 11 * 60), (14 * 60, 16 * 60))
"""Minutes of the day in which old people come; the same as in the plan's order of blocks."""


_MOST_STEPS, _MOST_HOUSEHOLDS = 5_000, 700
"""Limits of seating a block anew; the second keeps the recursion shallow."""


def places_of(instance: Instance, rows: Rows, quota: Ints) -> Ints:
    """Return the people that may be called in the slot of each row; ``quota`` is by site."""
    places = slot_places(instance, quota, instance.clock.num_slots)
    here: Ints = places[rows.site, rows.start // instance.settings.round.slot_minutes]
    return here


def slack_of(rows: Rows, places: Ints) -> Ints:
    """Return the people that each row may take beyond the plan's; ``places[row]`` is of its slot.

    People stay within the slots of their block, so that the city's most people are kept but for
    the households that a slot's last places do not hold.
    """
    key = rows.site * (int(rows.start.max(initial=0)) + 1) + rows.start
    _, slot, sharing = np.unique(key, return_inverse=True, return_counts=True)
    slot = slot.reshape(-1)
    called = np.bincount(slot, rows.people, len(sharing)).astype(np.int64)
    spare = np.zeros(len(sharing), dtype=np.int64)
    spare[slot] = places
    spare = np.maximum(spare - called, 0)
    order = np.lexsort((rows.block, slot))
    nth = np.empty(len(slot), dtype=np.int64)
    nth[order] = np.arange(len(slot)) - np.searchsorted(slot[order], slot[order])
    share, odd = np.divmod(spare, np.maximum(sharing, 1))
    result: Ints = share[slot] + (nth < odd[slot])
    return result


def largest_slot(rows: Rows, slack: Ints, num_blocks: int) -> Ints:
    """Return the most people that any slot of each block holds, 0 without slots."""
    largest = np.zeros(num_blocks, dtype=np.int64)
    np.maximum.at(largest, rows.block, rows.people + slack)
    return largest


@dataclass(frozen=True)
class Slotted:
    """The row of the plan that each household comes in, -1 none; people beyond the quota."""

    row: Ints
    over: int


def seat(instance: Instance, rows: Rows, homes: Homes, quota: Ints) -> Slotted:
    """Return a row for each household, none beyond the quota of its site where that can be."""
    places = places_of(instance, rows, quota)
    row = _seated(instance, rows, homes, slack_of(rows, places))
    room = _Rooms.of(rows, homes, row, places)
    crowded = np.flatnonzero(room.free < 0)
    for slot in crowded.tolist():
        _relieve(rows, homes, row, (room, slot))
    return Slotted(row, int(np.maximum(-room.free, 0).sum()))


@dataclass(frozen=True)
class _Rooms:
    """People that each pair of site and slot can still take; ``slot`` is the pair of each row."""

    slot: Ints
    free: Ints

    @classmethod
    def of(cls, rows: Rows, homes: Homes, row: Ints, places: Ints) -> _Rooms:
        key = rows.site * (int(rows.start.max(initial=0)) + 1) + rows.start
        distinct, slot = np.unique(key, return_inverse=True)
        slot = slot.reshape(-1)
        free = np.zeros(len(distinct), dtype=np.int64)
        free[slot] = places
        placed = row >= 0
        free -= np.bincount(slot[row[placed]], homes.size[placed], len(free)).astype(np.int64)
        return cls(slot, free)


def _relieve(rows: Rows, homes: Homes, row: Ints, where: tuple[_Rooms, int]) -> None:
    """Seat the blocks of a crowded slot anew, one after the other, until it holds its people."""
    room, slot = where
    inside = np.flatnonzero((row >= 0) & (room.slot[row] == slot))
    for block in np.unique(homes.block[inside]).tolist():
        if room.free[slot] >= 0:
            return
        mine = np.flatnonzero((homes.block == block) & (row >= 0))
        own = np.flatnonzero(rows.block == block)
        load = np.zeros(len(room.free), dtype=np.int64)
        np.add.at(load, room.slot[row[mine]], homes.size[mine])
        rooms = (room.free + load)[room.slot[own]]
        found = pack_exactly(homes.size[mine].tolist(), np.maximum(rooms, 0).tolist())
        if found is not None:
            row[mine] = own[found]
            room.free[:] += load
            np.add.at(room.free, room.slot[row[mine]], -homes.size[mine])


def pack_exactly(sizes: list[int], rooms: list[int]) -> list[int] | None:
    """Return a room for each size so that none is exceeded, None where none was found.

    Largest first into the fullest room that holds it, going back where that fails; gives up after
    some thousands of steps, far beyond what households of one to six people need.
    """
    order = sorted(range(len(sizes)), key=lambda i: -sizes[i])
    left, chosen = list(rooms), [0] * len(sizes)
    failed: set[tuple[int, ...]] = set()
    steps = 0

    def place(at: int) -> bool:
        nonlocal steps
        if at == len(order):
            return True
        key = (at, *sorted(left))
        steps += 1
        if key in failed or steps > _MOST_STEPS:
            return False
        tried: set[int] = set()
        size = sizes[order[at]]
        for room in sorted(range(len(left)), key=lambda r: left[r]):
            if left[room] < size or left[room] in tried:
                continue
            tried.add(left[room])
            left[room] -= size
            chosen[order[at]] = room
            if place(at + 1):
                return True
            left[room] += size
        failed.add(key)
        return False

    if sum(sizes) > sum(rooms) or len(sizes) > _MOST_HOUSEHOLDS:
        return None
    return chosen if place(0) else None


def _seated(instance: Instance, rows: Rows, homes: Homes, slack: Ints) -> Ints:
    """Return a row for each household; ``slack`` is what each row may take beyond its people."""
    num = len(instance.blocks)
    by_day = _by_day(instance, rows)
    mixed = (np.bincount(rows.block[by_day], minlength=num) > 0) & (
        np.bincount(rows.block[~by_day], minlength=num) > 0
    )
    order = np.lexsort((rows.start, mixed[rows.block] & ~by_day, rows.block))
    rank = _ranked(homes, mixed)
    wave, first = _waves(instance, rows, order, by_day)
    in_wave = np.bincount(wave, rows.people[order], len(first)).astype(np.int64)
    more = np.bincount(wave, slack[order], len(first)).astype(np.int64)
    block = rows.block[order][first]
    wanted = np.bincount(homes.block, homes.size, num)
    bins = Bins(
        group=block,
        capacity=in_wave,
        slack=np.zeros_like(more),
        spare=np.zeros(num, dtype=np.int64),
        partial=wanted > np.bincount(block, in_wave, num),
        may_split=False,
    )
    tries = [(rank, bins.slack), (rank, more), (_largest_first(homes), more)]
    waves = _best(homes, bins, tries).bin
    here = np.flatnonzero(waves >= 0)
    slots = Bins(
        group=wave,
        capacity=rows.people[order],
        slack=slack[order],
        spare=np.zeros(len(first), dtype=np.int64),
        partial=bins.partial[block],
        may_split=False,
    )
    found = fill(Items(waves[here], homes.size[here], rank[here]), slots)
    row = np.full(len(homes.size), -1, dtype=np.int64)
    row[here] = np.where(found.bin >= 0, order[found.bin], -1) if len(here) else -1
    return row


def _ranked(homes: Homes, mixed: Flags) -> Ints:
    """Return the order of households in their block: old people first where that puts them by day.

    Those missed before come first among equals.
    """
    later = mixed[homes.block] & ~homes.elderly
    first = order_by(homes.block, later, -homes.priority)
    rank = np.empty(len(first), dtype=np.int64)
    rank[first] = np.arange(len(first))
    return rank


def _waves(instance: Instance, rows: Rows, order: Ints, by_day: Flags) -> tuple[Ints, Ints]:
    """Return the wave of its block that each row of ``order`` is in, and the first row of each."""
    wave = rows.start[order] // instance.settings.round.wave_minutes
    key = np.column_stack([rows.block[order], by_day[order], wave])
    fresh = np.ones(len(order), dtype=bool)
    fresh[1:] = (key[1:] != key[:-1]).any(axis=1)
    return np.cumsum(fresh) - 1, np.flatnonzero(fresh)


def _largest_first(homes: Homes) -> Ints:
    rank = np.empty(len(homes.size), dtype=np.int64)
    rank[order_by(homes.block, -homes.size)] = np.arange(len(rank))
    return rank


def _best(homes: Homes, bins: Bins, tries: list[tuple[Ints, Ints]]) -> Filled:
    """Return the first filling of each block whose last slot need not take too many.

    Each try is an order of households and the slack of the slots. The first keeps to the people
    of the plan; blocks for which none works get the one that exceeds the quota by least.
    """
    num = len(bins.spare)
    best = Filled(*(np.zeros(0, dtype=np.int64) for _ in range(3)))
    worst = np.zeros(num, dtype=np.int64)
    for nth, (rank, slack) in enumerate(tries):
        chosen = np.ones(num, dtype=bool) if nth == 0 else worst > 0
        items = np.flatnonzero(chosen[homes.block])
        if not len(items):
            break
        found = fill(
            Items(homes.block[items], homes.size[items], rank[items]),
            replace(bins, slack=slack.copy()),
        )
        beyond = np.bincount(bins.group, found.over, num).astype(np.int64)
        if nth == 0:
            best, worst = found, beyond
            continue
        better = chosen & (beyond < worst)
        taken = better[homes.block[items]]
        best.bin[items[taken]] = found.bin[taken]
        mine = better[bins.group]
        best.over[mine] = found.over[mine]
        worst[better] = beyond[better]
    return best


def _by_day(instance: Instance, rows: Rows) -> Flags:
    distinct, where = np.unique(rows.start, return_inverse=True)
    local = [instance.clock.at(int(m)) for m in distinct]
    minutes = np.array([t.hour * 60 + t.minute for t in local], dtype=np.int64)
    flags = np.zeros(len(distinct), dtype=bool)
    for begin, end in _DAY_WINDOWS:
        flags |= (minutes >= begin) & (minutes < end)
    by_day: Flags = flags[where.reshape(-1)]
    return by_day
