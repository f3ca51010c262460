"""What stands on the notice of a community: the values that templates get."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from itertools import groupby
from typing import Any

import numpy as np
import segno
from markupsafe import Markup

from scheduler.domain.city import FIXED, Ints
from scheduler.domain.metrics import walk_metres
from scheduler.domain.plan import Reason
from scheduler.domain.settings import Zone
from scheduler.publish.cells import public_text
from scheduler.publish.notices.paper import on_paper
from scheduler.publish.notices.sketch import sketch
from scheduler.publish.notices.template import ASSETS
from scheduler.publish.schedule import NEVER, Schedule
from scheduler.publish.words import REASONS, WEEKDAYS, ZONE_WORDS, page_words


class Notices:
    """The notices of a schedule, one by one."""

    def __init__(self, schedule: Schedule) -> None:
        self.schedule = schedule
        self.instance, self.calls, self.rest = schedule.instance, schedule.calls, schedule.rest
        self.words = page_words(ASSETS, schedule.language)
        num = np.arange(len(self.instance.communities) + 1)
        self._first_call = np.searchsorted(self.calls.community_index, num)
        self._first_rest = np.searchsorted(self.rest.community_index, num)
        self._walk = walk_metres(self.instance, self.calls.block_index, self.calls.site_index)
        self.when = cache(self._when)

    def content(self, community: int) -> dict[str, Any]:
        """Return the values of one notice; see ``assets/default.html`` for how they are used."""
        towns, settings = self.instance.communities, self.instance.settings
        rows = np.arange(self._first_call[community], self._first_call[community + 1])
        sites = list(dict.fromkeys(self.calls.site_index[rows].tolist()))
        number = {site: n for n, site in enumerate(sites, 1)}
        zone = Zone(int(towns.zone[community]))
        return {
            "words": self.words,
            "language": self.schedule.language,
            "round": public_text(settings.round.name or self.schedule.round_id),
            "revision": self.schedule.revision,
            "synthetic": settings.round.synthetic,
            "community": {
                "id": str(towns.ids[community]),
                "name": public_text(towns.names[community]),
                "district": str(towns.districts[community]),
                "street": public_text(towns.streets[community]),
                "zone": ZONE_WORDS[self.schedule.language][zone],
            },
            **self._schedule(rows, number),
            "sites": [self._site(site, n, rows) for site, n in number.items()],
            "home_visits": list(self._left(community, home=True)),
            "unserved": list(self._left(community, home=False)),
            "pool_size": settings.pooling.by_zone()[zone],
            "spacing_m": f"{settings.targets.spacing_m:g}",
            "slot_minutes": settings.round.slot_minutes,
            "result_hours": f"{settings.targets.result_hours:g}",
            "in_place": bool(sites) and all(self._in_place(site) for site in sites),
            "sketch": self._sketch(community, sites),
        }

    def _schedule(self, rows: Ints, number: dict[int, int]) -> dict[str, Any]:
        """Return the buildings, and how they are printed."""
        blocks = list(self._blocks(rows, number))
        slot = self.instance.settings.round.slot_minutes
        look, minutes, entries = on_paper(blocks, len(number), slot)
        for block, own in zip(blocks, entries, strict=True):
            block["on_paper"] = own
        ends = self.calls.start[rows], self.calls.end[rows] - 1
        return {
            "blocks": blocks,
            "paper": look,
            "paper_minutes": minutes,
            "days": [self.when(int(m)) for m in (ends[0].min(), ends[1].max())] if blocks else [],
        }

    def _blocks(self, rows: Ints, number: dict[int, int]) -> Iterator[dict[str, Any]]:
        """Yield each block in the order of the input, with its days and quarter hours."""
        calls, blocks = self.calls, self.instance.blocks
        for block, mine in groupby(
            sorted(rows.tolist(), key=lambda r: (calls.block_index[r], calls.start[r])),
            key=lambda r: int(calls.block_index[r]),
        ):
            own = list(mine)
            site = int(calls.site_index[own[0]])
            results = calls.result_by[own]
            yield {
                "id": str(blocks.ids[block]),
                "name": public_text(blocks.names[block]),
                "people": int(calls.people[own].sum()),
                "site": number[site],
                "site_name": public_text(self.instance.sites.names[site]),
                "begin": self.when(int(calls.start[own[0]])),
                "end": self.when(int(calls.end[own[-1]])),
                "result_by": self.when(int(results.max())) if results.max() != NEVER else None,
                "num_slots": len(own),
                "slots": [self._slot(row) for row in own],
            }

    def _slot(self, row: int) -> dict[str, Any]:
        first, _, last = self.calls.households[row].partition("-")
        return {
            "minute": int(self.calls.start[row]),
            "begin": self.when(int(self.calls.start[row])),
            "people": int(self.calls.people[row]),
            "households": first if first == last else f"{first}–{last}" if last else "",
        }

    def _site(self, site: int, number: int, rows: Ints) -> dict[str, Any]:
        table, calls = self.instance.sites, self.calls
        mine = rows[calls.site_index[rows] == site]
        metres = float(np.average(self._walk[mine], weights=calls.people[mine]))
        lat, lng = float(table.lat[site]), float(table.lng[site])
        return {
            "number": number,
            "id": str(table.ids[site]),
            "name": public_text(table.names[site]),
            "address": public_text(table.addresses[site]),
            "in_place": self._in_place(site),
            "walk_m": round(metres, -1),
            "walk_min": max(round(metres / self.instance.settings.walk.metres_per_min), 1),
            "begin": self.when(int(calls.start[mine].min())),
            "end": self.when(int(calls.end[mine].max())),
            "geo": f"geo:{lat:.5f},{lng:.5f}",
            "qr": _qr(f"geo:{lat:.5f},{lng:.5f}"),
        }

    def _in_place(self, site: int) -> bool:
        return str(self.instance.sites.kinds[site]) != FIXED

    def _left(self, community: int, *, home: bool) -> Iterator[dict[str, Any]]:
        """Yield the blocks with home visits, or those with people who have no slot."""
        rest = self.rest
        for row in range(self._first_rest[community], self._first_rest[community + 1]):
            reason = Reason(rest.reason[row])
            if (reason is Reason.HOME_VISIT) is home:
                yield {
                    "block": public_text(self.instance.blocks.names[rest.block_index[row]]),
                    "people": int(rest.people[row]),
                    "reason": REASONS[self.schedule.language][reason],
                }

    def _sketch(self, community: int, sites: list[int]) -> Markup:
        towns, blocks, table = self.instance.communities, self.instance.blocks, self.instance.sites
        own = range(*np.searchsorted(blocks.community_index, [community, community + 1]))
        homes = [(float(blocks.lat[b]), float(blocks.lng[b])) for b in own]
        homes = homes or [(float(towns.lat[community]), float(towns.lng[community]))]
        places = [(float(table.lat[s]), float(table.lng[s])) for s in sites]
        return Markup(sketch(homes, places))  # noqa: S704  # numbers only

    def _when(self, minute: int) -> dict[str, str]:
        """Return the local time, in words that people read."""
        t = self.schedule.instance.clock.at(minute)
        weekday = WEEKDAYS[self.schedule.language][t.weekday()]
        chinese = self.schedule.language == "zh"
        return {
            "iso": t.isoformat(),
            "date": f"{t.month}月{t.day}日" if chinese else f"{t.day} {t:%b}",
            "day": f"{t.day}日" if chinese else f"{t.day} {t:%b}",
            "weekday": weekday,
            "time": f"{t:%H:%M}",
        }


@cache
def _qr(address: str) -> Markup:
    """Return a QR code of a place as SVG (RFC 5870)."""
    code = segno.make(address, error="m", micro=False)
    return Markup(code.svg_inline(border=2, omitsize=True, svgclass="qr"))  # noqa: S704  # drawn
