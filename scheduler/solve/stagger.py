"""Keep the whole city to its most people in a slot (``slots.city_people``).

Registration has failed where everybody began at once; Chengdu's and Xi'an's way out was to stagger.
The plan decides which blocks each site serves in which order, and how many people in each wave.
Here the city is walked through slot by slot: sites that are at work go on, others begin in an order
that the seed decides as soon as the city has room, each at its full quota. What a wave cannot hold
is called in the next one. A site pauses between blocks only, never within one.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from scheduler.domain.city import Flags, Ints
from scheduler.domain.instance import Instance
from scheduler.solve.layout import whole_runs
from scheduler.solve.network import match
from scheduler.solve.runs import Task
from scheduler.solve.schedule import Calls
from scheduler.solve.slots import filled, runs_with_room, start_sums


@dataclass(frozen=True)
class City:
    """The most people that the city calls in a slot, and who begins first when it has no room.

    ``turn[stream]`` are different numbers, ``per_metre`` prices a metre on foot per person.
    """

    most: int
    turn: Ints
    per_wave: int
    per_metre: float

    @staticmethod
    def of(instance: Instance, num_streams: int, seed: int) -> City:
        """Return the city of a round; the seed decides who begins first."""
        settings = instance.settings
        most = settings.slots.city_people or int(instance.demand.sum())
        turn = np.random.default_rng(seed).permutation(num_streams)
        per_metre = settings.weights.walk / settings.walk.metres_per_min
        return City(most, turn, instance.clock.slots_per_wave, per_metre)


def stagger(task: Task, calls: Calls, city: City) -> Calls:
    """Return the calls with no slot above the city's most; blocks without a place are left out.

    Calls that never pass it are returned as they are.
    """
    if not len(calls.slot) or np.bincount(calls.slot, calls.people).max() <= city.most:
        return calls
    walk = _Walk(_Shifts.of(task, calls, city.per_wave), city)
    kept, left = walk.run()
    return _rehomed(task, kept, left, city)


@dataclass(frozen=True)
class _Shifts:
    """Runs of streams with blocks: what they call, in order, and where they may.

    ``stream[row]``, ``zone[row]``, ``places[row, slot]``, ``released[row, wave]`` people called by
    the end of each wave; then ``block`` with the row and the people ``upto`` its end in that row.
    """

    stream: Ints
    zone: Ints
    places: Ints
    released: Ints
    block: Ints
    row: Ints
    size: Ints
    upto: Ints

    @staticmethod
    def of(task: Task, calls: Calls, per_wave: int) -> _Shifts:
        """Read the order of blocks, and people per wave, from calls."""
        run_at = _run_at(task)
        group = task.layout.group
        most = int(run_at.max()) + 1
        key = calls.stream * most + run_at[group[calls.stream], calls.slot]
        rows, row = np.unique(key, return_inverse=True)
        stream, run = rows // most, rows % most
        inside = run_at[group[stream]] == run[:, None]
        places = np.where(inside, task.load.places[stream][:, : inside.shape[1]], 0)
        people = np.zeros((len(rows), -(-places.shape[1] // per_wave)), dtype=np.int64)
        np.add.at(people, (row, calls.slot // per_wave), calls.people)
        block, first = np.unique(calls.block, return_index=True)
        order = np.lexsort((first, row[first]))
        block, of_row = block[order], row[first][order]
        size = task.people[block]
        upto = np.cumsum(size)
        begin = np.searchsorted(of_row, of_row)
        return _Shifts(
            stream, task.layout.zone[stream], places, np.cumsum(people, axis=1), block, of_row,
            size, upto - (upto - size)[begin],
        )  # fmt: skip

    def __len__(self) -> int:
        return len(self.stream)

    @cached_property
    def total(self) -> Ints:
        """People of each row."""
        people: Ints = self.released[:, -1]
        return people

    def ends(self, people: Ints) -> Ints:
        """Return, per row, the people of all blocks that end within the first ``people``."""
        span = int(self.total.max()) + 1
        rows = np.arange(len(self))
        last = np.searchsorted(self.row * span + self.upto, rows * span + people, side="right") - 1
        known = (last >= 0) & (self.row[last] == rows)
        return np.where(known, self.upto[last], 0)


def _run_at(task: Task) -> Ints:
    """Return the run that each group's slot belongs to, ``[group, slot]``, -1 none."""
    run_at = np.full((task.layout.num_groups, task.load.places.shape[1]), -1, dtype=np.int64)
    for group, pieces in enumerate(task.layout.group_pieces):
        for run, _, first, end in whole_runs(pieces).tolist():
            run_at[group, first:end] = run
    return run_at


class _Walk:
    """The walk through the slots."""

    def __init__(self, shifts: _Shifts, city: City) -> None:
        self.shifts, self.city = shifts, city
        self.turn = np.lexsort((city.turn[shifts.stream], shifts.zone))
        self.called: Ints = np.zeros_like(shifts.places)
        self.done = np.zeros(len(shifts), dtype=np.int64)
        upto = np.cumsum(shifts.places, axis=1)
        self.left_in_run = upto[:, -1:] - upto
        wave_end = np.minimum(
            (np.arange(upto.shape[1]) // city.per_wave + 1) * city.per_wave, upto.shape[1]
        )
        self.left_in_wave = upto[:, wave_end - 1] - upto
        is_open = np.cumsum(shifts.places > 0, axis=1)
        self.slots_after: Ints = is_open[:, wave_end - 1] - is_open

    def run(self) -> tuple[Calls, Ints]:
        """Return the calls of all blocks that found their slots, and the other blocks."""
        before = np.zeros(len(self.shifts), dtype=bool)
        for slot in range(self.called.shape[1]):
            if self.shifts.places[:, slot].any():
                self.called[:, slot] = self._slot(slot, before)
                self.done += self.called[:, slot]
            before = self.called[:, slot] > 0
        return self._calls()

    def _slot(self, slot: int, before: Flags) -> Ints:
        """Return the people that each row calls in a slot; ``before`` marks rows at work."""
        shifts, places = self.shifts, self.shifts.places[:, slot]
        begun = (self.done > shifts.ends(self.done)) & (places > 0)
        upper = np.minimum(self._ready(slot), places)
        due = np.minimum(shifts.total - self.done, places)
        must = np.clip(shifts.total - self.done - self.left_in_run[:, slot], begun, due)
        upper = np.maximum(upper, must)
        released = shifts.released[:, slot // self.city.per_wave]
        soon = np.clip(released - self.done - self.left_in_wave[:, slot], must, upper)
        hand = _Hand(self.city.most, begun.astype(np.int64))
        hand.in_turn(must, self.turn)
        for zone in np.unique(shifts.zone).tolist():  # the strictest first: its time is dearest
            mine = shifts.zone == zone
            hand.alike(np.where(mine, soon, 0), self.turn)
            hand.alike(np.where(mine & (begun | before), upper, 0), self.turn)
            hand.in_turn(np.where(mine, upper, 0), self.turn)
        return hand.given

    def _ready(self, slot: int) -> Ints:
        """Return the people whom each row may call by its waves.

        Of a block that goes on into the next wave so many are kept back that it needs no pause.
        """
        released = self.shifts.released[:, slot // self.city.per_wave]
        whole = self.shifts.ends(released)
        part = released - np.maximum(whole, self.done)
        ready: Ints = np.maximum(whole - self.done, 0) + np.maximum(
            part - self.slots_after[:, slot], 0
        )
        return ready

    def _calls(self) -> tuple[Calls, Ints]:
        shifts = self.shifts
        kept = shifts.ends(self.done)
        upto = np.minimum(np.cumsum(self.called, axis=1), kept[:, None])
        people = np.diff(upto, axis=1, prepend=0)
        whole = shifts.upto <= kept[shifts.row]
        row, slot = np.nonzero(people)
        blocks = np.flatnonzero(whole)
        block, at, count = match(
            shifts.row[blocks], shifts.size[blocks], blocks, row, people[row, slot], slot
        )
        calls = Calls(shifts.block[blocks[block]], shifts.stream[row[at]], slot[at], count)
        return calls, shifts.block[~whole]


class _Hand:
    """Gives out a slot's places; ``given[row]`` only grows."""

    def __init__(self, places: int, given: Ints) -> None:
        self.given = given
        self.left = places - int(given.sum())

    def in_turn(self, upto: Ints, turn: Ints) -> None:
        """Raise rows to ``upto`` one after the other."""
        want = np.maximum(upto - self.given, 0)[turn]
        before = np.cumsum(want) - want
        self._give(turn, np.clip(self.left - before, 0, want))

    def alike(self, upto: Ints, turn: Ints) -> None:
        """Raise all rows towards ``upto``, by the same part where there is too little."""
        want = np.maximum(upto - self.given, 0)[turn]
        total = int(want.sum())
        part = want if total <= self.left else want * self.left // total
        self._give(turn, part)
        if total > self.left > 0:
            odd = np.flatnonzero(part < want)[: self.left]
            self._give(turn[odd], np.ones(len(odd), dtype=np.int64))

    def _give(self, rows: Ints, people: Ints) -> None:
        self.given[rows] += people
        self.left -= int(people.sum())


def _rehomed(task: Task, calls: Calls, left: Ints, city: City) -> Calls:
    """Call blocks that found no slots wherever there is room, the strictest and largest first."""
    if not len(left):
        return calls
    room = _Room(task, calls, city)
    order = np.lexsort((left, -task.people[left], task.places.zone[left]))
    rows = [row for block in left[order].tolist() for row in room.place(block)]
    table = np.array(rows, dtype=np.int64).reshape(-1, 4)
    return calls.beside(Calls(*table.T))


class _Room:
    """What streams and the city have left, ``[stream, slot]`` and ``[slot]``."""

    def __init__(self, task: Task, calls: Calls, city: City) -> None:
        self.task, self.city = task, city
        open_slots = (_run_at(task) >= 0)[task.layout.group]
        self.of_stream = np.where(open_slots, task.load.places, 0)
        np.subtract.at(self.of_stream, (calls.stream, calls.slot), calls.people)
        used = np.bincount(calls.slot, calls.people, self.of_stream.shape[1]).astype(np.int64)
        self.of_city = city.most - used
        pairs = zip(task.streams.site, task.streams.zone, strict=True)
        self.stream = {pair: number for number, pair in enumerate(pairs)}

    def place(self, block: int) -> list[tuple[int, int, int, int]]:
        """Return the rows (block, stream, slot, people) of the cheapest place; none without room.

        The cost is that of the way and of the time; laboratories are asked afterwards.
        """
        task, people = self.task, int(self.task.people[block])
        if self.of_city.sum() < people:
            return []
        best: tuple[float, int, int, tuple[int, ...]] | None = None
        pairs, zone = task.places.pairs, int(task.places.zone[block])
        first, last = np.searchsorted(pairs.block, [block, block + 1]).tolist()
        for at in range(first, last):
            stream = self.stream.get((int(pairs.site[at]), zone), -1)
            walk = float(pairs.walk_m[at]) * self.city.per_metre * people
            if stream < 0 or (best is not None and best[0] <= walk):
                continue
            room = np.minimum(self.of_stream[stream], self.of_city)
            begin, end = runs_with_room(room, people)
            if not len(begin):
                continue
            minute = float(task.load.finish[stream]) * task.load.slot_min
            cost = walk + minute * start_sums(room, begin, end, people)
            n = int(np.argmin(cost))
            if best is None or cost[n] < best[0]:
                a, b = int(begin[n]), int(end[n])
                best = float(cost[n]), stream, a, filled(room, a, b, people)
        return [] if best is None else self._take(block, *best[1:])

    def _take(
        self, block: int, stream: int, first: int, people: tuple[int, ...]
    ) -> list[tuple[int, int, int, int]]:
        slots = slice(first, first + len(people))
        self.of_stream[stream, slots] -= people
        self.of_city[slots] -= people
        return [(block, stream, first + n, count) for n, count in enumerate(people)]
