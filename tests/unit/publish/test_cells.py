"""Cells and file names of what is published."""

from __future__ import annotations

import csv
import io

import pytest

from scheduler.publish.cells import BOM, csv_bytes, file_names, id_cell, text_cell

IDENTITY = "11010519491231002X"  # the example of GB 11643-1999


def _read(cell: str) -> str:
    return next(csv.reader(io.StringIO(cell, newline="")))[0]


@pytest.mark.parametrize("text", ["=1+1", "+86", "-", "@cmd", "  =A1", "\t=A1", "\rx", "＝A1"])
def test_formulas_are_neutralised(text: str) -> None:
    """A cell that a spreadsheet would run starts with an apostrophe."""
    assert _read(text_cell(text)) == "'" + text
    assert _read(id_cell(text)) == "'" + text


@pytest.mark.parametrize("text", ["", "春海社区", 'a,"b"\nc', "1-22", "B=2", "a+b"])
def test_other_text_comes_back_unaltered(text: str) -> None:
    """What no spreadsheet would run is read back as it was."""
    assert _read(text_cell(text)) == text


@pytest.mark.parametrize("ident", ["0012", "210202001001", "210202001001000001", "S-1", "12345678"])
def test_identifiers_stay_themselves(ident: str) -> None:
    """An id is quoted and unaltered: leading zeros, long digits, 18-digit grid codes too."""
    assert id_cell(ident) == f'"{ident}"'


@pytest.mark.parametrize(
    "text",
    [
        f"张三{IDENTITY}",
        IDENTITY.lower(),
        "李四 210202 19900101 1234",
        "１１０１０５１９４９１２３１００２Ｘ号",
    ],
)
def test_no_identity_numbers_in_text(text: str) -> None:
    """An identity number keeps its first six digits only, in whatever form it was written."""
    shown = _read(text_cell(text))
    assert "************" in shown
    assert "1231002" not in shown
    assert "0101" not in shown


def test_no_identity_numbers_as_ids() -> None:
    """An id that is an identity number, birth date and check digit right, is masked."""
    assert id_cell(IDENTITY) == '"110105************"'
    assert id_cell(IDENTITY[:17] + "1") == f'"{IDENTITY[:17]}1"'
    assert id_cell("110105199913310021") == '"110105199913310021"'


def test_files_start_with_a_bom() -> None:
    """Excel and WPS read Chinese only where the file starts with a byte order mark."""
    content = csv_bytes("轮次,版次", ["1,2\r\n"])
    assert content.decode() == BOM + "轮次,版次\r\n1,2\r\n"


def test_file_names_are_safe_and_unique() -> None:
    """Names keep to one folder, are not hidden, fit the disk, and no two become one."""
    values = ["a/b", "a_b", "..", ".hidden", "", "金州区", "x" * 300, "区" * 100, "a:b"]
    names = file_names(values)
    assert names["a_b"] == "a_b"
    assert names["金州区"] == "金州区"
    assert len(set(names.values())) == len(values)
    for name in names.values():
        assert name
        assert "/" not in name
        assert not name.startswith(".")
        assert len(name.encode()) <= 255 - len("..partial")
    assert file_names(reversed(values)) == names
