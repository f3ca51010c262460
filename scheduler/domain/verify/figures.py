"""The figures of ``summary.json`` worked out again from the plan's rows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scheduler.domain.city import Floats, Ints
from scheduler.domain.plan import Reason
from scheduler.domain.verify.context import Context
from scheduler.domain.verify.ground import Ground

QUANTILE = 0.95


@dataclass(frozen=True)
class Figures:
    """What ``summary.json`` should say; terms in person-minutes."""

    terms: dict[str, float]
    counts: dict[str, int]
    sites_per_community: float
    walk_m: dict[str, float]
    unserved: int  # people without a slot, home visits apart


def recompute(context: Context, ground: Ground, churn: float = 0.0) -> Figures:
    """Return the figures of the plan's files; ``churn`` is that of a re-plan, in person-minutes."""
    weights, called = context.instance.settings.weights, context.called
    walked = ground.walk_m(called.block, called.site)
    lateness = _lateness_min(context)
    left = context.left
    unserved = int(left.people[left.reason != Reason.HOME_VISIT].sum())
    speed = context.instance.settings.walk.metres_per_min
    finish = np.array(weights.finish.by_zone())[called.zone] * called.start
    used = _sites_used(context)
    return Figures(
        terms={
            "unserved": weights.unserved * unserved,
            "late": weights.late * float(np.dot(context.sent.people, lateness)),
            "walk": weights.walk * float(np.dot(called.people, walked)) / speed,
            "finish": float(np.dot(called.people, finish)),
            "split": weights.split * float(np.maximum(used - 1, 0).sum()),
            "churn": churn,
        },
        counts={
            "people": int(context.instance.blocks.people.sum()),
            "served": int(called.people.sum()),
            "late_people": int(context.sent.people[lateness > 0].sum()),
        },
        sites_per_community=float(used.mean()) if len(used) else 0.0,
        walk_m=_spread(walked, called.people),
        unserved=unserved,
    )


def _lateness_min(context: Context) -> Floats:
    sent, axis = context.sent, context.axis
    promise = context.instance.settings.targets.result_hours * 60
    due = sent.wave(axis) * axis.wave_min + promise
    return np.maximum(sent.result - due, 0.0)


def _sites_used(context: Context) -> Ints:
    """Return the number of sites of each community that has people called."""
    called, size = context.called, len(context.instance.sites)
    community = context.instance.blocks.community_index[called.block]
    pairs = np.unique(community * size + called.site)
    return np.unique(pairs // size, return_counts=True)[1].astype(np.int64)


def _spread(walked: Floats, people: Ints) -> dict[str, float]:
    total = int(people.sum())
    if not total:
        return {"mean": 0.0, "p95": 0.0, "max": 0.0}
    order = np.argsort(walked)
    reached = np.searchsorted(np.cumsum(people[order]), QUANTILE * total - 1e-9)
    return {
        "mean": float(np.dot(walked, people)) / total,
        "p95": float(walked[order[reached]]),
        "max": float(walked.max()),
    }
