"""Which slots a site is open in, who is called then, and which of them a zone may still use."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from scheduler.domain.city import Flags, Ints, Window
from scheduler.domain.instance import Instance
from scheduler.domain.settings import ZONE_WORDS


def rows_of(frame: pd.DataFrame, column: str, ids: set[str]) -> pd.DataFrame:
    """Return the rows whose id is one of ``ids``."""
    codes, texts = pd.factorize(frame[column])
    keep = np.array([str(text) in ids for text in texts], dtype=bool)
    return frame[keep[codes]] if len(frame) else frame


def minutes(instance: Instance, column: pd.Series) -> Ints:
    """Return minutes since the round's start of ISO 8601 texts."""
    codes, texts = pd.factorize(column)
    known = [instance.clock.minute_of_iso(str(text)) for text in texts]
    return np.array(known, dtype=np.int64)[codes]


def open_slots(instance: Instance, site: int) -> Flags:
    """Return whether each slot of the round lies whole inside one opening window of a site."""
    return _open_slots(instance, instance.sites.hours[site])


def opens(instance: Instance) -> Flags:
    """Return whether each site has a slot in the round."""
    hours = instance.sites.hours
    some = {h: bool(_open_slots(instance, h).any()) for h in set(hours)}
    return np.array([some[h] for h in hours], dtype=bool)


def _open_slots(instance: Instance, hours: tuple[Window, ...]) -> Flags:
    clock, slot = instance.clock, instance.settings.round.slot_minutes
    begin = np.arange(clock.num_slots, dtype=np.int64) * slot
    inside = np.zeros(len(begin), dtype=bool)
    for first, last in clock.windows(hours, 0, clock.end_min):
        inside |= (begin >= first) & (begin + slot <= last)
    return inside


@dataclass(frozen=True)
class SiteSlots:
    """People called by site, slot and zone, for some sites."""

    num_slots: int
    people: dict[int, Ints]  # site -> [slot, zone]

    @staticmethod
    def of(instance: Instance, rows: pd.DataFrame) -> SiteSlots:
        """Add up rows of ``assignments.csv``."""
        num_slots = instance.clock.num_slots
        number = {str(ident): index for index, ident in enumerate(instance.sites.ids)}
        zones = {word: index for index, word in enumerate(ZONE_WORDS)}
        slots = minutes(instance, rows["start"]) // instance.settings.round.slot_minutes
        people: dict[int, Ints] = {}
        columns = (rows["site_id"], rows["zone"], slots.tolist(), rows["people"])
        for site, zone, slot, count in zip(*columns, strict=True):
            table = people.setdefault(
                number[str(site)], np.zeros((num_slots, len(ZONE_WORDS)), dtype=np.int64)
            )
            table[slot, zones[str(zone)]] += count
        return SiteSlots(num_slots, people)

    def by_zone(self, site: int) -> Ints:
        """Return people called, shape (slots, zones)."""
        empty = np.zeros((self.num_slots, len(ZONE_WORDS)), dtype=np.int64)
        return self.people.get(site, empty)

    def called(self, site: int) -> Ints:
        """Return people called, shape (slots,)."""
        total: Ints = self.by_zone(site).sum(axis=1)
        return total


def usable_slots(instance: Instance, slots: SiteSlots, site: int, zone: int) -> Flags:
    """Return whether a zone may be called in each slot beside the others called to a site.

    Two zones never share a slot, and ``clearing_min`` lies between a stricter zone and a less
    strict one that follows it (DESIGN.md, rule 4).
    """
    gap = instance.settings.clearing_slots
    people = slots.by_zone(site)
    usable: Flags = open_slots(instance, site) & (np.delete(people, zone, axis=1).sum(axis=1) == 0)
    for other in range(len(ZONE_WORDS)):
        for busy in np.flatnonzero(people[:, other]) if other != zone else ():
            if other < zone:
                usable[busy + 1 : busy + 1 + gap] = False
            else:
                usable[max(busy - gap, 0) : busy] = False
    return usable
