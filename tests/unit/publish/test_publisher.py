"""What stands in the published files, on the round set down by hand."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np
import pytest

from scheduler.domain.city import Blocks
from scheduler.domain.instance import Instance
from scheduler.publish.publisher import Schedule, publish
from scheduler.publish.site_csv import lanes_to_open
from scheduler.publish.words import CHINESE_HEADERS, COMMUNITY_COLUMNS
from tests.plans import texts, tiny_instance, tiny_plan

Rows = list[dict[str, str]]


def _instance(language: Literal["zh", "en"] = "en", **changes: object) -> Instance:
    instance = tiny_instance()
    settings = instance.settings
    spoken = replace(settings.round, language=language)
    return instance.replace(settings=replace(settings, round=spoken), **changes)


def _read(path: Path) -> Rows:
    content = path.read_bytes()
    assert content.startswith(b"\xef\xbb\xbf")
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))


def _publish(folder: Path, instance: Instance, district: str | None = None) -> Path:
    plan = tiny_plan(instance)
    return publish(folder, Schedule(instance, plan, "0001"), district=district).path


@pytest.fixture
def published(tmp_path: Path) -> Path:
    """Return the round, published in English."""
    return _publish(tmp_path, _instance())


def test_community_file(published: Path) -> None:
    """A row says who goes where and when, and when the result comes."""
    rows = _read(published / "communities" / "A" / "C1.csv")
    assert tuple(rows[0]) == COMMUNITY_COLUMNS
    assert rows[0] == {
        "round": "tiny",
        "revision": "0001",
        "date": "2020-12-22",
        "start": "06:45",
        "end": "07:00",
        "district": "A",
        "street": "street",
        "community_id": "C1",
        "community": "东关社区",
        "block_id": "C1-001",
        "block": "block 0",
        "households": "",
        "people": "57",
        "site_id": "S1",
        "site": "采样点 0",
        "address": "",
        "pool_size": "10",
        "zone": "normal",
        "result_by": "2020-12-22 11:50",
        "remark": "",
    }


def test_people_without_a_slot_are_told(published: Path) -> None:
    """Home visits and people without a slot stand in the file, without time and site."""
    visit = _read(published / "communities" / "A" / "C1.csv")[-1]
    assert (visit["people"], visit["remark"]) == ("4", "Home visit: a team comes to the flat")
    (row,) = _read(published / "communities" / "A" / "C4.csv")
    assert row["remark"] == "No slot: no team for this sealed area"
    assert [row[c] for c in ("date", "start", "end", "site_id", "site", "result_by")] == [""] * 6
    assert (row["zone"], row["pool_size"]) == ("lockdown", "1")


def test_all_people_stand_in_community_files(published: Path) -> None:
    """The people of all files are the people of all blocks: nobody is forgotten."""
    files = (published / "communities").rglob("*.csv")
    people = sum(int(row["people"]) for path in files for row in _read(path))
    assert people == int(tiny_instance().blocks.people.sum())


def test_teams_that_come_are_told(published: Path) -> None:
    """Who is served in place is told not to go out."""
    row = _read(published / "communities" / "A" / "C3.csv")[0]
    assert row["remark"] == "A mobile team comes to the building"


def test_chinese_headers_and_words(tmp_path: Path) -> None:
    """With language zh every header and word is Chinese."""
    path = _publish(tmp_path, _instance("zh"))
    rows = _read(path / "communities" / "A" / "C2.csv")
    assert tuple(rows[0]) == tuple(CHINESE_HEADERS[c] for c in COMMUNITY_COLUMNS)
    assert rows[0]["防控分区"] == "管控"
    for name in ("sites/S1.csv", "labs/H1.csv", "districts/A.csv"):
        assert all(not header.isascii() for header in _read(path / name)[0])


def test_site_sheet(published: Path) -> None:
    """Per slot people, tubes, lanes and pick-up; per day staff, swabs, tubes and boxes."""
    rows = _read(published / "sites" / "S1.csv")
    assert [row["row"] for row in rows] == ["slot"] * 4 + ["day"]
    second = rows[1]
    assert (second["start"], second["people"], second["tubes"]) == ("06:45", "57", "6")
    assert (second["lanes"], second["next_pickup"]) == ("4", "2020-12-22 07:00")
    third = rows[2]
    assert (third["people"], third["tubes"], third["next_pickup"]) == (
        "57",
        "6",
        "2020-12-22 08:00",
    )
    day = rows[-1]
    assert (day["people"], day["swabs"], day["tubes"]) == ("206", "206", "21")
    assert (day["medics"], day["disinfection"], day["order_keepers"]) == ("8", "1", "6")
    assert (day["staff"], day["boxes"]) == ("15", "3")


def test_unused_site_has_an_empty_sheet(published: Path) -> None:
    """A site without people gets its sheet all the same, with no rows."""
    assert _read(published / "sites" / "S2.csv") == []


def test_lanes_to_open_is_enough_and_not_more() -> None:
    """Lanes are people over what a lane takes in a slot at max_load, at most those that exist."""
    schedule = Schedule(_instance(), tiny_plan(_instance()), "0001")
    people = np.array([1, 14, 15, 42, 43, 57, 60])
    lanes = lanes_to_open(schedule, np.zeros(len(people), dtype=np.int64), people)
    assert lanes.tolist() == [1, 1, 2, 3, 4, 4, 4]  # 14.25 people per lane


def test_lab_sheet(published: Path) -> None:
    """A lab reads how many tubes come and start in each clock hour."""
    rows = _read(published / "labs" / "H1.csv")
    told = [(r["start"], r["end"], r["tubes"], r["tubes_started"], r["capacity"]) for r in rows]
    assert told == [
        ("07:00", "08:00", "8", "8", "8"),
        ("08:00", "09:00", "4", "0", ""),
        ("09:00", "10:00", "0", "4", "8"),
    ]


def test_district_sheet(published: Path) -> None:
    """Every community and site of the district, and the total of its communities."""
    rows = _read(published / "districts" / "A.csv")
    assert [r["id"] for r in rows if r["row"] == "community"] == ["C1", "C2", "C3", "C4"]
    assert [r["id"] for r in rows if r["row"] == "site"][-2:] == ["T1", "T2"]
    total = rows[-1]
    columns = ("row", "people", "called", "home_visits", "unserved", "tubes", "sites", "first")
    assert [total[c] for c in columns] == [
        *("total", "240", "226", "4", "10", "41", "2", "2020-12-22 06:00")
    ]
    empty = _read(published / "districts" / "B.csv")[-1]
    assert (empty["called"], empty["unserved"], empty["first"]) == ("0", "500", "")


def test_one_district_leaves_the_city_alone(tmp_path: Path) -> None:
    """A district is published beside the city, with its own link, files and labs."""
    city = _publish(tmp_path, _instance())
    before = {p: p.read_bytes() for p in city.rglob("*") if p.is_file()}
    path = _publish(tmp_path, _instance(), district="B")
    assert path.name == "0001-B"
    assert (tmp_path / "published" / "latest-B").readlink() == Path("0001-B")
    assert (tmp_path / "published" / "latest").readlink() == Path("0001")
    assert before == {p: p.read_bytes() for p in city.rglob("*") if p.is_file()}
    names = sorted(json.loads((path / "manifest.json").read_bytes())["files"])
    assert names == ["communities/B/C5.csv", "districts/B.csv", "sites/S10.csv"]


def test_a_district_gets_the_sites_and_labs_it_uses(tmp_path: Path) -> None:
    """Sites used by a district or lying in it, and every lab that takes its tubes."""
    path = _publish(tmp_path, _instance(), district="A")
    assert sorted(p.stem for p in (path / "labs").iterdir()) == ["H1", "H2"]
    assert "S10" not in {p.stem for p in (path / "sites").iterdir()}
    whole = _publish(tmp_path, _instance())
    for name in ("sites/S1.csv", "labs/H1.csv", "communities/A/C1.csv", "districts/A.csv"):
        assert (path / name).read_bytes() == (whole / name).read_bytes()


def test_same_plan_same_bytes(tmp_path: Path) -> None:
    """Publishing a revision again gives the same bytes, manifest included."""
    first = _publish(tmp_path / "a", _instance())
    _publish(tmp_path / "b", _instance())
    second = _publish(tmp_path / "b", _instance())
    for path in (p for p in first.rglob("*") if p.is_file()):
        assert path.read_bytes() == (second / path.relative_to(first)).read_bytes()


def test_identity_numbers_and_formulas_of_the_input(tmp_path: Path) -> None:
    """A block's name that holds an identity number or a formula is published without."""
    names = texts("张三11010519491231002X", "=cmd()", *["block"] * 4)
    blocks: Blocks = replace(tiny_instance().blocks, names=names)
    path = _publish(tmp_path, _instance(blocks=blocks))
    told = {row["block"] for row in _read(path / "communities" / "A" / "C1.csv")}
    assert told == {"张三110105************", "'=cmd()"}


def test_progress_counts_files(tmp_path: Path) -> None:
    """Progress ends at the number of files."""
    seen: list[tuple[int, int]] = []
    schedule = Schedule(_instance(), tiny_plan(_instance()), "0001")
    made = publish(tmp_path, schedule, progress=lambda done, total: seen.append((done, total)))
    total = made.communities + made.sites + made.labs + made.districts
    assert seen == [(n, total) for n in range(1, total + 1)]
