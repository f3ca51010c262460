"""Blocks give way where labs cannot start all tubes of their run in time.

Labs that are booked to the last tube leave no room for what whole blocks and tubes ask beyond the
coarse flow. A few people then move to a run in which labs have room, as few as the tubes ask for: a
block changes places with one that is smaller by just so many.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from operator import attrgetter

import numpy as np

from scheduler.domain.city import Ints
from scheduler.solve.layout import whole_runs
from scheduler.solve.ontime import Fitted
from scheduler.solve.runs import Task
from scheduler.solve.volumes import Volumes
from scheduler.solve.waves import TubeRows

_NEAREST = 8  # groups that may give way for one that cannot


@dataclass(frozen=True)
class _Swap:
    """A block leaves one (stream, run) for another; ``back`` comes in return, -1 if none does."""

    people: int
    source: tuple[int, int]
    target: tuple[int, int]
    block: int
    back: int


class Relief:
    """What is beyond in which rows, and the runs that change for it, in place."""

    def __init__(
        self, task: Task, runs: list[list[Ints]], rows: TubeRows, fitted: Fitted, volumes: Volumes
    ) -> None:
        self.task, self.runs, self.rows, self.fitted = task, runs, rows, fitted
        self.volumes = volumes
        self.places = list(zip(rows.group.tolist(), rows.run.tolist(), strict=True))
        self.shut = {self.places[row] for row in np.flatnonzero(fitted.beyond).tolist()}

    def give_way(self, *, elsewhere: bool) -> bool:
        """Move a block out of each run with tubes beyond; tell whether any moved.

        It moves to another run of its stream, first to one in which labs have room; or with
        ``elsewhere`` to another site: where labs are near to one site only, no run of it may do.
        """
        moved = False
        for row in np.flatnonzero(self.fitted.beyond).tolist():
            tubes, places = int(self.fitted.beyond[row]), self._places(row)
            if elsewhere:
                moved |= any(self._leave_site(*place, tubes) for place in places)
            else:
                moved |= self._leave_run(places, tubes)
        return moved

    def _places(self, row: int) -> Iterator[tuple[int, int]]:
        """Yield the groups and runs that may give way for a row: its own, then the nearest.

        Near are those with roads to labs alike, in a run that shares a wave with the row's.
        """
        rows, travel, places = self.rows, self.fitted.reach.travel_min, self.places
        yield places[row]
        waves = self._waves(*places[row])
        far = np.abs(travel - travel[rows.group[row]]).max(axis=1)[rows.group]
        near = (places[other] for other in np.argsort(far, kind="stable").tolist() if other != row)
        some = (p for p in near if self._movable(p[0]) and waves & self._waves(*p))
        yield from islice(some, _NEAREST)

    def _waves(self, group: int, run: int) -> set[int]:
        pieces = self.task.layout.group_pieces[group]
        return set(pieces[pieces[:, 0] == run, 1].tolist())

    def _movable(self, group: int) -> list[int]:
        """Return the streams of a group whose blocks may still move between runs."""
        members = self.task.layout.members[group].tolist()
        return [stream for stream in members if self.task.streams.fixed[stream] is None]

    def _leave_run(self, places: Iterable[tuple[int, int]], tubes: int) -> bool:
        """Let one of some runs lose as few people as hold the tubes, to a run of its stream.

        The first place in which they are less than a tube too many will do.
        """
        best: _Swap | None = None
        for group, run in places:
            for stream in self._movable(group):
                swap = self._best_swap((stream, run), self._target(stream, group, run), tubes)
                best = min(filter(None, (best, swap)), key=attrgetter("people"), default=None)
            if best and best.people < (tubes + 1) * self.task.load.pool[best.source[0]]:
                break
        if best is None:
            return False
        _move(self.runs, best.block, best.source, best.target)
        if best.back >= 0:
            _move(self.runs, best.back, best.target, best.source)
        return True

    def _target(self, stream: int, group: int, run: int) -> int:
        """Return the run of a stream with most room, of those in which labs have some if any."""
        spare = _spare_people(self.task, self.runs, stream)
        closed = np.array([r == run or (group, r) in self.shut for r in range(len(spare))])
        pieces = self.task.layout.group_pieces[group]
        free = self.volumes.free[self.task.wide.group[stream], : len(pieces)]
        roomy = np.bincount(pieces[:, 0], free, len(spare)) > 0
        return int(np.lexsort((spare, roomy & (spare > 0), ~closed))[-1])

    def _best_swap(self, source: tuple[int, int], run: int, tubes: int) -> _Swap | None:
        """Return the swap with a run that takes fewest people, of those that take enough."""
        stream, target = source[0], (source[0], run)
        if target == source:
            return None
        mine, others = (self.runs[stream][r] for r in (source[1], run))
        people = self.task.people
        less = people[mine][:, None] - np.append(people[others], 0)[None, :]
        spare = _spare_people(self.task, self.runs, stream)[run]
        good = (less >= tubes * self.task.load.pool[stream]) & (less <= spare)
        if not good.any():
            return None
        one, two = divmod(int(np.argmin(np.where(good, less, spare + 1))), less.shape[1])
        back = int(others[two]) if two < len(others) else -1
        return _Swap(int(less[one, two]), source, target, int(mine[one]), back)

    def _leave_site(self, group: int, run: int, tubes: int) -> bool:
        """Move a block of a group's run to the nearest other site with room, in its last run."""
        need = tubes * int(self.task.load.pool[self.task.layout.members[group][0]])
        return any(
            _move_to_site(self.task, self.runs, (stream, run), need)
            for stream in self._movable(group)
            if len(self.runs[stream][run])
        )


def _spare_people(task: Task, runs: list[list[Ints]], stream: int) -> Ints:
    """Return the people that still fit into each run of a stream."""
    pieces = task.layout.group_pieces[task.layout.group[stream]]
    used = np.array([task.people[b].sum() for b in runs[stream]], dtype=np.int64)
    spare: Ints = task.load.room(np.array([stream]), whole_runs(pieces))[0] - used
    return spare


def _smallest_enough(size: Ints, need: int) -> list[int]:
    """Return positions of sizes: the smallest that is enough first, then what is nearest to it."""
    order: list[int] = np.lexsort((np.where(size >= need, size, -size), size < need)).tolist()
    return order


def _move_to_site(task: Task, runs: list[list[Ints]], place: tuple[int, int], need: int) -> bool:
    """Move a block to the nearest other site with room, into the last run that holds it."""
    stream_of = task.streams.numbers()
    pairs, blocks = task.places.pairs, runs[place[0]][place[1]]
    for at in _smallest_enough(task.people[blocks], need):
        block = int(blocks[at])
        first, end = np.searchsorted(pairs.block, [block, block + 1]).tolist()
        for site in pairs.site[first:end].tolist():
            stream = stream_of.get((site, int(task.places.zone[block])), place[0])
            if stream == place[0] or task.streams.fixed[stream] is not None:
                continue
            fits = np.flatnonzero(_spare_people(task, runs, stream) >= task.people[block])
            if len(fits):
                _move(runs, block, place, (stream, int(fits[-1])))
                return True
    return False


def _move(
    runs: list[list[Ints]], block: int, source: tuple[int, int], target: tuple[int, int]
) -> None:
    blocks = runs[source[0]][source[1]]
    runs[source[0]][source[1]] = blocks[blocks != block]
    runs[target[0]][target[1]] = np.append(runs[target[0]][target[1]], block)
