"""Events of a round, from CSV files and JSON lines, with every finding on the way."""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from scheduler.domain.events import FIELDS, MAY_HAVE, NEEDS, Event, Kind, in_order
from scheduler.domain.instance import Instance, RoundClock
from scheduler.errors import Finding
from scheduler.ingest import cells
from scheduler.ingest.cells import CellError, Real, Whole, tidy
from scheduler.ingest.columns import Column, Table
from scheduler.ingest.findings import FileLog
from scheduler.ingest.moments import Moment
from scheduler.ingest.reader import TextTable, decode, read_table
from scheduler.ingest.tables import Parsed, parse_table

_NONE = -1
_IDS = ("site_id", "lab_id", "community_id")
_MOST = 10_000_000
_WEEK_MIN = 7 * 24 * 60


@dataclass(frozen=True)
class EventLog:
    """Events of all files in order of time, and what was found in the files."""

    events: tuple[Event, ...]
    findings: tuple[Finding, ...]


def read_events(files: Mapping[str, bytes], instance: Instance) -> EventLog:
    """Read the event files of a round; the order of ``files`` tells which report is the later.

    A file whose name ends in ``.jsonl`` or ``.json`` holds JSON lines, every other one is CSV.
    """
    table = event_table(instance.clock)
    known = {
        "site_id": frozenset(map(str, instance.sites.ids)),
        "lab_id": frozenset(map(str, instance.labs.ids)),
        "community_id": frozenset(map(str, instance.communities.ids)),
    }
    events: list[Event] = []
    findings: list[Finding] = []
    seen: dict[object, tuple[Event, str]] = {}
    for name, data in files.items():
        log = FileLog(name)
        raw = _read(name, data, table, log)
        for event, row, parsed in _events(raw, log, known):
            _note_again(event, seen, parsed, row)
            seen[event.subject] = (event, f"{name}:{parsed.lines[row]}")
            events.append(event)
        findings += log.findings
    return EventLog(in_order(events), tuple(findings))


def lost_events(
    replaced: Mapping[str, bytes], log: EventLog, instance: Instance
) -> tuple[Finding, ...]:
    """Note the events of files that were replaced which nobody reports any more."""
    findings: list[Finding] = []
    still = {event.subject for event in log.events}
    for name, data in replaced.items():
        notes = FileLog(name)
        for event in read_events({name: data}, instance).events:
            if event.subject not in still:
                words = filter(None, (event.kind.value, *event.subject[2:]))
                when = instance.clock.iso(event.minute)
                notes.add("C708", f"does not have what it had before: {when} {' '.join(words)}")
        findings += notes.findings
    return tuple(findings)


def event_table(clock: RoundClock) -> Table:
    """Return the columns of an event file; times are read by the round's clock."""
    moment = Moment(clock)

    def optional(name: str, parse: cells.Parser, default: Any) -> Column:  # noqa: ANN401  # any value
        return Column(name, parse, required=False, default=default)

    return Table(
        "events.csv",
        (
            Column("time", moment),
            Column("kind", _kind),
            *(optional(name, cells.key, "") for name in _IDS),
            optional("lanes", Whole(0, 1000), _NONE),
            optional("people_per_lane_hour", Real(0, 1000, above=True), float("nan")),
            optional("tubes_per_hour", Whole(0, 1_000_000), _NONE),
            optional("minutes", Whole(0, _WEEK_MIN), _NONE),
            optional("zone", cells.zone, _NONE),
            optional("people", Whole(0, _MOST), _NONE),
            optional("end", moment, ""),
        ),
        required=False,
    )


def _kind(cell: str) -> tuple[Kind, str | None]:
    text = tidy(cell).lower()
    known = [kind.value for kind in Kind]
    if text not in known:
        near = difflib.get_close_matches(text, known, n=1) or known
        raise CellError("C701", f"expected a kind of event such as {', '.join(near)}")
    return Kind(text), (text if text != cell else None)


def _read(name: str, data: bytes, table: Table, log: FileLog) -> Parsed | None:
    lines = name.endswith((".jsonl", ".json"))
    raw = _json_table(data, table, log) if lines else read_table(data, table, log)
    return None if raw is None else parse_table(raw, log)


def _json_table(data: bytes, table: Table, log: FileLog) -> TextTable | None:
    """Return JSON lines as the text cells of a CSV file."""
    text = decode(data, log)
    if text is None:
        return None
    rows: list[tuple[int, dict[str, Any]]] = []
    for line, content in enumerate(text.splitlines(), 1):
        if not content.strip():
            continue
        try:
            value = json.loads(content)
        except ValueError as error:
            log.add("C707", f"expected a JSON object: {error}", line=line)
            continue
        if not isinstance(value, dict):
            log.add("C707", "expected a JSON object", line=line)
            continue
        rows.append((line, value))
        for key in value.keys() - table.headers.keys():
            log.add("C107", "unknown key, not read", line=line, column=str(key))
    columns = {
        column.name: [_text(next((v for k, v in row.items() if table.headers.get(k) is column), ""))
                      for _, row in rows]
        for column in table.columns
    }  # fmt: skip
    return TextTable(table, [line for line, _ in rows], columns, frozenset(), complete=True)


def _text(value: object) -> str:
    return "" if value is None else str(value)


def _events(
    parsed: Parsed | None, log: FileLog, known: Mapping[str, frozenset[str]]
) -> list[tuple[Event, int, Parsed]]:
    """Return the usable events of a file, each with its row."""
    if parsed is None:
        return []
    found = []
    for row in range(len(parsed)):
        before = len(log.findings)
        if any(parsed.bad[name][row] for name in FIELDS_IN_FILE):
            continue
        _check_row(parsed, row, known)
        if all(f.severity.value == "note" for f in log.findings[before:]):
            found.append((_event(parsed, row), row, parsed))
    return found


FIELDS_IN_FILE = tuple("time" if name == "minute" else name for name in FIELDS)


def _check_row(parsed: Parsed, row: int, known: Mapping[str, frozenset[str]]) -> None:
    kind: Kind = parsed.values["kind"][row]
    needs, may = NEEDS[kind], MAY_HAVE.get(kind, ())
    for name in needs:
        if not parsed.filled[name][row]:
            parsed.report("C703", row, name, f"expected a value for {kind.value}")
    for name in FIELDS_IN_FILE[2:]:
        if parsed.filled[name][row] and name not in (*needs, *may):
            parsed.report("C704", row, name, f"not used by {kind.value}", parsed.values[name][row])
    for name in _IDS:
        text = parsed.values[name][row]
        if name in (*needs, *may) and parsed.filled[name][row] and text not in known[name]:
            files = {"site_id": "sites.csv", "lab_id": "labs.csv"}.get(name, "communities.csv")
            parsed.report("C303", row, name, f"expected an id of {files}", text)
    end = parsed.values["end"][row]
    least = 0 if kind is Kind.ROUND_END_MOVED else parsed.values["time"][row]
    if "end" in (*needs, *may) and end != "" and end <= least:
        words = "the round's start" if kind is Kind.ROUND_END_MOVED else "the event's time"
        parsed.report("C705", row, "end", f"expected a time after {words}")


def _event(parsed: Parsed, row: int) -> Event:
    kind: Kind = parsed.values["kind"][row]
    used = (*NEEDS[kind], *MAY_HAVE.get(kind, ()))
    values: dict[str, Any] = {}
    for name in used:
        if parsed.filled[name][row]:
            value = parsed.values[name][row]
            values[name] = value if isinstance(value, str) else value.item() if hasattr(
                value, "item") else value  # fmt: skip
    return Event(minute=int(parsed.values["time"][row]), kind=kind, **values)


def _note_again(
    event: Event, seen: Mapping[object, tuple[Event, str]], parsed: Parsed, row: int
) -> None:
    """Note an event that was reported before with other figures."""
    earlier = seen.get(event.subject)
    if earlier is not None and earlier[0] != event:
        parsed.report("C706", row, "kind", f"counts instead of the report in {earlier[1]}")
