"""The whole chain from an empty folder to published files, as a command centre runs it."""

from __future__ import annotations

import csv
import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from scheduler.cli.main import cli

PEOPLE = 20_000


def _call(*arguments: object) -> str:
    """Run one command in this process, which is quicker; return stdout."""
    done = CliRunner().invoke(cli, [*map(str, arguments)])
    assert done.exit_code == 0, (done.output, done.exception)
    return done.stdout


def _run(*arguments: object) -> str:
    """Run one command in a process of its own; return stdout."""
    command = [sys.executable, "-m", "scheduler", *map(str, arguments)]
    env = {k: v for k, v in os.environ.items() if not k.startswith("NAT_SCHEDULER_")}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=env)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize(("city", "run"), [("dalian", _run), ("harbin", _call)])
def test_from_init_to_explain(city: str, run: Callable[..., str], tmp_path: Path) -> None:
    """Every command exits 0 on what the one before it left, and people are nowhere lost."""
    folder = tmp_path / city
    run("init", folder, "--city", city, "--people", PEOPLE)
    run("check", folder)
    planned = json.loads(run("plan", folder, "--json", "--quiet"))
    assert planned["people"] == PEOPLE
    assert json.loads(run("verify", folder, "--json"))["breaches"] == []
    run("publish", folder)
    (shown,) = json.loads(run("show", folder, "--json"))["rounds"]
    assert [revision["revision"] for revision in shown["revisions"]] == ["0001"]
    community = _communities(folder)[0]
    told = json.loads(run("explain", folder, community, "--json"))
    assert community in json.dumps(told)
    assert _published_people(folder) == PEOPLE  # those to be visited at home stand there too
    _check_manifest(folder / "published" / "0001")


def _communities(folder: Path) -> list[str]:
    with (folder / "plans" / "0001" / "assignments.csv").open(encoding="utf-8", newline="") as rows:
        return sorted({row["community_id"] for row in csv.DictReader(rows)})


def _published_people(folder: Path) -> int:
    """Return the people of all community files."""
    people = 0
    for path in (folder / "published" / "latest" / "communities").rglob("*.csv"):
        with path.open(encoding="utf-8-sig", newline="") as rows:
            people += sum(int(row["人数"]) for row in csv.DictReader(rows) if row["人数"])
    return people


def _check_manifest(home: Path) -> None:
    """Every file named in the manifest has the checksum that stands there."""
    text = (home / "manifest.json").read_text("utf-8")
    files = list(home.rglob("*.csv"))
    assert files
    for path in files:
        assert hashlib.sha256(path.read_bytes()).hexdigest() in text


def test_templates_lead_through_the_chain(tmp_path: Path) -> None:
    """The two example rows that init writes without a city are a round that can be planned."""
    folder = tmp_path / "mine"
    _run("init", folder)
    _run("check", folder)
    _run("plan", folder, "--quiet")
    _run("verify", folder)
    _run("publish", folder)


def test_a_second_plan_is_the_one_published(tmp_path: Path) -> None:
    """Revisions count upwards; publish and verify take the newest, and older ones stay."""
    folder = tmp_path / "dalian"
    _call("init", folder, "--city", "dalian", "--people", PEOPLE)
    for seed in (1, 2):
        _call("plan", folder, "--quiet", "--seed", seed)
    _call("publish", folder)
    assert (folder / "published" / "latest").resolve().name == "0002"
    _call("verify", folder, "--revision", "0001")
    summaries = [
        json.loads((folder / "plans" / name / "summary.json").read_text("utf-8"))
        for name in ("0001", "0002")
    ]
    assert [s["seed"] for s in summaries] == [1, 2]
