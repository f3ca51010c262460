"""The input as events leave it, worked out by the verifier's own code (rules: ``domain.overlay``).

For each site and laboratory the events are walked through in order, as a diary; what holds in a
slot or an hour is then read from the diary.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from functools import cached_property
from itertools import pairwise

import numpy as np

from scheduler.domain.city import Flags, Floats, Ints
from scheduler.domain.events import Event, Kind
from scheduler.domain.instance import Instance
from scheduler.domain.settings import Zone
from scheduler.domain.verify.timeaxis import TimeAxis

ALWAYS = 1 << 40


class Effective:
    """A round's files with events, as of ``now``; minutes since the round's start."""

    def __init__(self, files: Instance, events: Iterable[Event], now: int) -> None:
        self.events = sorted(events, key=lambda e: (e.minute, e.kind.value))
        self.now = now
        self.files = files
        self.instance = self._instance()
        self.axis = TimeAxis(self.instance.settings.round)

    def _of(self, *kinds: Kind) -> list[Event]:
        return [event for event in self.events if event.kind in kinds]

    def _instance(self) -> Instance:
        """Return the files with what has come: zones, added people, the round's end."""
        axis, instance = TimeAxis(self.files.settings.round), self.files
        zones, population = instance.communities.zone.copy(), instance.communities.population.copy()
        where = {str(c): at for at, c in enumerate(instance.communities.ids)}
        settings = instance.settings
        extra: list[tuple[int, str, int]] = []
        for event in self.events:
            if event.minute > self.now:
                continue
            if event.kind is Kind.COMMUNITY_SEALED:
                zones[where[event.community_id]] = Zone.LOCKDOWN
            elif event.kind is Kind.ZONE_CHANGED and event.zone is not None:
                zones[where[event.community_id]] = event.zone
            elif event.kind is Kind.ROUND_END_MOVED and event.end is not None:
                end = (axis.origin + timedelta(minutes=event.end)).astimezone(axis.zone)
                moved = replace(settings.round, end=end.replace(tzinfo=None))
                settings = replace(settings, round=moved)
            elif event.kind is Kind.PEOPLE_ADDED and event.people:
                population[where[event.community_id]] += event.people
                extra += self._blocks(axis, event, where[event.community_id])
        towns = replace(instance.communities, zone=zones, population=population)
        return self._with_blocks(instance.replace(settings=settings, communities=towns), extra)

    def _blocks(self, axis: TimeAxis, event: Event, community: int) -> list[tuple[int, str, int]]:
        people, most = int(event.people or 0), self.files.settings.blocks.max_people
        stem = f"{event.community_id}-add-{axis.local(event.minute):%m%dT%H%M}"
        parts = (people + most - 1) // most
        small, larger = divmod(people, parts)
        return [(community, f"{stem}-{n:02d}", small + (n <= larger)) for n in range(1, parts + 1)]

    def _with_blocks(self, instance: Instance, extra: list[tuple[int, str, int]]) -> Instance:
        if not extra:
            return instance
        old, towns = instance.blocks, instance.communities
        at = np.array([e[0] for e in extra])
        names = np.array([e[1] for e in extra], dtype=object)
        people = np.array([e[2] for e in extra], dtype=np.int64)
        none = np.full(len(extra), -1, dtype=np.int64)
        order = np.argsort(np.concatenate((old.community_index, at)), kind="stable")
        new = {
            "ids": names, "names": names, "community_index": at, "people": people,
            "home_visits": none + 1, "households": none, "elderly": none,
            "lat": towns.lat[at], "lng": towns.lng[at],
        }  # fmt: skip
        columns = {n: np.concatenate((getattr(old, n), c))[order] for n, c in new.items()}
        return instance.replace(blocks=replace(old, **columns))

    @cached_property
    def shut(self) -> Flags:
        """Whether events close a site in a slot, ``[site, slot]``."""
        shape = (len(self.instance.sites), self.axis.num_slots)
        shut: Flags = self._lanes_and_rates[0] == 0
        sites = {str(s): at for at, s in enumerate(self.instance.sites.ids)}
        for name in {e.site_id for e in self._of(Kind.SITE_CLOSED)}:
            for begin, end in self._away(name, "site_id", Kind.SITE_CLOSED, Kind.SITE_OPENED):
                first = max(0, begin // self.axis.slot_min)
                last = min(shape[1], -(-end // self.axis.slot_min))
                shut[sites[name], first:last] = True
        return shut

    def _away(self, name: str, key: str, gone: Kind, back: Kind) -> list[tuple[int, int]]:
        """Return the spans in which one site or lab is away, by walking through its events."""
        spans: list[tuple[int, int]] = []
        for event in self._of(gone, back):
            if getattr(event, key) != name:
                continue
            if event.kind is gone:
                spans.append((event.minute, ALWAYS if event.end is None else event.end))
            else:
                spans = [(a, min(b, event.minute)) for a, b in spans if a < event.minute]
        # reported at the same minute, an opening follows its closing, and an outage its end
        return [(a, b) for a, b in spans if b > a]

    @cached_property
    def _lanes_and_rates(self) -> tuple[Ints, Floats]:
        """Lanes and people per lane and hour, ``[site, slot]``."""
        sites, slots = self.instance.sites, self.axis.num_slots
        where = {str(s): at for at, s in enumerate(sites.ids)}
        lanes = np.tile(sites.lanes[:, None], (1, slots))
        rates = np.tile(sites.people_per_lane_hour[:, None], (1, slots))
        for event in self._of(Kind.LANES_CHANGED, Kind.RATE_CHANGED):
            rows = [where[event.site_id]] if event.site_id else list(range(len(sites)))
            lanes_too = event.kind is Kind.LANES_CHANGED
            table: Ints | Floats = lanes if lanes_too else rates
            value = float((event.lanes if lanes_too else event.people_per_lane_hour) or 0)
            slot, inside = divmod(event.minute, self.axis.slot_min)
            if slot >= slots:
                continue
            first = max(slot, 0) if not inside or slot < 0 else slot + 1
            for row in rows:
                if inside and slot >= 0:
                    table[row, slot] = min(table[row, slot], value)
                table[row, first:] = value
        return lanes, rates

    def epochs(self) -> list[tuple[int, int, Instance]]:
        """Return (first slot, end slot, instance) of the times in which no lane or rate changes."""
        lanes, rates = self._lanes_and_rates
        changes = np.any(np.diff(lanes, axis=1) != 0, axis=0)
        changes |= np.any(np.diff(rates, axis=1) != 0, axis=0)
        marks = [0, *(np.flatnonzero(changes) + 1).tolist(), self.axis.num_slots]
        return [
            (first, end, self._as_in(lanes[:, first], rates[:, first]))
            for first, end in pairwise(marks)
        ]

    def _as_in(self, lanes: Ints, rates: Floats) -> Instance:
        sites = replace(self.instance.sites, lanes=lanes, people_per_lane_hour=rates)
        return self.instance.replace(sites=sites)

    def delay(self, site: Ints, lab: Ints, pickup: Ints) -> Ints:
        """Return the minutes that couriers are late for each consignment."""
        late = np.zeros(len(site), dtype=np.int64)
        for event in self._of(Kind.COURIER_DELAY):
            hit = (pickup >= event.minute) & (pickup < (ALWAYS if event.end is None else event.end))
            if event.site_id:
                hit &= self.instance.sites.ids[site] == event.site_id
            if event.lab_id:
                hit &= self.instance.labs.ids[lab] == event.lab_id
            late += np.where(hit, event.minutes or 0, 0)
        return late

    def lab_spans(self, lab: int, spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
        """Return the spans in which a lab works, outages cut out of its opening spans."""
        name = str(self.instance.labs.ids[lab])
        for away, back in self._away(name, "lab_id", Kind.LAB_OUT, Kind.LAB_BACK):
            spans = [
                part
                for a, b in spans
                for part in ((a, min(b, away)), (max(a, back), b))
                if part[0] < part[1]
            ]
        return spans

    def lab_minutes(self, lab: int, begin: int, end: int) -> int:
        """Return tubes x minutes that a lab works off from one minute to another, always open."""
        name, total = str(self.instance.labs.ids[lab]), 0
        steps = [(-ALWAYS, int(self.instance.labs.tubes_per_hour[lab]))]
        steps += [
            (e.minute, int(e.tubes_per_hour or 0))
            for e in self._of(Kind.LAB_RATE_CHANGED)
            if e.lab_id == name
        ]
        for (since, rate), (until, _) in zip(steps, [*steps[1:], (ALWAYS, 0)], strict=True):
            total += rate * max(0, min(end, until) - max(begin, since))
        return total

    def sealed_since(self) -> Ints:
        """Return the minute since which events have each community in lockdown."""
        zones = self.files.communities.zone.copy()
        since = np.full(len(zones), ALWAYS, dtype=np.int64)
        where = {str(c): at for at, c in enumerate(self.files.communities.ids)}
        for event in self._of(Kind.COMMUNITY_SEALED, Kind.ZONE_CHANGED):
            if event.minute > self.now:
                continue
            at = where[event.community_id]
            zone = Zone.LOCKDOWN if event.kind is Kind.COMMUNITY_SEALED else Zone(event.zone or 0)
            if zone != zones[at]:
                since[at] = event.minute if zone is Zone.LOCKDOWN else ALWAYS
            zones[at] = zone
        return since
