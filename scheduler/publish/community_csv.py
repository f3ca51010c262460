"""One schedule file per community: which block goes where and when."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from scheduler.domain.city import Ints
from scheduler.domain.plan import Reason
from scheduler.domain.settings import Zone
from scheduler.publish.cells import END, csv_bytes, id_cell, text_cell
from scheduler.publish.schedule import NEVER, Schedule
from scheduler.publish.words import COMMUNITY_COLUMNS, REASONS, SITE_REMARKS, ZONE_WORDS, header


def community_files(schedule: Schedule, communities: Ints) -> Iterator[tuple[int, bytes]]:
    """Yield community index and file content, for each community of the list."""
    top = header(COMMUNITY_COLUMNS, schedule.language)
    pieces = _Pieces(schedule)
    every = np.arange(len(schedule.instance.communities) + 1)
    calls = np.searchsorted(schedule.calls.community_index, every)
    rest = np.searchsorted(schedule.rest.community_index, every)
    for c in communities:
        lines = pieces.called(calls[c], calls[c + 1]) + pieces.left(rest[c], rest[c + 1])
        yield int(c), csv_bytes(top, lines)


class _Pieces:
    """Text of the parts that many lines share, made once."""

    def __init__(self, schedule: Schedule) -> None:
        instance, language = schedule.instance, schedule.language
        self.calls, self.rest = schedule.calls, schedule.rest
        self.head = f"{id_cell(schedule.round_id)},{id_cell(schedule.revision)}"
        self.pools = instance.settings.pooling.by_zone()
        self.zones = [ZONE_WORDS[language][zone] for zone in Zone]
        self.reasons = {r: text_cell(REASONS[language][r]) for r in Reason}
        self.zone_of = instance.communities.zone.tolist()
        towns, blocks, sites = instance.communities, instance.blocks, instance.sites
        self.communities = [
            f"{text_cell(district)},{text_cell(street)},{id_cell(i)},{text_cell(name)}"
            for district, street, i, name in zip(
                towns.districts, towns.streets, towns.ids, towns.names, strict=True
            )
        ]
        self.blocks = [
            f"{id_cell(i)},{text_cell(name)}"
            for i, name in zip(blocks.ids, blocks.names, strict=True)
        ]
        self.sites = [
            f"{id_cell(i)},{text_cell(name)},{text_cell(address)}"
            for i, name, address in zip(sites.ids, sites.names, sites.addresses, strict=True)
        ]
        remarks = SITE_REMARKS[language]
        self.remarks = [text_cell(remarks[k]) if k in remarks else "" for k in sites.kinds]
        used = np.unique(np.concatenate([self.calls.start, self.calls.end, self.calls.result_by]))
        times = {m: schedule.instance.clock.at(m) for m in used.tolist() if m != NEVER}
        self.starts = {m: f"{t:%Y-%m-%d},{t:%H:%M}" for m, t in times.items()}
        self.ends = {m: f"{t:%H:%M}" for m, t in times.items()}
        self.results = {m: f"{t:%Y-%m-%d %H:%M}" for m, t in times.items()} | {NEVER: ""}

    def called(self, first: int, last: int) -> list[str]:
        """Return the lines of rows ``first`` to ``last`` of the calls."""
        calls = self.calls
        columns = (
            calls.community_index,
            calls.block_index,
            calls.site_index,
            calls.start,
            calls.end,
            calls.households,
            calls.people,
            calls.pool_size,
            calls.zone,
            calls.result_by,
        )
        return [
            f"{self.head},{self.starts[start]},{self.ends[end]},{self.communities[c]},"
            f"{self.blocks[b]},{homes},{people},{self.sites[s]},{pool},{self.zones[z]},"
            f"{self.results[result]},{self.remarks[s]}{END}"
            for c, b, s, start, end, homes, people, pool, z, result in zip(
                *(column[first:last].tolist() for column in columns), strict=True
            )
        ]

    def left(self, first: int, last: int) -> list[str]:
        """Return the lines of people without a slot: no time and no site, the reason as remark."""
        rest = self.rest
        columns = (
            rest.community_index,
            rest.block_index,
            rest.households,
            rest.people,
            rest.reason,
        )
        rows = zip(*(column[first:last].tolist() for column in columns), strict=True)
        return [
            f"{self.head},,,,{self.communities[c]},{self.blocks[b]},{homes},{people},,,,"
            f"{self.pools[self.zone_of[c]]},{self.zones[self.zone_of[c]]},,"
            f"{self.reasons[Reason(reason)]}{END}"
            for c, b, homes, people, reason in rows
        ]
