"""People without a place: who they are, what moving them costs, and why some stay without one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from scheduler.domain.city import Floats, Ints
from scheduler.domain.plan import Reason
from scheduler.domain.settings import Zone
from scheduler.solve.repair.outside import candidate_pairs
from scheduler.solve.repair.place import Item, Placer, Prices, Rooms, push_aside
from scheduler.solve.repair.rows import Calls, Stand
from scheduler.solve.repair.situation import Situation

UNPUBLISHED = 0.2
"""What moving people costs who were told nothing yet, as a share of the weights of churn: enough to
leave them alone, and not part of the objective."""
MOST_PUSHES = 200


class Waiting:
    """Looks after the people of a situation who need a place; ``missed`` are blocks cut short."""

    def __init__(self, here: Situation, missed: Iterable[int]) -> None:
        self.here, self.missed = here, set(missed)

    def items(self, done: Calls, standing: Calls) -> list[Item]:
        """Return the people of each block who have no place, and the slots their block has.

        A block of which some had no slot before and the others keep theirs is left as it is.
        """
        count = len(self.here.instance.blocks)
        called = np.bincount(done.block, done.people, count)
        called = called + np.bincount(standing.block, standing.people, count)
        need = (self.here.instance.demand - called).astype(np.int64)
        items = []
        for block in np.flatnonzero(need > 0).tolist():
            first, last = np.searchsorted(standing.block, [block, block + 1])
            taken = tuple(standing.slot[first:last].tolist())
            if not taken or block in self.missed:
                items.append(replace(self.item(block, int(need[block])), taken=taken))
        return items

    def item(self, block: int, people: int) -> Item:
        """Return people of a block, and the sites where the plan that is mended has it."""
        calls = self.here.calls
        first, last = np.searchsorted(calls.block, [block, block + 1])
        sites: dict[int, int] = {}
        for site, n in zip(calls.site[first:last].tolist(), calls.people[first:last].tolist(),
                           strict=True):  # fmt: skip
            sites[site] = sites.get(site, 0) + n
        return Item(block, people, int(self.here.instance.block_zone[block]), sites)

    def push(self, placer: Placer, stand: Stand, left: list[Item], room: Rooms) -> list[Item]:
        """Push blocks aside for those who found no place; returns those who still have none."""
        if not left:
            return left
        calls, early = stand.calls, self.here.calls.slot < self.here.free_from
        totals = np.bincount(calls.block, calls.people, len(self.here.instance.blocks))
        totals[self.here.calls.block[early]] = 0
        movable = {b: self.item(b, int(totals[b])) for b in np.flatnonzero(totals).tolist()}
        return [
            item
            for number, item in enumerate(left)
            if number >= MOST_PUSHES or not push_aside(placer, item, movable, stand, room)
        ]

    def reasons(self, left: list[Item], past_end: set[int]) -> dict[int, Reason]:
        """Return why each block that is left has no place."""
        old = self.here.standing.base.unserved
        words = dict(zip(old["block_id"].astype(str), old["reason"].astype(str), strict=True))
        blocks = np.array(sorted({i.block for i in left}), dtype=np.int64)
        some: set[int] = set()
        if left:
            pairs = candidate_pairs(self.here.instance, self.here.is_open(), blocks)
            some = set(pairs.block.tolist())
        ids = self.here.instance.blocks.ids.astype(str).tolist()
        reasons = {b: Reason(words[i]) for b, i in enumerate(ids) if i in words
                   and words[i] in {Reason.FULL, Reason.PAST_END}}  # fmt: skip
        for item in left:
            if item.block in some:
                late = item.block in past_end or words.get(ids[item.block]) == Reason.PAST_END
                reasons[item.block] = Reason.PAST_END if late else Reason.FULL
            else:
                sealed = item.zone == Zone.LOCKDOWN
                reasons[item.block] = Reason.NO_TEAM if sealed else Reason.NO_SITE
        return reasons


def prices_of(here: Situation) -> Prices:
    """Return what a choice of place costs."""
    settings = here.instance.settings
    weights = settings.weights
    return Prices(
        finish=np.array(weights.finish.by_zone()),
        walk=weights.walk / settings.walk.metres_per_min,
        split=weights.split,
        other_site=weights.churn.site,
        other_time=weights.churn.time,
        known=_known(here),
        late=weights.late * 60,
        pool=np.array(settings.pooling.by_zone(), dtype=np.int64),
    )


def _known(here: Situation) -> Floats:
    """Return the share of churn that counts for each block."""
    districts = here.instance.communities.districts[here.instance.blocks.community_index]
    whole = "" in here.standing.published
    told = np.isin(districts, list(here.standing.published)) | whole
    return np.where(told, 1.0, UNPUBLISHED)


def trimmed(here: Situation, done: Calls, standing: Calls) -> Calls:
    """Return calls less people who were sampled after all: more are called than there are."""
    count = len(here.instance.blocks)
    block = np.concatenate((done.block, standing.block))
    called = np.bincount(block, np.concatenate((done.people, standing.people)), count)
    over: Ints = called.astype(np.int64) - here.instance.demand
    if not (over > 0).any():
        return standing
    people = standing.people.copy()
    rows = np.flatnonzero(over[standing.block] > 0)
    for row in rows[np.lexsort((standing.slot[rows], standing.block[rows]))[::-1]].tolist():
        less = min(int(over[standing.block[row]]), int(people[row]))
        if less > 0:
            people[row] -= less
            over[standing.block[row]] -= less
    return replace(standing, people=people).where(people > 0)
