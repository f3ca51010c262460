"""Profile of opening hours and the city's most people in a slot, by command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from scheduler.app.init import init_round
from tests.integration.commands import Run, runner


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Return a function that runs the command line: exit code, stdout, stderr."""
    return runner(monkeypatch, capsys)


@pytest.fixture
def dazu(tmp_path: Path) -> Path:
    """Return synthetic Dazu with 10,000 people: one day of 24 slots."""
    init_round(tmp_path / "dazu", city="dazu", people=10_000)
    return tmp_path / "dazu"


def _set(folder: Path, line: str) -> None:
    """Write one key of ``[slots]`` into round.toml."""
    path, key = folder / "round.toml", line.split(" ", maxsplit=1)[0]
    rows = path.read_text(encoding="utf-8").splitlines()
    begin = rows.index("[slots]")
    at = next(n for n, row in enumerate(rows[begin:], begin) if row.startswith(f"{key} "))
    rows[at] = line
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")


def test_a_round_with_both(dazu: Path, run: Run) -> None:
    """The plan keeps to both, verify finds it clean, show and explain tell them."""
    code, out, _ = run("plan", dazu, "--quiet", "--json")
    free = json.loads(out)["busiest_slot"]
    _set(dazu, f"city_people = {free['people'] * 2 // 3}")
    _set(dazu, 'profile = "elbow"')
    assert run("check", dazu)[0] == 0
    code, out, _ = run("plan", dazu, "--quiet")
    assert code == 0
    assert f"{free['people'] * 2 // 3:,}   called in one slot, at 11-12" in out
    assert run("verify", dazu)[0] == 0
    code, out, _ = run("show", dazu, "--revision", "0002")
    assert "in the whole city." in out
    assert "slots between busy ones are idle" in out.replace("\n", " ")
    code, out, _ = run("show", dazu, "--compare", "0001", "0002")
    assert "busiest slot, people" in out
    code, out, _ = run("explain", dazu, "DZ-C0001")
    assert "全市同一时段最多叫" in out
    assert "最边上为平时的 50%" in out


def test_a_variant_is_tried_by_set(dazu: Path, run: Run) -> None:
    """``--set`` tries a most without touching round.toml; verify takes it into account."""
    code, out, _ = run("plan", dazu, "--quiet", "--json", "--set", "slots.city_people=600")
    assert code == 0
    assert json.loads(out)["busiest_slot"]["people"] <= 600
    assert run("verify", dazu, "--revision", "0001")[0] == 0


def test_too_small_a_most_is_told_before(dazu: Path, run: Run) -> None:
    """``check`` tells what would be enough; ``plan`` fills the slots and lists the others."""
    _set(dazu, "city_people = 100")
    code, out, _ = run("check", dazu)
    assert code == 0
    assert "[C508]" in out
    code, out, err = run("plan", dazu, "--quiet")
    assert code == 0
    assert "partial" in out
    assert "some people have no slot" in err
    assert run("verify", dazu)[0] == 0
    code, out, _ = run("explain", dazu, "DZ-C0001")
    assert "人未安排：全市每时段的人数已到上限" in out


@pytest.mark.parametrize(
    "line",
    ["city_people = -5", 'city_people = "x"', "city_people = 1.5",
     "city_people = 99999999999999999999", 'profile = "dome"', "edge_share = 0", "edge_min = 0"],
)  # fmt: skip
def test_settings_out_of_range_are_refused(dazu: Path, run: Run, line: str) -> None:
    """Nothing is guessed: file, line, key and value are told."""
    _set(dazu, line)
    code, out, _ = run("check", dazu)
    assert code == 1
    assert f"slots.{line.split(' ', maxsplit=1)[0]}" in out
    assert "[C005]" in out


@pytest.mark.parametrize("value", ["-5", "x", "1.5", "1e30", ""])
def test_values_of_set_out_of_range_are_refused(dazu: Path, run: Run, value: str) -> None:
    """The same holds for ``--set``: no plan is made."""
    code, _, err = run("plan", dazu, "--quiet", "--set", f"slots.city_people={value}")
    assert code in {1, 2}
    assert "city_people" in err
    assert not list((dazu / "plans").glob("0*")) if (dazu / "plans").exists() else True
