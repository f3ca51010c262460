"""People around positive tubes: isolated at once, sampled singly within a time limit."""

from __future__ import annotations

from datetime import datetime, timedelta

import polars as pl

from scheduler.domain.settings import ResultSettings

FOLLOW_SCHEMA: dict[str, pl.DataType] = {
    "resident_id": pl.String(),
    "tube": pl.String(),
    "role": pl.String(),
    "isolate_from": pl.Datetime("ms"),
    "resample_from": pl.Datetime("ms"),
    "resample_by": pl.Datetime("ms"),
}
"""Columns of ``follow_up.parquet``; ``role`` is member (of the tube) or household (of a member)."""


def people_around(
    samples: pl.DataFrame, results: pl.DataFrame, roster: pl.DataFrame
) -> pl.DataFrame:
    """Return members of positive tubes and their households by person and tube, earliest first.

    ``roster`` has resident_id, block_id and household_id. Columns: resident_id, tube, role,
    isolate_from.
    """
    positive = results.filter(pl.col("result") == "positive").select("tube", "reported_at")
    members = samples.select("resident_id", "tube", "sampled_at").join(positive, on="tube")
    members = members.with_columns(pl.col("tube").cast(pl.String), pl.lit("member").alias("role"))
    homes = roster.join(members, on="resident_id").select(
        "block_id", "household_id", "tube", "reported_at", "sampled_at"
    )
    around = roster.join(
        homes.filter(pl.col("household_id") != ""), on=["block_id", "household_id"]
    )
    around = around.with_columns(pl.lit("household").alias("role"))
    columns = ["resident_id", "tube", "role", "reported_at", "sampled_at"]
    everybody = pl.concat([members.select(columns), around.select(columns)])
    everybody = everybody.sort("reported_at", "tube", pl.col("role") == "household", "resident_id")
    each = everybody.unique(["resident_id", "tube"], keep="first", maintain_order=True)
    return each.rename({"reported_at": "isolate_from"})


def once_each(people: pl.DataFrame) -> pl.DataFrame:
    """Return each person once, with the earliest of their tubes.

    Take it of those still due: whoever was sampled singly and is positive again is due anew.
    """
    return people.unique("resident_id", keep="first", maintain_order=True)


def still_due(people: pl.DataFrame, latest: pl.DataFrame) -> pl.DataFrame:
    """Return those who have not been sampled since the tube was reported."""
    last = latest.select("resident_id", pl.col("sampled_at").alias("last"))
    seen = people.join(last, on="resident_id", how="left", maintain_order="left")
    since = (pl.col("last") > pl.col("isolate_from")).fill_null(value=False)
    return seen.filter(~since).drop("last")


def with_times(
    due: pl.DataFrame, planned: pl.DataFrame, settings: ResultSettings, now: datetime
) -> pl.DataFrame:
    """Return a re-sampling hour for everybody due, from the reserved capacity, in order.

    Whoever was given an hour before keeps it. ``resample_from`` is the start of the hour, never
    before ``now``; more people than the capacity go on to later hours.
    """
    kept = planned.select("resident_id", "tube", "resample_from")
    found = due.join(kept, on=["resident_id", "tube"], how="left", maintain_order="left")
    taken = dict(planned.group_by("resample_from").len().iter_rows())
    hour, times = _hour_after(now), []
    for given, reported in found.select("resample_from", "isolate_from").iter_rows():
        if given is not None:
            times.append(given)
            continue
        at = max(hour, _hour_after(reported))
        while taken.get(at, 0) >= settings.resample_people_per_hour:
            at += timedelta(hours=1)
        taken[at] = taken.get(at, 0) + 1
        times.append(at)
    limit = pl.col("isolate_from") + pl.duration(minutes=round(settings.resample_hours * 60))
    return found.with_columns(
        pl.Series("resample_from", times, dtype=pl.Datetime("ms")), limit.alias("resample_by")
    ).select(list(FOLLOW_SCHEMA))


def _hour_after(moment: datetime) -> datetime:
    """Return the first full hour that is not before a moment."""
    start = moment.replace(minute=0, second=0, microsecond=0)
    return start if start == moment else start + timedelta(hours=1)
