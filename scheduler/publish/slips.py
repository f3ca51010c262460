"""A slip per household, a printable page per community: date, entry time, site, whom to bring."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

import polars as pl

from scheduler.domain.instance import Instance
from scheduler.domain.roster import Fate
from scheduler.publish.call_lists import Lookup, by_community, tube_label

_STYLE = """
body { font-family: sans-serif; margin: 8mm; }
main { display: grid; grid-template-columns: 1fr 1fr; gap: 4mm; }
section { border: 1px solid #333; padding: 3mm; break-inside: avoid; }
h2 { font-size: 11pt; margin: 0 0 1mm; }
p { margin: 0; font-size: 10pt; }
.time { font-size: 16pt; font-weight: bold; }
"""
_WORDS = {
    "zh": {
        "title": "采样通知单",
        "household": "户",
        "people": "{} 人",
        "tube": "管组",
        "bring": "请全家同到，按时到场，带身份证件，保持一米间距。",
    },
    "en": {
        "title": "Sampling slip",
        "household": "household",
        "people": "{} people",
        "tube": "tube",
        "bring": "Come together and on time, with identity cards; keep one metre apart.",
    },
}


def slip_pages(instance: Instance, people: pl.DataFrame) -> Iterator[tuple[str, bytes]]:
    """Yield path and page of each community; ``people`` is that of ``call_lists``."""
    lookup, language = Lookup.of(instance), instance.settings.round.language
    words, slot = _WORDS[language], instance.settings.round.slot_minutes
    for path, part in by_community(instance, people, lambda part: part):
        called = part.filter(pl.col("fate") == int(Fate.SLOT))
        slips = called.with_columns(tube_label(called["wave"], called["tube"]).alias("label"))
        slips = slips.group_by("household", maintain_order=True).agg(
            pl.first("household_id", "block", "site", "start", "end"),
            pl.len().alias("people"),
            pl.col("label").unique(maintain_order=True),
        )
        cards = [
            _card(words, row, lookup, slot, str(instance.sites.addresses[row["site"]]))
            for row in slips.iter_rows(named=True)
        ]
        name = escape(str(instance.communities.names[part["community"][0]]))
        head = f'<meta charset="utf-8"><title>{words["title"]} {name}</title>'
        page = f"<!doctype html><html lang={language}><head>{head}<style>{_STYLE}</style></head>"
        page += f"<body><h1>{name} {words['title']}</h1><main>{''.join(cards)}</main></body></html>"
        yield path.removesuffix(".csv") + ".html", page.encode()


def _card(
    words: dict[str, str], row: dict[str, object], lookup: Lookup, slot: int, address: str
) -> str:
    start, end = int(str(row["start"])) // slot, int(str(row["end"])) // slot
    site, block = int(str(row["site"])), int(str(row["block"]))
    labels = row["label"] if isinstance(row["label"], list) else []
    return (
        f"<section><h2>{escape(lookup.blocks[1][block])} {words['household']} "
        f"{escape(str(row['household_id']))} · {words['people'].format(row['people'])}</h2>"
        f'<p class="time">{lookup.dates[start]} {lookup.times[start]}-{lookup.times[end]}</p>'
        f"<p>{escape(lookup.sites[1][site])} {escape(address)}</p>"
        f"<p>{words['tube']} {', '.join(map(escape, labels))}</p><p>{words['bring']}</p></section>"
    )
