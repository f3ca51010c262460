"""Slots for those who were missed, from what is free today and tomorrow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from scheduler.domain.city import Flags, Ints, Window
from scheduler.domain.instance import Instance
from scheduler.domain.profile import slot_places
from scheduler.domain.settings import Zone

_NOBODY = -1


@dataclass
class Free:
    """What is free from ``first_min`` on, in slots of the round's length.

    ``room[site, slot]`` are people that may still be called, 0 where the site is closed;
    ``zone[site, slot]`` is the zone of those called, -1 for nobody; ``city[slot]`` are people that
    the whole city may still call.
    """

    first_min: int
    slot_min: int
    room: Ints
    zone: Ints
    city: Ints

    def usable(self, zone: int, clearing_min: int) -> Flags:
        """Return slots with room that people of a zone may use beside those called.

        Two zones never share a slot, and a site goes over to a less strict zone only after
        ``clearing_min``.
        """
        good: Flags = (
            (self.room > 0) & (self.city > 0) & ((self.zone == _NOBODY) | (self.zone == zone))
        )
        gap = -(-clearing_min // self.slot_min)
        stricter = (self.zone >= 0) & (self.zone < zone)
        looser = self.zone > zone
        for step in range(1, gap + 1):
            good[:, step:] &= ~stricter[:, :-step]
            good[:, :-step] &= ~looser[:, step:]
        return good


def free_room(
    instance: Instance, quota: Ints, called: tuple[Ints, Ints, Ints], window: Window
) -> Free:
    """Return what is free in a window of whole slots, in minutes since the round's start.

    ``quota`` is by site; ``called`` holds site, start and zone of everybody who has a slot.
    """
    slot, (first, last) = instance.settings.round.slot_minutes, window
    count = max((last - first) // slot, 0)
    is_open = _open(instance, window, count)
    site, start, zone = called
    here = (start >= first) & (start < first + count * slot)
    key = site[here] * max(count, 1) + (start[here] - first) // slot
    size = len(instance.sites) * count
    there = np.bincount(key, minlength=size)[:size].reshape(len(instance.sites), count)
    zones = np.full(size, _NOBODY, dtype=np.int64)
    zones[key] = zone[here]
    room = np.where(
        is_open, np.maximum(_places(instance, quota, first // slot, count) - there, 0), 0
    )
    most = instance.settings.slots.city_people or int(quota.sum())
    city = np.maximum(most - there.sum(axis=0), 0)
    return Free(first, slot, room, zones.reshape(len(instance.sites), count), city)


def _places(instance: Instance, quota: Ints, first: int, count: int) -> Ints:
    """Return people that may be called in ``count`` slots; after the round it is the quota."""
    places = np.repeat(quota[:, None], count, axis=1)
    slots = first + np.arange(count)
    inside = (slots >= 0) & (slots < instance.clock.num_slots)
    by_slot = slot_places(instance, quota, instance.clock.num_slots)
    places[:, inside] = by_slot[:, slots[inside]]
    return places


def _open(instance: Instance, window: Window, count: int) -> Flags:
    slot, (first, last) = instance.settings.round.slot_minutes, window
    flags = np.zeros((len(instance.sites), count), dtype=bool)
    distinct = {hours: np.zeros(count, dtype=bool) for hours in instance.sites.hours}
    for hours, row in distinct.items():
        for begin, end in instance.clock.windows(hours, first, last):
            row[max(-(-(begin - first) // slot), 0) : max((end - first) // slot, 0)] = True
    for place, hours in enumerate(instance.sites.hours):
        flags[place] = distinct[hours]
    return flags


@dataclass(frozen=True)
class Missing:
    """Households with somebody missed, sorted by block: their block and people missed."""

    block: Ints
    size: Ints


@dataclass(frozen=True)
class Proposed:
    """Site and minute of each household's mop-up slot, -1 where nothing is free."""

    site: Ints
    start: Ints


def propose(
    instance: Instance, missing: Missing, free: Free, candidates: Sequence[Ints]
) -> Proposed:
    """Return a slot for each household, all of it together; ``free`` is used up.

    ``candidates[block]`` are sites a block may use, the best first. Zones take turns, strictest
    first, since people of a less strict one may come after.
    """
    site = np.full(len(missing.block), -1, dtype=np.int64)
    start = np.full(len(missing.block), -1, dtype=np.int64)
    zone_of = instance.block_zone[missing.block]
    edges = np.flatnonzero(np.diff(missing.block, prepend=-1))
    ends = np.append(edges[1:], len(missing.block))
    clearing = instance.settings.sites.clearing_min
    for zone in Zone:
        mine = np.flatnonzero(zone_of[edges] == zone) if len(edges) else edges
        if not len(mine):
            continue
        usable = free.usable(zone, clearing)
        slots = [np.flatnonzero(row).tolist() for row in usable]
        for at in mine.tolist():
            rows = range(int(edges[at]), int(ends[at]))
            sites = candidates[int(missing.block[edges[at]])]
            for row, place, slot in _seats(missing, rows, (sites, slots), free):
                site[row], start[row] = place, free.first_min + slot * free.slot_min
                free.zone[place, slot] = zone
    return Proposed(site, start)


def _seats(
    missing: Missing, rows: range, where: tuple[Ints, list[list[int]]], free: Free
) -> list[tuple[int, int, int]]:
    """Return household, site and slot for the households of a block, in order of sites and time."""
    sites, slots = where
    waiting, found = list(rows), []
    sizes = missing.size
    for place in sites.tolist():
        room = free.room[place]
        for slot in slots[place]:
            free_now = left = int(min(room[slot], free.city[slot]))
            later = []
            for row in waiting:
                if sizes[row] <= left:
                    left -= int(sizes[row])
                    found.append((row, place, slot))
                else:
                    later.append(row)
            room[slot] -= free_now - left
            free.city[slot] -= free_now - left
            waiting = later
            if not waiting:
                break
        slots[place] = [slot for slot in slots[place] if room[slot] > 0 < free.city[slot]]
        if not waiting:
            break
    return found
