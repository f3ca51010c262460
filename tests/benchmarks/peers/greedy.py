"""The plain greedy: what a careful person would do by hand, one block after the other.

Stricter zones first; within a zone the largest block first, to the nearest site with room, in the
earliest slots, its tubes to the nearest lab that still reports them in time. Only what finds no
place in that way is planned late.
"""

from __future__ import annotations

import numpy as np

from scheduler.domain.city import Flags, Ints
from tests.benchmarks.peers.answer import Answer, Batch, Call, Start
from tests.benchmarks.peers.ground import NEVER, Ground


def solve(ground: Ground) -> Answer:
    """Return the greedy answer of a round."""
    return _Greedy(ground).run()


class _Greedy:
    """Rooms of sites and labs, and what was given away of them."""

    def __init__(self, ground: Ground) -> None:
        self.ground = ground
        self.room: Ints = ground.offered * ground.quota[:, None]
        self.labs: Ints = ground.hours.capacity.copy()
        days = int(ground.hours.day.max()) - int(ground.hours.day.min()) + 1
        limit = ground.instance.labs.max_tubes_per_day
        self.days: Ints = np.repeat(np.where(limit < 0, 1 << 40, limit)[:, None], days, axis=1)
        self.day_of: list[int] = (ground.hours.day - ground.hours.day.min()).tolist()
        self.late = ground.late_min(relaxed=False)
        self.choices: dict[Batch, tuple[list[Start], list[Start]]] = {}
        self.people: dict[Batch, int] = {}
        self.answer = Answer()

    def run(self) -> Answer:
        demand, zone = self.ground.instance.demand, self.ground.instance.block_zone
        order = np.lexsort((-demand, zone))
        last_zone = -1
        for block in order[demand[order] > 0].tolist():
            if zone[block] != last_zone:
                self.room[self._taken()] = 0
                last_zone = int(zone[block])
            if not self._place(block, in_time=True):
                self._place(block, in_time=False)
        return self.answer

    def _taken(self) -> Flags:
        """Return the slots that a laxer zone cannot use: those in use, and their clearing."""
        return taken_slots(self.ground, self.answer.calls)

    def _place(self, block: int, *, in_time: bool) -> bool:
        """Call a block to its nearest site with room, and send its tubes; or change nothing."""
        pairs, zone = self.ground.pairs, int(self.ground.instance.block_zone[block])
        first, end = np.searchsorted(pairs.block, (block, block + 1))
        return any(
            self._place_at(block, site, zone, in_time=in_time)
            for site in pairs.site[first:end].tolist()
        )

    def _place_at(self, block: int, site: int, zone: int, *, in_time: bool) -> bool:
        room: list[int] = self.room[site].tolist()
        slot, num_slots = 0, len(room)
        while slot < num_slots:
            if not room[slot]:
                slot += 1
                continue
            calls, after = self._fill(block, site, room, slot)
            if not calls:
                slot = after
                continue
            full_wave = self._send(calls, zone, in_time=in_time)
            if full_wave is None:
                self._keep(calls)
                return True
            slot = (full_wave + 1) * self.ground.instance.clock.slots_per_wave
        return False

    def _fill(self, block: int, site: int, room: list[int], slot: int) -> tuple[list[Call], int]:
        """Return calls in unbroken slots from ``slot``; none, and where to try next, if too few."""
        calls, waiting = [], int(self.ground.instance.demand[block])
        while waiting:
            if slot == len(room) or not room[slot]:
                return [], slot + 1
            now = min(waiting, room[slot])
            calls.append((block, site, slot, now))
            waiting -= now
            slot += 1
        return calls, slot

    def _send(self, calls: list[Call], zone: int, *, in_time: bool) -> int | None:
        """Book the tubes of some calls; where a wave's find no lab, undo and return that wave."""
        per_wave, pool = self.ground.instance.clock.slots_per_wave, self.ground.pool[zone]
        more: dict[Batch, int] = {}
        for _, site, slot, people in calls:
            batch = site, slot // per_wave, zone
            more[batch] = more.get(batch, 0) + people
        booked: list[tuple[Batch, Start, int]] = []
        for batch, people in more.items():
            known = self.people.get(batch, 0)
            tubes = -(-(known + people) // pool) + (-known // pool)
            if not self._book(batch, tubes, booked, in_time=in_time):
                for _, start, taken in booked:
                    self._take(start, -taken)
                return batch[1]
        for batch, start, taken in booked:
            starts = self.answer.tubes.setdefault(batch, {})
            starts[start] = starts.get(start, 0) + taken
        for batch, people in more.items():
            self.people[batch] = self.people.get(batch, 0) + people
        return None

    def _book(
        self, batch: Batch, tubes: int, booked: list[tuple[Batch, Start, int]], *, in_time: bool
    ) -> bool:
        """Take lab hours for the tubes of a batch; False where they do not suffice."""
        on_time, later = self._starts(batch)
        for start in on_time if in_time else on_time + later:
            if not tubes:
                break
            lab, hour = start
            free = min(tubes, int(self.labs[start]), int(self.days[lab, self.day_of[hour]]))
            if free:
                self._take(start, free)
                booked.append((batch, start, free))
                tubes -= free
        return not tubes

    def _take(self, start: Start, tubes: int) -> None:
        lab, hour = start
        self.labs[start] -= tubes
        self.days[lab, self.day_of[hour]] -= tubes

    def _starts(self, batch: Batch) -> tuple[list[Start], list[Start]]:
        """Return a batch's starts in time, nearest lab first, and the others, least late first."""
        if batch not in self.choices:
            site, wave, zone = batch
            ground, late = self.ground, self.late[site, wave]
            lab, hour = np.nonzero((late != NEVER) & ground.lab_takes[zone][:, None])
            how_late = late[lab, hour]
            order = np.lexsort((hour, lab, ground.travel_min[site, lab], how_late))
            starts = list(zip(lab.tolist(), (hour + ground.first_hour(wave)).tolist(), strict=True))
            ranked = [starts[at] for at in order]
            on_time = int((how_late == 0).sum())
            self.choices[batch] = ranked[:on_time], ranked[on_time:]
        return self.choices[batch]

    def _keep(self, calls: list[Call]) -> None:
        self.answer.calls += calls
        for _, site, slot, people in calls:
            self.room[site, slot] -= people


def taken_slots(ground: Ground, calls: list[Call]) -> Flags:
    """Return ``[site, slot]`` in use by calls, and what must stay clear after them."""
    taken = np.zeros_like(ground.offered)
    for _, site, slot, _ in calls:
        taken[site, slot] = True
    settings = ground.instance.settings
    clearing = -(-settings.sites.clearing_min // settings.round.slot_minutes)
    used = taken.copy()
    for later in range(1, clearing + 1):
        taken[:, later:] |= used[:, :-later]
    return taken
