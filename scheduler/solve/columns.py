"""Columns of whole numbers as the four tables of a plan, with texts and times for indices."""

from __future__ import annotations

from collections.abc import Sequence
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
    Reason,
)
from scheduler.domain.settings import ZONE_WORDS


def texts(codes: Ints, words: Texts | Sequence[str]) -> Any:  # noqa: ANN401  # a pandas column
    """Return a categorical column without copying a text per row."""
    return pd.Categorical.from_codes(codes, categories=pd.Index(list(words), dtype=object))


def times(instance: Instance, minutes: Ints) -> Any:  # noqa: ANN401  # a pandas column
    """Return ISO 8601 texts of minutes since the round's start, each written once."""
    distinct, codes = np.unique(minutes, return_inverse=True)
    return texts(codes, [instance.clock.iso(int(m)) for m in distinct])


def text_rank(ids: Texts) -> Ints:
    """Return the place of each id among all in order of their texts."""
    rank: Ints = np.argsort(np.argsort(ids.astype(str), kind="stable"))
    return rank


def assignments(
    instance: Instance, block: Ints, site: Ints, slot: Ints, people: Ints, zone: Ints
) -> pd.DataFrame:
    """Return ``assignments.csv`` of calls, sorted by block and start."""
    rank = text_rank(instance.blocks.ids)
    slots = int(slot.max(initial=0)) + 1
    order = np.argsort(rank[block] * slots + slot, kind="stable")
    block, site, slot, people, zone = (c[order] for c in (block, site, slot, people, zone))
    pool, slot_min = _pools(instance)[zone], instance.settings.round.slot_minutes
    wave = slot // instance.clock.slots_per_wave
    key = (site * (int(wave.max(initial=0)) + 1) + wave) * len(ZONE_WORDS) + zone
    columns = (
        texts(block, instance.blocks.ids),
        texts(instance.blocks.community_index[block], instance.communities.ids),
        texts(site, instance.sites.ids),
        times(instance, slot * slot_min),
        times(instance, (slot + 1) * slot_min),
        people,
        _row_tubes(key, np.argsort((key * slots + slot) * len(rank) + rank[block]), people, pool),
        texts(zone, ZONE_WORDS),
        pool,
    )
    return pd.DataFrame(dict(zip(ASSIGNMENT_COLUMNS, columns, strict=True)))


def _row_tubes(key: Ints, order: Ints, people: Ints, pool: Ints) -> Ints:
    """Return tubes opened by each row: ceil(after / k) - ceil(before / k) within its key."""
    upto = np.cumsum(people[order])
    first = np.flatnonzero(np.diff(key[order], prepend=-1))
    start = (upto - people[order])[first]
    after = upto - np.repeat(start, np.diff(np.append(first, len(order))))
    size = pool[order]
    tubes = np.empty(len(order), dtype=np.int64)
    tubes[order] = -(-after // size) + (-(after - people[order]) // size)
    return tubes


def consignments(
    instance: Instance,
    ids: tuple[Ints, Ints, Ints],
    moments: tuple[Ints, Ints, Ints, Ints],
    tubes: Ints,
    people: Ints,
) -> pd.DataFrame:
    """Return ``consignments.csv`` in the order given.

    ``ids`` are site, lab and zone; ``moments`` pick-up, arrival, start and oldest sample, in
    minutes since the round's start.
    """
    (site, lab, zone), (pickup, arrive, start, oldest) = ids, moments
    columns = (
        texts(site, instance.sites.ids),
        texts(lab, instance.labs.ids),
        texts(zone, ZONE_WORDS),
        _pools(instance)[zone],
        times(instance, pickup),
        times(instance, arrive),
        times(instance, start),
        times(instance, start + instance.labs.processing_min[lab]),
        tubes,
        people,
        times(instance, oldest),
    )
    return pd.DataFrame(dict(zip(CONSIGNMENT_COLUMNS, columns, strict=True)))


def lab_load(instance: Instance, load: Ints, begin_min: Ints, capacity: Ints) -> pd.DataFrame:
    """Return ``lab_load.csv`` of the hours with any tubes; ``load`` and ``capacity[lab, hour]``."""
    lab, hour = np.nonzero(load)
    columns = (
        texts(lab, instance.labs.ids),
        times(instance, begin_min[hour]),
        load[lab, hour],
        capacity[lab, hour],
    )
    return pd.DataFrame(dict(zip(LAB_LOAD_COLUMNS, columns, strict=True)))


def left_over(instance: Instance, block: Ints, people: Ints) -> Ints:
    """Return the people of each block whom no call has, home visits apart."""
    called = np.bincount(block, people, len(instance.blocks)).astype(np.int64)
    left: Ints = instance.demand - called
    return left


def unserved(instance: Instance, without: Ints, reasons: Sequence[Reason]) -> pd.DataFrame:
    """Return ``unserved.csv``; ``reasons`` are those of blocks with people ``without`` a call."""
    blocks, words = instance.blocks, tuple(reason.value for reason in Reason)
    home, left = np.flatnonzero(blocks.home_visits), np.flatnonzero(without > 0)
    why = np.array([words.index(reason.value) for reason in reasons], dtype=np.int64)
    visit = np.full(len(home), words.index(Reason.HOME_VISIT.value), dtype=np.int64)
    block, reason = np.concatenate((home, left)), np.concatenate((visit, why))
    people = np.concatenate((blocks.home_visits[home], without[left]))
    order = np.lexsort((reason, block))
    columns = (
        texts(block[order], blocks.ids),
        texts(blocks.community_index[block[order]], instance.communities.ids),
        people[order],
        texts(reason[order], words),
    )
    return pd.DataFrame(dict(zip(UNSERVED_COLUMNS, columns, strict=True)))


def _pools(instance: Instance) -> Ints:
    return np.array(instance.settings.pooling.by_zone(), dtype=np.int64)
