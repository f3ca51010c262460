"""Tubes to labs: the last flow, exact in whole tubes, and the consignments that follow from it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from scheduler.domain.city import Ints
from scheduler.solve.layout import Layout
from scheduler.solve.network import (
    LabFlow,
    LabSide,
    Reach,
    Supplies,
    match,
    send_on_time,
    solve_labs,
)
from scheduler.solve.schedule import Calls

_MANY_TUBES = 300_000
"""From so many tubes on, those planned in time are not weighed again. Measured on synthetic Dalian
with 9 % late: a sixth of 8 s, and 0.03 % of the objective."""

_FEW_LEFT = 0.005
"""Share of tubes up to which those that labs cannot start in time are weighed alone."""


@dataclass(frozen=True)
class Batches:
    """What leaves a stream in a wave: ``people`` in ``tubes``, oldest from ``first_slot``."""

    stream: Ints
    wave: Ints
    people: Ints
    tubes: Ints
    first_slot: Ints


@dataclass(frozen=True)
class Shipments:
    """Columns of equal length: ``batch`` (row of Batches), lab, hour, tubes, people."""

    batch: Ints
    lab: Ints
    hour: Ints
    tubes: Ints
    people: Ints


def batches_of(calls: Calls, pool: Ints, slots_per_wave: int, num_waves: int) -> Batches:
    """Return the batches of all calls; ``pool[stream]`` people share a tube."""
    wave = calls.slot // slots_per_wave
    key = calls.stream * num_waves + wave
    distinct, which = np.unique(key, return_inverse=True)
    people = np.bincount(which, weights=calls.people).astype(np.int64)
    first = np.full(len(distinct), np.iinfo(np.int64).max)
    np.minimum.at(first, which, calls.slot)
    stream = distinct // num_waves
    tubes = -(-people // pool[stream])
    return Batches(stream, distinct % num_waves, people, tubes, first)


def ship(
    batches: Batches,
    layout: Layout,
    reaches: tuple[Reach, Reach],
    labs: LabSide,
    pool: Ints,
    left_cost: float,
) -> tuple[Shipments, Ints]:
    """Send all tubes to labs at least lateness; returns shipments and tubes left per batch.

    ``reaches`` are those to the labs planned for and to all labs: the second is looked at when the
    first cannot start all tubes in time, and weighed when neither can. Of few tubes those that are
    not full are weighed by their people.
    """
    group = layout.group[batches.stream]
    rows = _Rows.of(batches, group, reaches[0].first_sample_min.shape[1])
    flow = _nearly_in_time(rows.supplies, reaches, labs, left_cost)
    if flow is None and rows.supplies.units.sum() <= _MANY_TUBES:
        return _weighed_by_people(batches, group, reaches[0], labs, (pool, left_cost))
    if flow is None:
        left = np.full(len(rows.supplies.units), left_cost)
        flow = solve_labs(rows.supplies, reaches[0], labs, left)
    return _share(batches, rows, flow, pool)


@dataclass(frozen=True)
class _Rows:
    """What is sent, a row for each group and wave; ``which[batch]`` is its row."""

    supplies: Supplies
    which: Ints
    num_waves: int

    @staticmethod
    def of(batches: Batches, group: Ints, num_waves: int) -> _Rows:
        """Return the rows of batches; ``group[batch]``."""
        key = group * num_waves + batches.wave
        distinct, which = np.unique(key, return_inverse=True)
        units = np.bincount(which, weights=batches.tubes, minlength=len(distinct)).astype(np.int64)
        row = np.arange(len(distinct))
        group_of, wave_of = np.divmod(distinct, num_waves)
        supplies = Supplies(units, row, group_of, wave_of, units, np.zeros(len(row)))
        return _Rows(supplies, which, num_waves)

    def of_loads(self, flow: LabFlow) -> Ints:
        """Return the row of each load of a flow."""
        sent = self.supplies
        key = sent.group * self.num_waves + sent.wave
        row: Ints = np.searchsorted(key, flow.load_group * self.num_waves + flow.load_wave)
        return row


def _weighed_by_people(
    batches: Batches, group: Ints, reach: Reach, labs: LabSide, sizes: tuple[Ints, float]
) -> tuple[Shipments, Ints]:
    """Send all tubes at least lateness, those that are not full weighed by their people.

    Others go before them: each is a group of its own, as late as its few people are (see
    ``emptier_last`` for cities). ``sizes`` are the last two arguments of ``ship``.
    """
    pool, left_cost = sizes
    size = pool[batches.stream]
    rest, full = batches.people % size, batches.people // size
    some, whole = np.flatnonzero(rest), np.flatnonzero(full)
    origin = np.concatenate((whole, some))
    apart = Batches(
        batches.stream[origin], batches.wave[origin],
        np.concatenate(((full * size)[whole], rest[some])),
        np.concatenate((full[whole], np.ones(len(some), dtype=np.int64))),
        batches.first_slot[origin],
    )  # fmt: skip
    kinds, kind = np.unique(np.column_stack((group, rest))[some], axis=0, return_inverse=True)
    groups = len(reach.chain)
    every = np.concatenate((group[whole], groups + kind.reshape(-1)))
    share = np.ones(groups + len(kinds))
    share[every[len(whole) :]] = (rest / size)[some]
    reach = reach.joined(kinds[:, 0], share)
    rows = _Rows.of(apart, every, reach.first_sample_min.shape[1])
    left_costs = left_cost * share[rows.supplies.group]
    ships, left = _share(apart, rows, solve_labs(rows.supplies, reach, labs, left_costs), pool)
    columns = joined(origin[ships.batch], ships.lab, ships.hour, ships.tubes, ships.people)
    return Shipments(*columns), np.bincount(origin, left, len(group)).astype(np.int64)


def _nearly_in_time(
    supplies: Supplies, reaches: tuple[Reach, Reach], labs: LabSide, left_cost: float
) -> LabFlow | None:
    """Send all in time if labs can, all but a few if they nearly can, else None.

    Of many tubes those that a flow had in time stay with their labs and the others are weighed, if
    that makes nothing later than that flow; not where labs have daily limits, for what these leave
    is not known well enough.
    """
    flow = send_on_time(supplies, reaches[0], labs)
    if flow.left.any():
        flow = send_on_time(supplies, reaches[1], labs)
    left, planned = int(flow.left.sum()), reaches[0].planned
    if not left:
        return flow
    if left <= _FEW_LEFT * supplies.units.sum():
        return _weigh_rest(flow, supplies, reaches[1], labs, left_cost)
    endless = not (labs.max_tubes_per_day >= 0).any()
    if planned is not None and endless and supplies.units.sum() > _MANY_TUBES:
        kept = _in_time(planned, supplies, reaches[0], labs)
        flow = _weigh_rest(kept, supplies, reaches[1], labs, left_cost)
        if not flow.left.any() and _late(flow, reaches[1], labs) <= _late(
            planned, reaches[1], labs
        ):
            return flow
    return None


def _weigh_rest(
    flow: LabFlow, supplies: Supplies, reach: Reach, labs: LabSide, left_cost: float
) -> LabFlow:
    """Send what a flow has left at least lateness through what it has left of the labs."""
    rows = np.flatnonzero(flow.left)
    left = flow.left[rows]
    rest = Supplies(
        left, np.arange(len(rows)), supplies.group[rows], supplies.wave[rows], left,
        np.zeros(len(rows)),
    )  # fmt: skip
    used = flow.started(labs.hours.capacity.shape)
    hours = replace(labs.hours, capacity=labs.hours.capacity - used)
    free = replace(labs, hours=hours, max_tubes_per_day=_days_left(labs, used))
    late = solve_labs(rest, reach, free, np.full(len(rows), left_cost))
    every = flow.left.copy()
    every[rows] = late.left
    return flow.with_more(replace(late, left=every))


def _late(flow: LabFlow, reach: Reach, labs: LabSide) -> float:
    """Return what lateness costs in a flow."""
    cost = flow.late_min(reach, labs) * reach.late_cost[flow.load_group]
    return float((cost * flow.load_units).sum())


def _in_time(flow: LabFlow, supplies: Supplies, reach: Reach, labs: LabSide) -> LabFlow:
    """Return what a flow has in time of the supplies, one arc a row, and what that leaves."""
    num_waves = reach.first_sample_min.shape[1]
    row_of = np.full(len(reach.chain) * num_waves, -1, dtype=np.int64)
    row_of[supplies.group * num_waves + supplies.wave] = np.arange(len(supplies.units))
    row = row_of[flow.load_group * num_waves + flow.load_wave]
    good = np.flatnonzero((row >= 0) & (flow.late_min(reach, labs) == 0))
    good = good[np.lexsort((flow.load_hour[good], row[good]))]
    row, upto = row[good], np.cumsum(flow.load_units[good])
    before = upto - flow.load_units[good]
    before -= before[np.searchsorted(row, row)]
    units = np.clip(supplies.units[row] - before, 0, flow.load_units[good])
    left = supplies.units - np.bincount(row, units, len(supplies.units)).astype(np.int64)
    columns = (flow.load_group, flow.load_wave, flow.load_lab, flow.load_hour)
    group, wave, lab, hour = (c[good] for c in columns)
    return replace(
        flow, left=left, load_group=group, load_wave=wave, load_lab=lab, load_hour=hour,
        load_units=units,
    )  # fmt: skip


def _days_left(labs: LabSide, used: Ints) -> Ints:
    """Return what daily limits leave; the strictest day counts for all."""
    day = labs.hours.day - labs.hours.day.min()
    by_day = np.zeros((used.shape[0], int(day.max()) + 1), dtype=np.int64)
    np.add.at(by_day.T, day, used.T)
    limit = labs.max_tubes_per_day
    return np.where(limit >= 0, limit - by_day.max(axis=1), limit)


def _share(batches: Batches, rows: _Rows, flow: LabFlow, pool: Ints) -> tuple[Shipments, Ints]:
    """Share the tubes of group waves among their batches; what is left falls on the last ones."""
    size = len(flow.left)
    sent = np.r_[flow.load_units, flow.left]
    row = np.r_[rows.of_loads(flow), np.arange(size)]
    hour = np.r_[flow.load_hour, np.full(size, 1 << 40)]
    lab = np.r_[flow.load_lab, np.full(size, -1)]
    order = np.arange(len(batches.stream))
    batch, load, tubes = match(rows.which, batches.tubes, order, row, sent, hour)
    lost = lab[load] < 0
    left = np.bincount(batch[lost], weights=tubes[lost], minlength=len(order)).astype(np.int64)
    batch, load, tubes = batch[~lost], load[~lost], tubes[~lost]
    columns = joined(batch, lab[load], hour[load], tubes)
    return _with_people(batches, columns, pool), left


def joined(batch: Ints, lab: Ints, hour: Ints, *amounts: Ints) -> tuple[Ints, ...]:
    """Join rows of equal batch, lab and hour; sorted by batch, then hour."""
    order = np.lexsort((lab, hour, batch))
    batch, lab, hour = batch[order], lab[order], hour[order]
    new = np.r_[True, (np.diff(batch) != 0) | (np.diff(lab) != 0) | (np.diff(hour) != 0)]
    start = np.flatnonzero(new[: len(batch)])
    totals = (np.add.reduceat(a[order], start) if len(batch) else a for a in amounts)
    return batch[start], lab[start], hour[start], *totals


def _with_people(batches: Batches, columns: tuple[Ints, ...], pool: Ints) -> Shipments:
    """Fill tubes to the pool size; the batch's last tube takes what is left."""
    batch, lab, hour, tubes = columns
    size = pool[batches.stream[batch]]
    before = np.cumsum(tubes) - tubes
    first = np.searchsorted(batch, batch)
    before -= before[first]
    upto = np.minimum((before + tubes) * size, batches.people[batch])
    return Shipments(batch, lab, hour, tubes, upto - before * size)
