"""One sheet per district: every community, every site, and the total."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scheduler.domain.city import Ints
from scheduler.domain.plan import Reason
from scheduler.domain.settings import Zone
from scheduler.publish.cells import END, csv_bytes, id_cell, text_cell
from scheduler.publish.schedule import NEVER, Schedule
from scheduler.publish.words import DISTRICT_COLUMNS, ROW_KINDS, ZONE_WORDS, header

LATE = np.iinfo(np.int64).max


@dataclass(frozen=True)
class _Totals:
    """Sums over the communities, or over the sites, of the city."""

    called: Ints
    tubes: Ints
    first: Ints  # earliest start, LATE where nobody is called
    last: Ints  # latest end, NEVER where nobody is called
    partners: Ints  # sites of a community, communities of a site


class DistrictSheets:
    """Figures of all districts, added up once."""

    def __init__(self, schedule: Schedule) -> None:
        self.schedule = schedule
        instance, calls, rest = schedule.instance, schedule.calls, schedule.rest
        num = len(instance.communities)
        pairs = np.unique(calls.community_index * len(instance.sites) + calls.site_index)
        self.pair_community, self.pair_site = np.divmod(pairs, max(len(instance.sites), 1))
        self.by_community = self._totals(calls.community_index, num, self.pair_community)
        self.by_site = self._totals(calls.site_index, len(instance.sites), self.pair_site)
        at_home = rest.reason == Reason.HOME_VISIT
        self.home = _sums(rest.community_index[at_home], rest.people[at_home], num)
        self.unserved = _sums(rest.community_index[~at_home], rest.people[~at_home], num)
        blocks = instance.blocks
        self.people = _sums(blocks.community_index, blocks.people, num)

    def content(self, district: str) -> bytes:
        """Return the file of one district; the total is that of its communities."""
        instance, language = self.schedule.instance, self.schedule.language
        communities = np.flatnonzero(instance.communities.districts == district)
        sites = np.flatnonzero(instance.sites.districts == district)
        lines = [self._community(c) for c in communities.tolist()]
        lines += [self._site(s) for s in sites.tolist()]
        return csv_bytes(
            header(DISTRICT_COLUMNS, language), [*lines, self._total(district, communities)]
        )

    def _totals(self, index: Ints, num: int, pairs: Ints) -> _Totals:
        calls = self.schedule.calls
        first, last = np.full(num, LATE), np.full(num, NEVER)
        np.minimum.at(first, index, calls.start)
        np.maximum.at(last, index, calls.end)
        return _Totals(
            called=_sums(index, calls.people, num),
            tubes=_sums(index, calls.tubes, num),
            first=first,
            last=last,
            partners=np.bincount(pairs, minlength=num).astype(np.int64),
        )

    def _community(self, c: int) -> str:
        table, sums = self.schedule.instance.communities, self.by_community
        zone = ZONE_WORDS[self.schedule.language][Zone(int(table.zone[c]))]
        return self._line(
            ("community", table.districts[c], table.streets[c], table.ids[c], table.names[c]),
            (zone, self.people[c], sums.called[c], self.home[c], self.unserved[c], sums.tubes[c]),
            ("", sums.partners[c]),
            (int(sums.first[c]), int(sums.last[c])),
        )

    def _site(self, s: int) -> str:
        table, sums = self.schedule.instance.sites, self.by_site
        return self._line(
            ("site", table.districts[s], "", table.ids[s], table.names[s]),
            ("", "", sums.called[s], "", "", sums.tubes[s]),
            (sums.partners[s], ""),
            (int(sums.first[s]), int(sums.last[s])),
        )

    def _total(self, district: str, of: Ints) -> str:
        sums = self.by_community
        here = np.isin(self.pair_community, of)
        columns = (self.people, sums.called, self.home, self.unserved, sums.tubes)
        return self._line(
            ("total", district, "", "", ""),
            ("", *(int(column[of].sum()) for column in columns)),
            (len(of), len(np.unique(self.pair_site[here]))),
            (int(sums.first[of].min(initial=LATE)), int(sums.last[of].max(initial=NEVER))),
        )

    def _line(
        self,
        name: tuple[str, str, str, str, str],
        figures: tuple[object, ...],
        partners: tuple[object, object],
        span: tuple[int, int],
    ) -> str:
        kind, district, street, ident, title = name
        clock, schedule = self.schedule.instance.clock, self.schedule
        first, last = ("", "")
        if span[1] != NEVER:
            first, last = (f"{clock.at(minute):%Y-%m-%d %H:%M}" for minute in span)
        cells = (
            ROW_KINDS[schedule.language][kind],
            id_cell(schedule.round_id),
            id_cell(schedule.revision),
            text_cell(district),
            text_cell(street),
            id_cell(ident),
            text_cell(title),
            *figures,
            *partners,
            first,
            last,
        )
        return ",".join(map(str, cells)) + END


def _sums(index: Ints, values: Ints, num: int) -> Ints:
    return np.bincount(index, weights=values, minlength=num).astype(np.int64)
