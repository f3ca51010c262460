"""Random valid rounds, written in any encoding and header language, are read back the same."""

from __future__ import annotations

import csv
import io
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from scheduler.domain.instance import Instance
from scheduler.domain.settings import Zone
from scheduler.errors import Severity
from scheduler.ingest.columns import CHINESE_HEADERS
from scheduler.ingest.hours import format_hours
from scheduler.ingest.loader import load
from tests.unit.ingest.folders import TINY

NAMES = st.text("春海向阳站北街道社区号楼甲乙丙 ABCabc,\"'（）1234", min_size=1, max_size=8).map(
    lambda text: f"名{text}称"
)
ZONE_WORDS = {
    zone: (zone.word, word)
    for zone, word in zip(Zone, ("封控", "管控", "防范", "普通"), strict=True)
}
WINDOWS = st.sampled_from(
    [((360, 1320),), ((480, 690), (780, 1080)), ((1200, 1680),), ((0, 1440),), ((540, 1440),)]
)

Table = dict[str, list[str]]


@dataclass(frozen=True)
class Written:
    """Tables of texts, and how each file is written."""

    tables: dict[str, Table]
    encodings: dict[str, str]
    chinese: dict[str, bool]  # header of each column
    line_end: str
    order: int  # seed of the order of columns


@st.composite
def rounds(draw: st.DrawFn) -> Written:
    """Draw a small valid round and a way to write it."""
    count = draw(st.integers(1, 4))
    tables = {
        "communities.csv": draw(communities(count)),
        "sites.csv": draw(sites(count)),
        "labs.csv": draw(labs()),
    }
    if draw(st.booleans()):
        tables["blocks.csv"] = draw(blocks(tables["communities.csv"]))
    codecs = st.sampled_from(["utf-8", "utf-8-sig", "gbk", "gb18030", "utf-16"])
    columns = sorted({column for table in tables.values() for column in table})
    return Written(
        tables,
        {name: draw(codecs) for name in tables},
        {column: draw(st.booleans()) for column in columns},
        draw(st.sampled_from(["\n", "\r\n"])),
        draw(st.integers(0, 99)),
    )


@st.composite
def communities(draw: st.DrawFn, count: int) -> Table:
    """Draw communities; the last columns are optional and may be blank."""
    people = [draw(st.integers(0, 900)) for _ in range(count)]
    return {
        "community_id": [f"{i:03d}" for i in range(count)],
        "name": [draw(NAMES) for _ in people],
        "district": [draw(st.sampled_from(["中山区", "西岗区"])) for _ in people],
        "street": [draw(NAMES) for _ in people],
        "zone": [draw(st.sampled_from(ZONE_WORDS[draw(st.sampled_from(Zone))])) for _ in people],
        "population": list(map(str, people)),
        "lat": [str(draw(st.integers(38_000, 39_000)) / 1000) for _ in people],
        "lng": [str(draw(st.integers(121_000, 122_000)) / 1000) for _ in people],
        "households": [draw(st.sampled_from(["", str(n // 2)])) for n in people],
        "elderly": [draw(st.sampled_from(["", str(n // 5)])) for n in people],
        "homebound": [draw(st.sampled_from(["", str(n // 9)])) for n in people],
        "participation": [draw(st.sampled_from(["", "1", "0.85", "0.5"])) for _ in people],
    }


@st.composite
def blocks(draw: st.DrawFn, communities: Table) -> Table:
    """Draw blocks that add up to their communities, in any order of rows."""
    rows = []
    parts = zip(communities["population"], communities["participation"], strict=True)
    for place, (population, share) in enumerate(parts):
        left, number = round(int(population) * float(share or 1)), 0
        while left:
            people = min(left, draw(st.integers(1, 400)))
            rows.append((f"B{place}-{number:03d}", communities["community_id"][place], str(people)))
            left, number = left - people, number + 1
    rows = draw(st.permutations(rows))
    return {
        "block_id": [row[0] for row in rows],
        "community_id": [row[1] for row in rows],
        "name": [draw(NAMES) for _ in rows],
        "people": [row[2] for row in rows],
    }


@st.composite
def sites(draw: st.DrawFn, count: int) -> Table:
    """Draw fixed and mobile sites."""
    number = draw(st.integers(1, 3))
    kinds = [draw(st.sampled_from(["", "fixed", "固定", "mobile", "专用"])) for _ in range(number)]
    named = [";".join(f"{i:03d}" for i in range(draw(st.integers(1, count)))) for _ in kinds]
    teams = [kind in {"mobile", "专用"} for kind in kinds]
    return {
        "site_id": [f"S{i}" for i in range(number)],
        "name": [draw(NAMES) for _ in kinds],
        "district": ["中山区"] * number,
        "lat": ["38.5"] * number,
        "lng": ["121.5"] * number,
        "lanes": [str(draw(st.integers(1, 20))) for _ in kinds],
        "queue_length_m": [str(draw(st.integers(0, 4000)) / 10) for _ in kinds],
        "hours": [format_hours(draw(WINDOWS)) for _ in kinds],
        "address": [draw(st.one_of(st.just(""), NAMES)) for _ in kinds],
        "people_per_lane_hour": [draw(st.sampled_from(["", "45.5", "100"])) for _ in kinds],
        "zones": [draw(st.sampled_from(["", "normal;防范", "control"])) for _ in kinds],
        "kind": kinds,
        "community_ids": [n if team else "" for n, team in zip(named, teams, strict=True)],
    }


@st.composite
def labs(draw: st.DrawFn) -> Table:
    """Draw laboratories."""
    number = draw(st.integers(1, 3))
    return {
        "lab_id": [f"L{i}" for i in range(number)],
        "name": [draw(NAMES) for _ in range(number)],
        "lat": ["38.6"] * number,
        "lng": ["121.6"] * number,
        "tubes_per_hour": [str(draw(st.integers(1, 500))) for _ in range(number)],
        "processing_min": [str(draw(st.integers(0, 600))) for _ in range(number)],
        "hours": [draw(st.one_of(st.just(""), WINDOWS.map(format_hours))) for _ in range(number)],
        "max_tubes_per_day": [draw(st.sampled_from(["", "0", "9000"])) for _ in range(number)],
        "pool_sizes": [draw(st.sampled_from(["", "1;10", "5"])) for _ in range(number)],
    }


def write(folder: Path, written: Written) -> None:
    """Write the round as it was drawn."""
    (folder / "round.toml").write_bytes((TINY / "round.toml").read_bytes())
    for name, table in written.tables.items():
        columns = list(np.random.default_rng(written.order).permutation(list(table)))
        headers = [CHINESE_HEADERS[c][0] if written.chinese[c] else c for c in columns]
        text = io.StringIO(newline="")
        writer = csv.writer(text, lineterminator=written.line_end)
        writer.writerow(headers)
        writer.writerows(zip(*(table[c] for c in columns), strict=True))
        (folder / name).write_bytes(text.getvalue().encode(written.encodings[name]))


def plain(written: Written) -> Written:
    """Return the same tables written in plain UTF-8 with English headers in their order."""
    return Written(
        written.tables,
        dict.fromkeys(written.tables, "utf-8"),
        dict.fromkeys(written.chinese, False),
        "\n",
        0,
    )


def read(written: Written) -> Instance:
    """Write and read a round; notes are allowed, errors are not."""
    with tempfile.TemporaryDirectory() as name:
        write(Path(name), written)
        loaded = load(Path(name))
    assert [str(f) for f in loaded.findings if f.severity is Severity.ERROR] == []
    assert {f.code for f in loaded.findings if f.code < "C300"} <= {"C104"}
    assert loaded.instance is not None
    return loaded.instance


def same_columns(here: object, there: object) -> bool:
    """Return whether all columns of two tables are equal, unknown numbers included."""
    mine, other = vars(here), vars(there)
    return all(
        np.array_equal(mine[name], other[name], equal_nan=mine[name].dtype == np.float64)
        if isinstance(mine[name], np.ndarray)
        else mine[name] == other[name]
        for name in mine
    )


@settings(deadline=None, max_examples=60)
@given(rounds())
def test_encoding_and_language_change_nothing(written: Written) -> None:
    """The same round in any encoding, header language and column order is the same instance."""
    here, there = read(written), read(plain(written))
    for table in ("communities", "blocks", "sites", "labs"):
        assert same_columns(getattr(here, table), getattr(there, table))


@settings(deadline=None, max_examples=60)
@given(rounds())
def test_columns_are_what_was_written(written: Written) -> None:
    """Ids, names and numbers come back as written; people of blocks add up."""
    instance = read(written)
    table = written.tables["communities.csv"]
    assert instance.communities.ids.tolist() == table["community_id"]
    assert instance.communities.names.tolist() == table["name"]
    assert instance.communities.population.tolist() == [int(n) for n in table["population"]]
    assert instance.communities.lat.tolist() == [float(n) for n in table["lat"]]
    assert instance.sites.addresses.tolist() == written.tables["sites.csv"]["address"]
    targets = [
        round(int(n) * float(p or 1))
        for n, p in zip(table["population"], table["participation"], strict=True)
    ]
    assert instance.blocks.people.sum() == sum(targets)
    homebound = sum(int(n or 0) for n in table["homebound"])
    assert instance.blocks.home_visits.sum() == homebound
    assert (instance.blocks.home_visits <= instance.blocks.people).all()
