"""The summary of a plan, worked out from its tables for the solver; ``verify`` has its own."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd

from scheduler.domain.city import FIXED, Floats, Ints
from scheduler.domain.instance import Instance
from scheduler.domain.plan import PlanStatus, PlanTables, Reason
from scheduler.domain.settings import ZONE_WORDS

EARTH_RADIUS_M = 6_371_008.8  # mean radius, IUGG
PROVEN_GAP = 1e-9  # relative gap below which a plan counts as optimal
ROUNDING = 1e-6  # by which a bound may lie above its objective through rounding alone


@dataclass(frozen=True)
class _Totals:
    """Figures of the tables before they are put into words."""

    terms: dict[str, float]  # person-minutes
    served: int
    unserved: int
    late_people: int
    walk_m: dict[str, float]
    sites_per_community: float
    busiest_slot: dict[str, Any] | None


def summarise(
    instance: Instance,
    tables: PlanTables,
    *,
    best_bound: float | None,
    seed: int,
    revision: str,
    churn: float = 0.0,
) -> dict[str, Any]:
    """Return the content of ``summary.json``; all objective figures are person-minutes.

    A bound that lies above the objective by rounding alone is lowered to it. ``without_unserved``
    compares with the best plan that leaves as many people out: both sides lose the same term, and
    no cost is below 0. ``churn`` is that of a re-plan.
    """
    totals = _totals(instance, tables, churn)
    objective = float(sum(totals.terms.values()))
    people = int(instance.blocks.people.sum())
    gaps = _gaps(objective, best_bound, people)
    rest = None if best_bound is None else max(0.0, best_bound - totals.terms["unserved"])
    summary = {
        "round": instance.settings.round.id,
        "revision": revision,
        "status": _status(totals, gaps).value,
        **gaps,
        "without_unserved": _gaps(objective - totals.terms["unserved"], rest, people),
        "terms": totals.terms,
        "people": people,
        "served": totals.served,
        "late_people": totals.late_people,
        "walk_m": totals.walk_m,
        "sites_per_community": totals.sites_per_community,
        "busiest_slot": totals.busiest_slot,
        "seed": seed,
        "inputs_sha256": instance.inputs_sha256,
    }
    return summary if instance.district is None else {**summary, "district": instance.district}


def walk_metres(instance: Instance, blocks: Ints, sites: Ints) -> Floats:
    """Return metres on foot from each block to the site beside it, 0 where served in place."""
    home, place = instance.blocks, instance.sites
    lat, lng = np.radians(home.lat[blocks]), np.radians(home.lng[blocks])
    to_lat, to_lng = np.radians(place.lat[sites]), np.radians(place.lng[sites])
    half = np.sin((to_lat - lat) / 2) ** 2
    half += np.cos(lat) * np.cos(to_lat) * np.sin((to_lng - lng) / 2) ** 2
    metres = 2 * EARTH_RADIUS_M * np.arcsin(np.sqrt(np.minimum(half, 1.0)))
    in_place = place.kinds[sites] != FIXED
    return np.where(in_place, 0.0, metres * instance.settings.walk.detour)


def _totals(instance: Instance, tables: PlanTables, churn: float) -> _Totals:
    rows, weights = tables.assignments, instance.settings.weights
    blocks = _positions(rows["block_id"], instance.blocks.ids)
    sites = _positions(rows["site_id"], instance.sites.ids)
    people = rows["people"].to_numpy(dtype=np.int64)
    metres = walk_metres(instance, blocks, sites)
    delay = _minutes(instance, rows["start"])
    finish = np.array(weights.finish.by_zone())[_positions(rows["zone"], ZONE_WORDS)] * delay
    used = pd.DataFrame({"c": instance.blocks.community_index[blocks], "s": sites})
    per_community = used.drop_duplicates()["c"].value_counts().to_numpy()
    late_people, late_min = _late(instance, tables.consignments)
    left = tables.unserved
    without = left.loc[left["reason"].astype(str) != Reason.HOME_VISIT.value, "people"]
    unserved = int(without.to_numpy(dtype=np.int64).sum())
    terms = {
        "unserved": weights.unserved * unserved,
        "late": weights.late * late_min,
        "walk": weights.walk * float(metres @ people) / instance.settings.walk.metres_per_min,
        "finish": float(finish @ people),
        "split": weights.split * float(per_community.sum() - len(per_community)),
        "churn": churn,
    }
    mean_sites = float(per_community.mean()) if len(per_community) else 0.0
    walk = _walk_figures(metres, people)
    busiest = _busiest(rows["start"], people)
    return _Totals(terms, int(people.sum()), unserved, late_people, walk, mean_sites, busiest)


def _busiest(starts: pd.Series[Any], people: Ints) -> dict[str, Any] | None:
    """Return the earliest slot in which most people are called in the whole city, and how many."""
    if not len(people):
        return None
    codes, texts = _codes(starts)
    total = np.bincount(codes, weights=people, minlength=len(texts)).astype(np.int64)
    most = int(total.max())
    first = min(datetime.fromisoformat(str(texts[at])) for at in np.flatnonzero(total == most))
    return {"start": first.isoformat(), "people": most}


def _late(instance: Instance, rows: pd.DataFrame) -> tuple[int, float]:
    """Return the people of late consignments, and their person-minutes of lateness."""
    promise = instance.settings.targets.result_hours * 60
    wave_starts = _minutes(instance, rows["pickup_at"]) - instance.settings.round.wave_minutes
    lateness = np.maximum(_minutes(instance, rows["result_by"]) - wave_starts - promise, 0.0)
    people = rows["people"].to_numpy(dtype=np.int64)
    return int(people[lateness > 0].sum()), float(lateness @ people)


def _walk_figures(metres: Floats, people: Ints) -> dict[str, float]:
    """Return mean, 95th percentile and largest walk, weighted by people."""
    total = int(people.sum())
    if total == 0:
        return {"mean": 0.0, "p95": 0.0, "max": 0.0}
    order = np.argsort(metres, kind="stable")
    enough = np.cumsum(people[order]) * 100 >= total * 95  # whole numbers: no doubt at the edge
    return {
        "mean": float(metres @ people) / total,
        "p95": float(metres[order[np.argmax(enough)]]),
        "max": float(metres.max()),
    }


def _gaps(objective: float, bound: float | None, people: int) -> dict[str, float | None]:
    """Return an objective with its bound and both gaps, ``None`` where no bound is known."""
    if bound is None:
        nothing = dict.fromkeys(("best_bound", "relative_gap", "gap_per_person"))
        return {"objective": objective, **nothing}
    if objective < bound <= objective + ROUNDING * max(1.0, abs(objective)):
        bound = objective
    gap = objective - bound
    return {
        "objective": objective,
        "best_bound": bound,
        "relative_gap": gap / objective if objective else 0.0,
        "gap_per_person": gap / people if people else 0.0,
    }


def _status(totals: _Totals, gaps: dict[str, float | None]) -> PlanStatus:
    if totals.unserved:
        return PlanStatus.PARTIAL
    if totals.late_people:
        return PlanStatus.LATE
    objective, bound = gaps["objective"], gaps["best_bound"]
    if objective is None or bound is None or objective - bound > PROVEN_GAP * abs(objective):
        return PlanStatus.FEASIBLE
    return PlanStatus.OPTIMAL


def _positions(cells: pd.Series[Any], ids: Any) -> Ints:  # noqa: ANN401  # object array of texts
    """Return the position of each id in ``ids``."""
    codes, texts = _codes(cells)
    place = {str(text): position for position, text in enumerate(ids)}
    return np.array([place[str(text)] for text in texts], dtype=np.int64)[codes]


def _minutes(instance: Instance, cells: pd.Series[Any]) -> Ints:
    """Return minutes since the round's start of ISO 8601 texts."""
    codes, texts = _codes(cells)
    clock = instance.clock
    return np.array([clock.minute_of_iso(str(text)) for text in texts], dtype=np.int64)[codes]


def _codes(cells: pd.Series[Any]) -> tuple[Ints, list[Any]]:
    if isinstance(cells.dtype, pd.CategoricalDtype):
        return cells.cat.codes.to_numpy().astype(np.int64), list(cells.cat.categories)
    codes, values = pd.factorize(cells)
    return codes.astype(np.int64), list(values)
