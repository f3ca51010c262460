"""People at parallel lanes, first come first served, many sites at once.

The recursion of Kiefer and Wolfowitz (1955), doi 10.1090/S0002-9947-1955-0066587-0: the sorted
moments at which lanes fall free are the state, and who is next takes the first. One step moves the
next person, or the next group, of every site and replication together.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Times = NDArray[np.float32]
"""Minutes since the round's start; after a month still exact to two tenths of a second."""


def serve(ready: Times, work: Times, lanes: int) -> tuple[Times, Times]:
    """Return when each person leaves the queue and is done, ``[person, row]``.

    Persons of a row stand in order of ``ready[person, row]``, inf for places that are empty;
    ``work`` is the minutes of each swab.
    """
    begins, ends = np.empty_like(ready), np.empty_like(ready)
    now, then = _free(lanes, ready.shape[1])
    for person in range(len(ready)):
        np.maximum(ready[person], now[0][0], out=begins[person])
        np.add(begins[person], work[person], out=ends[person])
        _put_back(now, then, ends[person])
        now, then = then, now
    return begins, ends


def serve_groups(
    ready: Times, work: Times, lanes: int, group: int, wait_min: float
) -> tuple[Times, Times]:
    """Return the same where lanes take ``group`` people at a time, who are swabbed one by one.

    A group is called when it is full, or when its first person has waited ``wait_min``. Who comes
    after his group was called goes straight to its lane.
    """
    begins, ends = np.full_like(ready, np.inf), np.full_like(ready, np.inf)
    now, then = _free(lanes, ready.shape[1])
    for first in range(0, len(ready), group):
        members = slice(first, first + group)
        called = ready[first] + np.float32(wait_min)
        if first + group <= len(ready):
            called = np.minimum(called, ready[first + group - 1])
        begin = np.maximum(called, now[0][0])
        done = begin.copy()
        for come, swab, leave, end in zip(ready[members], work[members], begins[members],
                                          ends[members], strict=True):  # fmt: skip
            there = np.isfinite(come)
            leave[there] = np.maximum(begin, come)[there]
            done[there] = (np.maximum(done, come) + swab)[there]
            end[there] = done[there]
        _put_back(now, then, done)
        now, then = then, now
    return begins, ends


_Free = tuple[Times, Times, Times]


def _free(lanes: int, rows: int) -> tuple[_Free, _Free]:
    """Return two lists of moments at which lanes fall free: all, all but last, all but first.

    One lane that never falls free ends each list, so that taking and putting back is one shift.
    """
    free = np.full((2, lanes + 1, rows), np.inf, dtype=np.float32)
    free[0, :lanes] = -np.inf
    first, second = ((half, half[:-1], half[1:]) for half in free)
    return first, second


def _put_back(now: _Free, then: _Free, done: Times) -> None:
    """Take the first lane away and put it back in order of ``done``."""
    _, lower, upper = now
    put = then[1]
    np.maximum(lower, done, out=put)
    np.minimum(put, upper, out=put)
