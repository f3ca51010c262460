"""The least cost of so many slots of stricter zones at a site, over all orders of slots.

Stricter zones take whole slots from the others, and the ground is cleared before a less strict zone
comes after a stricter one. Two stricter zones at most: the first is the stricter one. A zone's last
slot need not be full: each cost is told as well with one of the zone's slots paid in part only,
whichever is dearest. The least cost is concave in that part, as the least of linear functions, so
that it lies above the lines between the parts that are known.
"""

from __future__ import annotations

from collections import deque

import numpy as np

from scheduler.domain.city import Floats, Ints

HORIZON = 96
"""Slots from the round's start that are looked at one by one; what stricter zones do later is
counted as if each slot cost no more than the cheapest of those, and took nothing from others."""
PARTS = (1.0, 0.25, 0.0)
"""Parts in which one slot of a zone is paid, the first and the last for the second zone: nobody is
behind it who would have to wait for its last slot."""
_CELLS = 200_000  # numbers that are worked on at a time: more do not fit into a processor's cache


def slot_costs(
    paid: list[Floats],
    lost: Floats,
    clearing: int,
    most: tuple[int, ...],
    end: Ints | None = None,
) -> Floats:
    """Return the least cost ``[site, times, part, part, slots, slots]`` of two zones in order.

    ``paid[zone][site, slot]`` is what the people of a full slot pay (inf: none may come),
    ``lost[site, slot]`` what the others would gain in it. After a slot of a stricter zone a less
    strict one may follow ``clearing`` slots later. ``most`` slots of each zone are looked at; with
    one zone the last axis has length 1. One slot of a zone, if it has any, is paid in the ``part``
    of ``PARTS`` only. ``times`` is how often the ground is cleared in slots before ``end[site]``,
    once per zone or more often; it has length 1 where nobody asks or nothing is cleared.
    """
    shape = (most[0] + 1, (most[1] if len(most) > 1 else 0) + 1)
    if not clearing:
        end = None
    times = 1 if end is None else 1 + len(most)
    step = max(1, _CELLS // (2 * len(PARTS) * times * shape[0] * shape[1]))
    parts = [
        _costs([p[at : at + step] for p in paid], lost[at : at + step], clearing, (times, *shape),
               None if end is None else end[at : at + step])
        for at in range(0, len(lost), step)
    ]  # fmt: skip
    return np.concatenate(parts)


def _costs(
    paid: list[Floats],
    lost: Floats,
    clearing: int,
    most: tuple[int, int, int],
    end: Ints | None,
) -> Floats:
    sites, slots = lost.shape
    some = np.isfinite(np.stack(paid)).any(axis=(0, 1))
    horizon = min(slots, HORIZON, int(np.flatnonzero(some).max(initial=-1)) + 1 + clearing)
    times, *shape = most
    every = (times, len(PARTS) if len(paid) > 1 else 2, 2, sites, *shape)
    upto = np.pad(np.cumsum(lost, axis=1), ((0, 0), (1, 0)))
    # the ground is cleared before this slot, the next, ... and before what is cleared from now on
    free = deque(np.full(every, np.inf) for _ in range(clearing + 2))
    free[0][0, 0, 0, :, 0, 0] = 0.0
    held = [np.full(every, np.inf) for _ in paid]  # the last slot, or the wait since, is a zone's
    last = np.full(every, np.inf)  # so late that nobody waits until the ground is cleared
    for slot in range(horizon):
        one, two = (slice(0, min(slot + 2, size)) for size in shape)  # no more slots so far
        here = np.s_[..., one, two]
        waiting = upto[:, min(slot + clearing, slots)] - upto[:, slot]
        if end is not None:
            waiting = np.where(slot + clearing <= end, waiting, np.inf)
        for zone in held:
            _clear(free[clearing][here], zone[here] + waiting[:, None, None])
        cleared = free.popleft()
        before, cost = cleared[here], lost[:, slot, None]
        is_last = slot + 1 + clearing > end if end is not None else np.zeros(sites, dtype=bool)
        rest = np.where(is_last, upto[:, slots] - upto[:, slot + 1], np.inf)
        for axis, (zone, prices) in reversed(list(enumerate(zip(held, paid, strict=True)))):
            before = np.minimum(before, zone[here])  # the second follows itself, the first any
            zone[here] += cost[:, None]
            _add_slot(zone[here], before, axis, prices[:, slot, None], cost)
            if is_last.any():
                _add_slot(last[here], before, axis, prices[:, slot, None], cost + rest[:, None])
        np.minimum(free[0][here], cleared[here], out=free[0][here])
        cleared.fill(np.inf)
        free.append(cleared)
    is_known = end is not None and horizon < HORIZON
    least = np.minimum.reduce([*free, last, *([] if is_known else held)])
    _add_later(least, [p[:, horizon:] for p in paid])
    least[:, 1:, :, :, 0] = least[:, 0, :, :, 0][:, None]  # zones without slots pay no part of one
    least[:, :, 1, :, :, 0] = least[:, :, 0, :, :, 0]
    return np.moveaxis(least, 3, 0)


def _clear(free: Floats, cost: Floats) -> None:
    """Lower ``free[times, ...]`` to the cost of being cleared once more, in place."""
    np.minimum(free[1:], cost[:-1], out=free[1:])
    np.minimum(free[-1], cost[-1], out=free[-1])


def parts_of(count: int) -> tuple[float, ...]:
    """Return the parts of so many."""
    return PARTS if count == len(PARTS) else (PARTS[0], PARTS[-1])


def _add_slot(new: Floats, before: Floats, axis: int, paid: Floats, lost: Floats) -> None:
    """Lower ``new`` to what one slot more of a zone costs after ``before``, in place.

    ``paid[site, 1]`` and ``lost[site, 1]`` are those of the slot.
    """
    more, fewer = (np.moveaxis(a, (1 + axis, 4 + axis), (0, 1)) for a in (new, before))
    np.minimum(more[:, 1:], fewer[:, :-1] + (paid + lost), out=more[:, 1:])
    if not np.isfinite(paid).any():
        return
    for number, part in enumerate(parts_of(len(more))[1:], start=1):
        some = np.where(np.isfinite(paid), part * np.where(np.isfinite(paid), paid, 0), np.inf)
        np.minimum(more[number, 1:], fewer[0, :-1] + (some + lost), out=more[number, 1:])


def _add_later(least: Floats, later: list[Floats]) -> None:
    """Lower the costs to those with slots beyond the horizon at their cheapest price, in place."""
    for axis, prices in enumerate(later):
        each = prices.min(axis=1, initial=np.inf)[:, None]
        if not np.isfinite(each).any():
            continue
        costs = np.moveaxis(least, (1 + axis, 4 + axis), (0, 1))
        known = np.where(np.isfinite(each), each, 0.0)
        for count in range(1, costs.shape[1]):
            np.minimum(costs[:, count], costs[:, count - 1] + each, out=costs[:, count])
            for number, part in enumerate(parts_of(len(costs))[1:], start=1):
                some = np.where(np.isfinite(each), part * known, np.inf)
                np.minimum(costs[number, count], costs[0, count - 1] + some,
                           out=costs[number, count])  # fmt: skip
