"""Who has been sampled: calls of which progress says that fewer people came than were called.

A slot is judged ``grace_min`` after its end, by a report made at its end or later. Reports of
blocks count for the block, reports of sites for the rest of the slot. More people sampled than
called in one slot make up for those missing in others of the site, the oldest first. A slot without
report was served as called, but at a site that was closed then nobody was sampled whom no report
names.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby

import numpy as np
import pandas as pd

from scheduler.domain.city import Flags, Ints
from scheduler.domain.instance import Instance
from scheduler.domain.settings import ZONE_WORDS, ReplanSettings
from scheduler.solve.repair.rows import Calls, minutes_of, positions


@dataclass(frozen=True)
class Reports:
    """The newest reports by index; ``block`` is -1 in reports of a whole site."""

    minute: Ints
    site: Ints
    slot: Ints
    block: Ints
    sampled: Ints

    @staticmethod
    def of(instance: Instance, frame: pd.DataFrame) -> Reports:
        """Return the reports of a progress table (columns minute, site, slot, block, sampled)."""
        block = np.full(len(frame), -1, dtype=np.int64)
        named = frame["block"].to_numpy(dtype=object) != ""
        block[named] = positions(frame["block"][named], instance.blocks.ids)
        return Reports(
            frame["minute"].to_numpy(np.int64),
            positions(frame["site"], instance.sites.ids),
            frame["slot"].to_numpy(np.int64) // instance.settings.round.slot_minutes,
            block,
            frame["sampled"].to_numpy(np.int64),
        )


@dataclass(frozen=True)
class Served:
    """Calls before the freeze with the people sampled in each; ``cut`` marks those cut short."""

    calls: Calls  # people: as first called
    sampled: Ints

    @property
    def cut(self) -> Flags:
        """Rows with fewer people sampled than called."""
        return self.sampled < self.calls.people

    @property
    def done(self) -> Calls:
        """Return the calls with the people that were, or count as, sampled."""
        calls = self.calls
        return Calls(calls.block, calls.site, calls.slot, self.sampled, calls.zone)


def restored(instance: Instance, settled: Calls, base_done: pd.DataFrame) -> Calls:
    """Return calls as they stood before an earlier re-plan cut some of them short."""
    if base_done.empty:
        return settled
    cut = Calls(
        positions(base_done["block_id"], instance.blocks.ids),
        positions(base_done["site_id"], instance.sites.ids),
        minutes_of(instance, base_done["start"]) // instance.settings.round.slot_minutes,
        (base_done["called"] - base_done["sampled"]).to_numpy(np.int64),
        positions(base_done["zone"], np.array(ZONE_WORDS, dtype=object)),
    )
    return settled.joined(cut)


def who_was_served(
    calls: Calls,
    known: tuple[Ints, Flags],
    reports: Reports,
    rules: tuple[ReplanSettings, int, int],
) -> Served:
    """Return how many people of each call were sampled.

    ``calls`` all start before the freeze ends; ``known`` are the people that each has in the plan
    that is mended, which count where nothing is reported, and whether its site was closed to it;
    ``rules`` are the settings, now, and minutes per slot.
    """
    before, lost = known
    settings, now_min, slot_min = rules
    ends = (calls.slot + 1) * slot_min
    judged = ends + settings.grace_min <= now_min
    sampled = np.where(lost, 0, before)
    book = _Book(calls, reports, slot_min)
    for site, rows in book.rows_by_site(judged | lost).items():
        start = (sampled[rows], lost[rows])
        sampled[rows] = book.sampled(site, rows, start, settings.behind_share)
    return Served(calls, sampled)


def within_demand(served: Served, before: Ints, demand: Ints) -> Served:
    """Return the same with no block sampled beyond its people.

    ``before`` are the people of each call in the plan that is mended. People who were recalled and
    then turn out to have been sampled may be called again already: then their first call stays cut
    short, the latest first.
    """
    calls = served.calls
    over = np.bincount(calls.block, served.sampled, len(demand)).astype(np.int64) - demand
    sampled = served.sampled.copy()
    for row in np.flatnonzero((over[calls.block] > 0) & (sampled > before))[::-1].tolist():
        less = min(int(over[calls.block[row]]), int(sampled[row] - before[row]))
        if less > 0:
            sampled[row] -= less
            over[calls.block[row]] -= less
    return Served(calls, sampled)


def people_in(base: Calls, calls: Calls) -> Ints:
    """Return the people that each call has in a plan; ``base`` is merged."""
    sites = 1 + int(max(base.site.max(initial=0), calls.site.max(initial=0)))
    slots = 1 + int(max(base.slot.max(initial=0), calls.slot.max(initial=0)))
    key, own = ((c.block * slots + c.slot) * sites + c.site for c in (base, calls))
    if not len(key):
        return np.zeros(len(own), dtype=np.int64)
    at = np.minimum(np.searchsorted(key, own), len(key) - 1)
    people: Ints = np.where(key[at] == own, base.people[at], 0)
    return people


def missing_in(base: Calls, served: Served) -> Ints:
    """Return the people of each early call that a plan has moved already."""
    missing: Ints = served.calls.people - people_in(base, served.calls)
    return missing


class _Book:
    """Reports looked up by site, slot and block."""

    def __init__(self, calls: Calls, reports: Reports, slot_min: int) -> None:
        self.calls = calls
        final = reports.minute >= (reports.slot + 1) * slot_min
        self.whole: dict[tuple[int, int], tuple[int, bool]] = {}
        self.block: dict[tuple[int, int, int], tuple[int, bool]] = {}
        columns = (reports.site, reports.slot, reports.block, reports.sampled, final)
        for site, slot, block, people, end in zip(*(c.tolist() for c in columns), strict=True):
            if block < 0:
                self.whole[site, slot] = (people, end)
            else:
                self.block[site, slot, block] = (people, end)
        self.sites = np.unique(reports.site)

    def rows_by_site(self, wanted: Flags) -> dict[int, Ints]:
        """Return the rows to be judged of each site that reported something, by slot."""
        rows = np.flatnonzero(wanted & np.isin(self.calls.site, self.sites))
        rows = rows[
            np.lexsort((self.calls.block[rows], self.calls.slot[rows], self.calls.site[rows]))
        ]
        if not len(rows):
            return {}
        site, first = np.unique(self.calls.site[rows], return_index=True)
        return dict(zip(site.tolist(), np.split(rows, first[1:]), strict=True))

    def sampled(self, site: int, rows: Ints, start: tuple[Ints, Flags], share: float) -> Ints:
        """Return the people sampled of one site's rows, which are sorted by slot.

        ``start`` is what counts without reports, and which rows were closed.
        """
        called, (result, lost) = self.calls.people[rows], (start[0].copy(), start[1])
        slots, blocks = self.calls.slot[rows].tolist(), self.calls.block[rows].tolist()
        spare, told = 0, np.zeros(len(rows), dtype=bool)
        for slot, some in groupby(range(len(slots)), key=slots.__getitem__):
            spare += self._slot(site, slot, list(some), (blocks, called, lost, result, told))
        short = np.flatnonzero(result < called)
        for at in short.tolist():
            late = min(spare, int(called[at] - result[at]))
            result[at] += late
            spare -= late
        few = told & ~lost & (called - result <= share * called)
        return np.where(few, called, result)

    def _slot(
        self,
        site: int,
        slot: int,
        here: list[int],
        about: tuple[list[int], Ints, Flags, Ints, Flags],
    ) -> int:
        """Fill in one slot; returns people sampled beyond those called."""
        blocks, called, lost, result, told = about
        spare, rest, named = 0, [], 0
        for at in here:
            report = self.block.get((site, slot, blocks[at]))
            if report is None or not (report[1] or lost[at]):
                rest.append(at)
                continue
            result[at] = min(int(called[at]), report[0])
            told[at] = True
            named += report[0]
            spare += max(0, report[0] - int(called[at]))
        whole = self.whole.get((site, slot))
        if whole is None or not (whole[1] or lost[here].any()):
            return spare
        left = max(0, whole[0] - named)
        for at in rest:  # the first blocks of a slot were served first
            result[at] = min(int(called[at]), left)
            told[at] = True
            left -= int(result[at])
        return spare + left
