"""All that the page shows, as one JSON object of columns."""

from __future__ import annotations

from typing import Any

import numpy as np

from scheduler.domain.city import Ints
from scheduler.domain.plan import Plan
from scheduler.domain.settings import Zone
from scheduler.publish.report.before import before_payload
from scheduler.publish.report.facts import Facts
from scheduler.publish.report.figures import figures_payload
from scheduler.publish.report.hours import hours_payload
from scheduler.publish.report.page import ASSETS
from scheduler.publish.report.places import places_payload
from scheduler.publish.report.spread import spread_payload
from scheduler.publish.report.worst import worst_payload
from scheduler.publish.schedule import Schedule
from scheduler.publish.words import ZONE_WORDS, page_words


def report_payload(
    schedule: Schedule,
    quota: Ints,
    *,
    breaches: list[str],
    before: tuple[str, Plan] | None,
    extras: dict[str, Any],
) -> dict[str, Any]:
    """Return the object; minutes count from the round's start and are spelt in ``times``.

    ``quota[site]`` is people per slot, ``breaches`` what ``verify`` found, ``before`` name and plan
    of the revision that this one replaced.
    """
    facts = Facts(schedule, quota)
    payload = {
        "meta": _meta(schedule),
        "words": page_words(ASSETS, schedule.language),
        "zones": [ZONE_WORDS[schedule.language][zone] for zone in Zone],
        "districts": facts.districts,
        "figures": figures_payload(facts),
        "hours": hours_payload(facts),
        "spread": spread_payload(facts),
        **places_payload(facts),
        "worst": worst_payload(facts),
        "before": None if before is None else before_payload(facts, *before),
        "breaches": breaches,
        **extras,
    }
    return {**payload, "times": _times(schedule, payload)}


def _meta(schedule: Schedule) -> dict[str, Any]:
    instance, summary = schedule.instance, schedule.plan.summary
    settings, clock = instance.settings, instance.clock
    return {
        "round": schedule.round_id,
        "name": settings.round.name or schedule.round_id,
        "revision": schedule.revision,
        "language": schedule.language,
        "synthetic": settings.round.synthetic,
        "district": instance.district,
        "start": f"{clock.at(0):%Y-%m-%d %H:%M}",
        "end": f"{clock.at(clock.end_min):%Y-%m-%d %H:%M}",
        "timezone": settings.round.timezone,
        "slotMin": settings.round.slot_minutes,
        "promiseHours": settings.targets.result_hours,
        "maxWalk": settings.targets.max_walk_m,
        "spacing": settings.targets.spacing_m,
        "status": summary.get("status"),
        "gap": summary.get("relative_gap"),
        "gapPerPerson": summary.get("gap_per_person"),
        "inputs": instance.inputs_sha256,
        "seed": summary.get("seed"),
    }


def _times(schedule: Schedule, payload: dict[str, Any]) -> dict[int, str]:
    """Return local time of every minute that is told, such as ``12-22 06:00``."""
    names = ("first", "last", "middle")
    columns = [payload[t].get(n, []) for t in ("communities", "sites", "labs", "blocks")
               for n in names]  # fmt: skip
    told = [[f["first"], f["last"], f["lastResult"]] for f in payload["figures"]]
    minutes = np.unique(np.concatenate([np.array(c, dtype=np.int64) for c in (*columns, *told)]))
    clock = schedule.instance.clock
    return {m: f"{clock.at(m):%m-%d %H:%M}" for m in minutes.tolist() if m >= 0}
