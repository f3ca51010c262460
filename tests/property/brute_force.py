"""The optimum of a tiny round by trying everything; shares no code with the solver.

Serves rounds with fixed sites open all the time, labs that are open all day and take every pool
size, travel from ``travel.csv`` and a start at a full hour.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from itertools import combinations_with_replacement

import numpy as np

from scheduler.domain.instance import Instance
from scheduler.domain.metrics import walk_metres
from scheduler.domain.verify.people import lane_quotas

Choice = tuple[int, int, tuple[int, ...], float]  # site, first slot, people by slot, walk cost
Batch = tuple[int, int, int]  # site, wave, zone

LAB_HOURS = 10


class BruteForce:
    """Tries every choice of every block; labs by a recursion over their free places."""

    def __init__(self, instance: Instance, *, may_leave_out: bool) -> None:
        self.instance, self.may_leave_out = instance, may_leave_out
        self.settings = instance.settings
        self.weights = self.settings.weights
        self.slot_min = self.settings.round.slot_minutes
        self.num_slots = instance.clock.num_slots
        self.quota = lane_quotas(instance).tolist()
        self.pool = self.settings.pooling.by_zone()
        self.zone = instance.block_zone.tolist()
        self.community = instance.blocks.community_index.tolist()
        self.finish = self.weights.finish.by_zone()
        self.best = float("inf")
        self.labs = lru_cache(maxsize=None)(self._labs)

    def run(self) -> float:
        """Return the least cost of any plan, person-minutes."""
        blocks = range(len(self.instance.blocks))
        self.choices = [list(self._choices(block)) for block in blocks]
        self._place(0, {}, 0.0, set())
        return self.best

    def _choices(self, block: int) -> Iterator[Choice]:
        size = int(self.instance.demand[block])
        least = 0 if self.may_leave_out else size
        for people in range(size, least - 1, -1):
            if people == 0:
                yield -1, 0, (), self.weights.unserved * size
                continue
            for site, quota in enumerate(self.quota):
                metres = walk_metres(self.instance, np.array([block]), np.array([site]))[0]
                cost = self.weights.walk * metres / self.settings.walk.metres_per_min * people
                cost += self.weights.unserved * (size - people)
                for parts in _parts(people, quota):
                    for first in range(self.num_slots - len(parts) + 1):
                        yield site, first, parts, cost

    def _place(
        self,
        block: int,
        people: dict[tuple[int, int, int], int],
        cost: float,
        uses: set[tuple[int, int]],
    ) -> None:
        if cost >= self.best:
            return
        if block == len(self.choices):
            if self._zones_apart(people):
                self.best = min(self.best, cost + self._late(people))
            return
        zone, community = self.zone[block], self.community[block]
        for site, first, parts, own in self.choices[block]:
            after = dict(people)
            total = cost + own
            for step, count in enumerate(parts):
                key = site, first + step, zone
                after[key] = after.get(key, 0) + count
                total += self.finish[zone] * count * (first + step) * self.slot_min
            if any(count > self.quota[key[0]] for key, count in after.items()):
                continue
            now = set(uses)
            if site >= 0 and (community, site) not in uses:
                total += self.weights.split * any(c == community for c, _ in uses)
                now.add((community, site))
            self._place(block + 1, after, total, now)

    def _zones_apart(self, people: dict[tuple[int, int, int], int]) -> bool:
        clearing = self.settings.sites.clearing_min
        for site, slot, zone in people:
            for other, later, lax in people:
                if site != other or zone >= lax:
                    continue
                if later == slot:
                    return False
                if later > slot and (later - slot - 1) * self.slot_min < clearing:
                    return False
        return True

    def _late(self, people: dict[tuple[int, int, int], int]) -> float:
        """Return the least cost of lateness, infinite where the labs cannot take the tubes."""
        per_wave = self.instance.clock.slots_per_wave
        batches: dict[Batch, list[int]] = {}
        for (site, slot, zone), count in sorted(people.items()):
            batch = batches.setdefault((site, slot // per_wave, zone), [0, slot])
            batch[0] += count
        rows = tuple((key, *value) for key, value in sorted(batches.items()))
        rate = self.instance.labs.tubes_per_hour.tolist()
        return self.labs(rows, tuple(r for r in rate for _ in range(LAB_HOURS)))

    def _labs(self, rows: tuple[tuple[Batch, int, int], ...], free: tuple[int, ...]) -> float:
        if not rows:
            return 0.0
        (batch, people, oldest), rest = rows[0], rows[1:]
        pool = self.pool[batch[2]]
        starts = self._starts(batch, oldest)
        best = float("inf")
        for chosen in combinations_with_replacement(starts, -(-people // pool)):
            left = list(free)
            for _, place in chosen:
                left[place] -= 1
            if min(left) < 0:
                continue
            cost, waiting = 0.0, people
            for late, _ in chosen:  # in order of lateness: the last tube is the part-filled one
                inside = min(pool, waiting)
                cost += self.weights.late * late * inside
                waiting -= inside
            if cost < best:
                best = min(best, cost + self.labs(rest, tuple(left)))
        return best

    def _starts(self, batch: Batch, oldest: int) -> list[tuple[int, int]]:
        """Return (minutes late, lab x LAB_HOURS + hour) in order of lateness."""
        site, wave, _ = batch
        settings, found = self.settings, []
        wave_min = settings.round.wave_minutes
        for lab, processing in enumerate(self.instance.labs.processing_min.tolist()):
            travel = int(self.instance.travel_min[site, lab]) + settings.travel.handling_min
            arrive = (wave + 1) * wave_min + travel
            if arrive - oldest * self.slot_min > settings.targets.max_holding_min:
                continue
            for hour in range(arrive // 60, LAB_HOURS):
                result = max(arrive, hour * 60) + processing
                late = result - wave * wave_min - settings.targets.result_hours * 60
                found.append((int(max(0, late)), lab * LAB_HOURS + hour))
        return sorted(found)


def _parts(people: int, most: int) -> Iterator[tuple[int, ...]]:
    """Yield every way of calling people in consecutive slots."""
    if people == 0:
        yield ()
        return
    for first in range(1, min(people, most) + 1):
        for rest in _parts(people - first, most):
            yield (first, *rest)
