"""From people per wave to people per slot, block after block.

Blocks follow each other through the waves of a run. Within a wave people are called as early as the
quota allows, because only the wave decides about the laboratory and every minute counts as
`finish`; a block that goes on into the next wave keeps one person in each slot in between, so that
its slots are consecutive (DESIGN.md, rule 3).
"""

from __future__ import annotations

import numpy as np

from scheduler.domain.city import Floats, Ints

Call = tuple[int, int, int]
"""Block, slot, people: those of one block called in one slot. Half a million in a city, so that a
class of their own would take a second more."""


def fill_run(
    blocks: list[tuple[int, int]], waves: list[tuple[int, int, int]], places: Ints
) -> list[Call]:
    """Return the calls of a run.

    ``blocks`` are (block, people) in order; ``waves`` are (first slot, end slot, people) of
    consecutive waves, whose people sum to the blocks'; ``places[slot]`` are the people that may be
    called. Falls back to calling everybody as early as possible where the people per wave would
    tear a block apart.
    """
    quota: list[int] = places.tolist()
    calls: list[Call] = []
    portions = _portions(blocks, [people for _, _, people in waves])
    for (first, end, _), part in zip(waves, portions, strict=True):
        placed = _fill_wave(part, first, end, quota)
        if placed is None:
            return fill_densely(blocks, waves[0][0], quota)
        calls += placed
    if not is_consecutive(calls):
        return fill_densely(blocks, waves[0][0], quota)
    return calls


def fill_densely(blocks: list[tuple[int, int]], first: int, quota: list[int]) -> list[Call]:
    """Call everybody as early as the quota of each slot allows, from slot ``first``."""
    calls: list[Call] = []
    slot, room = first, quota[first]
    for block, people in blocks:
        waiting = people
        while waiting:
            if not room:
                slot, room = slot + 1, quota[slot + 1]
            now = min(room, waiting)
            calls.append((block, slot, now))
            room -= now
            waiting -= now
    return calls


def is_consecutive(calls: list[Call]) -> bool:
    """Return whether each block's slots follow each other."""
    last: dict[int, int] = {}
    for block, slot, _ in calls:
        if not 0 <= slot - last.get(block, slot) <= 1:
            return False
        last[block] = slot
    return True


def _portions(
    blocks: list[tuple[int, int]], people: list[int]
) -> list[list[tuple[int, int, bool]]]:
    """Cut blocks along the waves: per wave (block, people, goes on into the next wave)."""
    result = []
    at, left = 0, blocks[0][1] if blocks else 0
    for total in people:
        wave = []
        free = total
        while free and at < len(blocks):
            now = min(free, left)
            left -= now
            free -= now
            wave.append((blocks[at][0], now, left > 0))
            if not left:
                at += 1
                left = blocks[at][1] if at < len(blocks) else 0
        result.append(wave)
    return result


def _fill_wave(
    part: list[tuple[int, int, bool]], first: int, end: int, quota: list[int]
) -> list[Call] | None:
    """Call a wave's portions early; None where the last one cannot reach the wave's end."""
    calls: list[Call] = []
    slot, room = first, quota[first]
    for block, people, goes_on in part:
        waiting = people
        if goes_on:
            start = max(slot + (room == 0), end - people)
            if start >= end:
                return None
            if start > slot:
                slot, room = start, quota[start]
        while waiting:
            if not room:
                slot += 1
                if slot >= end:
                    return None
                room = quota[slot]
            keep = end - slot - 1 if goes_on else 0
            now = min(room, waiting - min(keep, waiting - 1))
            calls.append((block, slot, now))
            room -= now
            waiting -= now
            if goes_on and waiting:
                slot, room = slot + 1, quota[slot + 1] if slot + 1 < end else 0
    return calls


def runs_with_room(room: Ints, people: int) -> tuple[Ints, Ints]:
    """Return first and end slot of each run in which ``people`` fit, as early as each start allows.

    Every slot of a run but the last is filled to its room; no slot of it is without room.
    """
    some = room > 0
    starts = np.flatnonzero(some)
    if not len(starts):
        return starts, starts
    total = np.concatenate(([0], np.cumsum(room)))
    end = np.searchsorted(total, total[starts] + people, side="left")
    blocked = np.flatnonzero(~some)
    at = np.searchsorted(blocked, starts)
    stop = np.append(blocked, len(room))[at]
    good = end <= stop
    return starts[good], end[good]


def filled(room: Ints, first: int, end: int, people: int) -> tuple[int, ...]:
    """Return the people of each slot of a run."""
    part = room[first:end].copy()
    part[-1] -= part.sum() - people
    return tuple(part.tolist())


def start_sums(room: Ints, first: Ints, end: Ints, people: int) -> Floats:
    """Return people x slot, summed over each run: how late its people are called."""
    slot = np.arange(len(room))
    moment = np.concatenate(([0], np.cumsum(room * slot)))
    total = np.concatenate(([0], np.cumsum(room)))
    whole = moment[end - 1] - moment[first]
    rest = people - (total[end - 1] - total[first])
    return (whole + rest * (end - 1)).astype(np.float64)
