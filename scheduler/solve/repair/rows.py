"""Calls and consignments as columns of whole numbers, read from a plan's tables."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import pandas as pd

from scheduler.domain.city import Ints
from scheduler.domain.instance import Instance
from scheduler.domain.plan import Plan
from scheduler.domain.settings import ZONE_WORDS
from scheduler.errors import CannotRunError
from scheduler.solve.equal_columns import EqualColumns


@dataclass(frozen=True)
class Calls(EqualColumns):
    """Who is called where and when; ``zone`` is the one under which they are called."""

    block: Ints
    site: Ints
    slot: Ints
    people: Ints
    zone: Ints

    def __len__(self) -> int:
        return len(self.block)

    def same(self, other: Calls) -> bool:
        """Return whether both have the same rows; both are merged."""
        return _same(self, other)

    def joined(self, other: Calls) -> Calls:
        """Return the rows of both; those of one block, site and slot become one."""
        return merged(self.beside(other))


def merged(calls: Calls) -> Calls:
    """Return the calls by block and slot, one row each; rows without people are gone."""
    calls = calls.where(calls.people > 0)
    if not len(calls):
        return calls
    slots, sites = int(calls.slot.max()) + 1, int(calls.site.max()) + 1
    key = ((calls.block * slots + calls.slot) * sites + calls.site) * len(ZONE_WORDS) + calls.zone
    order = np.argsort(key, kind="stable")  # quick where sorted parts are joined
    calls, key = calls.where(order), key[order]
    first = np.flatnonzero(np.diff(key, prepend=-1))
    people = np.add.reduceat(calls.people, first)
    return Calls(
        calls.block[first], calls.site[first], calls.slot[first], people, calls.zone[first]
    )


class Stand:
    """Calls that may be taken off block by block, and put back."""

    def __init__(self, calls: Calls, per_wave: int, num_waves: int) -> None:
        self._calls = merged(calls)
        self._alive = np.ones(len(self._calls), dtype=bool)
        self._num_waves = num_waves
        group = self._key(self._calls.site, self._calls.slot // per_wave, self._calls.zone)
        self._order = np.argsort(group, kind="stable")
        self._group = group[self._order]

    @property
    def calls(self) -> Calls:
        """The calls that stand."""
        return self._calls.where(self._alive)

    def of(self, block: int) -> Calls:
        """Return the calls of a block that stand."""
        rows = self._rows(block)
        return self._calls.where(rows[self._alive[rows]])

    def off(self, block: int) -> None:
        """Take a block off."""
        self._alive[self._rows(block)] = False

    def back(self, block: int) -> None:
        """Put a block back."""
        self._alive[self._rows(block)] = True

    def people_in(self, site: int, wave: int, zone: int) -> dict[int, int]:
        """Return block -> people called to a site in a wave under a zone."""
        key = self._key(site, wave, zone)
        first, last = np.searchsorted(self._group, [key, key + 1])
        rows = self._order[first:last]
        rows = rows[self._alive[rows]]
        there: dict[int, int] = {}
        for block, people in zip(
            self._calls.block[rows].tolist(), self._calls.people[rows].tolist(), strict=True
        ):
            there[block] = there.get(block, 0) + people
        return there

    def _rows(self, block: int) -> Ints:
        first, last = np.searchsorted(self._calls.block, [block, block + 1])
        return np.arange(first, last)

    def _key(self, site: Any, wave: Any, zone: Any) -> Any:  # noqa: ANN401  # numbers or columns
        return (site * self._num_waves + wave) * 4 + zone


@dataclass(frozen=True)
class Sent(EqualColumns):
    """Consignments; times in minutes since the round's start."""

    site: Ints
    lab: Ints
    zone: Ints
    wave: Ints
    arrive: Ints
    start: Ints
    tubes: Ints
    people: Ints

    def __len__(self) -> int:
        return len(self.site)

    def same(self, other: Sent) -> bool:
        """Return whether both have the same rows, in any order."""
        columns = [f.name for f in fields(self)]
        mine, its = (
            sent.where(np.lexsort([getattr(sent, name) for name in columns]))
            for sent in (self, other)
        )
        return _same(mine, its)


def _same(a: Calls | Sent, b: Calls | Sent) -> bool:
    """Return whether all columns agree, row by row."""
    return all(np.array_equal(getattr(a, f.name), getattr(b, f.name)) for f in fields(a))


def calls_of(instance: Instance, plan: Plan) -> Calls:
    """Return the calls of a plan, by the indices of an instance.

    Raises
    ------
    CannotRunError
        When the plan names a block or site that the instance does not have.
    """
    frame = plan.assignments
    slot = minutes_of(instance, frame["start"]) // instance.settings.round.slot_minutes
    return Calls(
        positions(frame["block_id"], instance.blocks.ids),
        positions(frame["site_id"], instance.sites.ids),
        slot,
        frame["people"].to_numpy(np.int64),
        positions(frame["zone"], np.array(ZONE_WORDS, dtype=object)),
    )


def known_calls_of(instance: Instance, plan: Plan) -> Calls:
    """Return the calls of a plan, less blocks that the instance lacks: a roster made others."""
    frame = plan.assignments.astype({"block_id": str})
    known = frame[frame["block_id"].isin(instance.blocks.ids.astype(str))]
    return calls_of(instance, replace(plan, assignments=known))


def sent_of(instance: Instance, plan: Plan) -> Sent:
    """Return the consignments of a plan."""
    frame, wave_min = plan.consignments, instance.settings.round.wave_minutes
    return Sent(
        positions(frame["site_id"], instance.sites.ids),
        positions(frame["lab_id"], instance.labs.ids),
        positions(frame["zone"], np.array(ZONE_WORDS, dtype=object)),
        minutes_of(instance, frame["pickup_at"]) // wave_min - 1,
        minutes_of(instance, frame["arrive_at"]),
        minutes_of(instance, frame["start_at"]),
        frame["tubes"].to_numpy(np.int64),
        frame["people"].to_numpy(np.int64),
    )


def positions(column: pd.Series, ids: np.ndarray) -> Ints:
    """Return the position of each id.

    Raises
    ------
    CannotRunError
        When one is not there.
    """
    codes, texts = _codes(column)
    found = pd.Index(ids, dtype=object).get_indexer(pd.Index(texts, dtype=object))
    if (found < 0).any():
        missing = texts[int(np.argmin(found))]
        raise CannotRunError(
            f'The plan names {column.name} "{missing}", which neither files nor events have',
            hint="Put the event back that added it, or run `nat-scheduler plan`.",
        )
    result: Ints = found.astype(np.int64)[codes]
    return result


def minutes_of(instance: Instance, column: pd.Series) -> Ints:
    """Return minutes since the round's start of ISO 8601 texts, each parsed once."""
    codes, texts = _codes(column)
    known = [instance.clock.minute_of_iso(str(text)) for text in texts]
    return np.array(known, dtype=np.int64)[codes]


def _codes(column: pd.Series) -> tuple[Ints, list[str]]:
    if isinstance(column.dtype, pd.CategoricalDtype):
        return column.cat.codes.to_numpy().astype(np.int64), list(column.cat.categories)
    codes, texts = pd.factorize(column)
    return codes.astype(np.int64), [str(text) for text in texts]
