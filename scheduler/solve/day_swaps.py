"""Blocks change days within their sites until each day sends what labs should get of it.

Sites choose their days' blocks one after the other, and each makes up for what those before it have
missed. What the last ones cannot make up for leaves labs idle that others wait for: half a block's
people a day, which only a small round feels. Here each site may move a block, or swap two, between
a day in which labs have no room left and a later one in which they have; what all sites do together
is chosen by dynamic programming over the tubes that the day has too many.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np

from scheduler.domain.city import Flags, Floats, Ints
from scheduler.solve.day_shares import end_of_runs, wanted_tubes
from scheduler.solve.runs import Task, move, spare_people
from scheduler.solve.volumes import Volumes

_MOST_SITES = 400
_WIDEST = 80  # tubes that a day has too many or too few at most


@dataclass(frozen=True)
class _Change:
    """A block that leaves a run for another, and one that comes back for it, -1 if none does."""

    source: tuple[int, int]
    target: tuple[int, int]
    block: int
    back: int


class Days:
    """Runs that end together, or before those of sites whose blocks are free: ``off[day]``.

    That is by how many tubes a day has more than labs should get of it; in ``full`` days they have
    no room for more.
    """

    def __init__(self, task: Task, volumes: Volumes) -> None:
        """Take ``volumes`` of wide groups."""
        self.task = task
        end = end_of_runs(task.wide)
        ends, free = np.unique(end[end >= 0]), [f is None for f in task.streams.fixed]
        last = np.unique(end[np.unique(task.wide.group[free])])
        last = last[last >= 0]
        closes = np.minimum(np.searchsorted(last, ends), len(last) - 1)
        self._day = closes[np.searchsorted(ends, np.maximum(end, ends[0]))][task.wide.group]
        self._wanted = np.rint(np.bincount(closes, wanted_tubes(task.wide, volumes, ends)))
        self.full = np.ones(len(last), dtype=bool)
        for group, pieces in enumerate(task.wide.group_pieces):
            roomy = pieces[volumes.free[group, : len(pieces)], 0]
            self.full[closes[np.searchsorted(ends, end[group, roomy])]] = False

    def off(self, runs: list[list[Ints]]) -> Ints:
        """Return by how many tubes each day has too many."""
        tubes = np.zeros(len(self.full), dtype=np.int64)
        for stream, of_runs in enumerate(runs):
            for run, blocks in enumerate(of_runs):
                people = int(self.task.people[blocks].sum())
                tubes[self._day[stream, run]] += _tubes(self.task, stream, people)
        return tubes - self._wanted.astype(np.int64)

    def short(self, runs: list[list[Ints]]) -> int:
        """Return how many tubes full days miss."""
        return int(np.maximum(-self.off(runs)[self.full], 0).sum())

    def swap(self, runs: list[list[Ints]]) -> None:
        """Move and swap blocks between runs of their streams until full days have enough."""
        off = self.off(runs)
        for one in np.flatnonzero(self.full & (off < 0)).tolist():
            _meet(self.task, runs, self._day, self.full, one, min(-int(off[one]), _WIDEST))


def _tubes(task: Task, stream: int, people: int) -> int:
    return -(-people // int(task.load.pool[stream]))


def _meet(
    task: Task, runs: list[list[Ints]], day: Ints, full: Flags, one: int, wanted: int
) -> None:
    """Give a day ``wanted`` tubes more, or fewer, by changes with days that are not full."""
    options: list[dict[int, tuple[int, _Change | None]]] = []
    for stream, fixed in enumerate(task.streams.fixed):
        if fixed is None and len(options) < _MOST_SITES:
            known = _options(task, runs, stream, day[stream], full, one)
            if len(known) > 1:
                options.append(known)
    for change in _chosen(options, wanted):
        move(runs, change.block, change.source, change.target)
        if change.back >= 0:
            move(runs, change.back, change.target, change.source)


def _options(
    task: Task, runs: list[list[Ints]], stream: int, day: Ints, full: Flags, one: int
) -> dict[int, tuple[int, _Change | None]]:
    """Return by tubes that a day gets more: the fewest tubes more in all, and the change."""
    best: dict[int, tuple[int, _Change | None]] = {0: (0, None)}
    here = [r for r in range(len(runs[stream])) if day[r] == one]
    others = [r for r in range(len(runs[stream])) if not full[day[r]]]
    for mine, other in product(here, others):
        for source, target in ((mine, other), (other, mine)):
            _add_options(task, runs, (stream, source), (stream, target), mine == source, best)
    return best


def _add_options(
    task: Task,
    runs: list[list[Ints]],
    source: tuple[int, int],
    target: tuple[int, int],
    leaves: bool,
    best: dict[int, tuple[int, _Change | None]],
) -> None:
    """Add what a block's move from one run to another, or a swap, changes."""
    stream, pool = source[0], int(task.load.pool[source[0]])
    blocks, others = (runs[stream][r] for r in (source[1], target[1]))
    if not len(blocks):
        return
    less = task.people[blocks][:, None] - np.append(task.people[others], 0)[None, :]
    spare = spare_people(task, runs, stream)
    fits = (less > 0) & (less <= spare[target[1]])
    sums = int(task.people[blocks].sum()), int(task.people[others].sum())
    gone = -(-(sums[0] - less) // pool) - _tubes(task, stream, sums[0])
    come = -(-(sums[1] + less) // pool) - _tubes(task, stream, sums[1])
    for at, back in np.argwhere(fits).tolist():
        more = int(gone[at, back] if leaves else come[at, back])
        waste = int(gone[at, back] + come[at, back])
        if more not in best or waste < best[more][0]:
            back_block = int(others[back]) if back < len(others) else -1
            best[more] = waste, _Change(source, target, int(blocks[at]), back_block)


def _chosen(options: list[dict[int, tuple[int, _Change | None]]], wanted: int) -> list[_Change]:
    """Return the changes, one of each site at most, that come nearest and waste fewest tubes."""
    width = 2 * _WIDEST + 1
    cost: Floats = np.full(width, np.inf)
    cost[_WIDEST] = 0.0
    before: list[Ints] = []
    for known in options:
        now, how = np.full(width, np.inf), np.zeros(width, dtype=np.int64)
        for more, (waste, _) in sorted(known.items(), key=lambda item: abs(item[0])):
            if abs(more) > _WIDEST:
                continue
            shifted = np.full(width, np.inf)
            shifted[max(0, more) : width + min(0, more)] = (
                cost[max(0, -more) : width - max(0, more)] + waste
            )
            how = np.where(shifted < now, more, how)
            now = np.minimum(now, shifted)
        cost = now
        before.append(how)
    missed = np.abs(np.arange(width) - _WIDEST - wanted)
    at = int(np.argmin(cost + missed))
    changes = []
    for known, how in zip(reversed(options), reversed(before), strict=True):
        more = int(how[at])
        change = known[more][1]
        if change is not None:
            changes.append(change)
        at -= more
    return changes
