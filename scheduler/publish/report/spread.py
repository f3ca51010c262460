"""How walking and turnaround are spread over people, by district."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from scheduler.domain.city import Floats, Ints
from scheduler.publish.report.facts import Facts

MOST_BINS = 32
WALK_STEPS_M = (50, 100, 200, 250, 500, 1000, 2000, 5000)
RESULT_STEPS_MIN = (15, 30, 60, 120, 180, 360, 720, 1440)


def spread_payload(facts: Facts) -> dict[str, Any]:
    """Return both histograms: step of a bin, and people by district and bin.

    Walking counts people by the district of their community, turnaround by that of the site.
    """
    calls, sent = facts.calls, facts.sent
    limit = float(facts.instance.settings.targets.max_walk_m)
    return {
        "walk": _histogram(
            facts, (facts.call_district, facts.walk, calls.people), WALK_STEPS_M, limit
        ),
        "turnaround": _histogram(
            facts,
            (facts.of_site[sent.site_index], facts.turnaround.astype(float), sent.people),
            RESULT_STEPS_MIN,
            facts.promise_min,
        ),
    }


def _histogram(
    facts: Facts, what: tuple[Ints, Floats, Ints], steps: tuple[int, ...], limit: float
) -> dict[str, Any]:
    """Return the histogram; the last bin holds all beyond twice the limit too.

    A bin holds its upper edge: exactly at the limit is within it.
    """
    at, values, people = what
    highest = min(float(values.max(initial=0)), 2 * limit)
    step = next((s for s in steps if highest / s < MOST_BINS), steps[-1])
    num = max(math.ceil(highest / step), 1)
    bins = np.clip(np.ceil(values / step).astype(np.int64) - 1, 0, num - 1)
    cells = np.bincount(at * num + bins, weights=people, minlength=len(facts.districts) * num)
    counted = cells.astype(np.int64).reshape(-1, num)
    return {
        "step": step,
        "limit": limit,
        "overflow": bool(values.max(initial=0) > num * step),
        "people": counted.tolist(),
    }
