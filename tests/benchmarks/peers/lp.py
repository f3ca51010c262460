"""The linear relaxation in HiGHS's interior point (through scipy): a bound and no plan.

People of a block spread over all its candidate sites and over slots, tubes are not whole, sites
cost nothing to open for a community (``split``), zones share slots. Sites from which every lab
lies in the same hours stand as one before the labs: that loses nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import csr_array

from scheduler.domain.city import Floats, Ints
from tests.benchmarks.peers.ground import HOUR_MIN, MOST_HOURS, NEVER, Ground


@dataclass
class _Rows:
    """Sparse rows ``sum of cells (=, <=) limit`` as they are added."""

    limits: list[Floats] = field(default_factory=list)
    cells: list[tuple[Ints, Ints, Floats]] = field(default_factory=list)
    count: int = 0

    def add(self, limits: Floats | Ints) -> int:
        """Add rows and return the number of the first."""
        self.limits.append(np.asarray(limits, dtype=np.float64))
        self.count += len(limits)
        return self.count - len(limits)

    def put(self, row: Ints, column: Ints, value: Floats | float) -> None:
        """Add cells to rows."""
        values = np.broadcast_to(np.asarray(value, dtype=np.float64), len(column))
        self.cells.append((row, column, values))

    def matrix(self, num_columns: int) -> csr_array:
        """Return the rows as a matrix."""
        row, column, value = (np.concatenate(c) for c in zip(*self.cells, strict=True))
        return csr_array((value, (row, column)), shape=(self.count, num_columns))


class Relaxation:
    """Columns and rows; a *door* is a site and a zone that has candidates there."""

    def __init__(self, ground: Ground) -> None:
        self.ground = ground
        self.cost: list[Floats] = []
        self.count = 0
        self.equal, self.upper = _Rows(), _Rows()
        self._add_people()
        self._add_slots()
        self._add_labs()

    def solve(self, seconds: float) -> tuple[str, float | None]:
        """Return how HiGHS ended, and the value in person-minutes if it is optimal."""
        result = linprog(  # type: ignore[call-overload]  # its stubs lack sparse matrices
            np.concatenate(self.cost),
            A_ub=self.upper.matrix(self.count),
            b_ub=np.concatenate(self.upper.limits),
            A_eq=self.equal.matrix(self.count),
            b_eq=np.concatenate(self.equal.limits),
            method="highs-ipm",
            options={"time_limit": seconds},
        )
        if result.status == 0:
            return "optimal", float(result.fun)
        return str(result.message), None

    def _columns(self, cost: Floats) -> Ints:
        """Add columns from 0 upwards at a cost each, and return their numbers."""
        self.cost.append(cost)
        self.count += len(cost)
        return np.arange(self.count - len(cost), self.count)

    def _add_people(self) -> None:
        """Spread the people of each block over its candidates; who is left out is dear."""
        ground, instance = self.ground, self.ground.instance
        weights, pairs = instance.settings.weights, ground.pairs
        blocks = np.flatnonzero(instance.demand > 0)
        walk = pairs.walk_m / instance.settings.walk.metres_per_min * weights.walk
        x = self._columns(walk)
        left = self._columns(np.full(len(blocks), weights.unserved))
        row = self.equal.add(instance.demand[blocks])
        self.equal.put(row + np.searchsorted(blocks, pairs.block), x, 1.0)
        self.equal.put(row + np.arange(len(blocks)), left, 1.0)
        key = pairs.site * 4 + instance.block_zone[pairs.block]
        self.doors, door = np.unique(key, return_inverse=True)
        self.arrive = self.equal.add(np.zeros(len(self.doors)))
        self.equal.put(self.arrive + door, x, 1.0)

    def _add_slots(self) -> None:
        """Call the people of each door in slots, together within the site's quota."""
        ground, settings = self.ground, self.ground.instance.settings
        weight = np.array(settings.weights.finish.by_zone())
        door, slot = np.nonzero(ground.offered[self.doors // 4])
        cost = weight[self.doors[door] % 4] * slot * settings.round.slot_minutes
        v = self._columns(cost)
        self.equal.put(self.arrive + door, v, -1.0)
        site = self.doors[door] // 4
        places, place = np.unique(np.stack((site, slot)), axis=1, return_inverse=True)
        row = self.upper.add(ground.quota[places[0]])
        self.upper.put(row + place.ravel(), v, 1.0)
        self.called = v, door, slot // ground.instance.clock.slots_per_wave

    def _add_labs(self) -> None:
        """Send people from classes of sites to lab hours."""
        ground = self.ground
        late = ground.late_min(relaxed=True)
        distinct, group = np.unique(late, axis=0, return_inverse=True)
        v, door, wave = self.called
        key = np.stack((group.ravel()[self.doors[door] // 4], wave, self.doors[door] % 4))
        batches, batch = np.unique(key, axis=1, return_inverse=True)
        row = self.equal.add(np.zeros(batches.shape[1]))
        self.equal.put(row + batch.ravel(), v, -1.0)
        here = distinct[batches[0], batches[1]]  # [batch, lab, hour]
        good = (here != NEVER).any(axis=2) & ground.lab_takes[batches[2]]
        at, lab = np.nonzero(good)
        sent = self._columns(np.zeros(len(at)))
        self.equal.put(row + at, sent, 1.0)
        pool = np.array(ground.pool)[batches[2][at]]
        desks = np.column_stack((batches[1][at], lab, pool, here[at, lab]))
        self._start(sent, desks)

    def _start(self, sent: Ints, desks: Ints) -> None:
        """Start tubes in lab hours; rows of ``desks`` are wave, lab, pool size, minutes late.

        What reaches a lab from one wave, with one pool size and the same hours, is one desk.
        """
        ground = self.ground
        alike, desk = np.unique(desks, axis=0, return_inverse=True)
        row = self.equal.add(np.zeros(len(alike)))
        self.equal.put(row + desk.ravel(), sent, -1.0)
        wave, lab, pool = alike[:, 0], alike[:, 1], alike[:, 2]
        at, hour = np.nonzero(alike[:, 3:] != NEVER)
        late = np.asarray(alike[at, hour + 3], dtype=np.float64)
        late *= ground.instance.settings.weights.late
        started = self._columns(late)
        self.equal.put(row + at, started, 1.0)
        first = np.array([ground.first_hour(w) for w in range(len(ground.pickup_min))])
        self._start_later(row, wave, lab, first[wave])
        self._keep_capacity(started, lab[at], first[wave[at]] + hour, 1 / pool[at])

    def _start_later(self, row: int, wave: Ints, lab: Ints, first: Ints) -> None:
        """Let tubes start after the hours looked at, without limit, as late as that must be."""
        instance = self.ground.instance
        settings = instance.settings
        start = self.ground.hours.begin_min[first + MOST_HOURS] + HOUR_MIN
        due = wave * settings.round.wave_minutes + settings.targets.result_hours * HOUR_MIN
        late = np.maximum(0.0, start + instance.labs.processing_min[lab] - due)
        later = self._columns(settings.weights.late * late)
        self.equal.put(row + np.arange(len(later)), later, 1.0)

    def _keep_capacity(self, sent: Ints, lab: Ints, hour: Ints, tubes: Floats) -> None:
        """Hold lab hours, and lab days where they are limited, to what they can start."""
        hours, limit = self.ground.hours, self.ground.instance.labs.max_tubes_per_day
        row = self.upper.add(hours.capacity.ravel())
        self.upper.put(row + lab * len(hours) + hour, sent, tubes)
        day = hours.day - hours.day.min()
        num_days = int(day.max()) + 1
        row = self.upper.add(np.repeat(np.maximum(limit, 0), num_days))  # no limit: no cells
        limited = limit[lab] >= 0
        where = row + lab * num_days + day[hour]
        self.upper.put(where[limited], sent[limited], tubes[limited])
