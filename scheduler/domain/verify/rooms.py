"""Rules 3, 4 and 5: one site and consecutive slots per block, zones apart, candidates only."""

from __future__ import annotations

import numpy as np

from scheduler.domain.city import Flags, Ints
from scheduler.domain.settings import ZONE_WORDS, Zone
from scheduler.domain.verify.breach import ASSIGNMENTS, rows_where
from scheduler.domain.verify.context import NUM_ZONES, Context
from scheduler.domain.verify.ground import Ground


def check_blocks(context: Context, ground: Ground) -> None:
    """Check slots and opening hours row by row, then each block's site and run of slots."""
    check_slots(context, ground)
    check_runs(context)


def check_slots(context: Context, ground: Ground) -> None:
    """Check slots and opening hours row by row."""
    called, axis = context.called, context.axis
    length = called.end - called.start
    on_grid = (called.start % axis.slot_min == 0) & (length == axis.slot_min)
    on_grid &= (called.start >= 0) & (called.end <= axis.end_min)
    for row in rows_where(~on_grid):
        words = f"expected a slot of {axis.slot_min} min on the grid of the round"
        _add(context, "B133", row, f"{words}, got {_times(context, row)}")
    slot = np.where(on_grid, called.start // axis.slot_min, 0)
    is_open = ground.open_slots[called.site, slot] if axis.num_slots else ~on_grid
    for row in rows_where(on_grid & ~is_open):
        _add(
            context,
            "B134",
            row,
            f"expected a slot within opening hours, got {_times(context, row)}",
        )


def check_runs(context: Context) -> None:
    """Check that each block has one site and consecutive slots."""
    called = context.called
    order = np.lexsort((called.start, called.block))
    block, site = called.block[order], called.site[order]
    same = block[1:] == block[:-1]
    for at in rows_where(same & (site[1:] != site[:-1])):
        names = context.instance.sites.ids[site[at]], context.instance.sites.ids[site[at + 1]]
        _add(
            context, "B131", int(order[at + 1]), f"expected one site, got {names[0]} and {names[1]}"
        )
    broken = same & (called.start[order][1:] != called.end[order][:-1])
    broken &= called.start[order][1:] != called.start[order][:-1]
    for at in rows_where(broken):
        before = context.axis.text(called.end[order[at]])
        words = f"expected a slot that starts at {before}, where the one before ends"
        _add(context, "B132", order[at + 1], f"{words}, got {_times(context, order[at + 1])}")


def check_zones(context: Context) -> None:
    """Check that zones never meet at a site and that clearing times are kept."""
    called = context.called
    order = np.lexsort((called.zone, called.start, called.site))
    site, start, zone = called.site[order], called.start[order], called.zone[order]
    together = (site[1:] == site[:-1]) & (start[1:] == start[:-1]) & (zone[1:] != zone[:-1])
    for at in rows_where(together):
        pair = f"{ZONE_WORDS[zone[at]]} and {ZONE_WORDS[zone[at + 1]]}"
        _add(context, "B141", order[at + 1], f"expected one zone in a slot, got {pair}")
    for less_strict in range(1, NUM_ZONES):
        _check_clearing(context, order, less_strict)


def _check_clearing(context: Context, order: Ints, less_strict: int) -> None:
    """Check one zone's slots against the latest end of a stricter zone's slot before them."""
    called, clearing = context.called, context.instance.settings.sites.clearing_min
    if not len(order):
        return
    site, start, zone = called.site[order], called.start[order], called.zone[order]
    base = int(called.end.max() - min(0, called.start.min())) + clearing + 1
    latest = np.maximum.accumulate(
        np.where(zone < less_strict, site * base + called.end[order], site * base - base)
    )
    gap = start - (latest - site * base)
    known = (latest >= site * base) & (zone == less_strict)
    for at in rows_where(known & (gap < clearing) & (gap >= 0)):
        words = f"expected {clearing} min after a stricter zone, got {gap[at]}"
        _add(context, "B142", order[at], words)


def check_candidates(context: Context, ground: Ground, known: Flags | None = None) -> None:
    """Check every pair of block and site that the plan uses, once.

    ``known`` marks rows whose pair an earlier plan had: no distance or district is asked of them.
    """
    called = context.called
    size = len(context.instance.sites)
    pairs, rows = np.unique(called.block * size + called.site, return_index=True)
    block, site = pairs // size, pairs % size
    zone = context.instance.block_zone[block]
    fixed = ground.is_fixed[site]
    _report(
        context,
        "B143",
        rows,
        ~context.instance.sites.accepts[site, zone],
        "expected a site that accepts the zone",
    )
    _report(
        context,
        "B144",
        rows,
        ~fixed & ~ground.is_named(block, site),
        "expected a site that is named for the community",
    )
    _report(
        context,
        "B145",
        rows,
        fixed & (zone == Zone.LOCKDOWN),
        "expected a mobile or dedicated site for a lockdown block",
    )
    away = context.instance.sites.districts[site] != ground.block_district[block]
    if not context.instance.settings.targets.cross_district:
        away &= ~known[rows] if known is not None else True
        _report(context, "B152", rows, fixed & away, "expected a site of the block's district")
    far = np.zeros(len(pairs), dtype=bool)
    asked = fixed if known is None else fixed & ~known[rows]
    far[asked] = ~ground.in_reach(block[asked], site[asked])
    limit = context.instance.settings.targets.max_walk_m
    _report(
        context,
        "B151",
        rows,
        far,
        f"expected a site within {limit} m on foot or among the 8 nearest",
    )


def _report(context: Context, code: str, rows: Ints, bad: Flags, words: str) -> None:
    for row in rows[bad]:
        _add(context, code, row, words)


def _times(context: Context, row: int) -> str:
    called = context.called
    return f"{context.axis.text(called.start[row])} to {context.axis.text(called.end[row])}"


def _add(context: Context, code: str, row: int, text: str) -> None:
    called, instance = context.called, context.instance
    where = instance.blocks.ids[called.block[row]], instance.sites.ids[called.site[row]]
    context.log.add(code, ASSIGNMENTS, text, line=int(called.line[row]), where=map(str, where))
