"""Sites lived through: who comes when, who waits how long, how many stand on the ground.

Sites with the same lanes and hours are lived through together, all replications at once, a *part*
of limited size after the other, so that memory does not grow with the city.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scheduler.domain.city import Flags, Floats, Ints, Window
from scheduler.domain.instance import Instance
from scheduler.simulate.cases import DOWN_PEOPLE_PER_LANE_HOUR, Case, more_people
from scheduler.simulate.lanes import Times, serve, serve_groups
from scheduler.simulate.pace import EARLIEST_MIN, Pace, opening_table
from scheduler.simulate.visits import Visits

CELLS = 1_500_000
"""People x replications of a part; a dozen arrays of this size live at once."""

TICKS_PER_MIN = (
    6000  # moments are sorted as whole hundredths of a second, the zone in the last bits
)
ZONE_BITS = 2
ABSENT = np.int32(2**31 - 1)
LONGEST_DAYS = 50  # beyond it moments would not fit into 32 bits

BIN_MIN, NUM_BINS = 0.5, 1441
"""Waits are counted in half-minutes up to 12 hours; the last bin holds all that is longer."""


@dataclass(frozen=True)
class Part:
    """Some sites with equal lanes and hours; ``first[site]``, ``end[site]`` are rows of visits."""

    number: int
    sites: Ints
    first: Ints
    end: Ints
    lanes: int
    hours: tuple[Window, ...]


@dataclass(frozen=True)
class Stay:
    """How a part went.

    ``peaks[site, replication, slot]`` is the most people waiting at once, the last slot standing
    for all after the round; ``waits`` and ``stays`` count people ``[site, replication, bin]`` of
    ``BIN_MIN`` minutes; ``wait_min`` and ``stay_min`` are sums of minutes and ``longest_min`` the
    longest wait ``[site, replication]``; ``last_min`` is when the last swab ended. ``swabbed``
    lists (site, replication, wave, zone, people).
    """

    peaks: NDArray[np.int32]
    waits: NDArray[np.int32]
    stays: NDArray[np.int32]
    wait_min: Floats
    stay_min: Floats
    longest_min: Floats
    last_min: Floats
    swabbed: Ints


def parts_of(instance: Instance, visits: Visits, replications: int, case: Case) -> Iterator[Part]:
    """Cut the sites that expect somebody into parts of about ``CELLS``, alike in size."""
    sites, first = np.unique(visits.site, return_index=True)
    end = np.r_[first[1:], len(visits)]
    people = np.add.reduceat(visits.people, first) if len(first) else first
    hours = {h: n for n, h in enumerate(dict.fromkeys(instance.sites.hours))}
    kind = np.array([hours[instance.sites.hours[s]] for s in sites.tolist()], dtype=np.int64)
    order = np.lexsort((people, kind, instance.sites.lanes[sites]))
    number, begin = 0, 0
    while begin < len(order):
        lead = sites[order[begin]]
        stop = begin
        while stop < len(order):
            site = sites[order[stop]]
            alike = instance.sites.lanes[site] == instance.sites.lanes[lead]
            alike &= instance.sites.hours[site] == instance.sites.hours[lead]
            size = (stop - begin + 1) * people[order[stop]] * replications * case.people
            if not alike or (stop > begin and size > CELLS):
                break
            stop += 1
        rows = order[begin:stop]
        yield Part(number, sites[rows], first[rows], end[rows],
                   int(instance.sites.lanes[lead]), instance.sites.hours[lead])  # fmt: skip
        number, begin = number + 1, stop


@dataclass(frozen=True)
class Yard:
    """What all parts share: the round, who is expected, and what happens."""

    instance: Instance
    visits: Visits
    case: Case
    replications: int
    seed: int

    @property
    def num_slots(self) -> int:
        """Slots of the round, and one for all that comes after it."""
        return self.instance.clock.num_slots + 1

    def live(self, part: Part) -> Stay:
        """Live through a part; its random numbers depend on the seed and its place only."""
        rng = np.random.default_rng([self.seed, part.number])
        arrivals, zone = self._arrivals(part, rng)
        ready = np.maximum(arrivals, self._opening(part, arrivals))
        leave, done = self._serve(part, np.ascontiguousarray(ready.T), rng)
        return self._observe(part, (arrivals, zone), (leave, done))

    # Arrivals

    def _arrivals(self, part: Part, rng: np.random.Generator) -> tuple[Times, NDArray[np.int8]]:
        """Return sorted moments ``[row, person]``, inf where nobody, and zones.

        Rows are sites x replications.
        """
        expected, width, zone = self._expected(part)
        queue, case = self.instance.settings.queue, self.case
        shape = (len(part.sites), self.replications, expected.shape[1])
        come = rng.standard_normal(shape, dtype=np.float32)
        come *= np.float32(queue.punctuality_sd_min * case.spread)
        come += (expected - np.float32(queue.early_mean_min - case.late_min))[:, None, :]
        free = width > 0
        if free.any():
            later = rng.random(shape, dtype=np.float32) * width[:, None, :]
            come = np.where(free[:, None, :], expected[:, None, :] + later, come)
        gone = rng.random(shape, dtype=np.float32) < queue.no_show
        gone |= np.isnan(expected)[:, None, :]
        with np.errstate(invalid="ignore"):  # places of nobody are not a number
            ticks = ((come - EARLIEST_MIN) * TICKS_PER_MIN).astype(np.int32)
        key = np.where(gone, ABSENT, np.maximum(ticks, 0) << ZONE_BITS | zone[:, None, :])
        key = key.reshape(-1, shape[2])
        key.sort(axis=1)
        there = int((key != ABSENT).sum(axis=1).max(initial=0))
        key = key[:, :there]
        moment: Times = (key >> ZONE_BITS).astype(np.float32)
        moment = moment / np.float32(TICKS_PER_MIN) + np.float32(EARLIEST_MIN)
        moment[key == ABSENT] = np.inf
        return moment, (key & (2**ZONE_BITS - 1)).astype(np.int8)

    def _expected(self, part: Part) -> tuple[Times, Times, NDArray[np.int32]]:
        """Return start, width, zone of each person expected, ``[site, person]``; NaN: nobody."""
        visits = self.visits
        rows = [slice(a, b) for a, b in zip(part.first.tolist(), part.end.tolist(), strict=True)]
        counts = [more_people(visits.people[r], self.case.people) for r in rows]
        most = max(int(c.sum()) for c in counts)
        start = np.full((len(rows), most), np.nan, dtype=np.float32)
        width = np.zeros(start.shape, dtype=np.float32)
        zone = np.zeros(start.shape, dtype=np.int32)
        for site, (row, count) in enumerate(zip(rows, counts, strict=True)):
            size = int(count.sum())
            start[site, :size] = np.repeat(visits.start_min[row], count)
            width[site, :size] = np.repeat(visits.width_min[row], count)
            zone[site, :size] = np.repeat(visits.zone[row], count)
        return start, width, zone

    def _opening(self, part: Part, arrivals: Times) -> Times:
        clock = self.instance.clock
        table = opening_table(clock, part.hours, clock.end_min + 1440)
        last = len(table) - 1
        minute = np.minimum(arrivals - EARLIEST_MIN, last)
        return table[minute.astype(np.int32)]

    # Service

    def _serve(self, part: Part, ready: Times, rng: np.random.Generator) -> tuple[Times, Times]:
        """Return when people leave the queue and are done, ``[row, person]``."""
        settings = self.instance.settings
        rate = self.instance.sites.people_per_lane_hour[part.sites]
        swab = np.repeat(60 / rate, self.replications).astype(np.float32)
        cv = settings.queue.swab_cv
        if cv:
            work = rng.standard_gamma(1 / cv**2, ready.shape, dtype=np.float32)
            work *= swab * np.float32(cv**2)
        else:
            work = np.broadcast_to(swab, ready.shape)
        pace, came = self._pace(rate), ready
        ready = ready if pace is None else pace.to_work(ready)
        rules = settings.simulate
        if rules.group_people > 1:
            leave, done = serve_groups(
                ready, work, part.lanes, rules.group_people, rules.group_wait_min
            )
        else:
            leave, done = serve(ready, work, part.lanes)
        if pace is not None:
            at_once = leave <= ready
            leave, done = pace.to_minute(leave), pace.to_minute(done)
            leave = np.where(at_once, came, leave)  # not a rounding later
        return np.ascontiguousarray(leave.T), np.ascontiguousarray(done.T)

    def _pace(self, rate: Floats) -> Pace | None:
        if self.case.down is None:
            return None
        speed = np.minimum(1.0, DOWN_PEOPLE_PER_LANE_HOUR / rate)
        return Pace(self.case.down, np.repeat(speed, self.replications))

    # What is seen

    def _observe(
        self, part: Part, people: tuple[Times, NDArray[np.int8]], served: tuple[Times, Times]
    ) -> Stay:
        arrivals, zone = people
        leave, done = served
        there = np.isfinite(arrivals)
        shape = (len(part.sites), self.replications)
        row, _ = np.nonzero(there)
        wait = (leave[there] - arrivals[there]).clip(0)
        stay = (done[there] - arrivals[there]).clip(0)
        last = np.where(there, done, -np.inf).max(axis=1, initial=-np.inf)
        return Stay(
            peaks=self._peaks(arrivals, leave).reshape(*shape, -1),
            waits=_histogram(row, wait, len(arrivals)).reshape(*shape, -1),
            stays=_histogram(row, stay, len(arrivals)).reshape(*shape, -1),
            wait_min=_sums(row, wait, len(arrivals)).reshape(shape),
            stay_min=_sums(row, stay, len(arrivals)).reshape(shape),
            longest_min=_most(there, wait).reshape(shape),
            last_min=last.reshape(shape),
            swabbed=self._swabbed(part, row, zone[there], done[there]),
        )

    def _peaks(self, arrivals: Times, leave: Times) -> NDArray[np.int32]:
        """Return the most people waiting in each slot, ``[row, slot]``.

        The number is largest at a slot's start or just after an arrival: arrivals so far less
        those who left by then; who leaves on arrival never waits. The last slot is open-ended, the
        first begins with the first who comes.
        """
        slot_min, slots = self.instance.settings.round.slot_minutes, self.num_slots
        edges = np.arange(slots, dtype=np.float64) * slot_min
        came, gone = _counts(arrivals, edges), _counts(leave, edges)
        peaks: NDArray[np.int32] = np.maximum(came - gone, 0).astype(np.int32)
        there = np.isfinite(arrivals)
        so_far = np.broadcast_to(np.arange(1, arrivals.shape[1] + 1), arrivals.shape)[there]
        waiting = (so_far - _left_by(arrivals, leave, there)).astype(np.int32)
        row, _ = np.nonzero(there)
        slot = (arrivals[there] / slot_min).astype(np.int64).clip(0, slots - 1)
        segment = row * slots + slot
        firsts = np.flatnonzero(np.diff(segment, prepend=-1))
        if len(firsts):
            highest = np.maximum.reduceat(waiting, firsts)
            flat = peaks.reshape(-1)
            flat[segment[firsts]] = np.maximum(flat[segment[firsts]], highest)
        return peaks

    def _swabbed(self, part: Part, row: Ints, zone: NDArray[np.int8], done: Times) -> Ints:
        """Return rows (site, replication, wave, zone, people) by the wave a swab ended in."""
        if not len(row):
            return np.empty((0, 5), dtype=np.int64)
        wave = np.maximum(done / self.instance.settings.round.wave_minutes, 0).astype(np.int64)
        waves = int(wave.max()) + 1
        key = (row * waves + wave) << ZONE_BITS | zone
        count = np.bincount(key)
        some = np.flatnonzero(count)
        place = some >> ZONE_BITS
        site_row, wave = place // waves, place % waves
        site, replication = part.sites[site_row // self.replications], site_row % self.replications
        kind = some & (2**ZONE_BITS - 1)
        return np.column_stack((site, replication, wave, kind, count[some]))


def _sums(row: Ints, value: Times, rows: int) -> Floats:
    return np.bincount(row, value, rows).astype(np.float64)


def _histogram(row: Ints, value: Times, rows: int) -> NDArray[np.int32]:
    """Return people by row and half-minute."""
    bins = np.minimum(value / np.float32(BIN_MIN), NUM_BINS - 1).astype(np.int64)
    count = np.bincount(row * NUM_BINS + bins, minlength=rows * NUM_BINS)
    return count.astype(np.int32).reshape(rows, NUM_BINS)


def _most(there: Flags, value: Times) -> Floats:
    table = np.zeros(there.shape, dtype=np.float32)
    table[there] = value
    most: Floats = table.max(axis=1, initial=0.0).astype(np.float64)
    return most


def _keyed(times: Times) -> Floats:
    """Return moments that ascend over all rows together."""
    far = 1e6 * np.arange(len(times))[:, None]
    keyed: Floats = np.minimum(times, 5e5) + far
    return keyed


def _counts(times: Times, edges: Floats) -> Ints:
    """Return how many of each row's ascending moments lie at or before the edges, exclusive."""
    rows = np.arange(len(times))[:, None]
    keyed = _keyed(times)
    found = np.searchsorted(keyed.reshape(-1), edges + 1e6 * rows)
    counts: Ints = found - rows * times.shape[1]
    return counts


def _left_by(arrivals: Times, leave: Times, there: Flags) -> Ints:
    """Return how many of the same row have left the queue at each arrival."""
    rows, _ = np.nonzero(there)
    found = np.searchsorted(_keyed(leave).reshape(-1), _keyed(arrivals)[there], side="right")
    left: Ints = found - rows * leave.shape[1]
    return left
