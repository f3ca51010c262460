"""Tables of ``simulate``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from scheduler.cli.render import table, wrap

Record = dict[str, Any]
_POINTS = ("p5", "p50", "p95")


def lines(document: Record, limit: int) -> Iterator[str]:
    """Yield what is printed of one case."""
    city, ordered = document["city"], document["ordered"]
    yield f"Revision {document['revision']}, case {document['case']}: lived through " \
          f"{document['replications']} times, seed {document['seed']}"  # fmt: skip
    for name, value in document["about"].items():
        words = " to ".join(value) if isinstance(value, list) else value
        yield f"  {name.replace('_', ' ')}: {words}"
    if city["without_slot"]:
        yield f"  {city['without_slot']:,} people have no slot and are not part of this"
    yield ""
    yield _city(city, document["no_schedule"])
    yield ""
    yield from _verdict(city, ordered)
    yield ""
    yield _districts(document["districts"])
    yield from _worst_sites(document["sites"], ordered["queue_service_level"], limit)
    yield from _worst_labs(document["labs"], limit)


_ROWS = (
    ("results within the promise", "share_in_time", "share"),
    ("people with a late result", "late_people", "count"),
    ("longest queue, people", "peak_queue", "count"),
    ("people beyond the grounds", "people_beyond_ground", "count"),
    ("hours waited, all people", "hours_waited", "count"),
    ("most tubes waiting", "tubes_waiting", "count"),
    ("no result at the round's end", "no_result_at_end", "count"),
)


def _city(city: Record, alone: Record | None) -> str:
    headers = ["the city", "5 %", "half", "95 %"] + (["no schedule"] if alone else [])
    rows: list[list[object]] = []
    for words, key, kind in _ROWS:
        cells = [_cell(city[key][p], kind) for p in _POINTS]
        rows.append([words, *cells, *([_cell(alone[key]["p50"], kind)] if alone else [])])
    for words, key in (("minutes waited, of people", "wait_min"),
                       ("minutes in the ground", "time_in_ground_min")):  # fmt: skip
        cells = [f"{city[key][p]:.1f}" for p in _POINTS]
        rows.append([words, *cells, *([f"{alone[key]['p95']:.1f} (95 %)"] if alone else [])])
    for words, key in (("sites beyond their ground", "sites_beyond_ground"),
                       ("last swab", "last_swab"), ("last result", "last_result")):  # fmt: skip
        told = [_moment(alone[key])] if alone else []
        rows.append([words, "", _moment(city[key]), "", *told])
    return table(headers, rows)


def _verdict(city: Record, ordered: Record) -> Iterator[str]:
    share, wanted = city["share_in_time"]["p50"], ordered["share_in_time"]
    kept = "is kept" if share >= wanted else "is NOT kept"
    yield wrap(
        f"Ordered: {wanted:.0%} of results within {ordered['result_hours']:g} hours. Lived "
        f"through, {share:.1%} are: the promise {kept}."
    )
    after = city["result_after_promise_min"]
    told = ", ".join(f"{s} by {_late(v)}" for s, v in after.items())
    yield wrap(f"Results are there: {told}.")
    level = ordered["queue_service_level"]
    beyond = city["sites_beyond_ground"]
    yield wrap(
        f"Ordered: the queue fits its ground in {level:.0%} of slots. "
        + (f"At {beyond:,} site(s) it does NOT." if beyond else "It does at every site.")
    )


def _late(minutes: float | None) -> str:
    if minutes is None:
        return "never"
    when = "after" if minutes > 0 else "before"
    return f"{abs(minutes):,.0f} min {when} the promise"


def _districts(districts: list[Record]) -> str:
    headers = ("district", "people", "in time", "queue", "wait 95 %", "beyond")
    rows = [
        (d["district"], d["people"], f"{d['share_in_time']['p50']:.1%}",
         int(d["peak_queue"]["p50"]), f"{d['wait_min']['p95']:.1f}", d["sites_beyond_ground"])
        for d in districts
    ]  # fmt: skip
    return table(headers, rows)


def _worst_sites(sites: list[Record], level: float, limit: int) -> Iterator[str]:
    beyond = sorted((s for s in sites if s["beyond_ground"]), key=lambda s: s["level"])
    if not beyond or not limit:
        return
    headers = ("site", "name", "places", "queue", "fits in", "worst slot", "wait 95 %")
    rows = [
        (s["site_id"], s["name"], s["places"], int(s["peak_queue"]["p50"]), f"{s['level']:.1%}",
         _moment(max(s["beyond_at"], key=lambda b: b["share"])["start"]),
         f"{s['wait_min']['p95']:.1f}")
        for s in beyond[:limit]
    ]  # fmt: skip
    yield ""
    yield f"Sites whose ground holds the queue in fewer than {level:.0%} of slots ({len(beyond):,})"
    yield table(headers, rows)


def _worst_labs(labs: list[Record], limit: int) -> Iterator[str]:
    late = sorted((r for r in labs if r["late_people"]["p50"] > 0),
                  key=lambda r: -r["late_people"]["p50"])  # fmt: skip
    if not late or not limit:
        return
    headers = ("lab", "name", "tubes", "wait, min", "most waiting", "people late")
    rows = [
        (r["lab_id"], r["name"], int(r["tubes"]["p50"]), f"{r['wait_min']['p50']:.0f}",
         int(r["peak_waiting"]["p50"]), int(r["late_people"]["p50"]))
        for r in late[:limit]
    ]  # fmt: skip
    yield ""
    yield f"Laboratories with late results ({len(late):,})"
    yield table(headers, rows)


def _cell(value: float, kind: str) -> str:
    return f"{value:.1%}" if kind == "share" else f"{round(value):,}"


def _moment(value: object) -> object:
    if isinstance(value, str):
        return value[5:16].replace("T", " ")
    return "never" if value is None else value
