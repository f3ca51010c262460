"""What sites and labs report during a round: people sampled, tubes sent, tubes resulted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from scheduler.domain.instance import Instance, RoundClock
from scheduler.errors import Finding
from scheduler.ingest import cells
from scheduler.ingest.cells import Whole, tidy
from scheduler.ingest.columns import CHINESE_HEADERS, Column, Table
from scheduler.ingest.findings import FileLog
from scheduler.ingest.moments import Moment, SlotStart
from scheduler.ingest.reader import decode, read_table
from scheduler.ingest.tables import Parsed, parse_table

_PEOPLE = Whole(0, 10_000_000)
_FIGURES = ("sampled", "tubes_sent", "tubes_resulted")
_LATE = 1 << 40
_TIMES_ABLE = 3
"""So many times what the lanes swab at their usual rate is a slip of the pen."""


@dataclass(frozen=True)
class Progress:
    """The newest report of every key; times in minutes since the round's start.

    ``sampled`` has the columns minute, site, slot, block, sampled (ids; block "" where the report
    is of the whole site); ``sent`` minute, site, tubes; ``resulted`` minute, lab, tubes.
    """

    sampled: pd.DataFrame
    sent: pd.DataFrame
    resulted: pd.DataFrame
    findings: tuple[Finding, ...]


def read_progress(
    files: Mapping[str, bytes], instance: Instance, blocks: frozenset[str], now_min: int = _LATE
) -> Progress:
    """Read the progress files of a round; ``blocks`` are the ids that may be named.

    Of several rows of one key the one with the latest time counts, then the one read last; rows
    later than ``now_min`` do not count yet.
    """
    parts: dict[str, list[pd.DataFrame]] = {name: [] for name in _FIGURES}
    findings: list[Finding] = []
    known = {
        "site_id": ("sites.csv", frozenset(map(str, instance.sites.ids))),
        "lab_id": ("labs.csv", frozenset(map(str, instance.labs.ids))),
        "block_id": ("blocks.csv", blocks),
    }
    for name, data in files.items():
        log = FileLog(name)
        table = _table_of(data, instance.clock, log)
        raw = None if table is None else read_table(data, table, log)
        if table is not None and raw is not None:
            parsed = parse_table(raw, log)
            _check_ids(parsed, known)
            _note_future(parsed, instance.clock, now_min)
            _note_too_many(parsed, instance)
            parts[_figure(table)].append(_frame(parsed, now_min))
        findings += log.findings
    return Progress(
        _newest(parts["sampled"], ["minute", "site", "slot", "block", "sampled"]),
        _newest(parts["tubes_sent"], ["minute", "site", "tubes"]),
        _newest(parts["tubes_resulted"], ["minute", "lab", "tubes"]),
        tuple(findings),
    )


def progress_tables(clock: RoundClock) -> tuple[Table, ...]:
    """Return the three kinds of progress files; the last column names the figure."""
    time, site = Column("time", Moment(clock)), Column("site_id", cells.key)
    return (
        Table(
            "progress.csv",
            (
                time,
                site,
                Column("slot", SlotStart(clock)),
                Column("sampled", _PEOPLE),
                Column("block_id", cells.key, required=False, default=""),
            ),
            required=False,
        ),
        Table("progress.csv", (time, site, Column("tubes_sent", _PEOPLE)), required=False),
        Table(
            "progress.csv",
            (time, Column("lab_id", cells.key), Column("tubes_resulted", _PEOPLE)),
            required=False,
        ),
    )


def _figure(table: Table) -> str:
    """Return the column that tells the kind of a file."""
    return next(column.name for column in table.columns if column.name in _FIGURES)


def _table_of(data: bytes, clock: RoundClock, log: FileLog) -> Table | None:
    """Tell the kind of a file by its header."""
    text = decode(data, FileLog(log.file))
    header = next((line for line in (text or "").splitlines() if line.strip()), None)
    if text is None or header is None:
        read_table(data, progress_tables(clock)[0], log)  # says what is wrong
        return None
    words = {tidy(cell).strip('"').lower() for cell in header.split(",")}
    for table in progress_tables(clock):
        figure = _figure(table)
        if words & {figure, *CHINESE_HEADERS[figure]}:
            return table
    log.add("C711", "expected a column sampled, tubes_sent or tubes_resulted", line=1)
    return None


def _check_ids(parsed: Parsed, known: Mapping[str, tuple[str, frozenset[str]]]) -> None:
    for name, (file, ids) in known.items():
        if name not in parsed.values:
            continue
        distinct = {text for text in parsed.values[name] if text and text not in ids}
        for row in np.flatnonzero(parsed.filled[name] & ~parsed.bad[name]).tolist():
            if parsed.values[name][row] in distinct:
                words = f"expected an id of {file}"
                parsed.report("C303", row, name, words, parsed.values[name][row])


def _note_future(parsed: Parsed, clock: RoundClock, now_min: int) -> None:
    """Note rows that are later than now: by a wrong date they would hide every true report."""
    times = parsed.values["time"]
    later = [row for row in np.flatnonzero(~parsed.bad["time"]).tolist() if times[row] > now_min]
    if later:
        words = f"{len(later)} row(s) from here on are later than {clock.iso(now_min)}, not counted"
        parsed.report("C713", later[0], "time", words)


def _note_too_many(parsed: Parsed, instance: Instance) -> None:
    """Note more people than the lanes of a site could ever swab in a slot."""
    if "sampled" not in parsed.values:
        return
    sites = instance.sites
    able = sites.lanes * sites.people_per_lane_hour * instance.settings.round.slot_minutes / 60
    most = dict(zip(sites.ids.astype(str).tolist(), (able * _TIMES_ABLE).tolist(), strict=True))
    good = np.flatnonzero(parsed.good("site_id", "sampled"))
    for row in good.tolist():
        limit = most.get(parsed.values["site_id"][row], np.inf)
        if parsed.values["sampled"][row] > limit:
            words = f"expected {limit:.0f} people at most in a slot of this site"
            parsed.report("C714", row, "sampled", words, str(parsed.values["sampled"][row]))


def _frame(parsed: Parsed, now_min: int) -> pd.DataFrame:
    good = parsed.good(*parsed.values)
    good[good] = parsed.values["time"][good].astype(np.int64) <= now_min
    names = {"time": "minute", "site_id": "site", "lab_id": "lab", "block_id": "block",
             "tubes_sent": "tubes", "tubes_resulted": "tubes"}  # fmt: skip
    return pd.DataFrame({names.get(k, k): v[good] for k, v in parsed.values.items()})


def _newest(frames: list[pd.DataFrame], columns: list[str]) -> pd.DataFrame:
    figure, keys = columns[-1], columns[1:-1]
    if not frames:
        return pd.DataFrame({name: [] for name in columns}).astype(
            {name: "int64" for name in ("minute", "slot", figure) if name in columns}
        )
    whole = pd.concat(frames, ignore_index=True)
    whole["minute"] = whole["minute"].astype(np.int64)
    whole = whole.sort_values("minute", kind="stable")
    newest = whole.drop_duplicates(keys, keep="last").sort_values(keys, ignore_index=True)
    if "slot" in newest:
        newest["slot"] = newest["slot"].astype(np.int64)
    return newest[columns]
