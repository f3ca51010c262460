"""Large files of rows: encodings, garbage, quotes; no line is lost."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scheduler.errors import CannotRunError
from scheduler.ingest.findings import FileLog
from scheduler.ingest.people_columns import PEOPLE_HEADERS, PEOPLE_TABLES, RESIDENTS
from scheduler.ingest.text_rows import read_rows

QUICK = settings(deadline=None, derandomize=True, max_examples=60)

HEADER = "resident_id,household_id,block_id\n"


def read(tmp_path: Path, data: bytes) -> tuple[pl.DataFrame | None, list[str]]:
    path = tmp_path / "people.csv"
    path.write_bytes(data)
    log = FileLog(path.name)
    return read_rows(path, RESIDENTS, log), [f.code for f in log.findings]


def table(tmp_path: Path, data: bytes) -> list[tuple[object, ...]]:
    frame, _ = read(tmp_path, data)
    assert frame is not None
    return frame.select("resident_id", "household_id", "line", "fault").rows()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk", "gb18030", "utf-16"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_encodings(tmp_path: Path, encoding: str, end: str) -> None:
    """A roster may be in any encoding that Chinese offices use, under Chinese headers."""
    text = f"居民编号,户编号,楼栋/网格编码{end} 张一 ,Ｈ１,楼1{end},,{end}李二,H2,楼2{end}"
    assert table(tmp_path, text.encode(encoding)) == [
        ("张一", "H1", 2, None),
        ("李二", "H2", 4, None),
    ]


def test_garbage_is_marked_line_by_line(tmp_path: Path) -> None:
    """Open quotes, too many cells and broken bytes mark their own line and no other."""
    data = HEADER.encode() + b'R1,H1,B1\nR2,H2,B1,x\n"R3,H3,B1\nR4\n\xff\xfe\x00,H5,B1\nR6,H6,B1\n'
    rows = table(tmp_path, data)
    assert [(line, fault) for *_, line, fault in rows] == [
        (2, None), (3, "C602"), (4, "C602"), (5, None), (6, "C604"), (7, None),
    ]  # fmt: skip
    assert rows[-1][:2] == ("R6", "H6")


def test_quoted_cells(tmp_path: Path) -> None:
    """Quoted cells are read without quotes, with the commas in them."""
    assert table(tmp_path, (HEADER + '"R1","H,1","B1"\n').encode()) == [("R1", "H,1", 2, None)]


def test_a_number_that_a_spreadsheet_rounded(tmp_path: Path) -> None:
    """An id such as 2.1E+17 is no id any more."""
    assert table(tmp_path, (HEADER + "2.10202E+17,H1,B1\n").encode())[0][-1] == "C604"


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "C102"),
        (b"\n\n", "C102"),
        (b"a,b\n1,2\n", "C105"),
        (b"resident_id,household_id,resident_id\n", "C106"),
        (b"\x00\x01\x02", "C103"),
        (b"PAR1 and then nothing", "C103"),
    ],
)
def test_files_that_cannot_be_used(tmp_path: Path, data: bytes, code: str) -> None:
    """What is wrong with a file as a whole is told by a code."""
    assert code in read(tmp_path, data)[1]


def test_a_header_alone_has_no_rows(tmp_path: Path) -> None:
    """A file of a header is an empty roster."""
    assert table(tmp_path, HEADER.encode()) == []


def test_parquet(tmp_path: Path) -> None:
    """Parquet is known by its content; numbers become text, and lists are refused."""
    path = tmp_path / "people.csv"
    frame = pl.DataFrame({"居民编号": [7, 8], "户编号": ["H1", None], "块": [[1], [2]]})
    frame.write_parquet(path)
    log = FileLog(path.name)
    rows = read_rows(path, RESIDENTS, log)
    assert rows is not None
    assert rows.rows() == [("7", "H1", 1, None), ("8", "", 2, None)]
    pl.DataFrame({"居民编号": [[7]], "户编号": ["H1"]}).write_parquet(path)
    assert read_rows(path, RESIDENTS, log) is None


@pytest.mark.parametrize("blank", ["", " ", "\t", "\r", "\u3000", "\u00a0", "\ufeff"])
def test_outer_blanks(tmp_path: Path, blank: str) -> None:
    """No blank around a cell is kept, whichever it is, in the first cell of a line or the last."""
    data = HEADER + f"R1,H1,B1\n{blank}R2,H2{blank},B2{blank}\n{blank},{blank},\nR4,H4,B4\r\n"
    frame, _ = read(tmp_path, data.encode())
    assert frame is not None
    assert frame.select("resident_id", "household_id", "block_id", "line").rows() == [
        (f"R{n}", f"H{n}", f"B{n}", n + 1) for n in (1, 2, 4)
    ]


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    """A missing file is told in a sentence."""
    with pytest.raises(CannotRunError, match="No such file"):
        read_rows(tmp_path / "none.csv", RESIDENTS, FileLog("none.csv"))


@QUICK
@given(
    st.lists(
        st.text(st.characters(exclude_characters="\n\r\0", codec="utf-8"), max_size=12), max_size=12
    )
)
def test_every_line_is_a_row_or_blank(
    tmp_path_factory: pytest.TempPathFactory, lines: list[str]
) -> None:
    """Whatever a line holds, it becomes one row under its own number, or is blank."""
    data = HEADER + "R0,H0,B0\n" + "".join(f"{line}\n" for line in lines)
    rows = table(tmp_path_factory.mktemp("t"), data.encode())
    numbers = [int(str(row[2])) for row in rows]
    assert numbers == sorted(set(numbers))
    filled = [n for n, line in enumerate(lines, 3) if line.replace(",", "").strip().isalnum()]
    assert set(filled) <= set(numbers)


def test_every_spelling_of_a_header() -> None:
    """Each column is known by its name and its Chinese headers."""
    for people in PEOPLE_TABLES:
        for column in people.columns:
            for word in (column.name, *PEOPLE_HEADERS[column.name]):
                assert people.headers[word] is column
