"""Plans made without the solver: each block goes to its nearest accepting site, first come first.

They keep zones and quotas of lanes, and every tube is started; promises are not looked at. Good for
what reads a plan, not for what judges one.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import pandas as pd

from scheduler.domain.city import FIXED, Flags, Ints
from scheduler.domain.explain_slots import open_slots
from scheduler.domain.instance import Instance
from scheduler.domain.plan import ASSIGNMENT_COLUMNS, CONSIGNMENT_COLUMNS, LAB_LOAD_COLUMNS, Plan
from scheduler.domain.settings import Zone

Row = dict[str, Any]


def greedy_plan(instance: Instance) -> Plan:
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
    left = pd.DataFrame(unserved, columns=["block_id", "community_id", "people", "reason"])
    summary = {
        "round": instance.settings.round.id,
        "revision": "0001",
        "status": "feasible",
        "objective": 1000.0,
        "best_bound": 990.0,
        "relative_gap": 0.01,
        "gap_per_person": 0.004,
        "terms": {"unserved": 0.0, "late": 0.0, "walk": 900.0, "finish": 60.0, "split": 40.0},
        "people": int(instance.demand.sum()),
        "served": int(calls["people"].sum()),
        "late_people": 0,
        "walk_m": {"mean": 300.0, "p95": 800.0, "max": 1500.0},
        "sites_per_community": 1.5,
        "seed": 0,
        "inputs_sha256": instance.inputs_sha256,
    }
    return Plan(calls, sent.loc[:, list(CONSIGNMENT_COLUMNS)], load, left, summary)


def _lab_load(instance: Instance, sent: pd.DataFrame) -> pd.DataFrame:
    load = sent.groupby(["lab_id", "start"], as_index=False).agg(tubes=("tubes", "sum"))
    load["hour"] = instance.clock.iso_all(load["start"].to_numpy())
    load["capacity"] = load["tubes"] + 5
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
    number = pd.Index(instance.sites.ids, dtype=object).get_indexer(
        pd.Index(sent["site_id"], dtype=object)
    )
    sent["lab_id"] = labs.ids[number % len(labs)]
    sent["pickup"] = (sent.pop("wave") + 1) * wave
    sent["arrive"] = sent["pickup"] + 20
    sent["start"] = -(-sent["arrive"] // 60) * 60
    sent["result"] = sent["start"] + labs.processing_min[number % len(labs)]
    return sent
