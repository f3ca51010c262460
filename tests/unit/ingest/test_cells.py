from __future__ import annotations

from typing import Any

import pytest

from scheduler.domain.settings import Zone
from scheduler.ingest import cells
from scheduler.ingest.cells import CellError, Parser, Real, Whole
from scheduler.ingest.findings import masked

FRACTION = Real(0, 1, above=True, strict_most=True)


def made_up_identity_number() -> str:
    """Return a number of the right shape and check digit that nobody has (born 1900-01-01)."""
    body = "11010119000101001"
    total = sum(int(d) * pow(2, 17 - i, 11) for i, d in enumerate(body))
    return body + "10X98765432"[total % 11]


@pytest.mark.parametrize(
    ("parse", "cell", "value"),
    [
        (Whole(1, 99), "7", 7),
        (Real(0, 9), "2.5", 2.5),
        (FRACTION, "1", 1.0),
        (cells.degrees, "-38.9", -38.9),
        (cells.zone, "lockdown", Zone.LOCKDOWN),
        (cells.zone, "普通", Zone.NORMAL),
        (cells.zones, "normal;封控", (3, 0)),
        (cells.kind, "流动", "mobile"),
        (cells.keys, "C1;C2", ("C1", "C2")),
        (cells.pool_sizes, "10;1", (1, 10)),
        (cells.key, "007", "007"),
        (cells.free_text, "春海社区（东）", "春海社区（东）"),
    ],
)
def test_clean_cells_are_read_without_a_remark(parse: Parser, cell: str, value: Any) -> None:  # noqa: ANN401  # any value
    """A cell in the form of the contract needs no remark."""
    read, remark = parse(cell)
    assert read == value
    assert remark is None


@pytest.mark.parametrize(
    ("parse", "cell", "value"),
    [
        (Whole(1, 99), "１２", 12),
        (Whole(1, 99), " 7", 7),
        (Whole(1, 99), "\u30007\u200b", 7),
        (Whole(1, 99), "3.0", 3),
        (Whole(1, 999), "012", 12),
        (Real(0, 9), "２．５", 2.5),
        (cells.degrees, "38.9\u00a0", 38.9),
        (cells.zone, "封控区", Zone.LOCKDOWN),
        (cells.zone, "Lockdown", Zone.LOCKDOWN),
        (cells.kind, "上门", "dedicated"),
        (cells.keys, "C1、C2", ("C1", "C2")),
        (cells.pool_sizes, "1，10", (1, 10)),
        (cells.hours, "０８：００－１２：００", ((480, 720),)),
        (cells.key, "Ｃ００１", "C001"),
        (cells.free_text, " 春海\n社区", "春海 社区"),
    ],
)
def test_normalised_cells_carry_a_remark(parse: Parser, cell: str, value: Any) -> None:  # noqa: ANN401  # any value
    """Blanks, full-width forms and other spellings are read, never in silence."""
    read, remark = parse(cell)
    assert read == value
    assert remark is not None


@pytest.mark.parametrize(
    ("parse", "cell", "code"),
    [
        (Whole(1, 99), "4台", "C203"),
        (Whole(1, 99), "0", "C203"),
        (Whole(0, 99), "-1", "C203"),
        (Whole(0, 9999), "1,200", "C203"),
        (Whole(0, 99), "2.5", "C203"),
        (Whole(0, 99), "1e1", "C203"),
        (Whole(0, 99), "3²", "C203"),
        (Whole(0, 99), "100", "C205"),
        (Whole(0, 99), "9" * 30, "C205"),
        (Real(0, 9), "nan", "C204"),
        (Real(0, 9), "-1", "C204"),
        (Real(0, 9, above=True), "0", "C204"),
        (Real(0, 9), "10", "C205"),
        (FRACTION, "1.01", "C204"),
        (FRACTION, "95%", "C204"),
        (cells.degrees, "N38.9", "C204"),
        (cells.degrees, "9" * 400, "C204"),
        (cells.zone, "红区", "C206"),
        (cells.zones, "normal;normal", "C209"),
        (cells.kind, "van", "C207"),
        (cells.hours, "早8晚5", "C208"),
        (cells.keys, "C1;;C2", "C209"),
        (cells.keys, "C1;C1", "C209"),
        (cells.pool_sizes, "1;0", "C209"),
        (cells.pool_sizes, "5;5", "C209"),
        (cells.key, "2.10203E+11", "C210"),
        (cells.key, "x" * 101, "C210"),
        (cells.file_key, "a/b", "C210"),
        (cells.file_key, "a\\b", "C210"),
        (cells.file_key, ".hidden", "C210"),
        (cells.file_key, "..", "C210"),
        (cells.file_key, "con", "C210"),
        (cells.folder_name, "../etc", "C210"),
        (cells.key, "a\x07b", "C212"),
        (cells.free_text, "a\ufffdb", "C212"),
        (cells.free_text, "#REF!", "C212"),
        (cells.free_text, "x" * 501, "C212"),
    ],
)
def test_unusable_cells_are_refused(parse: Parser, cell: str, code: str) -> None:
    """Each kind of bad cell has its code; none is guessed."""
    with pytest.raises(CellError) as caught:
        parse(cell)
    assert caught.value.code == code


@pytest.mark.parametrize("parse", [cells.free_text, cells.key, cells.file_key])
def test_identity_numbers_are_refused(parse: Parser) -> None:
    """A person's number is refused wherever it hides, full-width digits included."""
    number = made_up_identity_number()
    wide = number.translate({ord("0") + d: ord("０") + d for d in range(10)})
    for cell in (number, wide, f"张{number}"):
        with pytest.raises(CellError) as caught:
            parse(cell)
        assert caught.value.code == "C211"
        assert number not in caught.value.text


def test_numbers_that_only_resemble_an_identity_are_kept() -> None:
    """A wrong check digit or an impossible birthday is no identity number."""
    number = made_up_identity_number()
    other_check = "1" if number[-1] != "1" else "2"
    assert cells.key(number[:-1] + other_check)[0] == number[:-1] + other_check
    assert not cells.has_identity_number("210202001002210202")


def test_what_is_shown_is_masked() -> None:
    """No message shows a number of the shape of an identity, whatever its check digit."""
    shown = masked(f"张三{made_up_identity_number()} 1号楼")
    assert shown == "张三****** 1号楼"
    assert len(masked("x" * 100)) == 60
    assert masked("a\n\x1b[31mb") == "a\\n\\x1b[31mb"


def test_blank_cells() -> None:
    """Blanks of every width are blank."""
    assert all(cells.is_blank(c) for c in ("", " ", "\u3000", "\ufeff", "\t \u00a0"))
    assert not cells.is_blank("0")
