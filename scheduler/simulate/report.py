"""What was lived through as plain figures: the content of ``simulate-<case>.json``."""

from __future__ import annotations

from typing import Any

import numpy as np

from scheduler.domain.city import Flags, Floats, Ints
from scheduler.simulate.gather import quantile_min
from scheduler.simulate.live import Lived
from scheduler.simulate.queues import BIN_MIN, NUM_BINS
from scheduler.simulate.results import LATE_SHARES

SHARES = (0.05, 0.5, 0.95)

LONGEST_LISTS = 20
"""Moments listed of a site whose queue outgrows its ground."""


def report(lived: Lived) -> dict[str, Any]:
    """Return the figures of the city, its districts, sites and laboratories.

    ``p5``, ``p50`` and ``p95`` are percentiles over replications, except for waits and stays, where
    they are over people. Times are ISO 8601 with offset.
    """
    districts = lived.instance.sites.districts.astype(str)
    names = np.unique(districts)
    every = np.ones(len(districts), dtype=bool)
    return {
        "case": lived.case.name,
        "about": lived.case.about(lived.instance),
        "replications": lived.replications,
        "seed": lived.seed,
        "ordered": _ordered(lived),
        "city": {**_place(lived, every, range(len(names))), **_whole_city(lived)},
        "districts": [
            {"district": name, **_place(lived, districts == name, [number])}
            for number, name in enumerate(names.tolist())
        ],
        "sites": _sites(lived),
        "labs": _labs(lived),
    }


def _ordered(lived: Lived) -> dict[str, float]:
    settings = lived.instance.settings
    return {
        "queue_service_level": settings.targets.queue_service_level,
        "share_in_time": settings.simulate.share_in_time,
        "result_hours": settings.targets.result_hours,
    }


def spread(values: Floats | Ints) -> dict[str, float]:
    """Return percentiles over replications."""
    if not len(values):
        return {"p5": 0.0, "p50": 0.0, "p95": 0.0}
    found = np.quantile(values, SHARES, method="inverted_cdf")
    return dict(zip(("p5", "p50", "p95"), (round(float(v), 4) for v in found), strict=True))


def level_failed(lived: Lived) -> Flags:
    """Return the sites whose queue fits its ground in fewer slots than ordered, by row."""
    failed: Flags = lived.queues.level < lived.instance.settings.targets.queue_service_level
    return failed


def shares_in_time(lived: Lived) -> Floats:
    """Return the share of people with a result in time, by replication."""
    tested = lived.results.tested.sum(axis=0)
    share: Floats = lived.results.in_time.sum(axis=0) / np.maximum(tested, 1e-9)
    return share


def _place(lived: Lived, sites: Flags, districts: Any) -> dict[str, Any]:  # noqa: ANN401  # numbers
    """Return the figures of the sites in some districts."""
    queues, results = lived.queues, lived.results
    rows = sites[queues.site]
    tested, in_time = (column[sites].sum(axis=0) for column in (results.tested, results.in_time))
    which = list(districts)
    return {
        "sites": int(rows.sum()),
        "people": round(float(queues.people[rows].sum())),
        "share_in_time": spread(in_time / np.maximum(tested, 1e-9)),
        "late_people": spread(np.rint(tested - in_time)),
        "peak_queue": spread(queues.peak[rows].max(axis=0, initial=0)),
        "wait_min": _of_people(queues.waits[which].sum(axis=0)),
        "time_in_ground_min": _of_people(queues.stays[which].sum(axis=0)),
        "people_beyond_ground": spread(queues.beyond_people[rows].sum(axis=0)),
        "sites_beyond_ground": int((level_failed(lived) & rows).sum()),
        "last_swab": _moment(lived, queues.last_min[rows].max(axis=0, initial=0)),
    }


def _of_people(count: Ints) -> dict[str, float]:
    """Return mean, percentiles and longest over people of ``count[replication, bin]``."""
    total = count.sum(axis=0)
    middle = (np.arange(NUM_BINS) + 0.5) * BIN_MIN
    people = max(int(total.sum()), 1)
    found = {f"p{round(100 * s)}": float(quantile_min(total, s)) for s in SHARES}
    longest = float((np.flatnonzero(total)[-1] + 1) * BIN_MIN) if total.any() else 0.0
    return {"mean": round(float(total @ middle) / people, 2), **found, "max": longest}


def _whole_city(lived: Lived) -> dict[str, Any]:
    results = lived.results
    over = np.quantile(results.overrun_min, 0.5, axis=0, method="inverted_cdf")
    hours = lived.queues.waits * (np.arange(NUM_BINS) + 0.5) * (BIN_MIN / 60)
    return {
        "last_result": _moment(lived, results.last_min),
        "result_after_promise_min": {
            f"{share:.0%}": _finite(value) for share, value in zip(LATE_SHARES, over, strict=True)
        },
        "hours_waited": spread(np.rint(hours.sum(axis=(0, 2)))),
        "tubes_waiting": spread(results.backlog.max(axis=1, initial=0)),
        "no_result_at_end": spread(np.rint(results.waiting_at_end)),
    }


def _sites(lived: Lived) -> list[dict[str, Any]]:
    """Return one record per site that expected somebody."""
    queues, sites = lived.queues, lived.instance.sites
    tested, in_time = lived.results.tested.sum(axis=1), lived.results.in_time.sum(axis=1)
    failed = level_failed(lived)
    found = []
    for row, site in enumerate(queues.site.tolist()):
        mean, median, p95, longest = queues.wait_min[row].tolist()
        record: dict[str, Any] = {
            "site_id": str(sites.ids[site]), "name": str(sites.names[site]),
            "district": str(sites.districts[site]), "people": round(float(queues.people[row]), 1),
            "places": int(queues.places[row]), "peak_queue": spread(queues.peak[row]),
            "level": round(float(queues.level[row]), 4),
            "wait_min": {"mean": round(mean, 2), "p50": median, "p95": p95,
                         "max": round(longest, 1)},
            "share_in_time": round(float(in_time[site] / max(tested[site], 1e-9)), 4),
            "beyond_ground": bool(failed[row]),
        }  # fmt: skip
        if failed[row]:
            record["beyond_at"] = _beyond(lived, queues.beyond[row])
        found.append(record)
    return found


def _beyond(lived: Lived, share: Floats) -> list[dict[str, Any]]:
    """Return the slots in which a queue most often outgrows its ground, in order of time."""
    slot = lived.instance.settings.round.slot_minutes
    worst = np.argsort(-share, kind="stable")[:LONGEST_LISTS]
    return [
        {"start": lived.instance.clock.iso(int(s) * slot), "share": round(float(share[s]), 3)}
        for s in sorted(worst.tolist()) if share[s] > 0
    ]  # fmt: skip


def _labs(lived: Lived) -> list[dict[str, Any]]:
    results, labs = lived.results, lived.instance.labs
    return [
        {
            "lab_id": str(labs.ids[lab]), "name": str(labs.names[lab]),
            "tubes": spread(results.lab_tubes[lab]), "wait_min": spread(results.lab_wait_min[lab]),
            "peak_waiting": spread(results.lab_peak[lab]),
            "late_people": spread(np.rint(results.late_people[lab])),
        }
        for lab in np.flatnonzero(results.lab_tubes.sum(axis=1)).tolist()
    ]  # fmt: skip


def _moment(lived: Lived, minutes: Floats) -> str | None:
    """Return the median moment, None where some result never comes."""
    middle = float(np.quantile(minutes, 0.5, method="inverted_cdf")) if len(minutes) else 0.0
    return lived.instance.clock.iso(round(middle)) if np.isfinite(middle) else None


def _finite(value: float) -> float | None:
    return round(float(value), 1) if np.isfinite(value) else None
