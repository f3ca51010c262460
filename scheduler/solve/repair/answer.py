"""From repaired calls and consignments to the four tables of a plan."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from scheduler.domain.city import Ints, Texts
from scheduler.domain.instance import Instance
from scheduler.domain.plan import (
    ASSIGNMENT_COLUMNS,
    CONSIGNMENT_COLUMNS,
    LAB_LOAD_COLUMNS,
    UNSERVED_COLUMNS,
    PlanTables,
    Reason,
)
from scheduler.domain.settings import ZONE_WORDS
from scheduler.domain.standing import DONE_COLUMNS
from scheduler.solve.repair.behind import Served
from scheduler.solve.repair.groups import Groups, group_key
from scheduler.solve.repair.outside import LabHours
from scheduler.solve.repair.rows import Calls, Sent


def tables(
    instance: Instance, calls: Calls, sent: tuple[Sent, Groups], hours: LabHours,
    reasons: Mapping[int, Reason],
) -> PlanTables:  # fmt: skip
    """Return the tables of a plan; ``reasons`` tells why blocks have people without a slot."""
    return PlanTables(
        _assignments(instance, calls),
        _consignments(instance, *sent),
        _lab_load(instance, sent[0], hours),
        _unserved(instance, calls, reasons),
    )


def done_table(instance: Instance, served: Served) -> pd.DataFrame:
    """Return the calls that were cut short, sorted by block and start."""
    rows = np.flatnonzero(served.cut)
    calls = served.calls.where(rows)
    rank = _text_rank(instance.blocks.ids)
    order = np.lexsort((calls.slot, rank[calls.block]))
    columns = (
        _texts(calls.block[order], instance.blocks.ids),
        _texts(calls.site[order], instance.sites.ids),
        _times(instance, calls.slot[order] * instance.settings.round.slot_minutes),
        _texts(calls.zone[order], ZONE_WORDS),
        calls.people[order],
        served.sampled[rows][order],
    )
    return pd.DataFrame(dict(zip(DONE_COLUMNS, columns, strict=True)))


def _texts(codes: Ints, words: Texts | tuple[str, ...]) -> Any:  # noqa: ANN401  # a pandas column
    return pd.Categorical.from_codes(codes, categories=pd.Index(list(words), dtype=object))


def _times(instance: Instance, minutes: Ints) -> Any:  # noqa: ANN401  # a pandas column
    distinct, codes = np.unique(minutes, return_inverse=True)
    return _texts(codes, tuple(instance.clock.iso(int(m)) for m in distinct))


def _text_rank(ids: Texts) -> Ints:
    rank: Ints = np.argsort(np.argsort(ids.astype(str), kind="stable"))
    return rank


def _assignments(instance: Instance, calls: Calls) -> pd.DataFrame:
    slot_min = instance.settings.round.slot_minutes
    rank = _text_rank(instance.blocks.ids)
    calls = calls.where(np.lexsort((calls.slot, rank[calls.block])))
    pool = np.array(instance.settings.pooling.by_zone(), dtype=np.int64)[calls.zone]
    columns = (
        _texts(calls.block, instance.blocks.ids),
        _texts(instance.blocks.community_index[calls.block], instance.communities.ids),
        _texts(calls.site, instance.sites.ids),
        _times(instance, calls.slot * slot_min),
        _times(instance, (calls.slot + 1) * slot_min),
        calls.people,
        _row_tubes(calls, rank, pool, instance.clock.slots_per_wave),
        _texts(calls.zone, ZONE_WORDS),
        pool,
    )
    return pd.DataFrame(dict(zip(ASSIGNMENT_COLUMNS, columns, strict=True)))


def _row_tubes(calls: Calls, rank: Ints, pool: Ints, per_wave: int) -> Ints:
    """Return the tubes that each row opens (DESIGN.md section 4, assignments.csv)."""
    wave = calls.slot // per_wave
    key = group_key(calls.site, wave, calls.zone, int(wave.max(initial=0)) + 1)
    order = np.lexsort((rank[calls.block], calls.slot, key))
    upto = np.cumsum(calls.people[order])
    first = np.flatnonzero(np.diff(key[order], prepend=-1))
    start = (upto - calls.people[order])[first]
    after = upto - np.repeat(start, np.diff(np.append(first, len(order))))
    size = pool[order]
    tubes = np.empty(len(order), dtype=np.int64)
    tubes[order] = -(-after // size) + (-(after - calls.people[order]) // size)
    return tubes


def _consignments(instance: Instance, sent: Sent, groups: Groups) -> pd.DataFrame:
    settings = instance.settings.round
    key = group_key(sent.site, sent.wave, sent.zone, groups.num_waves)
    zone_rank = sent.zone
    order = np.lexsort((sent.lab, sent.start, zone_rank, sent.wave, sent.site))
    sent, key = sent.where(order), key[order]
    first_slot = groups.first_slot[np.searchsorted(groups.key, key)] if len(key) else key
    pool = np.array(instance.settings.pooling.by_zone(), dtype=np.int64)[sent.zone]
    columns = (
        _texts(sent.site, instance.sites.ids),
        _texts(sent.lab, instance.labs.ids),
        _texts(sent.zone, ZONE_WORDS),
        pool,
        _times(instance, (sent.wave + 1) * settings.wave_minutes),
        _times(instance, sent.arrive),
        _times(instance, sent.start),
        _times(instance, sent.start + instance.labs.processing_min[sent.lab]),
        sent.tubes,
        sent.people,
        _times(instance, first_slot * settings.slot_minutes),
    )
    return pd.DataFrame(dict(zip(CONSIGNMENT_COLUMNS, columns, strict=True)))


def _lab_load(instance: Instance, sent: Sent, hours: LabHours) -> pd.DataFrame:
    load = np.zeros(hours.capacity.shape, dtype=np.int64)
    np.add.at(load, (sent.lab, hours.index(sent.start)), sent.tubes)
    lab, hour = np.nonzero(load)
    columns = (
        _texts(lab, instance.labs.ids),
        _times(instance, hours.begin_min[hour]),
        load[lab, hour],
        hours.capacity[lab, hour],
    )
    return pd.DataFrame(dict(zip(LAB_LOAD_COLUMNS, columns, strict=True)))


def _unserved(instance: Instance, calls: Calls, reasons: Mapping[int, Reason]) -> pd.DataFrame:
    blocks = instance.blocks
    called = np.bincount(calls.block, calls.people, len(blocks)).astype(np.int64)
    without = instance.demand - called
    home, left = np.flatnonzero(blocks.home_visits), np.flatnonzero(without > 0)
    words = tuple(reason.value for reason in Reason)
    why = [words.index(reasons.get(b, Reason.FULL).value) for b in left.tolist()]
    block = np.concatenate((home, left))
    reason = np.concatenate((np.zeros(len(home), dtype=np.int64), np.array(why, dtype=np.int64)))
    people = np.concatenate((blocks.home_visits[home], without[left]))
    order = np.lexsort((reason, block))
    columns = (
        _texts(block[order], blocks.ids),
        _texts(blocks.community_index[block[order]], instance.communities.ids),
        people[order],
        _texts(reason[order], words),
    )
    return pd.DataFrame(dict(zip(UNSERVED_COLUMNS, columns, strict=True)))
