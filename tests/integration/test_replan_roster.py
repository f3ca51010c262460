"""``replan`` of a revision that ``roster`` made: counted people stay counted."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from click.testing import CliRunner

from scheduler.app.verify import verify_round
from scheduler.cli.main import cli
from scheduler.publish.plan_files import revisions

NOON = "2020-12-22T12:00"


def told(*arguments: object) -> dict[str, Any]:
    """Run a command that must end well, and return its JSON."""
    done = CliRunner().invoke(cli, [*map(str, arguments), "--json", "--quiet"])
    assert done.exit_code == 0, (done.output, done.exception)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("addresses", [False, True])
def test_a_counted_plan_is_mended(tmp_path: Path, addresses: bool) -> None:
    """Events are answered on the counted blocks, and ``counted.csv`` goes on to the next revision.

    Also where the roster built blocks of its own, of which the published plan knows none.
    """
    folder = tmp_path / "dalian"
    CliRunner().invoke(
        cli, ["init", str(folder), "--city", "dalian", "--people", "4000", "--residents"]
    )
    told("plan", folder)
    told("publish", folder)
    rows = pl.read_csv(folder / "residents.csv", infer_schema=False).fill_null("")
    if addresses:
        (folder / "blocks.csv").unlink()
        told("plan", folder)
        building = pl.lit("幸福路") + pl.col("网格编码").str.slice(-3) + pl.lit("号楼")
        door = pl.col("户编号").str.slice(-3) + pl.lit("室")
        rows = rows.with_columns((building + door).alias("地址")).drop("网格编码")
    rows.gather_every(2).write_csv(folder / "counted-by-hand.csv")
    counted = told("roster", folder, "--residents", folder / "counted-by-hand.csv")
    base = counted["revision"]
    assert counted["replanned"]
    assert told("replan", folder, "--now", NOON)["changed"] is False
    calls = pl.read_csv(folder / "plans" / base / "assignments.csv", infer_schema=False)
    later = calls.filter(pl.col("start") >= "2020-12-22T14")
    site = later["site_id"].value_counts(sort=True)["site_id"][0]
    (folder / "events").mkdir(exist_ok=True)
    (folder / "events" / "closed.csv").write_text(f"time,kind,site_id\n{NOON},site_closed,{site}\n")
    new = told("replan", folder, "--now", NOON, "--publish")
    assert new["changed"]
    assert new["replan"]["must_move"] <= new["replan"]["moved"]
    homes = [folder / "plans" / name / "counted.csv" for name in (base, new["revision"])]
    assert homes[0].read_bytes() == homes[1].read_bytes()
    assert verify_round(folder).breaches == ()
    assert told("replan", folder, "--now", NOON, "--publish")["changed"] is False
    assert revisions(folder)[-1] == new["revision"]
