from __future__ import annotations

import re
from pathlib import Path

import pytest

import scheduler
from scheduler.domain.row_codes import ROW_CODES
from scheduler.errors import Severity
from scheduler.ingest.findings import CODES
from tests.unit.ingest.folders import BROKEN

PACKAGE = Path(scheduler.__file__).parent


def raised_codes() -> set[str]:
    """Return the codes that stand in quotes anywhere but in the register."""
    registers = {PACKAGE / "ingest" / "findings.py", PACKAGE / "domain" / "row_codes.py"}
    files = [f for f in PACKAGE.rglob("*.py") if f not in registers]
    return {code for f in files for code in re.findall(r'"(C\d{3})"', f.read_text("utf-8"))}


def test_register_and_source_agree() -> None:
    """Every code that the source can report is registered, and the other way round."""
    assert raised_codes() == set(CODES) | set(ROW_CODES)


def test_every_code_has_a_broken_folder() -> None:
    """A code without an example is untested; C7 codes are those of events and progress."""
    of_reports = {code for code in CODES if code.startswith("C7")}
    assert {folder.name for folder in BROKEN.iterdir()} == set(CODES) - of_reports
    tests = "".join(p.read_text("utf-8") for p in Path(__file__).parent.glob("test_*.py"))
    assert all(f'"{code}"' in tests for code in of_reports)


@pytest.mark.parametrize("code", sorted(CODES))
def test_every_code_says_what_to_do(code: str) -> None:
    """Each code has a title, a way out and a severity; shortages are notes."""
    title, way_out, severity = CODES[code]
    assert title[0].islower() or title.startswith("round.toml")
    assert way_out.endswith((".", "防范, 普通.", "_ -", "}"))
    assert severity is Severity.NOTE or code[1] != "5"


@pytest.mark.parametrize("code", sorted(ROW_CODES))
def test_every_code_of_a_row_says_what_to_do(code: str) -> None:
    """Each code of a row about a person has a title, Chinese words and a way out."""
    rule = ROW_CODES[code]
    assert rule.title[0].islower()
    assert not rule.chinese.isascii()
    assert rule.way_out.endswith(".")
