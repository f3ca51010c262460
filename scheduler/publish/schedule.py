"""The plan joined with the round's input, as columns that every published file is cut from."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from scheduler.domain.city import Ints, Texts
from scheduler.domain.instance import Instance
from scheduler.domain.plan import Plan, Reason
from scheduler.domain.settings import ZONE_WORDS
from scheduler.errors import BreachError

NEVER = -(10**9)
"""Minute of something that does not happen."""


@dataclass(frozen=True)
class Calls:
    """People called: one row per block and slot, sorted by community, start, then block.

    Times are minutes since the round's start; ``*_index`` and ``zone`` point into the instance.
    """

    community_index: Ints
    block_index: Ints
    site_index: Ints
    start: Ints
    end: Ints
    people: Ints
    tubes: Ints
    zone: Ints
    pool_size: Ints
    result_by: Ints  # latest of the row's site, wave and zone; NEVER where nothing is sent
    households: Texts  # "1-22", "" where unknown

    def __len__(self) -> int:
        return len(self.start)


@dataclass(frozen=True)
class Rest:
    """People without a slot, sorted by community, then block."""

    community_index: Ints
    block_index: Ints
    people: Ints
    reason: Texts
    households: Texts

    def __len__(self) -> int:
        return len(self.people)


@dataclass(frozen=True)
class Sent:
    """Tubes sent to labs: one row per consignment."""

    site_index: Ints
    lab_index: Ints
    zone: Ints
    wave: Ints
    arrive_at: Ints
    start_at: Ints
    result_by: Ints
    tubes: Ints
    people: Ints


class Schedule:
    """Everything that is published of one revision.

    Raises
    ------
    BreachError
        When the plan names a block, site or lab that the input does not have.
    """

    def __init__(self, instance: Instance, plan: Plan, revision: str) -> None:
        self.instance = instance
        self.plan = plan
        self.revision = revision
        self.language = instance.settings.round.language
        self.round_id = instance.settings.round.id

    @cached_property
    def sent(self) -> Sent:
        """The consignments."""
        frame, wave_min = self.plan.consignments, self.instance.settings.round.wave_minutes
        return Sent(
            site_index=_indices(frame["site_id"], self.instance.sites.ids),
            lab_index=_indices(frame["lab_id"], self.instance.labs.ids),
            zone=_indices(frame["zone"], ZONE_WORDS),
            wave=(self.minutes(frame["pickup_at"]) - 1) // wave_min,
            arrive_at=self.minutes(frame["arrive_at"]),
            start_at=self.minutes(frame["start_at"]),
            result_by=self.minutes(frame["result_by"]),
            tubes=frame["tubes"].to_numpy(np.int64),
            people=frame["people"].to_numpy(np.int64),
        )

    @cached_property
    def calls(self) -> Calls:
        """The assignments."""
        frame = self.plan.assignments
        block = _indices(frame["block_id"], self.instance.blocks.ids)
        community = self.instance.blocks.community_index[block]
        start = self.minutes(frame["start"])
        order = np.lexsort((block, start, community))
        block, start = block[order], start[order]
        site = _indices(frame["site_id"], self.instance.sites.ids)[order]
        zone = _indices(frame["zone"], ZONE_WORDS)[order]
        people = frame["people"].to_numpy(np.int64)[order]
        return Calls(
            community_index=community[order],
            block_index=block,
            site_index=site,
            start=start,
            end=self.minutes(frame["end"])[order],
            people=people,
            tubes=frame["tubes"].to_numpy(np.int64)[order],
            zone=zone,
            pool_size=frame["pool_size"].to_numpy(np.int64)[order],
            result_by=self._result_by(site, start, zone),
            households=self._households[0][order],
        )

    @cached_property
    def rest(self) -> Rest:
        """People on home-visit lists and people without a slot."""
        frame = self.plan.unserved
        block = _indices(frame["block_id"], self.instance.blocks.ids)
        community = self.instance.blocks.community_index[block]
        order = np.lexsort((block, community))
        return Rest(
            community_index=community[order],
            block_index=block[order],
            people=frame["people"].to_numpy(np.int64)[order],
            reason=frame["reason"].to_numpy(dtype=object)[order],
            households=self._households[1][order],
        )

    def minutes(self, column: pd.Series) -> Ints:
        """Return minutes since the round's start of ISO 8601 texts, each parsed once."""
        codes, texts = pd.factorize(column)
        known = [self.instance.clock.minute_of_iso(str(text)) for text in texts]
        return np.array(known, dtype=np.int64)[codes]

    def _result_by(self, site: Ints, start: Ints, zone: Ints) -> Ints:
        num_waves = self.instance.clock.num_waves + 1
        num_zones = len(ZONE_WORDS)
        latest = np.full(len(self.instance.sites) * num_waves * num_zones, NEVER, dtype=np.int64)
        sent = self.sent
        key = (sent.site_index * num_waves + sent.wave) * num_zones + sent.zone
        np.maximum.at(latest, key, sent.result_by)
        wave = start // self.instance.settings.round.wave_minutes
        result: Ints = latest[(site * num_waves + wave) * num_zones + zone]
        return result

    @cached_property
    def _households(self) -> tuple[Texts, Texts]:
        """Household numbers of the rows of ``assignments.csv`` and ``unserved.csv``."""
        called, left = self.plan.assignments, self.plan.unserved
        at_home = left["reason"].to_numpy(dtype=object) == Reason.HOME_VISIT
        block = np.concatenate(
            [_indices(frame["block_id"], self.instance.blocks.ids) for frame in (called, left)]
        )
        people = np.concatenate([called["people"], np.where(at_home, 0, left["people"])])
        start = np.concatenate(
            [self.minutes(called["start"]), np.full(len(left), np.iinfo(np.int64).max)]
        )
        texts = np.full(len(block), "", dtype=object)
        order = np.lexsort((start, block))
        order = order[people[order] > 0]
        texts[order] = household_ranges(
            block[order], people[order].astype(np.int64), self.instance.blocks.households
        )
        return texts[: len(called)], texts[len(called) :]


def household_ranges(block: Ints, people: Ints, households: Ints) -> Texts:
    """Return running household numbers such as ``1-22`` for rows sorted by block, then time.

    A block's households are split in proportion to people; none is in two rows. Every row has at
    least one while there are enough. "" where the number of households is unknown (-1).
    """
    first = np.flatnonzero(np.r_[True, block[1:] != block[:-1]]) if len(block) else block
    counts = np.diff(np.r_[first, len(block)])
    before = np.r_[0, np.cumsum(people)]
    base = np.repeat(before[first], counts)
    total = np.repeat(before[first + counts] - before[first], counts)
    number = np.arange(len(block)) - np.repeat(first, counts) + 1
    there = np.maximum(households[block], 0)
    last = (2 * there * (before[1:] - base) + total) // np.maximum(2 * total, 1)
    spare = there - np.repeat(counts, counts)
    ahead = np.clip(last - number, 0, np.maximum(spare, 0))
    rank = np.repeat(np.arange(len(first)), counts) * (there.max(initial=0) + 1)
    last = np.where(spare >= 0, np.maximum.accumulate(ahead + rank) - rank + number, last)
    begin = np.where(number == 1, 1, np.r_[0, last[:-1]] + 1)
    texts = [f"{a}-{b}" if a <= b else "" for a, b in zip(begin, last, strict=True)]
    return np.array(texts, dtype=object)


def _indices(column: pd.Series, ids: Iterable[str]) -> Ints:
    codes, texts = pd.factorize(column)
    found = pd.Index(list(ids), dtype=object).get_indexer(pd.Index(texts, dtype=object))
    if (found < 0).any():
        raise BreachError(
            f"The plan names {column.name} {texts[int(np.argmin(found))]!r}, not in the input",
            hint="The input changed after planning: run `nat-scheduler plan` again.",
        )
    result: Ints = found.astype(np.int64)[codes]
    return result
