"""The solver's columns as the four tables of a plan, with a reason for everybody left out."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from scheduler.domain.city import Floats, Ints, Texts
from scheduler.domain.instance import Instance
from scheduler.domain.plan import (
    ASSIGNMENT_COLUMNS,
    CONSIGNMENT_COLUMNS,
    LAB_LOAD_COLUMNS,
    UNSERVED_COLUMNS,
    PlanTables,
    Reason,
)
from scheduler.domain.settings import ZONE_WORDS, Zone
from scheduler.solve.market import Market
from scheduler.solve.planner import Solution
from scheduler.solve.sequence import elder_waves


def plan_tables(instance: Instance, market: Market, solution: Solution) -> PlanTables:
    """Return the tables of a solution."""
    return PlanTables(
        _assignments(instance, solution),
        _consignments(instance, solution),
        _lab_load(instance, market, solution),
        _unserved(instance, market, solution),
    )


def _texts(codes: Ints, words: Texts | tuple[str, ...]) -> Any:  # noqa: ANN401  # a pandas column
    """Return a categorical column without copying a text per row."""
    return pd.Categorical.from_codes(codes, categories=pd.Index(list(words), dtype=object))


def _times(instance: Instance, minutes: Ints) -> Any:  # noqa: ANN401  # a pandas column
    distinct, codes = np.unique(minutes, return_inverse=True)
    return _texts(codes, [instance.clock.iso(m) for m in distinct])  # type: ignore[arg-type]  # texts


def _assignments(instance: Instance, solution: Solution) -> pd.DataFrame:
    calls, layout = solution.calls, solution.layout
    slot_min = instance.settings.round.slot_minutes
    text_rank = np.argsort(np.argsort(instance.blocks.ids.astype(str), kind="stable"))
    order = np.lexsort((calls.slot, text_rank[calls.block]))
    block, slot, people = calls.block[order], calls.slot[order], calls.people[order]
    stream = calls.stream[order]
    zone = layout.zone[stream]
    pool = np.array(instance.settings.pooling.by_zone(), dtype=np.int64)[zone]
    tubes = _row_tubes(stream, slot, text_rank[block], people, pool, instance.clock.slots_per_wave)
    columns = (
        _texts(block, instance.blocks.ids),
        _texts(instance.blocks.community_index[block], instance.communities.ids),
        _texts(layout.site[stream], instance.sites.ids),
        _times(instance, slot * slot_min),
        _times(instance, (slot + 1) * slot_min),
        people,
        tubes,
        _texts(zone, ZONE_WORDS),
        pool,
    )
    return pd.DataFrame(dict(zip(ASSIGNMENT_COLUMNS, columns, strict=True)))


def _row_tubes(
    stream: Ints, slot: Ints, rank: Ints, people: Ints, pool: Ints, slots_per_wave: int
) -> Ints:
    """Return tubes opened by each row: ceil(after / k) - ceil(before / k) in its site's wave."""
    wave = slot // slots_per_wave
    order = np.lexsort((rank, slot, wave, stream))
    upto = np.cumsum(people[order])
    key_stream, key_wave = stream[order], wave[order]
    new = np.r_[True, (np.diff(key_stream) != 0) | (np.diff(key_wave) != 0)]
    start = np.flatnonzero(new[: len(order)])
    base = np.repeat((upto - people[order])[start], np.diff(np.r_[start, len(order)]))
    after, size = upto - base, pool[order]
    before = after - people[order]
    tubes = np.empty(len(order), dtype=np.int64)
    tubes[order] = -(-after // size) + (-before // size)
    return tubes


def _consignments(instance: Instance, solution: Solution) -> pd.DataFrame:
    batches, ships, layout = solution.batches, solution.shipments, solution.layout
    stream, wave = batches.stream[ships.batch], batches.wave[ships.batch]
    site, zone = layout.site[stream], layout.zone[stream]
    settings = instance.settings.round
    pickup = (wave + 1) * settings.wave_minutes
    arrive = pickup + solution.travel_min[site, ships.lab]
    start = np.maximum(arrive, solution.hour_begin_min[ships.hour])
    pool = np.array(instance.settings.pooling.by_zone(), dtype=np.int64)[zone]
    columns = (
        _texts(site, instance.sites.ids),
        _texts(ships.lab, instance.labs.ids),
        _texts(zone, ZONE_WORDS),
        pool,
        _times(instance, pickup),
        _times(instance, arrive),
        _times(instance, start),
        _times(instance, start + instance.labs.processing_min[ships.lab]),
        ships.tubes,
        ships.people,
        _times(instance, batches.first_slot[ships.batch] * settings.slot_minutes),
    )
    return pd.DataFrame(dict(zip(CONSIGNMENT_COLUMNS, columns, strict=True)))


def _lab_load(instance: Instance, market: Market, solution: Solution) -> pd.DataFrame:
    ships, hours = solution.shipments, market.hours
    load = np.zeros(hours.capacity.shape, dtype=np.int64)
    np.add.at(load, (ships.lab, ships.hour), ships.tubes)
    lab, hour = np.nonzero(load)
    columns = (
        _texts(lab, instance.labs.ids),
        _times(instance, hours.begin_min[hour]),
        load[lab, hour],
        hours.capacity[lab, hour],
    )
    return pd.DataFrame(dict(zip(LAB_LOAD_COLUMNS, columns, strict=True)))


def _unserved(instance: Instance, market: Market, solution: Solution) -> pd.DataFrame:
    blocks = instance.blocks
    home = np.flatnonzero(blocks.home_visits)
    called = np.bincount(
        solution.calls.block, weights=solution.calls.people, minlength=len(blocks)
    ).astype(np.int64)
    without = instance.demand - called
    left = np.flatnonzero(without > 0)
    reasons = reasons_of(instance, market, left, set(solution.past_end))
    block = np.concatenate((home, left))
    words = tuple(reason.value for reason in Reason)
    reason = np.concatenate((
        np.zeros(len(home), dtype=np.int64),
        np.array([words.index(r.value) for r in reasons], dtype=np.int64),
    ))  # fmt: skip
    people = np.concatenate((blocks.home_visits[home], without[left]))
    order = np.lexsort((reason, block))
    columns = (
        _texts(block[order], blocks.ids),
        _texts(blocks.community_index[block[order]], instance.communities.ids),
        people[order],
        _texts(reason[order], words),
    )
    return pd.DataFrame(dict(zip(UNSERVED_COLUMNS, columns, strict=True)))


def reasons_of(instance: Instance, market: Market, left: Ints, past_end: set[int]) -> list[Reason]:
    """Return why each block has no slot."""
    pairs = market.candidates.nearest(len(instance.sites), left)
    reasons = []
    for block in left.tolist():
        sites = pairs.site[pairs.block == block]
        if block in past_end:
            reasons.append(Reason.PAST_END)
        elif not len(sites):
            lockdown = instance.block_zone[block] == Zone.LOCKDOWN
            reasons.append(Reason.NO_TEAM if lockdown else Reason.NO_SITE)
        elif (market.window_people[sites] < instance.demand[block]).all():
            reasons.append(Reason.BLOCK_TOO_LARGE)
        else:
            reasons.append(Reason.FULL)
    return reasons


def tie_breaks(instance: Instance, solution: Solution) -> dict[str, float]:
    """Return how well the free choices turned out (DESIGN.md section 3, tie-breaks).

    ``window_h_mean`` is the mean span in hours from a community's first to last slot at a site;
    ``idle_slots_share`` the share of unused slots between the busy ones of a site and day;
    ``elderly_in_day_hours`` the share of people of 65 and over called in 09-11 and 14-16.
    """
    calls, layout = solution.calls, solution.layout
    if not len(calls.block):
        return {}
    site = layout.site[calls.stream]
    community = instance.blocks.community_index[calls.block]
    pair = pd.DataFrame({"c": community, "s": site, "slot": calls.slot}).groupby(["c", "s"])["slot"]
    span = (pair.max() - pair.min() + 1).to_numpy() * instance.settings.round.slot_minutes / 60
    sites = pair.size().groupby(level=0).size().to_numpy()
    wave = calls.slot // instance.clock.slots_per_wave
    share = instance.blocks.elderly / np.maximum(instance.blocks.people, 1)
    old: Floats = np.maximum(share[calls.block], 0.0) * calls.people
    return {
        "communities_with_one_site": float((sites == 1).mean()),
        "window_h_mean": float(span.mean()),
        "elderly_in_day_hours": _ratio(old[elder_waves(instance.clock)[wave]], old),
        "idle_slots_share": _idle(instance, site, calls.slot),
    }


def _ratio(part: Floats, whole: Floats) -> float:
    return float(part.sum() / whole.sum()) if whole.sum() else 0.0


def _idle(instance: Instance, site: Ints, slot: Ints) -> float:
    day_of = np.array(
        [instance.clock.at(s * instance.settings.round.slot_minutes).toordinal()
         for s in range(int(slot.max()) + 1)]
    )  # fmt: skip
    used = pd.DataFrame({"site": site, "day": day_of[slot], "slot": slot}).drop_duplicates()
    busy = used.groupby(["site", "day"])["slot"]
    span = (busy.max() - busy.min() + 1).to_numpy()
    return float(1 - busy.size().to_numpy().sum() / span.sum())
