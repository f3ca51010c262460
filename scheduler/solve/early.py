"""The same calls as early as places allow: a full tube that labs do not need is worth no wait.

Waves are planned in full tubes, because a laboratory that is short sells each of them dearly. In a
tight round with laboratories to spare the last places of a wave stay empty for it, and everybody
behind them waits. Where labs have time for some tubes more only, those streams are called early
that gain most by each.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Protocol, TypeVar

import numpy as np

from scheduler.domain.city import Floats, Ints
from scheduler.solve.consign import batches_of
from scheduler.solve.layout import whole_runs
from scheduler.solve.network import Reach
from scheduler.solve.runs import Task
from scheduler.solve.schedule import Calls
from scheduler.solve.slots import Call, fill_densely

T = TypeVar("T", bound="Reckoned")

_TRIES = 5
_NO_TUBE = 0.5  # what counts for a stream that needs no tube more: it comes before others


class Reckoned(Protocol):
    """What is known of a way: its cost in person-minutes."""

    @property
    def cost(self) -> float:
        """The cost."""


def best_early(
    task: Task,
    way: tuple[Calls, Reach],
    reckon: Callable[[Calls, Reach], T],
    waves: tuple[int, int],
) -> T:
    """Return what ``reckon`` makes of a way, or of it with as many streams early as cost least.

    ``waves`` are the slots of a wave and their number. The more streams are early, the less is
    paid, until labs lack time: that share is bisected.
    """
    calls, reach = way
    best = reckon(calls, reach)
    early = _Early(task, calls, waves)
    if not early.gains:
        return best
    every = reckon(early.of_share(1.0), reach)
    if every.cost <= best.cost:
        return every
    share, step = 0.5, 0.25
    for _ in range(_TRIES):
        found = reckon(early.of_share(share), reach)
        if found.cost < best.cost:
            best = found
            share += step
        else:
            share -= step
        step /= 2
    return best


class _Early:
    """Calls of which some streams are made early, those that gain most by each tube more first."""

    def __init__(self, task: Task, calls: Calls, waves: tuple[int, int]) -> None:
        early = called_early(task, calls)
        gain = _paid(task, calls) - _paid(task, early)
        more = _tubes(task, early, waves) - _tubes(task, calls, waves)
        self.gains = bool((gain > 0).any())
        self._best_first = np.argsort(-gain / np.maximum(more, _NO_TUBE), kind="stable")
        self._calls, self._early = calls, early

    def of_share(self, share: float) -> Calls:
        """Return the calls of which so large a share of the streams is made early."""
        is_early = np.zeros(len(self._best_first), dtype=bool)
        is_early[self._best_first[: math.ceil(share * len(is_early))]] = True
        calls, early = self._calls, self._early
        return calls.where(~is_early[calls.stream]).beside(early.where(is_early[early.stream]))


def _paid(task: Task, calls: Calls) -> Floats:
    """Return what the people of each stream pay for waiting, in person-minutes."""
    slots = np.bincount(calls.stream, calls.people * calls.slot, len(task.streams))
    paid: Floats = task.load.finish * task.load.slot_min * slots
    return paid


def _tubes(task: Task, calls: Calls, waves: tuple[int, int]) -> Ints:
    """Return the tubes of each stream."""
    batches = batches_of(calls, task.load.pool, *waves)
    return np.bincount(batches.stream, batches.tubes, len(task.streams)).astype(np.int64)


def called_early(task: Task, calls: Calls) -> Calls:
    """Return the calls with every run's blocks in the same order, from its first slot on."""
    order = np.lexsort((calls.slot, calls.stream))
    edges = np.flatnonzero(np.diff(calls.stream[order])) + 1
    columns: list[Ints] = []
    for rows in np.split(order, edges) if len(order) else ():
        stream = int(calls.stream[rows[0]])
        table = np.array(_of_stream(task, stream, calls, rows), dtype=np.int64)
        columns.append(np.column_stack((table, np.full(len(table), stream))))
    flat = np.concatenate(columns) if columns else np.empty((0, 4), dtype=np.int64)
    return Calls(flat[:, 0], flat[:, 3], flat[:, 1], flat[:, 2])


def _of_stream(task: Task, stream: int, calls: Calls, rows: Ints) -> list[Call]:
    """Return a stream's calls, made early; ``rows`` are those of its calls in order of slots."""
    places: list[int] = task.load.places[stream].tolist()
    runs = whole_runs(task.layout.group_pieces[task.layout.group[stream]])
    early: list[Call] = []
    for _, _, first, end in runs.tolist():
        here = rows[(calls.slot[rows] >= first) & (calls.slot[rows] < end)]
        blocks = list(dict.fromkeys(calls.block[here].tolist()))  # in order
        people = task.people[blocks].tolist()
        early += fill_densely(list(zip(blocks, people, strict=True)), first, places)
    return early
