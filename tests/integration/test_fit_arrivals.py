"""``scripts/fit_arrivals.py``: when people come who are given no time."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

TOP = Path(__file__).parents[2]
REAL = Path(os.environ.get("NAT_SCHEDULER_REAL_DATA", "/nowhere")).parent


def fitted(nyc: Path, slovakia: Path, out: Path) -> dict[str, Any]:
    """Run the script and return what it wrote."""
    script = TOP / "scripts/fit_arrivals.py"
    done = subprocess.run(
        [sys.executable, str(script), str(nyc), str(slovakia), "--out", str(out)],
        capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return tomllib.loads(out.read_text("utf-8"))


def test_a_wait_that_grows_means_more_arrivals(tmp_path: Path) -> None:
    """Rule: where waits rise people come faster than they are served; shares sum to 1."""
    rows = []
    for day in ("2021-01-04", "2021-01-05"):
        for hour in range(8, 19):
            band = "0-30" if hour < 12 else "90-120"
            rows.append((f"{day}T{hour:02d}:05:00-0500", "one site", band))
    columns = ["timestamp_local", "site", "wait_band"]
    pd.DataFrame(rows, columns=columns).to_csv(tmp_path / "wait_times.csv.gz", index=False)
    days = [("2", "2020-10-31", 300), ("2", "2020-11-01", 100)]
    days += [("pilot", f"2020-10-{d}", 50) for d in (23, 24)]
    days += [("pilot", "2020-10-25", 25)]
    pd.DataFrame(days, columns=["round", "date", "tested"]).to_csv(
        tmp_path / "district_days.csv", index=False
    )
    found = fitted(tmp_path, tmp_path, tmp_path / "out.toml")
    assert found["days"] == {"two": [0.75, 0.25], "three": [0.4, 0.4, 0.2]}
    assert found["day"]["before_opening"] + sum(found["day"]["tenths"]) == pytest.approx(
        1, abs=1e-3
    )
    assert found["day"]["before_opening"] > 0


@pytest.mark.skipif(
    not (REAL / "nyc_test_sites").is_dir(), reason="the real lists are not on this machine"
)
def test_the_curve_of_the_project_is_the_fit(tmp_path: Path) -> None:
    """Rule: configs/arrivals.toml is what the script makes of the data that it names."""
    out = tmp_path / "arrivals.toml"
    fitted(REAL / "nyc_test_sites", REAL / "slovakia_mass_test_2020", out)
    assert out.read_bytes() == (TOP / "configs/arrivals.toml").read_bytes()
