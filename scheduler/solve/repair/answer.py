"""From repaired calls and consignments to the four tables of a plan."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from scheduler.domain.instance import Instance
from scheduler.domain.plan import PlanTables, Reason
from scheduler.domain.settings import ZONE_WORDS
from scheduler.domain.standing import DONE_COLUMNS
from scheduler.solve.repair.behind import Served
from scheduler.solve.repair.groups import Groups, group_key
from scheduler.solve.repair.outside import columns
from scheduler.solve.repair.post import Post
from scheduler.solve.repair.rows import Calls, Sent


def tables(
    post: Post, calls: Calls, sent: tuple[Sent, Groups], reasons: Mapping[int, Reason]
) -> PlanTables:
    """Return the tables of a plan; ``reasons`` tells why blocks have people without a slot."""
    instance, hours = post.instance, post.hours
    without = columns.left_over(instance, calls.block, calls.people)
    why = [reasons.get(block, Reason.FULL) for block in np.flatnonzero(without > 0).tolist()]
    load = post.load(sent[0])
    return PlanTables(
        columns.assignments(
            instance, calls.block, calls.site, calls.slot, calls.people, calls.zone
        ),
        _consignments(instance, *sent),
        columns.lab_load(instance, load, hours.begin_min, hours.capacity),
        columns.unserved(instance, without, why),
    )


def done_table(instance: Instance, served: Served) -> pd.DataFrame:
    """Return the calls that were cut short, sorted by block and start."""
    rows = np.flatnonzero(served.cut)
    calls = served.calls.where(rows)
    order = np.lexsort((calls.slot, columns.text_rank(instance.blocks.ids)[calls.block]))
    values = (
        columns.texts(calls.block[order], instance.blocks.ids),
        columns.texts(calls.site[order], instance.sites.ids),
        columns.times(instance, calls.slot[order] * instance.settings.round.slot_minutes),
        columns.texts(calls.zone[order], ZONE_WORDS),
        calls.people[order],
        served.sampled[rows][order],
    )
    return pd.DataFrame(dict(zip(DONE_COLUMNS, values, strict=True)))


def _consignments(instance: Instance, sent: Sent, groups: Groups) -> pd.DataFrame:
    settings = instance.settings.round
    sent = sent.where(np.lexsort((sent.lab, sent.start, sent.zone, sent.wave, sent.site)))
    key = group_key(sent.site, sent.wave, sent.zone, groups.num_waves)
    first_slot = groups.first_slot[np.searchsorted(groups.key, key)] if len(key) else key
    pickup, oldest = (sent.wave + 1) * settings.wave_minutes, first_slot * settings.slot_minutes
    ids, moments = (sent.site, sent.lab, sent.zone), (pickup, sent.arrive, sent.start, oldest)
    return columns.consignments(instance, ids, moments, sent.tubes, sent.people)
