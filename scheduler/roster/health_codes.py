"""Codes for the health-code platform: green after a negative result, yellow when missed."""

from __future__ import annotations

from datetime import datetime

import polars as pl

CODE_SCHEMA: dict[str, pl.DataType] = {
    "person": pl.UInt64(),
    "resident_id": pl.String(),
    "code": pl.String(),
    "reason": pl.String(),
    "since": pl.Datetime("ms"),
}
"""Columns of ``codes.parquet``."""


def health_codes(
    people: pl.DataFrame, results: pl.DataFrame, previous: pl.DataFrame, missed_at: datetime | None
) -> pl.DataFrame:
    """Return everybody whose code is known, with the code told before.

    ``people`` has person (a number of their own), resident_id, tube (of the last sample, null
    without one), missed (called and never sampled) and isolated_from (null unless around a positive
    tube and not released). A negative tube gives green, a positive one yellow until a later sample
    is negative; whoever is isolated stays yellow whatever a shared tube says; whoever was missed
    turns yellow at ``missed_at``, the round's end, None before it. Whoever waits for a result
    keeps the code of before.
    """
    last = people.join(results, on="tube", how="left", maintain_order="left")
    result, held = pl.col("result"), pl.col("isolated_from").is_not_null()
    missed = pl.col("missed") & pl.lit(value=missed_at is not None)
    told = last.select(
        "person",
        "resident_id",
        pl.when(held).then(pl.lit("yellow"))
        .when(result == "negative").then(pl.lit("green"))
        .when(result == "positive").then(pl.lit("yellow"))
        .when(missed).then(pl.lit("yellow")).alias("code"),
        pl.when(result == "positive").then(pl.lit("positive_tube"))
        .when(missed).then(pl.lit("missed"))
        .when(held).then(pl.lit("isolated"))
        .when(result == "negative").then(pl.lit("negative")).alias("reason"),
        pl.when(result == "positive").then("reported_at")
        .when(missed).then(pl.lit(missed_at, pl.Datetime("ms")))
        .when(held).then("isolated_from")
        .when(result == "negative").then("reported_at").alias("since"),
    )  # fmt: skip
    if not previous.height:
        kept = told.filter(pl.col("code").is_not_null())
        return kept.with_columns(pl.lit("").alias("previous"))
    before = previous.drop("resident_id").rename(
        {"code": "old", "reason": "old_reason", "since": "old_since"}
    )
    both = told.join(before, on="person", how="left", maintain_order="left")
    both = both.with_columns(
        pl.coalesce("code", "old").alias("code"),
        pl.when(pl.col("code").is_null()).then("old_reason").otherwise("reason").alias("reason"),
        pl.when(pl.col("code").is_null()).then("old_since").otherwise("since").alias("since"),
        pl.col("old").fill_null("").alias("previous"),
    )
    kept = both.filter(pl.col("code").is_not_null())
    return kept.select(*CODE_SCHEMA, "previous")
