"""Which blocks of a stream go into which run of slots (a block never spans a closing).

Per run the people should match the share that the labs can take, and fill whole tubes: a
part-filled tube at the end of a day costs lab time that somebody behind it waits for. Both are
subset sums, solved exactly by dynamic programming over a bit set.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from scheduler.domain.city import Floats, Ints

EMPTY_PLACE = 25
"""People by which a sum may miss its target to fill one more place in a tube: the next stream makes
up for a missed target, but nobody for an empty place."""

_MOST_WAYS = 20_000
"""Ways to split a stream's blocks of which all are looked at, nine blocks over three runs: 0.3 ms.
Measured at 6.4 million: 0.1 s, a fifth fewer empty places before the last day."""


@dataclass(frozen=True)
class Tube:
    """People in a full tube, and how many a sum may miss its target by to fill a place in one.

    ``dear`` tells that places which remain for later sums count as well. ``missed`` is what a
    person counts who is missing in waves that labs serve for much less than others. Of a sum
    ``over`` people are in tubes that are worth it though they are not full, of all later sums
    ``later_over``.
    """

    people: int
    empty_place: float = EMPTY_PLACE
    dear: bool = False
    missed: float = 0.0
    over: int = 0
    later_over: int = 0


def subset_near(
    sizes: list[int],
    target: int,
    low: int,
    high: int,
    tube: Tube,
    good: tuple[int, int] | None = None,
) -> list[int]:
    """Return indices whose sizes sum near ``target`` within [low, high], in whole tubes if close.

    When no sum lies in the range, the largest sum up to ``high`` is taken. From sums outside of
    ``good`` people are missed.
    """
    if high < 0:
        return []
    reachable = [1]
    mask = (1 << (high + 1)) - 1
    for size in sizes:
        reachable.append((reachable[-1] | reachable[-1] << size) & mask)
    best = _pick_sum(reachable[-1], target, (low, high), sum(sizes), tube, good)
    chosen = []
    for index in range(len(sizes) - 1, -1, -1):
        if not reachable[index] >> best & 1:
            chosen.append(index)
            best -= sizes[index]
    return chosen[::-1]


def _pick_sum(
    reachable: int,
    target: int,
    ends: tuple[int, int],
    total: int,
    tube: Tube,
    good: tuple[int, int] | None,
) -> int:
    """Return the reachable sum nearest to the target; empty places in a tube count many times.

    Where tubes are dear, those count as well that what remains of the ``total`` leaves at least.
    """
    low, high = (max(end, 0) for end in ends)
    target = min(max(target, low), high)
    if good:
        good = min(max(good[0], low), high), min(max(good[1], low), high)
        target = min(max(target, good[0]), good[1])
    inside = reachable >> low << low & (1 << (high + 1)) - 1
    if not inside:
        return reachable.bit_length() - 1  # nothing in the range: the fullest
    best = (float(1 << 62), 0, 0)  # what the sum costs, how far it is from the target, the sum
    places = range(tube.people)
    rest = tube.over + tube.later_over - total
    for both, empty in sorted((p + tube.dear * ((rest - p) % tube.people), p) for p in places):
        if tube.empty_place * both > best[0]:
            break
        sums = inside & _with_empty(high, tube.people, empty - tube.over)
        for found in _beside(sums, target) if good else [_nearest(sums, target)]:
            if found >= 0:
                far = abs(found - target)
                missed = max(good[0] - found, found - good[1], 0) * tube.missed if good else 0
                best = min(best, (far + tube.empty_place * both + missed, far, found))
    return best[2]


def _with_empty(high: int, tube: int, empty: int) -> int:
    """Return a bit set of the sums up to ``high`` that leave so many places of a tube empty."""
    whole_tubes = ((1 << tube * (high // tube + 1)) - 1) // ((1 << tube) - 1)
    return whole_tubes << -empty % tube


def _beside(sums: int, target: int) -> tuple[int, int]:
    """Return the nearest sums of a bit set on both sides of the target, -1 where there is none."""
    below = (sums & (1 << (target + 1)) - 1).bit_length() - 1
    rest = sums >> target
    return below, target + (rest & -rest).bit_length() - 1 if rest else -1


def _nearest(sums: int, target: int) -> int:
    """Return the sum of a bit set that is nearest to the target, -1 where there is none."""
    below, above = _beside(sums, target)
    if below < 0 or above < 0:
        return max(below, above)
    if target - below == above - target:
        return next(iter({below, above}))  # a set's order leans to neither side
    return below if target - below < above - target else above


def split_runs(
    sizes: Ints,
    capacity: list[int],
    share: list[float],
    carry: list[float],
    tubes: list[Tube],
    wanted: list[int] | None = None,
) -> list[list[int]]:
    """Return per run the indices of blocks; what fits nowhere is left out.

    ``capacity[run]`` is in people, ``share[run]`` sums to 1, ``carry[run]`` is what earlier streams
    still owe the run and is updated; a part-filled tube counts as a full one. From runs with fewer
    than ``wanted[run]`` people are missed. Few blocks are split in the best of all ways where tubes
    are not dear, all others run after run.
    """
    total = int(sizes.sum())
    wish = [total * part + owed for part, owed in zip(share, carry, strict=True)]
    runs = None
    several = len(capacity) > 1  # else all ways are one, of blocks without end
    if several and len(capacity) ** len(sizes) <= _MOST_WAYS and not any(t.dear for t in tubes):
        runs = _best_split(sizes, capacity, wish, tubes)
    runs = runs or _one_after_another(sizes, capacity, wish, tubes, wanted)
    for run, (taken, tube) in enumerate(zip(runs, tubes, strict=True)):
        full = -((tube.over - sizes[taken].sum()) // tube.people * tube.people)
        carry[run] += total * share[run] - float(full + tube.over)
    return runs


def _one_after_another(
    sizes: Ints,
    capacity: list[int],
    wish: list[float],
    tubes: list[Tube],
    wanted: list[int] | None,
) -> list[list[int]]:
    """Return the blocks of each run, of those that earlier runs have left."""
    waiting = list(range(len(sizes)))
    runs: list[list[int]] = []
    for run, room in enumerate(capacity):
        later = sum(capacity[run + 1 :])
        people = [int(sizes[i]) for i in waiting]
        rest = sum(people)
        if run == len(capacity) - 1 and rest <= room:
            chosen = list(range(len(waiting)))
        else:
            ends = rest - later, min(room, rest)
            good = _good(wanted[run:], rest) if wanted else None
            tube = replace(tubes[run], later_over=sum(tube.over for tube in tubes[run + 1 :]))
            chosen = subset_near(people, round(wish[run]), *ends, tube, good)
        taken = [waiting[c] for c in chosen]
        runs.append(taken)
        gone = set(taken)
        waiting = [i for i in waiting if i not in gone]
    return runs


def _best_split(
    sizes: Ints, capacity: list[int], wish: list[float], tubes: list[Tube]
) -> list[list[int]] | None:
    """Return the blocks of each run in the best of all ways, None where they do not fit.

    The last run takes what is left, whatever it wishes for and leaves empty.
    """
    every, inside = _all_ways(len(capacity), len(sizes))
    cost = np.zeros(every.shape[1])
    last = len(capacity) - 1
    for run, (room, tube) in enumerate(zip(capacity, tubes, strict=True)):
        people = inside[run] @ sizes.astype(np.float64)
        if run < last:
            cost += np.abs(people - wish[run]) + tube.empty_place * (-people % tube.people)
        cost[people > room] = np.inf
    best = int(np.argmin(cost))
    if not np.isfinite(cost[best]):
        return None
    return [np.flatnonzero(every[:, best] == run).tolist() for run in range(len(capacity))]


@cache
def _all_ways(num_runs: int, num_blocks: int) -> tuple[Ints, list[Floats]]:
    """Return the run of each block, ``[block, way]``, and for each run ``[way, block]`` in it."""
    every = np.indices((num_runs,) * num_blocks).reshape(num_blocks, num_runs**num_blocks)
    return every, [(every == run).T.astype(np.float64) for run in range(num_runs)]


def _good(wanted: list[int], rest: int) -> tuple[int, int]:
    """Return the people between which the first run and the later ones get what they want."""
    first, least = wanted[0], max(0, rest - sum(wanted[1:]))
    return min(first, least), max(first, least)
