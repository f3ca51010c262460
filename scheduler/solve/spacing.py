"""People that may be called to a site in a slot: what its lanes swab and what its ground holds.

The queue of a site is simulated. In every slot the same number of people is called for the slot's
start; each stays away with probability ``no_show`` or else arrives ``early_mean_min`` before it,
spread by a normal distribution of ``punctuality_sd_min``. They are swabbed first come first served
at parallel lanes; swab times are gamma distributed with mean 60 / rate minutes and coefficient of
variation ``swab_cv``. Waiting means arrived and not yet at a lane; the peak of a slot is the most
people waiting at once during it. Residents arrive as a batch per slot, so that the formulas of a
steady stream (M/M/c) do not tell the peak.

The lanes follow the recursion of Kiefer and Wolfowitz (1955), On the theory of queues with many
servers, doi 10.1090/S0002-9947-1955-0066587-0: the sorted times at which lanes fall free are the
state, and an arrival takes the first. Many independent queues are computed as one array, always
with the same random numbers, so that a quota is the same in every run.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import ceil, inf

import numpy as np
from numpy.typing import NDArray

from scheduler.domain.city import Ints
from scheduler.domain.explain import lane_quota
from scheduler.domain.instance import Instance
from scheduler.domain.settings import QueueSettings

Times = NDArray[np.float32]  # minutes; a queue of days is still exact to a tenth of a second

SEED = 19550101
MEASURED_SLOTS = 8  # of each queue; more queues tell more than longer ones
PEOPLE_PER_SLOT = 50_000  # in all queues together: peaks of large sites vary less
FEWEST_QUEUES, MOST_QUEUES = 32, 1024
MOST_PEOPLE_PER_SLOT = 100_000  # beyond it fewer queues still, and at least 4
LEAST_WARM_UP_SLOTS = 3
NO_SPARE = 1e-9  # swabs per slot, below which lanes never catch up
SPREADS = 3.0  # standard deviations within which nearly everybody arrives
GLANCE = 8  # one in so many queues tells whether the ground is ample
AMPLE_SHARE, AMPLE_PLACES = 1.5, 5  # places beyond what a glance asks for
CLOSE_ENOUGH = 100  # the search ends when the quota is known to one person or one in so many


def site_quota(instance: Instance) -> Ints:
    """Return the people that may be called to each site in one slot, shape (sites,).

    The lesser of what the lanes swab at ``max_load`` and what the ground holds: with that number
    called in every slot, the peak number waiting is within the places with probability
    ``queue_service_level``. It is 0 where the ground does not hold the queue of one person a slot.
    """
    sites, targets = instance.sites, instance.settings.targets
    quota = lane_quota(instance).copy()
    places = np.floor(sites.queue_length_m / targets.spacing_m + 1e-9).astype(np.int64)
    crowd = Crowd(instance.settings.queue, instance.settings.round.slot_minutes)
    kinds = np.column_stack([sites.lanes, sites.people_per_lane_hour])
    distinct, kind = np.unique(kinds, axis=0, return_inverse=True)
    for row, (lanes, rate) in enumerate(distinct.tolist()):
        here = np.flatnonzero(kind.reshape(-1) == row)
        desk = Desk(int(lanes), rate, int(quota[here[0]]))
        ground = Ground(crowd, desk, targets.queue_service_level)
        rooms, room = np.unique(places[here], return_inverse=True)
        quota[here] = np.array([ground.quota(int(r)) for r in rooms], dtype=np.int64)[room]
    return quota


@dataclass(frozen=True)
class Desk:
    """Parallel lanes, people per lane and hour, and the most that may be called in a slot."""

    lanes: int
    rate: float
    most: int


class Ground:
    """Quotas of sites with the same lanes and different ground; each queue is simulated once."""

    def __init__(self, crowd: Crowd, desk: Desk, level: float) -> None:
        self._crowd, self._desk, self._level = crowd, desk, level
        self._needed: dict[int, float] = {0: 0.0}

    def quota(self, places: int) -> int:
        """Return the most people per slot whose queue the places hold."""
        if AMPLE_SHARE * self._at_a_glance + AMPLE_PLACES <= places:
            return self._desk.most
        if self.places_needed(self._desk.most) <= places:
            return self._desk.most
        low, high = self._bracket(places)
        halve = False
        while high - low > max(1, high // CLOSE_ENOUGH):
            self.places_needed(self._between(low, high, None if halve else places))
            before = high - low
            low, high = self._bracket(places)
            halve = 2 * (high - low) > before
        return low

    def places_needed(self, called: int) -> float:
        """Return the places that hold the peak of a slot with the ordered probability."""
        if called not in self._needed:
            self._needed[called] = self._simulate(called, _queues_of(self._desk))
        return self._needed[called]

    @cached_property
    def _at_a_glance(self) -> float:
        """Places that the lane quota needs, roughly: most sites have far more."""
        most = self._desk.most
        return self._simulate(most, max(_queues_of(self._desk) // GLANCE, 4)) if most else 0.0

    def _simulate(self, called: int, queues: int) -> float:
        peaks = self._crowd.peaks(self._desk, called, queues)
        if peaks is None:
            return inf
        rank = ceil(self._level * peaks.size - 1e-9) - 1
        return float(np.partition(peaks.reshape(-1), rank)[rank])

    def _bracket(self, places: int) -> tuple[int, int]:
        """Return a known number whose queue fits, and the next known one, whose queue does not."""
        high = min(called for called, needed in self._needed.items() if needed > places)
        return max(called for called in self._needed if called < high), high

    def _between(self, low: int, high: int, places: int | None) -> int:
        """Return a number strictly between: where a straight line reaches the places, or half."""
        least, most = self._needed[low], self._needed[high]
        if places is None or most == inf:
            return (low + high) // 2
        share = (places + 0.5 - least) / (most - least)
        return min(max(low + round(share * (high - low)), low + 1), high - 1)


class Crowd:
    """How people arrive and how long their swabs take; draws the queues of desks."""

    def __init__(self, queue: QueueSettings, slot_min: int) -> None:
        self._queue, self._slot_min = queue, slot_min
        # a whole slot earlier is the same queue with another name
        self._early_min = queue.early_mean_min % slot_min
        spread_min = SPREADS * queue.punctuality_sd_min
        # slots whose late, or early, people stand in the first, or last, slot of interest
        self._lead = ceil(spread_min / slot_min)
        self._trail = ceil((self._early_min + spread_min) / slot_min)
        self._pool: tuple[Times, Times, Times] = self._draw(0)

    def peaks(self, desk: Desk, called: int, queues: int) -> Ints | None:
        """Return the peak number waiting, shape [queue, slot], or None where it grows for ever."""
        backlog = self._mean_backlog(desk, called)
        if backlog == inf:
            return None
        warm_up = self._warm_up(desk, called, backlog)
        num_slots = warm_up + MEASURED_SLOTS + self._trail
        arrivals, swabs, free_min = self._people(desk, called, (queues, num_slots), backlog)
        begins = first_come_first_served(arrivals.T, swabs, desk.lanes, free_min).T
        edges = np.arange(warm_up, warm_up + MEASURED_SLOTS, dtype=np.int64)
        return peak_waiting(arrivals, np.ascontiguousarray(begins), edges, self._slot_min)

    def _per_slot(self, desk: Desk, called: int) -> tuple[float, float]:
        """Return the spare swabs of a slot, and the variance of people less swabs in it."""
        show = 1 - self._queue.no_show
        spare = desk.lanes * desk.rate * self._slot_min / 60 - called * show
        variance = called * show * (self._queue.no_show + self._queue.swab_cv**2)
        return spare, variance

    def _mean_backlog(self, desk: Desk, called: int) -> float:
        """Return the people left over from slot to slot, as Brownian motion in heavy traffic.

        Kingman (1962): exponential with mean variance / (2 x spare). A queue that begins so is
        steady soon; one that begins empty takes hundreds of slots near full load.
        """
        spare, variance = self._per_slot(desk, called)
        if variance == 0 and spare > -NO_SPARE:
            return 0.0
        return variance / (2 * spare) if spare > NO_SPARE else inf

    def _warm_up(self, desk: Desk, called: int, backlog: float) -> int:
        spare, _ = self._per_slot(desk, called)
        swab_slots = SPREADS * 60 / desk.rate / self._slot_min
        settle = 4 * backlog / spare if backlog else 0.0
        cap = 10 + 1000 // max(1, called)
        return self._lead + LEAST_WARM_UP_SLOTS + min(ceil(settle + swab_slots), cap)

    def _people(
        self, desk: Desk, called: int, shape: tuple[int, int], backlog: float
    ) -> tuple[Times, Times, Times]:
        """Return arrivals [queue, person] in order, swabs [person, queue], lanes free [queue]."""
        queues, num_slots = shape
        people, queue = num_slots * called, self._queue
        spread, stays, work = self._draws(people * queues)
        called_for = np.repeat(np.arange(num_slots, dtype=np.float32) * self._slot_min, called)
        arrivals = spread.reshape(queues, people) * np.float32(queue.punctuality_sd_min)
        arrivals += called_for - np.float32(self._early_min)
        # lanes open between two batches, where least is left over
        open_min = (self._lead - 0.5) * self._slot_min - self._early_min
        gone = (stays.reshape(queues, people) < queue.no_show) | (arrivals < open_min)
        arrivals[gone] = np.inf
        arrivals.sort(axis=1)
        come = int(np.isfinite(arrivals).sum(axis=1).max(initial=0))
        swabs = work.reshape(people, queues)[:come] * np.float32(60 / desk.rate)
        # evenly spread quantiles of the backlog, shared by the lanes
        ranks = (np.arange(queues) + 0.5) / queues
        free_min = open_min - np.log(ranks) * backlog * 60 / desk.rate / desk.lanes
        return np.ascontiguousarray(arrivals[:, :come]), swabs, free_min.astype(np.float32)

    def _draws(self, count: int) -> tuple[Times, Times, Times]:
        if count > len(self._pool[0]):
            self._pool = self._draw(count)
        spread, stays, work = self._pool
        return spread[:count], stays[:count], work[:count]

    def _draw(self, count: int) -> tuple[Times, Times, Times]:
        """Return standard normal, uniform and swab draws (mean 1); more draws begin the same."""
        normal, uniform, gamma = (np.random.default_rng([SEED, part]) for part in range(3))
        squared = self._queue.swab_cv**2
        work = (
            gamma.standard_gamma(1 / squared, count, dtype=np.float32) * np.float32(squared)
            if squared
            else np.ones(count, dtype=np.float32)
        )
        return (
            normal.standard_normal(count, dtype=np.float32),
            uniform.random(count, dtype=np.float32),
            work,
        )


def _queues_of(desk: Desk) -> int:
    """Return a power of two: the same for every number called, so that they compare."""
    most = max(1, desk.most)
    wanted = min(max(PEOPLE_PER_SLOT // most, FEWEST_QUEUES), MOST_QUEUES)
    affordable = max(MOST_PEOPLE_PER_SLOT // most, 4)
    return 1 << (min(wanted, affordable).bit_length() - 1)


def first_come_first_served(arrivals: Times, swabs: Times, lanes: int, free_min: Times) -> Times:
    """Return when each person gets a lane, shape [person, queue]; persons stand in order.

    ``free_min[queue]`` is when the lanes open.
    """
    queues = arrivals.shape[1]
    arrivals = np.ascontiguousarray(arrivals)
    begins = np.empty_like(arrivals)
    # one lane that never falls free ends the list, so that taking and putting back is one shift
    free = np.full((2, lanes + 1, queues), np.inf, dtype=np.float32)
    free[0, :lanes] = free_min
    now, then = ((half[0], half[:-1], half[1:]) for half in free)
    done = np.empty(queues, dtype=np.float32)
    for arrival, swab, begin in zip(arrivals, swabs, begins, strict=True):
        first, lower, upper = now
        put = then[1]
        np.maximum(arrival, first, out=begin)
        np.add(begin, swab, out=done)
        np.maximum(lower, done, out=put)
        np.minimum(put, upper, out=put)
        now, then = then, now
    return begins


def peak_waiting(arrivals: Times, begins: Times, slots: Ints, slot_min: int) -> Ints:
    """Return the most people waiting at once in each of some consecutive slots, [queue, slot].

    ``arrivals[queue, person]`` and ``begins`` ascend. The number waiting is largest at the slot's
    start or just after an arrival: arrivals so far less swabs begun by then.
    """
    queues = len(arrivals)
    edges = (slots * slot_min).astype(np.float32)
    before = np.array([np.searchsorted(row, edges) for row in arrivals])
    first = int(before[:, 0].min())
    last = int(max(np.searchsorted(row, edges[-1] + slot_min) for row in arrivals))
    arrivals = np.ascontiguousarray(arrivals[:, first:last])
    begun = np.empty(arrivals.shape, dtype=np.int64)
    peaks = np.empty((queues, len(slots)), dtype=np.int64)
    for row in range(queues):
        begun[row] = np.searchsorted(begins[row], arrivals[row], side="right")
        peaks[row] = before[row] - np.searchsorted(begins[row], edges, side="right")
    waiting = np.arange(first + 1, last + 1) - begun
    inside = (arrivals >= edges[0]) & (arrivals < edges[-1] + slot_min)
    slot = (arrivals[inside] / slot_min).astype(np.int64) - slots[0]
    segment = np.nonzero(inside)[0] * len(slots) + slot
    firsts = np.flatnonzero(np.diff(segment, prepend=-1))
    if len(firsts):
        flat = peaks.reshape(-1)
        highest = np.maximum.reduceat(waiting[inside], firsts)
        flat[segment[firsts]] = np.maximum(flat[segment[firsts]], highest)
    return np.maximum(peaks, 0)
