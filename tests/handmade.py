"""Plans made without the solver: each block goes to its nearest accepting site, first come first.

Zones, opening hours and lane quotas are kept and all tubes are started in time for small rounds
such as ``tests/data/tiny``; queue grounds and lab capacities are not looked at. Travel times of a
``travel.csv`` neither.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import pandas as pd

from scheduler.domain.city import FIXED, Flags, Ints, Texts
from scheduler.domain.explain_slots import open_slots
from scheduler.domain.instance import Instance
from scheduler.domain.metrics import summarise
from scheduler.domain.plan import (
    ASSIGNMENT_COLUMNS,
    CONSIGNMENT_COLUMNS,
    LAB_LOAD_COLUMNS,
    UNSERVED_COLUMNS,
    Plan,
    PlanTables,
)
from scheduler.domain.settings import Zone

Row = dict[str, Any]


def greedy_plan(instance: Instance, revision: str = "0001") -> Plan:
    """Return a plan; at least one person must get a slot."""
    rows, unserved = _fill_sites(instance)
    calls = _with_tubes(instance, pd.DataFrame(rows))
    sent = _consignments(instance, calls)
    load = _lab_load(instance, sent)
    clock = instance.clock
    for frame, columns in ((calls, ("start", "end")), (sent, _SENT_TIMES)):
        for column in columns:
            source = _SENT_TIMES.get(column, column)
            frame[column] = clock.iso_all(frame[source].to_numpy())
    tables = PlanTables(
        assignments=calls,
        consignments=sent.loc[:, list(CONSIGNMENT_COLUMNS)],
        lab_load=load,
        unserved=pd.DataFrame(unserved, columns=list(UNSERVED_COLUMNS)),
    )
    summary = summarise(instance, tables, best_bound=None, seed=0, revision=revision)
    return tables.with_summary(summary)


def _lab_load(instance: Instance, sent: pd.DataFrame) -> pd.DataFrame:
    load = sent.groupby(["lab_id", "start"], as_index=False).agg(tubes=("tubes", "sum"))
    load["hour"] = instance.clock.iso_all(load["start"].to_numpy())
    load["capacity"] = instance.labs.tubes_per_hour[_numbers(load["lab_id"], instance.labs.ids)]
    return load.loc[:, list(LAB_LOAD_COLUMNS)]


_SENT_TIMES = {
    "pickup_at": "pickup",
    "arrive_at": "arrive",
    "start_at": "start",
    "result_by": "result",
    "oldest_sample_at": "begin",
}


def _fill_sites(instance: Instance) -> tuple[list[Row], list[Row]]:
    slot, blocks, sites = instance.settings.round.slot_minutes, instance.blocks, instance.sites
    rows: list[Row] = []
    unserved: list[Row] = []
    rate = sites.people_per_lane_hour * slot / 60 * instance.settings.targets.max_load
    quota = np.floor(sites.lanes * rate).astype(int)
    next_slot = np.zeros(len(sites), dtype=int)
    order = np.lexsort((np.arange(len(blocks)), instance.block_zone))
    last_zone = np.full(len(sites), -1)
    opening = functools.cache(functools.partial(open_slots, instance))
    for b in order.tolist():
        community, zone = int(blocks.community_index[b]), int(instance.block_zone[b])
        names = {"block_id": blocks.ids[b], "community_id": instance.communities.ids[community]}
        home = int(blocks.home_visits[b])
        if home:
            unserved.append({**names, "people": home, "reason": "home_visit"})
        people, site = int(instance.demand[b]), _site(instance, b, community, zone)
        if site is None or not people:
            if people:
                reason = "no_team" if zone == Zone.LOCKDOWN else "no_site"
                unserved.append({**names, "people": people, "reason": reason})
            continue
        first = _first_slot(instance, site, last_zone[site] == zone, next_slot)
        slots = _room(opening(site), first, -(-people // int(quota[site])))
        if slots is None:
            unserved.append({**names, "people": people, "reason": "past_end"})
            continue
        last_zone[site], next_slot[site] = zone, slots[-1] + 1
        for begin in slots:
            called = min(people, int(quota[site]))
            times = {"start": begin * slot, "end": begin * slot + slot, "people": called}
            word, pool = Zone(zone).word, int(instance.block_pool[b])
            rows.append(
                {**names, "site_id": sites.ids[site], **times, "zone": word, "pool_size": pool}
            )
            people -= called
    return rows, unserved


def _first_slot(instance: Instance, site: int, same_zone: bool, next_slot: Ints) -> int:
    gap = -(-instance.settings.sites.clearing_min // instance.settings.round.slot_minutes)
    after = int(next_slot[site])
    return after if same_zone or not after else after + gap


def _room(is_open: Flags, first: int, count: int) -> list[int] | None:
    """Return the first ``count`` open slots in a row."""
    for begin in range(first, len(is_open) - count + 1):
        if is_open[begin : begin + count].all():
            return list(range(begin, begin + count))
    return None


def _site(instance: Instance, block: int, community: int, zone: int) -> int | None:
    sites = instance.sites
    named = [s for s, of in enumerate(sites.community_indices) if community in of]
    if named:
        return named[0]
    good = (sites.kinds == FIXED) & sites.accepts[:, zone]
    if not good.any() or zone == Zone.LOCKDOWN:
        return None
    away = np.hypot(sites.lat - instance.blocks.lat[block], sites.lng - instance.blocks.lng[block])
    return int(np.argmin(np.where(good, away, np.inf)))


def _with_tubes(instance: Instance, calls: pd.DataFrame) -> pd.DataFrame:
    calls["wave"] = calls["start"] // instance.settings.round.wave_minutes
    calls = calls.sort_values(["start", "block_id"], ignore_index=True)
    after = calls.groupby(["site_id", "wave", "zone"])["people"].cumsum()
    pool = calls["pool_size"]
    calls["tubes"] = -(-after // pool) + (-(after - calls["people"]) // pool)
    return calls.loc[:, list(ASSIGNMENT_COLUMNS)]


def _consignments(instance: Instance, calls: pd.DataFrame) -> pd.DataFrame:
    wave = instance.settings.round.wave_minutes
    calls = calls.assign(wave=calls["start"] // wave)
    sent = calls.groupby(["site_id", "wave", "zone", "pool_size"], as_index=False).agg(
        tubes=("tubes", "sum"), people=("people", "sum"), begin=("start", "min")
    )
    labs = instance.labs
    site = _numbers(sent["site_id"], instance.sites.ids)
    lab = site % len(labs)
    sent["lab_id"] = labs.ids[lab]
    sent["pickup"] = (sent.pop("wave") + 1) * wave
    sent["arrive"] = sent["pickup"] + _travel_min(instance, site, lab)
    sent["start"] = -(-sent["arrive"] // 60) * 60
    sent["result"] = sent["start"] + labs.processing_min[lab]
    return sent


def _travel_min(instance: Instance, site: Ints, lab: Ints) -> Ints:
    travel, sites, labs = instance.settings.travel, instance.sites, instance.labs
    d_lat = np.radians(sites.lat[site] - labs.lat[lab])
    d_lng = np.radians(sites.lng[site] - labs.lng[lab])
    across = np.cos(np.radians(sites.lat[site])) * np.cos(np.radians(labs.lat[lab]))
    h = np.sin(d_lat / 2) ** 2 + across * np.sin(d_lng / 2) ** 2
    km = 2 * 6371.0088 * np.arcsin(np.sqrt(h)) * travel.detour
    minutes: Ints = np.ceil(km / travel.speed_kmh * 60 + travel.handling_min).astype(np.int64)
    return minutes


def _numbers(column: pd.Series[Any], ids: Texts) -> Ints:
    found: Ints = pd.Index(ids, dtype=object).get_indexer(pd.Index(column, dtype=object))
    return found.astype(np.int64)
