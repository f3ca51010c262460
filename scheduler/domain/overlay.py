"""The input with events laid over it: who, where and when, as it stands at some moment.

``verify`` does the same with code of its own (``scheduler.domain.verify.effective``).

Rules. A site is closed from ``site_closed`` to its ``end`` or the next ``site_opened``; a slot that
touches that time is closed whole. Lanes and rates hold from their event on; in a slot that holds a
change the smaller counts. Zones change, people are added and the end moves once their time has
come; all else may be announced beforehand. A courier delay holds for pick-ups from its time to
before its ``end``; delays add up.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from scheduler.domain.city import Blocks, Flags, Floats, Ints
from scheduler.domain.events import Event, Kind
from scheduler.domain.instance import Instance, RoundClock
from scheduler.domain.settings import Zone

FOREVER = 1 << 40
"""A minute after every other."""

Span = tuple[int, int]
"""Minutes [from, to) since the round's start."""


@dataclass(frozen=True)
class Delay:
    """Pick-ups in a span take longer; -1 stands for every site or lab."""

    span: Span
    site: int
    lab: int
    minutes: int


@dataclass(frozen=True)
class Overlay:
    """The effective input.

    ``instance`` has the zones, blocks and end of the moment. ``closed[site, slot]`` marks slots in
    which events close a site, ``lanes[site, slot]`` and ``rate[site, slot]`` (people per lane and
    hour) what works there otherwise. ``lab_out[lab]`` lists the spans in which a lab starts
    nothing, ``lab_rate[lab]`` the (minute, tubes per hour) from which each rate holds.
    ``sealed_from[community]`` is the minute since which an event has it in lockdown.
    """

    instance: Instance
    closed: Flags
    lanes: Ints
    rate: Floats
    lab_out: list[list[Span]]
    lab_rate: list[list[tuple[int, int]]]
    delays: tuple[Delay, ...]
    sealed_from: Ints


def lay_over(files: Instance, events: Iterable[Event], now_min: int) -> Overlay:
    """Return the input of a round's files with the events laid over it, as of ``now_min``."""
    events = tuple(events)
    come = [event for event in events if event.minute <= now_min]
    instance = _with_end(files, come)
    zones, sealed_from = _zones(instance, come)
    instance = instance.replace(communities=replace(instance.communities, zone=zones))
    instance = _with_people(instance, come)
    sites = {str(text): at for at, text in enumerate(instance.sites.ids)}
    labs = {str(text): at for at, text in enumerate(instance.labs.ids)}
    closed = _closed(instance, events, sites)
    lanes, rate = _lanes(instance, events, sites)
    return Overlay(
        instance,
        closed | (lanes == 0),
        lanes,
        rate,
        _outages(instance, events, labs),
        _lab_rates(instance, events, labs),
        _delays(events, sites, labs),
        sealed_from,
    )


def added_id(clock: RoundClock, event: Event, part: int) -> str:
    """Return the id of a block of added people: it stays when the number is corrected."""
    return f"{event.community_id}-add-{clock.at(event.minute):%m%dT%H%M}-{part + 1:02d}"


def _with_end(instance: Instance, events: list[Event]) -> Instance:
    moved = [e.end for e in events if e.kind is Kind.ROUND_END_MOVED and e.end is not None]
    if not moved:
        return instance
    settings = instance.settings
    end = instance.clock.at(moved[-1]).replace(tzinfo=None)
    return instance.replace(settings=replace(settings, round=replace(settings.round, end=end)))


def _zones(instance: Instance, events: list[Event]) -> tuple[Ints, Ints]:
    """Return the zone of each community, and since when events have it in lockdown."""
    place = {str(text): at for at, text in enumerate(instance.communities.ids)}
    zones = instance.communities.zone.copy()
    since = np.full(len(zones), FOREVER, dtype=np.int64)
    for event in events:
        if event.kind not in {Kind.COMMUNITY_SEALED, Kind.ZONE_CHANGED}:
            continue
        community = place[event.community_id]
        new = Zone.LOCKDOWN if event.zone is None else Zone(event.zone)
        if new is not Zone.LOCKDOWN:
            since[community] = FOREVER
        elif zones[community] != Zone.LOCKDOWN:
            since[community] = event.minute
        zones[community] = new
    return zones, since


def _with_people(instance: Instance, events: list[Event]) -> Instance:
    """Return the instance with a block, or several, for each ``people_added``."""
    added = [e for e in events if e.kind is Kind.PEOPLE_ADDED and e.people]
    if not added:
        return instance
    place = {str(text): at for at, text in enumerate(instance.communities.ids)}
    most = instance.settings.blocks.max_people
    rows: list[tuple[str, int, int]] = []
    population = instance.communities.population.copy()
    for event in added:
        community, people = place[event.community_id], int(event.people or 0)
        population[community] += people
        pieces = -(-people // most)
        sizes = [people // pieces + (n < people % pieces) for n in range(pieces)]
        rows += [
            (added_id(instance.clock, event, n), community, size) for n, size in enumerate(sizes)
        ]
    return instance.replace(
        communities=replace(instance.communities, population=population),
        blocks=_joined(instance, rows),
    )


def _joined(instance: Instance, rows: list[tuple[str, int, int]]) -> Blocks:
    blocks, towns = instance.blocks, instance.communities
    ids = np.array([row[0] for row in rows], dtype=object)
    community = np.array([row[1] for row in rows], dtype=np.int64)
    people = np.array([row[2] for row in rows], dtype=np.int64)
    unknown = np.full(len(rows), -1, dtype=np.int64)
    columns = {
        "ids": ids, "names": ids, "community_index": community, "people": people,
        "home_visits": np.zeros_like(people), "households": unknown, "elderly": unknown,
        "lat": towns.lat[community], "lng": towns.lng[community],
    }  # fmt: skip
    whole = {name: np.concatenate((getattr(blocks, name), new)) for name, new in columns.items()}
    order = sorted(range(len(whole["ids"])), key=lambda b: whole["community_index"][b])
    return Blocks(**{name: column[np.array(order)] for name, column in whole.items()})


def _closed(instance: Instance, events: tuple[Event, ...], sites: dict[str, int]) -> Flags:
    spans: dict[int, list[Span]] = {}
    for event in events:
        if event.kind is Kind.SITE_CLOSED:
            end = FOREVER if event.end is None else event.end
            spans.setdefault(sites[event.site_id], []).append((event.minute, end))
        elif event.kind is Kind.SITE_OPENED and sites[event.site_id] in spans:
            spans[sites[event.site_id]] = cut_at(spans[sites[event.site_id]], event.minute)
    clock, slot = instance.clock, instance.settings.round.slot_minutes
    begin = np.arange(clock.num_slots) * slot
    closed = np.zeros((len(instance.sites), clock.num_slots), dtype=bool)
    for site, some in spans.items():
        for first, last in some:
            closed[site] |= (begin < last) & (begin + slot > first)
    return closed


def cut_at(spans: list[Span], minute: int) -> list[Span]:
    """Return spans ended at a minute; those that would begin later are gone from there on."""
    return [(first, min(last, minute)) for first, last in spans if first < minute]


def _lanes(
    instance: Instance, events: tuple[Event, ...], sites: dict[str, int]
) -> tuple[Ints, Floats]:
    clock, slot = instance.clock, instance.settings.round.slot_minutes
    shape = (len(instance.sites), clock.num_slots)
    lanes = np.broadcast_to(instance.sites.lanes[:, None], shape).copy()
    rate = np.broadcast_to(instance.sites.people_per_lane_hour[:, None], shape).copy()
    for event in events:
        if event.kind is Kind.LANES_CHANGED and event.lanes is not None:
            _step(lanes, sites[event.site_id], event.minute, event.lanes, slot)
        elif event.kind is Kind.RATE_CHANGED and event.people_per_lane_hour is not None:
            rows = sites[event.site_id] if event.site_id else slice(None)
            _step(rate, rows, event.minute, event.people_per_lane_hour, slot)
    return lanes, rate


def _step(
    table: Ints | Floats, rows: int | slice, minute: int, value: float, slot_min: int
) -> None:
    """Set a value from a minute on; the slot that holds the minute gets the smaller one."""
    first = max(0, -(-minute // slot_min))
    if minute > 0 and minute % slot_min and first - 1 < table.shape[1]:
        table[rows, first - 1] = np.minimum(table[rows, first - 1], value)
    table[rows, first:] = value


def _outages(
    instance: Instance, events: tuple[Event, ...], labs: dict[str, int]
) -> list[list[Span]]:
    spans: list[list[Span]] = [[] for _ in range(len(instance.labs))]
    for event in events:
        if event.kind is Kind.LAB_OUT:
            end = FOREVER if event.end is None else event.end
            spans[labs[event.lab_id]].append((event.minute, end))
        elif event.kind is Kind.LAB_BACK:
            spans[labs[event.lab_id]] = cut_at(spans[labs[event.lab_id]], event.minute)
    return spans


def _lab_rates(
    instance: Instance, events: tuple[Event, ...], labs: dict[str, int]
) -> list[list[tuple[int, int]]]:
    steps = [[(-FOREVER, int(tubes))] for tubes in instance.labs.tubes_per_hour]
    for event in events:
        if event.kind is Kind.LAB_RATE_CHANGED and event.tubes_per_hour is not None:
            steps[labs[event.lab_id]].append((event.minute, event.tubes_per_hour))
    return steps


def _delays(
    events: tuple[Event, ...], sites: dict[str, int], labs: dict[str, int]
) -> tuple[Delay, ...]:
    return tuple(
        Delay(
            (event.minute, FOREVER if event.end is None else event.end),
            sites[event.site_id] if event.site_id else -1,
            labs[event.lab_id] if event.lab_id else -1,
            event.minutes,
        )
        for event in events
        if event.kind is Kind.COURIER_DELAY and event.minutes
    )
