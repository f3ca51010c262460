"""The same calls as early as places allow: a full tube that labs do not need is worth no wait.

Waves are planned in full tubes, because a laboratory that is short sells each of them dearly. In a
tight round with laboratories to spare the last places of a wave stay empty for it, and everybody
behind them waits.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from scheduler.domain.city import Ints
from scheduler.solve.layout import whole_runs
from scheduler.solve.network import Reach
from scheduler.solve.runs import Task
from scheduler.solve.schedule import Calls
from scheduler.solve.slots import Call, fill_densely


def early_as_well(task: Task, ways: Iterable[tuple[Calls, Reach]]) -> Iterator[tuple[Calls, Reach]]:
    """Yield ways to call all blocks, each followed by the same with everybody called early."""
    for calls, reach in ways:
        yield calls, reach
        yield called_early(task, calls), reach


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
