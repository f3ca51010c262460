"""The least cost of so many slots of stricter zones at a site, over all orders of slots.

Stricter zones take whole slots from the others, and the ground is cleared before a less strict zone
comes after a stricter one. Two stricter zones at most: the first is the stricter one.
"""

from __future__ import annotations

from collections import deque

import numpy as np

from scheduler.domain.city import Floats

HORIZON = 96
"""Slots from the round's start that are looked at one by one; what stricter zones do later is
counted as if each slot cost no more than the cheapest of those, and took nothing from others."""


def slot_costs(paid: list[Floats], lost: Floats, clearing: int, most: tuple[int, ...]) -> Floats:
    """Return the least cost ``[site, slots of the first zone, slots of the second]``.

    ``paid[zone][site, slot]`` is what the people of a full slot pay (inf: none may come),
    ``lost[site, slot]`` what the others would gain in it. After a slot of a stricter zone a less
    strict one may follow ``clearing`` slots later. ``most`` slots of each zone are looked at; with
    one zone the last axis has length 1.
    """
    sites, slots = lost.shape
    horizon = min(slots, HORIZON)
    shape = (sites, most[0] + 1, (most[1] if len(most) > 1 else 0) + 1)
    upto = np.pad(np.cumsum(lost, axis=1), ((0, 0), (1, 0)))
    # the ground is cleared before this slot, the next, ... and before what is cleared from now on
    free = deque(np.full(shape, np.inf) for _ in range(clearing + 2))
    free[0][:, 0, 0] = 0.0
    held = [np.full(shape, np.inf) for _ in paid]  # the last slot, or the wait since, is a zone's
    for slot in range(horizon):
        waiting = (upto[:, min(slot + clearing, slots)] - upto[:, slot])[:, None, None]
        for zone in held:
            np.minimum(free[clearing], zone + waiting, out=free[clearing])
        before = here = free.popleft()
        cost = lost[:, slot][:, None, None]
        following = []
        for axis, (zone, prices) in reversed(list(enumerate(zip(held, paid, strict=True)))):
            before = np.minimum(before, zone)  # the second zone follows itself, the first any
            new = zone + cost
            more, fewer = _one_more(new, before, axis + 1)
            np.minimum(more, fewer + (prices[:, slot][:, None, None] + cost), out=more)
            following.append(new)
        held = following[::-1]
        np.minimum(free[0], here, out=free[0])
        free.append(np.full(shape, np.inf))
    least = np.minimum.reduce([*free, *held])
    return _with_later(least, [p[:, horizon:] for p in paid])


def _one_more(new: Floats, before: Floats, axis: int) -> tuple[Floats, Floats]:
    """Return views of the costs with one slot more along an axis, and of those before it."""
    if axis == 1:
        return new[:, 1:], before[:, :-1]
    return new[:, :, 1:], before[:, :, :-1]


def _with_later(least: Floats, later: list[Floats]) -> Floats:
    """Return the costs if slots beyond the horizon may be had at their cheapest price."""
    for axis, prices in enumerate(later, start=1):
        each = prices.min(axis=1, initial=np.inf)[:, None]
        for count in range(1, least.shape[axis]):
            before = least[:, count - 1] if axis == 1 else least[:, :, count - 1]
            here = least[:, count] if axis == 1 else least[:, :, count]
            np.minimum(here, before + each, out=here)
    return least
