"""What happens in each clock hour: people swabbed, tubes arrived and started, results out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import numpy as np

from scheduler.domain.city import Ints
from scheduler.publish.report.facts import Facts

ALL_DAY = ((0, 1440),)


@dataclass(frozen=True)
class HourAxis:
    """Clock hours from the start of the round until the last result, counted from 0."""

    past_min: int  # minutes of the round's start past its clock hour
    num: int

    def of(self, minutes: Ints) -> Ints:
        """Return the hour of minutes since the round's start."""
        hours: Ints = (minutes + self.past_min) // 60
        return hours


def hour_axis(facts: Facts) -> HourAxis:
    """Return the axis that holds every slot, start and result."""
    past = facts.instance.clock.start.minute
    last = max(
        int(facts.calls.end.max(initial=60)),
        int(facts.sent.start_at.max(initial=0)) + 1,
        int(facts.sent.result_by.max(initial=0)) + 1,
    )
    return HourAxis(past, -(-(last + past) // 60))


def hours_payload(facts: Facts) -> dict[str, Any]:
    """Return the curves; first axis is the district, of the site, where there is one."""
    axis = hour_axis(facts)
    calls, sent = facts.calls, facts.sent
    at = facts.of_site[sent.site_index]
    swabbed = _grid(facts, axis, facts.of_site[calls.site_index], (calls.start, calls.people))
    return {
        "labels": _labels(facts, axis),
        "people": swabbed,
        "capacity": _site_capacity(facts, axis),
        "arrived": _grid(facts, axis, at, (sent.arrive_at, sent.tubes)),
        "started": _grid(facts, axis, at, (sent.start_at, sent.tubes)),
        "resulted": _grid(facts, axis, at, (sent.result_by, sent.people)),
        "labs": _lab_cells(facts, axis),
        "labCapacity": lab_capacity(facts, axis).tolist(),
    }


def _labels(facts: Facts, axis: HourAxis) -> list[str]:
    clock = facts.instance.clock
    begin = clock.at(-axis.past_min)
    hours = (clock.at(60 * h - axis.past_min) for h in range(axis.num))
    far = clock.at(60 * axis.num) - begin > timedelta(days=300)
    return [f"{t:%Y-%m-%d %H}" if far else f"{t:%m-%d %H}:00" for t in hours]


def _grid(facts: Facts, axis: HourAxis, at: Ints, what: tuple[Ints, Ints]) -> list[list[int]]:
    """Return sums by district and hour of (minute, amount)."""
    minutes, amount = what
    hour = axis.of(minutes)
    cells = np.bincount(
        at * axis.num + hour, weights=amount, minlength=len(facts.districts) * axis.num
    )
    table: list[list[int]] = cells.astype(np.int64).reshape(-1, axis.num).tolist()
    return table


def _site_capacity(facts: Facts, axis: HourAxis) -> list[list[int]]:
    """Return people that sites may call by district and hour: quota over open slots."""
    slot = facts.instance.settings.round.slot_minutes
    num_slots = facts.instance.clock.num_slots
    by_slot = np.zeros((len(facts.districts), num_slots), dtype=np.int64)
    np.add.at(by_slot, facts.of_site, facts.places)
    hour = axis.of(np.arange(num_slots, dtype=np.int64) * slot)
    shown = hour < axis.num  # slots after the last result would stretch the axis for nothing
    total = np.zeros((len(facts.districts), axis.num), dtype=np.int64)
    np.add.at(total.T, hour[shown], by_slot.T[shown])
    table: list[list[int]] = total.tolist()
    return table


def lab_capacity(facts: Facts, axis: HourAxis) -> Ints:
    """Return tubes that each lab may start, ``[lab, hour]``; 0 where it is shut.

    Of an hour in which it is open for a part, that part counts, as in ``verify``.
    """
    labs = facts.instance.labs
    begins = 60 * np.arange(axis.num, dtype=np.int64) - axis.past_min
    open_min = np.zeros((len(labs), axis.num), dtype=np.int64)
    for lab, windows in enumerate(labs.hours):
        for begin, end in facts.instance.clock.windows(windows or ALL_DAY, 0, 60 * axis.num):
            overlap = np.minimum(begins + 60, end) - np.maximum(begins, begin)
            open_min[lab] += np.maximum(overlap, 0)
    return labs.tubes_per_hour[:, None] * open_min // 60


def _lab_cells(facts: Facts, axis: HourAxis) -> dict[str, list[int]]:
    """Return tubes started by district, lab and hour, where there are any, as four columns."""
    sent, num_labs = facts.sent, len(facts.instance.labs)
    key = facts.of_site[sent.site_index] * num_labs + sent.lab_index
    key = key * axis.num + axis.of(sent.start_at)
    cells, where = np.unique(key, return_inverse=True)
    tubes = np.bincount(where, weights=sent.tubes, minlength=len(cells)).astype(np.int64)
    pair, hour = np.divmod(cells, axis.num)
    district, lab = np.divmod(pair, max(num_labs, 1))
    columns = {"district": district, "lab": lab, "hour": hour, "tubes": tubes}
    return {name: column.tolist() for name, column in columns.items()}
