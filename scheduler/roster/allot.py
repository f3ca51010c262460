"""Each person of a roster to a slot and a tube of the plan."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scheduler.domain.city import Ints
from scheduler.domain.instance import Instance
from scheduler.domain.plan import Plan, Reason
from scheduler.domain.roster import REASONS, Fate
from scheduler.roster.homes import Residents, Rows, cut_homes, homes_of, index_of, plan_rows
from scheduler.roster.slots import largest_slot, places_of, seat, slack_of
from scheduler.roster.tubes import Seated, tubes_of


@dataclass(frozen=True)
class Allotted:
    """What each person gets; -1 without a slot. ``tube`` counts from 1 within site and wave.

    ``row`` points into ``rows``, those of the plan.
    """

    fate: Ints
    reason: Ints
    row: Ints
    tube: Ints
    rows: Rows
    figures: dict[str, int]


def allot(instance: Instance, plan: Plan, people: Residents, quota: Ints) -> Allotted:
    """Give every household a slot of its block, and its people tubes.

    ``quota[site]`` is the most people that may be called to a site in a slot.
    """
    rows = plan_rows(instance, plan)
    called = np.flatnonzero(people.fate == Fate.SLOT)
    homes = homes_of(people, called)
    slack = slack_of(rows, places_of(instance, rows, quota))
    homes = cut_homes(homes, largest_slot(rows, slack, len(instance.blocks)))
    seated = seat(instance, rows, homes, quota)
    fate, reason = people.fate.copy(), people.reason.copy()
    row_of = np.full(len(fate), -1, dtype=np.int64)
    tube_of = np.full(len(fate), -1, dtype=np.int64)
    placed = seated.row >= 0
    tubes = tubes_of(instance, rows, Seated(homes, seated.row))
    row_of[called] = seated.row[homes.of_person]
    tube_of[called] = tubes.of_person
    without = called[~placed[homes.of_person]]
    fate[without] = Fate.HOME_VISIT
    reason[without] = _why_left(instance, plan)[people.block[without]]
    actual = np.bincount(row_of[row_of >= 0], minlength=len(rows.people))
    figures = {
        "households": homes.count,
        "cut_households": homes.num_cut,
        "moved": int(np.maximum(actual - rows.people, 0).sum()),
        "over_quota": seated.over,
        "no_slot": len(without),
        **tubes.figures,
    }
    return Allotted(fate, reason, row_of, tube_of, rows, figures)


def _why_left(instance: Instance, plan: Plan) -> Ints:
    """Return why each block's people beyond its slots have none, as an index into ``REASONS``."""
    reason = np.full(len(instance.blocks), REASONS.index(Reason.FULL.value))
    left = plan.unserved[plan.unserved["reason"].astype(str) != Reason.HOME_VISIT.value]
    blocks = index_of(left["block_id"], instance.blocks.ids.tolist())
    reason[blocks] = [REASONS.index(str(word)) for word in left["reason"]]
    return reason
