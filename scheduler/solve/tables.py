"""The solver's columns as the four tables of a plan, with a reason for everybody left out."""

from __future__ import annotations

import numpy as np
import pandas as pd

from scheduler.domain.city import Floats, Ints
from scheduler.domain.instance import Instance
from scheduler.domain.metrics import summarise
from scheduler.domain.plan import PlanTables, Reason
from scheduler.domain.settings import Zone
from scheduler.solve import columns
from scheduler.solve.market import Market
from scheduler.solve.planner import Solution
from scheduler.solve.sequence import elder_waves


def plan_tables(instance: Instance, market: Market, solution: Solution) -> PlanTables:
    """Return the tables of a solution."""
    calls, layout, hours = solution.calls, solution.layout, market.hours
    site, zone = layout.site[calls.stream], layout.zone[calls.stream]
    ships = solution.shipments
    load = np.zeros(hours.capacity.shape, dtype=np.int64)
    np.add.at(load, (ships.lab, ships.hour), ships.tubes)
    without = columns.left_over(instance, calls.block, calls.people)
    left = np.flatnonzero(without > 0)
    reasons = reasons_of(instance, market, left, set(solution.past_end))
    return PlanTables(
        columns.assignments(instance, calls.block, site, calls.slot, calls.people, zone),
        _consignments(instance, solution),
        columns.lab_load(instance, load, hours.begin_min, hours.capacity),
        columns.unserved(instance, without, reasons),
    )


def objective(instance: Instance, market: Market, solution: Solution) -> float:
    """Return the cost of a solution in person-minutes."""
    tables = plan_tables(instance, market, solution)
    summary = summarise(instance, tables, best_bound=None, seed=0, revision="")
    return float(summary["objective"])


def _consignments(instance: Instance, solution: Solution) -> pd.DataFrame:
    batches, ships, layout = solution.batches, solution.shipments, solution.layout
    stream, wave = batches.stream[ships.batch], batches.wave[ships.batch]
    site, zone = layout.site[stream], layout.zone[stream]
    settings = instance.settings.round
    pickup = (wave + 1) * settings.wave_minutes
    arrive = pickup + solution.travel_min[site, ships.lab]
    start = np.maximum(arrive, solution.hour_begin_min[ships.hour])
    oldest = batches.first_slot[ships.batch] * settings.slot_minutes
    ids, moments = (site, ships.lab, zone), (pickup, arrive, start, oldest)
    return columns.consignments(instance, ids, moments, ships.tubes, ships.people)


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
