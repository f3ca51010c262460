"""How finely times are told on paper, so that a community's notice fits one page of A4.

On a screen a page is as long as it needs to be. On paper quarter hours are put together to half
hours, hours and so on, as little as it takes; each building keeps its first and last minute.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

SLOTS_PER_LINE = 1, 2, 4, 8, 16
"""Slots that one entry on paper may stand for, finest first."""


@dataclass(frozen=True)
class Look:
    """A way to print: columns of buildings, and what a line holds and takes.

    The measures are those of the built-in template, taken from Chromium's pages.
    """

    name: str
    columns: int
    head_mm: float
    line_mm: float
    gap_mm: float
    entries: int
    name_chars: int


ROOMY = Look("roomy", 2, 18.0, 5.3, 3.0, 3, 16)
DENSE = Look("dense", 3, 5.6, 4.1, 2.2, 2, 7)
DATE_CHARS = 3
"""A date takes as much of a line as so many characters; it is left out where all have the same."""
PAGE_MM = 160.0
"""What a page leaves for buildings and sites."""
FEW_SITES, FEW_MM = 3, 19.0
SITES_PER_ROW, SITES_MM = 4, 25.0
"""Up to a few sites stand in one row; more are narrower, and a row of them is higher."""


def on_paper(
    blocks: Sequence[dict[str, Any]], num_sites: int, slot_minutes: int
) -> tuple[str, int, list[list[dict[str, Any]]]]:
    """Return the look, the minutes of an entry (0: none) and the entries of each block.

    ``blocks`` are those of a notice, with ``name`` and ``slots``. Where even one window for each
    building takes more than a page, that is what is printed, on more pages.
    """
    many = SITES_MM * math.ceil(num_sites / SITES_PER_ROW)
    room = PAGE_MM - (FEW_MM if num_sites <= FEW_SITES else many)
    days = {block[end]["date"] for block in blocks for end in ("begin", "end")}
    date = DATE_CHARS if len(days) > 1 else 0
    for look, size in [(ROOMY, 1), *((DENSE, size) for size in SLOTS_PER_LINE)]:
        entries = [together(block["slots"], slot_minutes * size) for block in blocks]
        heads = [len(block["name"]) + date for block in blocks]
        heights = [_height(look, *pair) for pair in zip(heads, entries, strict=True)]
        if _num_columns(heights, room) <= look.columns:
            return look.name, slot_minutes * size, entries
    return DENSE.name, 0, [[] for _ in blocks]


def together(slots: Sequence[dict[str, Any]], minutes: int) -> list[dict[str, Any]]:
    """Return slots put together by hours of so many minutes, in their order.

    Each has the ``begin`` of its first slot, all ``people`` and, where known, the ``households``
    from the first to the last: they come in the order of their numbers.
    """
    found = []
    for _, group in groupby(slots, key=lambda slot: slot["minute"] // minutes):
        own = list(group)
        ends = [own[0]["households"].split("–")[0], own[-1]["households"].split("–")[-1]]
        found.append(
            {
                "begin": own[0]["begin"],
                "people": sum(slot["people"] for slot in own),
                "households": "–".join(dict.fromkeys(ends)) if all(ends) else "",
            }
        )
    return found


def _num_columns(heights: Sequence[float], room: float) -> float:
    """Return how many columns of a height boxes fill in their order; none is broken."""
    columns, free = 0.0, 0.0
    for height in heights:
        if height > free:
            columns, free = columns + (1 if height <= room else math.inf), room
        free -= height
    return columns


def _height(look: Look, chars: int, entries: Sequence[dict[str, Any]]) -> float:
    heads = math.ceil(max(chars, 1) / look.name_chars)
    days = Counter(entry["begin"]["date"] for entry in entries)
    lines = sum(math.ceil(num / look.entries) + 1 for num in days.values()) - bool(days)
    return look.head_mm * heads + look.line_mm * lines + look.gap_mm
