"""One sheet per site: what its staff prepare for, slot by slot and day by day."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from scheduler.domain.city import Ints
from scheduler.domain.settings import Zone
from scheduler.publish.cells import END, csv_bytes, id_cell, text_cell
from scheduler.publish.schedule import Schedule
from scheduler.publish.words import ROW_KINDS, SITE_COLUMNS, WEEKDAYS, ZONE_WORDS, header

MEDICS_PER_LANE = 2
"""Xinhua, 2020-06-28: two medics per table and one disinfection person in Beijing."""
DISINFECTION_PER_SITE = 1
"""As above; read as one per site and day."""
QUEUE_M_PER_ORDER_KEEPER = 10.0
"""Guangzhou Daily on Haichuang street: one order keeper per 10 m of queue."""
TUBES_PER_BOX = 10
"""An assumption: tubes per box differ by place, no standard was found; township plans number
tubes in groups of ten. A box goes with each pick-up, so boxes are counted pick-up by pick-up."""


def site_files(schedule: Schedule, sites: Ints) -> Iterator[tuple[int, bytes]]:
    """Yield site index and file content, for each site of the list; an unused site has no rows."""
    top = header(SITE_COLUMNS, schedule.language)
    slots = _slots(schedule)
    bounds = np.searchsorted(slots["site"], np.arange(len(schedule.instance.sites) + 1))
    days = _days(slots)
    writer = _Writer(schedule)
    rows = list(slots.itertuples(index=False, name=None))
    for s in sites:
        lines: list[str] = []
        block = rows[bounds[s] : bounds[s + 1]]
        for number, row in enumerate(block):
            lines.append(writer.slot(row))
            if number + 1 == len(block) or block[number + 1][1] != row[1]:
                lines.append(writer.day(row[0], row[1], days[row[0], row[1]]))
        yield int(s), csv_bytes(top, lines)


def lanes_to_open(schedule: Schedule, site: Ints, people: Ints) -> Ints:
    """Return lanes needed for the people of a slot at ``max_load``, at most those that exist."""
    settings, sites = schedule.instance.settings, schedule.instance.sites
    rate = sites.people_per_lane_hour[site] * settings.round.slot_minutes / 60
    needed = np.ceil(people / (rate * settings.targets.max_load) - 1e-9).astype(np.int64)
    return np.minimum(needed, sites.lanes[site])


def _slots(schedule: Schedule) -> pd.DataFrame:
    """Return one row per site and slot, with columns in the order the writer takes them."""
    calls = schedule.calls
    frame = pd.DataFrame(
        {
            "site": calls.site_index,
            "start": calls.start,
            "end": calls.end,
            "zone": calls.zone,
            "pool": calls.pool_size,
            "people": calls.people,
            "tubes": calls.tubes,
        }
    )
    keys = ["site", "start", "end", "zone", "pool"]
    slots = frame.groupby(keys, sort=True, as_index=False)[["people", "tubes"]].sum()
    starts, where = np.unique(slots["start"], return_inverse=True)
    ordinals = [schedule.instance.clock.at(m).toordinal() for m in starts.tolist()]
    slots.insert(1, "day", np.array(ordinals, dtype=np.int64)[where])
    wave_min = schedule.instance.settings.round.wave_minutes
    slots["pickup"] = (slots["start"] // wave_min + 1) * wave_min
    slots["lanes"] = lanes_to_open(schedule, slots["site"].to_numpy(), slots["people"].to_numpy())
    return slots


def _days(slots: pd.DataFrame) -> dict[tuple[int, int], tuple[int, ...]]:
    """Return (site, day) -> first start, last end, people, tubes, lanes, fullest slot, boxes."""
    boxes = slots.groupby(["site", "day", "pickup"])["tubes"].sum()
    boxes = -(-boxes // TUBES_PER_BOX)
    daily = slots.groupby(["site", "day"]).agg(
        first=("start", "min"),
        last=("end", "max"),
        people=("people", "sum"),
        tubes=("tubes", "sum"),
        lanes=("lanes", "max"),
        fullest=("people", "max"),
    )
    daily["boxes"] = boxes.groupby(level=["site", "day"]).sum()
    return dict(zip(daily.index, daily.itertuples(index=False, name=None), strict=True))


class _Writer:
    """Text of the rows; times are formatted once each."""

    def __init__(self, schedule: Schedule) -> None:
        self.language = schedule.language
        self.sites = schedule.instance.sites
        self.spacing_m = schedule.instance.settings.targets.spacing_m
        self.clock = schedule.instance.clock
        self.kinds = ROW_KINDS[self.language]
        self.zones = [ZONE_WORDS[self.language][zone] for zone in Zone]
        round_, revision = id_cell(schedule.round_id), id_cell(schedule.revision)
        self.heads = [
            f"{round_},{revision},{id_cell(i)},{text_cell(name)},{text_cell(address)}"
            for i, name, address in zip(
                self.sites.ids, self.sites.names, self.sites.addresses, strict=True
            )
        ]
        self.known: dict[int, tuple[str, str]] = {}

    def slot(self, row: tuple[int, ...]) -> str:
        """Return the line of one slot."""
        site, _day, start, end, zone, pool, people, tubes, pickup, lanes = row
        day, begin = self._time(start)
        pickup_day, pickup_time = self._time(pickup)
        return (
            f"{self.kinds['slot']},{self.heads[site]},{day},{begin},{self._time(end)[1]},"
            f"{self.zones[zone]},{pool},{people},{tubes},{lanes},"
            f"{pickup_day.partition(',')[0]} {pickup_time},,,,,,{END}"
        )

    def day(self, site: int, _day: int, totals: tuple[int, ...]) -> str:
        """Return the line of one day: people to staff the site with, and what they need."""
        first, last, people, tubes, lanes, fullest, boxes = totals
        day, begin = self._time(first)
        medics = MEDICS_PER_LANE * lanes
        ground = float(self.sites.queue_length_m[site])
        queue_m = min(ground, fullest * self.spacing_m)
        keepers = int(np.ceil(queue_m / QUEUE_M_PER_ORDER_KEEPER - 1e-9))
        staff = medics + DISINFECTION_PER_SITE + keepers
        return (
            f"{self.kinds['day']},{self.heads[site]},{day},{begin},{self._time(last)[1]},,,"
            f"{people},{tubes},{lanes},,{medics},{DISINFECTION_PER_SITE},{keepers},{staff},"
            f"{people},{boxes}{END}"
        )

    def _time(self, minute: int) -> tuple[str, str]:
        """Return ``2020-12-22,Tuesday`` and ``06:00``."""
        if minute not in self.known:
            t = self.clock.at(minute)
            weekday = WEEKDAYS[self.language][t.weekday()]
            self.known[minute] = (f"{t:%Y-%m-%d},{weekday}", f"{t:%H:%M}")
        return self.known[minute]
