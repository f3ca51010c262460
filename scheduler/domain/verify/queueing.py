"""The verifier's own queue: people, lanes and waiting ground lived through event by event.

It decides rule 2's spacing: with the same number called in every slot, the peak number waiting in
a slot must fit the places with the ordered probability. Waiting means arrived and not yet at a
lane. The runs have fixed seeds; a plan is only blamed beyond the statistical doubt of the runs:
three standard errors between runs, and at least 0.01.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from heapq import heapreplace

import numpy as np

from scheduler.domain.city import Floats, Ints
from scheduler.domain.instance import Instance
from scheduler.domain.settings import QueueSettings

NUM_RUNS = 8
WARM_UP_SLOTS = 40  # dropped; long against the memory of a queue at 95 % load
MOST_SLOTS = 200  # measured in each run
MOST_PEOPLE = 200_000  # in all runs of a desk
QUICK_PEOPLE = 20_000  # in runs that only clear desks far from the limit
RATE_CLASSES = 16  # similar desks: rates within a factor of 2 ** (1 / 16), about 4 %
LEAST_SLOTS = 40
LEAST_DOUBT = 0.01
DOUBT_ERRORS = 3.0
SEED = 20201222


@dataclass(frozen=True)
class Desk:
    """Parallel lanes and the people called to them in each slot; rate in people per hour."""

    lanes: int
    rate: float
    called: int

    @classmethod
    def of(cls, instance: Instance, site: int, called: int) -> Desk:
        """Return the desk of a site."""
        sites = instance.sites
        return cls(int(sites.lanes[site]), float(sites.people_per_lane_hour[site]), called)


class QueueTrial:
    """Runs of desks; each desk is lived through once."""

    def __init__(self, queue: QueueSettings, slot_min: int, level: float) -> None:
        self.queue, self.slot_min, self.level = queue, slot_min, level
        self._peaks: dict[tuple[Desk, int], Ints] = {}
        self._shares: dict[tuple[Desk, int, int], tuple[float, float]] = {}

    def shares(self, desks: Sequence[Desk], places: Sequence[int]) -> dict[int, float]:
        """Return, by position, the share of slots that fit, of those desks where too few do.

        Places that hold the queue of a slower desk with more people called hold the desk's own:
        first a quick run of the worst of all similar desks, then of the fullest of its kind.
        """
        similar = _worst_by(desks, [(desk.lanes, _rate_class(desk.rate)) for desk in desks])
        kind = _worst_by(desks, [(desk.lanes, desk.rate) for desk in desks])
        failing = {}
        for position, (desk, room) in enumerate(zip(desks, places, strict=True)):
            if self.surely_fits(similar[position], room, QUICK_PEOPLE):
                continue
            if not self._may_fit(kind[position], room) and not self._may_fit(desk, room):
                failing[position] = float(np.mean(self.peaks(desk) <= room))
        return failing

    def surely_fits(self, desk: Desk, places: int, people: int = MOST_PEOPLE) -> bool:
        """Return whether the share that fits is above the level beyond doubt, or all."""
        share, doubt = self._share(desk, places, people)
        return share >= min(1.0, self.level + doubt)

    def _may_fit(self, desk: Desk, places: int) -> bool:
        share, doubt = self._share(desk, places, MOST_PEOPLE)
        return share >= self.level - doubt

    def _share(self, desk: Desk, places: int, people: int) -> tuple[float, float]:
        asked = desk, places, people
        if asked not in self._shares:
            fits = np.mean(self.peaks(desk, people) <= places, axis=1)
            error = float(np.std(fits, ddof=1)) / np.sqrt(NUM_RUNS)
            self._shares[asked] = float(np.mean(fits)), max(LEAST_DOUBT, DOUBT_ERRORS * error)
        return self._shares[asked]

    def peaks(self, desk: Desk, people: int = MOST_PEOPLE) -> Ints:
        """Return the peak number waiting, shape [run, slot], after the warm-up.

        ``people`` is how many are lived through, so that large desks cost no more than small ones.
        """
        if (desk, people) not in self._peaks:
            budget = people // (NUM_RUNS * max(1, desk.called)) - WARM_UP_SLOTS
            num_slots = WARM_UP_SLOTS + min(MOST_SLOTS, max(LEAST_SLOTS, budget))
            runs = [self._run(desk, num_slots, run) for run in range(NUM_RUNS)]
            self._peaks[desk, people] = np.stack(runs)
        return self._peaks[desk, people]

    def _run(self, desk: Desk, num_slots: int, run: int) -> Ints:
        random = np.random.default_rng([SEED, run, desk.lanes, desk.called])
        arrivals = self._arrivals(desk, num_slots, random)
        begins = first_come_first_served(
            arrivals, self._swabs(desk, len(arrivals), random), desk.lanes
        )
        slots = np.arange(num_slots, dtype=np.float64) * self.slot_min
        return peak_waiting(arrivals, begins, slots)[WARM_UP_SLOTS:]

    def _arrivals(self, desk: Desk, num_slots: int, random: np.random.Generator) -> Floats:
        queue = self.queue
        # one more slot, whose early comers stand in the last slot that is measured
        slots = np.repeat(np.arange(num_slots + 1) * float(self.slot_min), desk.called)
        times = slots - queue.early_mean_min
        times = times + queue.punctuality_sd_min * random.standard_normal(len(slots))
        return np.sort(times[random.random(len(slots)) >= queue.no_show])

    def _swabs(self, desk: Desk, size: int, random: np.random.Generator) -> Floats:
        mean = 60 / desk.rate
        cv = self.queue.swab_cv
        if cv == 0:
            return np.full(size, mean)
        return random.gamma(1 / cv**2, mean * cv**2, size)


def _rate_class(rate: float) -> int:
    return int(np.floor(RATE_CLASSES * np.log2(rate)))


def _worst_by(desks: Sequence[Desk], groups: Sequence[Hashable]) -> list[Desk]:
    """Return, for each desk, the slowest rate and the most people called in its group."""
    worst: dict[Hashable, Desk] = {}
    for desk, group in zip(desks, groups, strict=True):
        other = worst.get(group, desk)
        worst[group] = Desk(desk.lanes, min(desk.rate, other.rate), max(desk.called, other.called))
    return [worst[group] for group in groups]


def first_come_first_served(arrivals: Floats, swabs: Floats, lanes: int) -> Floats:
    """Return the minute at which each arrival, in order, gets a lane."""
    free = [-np.inf] * lanes
    begins = []
    for arrival, swab in zip(arrivals.tolist(), swabs.tolist(), strict=True):
        begin = max(arrival, free[0])
        heapreplace(free, begin + swab)
        begins.append(begin)
    return np.array(begins, dtype=np.float64)


def peak_waiting(arrivals: Floats, begins: Floats, slots: Floats) -> Ints:
    """Return the largest number waiting in each slot; the last slot ends with the events.

    At one instant people go to a lane first, then the slot begins, then people arrive; who gets a
    lane on arrival never waits.
    """
    waits = begins > arrivals
    times = np.concatenate([begins[waits], slots, arrivals[waits]])
    kinds = np.repeat([-1, 0, 1], [waits.sum(), len(slots), waits.sum()])
    order = np.lexsort((kinds, times))
    waiting = np.cumsum(kinds[order])
    bounds = np.flatnonzero(kinds[order] == 0)
    peaks: Ints = np.maximum.reduceat(waiting, bounds).astype(np.int64)
    return peaks
