"""Events and progress: every file is read whole or refused with every finding."""

from __future__ import annotations

import pytest

from scheduler.domain.events import Event, Kind
from scheduler.domain.instance import Instance
from scheduler.ingest.events import lost_events, read_events
from scheduler.ingest.findings import CODES
from scheduler.ingest.loader import load_instance
from scheduler.ingest.progress import read_progress
from tests.unit.ingest.folders import TINY

HEAD = "time,kind,site_id,lab_id,community_id,lanes,people,zone,end,people_per_lane_hour\n"
T = "2020-12-22T10:00:00+08:00"
BAD_EVENTS = {
    "C701": f"{HEAD}{T},site_lost,S01,,,,,,,\n",
    "C702": f"{HEAD}2020-12-22,site_closed,S01,,,,,,,\n",
    "C703": f"{HEAD}{T},lanes_changed,S01,,,,,,,\n",
    "C704": f"{HEAD}{T},site_closed,S01,,,9,,,,\n",
    "C705": f"{HEAD}{T},site_closed,S01,,,,,,2020-12-22T09:00:00+08:00,\n",
    "C706": f"{HEAD}{T},lanes_changed,S01,,,2,,,,\n{T},lanes_changed,S01,,,1,,,,\n",
    "C102": "",
    "C105": "when,what\n",
    "C108": f"{HEAD}{T},site_closed\n",
    "C202": f"{HEAD}2020-12-22T10:00,Site_Closed,S01,,,,,,,\n",
    "C303": f"{HEAD}{T},site_closed,S99,,,,,,,\n",
}
BAD_PROGRESS = {
    "C711": "time,site_id,stars\n",
    "C713": "time,site_id,tubes_sent\n2020-12-22T10:01:00+08:00,S01,3\n",
    "C714": f"time,site_id,slot,sampled\n{T},S01,2020-12-22T09:00:00+08:00,50000\n",
    "C712": f"time,site_id,slot,sampled\n{T},S01,2020-12-22T09:07:00+08:00,5\n",
    "C203": f"time,site_id,tubes_sent\n{T},S01,some\n",
    "C303": f"time,lab_id,tubes_resulted\n{T},L99,5\n",
    "C102": "",
}


@pytest.fixture(scope="module")
def tiny() -> Instance:
    return load_instance(TINY)


@pytest.mark.parametrize("code", BAD_EVENTS)
def test_findings_of_events(tiny: Instance, code: str) -> None:
    """Each kind of slip in an event file is found under its code, with file and line."""
    log = read_events({"events/a.csv": BAD_EVENTS[code].encode()}, tiny)
    assert code in {f.code for f in log.findings}
    assert all(f.file == "events/a.csv" for f in log.findings)


@pytest.mark.parametrize("code", BAD_PROGRESS)
def test_findings_of_progress(tiny: Instance, code: str) -> None:
    """Each kind of slip in a progress file is found under its code."""
    data = {"progress/a.csv": BAD_PROGRESS[code].encode()}
    progress = read_progress(data, tiny, frozenset(), 120)
    assert code in {f.code for f in progress.findings}


def test_a_report_of_the_future_hides_nothing(tiny: Instance) -> None:
    """A row with a time that has not come does not count before, however late it is."""
    text = "time,site_id,tubes_sent\n" + "".join(
        f"2020-12-22T{at}:00+08:00,S01,{n}\n" for at, n in (("18:00", 7), ("10:00", 3))
    )
    told = [read_progress({"a.csv": text.encode()}, tiny, frozenset(), now) for now in (120, 720)]
    assert [int(p.sent["tubes"].iloc[0]) for p in told] == [3, 7]
    assert [[f.code for f in p.findings] for p in told] == [["C713"], []]


def test_every_code_of_events_is_tested() -> None:
    """No code of events and progress is without a file that shows it."""
    shown = {*BAD_EVENTS, *BAD_PROGRESS, "C707", "C708"}
    assert {code for code in CODES if code.startswith("C7")} <= shown


def test_json_lines_say_the_same_as_csv(tiny: Instance) -> None:
    """JSON lines have the keys of the CSV; a line that is no object is refused with its number."""
    text = f'{{"time": "{T}", "kind": "lanes_changed", "site_id": "S01", "lanes": 1}}\n\n[1]\nx\n'
    log = read_events({"a.jsonl": text.encode()}, tiny)
    assert log.events == (Event(minute=120, kind=Kind.LANES_CHANGED, site_id="S01", lanes=1),)
    assert [(f.code, f.line) for f in log.findings] == [("C707", 3), ("C707", 4)]


def test_order_does_not_matter_and_the_last_report_counts(tiny: Instance) -> None:
    """Events come out by time; the same event in a later file corrects the earlier report."""
    first = f"{HEAD}{T},lanes_changed,S01,,,2,,,,\n2020-12-22T09:00:00+08:00,lab_out,,L01,,,,,,\n"
    second = f"{HEAD}{T},lanes_changed,S01,,,1,,,,\n"
    log = read_events({"0001-a.csv": first.encode(), "0002-a.csv": second.encode()}, tiny)
    assert [(e.kind, e.minute, e.lanes) for e in log.events] == [
        (Kind.LAB_OUT, 60, None),
        (Kind.LANES_CHANGED, 120, 1),
    ]
    assert [f.code for f in log.findings] == ["C706"]


def test_what_a_correction_leaves_out_is_noted(tiny: Instance) -> None:
    """An event that only the replaced file had is told; one that moved to another file is not."""
    old = f"{HEAD}{T},site_closed,S01,,,,,,,\n{T},lanes_changed,S01,,,2,,,,\n"
    log = read_events({"b.csv": f"{HEAD}{T},lanes_changed,S01,,,1,,,,\n".encode()}, tiny)
    (note,) = lost_events({"a.csv": old.encode()}, log, tiny)
    assert (note.code, note.file) == ("C708", "a.csv")
    assert f"{T} site_closed S01" in str(note)


def test_chinese_headers_and_gbk(tiny: Instance) -> None:
    """Excel's own encoding and Chinese headers are read as in every other file."""
    text = f"时间,类型,社区编码,防控分区\n{T},zone_changed,C001,管控\n"
    log = read_events({"a.csv": text.encode("gbk")}, tiny)
    assert [(e.kind, e.zone) for e in log.events] == [(Kind.ZONE_CHANGED, 1)]


def test_the_newest_progress_of_a_key_counts(tiny: Instance) -> None:
    """Reports may come out of order: the latest time wins, then the row read last."""
    rows = [("11:00", 7), ("10:00", 3), ("11:00", 8)]
    text = "time,site_id,slot,sampled\n" + "".join(
        f"2020-12-22T{at}:00+08:00,S01,2020-12-22T08:15:00+08:00,{n}\n" for at, n in rows
    )
    frame = read_progress({"a.csv": text.encode()}, tiny, frozenset()).sampled
    assert frame[["slot", "sampled"]].to_numpy().tolist() == [[15, 8]]
