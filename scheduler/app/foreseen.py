"""How long the stages of a plan should take: what progress tells as time left is estimated by it.

Processor time was measured on synthetic rounds: 100 thousand, 1 million and 6.379 million people of
Dalian over three days, 25.67 million of Shanghai on one. How fast this machine is shows while the
plan is made.
"""

from __future__ import annotations

import numpy as np

BLOCKS = (409, 4_078, 26_061, 104_769)
SECONDS: dict[str, tuple[float, float, float, float]] = {
    "queue grounds": (0.03, 0.03, 0.03, 0.06),
    "candidates": (0.01, 0.04, 0.3, 1.6),
    "stricter zones": (0.01, 0.03, 0.2, 0.5),
    "places": (0.01, 0.1, 0.8, 6.8),
    "places and labs": (0.08, 1.1, 3.5, 8.0),
    "whole blocks": (0.01, 0.01, 0.01, 0.04),
    "lower bound": (0.02, 0.08, 0.2, 0.8),
    "slots and tubes": (0.1, 0.85, 3.0, 2.4),
    "tables": (0.02, 0.1, 0.5, 0.85),
    "checking and writing": (0.15, 0.4, 1.8, 4.3),
}
"""Seconds of each stage after reading, in their order, by number of blocks."""


def stage_seconds(num_blocks: int) -> dict[str, float]:
    """Return the seconds that each stage of a plan should take, in their order.

    Sizes in between are interpolated, larger ones take longer in proportion.
    """
    size = np.log(max(num_blocks, BLOCKS[0]))
    beyond = max(1.0, num_blocks / BLOCKS[-1])
    known = {
        name: np.interp(size, np.log(BLOCKS), np.log(times)) for name, times in SECONDS.items()
    }
    return {name: float(np.exp(time)) * beyond for name, time in known.items()}
