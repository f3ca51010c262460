from __future__ import annotations

import pytest

from scheduler.ingest.columns import CHINESE_HEADERS, TABLES, TRAVEL
from scheduler.ingest.findings import FileLog
from scheduler.ingest.reader import TextTable, decode, read_table

ROWS = "站点,L1,5\n"
HEADER = "site_id,lab_id,minutes\n"


def read(data: bytes | str) -> tuple[TextTable | None, FileLog]:
    log = FileLog("travel.csv")
    content = data if isinstance(data, bytes) else data.encode()
    return read_table(content, TRAVEL, log), log


def codes(log: FileLog) -> list[str]:
    return [f.code for f in log.findings]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_utf8_needs_no_remark(encoding: str) -> None:
    """UTF-8 is read with and without BOM."""
    table, log = read((HEADER + ROWS).encode(encoding))
    assert table is not None
    assert table.cells == {"site_id": ["站点"], "lab_id": ["L1"], "minutes": ["5"]}
    assert codes(log) == []


@pytest.mark.parametrize("encoding", ["gbk", "gb18030", "utf-16"])
def test_other_encodings_are_noted(encoding: str) -> None:
    """What Excel writes in China is read, and said to be so."""
    table, log = read((HEADER + ROWS).encode(encoding))
    assert table is not None
    assert table.cells["site_id"] == ["站点"]
    assert codes(log) == ["C104"]


def test_damaged_utf8_is_not_taken_for_gb18030() -> None:
    """One broken byte in UTF-8 must not turn all names into other characters."""
    data = (HEADER + "站点甲乙丙丁\n" * 3).encode()
    log = FileLog("travel.csv")
    assert decode(data[:-5] + data[-4:], log) is None
    assert [(f.code, f.line) for f in log.findings] == [("C103", 4)]


@pytest.mark.parametrize("data", [b"a,b\n\0\0", b"a,b\n\xff\xff", b"\xef\xbb\xbfa\n\xb4\xba"])
def test_what_is_no_text_is_refused(data: bytes) -> None:
    """Bytes of no known encoding are refused."""
    log = FileLog("travel.csv")
    assert decode(data, log) is None
    assert codes(log) == ["C103"]


def test_lines_are_physical_lines() -> None:
    """After quoted line breaks and blank lines a row still stands on its own line."""
    text = HEADER + '"S\n1",L1,5\n\n,,\n\u3000,,\nS2,L1,6\n"S\r\n3",L1,7\nS4,L1,8\n'
    table, log = read(text)
    assert table is not None
    assert table.lines == [2, 7, 8, 10]
    assert codes(log) == []


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends(end: str) -> None:
    """Unix, Windows and old Macintosh line ends are read."""
    table, _ = read((HEADER + "S1,L1,5\nS2,L1,6\n").replace("\n", end))
    assert table is not None
    assert table.lines == [2, 3]


@pytest.mark.parametrize("text", ["", "\n\n", "\ufeff", ",,\n"])
def test_nothing_at_all(text: str) -> None:
    """A file without a header is empty, however many blank lines it has."""
    table, log = read(text)
    assert table is None
    assert codes(log) == ["C102"]


@pytest.mark.parametrize("row", ["S1,L1", "S1,L1,5,6", "S1,L1,5,"])
def test_rows_of_another_length(row: str) -> None:
    """A short or long row is an error at its line; its cells still count as known ids."""
    table, log = read(HEADER + "S0,L0,1\n" + row + "\n")
    assert table is not None
    assert table.lines == [2]
    assert "S1" in table.stray
    assert [(f.code, f.line) for f in log.findings] == [("C108", 3)]


@pytest.mark.parametrize("cell", ['"S1', '"S1"x'])
def test_bad_quotes(cell: str) -> None:
    """A quote that does not match ends reading with an error: rows would be swallowed."""
    table, log = read(HEADER + f"{cell},L1,5\nS2,L1,6\n")
    assert table is not None
    assert not table.complete
    assert [(f.code, f.line) for f in log.findings] == [("C109", 2)]


def test_headers_in_either_language() -> None:
    """Each column takes its own language; blanks, width and letter case do not matter."""
    table, log = read("\u3000采样点编号 ,LAB_ID,分钟\nS1,L1,5\n")
    assert table is not None
    assert list(table.cells) == ["site_id", "lab_id", "minutes"]
    assert codes(log) == []


def test_every_chinese_header_means_its_column() -> None:
    """Every spelling of the contract is read in every file that has the column."""
    for table in TABLES:
        for column in table.columns:
            for word in CHINESE_HEADERS[column.name]:
                assert table.headers[word] is column


def test_columns_missing_twice_and_unknown() -> None:
    """A missing column is an error on the header's line, an unknown one a note."""
    _, log = read("\nsite_id,采样点编码,minute\nS1,S1,5\n")
    found = {(f.code, f.line, f.column) for f in log.findings}
    assert found == {
        ("C106", 2, "site_id"),
        ("C107", 2, "minute"),
        ("C105", 2, "lab_id"),
        ("C105", 2, "minutes"),
    }
    assert 'Did you mean "minutes"?' in [f.hint for f in log.findings]


def test_other_separators_get_a_way_out() -> None:
    """A file with semicolons is told to use commas."""
    _, log = read("site_id;lab_id;minutes\n")
    assert {f.hint for f in log.findings if f.code == "C105"} == {
        "Separate the columns with commas."
    }
