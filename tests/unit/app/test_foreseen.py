"""What progress tells as time left."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest

from scheduler.app.foreseen import BLOCKS, SECONDS, stage_seconds
from scheduler.app.plan import PlanOptions, plan_round
from scheduler.solve import exact
from tests.unit.ingest.folders import TINY


def test_the_stages_foreseen_are_those_of_a_plan(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every stage between reading and the end has its seconds, in the order in which it comes."""
    monkeypatch.setattr(exact, "MOST_VARIABLES", 0)  # small rounds have one more
    told: list[str] = []
    foreseen: list[str] = []

    def report(stage: str, _gap: float | None) -> None:
        told.append(stage)

    def foresee(seconds: Mapping[str, float]) -> None:
        assert told == ["reading"]
        foreseen.extend(seconds)

    folder = Path(shutil.copytree(TINY, tmp_path / "round"))
    plan_round(folder, PlanOptions(), report, foresee=foresee)
    assert told == ["reading", *foreseen, "done"]


def test_seconds_grow_with_the_round() -> None:
    """The sizes that were measured come out as they are, those between and beyond in proportion."""
    for at, blocks in enumerate(BLOCKS):
        assert stage_seconds(blocks) == pytest.approx({k: v[at] for k, v in SECONDS.items()})
    between = stage_seconds(10_000)["places"]
    assert SECONDS["places"][1] < between < SECONDS["places"][2]
    twice = stage_seconds(2 * BLOCKS[-1])["places"]
    assert twice == pytest.approx(2 * SECONDS["places"][-1])
