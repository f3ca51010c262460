"""The order of blocks within a run: communities together, old people by day.

The order does not change the objective, because the people of a wave cost the same whoever they
are: a tie-break that is free. People of 65 and over are called in 09:00-11:00 and 14:00-16:00 where
room allows (Nanjing's practice, jsnews.jschina.com.cn 2022-03-25: old people in office hours).
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from scheduler.domain.city import Floats, Ints
from scheduler.domain.instance import RoundClock

ELDER_HOURS = ((9 * 60, 11 * 60), (14 * 60, 16 * 60))
"""Minutes of the local day in which people of 65 and over are called if room allows."""


@dataclass(frozen=True)
class Order:
    """What the order depends on, by block: ``community``, ``people``, ``elder_share``."""

    community: Ints
    people: Ints
    elder_share: Floats
    elder_wave: np.ndarray


def elder_waves(clock: RoundClock) -> np.ndarray:
    """Return whether each wave begins in the hours meant for old people."""
    wave = clock.round.wave_minutes
    starts = [clock.at(w * wave) for w in range(clock.num_waves)]
    minutes = [m.hour * 60 + m.minute for m in starts]
    return np.array([any(a <= m < b for a, b in ELDER_HOURS) for m in minutes], dtype=bool)


def order_blocks(order: Order, blocks: Ints, waves: Ints, people: Ints) -> list[int]:
    """Return a run's blocks in the order in which they are called.

    ``waves`` are the run's waves with their ``people``. Each community's blocks stay together;
    within it the blocks with the largest share of old people take the places that fall into their
    hours.
    """
    ends = np.cumsum(people).tolist()
    old = order.elder_wave[waves].tolist()
    waiting = blocks[
        np.lexsort((blocks, order.elder_share[blocks], order.community[blocks]))
    ]  # each community's from few old people to many
    edges = np.flatnonzero(np.diff(order.community[waiting])) + 1
    numbers, sizes = waiting.tolist(), order.people[waiting].tolist()
    result: list[int] = []
    called = 0
    for first, end in pairwise([0, *edges.tolist(), len(numbers)]):
        low, high = first, end
        while low < high:
            wave = min(bisect_right(ends, called), len(ends) - 1)
            high -= old[wave]
            at = high if old[wave] else low
            low += not old[wave]
            called += sizes[at]
            result.append(numbers[at])
    return result
