"""Replications of the laboratories added up: results in time, waits, backlog."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scheduler.domain.city import Floats, Ints
from scheduler.domain.instance import Instance
from scheduler.simulate.labs import Tubes

HOUR_MIN = 60
LATE_SHARES = (0.5, 0.9, 0.95, 0.99, 1.0)


@dataclass(frozen=True)
class Results:
    """How laboratories went, by replication.

    ``tested[site, replication]`` and ``in_time`` count people, ``late_people[lab, replication]``
    those of its tubes; ``overrun_min[replication, share]`` is by how much results come after the
    promise (negative: before) at the shares of ``LATE_SHARES``; ``lab_wait_min`` and ``lab_peak``
    are mean wait and most tubes waiting ``[lab, replication]``; ``backlog[replication, hour]``
    counts tubes picked up and not yet started.
    """

    tested: Floats
    in_time: Floats
    late_people: Floats
    overrun_min: Floats
    lab_wait_min: Floats
    lab_peak: Ints
    lab_tubes: Ints
    backlog: Ints
    last_min: Floats
    waiting_at_end: Floats


@dataclass(frozen=True)
class Outcome:
    """One replication of the laboratories, added up."""

    tested: Floats
    in_time: Floats
    late_people: Floats
    overrun_min: Floats
    lab_wait_min: Floats
    lab_peak: Ints
    lab_tubes: Ints
    backlog: Ints
    last_min: float
    waiting_at_end: float


def outcome_of(instance: Instance, tubes: Tubes) -> Outcome:
    """Add up the tubes of one replication."""
    sites, labs = len(instance.sites), len(instance.labs)
    over = tubes.result_min - tubes.due_min
    good = over <= 0
    wait = np.where(np.isfinite(tubes.start_min), tubes.start_min - tubes.arrive_min, 0.0)
    count = np.bincount(tubes.lab, minlength=labs)
    end, finite = instance.clock.end_min, tubes.result_min[np.isfinite(tubes.result_min)]
    known = float(finite.max(initial=0.0))
    late = np.isfinite(over).all()
    return Outcome(
        tested=_sums(tubes.site, tubes.people, sites),
        in_time=_sums(tubes.site, tubes.people * good, sites),
        late_people=_sums(tubes.lab, tubes.people * ~good, labs),
        overrun_min=_weighted(over, tubes.people),
        lab_wait_min=_sums(tubes.lab, wait, labs) / np.maximum(count, 1),
        lab_peak=_most_waiting(tubes, labs),
        lab_tubes=count,
        backlog=_backlog(tubes, known),
        last_min=known if late else np.inf,
        waiting_at_end=float(tubes.people[tubes.result_min > end].sum()),
    )


def _sums(index: Ints, value: Floats, size: int) -> Floats:
    return np.bincount(index, value, size).astype(np.float64)


def _weighted(value: Floats, weight: Floats) -> Floats:
    """Return the values below which the ``LATE_SHARES`` of the weight lie."""
    if not len(value):
        return np.zeros(len(LATE_SHARES))
    order = np.argsort(value)
    total = np.cumsum(weight[order])
    at = np.searchsorted(total, np.array(LATE_SHARES) * total[-1] * (1 - 1e-12))
    found: Floats = value[order[np.minimum(at, len(value) - 1)]]
    return found


def _most_waiting(tubes: Tubes, labs: int) -> Ints:
    most = np.zeros(labs, dtype=np.int64)
    for lab in np.unique(tubes.lab).tolist():
        mine = tubes.lab == lab
        arrive, start = np.sort(tubes.arrive_min[mine]), np.sort(tubes.start_min[mine])
        begun = np.searchsorted(start, arrive, side="right")
        most[lab] = (np.arange(1, len(arrive) + 1) - begun).max()
    return most


def _backlog(tubes: Tubes, last_min: float) -> Ints:
    """Return tubes picked up and not yet started at each full hour."""
    hours = np.arange(0, last_min + HOUR_MIN, HOUR_MIN)
    taken, begun = np.sort(tubes.pickup_min), np.sort(tubes.start_min)
    backlog: Ints = np.searchsorted(taken, hours, side="right") - np.searchsorted(
        begun, hours, side="right"
    )
    return backlog


def add_up(outcomes: list[Outcome]) -> Results:
    """Put replications side by side."""
    hours = max((len(o.backlog) for o in outcomes), default=0)
    backlog = np.zeros((len(outcomes), hours), dtype=np.int64)
    for row, outcome in enumerate(outcomes):
        backlog[row, : len(outcome.backlog)] = outcome.backlog
    return Results(
        tested=np.stack([o.tested for o in outcomes], axis=-1),
        in_time=np.stack([o.in_time for o in outcomes], axis=-1),
        late_people=np.stack([o.late_people for o in outcomes], axis=-1),
        overrun_min=np.stack([o.overrun_min for o in outcomes]),
        lab_wait_min=np.stack([o.lab_wait_min for o in outcomes], axis=-1),
        lab_peak=np.stack([o.lab_peak for o in outcomes], axis=-1),
        lab_tubes=np.stack([o.lab_tubes for o in outcomes], axis=-1), backlog=backlog,
        last_min=np.array([o.last_min for o in outcomes]),
        waiting_at_end=np.array([o.waiting_at_end for o in outcomes]),
    )  # fmt: skip
