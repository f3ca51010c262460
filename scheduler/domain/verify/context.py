"""Everything a check needs: the input, the time axis, and the plan's rows as numbers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields

import numpy as np

from scheduler.domain.city import Flags, Ints, Texts
from scheduler.domain.instance import Instance
from scheduler.domain.plan import (
    ASSIGNMENT_COLUMNS,
    CONSIGNMENT_COLUMNS,
    LAB_LOAD_COLUMNS,
    UNSERVED_COLUMNS,
    Plan,
)
from scheduler.domain.settings import ZONE_WORDS
from scheduler.domain.verify.breach import (
    ASSIGNMENTS,
    CONSIGNMENTS,
    LAB_LOAD,
    UNSERVED,
    BreachLog,
    rows_where,
)
from scheduler.domain.verify.tables import FrameReader, Known, has_columns, repeated
from scheduler.domain.verify.timeaxis import TimeAxis

NUM_ZONES = len(ZONE_WORDS)

ZonesOf = Callable[[Ints, Ints, Ints], Ints]
"""(block, site, start) of calls -> the zone of each."""


@dataclass(frozen=True)
class Called:
    """Usable rows of ``assignments.csv``; times in minutes since the round's start."""

    line: Ints
    block: Ints
    site: Ints
    start: Ints
    end: Ints
    people: Ints
    tubes: Ints
    zone: Ints  # of the block, from the input

    def where(self, keep: Flags) -> Called:
        """Return some of the rows."""
        return Called(*(getattr(self, field.name)[keep] for field in fields(self)))


@dataclass(frozen=True)
class Sent:
    """Usable rows of ``consignments.csv``; times in minutes since the round's start."""

    line: Ints
    site: Ints
    lab: Ints
    zone: Ints
    pool: Ints
    pickup: Ints
    arrive: Ints
    start: Ints
    result: Ints
    tubes: Ints
    people: Ints
    oldest: Ints

    def wave(self, axis: TimeAxis) -> Ints:
        """Return the wave that each pick-up ends; the pick-up may be off the grid."""
        return -(-self.pickup // axis.wave_min) - 1


@dataclass(frozen=True)
class Load:
    """Usable rows of ``lab_load.csv``."""

    line: Ints
    lab: Ints
    hour: Ints
    tubes: Ints
    capacity: Ints


@dataclass(frozen=True)
class Left:
    """Usable rows of ``unserved.csv``."""

    line: Ints
    block: Ints
    people: Ints
    reason: Texts


@dataclass(frozen=True)
class Context:
    """One verification: read once, handed to every check."""

    instance: Instance
    axis: TimeAxis
    log: BreachLog
    called: Called
    sent: Sent
    load: Load
    left: Left

    def group(self, site: Ints, wave: Ints, zone: Ints) -> Ints:
        """Return one number per (site, wave, zone)."""
        return (site * self.axis.num_waves + wave) * NUM_ZONES + zone

    def group_name(self, group: int) -> tuple[str, str, str]:
        """Return site, start of the wave and zone of a group in words."""
        rest, zone = divmod(int(group), NUM_ZONES)
        site, wave = divmod(rest, self.axis.num_waves)
        when = self.axis.text(wave * self.axis.wave_min)
        return str(self.instance.sites.ids[site]), when, ZONE_WORDS[zone]


def read_context(
    instance: Instance, plan: Plan, log: BreachLog, zones: ZonesOf | None = None
) -> Context | None:
    """Read the frames; ``None`` when a frame lacks columns, so that nothing can be checked.

    ``zones`` tells the zone that each call must have, where it is not that of its block.
    """
    frames = (
        (plan.assignments, ASSIGNMENTS, ASSIGNMENT_COLUMNS),
        (plan.consignments, CONSIGNMENTS, CONSIGNMENT_COLUMNS),
        (plan.lab_load, LAB_LOAD, LAB_LOAD_COLUMNS),
        (plan.unserved, UNSERVED, UNSERVED_COLUMNS),
    )
    complete = [has_columns(frame, file, columns, log) for frame, file, columns in frames]
    if not all(complete):
        return None
    axis = TimeAxis(instance.settings.round)
    readers = [FrameReader(frame, file, axis, log) for frame, file, _ in frames]
    return Context(
        instance,
        axis,
        log,
        _called(instance, readers[0], zones or _zone_of_block(instance)),
        _sent(instance, readers[1]),
        _load(instance, readers[2]),
        _left(instance, readers[3]),
    )


def _zone_of_block(instance: Instance) -> ZonesOf:
    return lambda block, _site, _start: instance.block_zone[block]


def _called(instance: Instance, reader: FrameReader, zones: ZonesOf) -> Called:
    block = reader.ids("block_id", Known.of("a block", instance.blocks.ids))
    site = reader.ids("site_id", Known.of("a site", instance.sites.ids))
    start, end = reader.times("start"), reader.times("end")
    people, tubes = reader.numbers("people", 1), reader.numbers("tubes", 0)
    zone, pool = _zones(reader), reader.numbers("pool_size", 1)
    _expect_own(instance, reader, block)
    good = reader.good
    own = zones(block, site, start)
    pools = np.array(instance.settings.pooling.by_zone())[own]
    for row in rows_where(good & (zone != own)):
        _differs(reader, row, "zone", ZONE_WORDS[own[row]])
    for row in rows_where(good & (pool != pools)):
        _differs(reader, row, "pool_size", str(pools[row]))
    line = np.flatnonzero(good) + 2
    columns = (block, site, start, end, people, tubes, own)
    called = Called(line, *(column[good] for column in columns))
    _no_repeats(reader, called.line, called.block, called.start)
    return called


def _sent(instance: Instance, reader: FrameReader) -> Sent:
    columns = [
        reader.ids("site_id", Known.of("a site", instance.sites.ids)),
        reader.ids("lab_id", Known.of("a lab", instance.labs.ids)),
        _zones(reader),
        reader.numbers("pool_size", 1),
        *(reader.times(name) for name in ("pickup_at", "arrive_at", "start_at", "result_by")),
        reader.numbers("tubes", 1),
        reader.numbers("people", 1),
        reader.times("oldest_sample_at"),
    ]
    pools = np.array(instance.settings.pooling.by_zone())[columns[2]]
    for row in rows_where(reader.good & (columns[3] != pools)):
        _differs(reader, row, "pool_size", str(pools[row]))
    sent = Sent(np.flatnonzero(reader.good) + 2, *(column[reader.good] for column in columns))
    _no_repeats(reader, sent.line, sent.site, sent.lab, sent.zone, sent.pickup, sent.start)
    return sent


def _load(instance: Instance, reader: FrameReader) -> Load:
    lab, hour = reader.ids("lab_id", Known.of("a lab", instance.labs.ids)), reader.times("hour")
    tubes, capacity = reader.numbers("tubes", 0), reader.numbers("capacity", 0)
    line = np.flatnonzero(reader.good) + 2
    load = Load(line, *(column[reader.good] for column in (lab, hour, tubes, capacity)))
    _no_repeats(reader, load.line, load.lab, load.hour)
    return load


def _left(instance: Instance, reader: FrameReader) -> Left:
    block = reader.ids("block_id", Known.of("a block", instance.blocks.ids))
    people, reason = reader.numbers("people", 1), reader.words("reason")
    _expect_own(instance, reader, block)
    good = reader.good
    left = Left(np.flatnonzero(good) + 2, block[good], people[good], reason[good])
    codes = np.unique(left.reason, return_inverse=True)[1].astype(np.int64)
    _no_repeats(reader, left.line, left.block, codes)
    return left


def _zones(reader: FrameReader) -> Ints:
    return reader.ids("zone", Known.of("a zone", ZONE_WORDS))


def _expect_own(instance: Instance, reader: FrameReader, block: Ints) -> None:
    """Check that the community of each row is the one its block belongs to."""
    communities = Known.of("a community", instance.communities.ids)
    community = reader.ids("community_id", communities)
    own = instance.blocks.community_index[block]
    for row in rows_where(reader.good & (community != own)):
        _differs(reader, row, "community_id", str(instance.communities.ids[own[row]]))


def _differs(reader: FrameReader, row: int, column: str, expected: str) -> None:
    got = reader.frame[column].iloc[row]
    text = f"{column}: expected {expected} as in the input, got {got}"
    reader.log.add("B106", reader.file, text, line=row + 2)


def _no_repeats(reader: FrameReader, line: Ints, *keys: Ints) -> None:
    for row in repeated(*keys).tolist():
        reader.log.add("B105", reader.file, "expected this row once", line=int(line[row]))
