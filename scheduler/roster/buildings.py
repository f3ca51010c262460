"""Blocks out of addresses: the building of an address, small buildings put together, large cut."""

from __future__ import annotations

import re

import numpy as np
import polars as pl

from scheduler.domain.city import Ints

_PATTERNS = (
    r"^(.*?\d+\s*(?:号楼|栋|幢|座|#楼|#))",
    r"^(.*?\d+号)",
    r"(?i)^(.*?\b(?:building|block|bldg\.?|no\.?)\s*\w+)",
    r"^(.*?\D)[\s,，、-]*\d+\s*(?:室|户)?$",
)
"""Where the part of an address that names the building ends; the first that fits counts."""


def building_of(address: pl.Expr) -> pl.Expr:
    """Return the building that an address names, the whole address where none is recognised.

    ``幸福路12号3号楼2单元501`` is 幸福路12号3号楼; ``12 Park Rd, Building 3, Flat 501`` is
    12 Park Rd, Building 3.
    """
    found = [address.str.extract(pattern, 1).str.strip_chars(" ,，-") for pattern in _PATTERNS]
    return pl.coalesce(*(pl.when(f != "").then(f) for f in found), address)


def natural_order(names: list[str]) -> list[int]:
    """Return the order in which people count buildings: 2号楼 before 10号楼."""
    keys = [re.sub(r"\d+", lambda m: m[0].zfill(8), name) for name in names]
    return sorted(range(len(names)), key=lambda i: (keys[i], names[i]))


def pack_buildings(people: Ints, max_people: int) -> tuple[Ints, Ints]:
    """Return the first block of each building, in order, and how many blocks it is cut into.

    Neighbouring buildings share a block while its people are at most ``max_people``; a larger
    building has ceil(people / ``max_people``) blocks to itself.
    """
    first, pieces = np.zeros(len(people), dtype=np.int64), np.ones(len(people), dtype=np.int64)
    block, inside = -1, max_people + 1
    for place, count in enumerate(people.tolist()):
        if inside + count > max_people:
            block, inside = block + 1, 0
        first[place] = block
        inside += count
        if count > max_people:
            pieces[place] = -(-count // max_people)
            block, inside = block + int(pieces[place]) - 1, max_people + 1
    return first, pieces
