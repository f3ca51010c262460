"""When sites are open: whole slots of the round inside their opening windows."""

from __future__ import annotations

import numpy as np

from scheduler.domain.city import Flags, Ints, Window
from scheduler.domain.instance import Instance


def open_slots(instance: Instance) -> Ints:
    """Return the whole slots inside the round that each site is open, shape (sites,)."""
    slots: Ints = _slot_flags(instance).sum(axis=1, dtype=np.int64)
    return slots[_hours_index(instance)[1]]


def _hours_index(instance: Instance) -> tuple[list[tuple[Window, ...]], Ints]:
    """Return the distinct opening hours of sites, and which of them each site has."""
    distinct = {hours: place for place, hours in enumerate(dict.fromkeys(instance.sites.hours))}
    index = np.fromiter((distinct[h] for h in instance.sites.hours), np.int64, len(instance.sites))
    return list(distinct), index


def _slot_flags(instance: Instance) -> Flags:
    """Return open[distinct hours, slot]: the slot lies whole inside one window."""
    clock, slot = instance.clock, instance.settings.round.slot_minutes
    distinct, _ = _hours_index(instance)
    flags = np.zeros((len(distinct), clock.num_slots), dtype=bool)
    for place, hours in enumerate(distinct):
        for begin, end in clock.windows(hours, 0, clock.end_min):
            flags[place, -(-max(begin, 0) // slot) : max(end, 0) // slot] = True
    return flags


def slots_of_city(instance: Instance) -> int:
    """Return the number of slots in which some site is open."""
    return int(_slot_flags(instance).any(axis=0).sum())


def open_waves(instance: Instance) -> Ints:
    """Return the waves in which some site is open."""
    slots = np.flatnonzero(_slot_flags(instance).any(axis=0))
    waves: Ints = np.unique(slots // instance.clock.slots_per_wave)
    return waves


def window_hours(instance: Instance) -> tuple[float, ...]:
    """Return hours in which some site is open, for each local date that has any."""
    slot = instance.settings.round.slot_minutes
    slots = np.flatnonzero(_slot_flags(instance).any(axis=0))
    dates = np.array([instance.clock.at(int(s) * slot).toordinal() for s in slots], dtype=np.int64)
    _, counts = np.unique(dates, return_counts=True)
    return tuple(float(count) * slot / 60 for count in counts)
