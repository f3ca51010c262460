from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from scheduler.domain.plan import Plan
from scheduler.domain.verify import verify
from scheduler.errors import CannotRunError
from scheduler.publish.plan_files import (
    commit_plan,
    discard_partial,
    next_revision,
    read_plan,
    revisions,
    stage_plan,
    write_plan,
)
from tests.plans import tiny_instance, tiny_plan

TABLES = ("assignments", "consignments", "lab_load", "unserved")


@pytest.fixture
def plan() -> Plan:
    return tiny_plan(tiny_instance())


def test_what_is_written_is_read(tmp_path: Path, plan: Plan) -> None:
    """A plan survives the way to disk and back, and is still clean."""
    write_plan(tmp_path, "0001", plan)
    back = read_plan(tmp_path, "0001")
    for table in TABLES:
        expected, got = getattr(plan, table).astype(str), getattr(back, table).astype(str)
        assert got.to_dict("list") == expected.to_dict("list")
    assert back.summary == plan.summary
    assert verify(tiny_instance(), back, revision="0001") == []


def test_same_plan_same_bytes(tmp_path: Path, plan: Plan) -> None:
    """Texts and categoricals write the same bytes; lines end with a line feed alone."""
    frames = {t: getattr(plan, t) for t in TABLES}
    as_categories = replace(plan, assignments=frames["assignments"].astype({"site_id": "category"}))
    first = write_plan(tmp_path, "0001", plan)
    second = write_plan(tmp_path, "0002", as_categories)
    for path in first.iterdir():
        assert path.read_bytes() == (second / path.name).read_bytes()
        assert b"\r" not in path.read_bytes()


def test_header_and_first_row(tmp_path: Path, plan: Plan) -> None:
    """The columns stand in the order of the contract, times with offset."""
    home = write_plan(tmp_path, "0001", plan)
    lines = (home / "assignments.csv").read_text(encoding="utf-8").splitlines()
    assert lines[0] == "block_id,community_id,site_id,start,end,people,tubes,zone,pool_size"
    assert lines[1] == (
        "C2-001,C2,S1,2020-12-22T06:00:00+08:00,2020-12-22T06:15:00+08:00,50,5,control,10"
    )


def test_awkward_texts_survive(tmp_path: Path, plan: Plan) -> None:
    """Commas, quotes, Chinese and leading zeros in ids come back as they were."""
    rows = [('0012,"东"', "007", 3, "full"), ("", " x ", 1, "full")]
    odd = replace(plan, unserved=pd.DataFrame(rows, columns=list(plan.unserved.columns)))
    write_plan(tmp_path, "0001", odd)
    back = read_plan(tmp_path, "0001").unserved
    assert [tuple(row) for row in back.astype(object).to_numpy()] == rows


def test_summary_is_sorted_and_readable(tmp_path: Path, plan: Plan) -> None:
    """The summary's keys are sorted and Chinese is not escaped."""
    home = write_plan(tmp_path, "0001", replace(plan, summary={"b": 1, "a": "大连"}))
    assert (home / "summary.json").read_text(encoding="utf-8") == '{\n  "a": "大连",\n  "b": 1\n}\n'


def test_revisions_count_up(tmp_path: Path, plan: Plan) -> None:
    """Revisions are numbered from 0001; staged ones and other folders do not count."""
    assert next_revision(tmp_path) == "0001"
    write_plan(tmp_path, "0001", plan)
    stage_plan(tmp_path, "0002", plan)
    (tmp_path / "plans" / "notes").mkdir()
    assert revisions(tmp_path) == ["0001"]
    assert next_revision(tmp_path) == "0002"
    write_plan(tmp_path, "9999", plan)
    write_plan(tmp_path, "10000", plan)
    assert revisions(tmp_path) == ["0001", "9999", "10000"]


def test_unfinished_revision_is_hidden_and_discarded(tmp_path: Path, plan: Plan) -> None:
    """Until it is committed a revision is a hidden folder, and can be swept away."""
    staged = stage_plan(tmp_path, "0001", plan)
    assert staged.name.startswith(".")
    with pytest.raises(CannotRunError, match="found none"):
        read_plan(tmp_path, "0001")
    discard_partial(tmp_path)
    assert not staged.exists()
    with pytest.raises(CannotRunError, match="staged"):
        commit_plan(tmp_path, "0001")


def test_a_revision_is_never_overwritten(tmp_path: Path, plan: Plan) -> None:
    """A stored revision is immutable."""
    write_plan(tmp_path, "0001", plan)
    with pytest.raises(CannotRunError, match="exists already"):
        write_plan(tmp_path, "0001", plan)


def test_folder_that_cannot_be_written(tmp_path: Path, plan: Plan) -> None:
    """A file where the plans folder should be is told as one clear error."""
    (tmp_path / "plans").write_text("in the way", encoding="utf-8")
    with pytest.raises(CannotRunError, match="can be written"):
        write_plan(tmp_path, "0001", plan)


@pytest.mark.parametrize("name", ["assignments.csv", "unserved.csv", "summary.json"])
def test_missing_file_is_named(tmp_path: Path, plan: Plan, name: str) -> None:
    """A revision without one of its files cannot be read, and the error names the file."""
    (write_plan(tmp_path, "0001", plan) / name).unlink()
    with pytest.raises(CannotRunError, match=name):
        read_plan(tmp_path, "0001")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("lab_load.csv", b""),
        ("lab_load.csv", b"lab_id,hour\n1,2,3,4\n"),
        ("lab_load.csv", b"lab_id,hour,tubes,capacity\n\xff\xfe,x,1,2\n"),
        ("summary.json", b"{"),
        ("summary.json", b"[]"),
    ],
)
def test_broken_file_is_named(tmp_path: Path, plan: Plan, name: str, content: bytes) -> None:
    """A file that is no CSV or JSON cannot be read, and the error names it."""
    (write_plan(tmp_path, "0001", plan) / name).write_bytes(content)
    with pytest.raises(CannotRunError, match=name):
        read_plan(tmp_path, "0001")


def test_bad_number_is_left_to_verify(tmp_path: Path, plan: Plan) -> None:
    """A cell that is no number is read as text, so that verify can name its line."""
    path = write_plan(tmp_path, "0001", plan) / "unserved.csv"
    path.write_text(path.read_text(encoding="utf-8").replace(",500,", ",many,"), encoding="utf-8")
    found = verify(tiny_instance(), read_plan(tmp_path, "0001"))
    assert next((b.code, b.file, b.line) for b in found) == ("B104", "unserved.csv", 4)


def test_infinite_figure_is_refused(tmp_path: Path, plan: Plan) -> None:
    """JSON has no infinity: such a summary is a mistake of the program, not written."""
    bad = replace(plan, summary={"objective": float("inf")})
    with pytest.raises(ValueError, match="JSON"):
        write_plan(tmp_path, "0001", bad)
    assert revisions(tmp_path) == []
