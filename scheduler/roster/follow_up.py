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

STAGES = ("released", "waiting", "positive", "to_sample")
"""How far a person around a positive tube is; the first counts for most. Only the first leaves."""


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


def isolated(
    around: pl.DataFrame, samples: pl.DataFrame, results: pl.DataFrame
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return who is still to be isolated, and who was released, each person once.

    A positive tube holds a person until a sample of their own, taken after the tube was reported
    and alone in its tube, is negative. Of several tubes the earliest stands whose single sample is
    still to be taken: whoever was sampled singly and is positive again is due anew. Columns beside
    those of ``around``: stage (of ``STAGES``), retest_tube, retested_at and released_at.
    """
    each = _with_stage(around, _alone(around, samples, results))
    held, once = each.filter(pl.col("stage") != "released"), {"maintain_order": True}
    due = held.filter(pl.col("stage") == "to_sample").unique("resident_id", keep="first", **once)
    others = held.join(due, on="resident_id", how="anti", maintain_order="left")
    free = each.join(held, on="resident_id", how="anti", maintain_order="left")
    last = others.unique("resident_id", keep="last", **once)
    return pl.concat([due, last]), free.unique("resident_id", keep="last", **once)


def _alone(around: pl.DataFrame, samples: pl.DataFrame, results: pl.DataFrame) -> pl.DataFrame:
    """Return samples of these people that are alone in their tube, unless it was invalid."""
    mine = samples.join(around, on="resident_id", how="semi")
    tubes = samples.join(mine, on="tube", how="semi").filter(pl.col("tube").is_unique())
    found = tubes.join(results, on="tube", how="left")
    return found.filter(pl.col("result").ne_missing("invalid")).select(
        "resident_id",
        "result",
        pl.col("tube").cast(pl.String).alias("retest_tube"),
        pl.col("sampled_at").alias("retested_at"),
        pl.col("reported_at").alias("released_at"),
    )


def _with_stage(around: pl.DataFrame, alone: pl.DataFrame) -> pl.DataFrame:
    """Return each person and tube with the single sample that counts for most."""
    columns = ("result", "retest_tube", "retested_at", "released_at")
    tested = around.join(alone, on="resident_id", how="left", maintain_order="left")
    later = (pl.col("retested_at") > pl.col("isolate_from")) & (
        pl.col("retest_tube") != pl.col("tube")
    )
    tested = tested.with_columns(pl.when(later).then(name).alias(name) for name in columns)
    result = pl.col("result")
    stage = (
        pl.when(result == "negative").then(pl.lit("released"))
        .when(result == "positive").then(pl.lit("positive"))
        .when(pl.col("retested_at").is_not_null()).then(pl.lit("waiting"))
        .otherwise(pl.lit("to_sample"))
    )  # fmt: skip
    order = pl.col("stage").cast(pl.Enum(STAGES))
    ranked = tested.with_columns(stage.alias("stage")).sort(
        "isolate_from", "tube", "resident_id", order, "released_at", "retested_at"
    )
    each = ranked.unique(["resident_id", "tube"], keep="first", maintain_order=True)
    return each.drop("result")


def with_times(
    held: pl.DataFrame, planned: pl.DataFrame, settings: ResultSettings, now: datetime
) -> pl.DataFrame:
    """Return everybody held with an hour to be sampled in, from the reserved capacity, in order.

    Whoever was given an hour before keeps it, and whoever was sampled needs none: the time of that
    sample stands there. ``resample_from`` is the start of the hour, never before ``now``; more
    people than the capacity go on to later hours.
    """
    kept = planned.select("resident_id", "tube", "resample_from")
    found = held.join(kept, on=["resident_id", "tube"], how="left", maintain_order="left")
    taken = dict(planned.group_by("resample_from").len().iter_rows())
    hour, times = _hour_after(now), []
    known = pl.coalesce("resample_from", "retested_at")
    for given, reported in found.select(known, "isolate_from").iter_rows():
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
    ).select(*FOLLOW_SCHEMA, "stage")


def _hour_after(moment: datetime) -> datetime:
    """Return the first full hour that is not before a moment."""
    start = moment.replace(minute=0, second=0, microsecond=0)
    return start if start == moment else start + timedelta(hours=1)
