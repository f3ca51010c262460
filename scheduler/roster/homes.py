"""The rows of a plan and the households of a roster as columns."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from scheduler.domain.city import Flags, Ints
from scheduler.domain.instance import Instance
from scheduler.domain.plan import Plan
from scheduler.domain.settings import Zone


@dataclass(frozen=True)
class Rows:
    """Rows of ``assignments.csv`` as columns; times are minutes since the round's start."""

    block: Ints
    site: Ints
    start: Ints
    end: Ints
    people: Ints
    tubes: Ints
    zone: Ints
    pool: Ints


@dataclass(frozen=True)
class Residents:
    """People by row, those of a household side by side."""

    block: Ints  # of the instance
    household: Ints
    fate: Ints
    reason: Ints
    elderly: Flags
    priority: Ints


def plan_rows(instance: Instance, plan: Plan) -> Rows:
    """Return the assignments of a plan as columns of numbers."""
    table = plan.assignments
    clock = instance.clock
    return Rows(
        block=index_of(table["block_id"], instance.blocks.ids.tolist()),
        site=index_of(table["site_id"], instance.sites.ids.tolist()),
        start=_by_text(table["start"], clock.minute_of_iso),
        end=_by_text(table["end"], clock.minute_of_iso),
        people=table["people"].to_numpy(np.int64),
        tubes=table["tubes"].to_numpy(np.int64),
        zone=index_of(table["zone"], [z.word for z in Zone]),
        pool=table["pool_size"].to_numpy(np.int64),
    )


@dataclass(frozen=True)
class Homes:
    """Households, or parts of one too large for any slot, sorted by block."""

    block: Ints
    size: Ints
    elderly: Flags
    priority: Ints
    of_person: Ints  # of each called person
    count: int
    num_cut: int


def homes_of(people: Residents, called: Ints) -> Homes:
    """Return the households of the people called, given by their rows."""
    household = people.household[called]
    fresh = np.ones(len(called), dtype=bool)
    fresh[1:] = household[1:] != household[:-1]
    begins = np.flatnonzero(fresh)
    of_person = np.cumsum(fresh) - 1
    size = np.diff(np.append(begins, len(called)))
    if not len(called):
        return Homes(begins, size, begins > 0, begins, of_person, 0, 0)
    return Homes(
        block=people.block[called][begins],
        size=size,
        elderly=np.logical_or.reduceat(people.elderly[called], begins),
        priority=np.maximum.reduceat(people.priority[called], begins),
        of_person=of_person,
        count=len(begins),
        num_cut=0,
    )


def cut_homes(homes: Homes, largest: Ints) -> Homes:
    """Cut households that no slot of their block holds, such as dormitories."""
    limit = np.maximum(largest[homes.block], 1)
    pieces = np.where(largest[homes.block] > 0, -(-homes.size // limit), 1)
    if (pieces == 1).all():
        return homes
    first = np.cumsum(pieces) - pieces
    origin = np.repeat(np.arange(len(pieces)), pieces)
    nth = np.arange(len(origin)) - first[origin]
    size = np.minimum(limit[origin], homes.size[origin] - nth * limit[origin])
    begin = np.cumsum(homes.size) - homes.size
    within = np.arange(len(homes.of_person)) - begin[homes.of_person]
    return Homes(
        block=homes.block[origin],
        size=size,
        elderly=homes.elderly[origin],
        priority=homes.priority[origin],
        of_person=first[homes.of_person] + within // limit[homes.of_person],
        count=homes.count,
        num_cut=int((pieces > 1).sum()),
    )


def index_of(column: pd.Series, ids: list[str]) -> Ints:
    """Return the position of each cell among ids."""
    codes, texts = pd.factorize(column)
    place = {text: p for p, text in enumerate(ids)}
    return np.array([place[str(t)] for t in texts], dtype=np.int64)[codes]


def _by_text(column: pd.Series, parse: Callable[[str], int]) -> Ints:
    codes, texts = pd.factorize(column)
    return np.array([parse(str(t)) for t in texts], dtype=np.int64)[codes]
