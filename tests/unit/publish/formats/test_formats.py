"""Workbooks, GeoJSON and Parquet carry the very rows of the CSV files."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import polars as pl
import pytest
from openpyxl.utils import get_column_letter

from scheduler.domain.choices import FORMATS
from scheduler.publish.formats import workbook
from scheduler.publish.formats.rows import NUMBERS
from scheduler.publish.formats.workbook import sheet_names
from scheduler.publish.publisher import Schedule, publish
from scheduler.publish.words import CHINESE_HEADERS, LAB_COLUMNS
from tests.plans import texts, tiny_instance, tiny_plan

KINDS = ("communities", "sites", "labs", "districts")
NUMBER_HEADERS = {CHINESE_HEADERS[name] for name in NUMBERS}


def _schedule() -> Schedule:
    instance = tiny_instance()
    names = texts("=cmd()", "00123", *['楼,"一"\n二'] * 4)
    blocks = replace(instance.blocks, names=names)
    towns = replace(instance.communities, names=texts("东关/社区", "东关:社区", *["x" * 40] * 3))
    settings = replace(instance.settings, round=replace(instance.settings.round, language="zh"))
    instance = instance.replace(settings=settings, blocks=blocks, communities=towns)
    return Schedule(instance, tiny_plan(instance), "0001")


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the tiny round, published in every format."""
    return publish(tmp_path_factory.mktemp("p"), _schedule(), formats=FORMATS).path


def _csv(published: Path, kind: str) -> list[dict[str, str]]:
    rows: list[dict[str, str]] = []
    for path in _paths(published, kind):
        text = path.read_bytes().decode("utf-8-sig")
        rows += csv.DictReader(io.StringIO(text, newline=""))
    return rows


def _paths(published: Path, kind: str) -> list[Path]:
    """Return the CSV files of a kind in the order of the input."""
    ids = {"communities": "C", "sites": "ST", "labs": "H", "districts": "AB"}
    found = (published / kind).rglob("*.csv")
    return sorted(found, key=lambda p: (ids[kind].index(p.stem[0]), len(p.stem), p.stem))


def _as_told(row: dict[str, Any]) -> dict[str, str]:
    return {name: "" if cell is None else str(cell) for name, cell in row.items()}


@pytest.mark.parametrize("kind", KINDS)
def test_parquet_has_the_same_rows(published: Path, kind: str) -> None:
    """Rule: same headers, same cells in the same order; ids are texts and counts are numbers."""
    table = pl.read_parquet(published / "parquet" / f"{kind}.parquet")
    assert [_as_told(row) for row in table.to_dicts()] == _csv(published, kind)
    for name, kept in table.schema.items():
        assert kept == (pl.Int64 if name in NUMBER_HEADERS else pl.String), name


@pytest.mark.parametrize("kind", KINDS)
def test_geojson_has_the_same_rows_at_their_points(published: Path, kind: str) -> None:
    """Rule: each row is a feature at the point of its block, site or lab; a total has none."""
    layers = sorted((published / "geojson").glob(f"{kind}*/*.geojson")) or [
        published / "geojson" / f"{kind}.geojson"
    ]
    features = [f for p in layers for f in json.loads(p.read_bytes())["features"]]
    assert [_as_told(f["properties"]) for f in features] == _csv(published, kind)
    for feature in features:
        total = feature["properties"].get("行类型") == "合计"
        assert (feature["geometry"] is None) is total
        if not total:
            lng, lat = feature["geometry"]["coordinates"]
            assert (round(lng, 1), 38.8 < lat < 39.2) == (121.6, True)


def test_workbook_has_the_same_rows(published: Path) -> None:
    """Rule: a sheet for each community, and sites, labs and summary of the district."""
    book = openpyxl.load_workbook(published / "workbooks" / "A.xlsx")
    assert book.sheetnames[:3] == ["汇总", "采样点", "检测机构"]
    towns = [row for sheet in book.worksheets[3:] for row in _sheet(sheet)]
    mine = [row for row in _csv(published, "communities") if row["区县"] == "A"]
    assert towns == mine
    assert _sheet(book["汇总"]) == [r for r in _csv(published, "districts") if r["区县"] == "A"]
    assert _sheet(book["检测机构"]) == _csv(published, "labs")
    assert len(_sheet(book["采样点"])) == len(_csv(published, "sites"))


def _sheet(sheet: Any) -> list[dict[str, str]]:  # noqa: ANN401  # openpyxl's sheet
    head, *rows = ([cell.value for cell in row] for row in sheet.iter_rows())
    return [_as_told(dict(zip(head, row, strict=True))) for row in rows]


def test_workbook_opens_right(published: Path) -> None:
    """Rule: ids and formulas stay text, counts are numbers, the header stays in sight."""
    book = openpyxl.load_workbook(published / "workbooks" / "A.xlsx")
    sheet = book.worksheets[3]
    head = {cell.value: at for at, cell in enumerate(sheet[1], 1)}
    for row in range(2, sheet.max_row + 1):
        assert sheet.cell(row, head["网格编码"]).data_type == "s"
        assert sheet.cell(row, head["版次"]).value == "0001"
        assert sheet.cell(row, head["人数"]).data_type == "n"
        assert sheet.cell(row, head["楼栋"]).data_type == "s"
    assert sheet.freeze_panes == "A2"
    letter = get_column_letter(head["社区编码"])
    assert sheet.column_dimensions[letter].width >= 11
    assert all(len(name) <= 31 for name in book.sheetnames)


def test_two_processes_make_the_same_workbooks(
    published: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rule: workbooks of a whole city, made by two processes, are those that one would make."""
    monkeypatch.setattr(workbook, "TOGETHER_BYTES", 0)
    again = publish(tmp_path, _schedule(), formats=["xlsx"]).path
    for name in ("A", "B"):
        path = f"workbooks/{name}.xlsx"
        assert (again / path).read_bytes() == (published / path).read_bytes()


def test_sheet_names_are_safe_and_unique() -> None:
    """Rule: what Excel refuses in a name of a sheet is replaced, and no name stands twice."""
    wanted = [
        "汇总",
        "东关/社区",
        "东关:社区",
        "A[1]*?",
        "a_1___",
        "History",
        "'",
        "",
        "长" * 40,
        "长" * 40,
    ]
    names = sheet_names(wanted)
    assert len({name.lower() for name in names}) == len(wanted)
    assert all(0 < len(name) <= 31 for name in names)
    assert not any(set(name) & set("[]:*?/\\'") for name in names)
    assert "history" not in {name.lower() for name in names}
    assert names[:2] == ["汇总", "东关_社区"]


def test_same_plan_same_bytes(published: Path, tmp_path: Path) -> None:
    """Rule: published again, every file has the same bytes, and the manifest names them all."""
    again = publish(tmp_path, _schedule(), formats=FORMATS).path
    files = {p.relative_to(published) for p in published.rglob("*") if p.is_file()}
    assert files == {p.relative_to(again) for p in again.rglob("*") if p.is_file()}
    assert all((published / p).read_bytes() == (again / p).read_bytes() for p in files)
    named = json.loads((published / "manifest.json").read_bytes())["files"]
    assert {str(p) for p in files} == {*named, "manifest.json"}


def test_csv_begins_with_the_mark_and_ends_lines_as_excel_does(published: Path) -> None:
    """Rule: byte for byte: BOM, header, CR LF after every line, quotes doubled within quotes."""
    content = (published / "communities" / "A" / "C2.csv").read_bytes()
    head, row, end = content.split(b"\r\n")
    assert head.startswith(b"\xef\xbb\xbf" + "轮次,版次,日期,".encode())
    assert content.count(b"\xef\xbb\xbf") == 1
    assert end == b""
    assert row.startswith(b'"tiny","0001",2020-12-22,06:00,06:15,"A","street","C2",')
    assert '"楼,""一""\n二"'.encode() in row


def test_plain_publishing_writes_csv_only(tmp_path: Path) -> None:
    """Rule: without --format nothing but CSV is written, whatever was there before."""
    publish(tmp_path, _schedule(), formats=("xlsx", "csv"))
    path = publish(tmp_path, _schedule()).path
    assert {p.name for p in path.iterdir()} == {*KINDS, "manifest.json"}


def test_a_district_without_labs(tmp_path: Path) -> None:
    """Rule: a district that sends nothing anywhere has an empty sheet and table of labs."""
    path = publish(tmp_path, _schedule(), district="B", formats=FORMATS).path
    assert [p.name for p in (path / "workbooks").iterdir()] == ["B.xlsx"]
    book = openpyxl.load_workbook(path / "workbooks" / "B.xlsx")
    assert _sheet(book["检测机构"]) == []
    assert book["检测机构"].max_column == len(LAB_COLUMNS)
    assert pl.read_parquet(path / "parquet" / "labs.parquet").height == 0
    assert json.loads((path / "geojson" / "labs.geojson").read_bytes())["features"] == []


def test_points_are_finite() -> None:
    """Rule: the tiny round has points everywhere, so that the tests above compare real ones."""
    instance = tiny_instance()
    assert np.isfinite(np.concatenate([instance.blocks.lat, instance.sites.lat])).all()
