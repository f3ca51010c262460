"""What a community must be told anew: who goes elsewhere or at another time than was told."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd

from scheduler.domain.city import Ints
from scheduler.publish.cells import END, csv_bytes, id_cell, text_cell
from scheduler.publish.schedule import Schedule
from scheduler.publish.words import CHANGE_COLUMNS, CHANGES, header

NOWHERE = -1
"""Stands for the site and start of people who have none."""


@dataclass(frozen=True)
class Moves:
    """People of a block moved from one call to another, sorted by community, block, old start."""

    community: Ints
    block: Ints
    people: Ints
    old_site: Ints
    old_start: Ints
    new_site: Ints
    new_start: Ints


def moves(old: Schedule, new: Schedule) -> Moves:
    """Return who is called elsewhere or at another time than before.

    Of a block, people who lost a call are paired with those who got one, in order of time.
    """
    change = pd.concat([_calls(old, old_blocks_in(old, new), -1), _calls(new, None, 1)])
    keys = ["block", "start", "site"]
    change = change.groupby(keys)["people"].sum().reset_index()
    change = change[change["people"] != 0]
    gone, come = change[change["people"] < 0], change[change["people"] > 0]
    rows = _paired(gone.assign(people=-gone["people"]), come)
    table = np.array(rows, dtype=np.int64).reshape(-1, 6)
    block = table[:, 0]
    community = new.instance.blocks.community_index[block]
    order = np.lexsort((table[:, 5], table[:, 3], block, community))
    return Moves(community[order], *(column[order] for column in table.T))


def old_blocks_in(old: Schedule, new: Schedule) -> Ints:
    """Return where each block of an old revision stands in a new one, -1 where it does not."""
    known = pd.Index(new.instance.blocks.ids, dtype=object)
    found: Ints = known.get_indexer(pd.Index(old.instance.blocks.ids, dtype=object))
    return found.astype(np.int64)


def _calls(schedule: Schedule, blocks: Ints | None, sign: int) -> pd.DataFrame:
    calls = schedule.calls
    block = calls.block_index if blocks is None else blocks[calls.block_index]
    frame = pd.DataFrame(
        {"block": block, "start": calls.start, "site": calls.site_index,
         "people": sign * calls.people}
    )  # fmt: skip
    return frame[frame["block"] >= 0]


def _paired(gone: pd.DataFrame, come: pd.DataFrame) -> list[tuple[int, ...]]:
    """Return (block, people, old site, old start, new site, new start)."""
    rows: list[tuple[int, ...]] = []
    lost: dict[int, list[list[int]]] = {}
    for b, start, site, people in gone[["block", "start", "site", "people"]].to_numpy().tolist():
        lost.setdefault(b, []).append([people, site, start])
    for b, start, site, people in come[["block", "start", "site", "people"]].to_numpy().tolist():
        left, waiting = people, lost.get(b, [])
        while left and waiting:
            now = min(left, waiting[0][0])
            rows.append((b, now, waiting[0][1], waiting[0][2], site, start))
            left -= now
            waiting[0][0] -= now
            if not waiting[0][0]:
                waiting.pop(0)
        if left:
            rows.append((b, left, NOWHERE, NOWHERE, site, start))
    for b, waiting in lost.items():
        rows += [(b, n, site, start, NOWHERE, NOWHERE) for n, site, start in waiting]
    return rows


def change_files(old: Schedule, new: Schedule) -> Iterator[tuple[int, bytes]]:
    """Yield community index and file content, for each community in which anything changed."""
    found = moves(old, new)
    top = header(CHANGE_COLUMNS, new.language)
    pieces = _Pieces(old, new)
    first = np.flatnonzero(np.diff(found.community, prepend=-1))
    for begin, end in pairwise([*first.tolist(), len(found.community)]):
        lines = [pieces.line(found, row) for row in range(begin, end)]
        yield int(found.community[begin]), csv_bytes(top, lines)


class _Pieces:
    """Text of the parts that many lines share."""

    def __init__(self, old: Schedule, new: Schedule) -> None:
        self.head = ",".join(map(id_cell, (new.round_id, new.revision, old.revision)))
        self.instance = new.instance
        self.words = CHANGES[new.language]
        self.slot = new.instance.settings.round.slot_minutes
        self.sites = [
            f"{id_cell(i)},{text_cell(name)},{text_cell(address)}"
            for i, name, address in zip(
                new.instance.sites.ids, new.instance.sites.names, new.instance.sites.addresses,
                strict=True,
            )
        ]  # fmt: skip

    def line(self, found: Moves, row: int) -> str:
        """Return one line: who, how many, from where and when, to where and when."""
        towns, blocks = self.instance.communities, self.instance.blocks
        c, b = int(found.community[row]), int(found.block[row])
        old = int(found.old_site[row]), int(found.old_start[row])
        new = int(found.new_site[row]), int(found.new_start[row])
        return (
            f"{self.head},{text_cell(self._word(old, new))},{id_cell(towns.ids[c])},"
            f"{text_cell(towns.names[c])},{id_cell(blocks.ids[b])},{text_cell(blocks.names[b])},"
            f"{found.people[row]},{self._place(*old)},{self._place(*new)}{END}"
        )

    def _word(self, old: tuple[int, int], new: tuple[int, int]) -> str:
        if old[0] == NOWHERE:
            return self.words["added"]
        if new[0] == NOWHERE:
            return self.words["dropped"]
        return self.words["time" if old[0] == new[0] else "site"]

    def _place(self, site: int, start: int) -> str:
        if site == NOWHERE:
            return ",,,,,"
        begin, end = (self.instance.clock.at(m) for m in (start, start + self.slot))
        return f"{begin:%Y-%m-%d},{begin:%H:%M},{end:%H:%M},{self.sites[site]}"
