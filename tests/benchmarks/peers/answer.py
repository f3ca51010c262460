"""A peer's answer as a plan, and its score by the same code that scores the planner."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from scheduler.domain.city import Ints, Texts
from scheduler.domain.instance import Instance
from scheduler.domain.metrics import summarise
from scheduler.domain.plan import (
    ASSIGNMENT_COLUMNS,
    CONSIGNMENT_COLUMNS,
    LAB_LOAD_COLUMNS,
    UNSERVED_COLUMNS,
    Plan,
    PlanTables,
    Reason,
)
from scheduler.domain.settings import ZONE_WORDS, Zone
from scheduler.domain.verify import verify
from tests.benchmarks.peers.ground import Ground

Call = tuple[int, int, int, int]  # block, site, slot, people
Batch = tuple[int, int, int]  # site, wave, zone
Start = tuple[int, int]  # lab, hour


@dataclass
class Answer:
    """Calls, and the tubes of each batch by lab and clock hour."""

    calls: list[Call] = field(default_factory=list)
    tubes: dict[Batch, dict[Start, int]] = field(default_factory=dict)

    def of_zones(self, instance: Instance, zones: set[int]) -> Answer:
        """Return the part that concerns some zones."""
        zone = instance.block_zone
        return Answer(
            [c for c in self.calls if int(zone[c[0]]) in zones],
            {b: dict(t) for b, t in self.tubes.items() if b[2] in zones},
        )

    def __add__(self, other: Answer) -> Answer:
        """Return two answers about different zones as one."""
        return Answer(self.calls + other.calls, self.tubes | other.tubes)


def score(instance: Instance, plan: Plan) -> dict[str, Any]:
    """Return the figures of a plan; those of a plan with breaches are not comparable."""
    breaches = verify(instance, plan)
    left = plan.unserved
    without = left.loc[left["reason"].astype(str) != Reason.HOME_VISIT.value, "people"]
    return {
        "objective": plan.summary["objective"],
        "terms": plan.summary["terms"],
        "unserved": int(without.sum()),
        "late_people": plan.summary["late_people"],
        "breaches": len(breaches),
        "first_breach": str(breaches[0]) if breaches else None,
    }


def plan_of(ground: Ground, answer: Answer, seed: int) -> Plan:
    """Return the plan's tables of an answer, with their summary."""
    calls = _calls(ground.instance, answer)
    tables = PlanTables(
        _assignments(ground, calls),
        _consignments(ground, answer, calls),
        _lab_load(ground, answer),
        _unserved(ground, calls),
    )
    summary = summarise(ground.instance, tables, best_bound=None, seed=seed, revision="0001")
    return tables.with_summary(summary)


def _calls(instance: Instance, answer: Answer) -> pd.DataFrame:
    """Return the calls in the order in which tubes are filled, with wave and zone."""
    rows = np.array(answer.calls, dtype=np.int64).reshape(-1, 4)
    calls = pd.DataFrame(rows, columns=["block", "site", "slot", "people"])
    calls["wave"] = calls["slot"] // instance.clock.slots_per_wave
    calls["zone"] = instance.block_zone[calls["block"].to_numpy()]
    calls["id"] = instance.blocks.ids[calls["block"].to_numpy()].astype(str)
    return calls.sort_values(["site", "wave", "zone", "slot", "id"], ignore_index=True)


def _frame(names: Sequence[str], columns: Sequence[Any]) -> pd.DataFrame:
    return pd.DataFrame(dict(zip(names, columns, strict=True)))


def _words(words: Texts | tuple[str, ...], codes: Ints) -> Texts:
    return np.array(list(words), dtype=object)[codes]


def _assignments(ground: Ground, calls: pd.DataFrame) -> pd.DataFrame:
    instance = ground.instance
    block, slot, zone = (calls[c].to_numpy() for c in ("block", "slot", "zone"))
    pool, people = np.array(ground.pool)[zone], calls["people"].to_numpy()
    after = calls.groupby(["site", "wave", "zone"])["people"].cumsum().to_numpy()
    slot_min = instance.settings.round.slot_minutes
    columns = (
        calls["id"],
        _words(instance.communities.ids, instance.blocks.community_index[block]),
        _words(instance.sites.ids, calls["site"].to_numpy()),
        instance.clock.iso_all(slot * slot_min),
        instance.clock.iso_all((slot + 1) * slot_min),
        people,
        -(-after // pool) + (people - after) // pool,
        _words(ZONE_WORDS, zone),
        pool,
    )
    return _frame(ASSIGNMENT_COLUMNS, columns)


def _consignments(ground: Ground, answer: Answer, calls: pd.DataFrame) -> pd.DataFrame:
    pool = ground.pool
    batches = calls.groupby(["site", "wave", "zone"]).agg(
        people=("people", "sum"), first=("slot", "min")
    )
    rows: list[tuple[int, ...]] = []
    for (site, wave, zone), left, first in batches.itertuples(name=None):
        waiting = left
        starts = answer.tubes.get((site, wave, zone), {})
        for (lab, hour), tubes in sorted(starts.items(), key=lambda item: item[0][1]):
            people = min(waiting, tubes * pool[zone])
            waiting -= people
            rows.append((site, wave, zone, lab, hour, tubes, people, first))
    return _frame(CONSIGNMENT_COLUMNS, _sent(ground, np.array(rows, dtype=np.int64).reshape(-1, 8)))


def _sent(ground: Ground, rows: Ints) -> Sequence[Any]:
    """Return the columns of consignments; each row is a batch, a start, its tubes and people."""
    instance, iso = ground.instance, ground.instance.clock.iso_all
    site, wave, zone, lab, hour, tubes, people, first = rows.T
    pickup = ground.pickup_min[wave]
    arrive = pickup + ground.travel_min[site, lab]
    start = np.maximum(arrive, ground.hours.begin_min[hour])
    result = start + instance.labs.processing_min[lab]
    return (
        _words(instance.sites.ids, site), _words(instance.labs.ids, lab), _words(ZONE_WORDS, zone),
        np.array(ground.pool)[zone], iso(pickup), iso(arrive), iso(start), iso(result), tubes,
        people, iso(first * instance.settings.round.slot_minutes),
    )  # fmt: skip


def _lab_load(ground: Ground, answer: Answer) -> pd.DataFrame:
    load = np.zeros_like(ground.hours.capacity)
    for starts in answer.tubes.values():
        for start, tubes in starts.items():
            load[start] += tubes
    lab, hour = np.nonzero(load)
    columns = (
        _words(ground.instance.labs.ids, lab),
        ground.instance.clock.iso_all(ground.hours.begin_min[hour]),
        load[lab, hour],
        ground.hours.capacity[lab, hour],
    )
    return _frame(LAB_LOAD_COLUMNS, columns)


def _unserved(ground: Ground, calls: pd.DataFrame) -> pd.DataFrame:
    blocks = ground.instance.blocks
    called = np.bincount(calls["block"], calls["people"], len(blocks)).astype(np.int64)
    without = ground.instance.demand - called
    rows = [(b, int(blocks.home_visits[b]), Reason.HOME_VISIT) for b in _marked(blocks.home_visits)]
    rows += [(b, int(without[b]), _reason(ground, b)) for b in _marked(without)]
    block = np.array([row[0] for row in rows], dtype=np.int64)
    columns = (
        _words(blocks.ids, block),
        _words(ground.instance.communities.ids, blocks.community_index[block]),
        np.array([row[1] for row in rows], dtype=np.int64),
        [row[2].value for row in rows],
    )
    return _frame(UNSERVED_COLUMNS, columns)


def _marked(counts: Ints) -> list[int]:
    marked: list[int] = np.flatnonzero(counts).tolist()
    return marked


def _reason(ground: Ground, block: int) -> Reason:
    """Return why a block has no slot; a peer knows no finer reason than that all is full."""
    sites = ground.pairs.site[ground.pairs.block == block]
    if not len(sites):
        lockdown = ground.instance.block_zone[block] == Zone.LOCKDOWN
        return Reason.NO_TEAM if lockdown else Reason.NO_SITE
    return Reason.FULL
