"""Tubes that are not full wait where somebody must: fewer people are late with them.

A flow of whole tubes takes each for a full one. Where labs are behind, a tube with two people in it
that is started before a full one makes ten people wait instead of two; so the two change hours.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scheduler.domain.city import Flags, Floats, Ints
from scheduler.domain.instance import Instance
from scheduler.solve.consign import Batches, Shipments, joined
from scheduler.solve.reach import Promise, start_min
from scheduler.solve.timeline import LabHours


@dataclass(frozen=True)
class Starts:
    """When tubes can be started: ``arrive[batch, lab]`` in minutes, and the promise of ``wave``.

    ``takes[batch, lab]`` tells whether a lab takes the tubes, for their age and pool size.
    """

    hours: LabHours
    promise: Promise
    wave: Ints
    arrive: Ints
    takes: Flags

    @staticmethod
    def of(
        instance: Instance, hours: LabHours, batches: Batches, road_min: Ints, pool: Ints
    ) -> Starts:
        """Return the starts of batches; ``road_min[batch, lab]``, ``pool[batch]``."""
        promise, settings = Promise.of(instance), instance.settings
        arrive = promise.pickup_min[batches.wave][:, None] + road_min
        begin = batches.first_slot * settings.round.slot_minutes
        fresh = arrive - begin[:, None] <= settings.targets.max_holding_min
        return Starts(hours, promise, batches.wave, arrive, fresh & instance.labs.takes(pool))

    def late_min(self, ships: Shipments) -> Ints:
        """Return by how many minutes each shipment's results come after the promise."""
        start, _ = start_min(self.hours, ships.lab, ships.hour, self.arrive[ships.batch, ships.lab])
        return self.promise.late_min(self.wave[ships.batch], ships.lab, start)

    def late_in(self, batch: Ints, lab: Ints, hour: Ints) -> Floats:
        """Return how late tubes are that labs start in hours, inf where they cannot."""
        start, allowed = start_min(self.hours, lab, hour, self.arrive[batch, lab])
        late = self.promise.late_min(self.wave[batch], lab, start)
        return np.where(allowed & self.takes[batch, lab], late, np.inf)


def emptier_last(batches: Batches, ships: Shipments, pool: Ints, starts: Starts) -> Shipments:
    """Return the shipments with tubes swapped while people wait less for it.

    Each tube that is not full, those with fewest people first, changes hours with the full tube
    that lets people wait least, of any lab; ``pool[stream]`` people fill one.
    """
    size = pool[batches.stream[ships.batch]]
    empty = ships.tubes * size - ships.people
    late = starts.late_min(ships)
    full = ships.tubes - (empty > 0)
    some = np.flatnonzero(empty > 0) if late.any() else np.empty(0, dtype=np.int64)
    waiting = np.flatnonzero((late > 0) & (full > 0))
    pairs: list[tuple[int, int]] = []
    for row in some[np.argsort(-empty[some], kind="stable")].tolist():
        rows = waiting[full[waiting] > 0]
        mine, lab, hour = (np.full(len(rows), c[row]) for c in (ships.batch, ships.lab, ships.hour))
        later = starts.late_in(mine, ships.lab[rows], ships.hour[rows]) - late[row]
        sooner = starts.late_in(ships.batch[rows], lab, hour) - late[rows]
        change = (size[row] - empty[row]) * later + size[rows] * sooner
        if change.min(initial=0.0) < 0:
            other = int(rows[np.argmin(change)])
            full[other] -= 1
            pairs.append((row, other))
    return _swapped(ships, size, empty, np.array(pairs)) if pairs else ships


def _swapped(ships: Shipments, size: Ints, empty: Ints, pairs: Ints) -> Shipments:
    """Return the shipments after the tubes of each pair of rows have changed hours.

    The first row's is the one with ``empty[row]`` places, the second row's is full.
    """
    part, other = pairs.T
    few, one = (size - empty)[part], np.ones(len(part), dtype=np.int64)
    tubes, people = ships.tubes.copy(), ships.people.copy()
    tubes[part] -= 1
    people[part] -= few
    np.subtract.at(tubes, other, 1)
    np.subtract.at(people, other, size[other])
    batch = np.r_[ships.batch, ships.batch[part], ships.batch[other]]
    lab = np.r_[ships.lab, ships.lab[other], ships.lab[part]]
    hour = np.r_[ships.hour, ships.hour[other], ships.hour[part]]
    columns = batch, lab, hour, np.r_[tubes, one, one], np.r_[people, few, size[other]]
    left = columns[3] > 0
    return Shipments(*joined(*(column[left] for column in columns)))
