"""Residents: what each cell means, and which rows cannot be used."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import polars as pl
import pytest

from scheduler.domain.roster import Category
from scheduler.domain.settings import RoundSettings, Settings
from scheduler.errors import InputError
from scheduler.ingest.residents import ResidentRows, read_residents
from scheduler.ingest.times import local_times
from tests.unit.ingest.test_cells import made_up_identity_number

SETTINGS = Settings(
    round=RoundSettings(
        id="r1",
        start=datetime(2020, 12, 22, 6),  # noqa: DTZ001  # local by rule
        end=datetime(2020, 12, 22, 18),  # noqa: DTZ001  # local by rule
    )
)


def read(tmp_path: Path, header: str, *lines: str, names: bool = False) -> ResidentRows:
    path = tmp_path / "r.csv"
    path.write_text("\n".join((header, *lines)) + "\n", encoding="utf-8")
    return read_residents([path], SETTINGS, allow_names=names)


@pytest.mark.parametrize(
    ("cell", "year", "fault"),
    [
        ("1956", 1956, None), ("1956年", 1956, None), ("1956.0", 1956, None), ("", 0, None),
        ("1956-03-02", 1956, None), ("19560302", 1956, None), ("2021", 2021, "C610"),
        ("1856", 1856, "C610"), ("old", 0, "C610"), ("56", 0, "C610"),
    ],
)  # fmt: skip
def test_birth_years(tmp_path: Path, cell: str, year: int, fault: str | None) -> None:
    """A year is taken out of what offices write; what is no year of a living person is a fault."""
    frame = read(tmp_path, "resident_id,household_id,birth_year", f"R1,H1,{cell}").frame
    assert frame.select("birth_year", "fault").row(0) == (year, fault)


@pytest.mark.parametrize(
    ("cell", "category"),
    [
        ("", Category.NORMAL), ("居家不便", Category.HOMEBOUND), ("Home-Bound", Category.HOMEBOUND),
        ("vaccinated", Category.VACCINATED), ("集中隔离", Category.ISOLATED),
        ("tested_elsewhere", Category.TESTED),
    ],
)  # fmt: skip
def test_categories(tmp_path: Path, cell: str, category: Category) -> None:
    """Categories are known in both languages."""
    frame = read(tmp_path, "居民编号,户编号,类别", f"R1,H1,{cell}").frame
    assert frame["category"].to_list() == [category]


def test_an_unknown_category_is_called_and_marked(tmp_path: Path) -> None:
    """Nobody is left out over a word: the person is called, and the word is marked."""
    found = read(tmp_path, "resident_id,household_id,category", "R1,H1,astronaut", "R2,,")
    assert found.frame["category"].to_list() == [Category.NORMAL, Category.NORMAL]
    assert found.frame["odd"].to_list() == [True, False]


@pytest.mark.parametrize(
    ("category", "at", "expected"),
    [
        ("vaccinated", "2020-12-20 07:00", Category.VACCINATED),
        ("vaccinated", "2020-12-20 05:00", Category.NORMAL),
        ("tested", "2020/12/21 7:00", Category.TESTED),
        ("tested", "2020-12-21T05:00+08:00", Category.NORMAL),
        ("tested", "", Category.TESTED),
        ("isolated", "2020-01-01", Category.ISOLATED),
    ],
)
def test_exemptions_run_out(tmp_path: Path, category: str, at: str, expected: Category) -> None:
    """A vaccination exempts for 48 hours and a test for 24, where their time is given."""
    header = "resident_id,household_id,category,category_at"
    frame = read(tmp_path, header, f"R1,H1,{category},{at}").frame
    assert frame["category"].to_list() == [expected]


def test_faults_of_cells(tmp_path: Path) -> None:
    """Blank ids, identity numbers and times that are none have codes."""
    number = made_up_identity_number()
    header = "resident_id,household_id,category_at"
    frame = read(tmp_path, header, ",H1,", f"{number},H1,", f"R3,{number},", "R4,H1,soon").frame
    assert frame["fault"].to_list() == ["C603", "C613", "C613", "C615"]


@pytest.mark.parametrize(
    ("cell", "refused"),
    [
        ("110101190001010011", True), ("11010119000101001x", True), ("110101190001010019", True),
        ("110101190013010019", False), ("010101190001010019", False), ("1101011900010100", False),
        ("DL-110101190001010019", False), ("110101210001010019", False),
    ],
)  # fmt: skip
def test_identity_numbers_are_told_by_their_form(tmp_path: Path, cell: str, refused: bool) -> None:
    """A number with a birth date is refused, also where its check digit is mistyped."""
    for line in (f"{cell},H1", f"R1,{cell}"):
        frame = read(tmp_path, "resident_id,household_id", line).frame
        assert frame["fault"].to_list() == ["C613" if refused else None]
    allowed = read(tmp_path, "resident_id,household_id", f"{cell},H1", names=True).frame
    assert allowed["fault"].to_list() == [None]


def test_names_are_refused(tmp_path: Path) -> None:
    """A roster with names is refused as a whole, and no name is repeated."""
    with pytest.raises(InputError) as caught:
        read(tmp_path, "居民编号,户编号,姓名,身份证号", "R1,H1,王小明,1")
    told = "\n".join(map(str, caught.value.findings))
    assert [f.code for f in caught.value.findings] == ["C601", "C601"]
    assert "王小明" not in told


@pytest.mark.parametrize(
    ("name", "number", "masked"),
    [
        ("王小明", "", "王*明"), ("李雷", "210202199001011234", "李* 1234"),
        ("欧阳修文", "", "欧*文"), ("王", "", "王"), ("", "", ""),
    ],
)  # fmt: skip
def test_names_that_are_allowed_are_masked(
    tmp_path: Path, name: str, number: str, masked: str
) -> None:
    """Only first and last characters of names and four digits of numbers are kept."""
    found = read(tmp_path, "居民编号,户编号,姓名,身份证号", f"R1,H1,{name},{number}", names=True)
    assert found.frame["name"].cast(pl.String).to_list() == [masked]


def test_times() -> None:
    """Times are read as programs and spreadsheets write them; an offset is turned to local time."""
    cells = ["2020-12-22 06:15", "2020/12/22 6:15", "2020-12-22T06:15:30+08:00",
             "2020-12-21T22:15:30Z", "soon", "2020-12-22"]  # fmt: skip
    found = local_times(pl.Series("t", cells), "Asia/Shanghai").dt.strftime("%d %H:%M:%S").to_list()
    assert found == [
        "22 06:15:00",
        "22 06:15:00",
        "22 06:15:30",
        "22 06:15:30",
        None,
        "22 00:00:00",
    ]
    many = local_times(pl.Series("t", cells * 300), "Asia/Shanghai")
    assert many.dt.strftime("%d %H:%M:%S").to_list() == found * 300
