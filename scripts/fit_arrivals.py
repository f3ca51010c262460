#!/usr/bin/env python3
"""Fit when people come who are given no time, and write ``configs/arrivals.toml``.

    .venv/bin/python scripts/fit_arrivals.py NYC_FOLDER SLOVAKIA_FOLDER [--out FILE]

Within a day: waiting times that New York City's test sites reported (``wait_times.csv.gz``). Where
a site is busy the wait W of who comes at t follows dW/dt = arrivals / service - 1 (a fluid queue),
so that arrivals relative to service are 1 + dW/dt, after a crowd of W(opening) that stands there
when it opens. Taken are days on which a site reported more than an hour, from the first change of
its report on (before it, a snapshot may repeat the day before). Between days: people tested by day
in Slovakia's nation-wide round (``district_days.csv``).
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
import pandas as pd

BANDS = {"0": 0.0, "0-30": 15.0, "30-60": 45.0, "60-90": 75.0, "90-120": 105.0, ">120": 135.0}
BUSY_MIN, LEAST_REPORTS = 75.0, 8
OPENS, CLOSES, TENTHS = 8.0, 18.5, 10
SOURCES = (
    "GitHub afischer/nyc-covid-wait-times, data/timeseries.csv, commit c9f4892",
    "GitHub Institut-Zdravotnych-Analyz/covid19-data, OpenData_Slovakia_National_Testing.xlsx, "
    "commit 925b763",
)


def busy_reports(path: Path) -> pd.DataFrame:
    """Return hour and wait (minutes) of the reports of busy site-days that are fresh."""
    table = pd.read_csv(path, usecols=["timestamp_local", "site", "wait_band"], dtype=str)
    table["wait"] = table["wait_band"].map(BANDS)
    local = table["timestamp_local"]
    table["day"] = local.str[:10]
    table["hour"] = local.str[11:13].astype(float) + local.str[14:16].astype(float) / 60
    table = table.sort_values(["site", "timestamp_local"])
    group = table.groupby(["site", "day"])
    changed = group["wait_band"].shift() != table["wait_band"]
    fresh = (changed & (group.cumcount() > 0)).groupby([table["site"], table["day"]]).cummax()
    busy = group["wait"].transform("max") >= BUSY_MIN
    return table[busy & (group["wait"].transform("size") >= LEAST_REPORTS) & fresh]


def day_curve(reports: pd.DataFrame) -> tuple[float, list[float]]:
    """Return the share that stands there at the opening, and shares of tenths of the day."""
    edges = np.linspace(OPENS, CLOSES, TENTHS + 1)
    slope, first = (
        np.polynomial.polynomial.polyfit(reports["hour"] - OPENS, reports["wait"] / 60, 3),
        0.0,
    )
    first = max(0.0, float(slope[0]))
    wait = np.polynomial.polynomial.polyval(edges - OPENS, slope)
    rate = np.maximum(0.0, np.diff(edges) + np.diff(wait))
    total = first + rate.sum()
    return first / total, (rate / total).tolist()


def day_shares(path: Path) -> dict[int, list[float]]:
    """Return shares of the days of a round of two and of three days."""
    table = pd.read_csv(path)
    tested = table.groupby(["round", "date"])["tested"].sum()
    return {len(days): (days / days.sum()).tolist() for days in (tested["2"], tested["pilot"])}


def main() -> int:
    """Fit both curves and write the file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("nyc", type=Path)
    parser.add_argument("slovakia", type=Path)
    parser.add_argument("--out", type=Path, default=Path("configs/arrivals.toml"))
    options = parser.parse_args()
    reports = busy_reports(options.nyc / "wait_times.csv.gz")
    opening, tenths = day_curve(reports)
    days = day_shares(options.slovakia / "district_days.csv")
    lines = [
        "# When people come who are given no time. Fitted by scripts/fit_arrivals.py, "
        "which says how.",
        "",
        "[day]                                # shares of a day's people; sum 1",
        f"# {SOURCES[0]}",
        f"# {len(reports):,} reports of days with a wait of more than an hour, "
        "2020-11-30 to 2022-07-18",
        f"before_opening = {opening:.4f}            # standing there when the site opens",
        f"tenths = [{', '.join(f'{share:.4f}' for share in tenths)}]  # of the opening hours",
        "",
        "[days]                               # shares of the days of a round",
        f"# {SOURCES[1]}",
        f"two = [{', '.join(f'{share:.4f}' for share in days[2])}]               "
        "# 31 October and 1 November 2020, all districts",
        f"three = [{', '.join(f'{share:.4f}' for share in days[3])}]     "
        "# pilot, 23 to 25 October 2020",
    ]
    options.out.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
