"""What must leave: calls that events, progress or new zones leave no right to stand.

Each rule takes whole blocks off the board, the fewest people it can find, and counts the people of
whom it is proved that no plan can leave them where they are: a lower bound, because whole blocks
must go where single people would do.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from scheduler.domain.city import FIXED, Flags, Ints
from scheduler.domain.instance import Instance
from scheduler.domain.settings import Zone
from scheduler.solve.repair.board import Board, Fit
from scheduler.solve.repair.outside import filled, runs_with_room
from scheduler.solve.repair.rows import Calls

STAYS_SHARE = 0.5
"""A block is called to other slots of its site while so many of its people keep theirs."""


@dataclass
class Clearing:
    """Calls that stand, and why people must leave: cause -> people, a proved lower bound.

    ``nameless`` of them are so many of some slot, whoever they are.
    """

    standing: Calls
    must_leave: dict[str, int] = field(default_factory=dict)
    nameless: int = 0


def clear(instance: Instance, board: Board, calls: Calls, closed: Flags) -> Clearing:
    """Put the calls that may stay on the board and return them.

    ``calls`` start after the freeze and carry the zone they were made under;
    ``closed[site, slot]`` marks slots that nobody may be called to any more.
    """
    must: dict[str, int] = {}
    shut = closed[calls.site, calls.slot]
    must["site_closed"] = int(calls.people[shut].sum())
    rest = calls.where(~np.isin(calls.block, calls.block[shut]))
    zone_now = instance.block_zone[rest.block]
    changed = rest.zone != zone_now
    board.add(rest.where(~changed))
    must["over_quota"] = _excess(board, rest, changed)
    standing = _thinned(board, rest.where(~changed))
    kept, misfit, mixed = _rezoned(instance, board, rest.where(changed))
    must["zone_changed"] = misfit + mixed
    causes = {cause: n for cause, n in must.items() if n}
    return Clearing(standing.joined(kept), causes, must["over_quota"] + mixed)


def _excess(board: Board, calls: Calls, changed: Flags) -> int:
    """Return the people over the quota of their slot; slots of changed zones are counted there."""
    shape = board.quota.shape
    key = calls.site * shape[1] + calls.slot
    used = np.bincount(key, calls.people, shape[0] * shape[1])
    over = np.maximum(used - board.quota.reshape(-1), 0)
    over[key[changed]] = 0
    return int(over.sum())


def _thinned(board: Board, calls: Calls) -> Calls:
    """Make sites keep their quota: blocks are called later at their site, or leave it."""
    used = board.used()
    over = used > board.quota
    over[:, : board.free_from] = False
    sites = np.flatnonzero(over.any(axis=1))
    if not len(sites):
        return calls
    here = np.isin(calls.site, sites)
    parts = []
    for site in sites.tolist():
        mine = calls.where(calls.site == site)
        board.add(mine, -1)
        parts.append(_refill(board, site, mine))
    return calls.where(~here).beside(*parts)


def _refill(board: Board, site: int, calls: Calls) -> Calls:
    """Call the blocks of a site again, in their order, while half of each may keep its slot."""
    first: dict[int, int] = {}
    for block, slot in zip(calls.block.tolist(), calls.slot.tolist(), strict=True):
        first[block] = min(slot, first.get(block, slot))
    kept = []
    for block in sorted(first, key=lambda b: (first[b], b)):
        mine = calls.where(calls.block == block)
        if not board.allows(mine):
            mine = _shifted(board, site, mine)
        board.add(mine)
        kept.append(mine)
    return kept[0].beside(*kept[1:])


def _shifted(board: Board, site: int, mine: Calls) -> Calls:
    """Return the calls of a block at nearby slots of its site; none where too many would move."""
    people, zone = int(mine.people.sum()), int(mine.zone[0])
    room = board.room(site, zone)
    start, end = runs_with_room(room, people)
    old = np.bincount(mine.slot, mine.people, len(room))
    best, stays = None, STAYS_SHARE * people
    near = (start <= mine.slot.max()) & (end > mine.slot.min())
    for a, b in zip(start[near].tolist(), end[near].tolist(), strict=True):
        fit = Fit(0.0, site, a, filled(room, a, b, people))
        same = float(np.minimum(old[a:b], fit.people).sum())
        if same > stays:
            best, stays = fit, same
    if best is None:
        return mine.where(np.zeros(len(mine), dtype=bool))
    size = len(best.people)
    return Calls(
        np.full(size, mine.block[0]), np.full(size, site), best.slots,
        np.array(best.people, dtype=np.int64), np.full(size, zone),
    )  # fmt: skip


def _rezoned(instance: Instance, board: Board, calls: Calls) -> tuple[Calls, int, int]:
    """Keep blocks of a changed zone where their site may still serve them.

    Returns their calls, the people whom their site may not serve any more, and those who must leave
    because zones would mix.
    """
    zone = instance.block_zone[calls.block]
    renamed = Calls(calls.block, calls.site, calls.slot, calls.people, zone)
    fits = may_serve(instance, calls.block, calls.site, zone)
    misfit, mixed = int(calls.people[~fits].sum()), _mixed(board, renamed.where(fits))
    kept = []
    for block in np.unique(calls.block[fits]).tolist():
        mine = renamed.where(renamed.block == block)
        if fits[renamed.block == block].all() and board.allows(mine):
            board.add(mine)
            kept.append(mine)
    nobody = renamed.where(np.zeros(len(renamed), dtype=bool))
    return nobody.beside(*kept), misfit, mixed


def _mixed(board: Board, calls: Calls) -> int:
    """Return the people who must leave slots that would hold two zones: the smaller sides."""
    if not len(calls):
        return 0
    num_slots = board.quota.shape[1]
    key, where = np.unique(calls.site * num_slots + calls.slot, return_inverse=True)
    come = np.bincount(where, calls.people)
    own = np.zeros(len(key), dtype=np.int64)
    own[where] = calls.zone
    there = board.people[:, key // num_slots, key % num_slots]
    others = there.sum(axis=0) - there[own, np.arange(len(key))]
    return int(np.minimum(come, others).sum())


def may_serve(instance: Instance, block: Ints, site: Ints, zone: Ints) -> Flags:
    """Return whether the site beside each block accepts its zone and, as a team, its community."""
    sites = instance.sites
    accepts = sites.accepts[site, zone]
    fixed = sites.kinds[site] == FIXED
    named = np.array(
        [c in sites.community_indices[s] for s, c in
         zip(site.tolist(), instance.blocks.community_index[block].tolist(), strict=True)],
        dtype=bool,
    )  # fmt: skip
    good: Flags = accepts & np.where(fixed, zone != Zone.LOCKDOWN, named)
    return good
