"""What was recorded of a round: rows in any order, twice or corrected, and what they come to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import polars as pl

SAMPLE_SCHEMA: dict[str, pl.DataType] = {
    "code": pl.UInt64(),
    "resident_id": pl.String(),
    "site_id": pl.Categorical(),
    "sampled_at": pl.Datetime("ms"),
    "tube": pl.Categorical(),
    "recorded_at": pl.Datetime("ms"),
    "void": pl.Boolean(),
}
"""Columns of ``samples.parquet``: every distinct row, so that the order of files says nothing.

``code`` is that of the roster, a number for each person: 0 where no roster knows the person."""

RESULT_SCHEMA: dict[str, pl.DataType] = {
    "tube": pl.Categorical(),
    "result": pl.String(),
    "reported_at": pl.Datetime("ms"),
}
"""Columns of ``results.parquet``."""


@dataclass(frozen=True)
class Merged:
    """Rows known after a batch, with a flag ``new`` for those that the batch brought."""

    frame: pl.DataFrame
    duplicate: int  # rows of the batch that were there before, or twice in it

    @property
    def num_new(self) -> int:
        """Rows that the batch brought."""
        return int(self.frame["new"].sum())


def merge(known: pl.DataFrame, batch: pl.DataFrame, key: str) -> Merged:
    """Add the rows of a batch that are not known yet; ``key`` is the column that tells most."""
    columns = known.columns
    both = pl.concat(
        [
            known.with_columns(pl.lit(value=False).alias("new")),
            batch.select(columns).with_columns(pl.lit(value=True).alias("new")),
        ],
        how="vertical_relaxed",
    )
    again = _again(both[key])
    if not again.any():
        return Merged(both, 0)
    few = both.filter(again)
    distinct = few.unique(columns, keep="first", maintain_order=True)
    if distinct.height < few.height:
        both = pl.concat([both.filter(~again), distinct])
    return Merged(both, known.height + batch.height - both.height)


def num_corrections(merged: pl.DataFrame, same_sample_min: int) -> int:
    """Return how many new rows say something else of a sample that another row is about."""
    again = _again(merged["code"])
    if not again.any():
        return 0
    groups = _grouped(merged.filter(again), same_sample_min).group_by("sample")
    counts = groups.agg(pl.col("new").sum().alias("fresh"), (~pl.col("new")).any().alias("old"))
    first = int((~counts["old"] & (counts["fresh"] > 0)).sum())
    return int(counts["fresh"].sum()) - first


def _again(column: pl.Series) -> pl.Series:
    """Return which cells are there more than once; that none is takes much less time to find."""
    if column.n_unique() == len(column):
        return pl.repeat(value=False, n=len(column), dtype=pl.Boolean, eager=True)
    return column.is_duplicated()


def _grouped(rows: pl.DataFrame, same_sample_min: int) -> pl.DataFrame:
    """Return rows sorted by person and time, with the number of the sample each is about."""
    ordered = rows.sort("code", "sampled_at")
    apart = pl.col("sampled_at").diff() > timedelta(minutes=same_sample_min)
    fresh = (pl.col("code") != pl.col("code").shift()) | apart
    return ordered.with_columns(fresh.fill_null(value=True).cum_sum().alias("sample"))


def samples_of(rows: pl.DataFrame, same_sample_min: int) -> pl.DataFrame:
    """Return one row per sample that was really taken; corrections and voids are applied.

    Rows of a person of which each is at most ``same_sample_min`` after the one before are one
    sample; the row recorded last counts, whatever the order of the files.
    """
    again = _again(rows["code"])
    once = rows.filter(~again & ~rows["void"])
    if not again.any():
        return once
    several = _grouped(rows.filter(again), same_sample_min)
    several = several.with_columns(pl.coalesce("recorded_at", "sampled_at").alias("counts"))
    texts = pl.col("tube", "site_id").cast(pl.String)  # sorted as text, whichever came first
    ordered = several.sort("sample", "counts", "sampled_at", "void", texts)
    last = ordered.unique("sample", keep="last", maintain_order=True)
    return pl.concat([once, last.filter(~pl.col("void")).select(rows.columns)])


def latest_samples(samples: pl.DataFrame) -> pl.DataFrame:
    """Return each person's last sample."""
    again = _again(samples["code"])
    if not again.any():
        return samples
    several = samples.filter(again).sort("code", "sampled_at", pl.col("tube").cast(pl.String))
    return pl.concat(
        [samples.filter(~again), several.unique("code", keep="last", maintain_order=True)]
    )


def results_of(rows: pl.DataFrame) -> pl.DataFrame:
    """Return one row per tube: the result reported last; of two at once the positive one."""
    again = _again(rows["tube"])
    if not again.any():
        return rows
    several = rows.filter(again).sort("tube", "reported_at", "result")  # positive sorts last
    return pl.concat(
        [rows.filter(~again), several.unique("tube", keep="last", maintain_order=True)]
    )


def results_that_count(
    rows: pl.DataFrame, samples: pl.DataFrame
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return one result per tube, and those kept aside because they are older than their samples.

    A positive tube counts unless all its samples are later, any other unless one is: neither a
    wrong time nor a number used twice may turn anybody green, and one wrong time may not hide a
    positive tube. The second has first_sample and last_sample beside the result.
    """
    results = results_of(rows)
    times = samples.group_by("tube").agg(
        pl.col("sampled_at").min().alias("first_sample"),
        pl.col("sampled_at").max().alias("last_sample"),
    )
    dated = results.join(times, on="tube", how="left", maintain_order="left")
    due = pl.when(pl.col("result") == "positive").then("first_sample").otherwise("last_sample")
    early = dated.select((pl.col("reported_at") < due).fill_null(value=False)).to_series()
    return results.filter(~early), dated.filter(early)
