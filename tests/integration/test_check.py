from __future__ import annotations

import json
import subprocess
import sys
import unicodedata
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from scheduler.cli.main import cli
from scheduler.errors import Severity
from scheduler.ingest.findings import CODES
from tests.unit.ingest.folders import BROKEN, TINY, tiny_with
from tests.unit.ingest.test_cells import made_up_identity_number


def check(*arguments: object) -> Result:
    return CliRunner().invoke(cli, ["check", *map(str, arguments)])


def check_process(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "scheduler", "check", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=False)


def columns(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


@pytest.mark.parametrize("code", sorted(code for code in CODES if code < "C6"))
def test_broken_folder(code: str) -> None:
    """Each broken folder gets its code; errors exit 1, notes exit 0."""
    result = check(BROKEN / code, "--json")
    document = json.loads(result.stdout)
    found = {finding["code"]: finding for finding in document["findings"]}
    assert found[code]["severity"] == CODES[code].severity
    assert found[code]["hint"]
    assert result.exit_code == (1 if document["errors"] else 0)
    assert (document["errors"] > 0) == (CODES[code].severity is Severity.ERROR)
    assert document["errors"] + document["notes"] == len(document["findings"])
    assert (document["arithmetic"] is None) == (document["errors"] > 0)


def test_clean_round() -> None:
    """A clean round exits 0 and shows needs and means of every district and the city."""
    result = check(TINY)
    assert result.exit_code == 0
    assert result.stderr == ""
    assert "0 error(s), 0 note(s)" in result.stdout
    for word in ("中山区", "西岗区", "city", "lane-h need", "fluid bound", "samplers"):
        assert word in result.stdout
    assert max(map(columns, result.stdout.splitlines())) <= 80


def test_tables_fit_a_terminal(tmp_path: Path) -> None:
    """Tables stay within 80 columns with millions of people and long district names."""
    folder = tiny_with(tmp_path / "round", {"round.toml": ("12-22T18:00", "12-31T18:00")})
    (folder / "blocks.csv").unlink()
    for name in ("communities.csv", "sites.csv"):
        text = (folder / name).read_text(encoding="utf-8").replace(",300,", ",9999999,")
        text = text.replace("西岗区", "一个名字非常非常长的高新技术产业园区")
        (folder / name).write_text(text, encoding="utf-8")
    lines = check(folder).stdout.splitlines()
    tables = lines[[line.startswith("Needed and there") for line in lines].index(True) :]
    assert any("一个名字非常~" in line for line in tables)
    assert max(map(columns, tables)) <= 80


def test_findings_as_text() -> None:
    """A finding names file, line, column, value and code, and its way out follows."""
    result = check(BROKEN / "C203")
    assert result.exit_code == 1
    lines = result.stdout.splitlines()
    assert lines[0].endswith('sites.csv:3: lanes: expected a whole number >= 1, got "4台" [C203]')
    assert lines[1].strip() == CODES["C203"].way_out
    assert "1 error(s), 0 note(s)" in lines


def test_errors_come_before_notes_and_limit_cuts(tmp_path: Path) -> None:
    """Errors come first; --limit shortens the list, never the counts."""
    folder = tiny_with(
        tmp_path / "round",
        {"communities.csv": (",normal,300,", ",normal,３００,"), "labs.csv": (",60,", ",0,")},
    )
    document = json.loads(check(folder, "--json").stdout)
    assert [f["code"] for f in document["findings"]] == ["C203", "C202"]
    short = json.loads(check(folder, "--json", "--limit", 1).stdout)
    assert [f["code"] for f in short["findings"]] == ["C203"]
    assert (short["errors"], short["notes"]) == (1, 1)
    assert "... and 2 more" in check(folder, "--limit", 0).stdout


def test_no_folder(tmp_path: Path) -> None:
    """A folder that does not exist is exit 2, said on stderr with a way out."""
    result = check_process(tmp_path / "nowhere")
    assert result.returncode == 2
    assert result.stdout == ""
    assert "nat-scheduler init" in result.stderr
    assert check_process().returncode == 2


def test_exit_codes_of_the_process() -> None:
    """Cron sees 0 and 1 of the process itself."""
    assert check_process(TINY).returncode == 0
    assert check_process(BROKEN / "C203").returncode == 1


def test_empty_folder(tmp_path: Path) -> None:
    """An empty folder misses four files, all told at once."""
    document = json.loads(check(tmp_path, "--json").stdout)
    assert [(f["code"], f["file"]) for f in document["findings"]] == [
        ("C001", "round.toml"),
        ("C101", "communities.csv"),
        ("C101", "sites.csv"),
        ("C101", "labs.csv"),
    ]


@pytest.mark.parametrize(
    ("name", "cell"),
    [
        ("blocks.csv", "春海1号楼"),
        ("blocks.csv", "C001-B1"),
        ("blocks.csv", "110"),
        ("communities.csv", "C001,"),
        ("sites.csv", "朝阳街1号"),
        ("sites.csv", "08:00-18:00"),
        ("sites.csv", "mobile,C003"),
        ("labs.csv", "lab_id"),
    ],
)
def test_identity_numbers_are_never_printed(tmp_path: Path, name: str, cell: str) -> None:
    """Wherever an identity number stands, check refuses the file and does not show it."""
    number = made_up_identity_number()
    folder = tiny_with(tmp_path / "round", {name: (cell, cell[:-1] + number + cell[-1:])})
    for arguments in ([folder], [folder, "--json"]):
        result = check(*arguments)
        assert result.exit_code == 1
        assert number not in result.stdout + result.stderr


def test_help_has_an_example() -> None:
    """Help tells exit codes and an example."""
    text = check("--help").stdout
    assert "nat-scheduler check dalian" in text
    assert "Exit codes" in text
