"""Plan with safety margins, set from the simulation until the plan holds when it is lived through.

First the round is planned as it is; that plan's lower bound holds for every plan of the round.
Where it does not hold, margins are set, the tighter round is planned, and the plan, measured by the
true round, is lived through again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from scheduler.app.runtime import Report
from scheduler.domain.instance import Instance
from scheduler.domain.margins import Margins, expected_margins, tighten, with_true_capacity
from scheduler.domain.metrics import summarise
from scheduler.domain.plan import Plan, PlanTables
from scheduler.domain.verify import verify
from scheduler.simulate import Case, Lived, level_failed, live, planned_visits, shares_in_time
from scheduler.simulate.results import LATE_SHARES

ATTEMPTS = 6
STEP_MIN, MOST_STEP_MIN = 5, 30
LAB_STEP, LEAST_LAB_SHARE = 0.03, 0.6
SITE_STEP, LEAST_SITE_SHARE = 0.1, 0.5
NUM_SITES = 50
"""Sites told at most that cannot reach the level."""

Make = Callable[[Instance], Plan]


@dataclass(frozen=True)
class Certified:
    """A plan and whether it holds; ``about`` is kept in its summary."""

    plan: Plan
    reached: bool
    about: dict[str, Any]


@dataclass(frozen=True)
class _Try:
    """A plan, lived through."""

    margins: Margins
    plan: Plan
    lived: Lived
    share: float
    failed: int

    @property
    def rank(self) -> tuple[int, float]:
        """How good it is: few failing sites first, then results in time."""
        return (-self.failed, self.share)


def certify(instance: Instance, make: Make, *, seed: int, report: Report) -> Certified:
    """Return the first plan that holds, else the best that was found, and says which."""
    ordered = instance.settings.simulate.share_in_time
    plain = make(instance)
    attempt = best = _lived(instance, Margins(), plain, seed, report)
    unserved = plain.summary["terms"]["unserved"]
    tries, full = 1, False
    while not _holds(best, ordered) and tries < ATTEMPTS:
        margins = _next(instance, attempt, ordered)
        if margins == attempt.margins:
            break
        report(f"margins {tries}: {margins.promise_min} min, labs {margins.lab_share:.0%}", None)
        plan = _measured(instance, make(tighten(instance, margins)), plain)
        tries += 1
        full = plan.summary["terms"]["unserved"] > unserved or bool(verify(instance, plan))
        if full:
            break  # so much cannot be kept free: people would have no slot
        attempt = _lived(instance, margins, plan, seed, report)
        best = max(best, attempt, key=lambda t: t.rank)
    return Certified(
        best.plan, _holds(best, ordered), _about(instance, best, seed, tries, full=full)
    )


def _holds(attempt: _Try, ordered: float) -> bool:
    return attempt.failed == 0 and attempt.share >= ordered


def _lived(instance: Instance, margins: Margins, plan: Plan, seed: int, report: Report) -> _Try:
    report("living through", None)
    expected = planned_visits(instance, plan)
    times = instance.settings.simulate.replications
    lived = live(instance, expected, Case("plain"), replications=times, seed=seed)
    share = float(np.quantile(shares_in_time(lived), 0.5, method="inverted_cdf"))
    return _Try(margins, plan, lived, share, int(level_failed(lived).sum()))


def _measured(instance: Instance, plan: Plan, plain: Plan) -> Plan:
    """Return a plan of a tighter round, measured by the true one."""
    tables = PlanTables(plan.assignments, plan.consignments, plan.lab_load, plan.unserved)
    true = with_true_capacity(instance, tables)
    summary = summarise(
        instance, true, best_bound=plain.summary["best_bound"], seed=plan.summary["seed"],
        revision=plan.summary["revision"],
    )  # fmt: skip
    return true.with_summary({**plan.summary, **summary})


def _next(instance: Instance, attempt: _Try, ordered: float) -> Margins:
    """Return wider margins where a plan does not hold."""
    margins = attempt.margins
    if attempt.share < ordered:
        margins = _for_results(instance, attempt, ordered)
    failed = attempt.lived.queues.site[level_failed(attempt.lived)]
    sites = dict(margins.sites)
    for ident in instance.sites.ids[failed].tolist():
        share = round(sites.get(str(ident), 1.0) - SITE_STEP, 3)
        sites[str(ident)] = max(share, LEAST_SITE_SHARE)
    return replace(margins, sites=sites)


def _for_results(instance: Instance, attempt: _Try, ordered: float) -> Margins:
    if attempt.margins.promise_min == 0:
        return replace(expected_margins(instance), sites=attempt.margins.sites)
    results = attempt.lived.results
    over = float(np.interp(ordered, LATE_SHARES, np.median(results.overrun_min, axis=0)))
    step = np.clip(STEP_MIN * np.ceil(over / 2 / STEP_MIN), STEP_MIN, MOST_STEP_MIN)
    longest = round(instance.settings.targets.result_hours * 60) - int(
        instance.labs.processing_min.min() + instance.settings.round.wave_minutes
    )
    minutes = min(attempt.margins.promise_min + int(step), max(longest, 0))
    people = instance.settings.pooling.by_zone()[-1] * results.lab_tubes.sum(axis=1)
    late = results.late_people.sum(axis=1) > (1 - ordered) * np.maximum(people, 1)
    labs = dict(attempt.margins.labs)
    for ident in instance.labs.ids[late].tolist():
        share = labs.get(str(ident), attempt.margins.lab_share) - LAB_STEP
        labs[str(ident)] = max(round(share, 3), LEAST_LAB_SHARE)
    return replace(attempt.margins, promise_min=minutes, labs=labs)


def _about(instance: Instance, best: _Try, seed: int, tries: int, *, full: bool) -> dict[str, Any]:
    """Return what is kept with the plan: figures, margins, and who cannot reach the level."""
    ordered = instance.settings.simulate.share_in_time
    queues = best.lived.queues
    failed = np.flatnonzero(level_failed(best.lived))
    worst = failed[np.argsort(queues.level[failed], kind="stable")][:NUM_SITES]
    sites = [
        {
            "site_id": str(instance.sites.ids[queues.site[row]]),
            "level": round(float(queues.level[row]), 4), "places": int(queues.places[row]),
            "peak_queue": int(np.median(queues.peak[row])),
            "why": _why(instance, best, row, full=full),
        }
        for row in worst.tolist()
    ]  # fmt: skip
    return {
        "reached": _holds(best, ordered), "share_in_time": round(best.share, 4),
        "ordered_share_in_time": ordered, "sites_beyond_ground": best.failed,
        "ordered_queue_service_level": instance.settings.targets.queue_service_level,
        "replications": best.lived.replications, "seed": seed, "plans_made": tries,
        "margins": best.margins.to_dict(), "sites": sites, "why_late": _why_late(best, ordered),
    }  # fmt: skip


def _why(instance: Instance, best: _Try, row: int, *, full: bool) -> str:
    queues = best.lived.queues
    ident = str(instance.sites.ids[queues.site[row]])
    peak, places = int(np.median(queues.peak[row])), int(queues.places[row])
    share = best.margins.sites.get(ident, 1.0)
    if full:
        rest = "calling fewer there would leave people without a slot"
    elif share <= LEAST_SITE_SHARE:
        rest = "also with half as many called: it needs a longer ground or more lanes"
    else:
        rest = f"also with {share:.0%} of its lanes planned"
    return f"{peak} people stand there at once and the ground holds {places}, {rest}"


def _why_late(best: _Try, ordered: float) -> str:
    """Return why results come late, empty where they do not."""
    if best.share >= ordered:
        return ""
    results = best.lived.results
    wait = float((results.lab_wait_min * results.lab_tubes).sum() / max(results.lab_tubes.sum(), 1))
    labs = int((results.late_people.mean(axis=1) > 0).sum())
    return (
        f"tubes wait {wait:.0f} minutes on average at their laboratory, results are late at {labs} "
        "of them: they have no room for part-filled tubes, late couriers and lines that stand "
        "still; `nat-scheduler size` tells what would keep the promise"
    )
