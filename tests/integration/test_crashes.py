"""Nothing is lost: killed at any moment, the next run finds the old revision or the new one."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

DATA = Path(__file__).parents[1] / "data"
KILLS = int(os.environ.get("NAT_SCHEDULER_TEST_KILLS", "200"))


@pytest.mark.slow
def test_killed_at_random_points(tmp_path: Path, database_url: str | None) -> None:
    """200 kills over plan, replan, publish, record (20 on PostgreSQL): all whole, all goes on."""
    folder = Path(shutil.copytree(DATA / "tiny", tmp_path / "round"))
    kills = KILLS if database_url is None else max(4, KILLS // 10)
    # A killed process tells nothing of coverage, and watching it takes as long again.
    unwatched = {k: v for k, v in os.environ.items() if not k.startswith("COV")}
    driver = [sys.executable, "-m", "tests.integration.crash_driver", str(folder), str(kills), "7"]
    done = subprocess.run(
        [*driver, *([database_url] if database_url else [])], capture_output=True, text=True,
        check=True, encoding="utf-8", cwd=Path(__file__).parents[2], env=unwatched,
    )  # fmt: skip
    told = json.loads(done.stdout)
    assert told["problems"] == [], done.stderr
    assert sum(told["killed"].values()) >= kills
    assert set(told["killed"]) == {"plan", "replan", "publish", "record"}
