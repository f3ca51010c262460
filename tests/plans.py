"""A tiny round and a correct plan for it, set down by hand: every figure can be followed on paper.

The plan serves a control block, two normal blocks and a lockdown block; a second lockdown block
has no team and one block is too large for any opening window.
"""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any

import numpy as np
import pandas as pd

from scheduler.domain.city import DEDICATED, FIXED, MOBILE, Blocks, Communities, Labs, Sites
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
from scheduler.domain.settings import ZONE_WORDS, RoundSettings, Settings, TargetSettings, Zone

START = datetime(2020, 12, 22, 6, tzinfo=timezone(timedelta(hours=8)))
END = START + timedelta(hours=4)
SLOT, WAVE, HANDLING = 15, 60, 10
LAT, LNG = 38.9, 121.6
NUM_NEAR = 9  # fixed sites around the communities; the tenth is far away

CALLED = (
    ("C2-001", "S1", 0, 50),
    ("C1-001", "S1", 45, 57),
    ("C1-001", "S1", 60, 39),
    ("C1-002", "S1", 60, 18),
    ("C1-002", "S1", 75, 42),
    ("C3-001", "T1", 0, 12),
    ("C3-001", "T1", 15, 8),
)
"""Block, site, minute of the slot, people."""

SENT = (
    ("S1", "H1", 0, Zone.CONTROL, 90, 5, 50),
    ("S1", "H1", 0, Zone.NORMAL, 90, 3, 30),
    ("S1", "H2", 0, Zone.NORMAL, 110, 3, 27),
    ("S1", "H1", 1, Zone.NORMAL, 180, 4, 40),
    ("S1", "H2", 1, Zone.NORMAL, 170, 6, 59),
    ("T1", "H2", 0, Zone.LOCKDOWN, 120, 20, 20),
)
"""Site, lab, wave, zone, minute of the start, tubes, people."""

TRAVEL_MIN = {("S1", "H1"): 20, ("S1", "H2"): 40}
LEFT = (
    ("C1-001", 4, "home_visit"),
    ("C4-001", 10, "no_team"),
    ("C5-001", 500, "block_too_large"),
)
CAPACITY = {("H1", 60): 8, ("H1", 180): 8, ("H2", 60): 15, ("H2", 120): 30}
"""H2 opens at 07:30, so that half of its first clock hour counts."""


def texts(*values: str) -> np.ndarray:
    """Return a column of texts."""
    return np.array(values, dtype=object)


def whole(*values: int) -> np.ndarray:
    """Return a column of whole numbers."""
    return np.array(values, dtype=np.int64)


def iso(minute: float) -> str:
    """Return the ISO 8601 time of a minute of the round."""
    return (START + timedelta(minutes=minute)).isoformat()


def tiny_instance() -> Instance:
    """Return the tiny round."""
    sites, labs = _sites(), _labs()
    travel = np.full((len(sites), len(labs)), -1, dtype=np.int64)
    for (site, lab), minutes in TRAVEL_MIN.items():
        travel[list(sites.ids).index(site), list(labs.ids).index(lab)] = minutes
    clock = RoundSettings(id="tiny", start=START.replace(tzinfo=None), end=END.replace(tzinfo=None))
    return Instance(
        settings=Settings(round=clock, targets=TargetSettings(max_walk_m=1000)),
        communities=_communities(),
        blocks=_blocks(),
        sites=sites,
        labs=labs,
        travel_min=travel,
        inputs_sha256="ab" * 32,
        has_blocks_file=True,
    )


def with_targets(instance: Instance, **changes: float) -> Instance:
    """Return the round with other targets."""
    targets = replace(instance.settings.targets, **changes)  # type: ignore[arg-type]  # tests name them
    return instance.replace(settings=replace(instance.settings, targets=targets))


def with_slots(instance: Instance, **changes: object) -> Instance:
    """Return the round with other rules for slots."""
    slots = replace(instance.settings.slots, **changes)  # type: ignore[arg-type]  # tests name them
    return instance.replace(settings=replace(instance.settings, slots=slots))


def _communities() -> Communities:
    zones = (Zone.NORMAL, Zone.CONTROL, Zone.LOCKDOWN, Zone.LOCKDOWN, Zone.NORMAL)
    return Communities(
        ids=texts(*(f"C{n}" for n in range(1, 6))),
        names=texts("东关社区", "西岗社区", "南山社区", "北岭社区", "中山社区"),
        districts=texts("A", "A", "A", "A", "B"),
        streets=texts(*["street"] * 5),
        zone=whole(*zones),
        population=whole(160, 50, 20, 10, 500),
        lat=np.full(5, LAT),
        lng=np.full(5, LNG),
        households=whole(*[-1] * 5),
        elderly=whole(*[-1] * 5),
        homebound=whole(4, 0, 0, 0, 0),
        participation=np.ones(5),
    )


def _blocks() -> Blocks:
    return Blocks(
        ids=texts("C1-001", "C1-002", "C2-001", "C3-001", "C4-001", "C5-001"),
        names=texts(*(f"block {n}" for n in range(6))),
        community_index=whole(0, 0, 1, 2, 3, 4),
        people=whole(100, 60, 50, 20, 10, 500),
        home_visits=whole(4, 0, 0, 0, 0, 0),
        households=whole(*[-1] * 6),
        elderly=whole(*[-1] * 6),
        lat=np.full(6, LAT),
        lng=np.full(6, LNG),
    )


def _sites() -> Sites:
    size = NUM_NEAR + 3
    accepts = np.ones((size, len(Zone)), dtype=bool)
    accepts[: NUM_NEAR + 1, Zone.LOCKDOWN] = False
    accepts[1] = [False, False, False, True]
    day, halves = ((360, 600),), ((360, 480), (510, 600))
    return Sites(
        ids=texts(*(f"S{n}" for n in range(1, NUM_NEAR + 2)), "T1", "T2"),
        names=texts(*(f"采样点 {n}" for n in range(size))),
        districts=texts(*["A"] * NUM_NEAR, "B", "A", "A"),
        addresses=texts(*[""] * size),
        lat=np.array([*(LAT + 0.001 * n for n in range(1, NUM_NEAR + 1)), LAT + 0.2, LAT, LAT]),
        lng=np.full(size, LNG),
        lanes=whole(4, *[2] * NUM_NEAR, 1, 1),
        queue_length_m=np.full(size, 200.0),
        people_per_lane_hour=np.full(size, 60.0),
        hours=(halves, *[day] * (size - 1)),
        accepts=accepts,
        kinds=texts(*[FIXED] * (NUM_NEAR + 1), MOBILE, DEDICATED),
        community_indices=(*[()] * (NUM_NEAR + 1), (2,), (1,)),
    )


def _labs() -> Labs:
    return Labs(
        ids=texts("H1", "H2"),
        names=texts("lab 1", "lab 2"),
        lat=np.array([LAT + 0.05, LAT + 0.1]),
        lng=np.full(2, LNG),
        tubes_per_hour=whole(8, 30),
        processing_min=whole(180, 240),
        hours=(((0, 1440),), ((450, 900),)),
        max_tubes_per_day=whole(12, -1),
        batch_tubes=whole(94, 94),
        pool_sizes=((10,), ()),
    )


def tiny_plan(instance: Instance) -> Plan:
    """Return the correct plan of the tiny round; its bound is unknown."""
    tables = PlanTables(
        assignments=_assignments(instance),
        consignments=_consignments(instance),
        lab_load=_lab_load(),
        unserved=frame(UNSERVED_COLUMNS, [(b, b[:2], n, why) for b, n, why in LEFT]),
    )
    return summarised(instance, tables)


def summarised(
    instance: Instance,
    tables: PlanTables,
    *,
    bound: float | None = None,
) -> Plan:
    """Return tables with the summary that belongs to them."""
    bare = PlanTables(tables.assignments, tables.consignments, tables.lab_load, tables.unserved)
    summary = summarise(instance, bare, best_bound=bound, seed=1, revision="0001")
    return bare.with_summary(summary)


def frame(columns: tuple[str, ...], rows: list[tuple[Any, ...]]) -> pd.DataFrame:
    """Return a frame of rows."""
    return pd.DataFrame(rows, columns=list(columns))


def _zone_of(instance: Instance, block: str) -> Zone:
    at = list(instance.blocks.ids).index(block)
    return Zone(int(instance.communities.zone[instance.blocks.community_index[at]]))


def _assignments(instance: Instance) -> pd.DataFrame:
    before: dict[tuple[str, int, Zone], int] = {}
    rows = []
    for block, site, start, people in sorted(CALLED, key=lambda row: (row[1], row[2], row[0])):
        zone = _zone_of(instance, block)
        pool = instance.settings.pooling.by_zone()[zone]
        c0 = before.get((site, start // WAVE, zone), 0)
        before[site, start // WAVE, zone] = c0 + people
        tubes = math.ceil((c0 + people) / pool) - math.ceil(c0 / pool)
        times = iso(start), iso(start + SLOT)
        rows.append((block, block[:2], site, *times, people, tubes, ZONE_WORDS[zone], pool))
    return frame(ASSIGNMENT_COLUMNS, rows)


def _consignments(instance: Instance) -> pd.DataFrame:
    rows = []
    for site, lab, wave, zone, start, tubes, people in SENT:
        pool = instance.settings.pooling.by_zone()[zone]
        pickup = (wave + 1) * WAVE
        arrive = pickup + _travel(instance, site, lab)
        result = start + int(instance.labs.processing_min[list(instance.labs.ids).index(lab)])
        oldest = min(
            minute
            for block, at, minute, _ in CALLED
            if (at, minute // WAVE, _zone_of(instance, block)) == (site, wave, zone)
        )
        times = [iso(minute) for minute in (pickup, arrive, start, result)]
        rows.append((site, lab, ZONE_WORDS[zone], pool, *times, tubes, people, iso(oldest)))
    return frame(CONSIGNMENT_COLUMNS, rows)


def _travel(instance: Instance, site: str, lab: str) -> int:
    if (site, lab) in TRAVEL_MIN:
        return TRAVEL_MIN[site, lab] + HANDLING
    lat_a = instance.sites.lat[list(instance.sites.ids).index(site)]
    lat_b = instance.labs.lat[list(instance.labs.ids).index(lab)]
    km = math.radians(abs(lat_b - lat_a)) * 6371.0088  # all points lie on one meridian
    return math.ceil(km * 1.4 / 30 * 60 + HANDLING)


def _lab_load() -> pd.DataFrame:
    used: dict[tuple[str, int], int] = {}
    for _, lab, _, _, start, tubes, _ in SENT:
        key = lab, start // 60 * 60
        used[key] = used.get(key, 0) + tubes
    rows = [(lab, iso(hour), used[lab, hour], CAPACITY[lab, hour]) for lab, hour in sorted(used)]
    return frame(LAB_LOAD_COLUMNS, rows)
