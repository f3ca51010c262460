"""All that the repair takes from the rest of the solver, in one place.

Quotas, candidates, roads and the flow of tubes are those of planning; when one of them gets another
name or shape, only this module changes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from scheduler.domain.city import Flags, Floats, Ints
from scheduler.domain.instance import Instance
from scheduler.domain.overlay import Overlay
from scheduler.domain.profile import slot_places
from scheduler.solve import columns
from scheduler.solve.candidates import Candidates, Pairs
from scheduler.solve.consign import Batches, Shipments, ship
from scheduler.solve.layout import Layout
from scheduler.solve.network import LabSide, Reach, match
from scheduler.solve.reach import Promise, travel_minutes
from scheduler.solve.slots import filled, runs_with_room, start_sums
from scheduler.solve.spacing import site_quota
from scheduler.solve.timeline import HOUR_MIN, LabHours, lab_hours, site_sessions

NEAREST = 16
"""Candidate sites of a block that are looked at."""


def slot_quota(overlay: Overlay) -> Ints:
    """Return people per site and slot by the profile, ``[site, slot]``, closings left out."""
    quota = _flat_quota(overlay)
    return slot_places(overlay.instance, quota, quota.shape[1])


def _flat_quota(overlay: Overlay) -> Ints:
    """Return people per site and slot without a profile.

    A quota is simulated once for the sites as they are, and once for each other number of lanes or
    rate that an event gives a site.
    """
    instance = overlay.instance
    sites, num_slots = instance.sites, overlay.lanes.shape[1]
    quota = np.repeat(site_quota(instance)[:, None], num_slots, axis=1)
    changed = (overlay.lanes != sites.lanes[:, None]) | (
        overlay.rate != sites.people_per_lane_hour[:, None]
    )
    site, slot = np.nonzero(changed)
    if not len(site):
        return quota
    kinds = np.column_stack((site, overlay.lanes[site, slot], overlay.rate[site, slot]))
    distinct, which = np.unique(kinds, axis=0, return_inverse=True)
    rows = distinct[:, 0].astype(np.int64)
    lanes = distinct[:, 1].astype(np.int64)
    some = replace(
        sites,
        lanes=np.maximum(lanes, 1),
        people_per_lane_hour=distinct[:, 2].astype(np.float64),
        queue_length_m=sites.queue_length_m[rows],
    )
    values = np.where(lanes > 0, site_quota(instance.replace(sites=some)), 0)
    quota[site, slot] = values[which.reshape(-1)]
    return quota


def open_slots(instance: Instance) -> Flags:
    """Return whether each slot lies in an opening window of each site, ``[site, slot]``."""
    sessions = site_sessions(instance)
    flags = np.zeros((len(instance.sites), instance.clock.num_slots), dtype=bool)
    for site, first, end in zip(
        sessions.site.tolist(), sessions.first_slot.tolist(), sessions.end_slot.tolist(),
        strict=True,
    ):  # fmt: skip
        flags[site, first:end] = True
    return flags


def candidate_pairs(instance: Instance, is_open: Flags, blocks: Ints) -> Pairs:
    """Return the nearest candidates of some blocks, among sites that are still open."""
    return Candidates(instance, is_open).nearest(NEAREST, blocks)


def road_minutes(instance: Instance) -> Ints:
    """Return minutes from pick-up to arrival without delays, ``[site, lab]``."""
    return travel_minutes(instance)


def working_hours(instance: Instance, num_hours: int) -> LabHours:
    """Return the clock hours of the labs as their files say, events left out."""
    return lab_hours(instance, num_hours)


@dataclass(frozen=True)
class Parcel:
    """Tubes to be sent: ``cluster`` numbers sites that share roads; columns of equal length."""

    cluster: Ints
    wave: Ints
    people: Ints
    tubes: Ints
    first_slot: Ints
    pool: Ints


@dataclass(frozen=True)
class Roads:
    """Per cluster: minutes to each lab, labs that may be used, and the price of a late minute."""

    minutes: Ints
    usable: Flags
    late_cost: Floats  # person-minutes per tube and minute


@dataclass(frozen=True)
class Works:
    """What labs can still take: hours with free capacity, and tubes per day (-1 no limit)."""

    hours: LabHours
    processing_min: Ints
    max_per_day: Ints
    max_holding_min: int


def send(
    instance: Instance, parcel: Parcel, roads: Roads, works: Works, left_cost: float
) -> tuple[Shipments, Ints]:
    """Send whole tubes to labs at least lateness; returns shipments and tubes left per row."""
    rows = np.arange(len(parcel.wave))
    num_waves = max(instance.clock.num_waves, int(parcel.wave.max(initial=0)) + 1)
    first = np.full((len(roads.minutes), num_waves), 1 << 30, dtype=np.int64)
    first_min = parcel.first_slot * instance.settings.round.slot_minutes
    np.minimum.at(first, (parcel.cluster, parcel.wave), first_min)
    _, chain = np.unique(np.round(roads.late_cost, 12), return_inverse=True)
    reach = Reach(
        roads.minutes, roads.usable, roads.late_cost, chain.reshape(-1), first, roads.usable
    )
    wave_min = instance.settings.round.wave_minutes
    begin = wave_min * np.arange(num_waves)
    promised = round(instance.settings.targets.result_hours * HOUR_MIN)
    promise = Promise(begin + wave_min, begin + promised, works.processing_min)
    side = LabSide(works.hours, promise, works.max_per_day, works.max_holding_min, 1)
    batches = Batches(rows, parcel.wave, parcel.people, parcel.tubes, parcel.first_slot)
    layout = Layout(rows, rows, parcel.cluster, [], [])
    return ship(batches, layout, (reach, reach), side, parcel.pool, left_cost)


__all__ = [
    "HOUR_MIN",
    "LabHours",
    "Pairs",
    "Parcel",
    "Roads",
    "Shipments",
    "Works",
    "candidate_pairs",
    "columns",
    "filled",
    "match",
    "open_slots",
    "road_minutes",
    "runs_with_room",
    "send",
    "slot_quota",
    "start_sums",
    "working_hours",
]
