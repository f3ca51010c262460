"""Samples and results of a roster as they might come in: most people on time, some not at all."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import numpy as np
import polars as pl

from scheduler.domain.instance import Instance


def sampled_people(
    instance: Instance, roster: pl.DataFrame, *, seed: int = 0, come: float = 0.9
) -> pl.DataFrame:
    """Return one sample for each of those who come: resident_id, site_id, sampled_at, tube.

    They come within ten minutes after their slot began, and share the tube that the roster gives.
    """
    rng = np.random.default_rng(seed)
    called = roster.filter(pl.col("fate") == "slot")
    called = called.filter(pl.Series(rng.random(called.height) < come))
    late = pl.Series(rng.integers(0, 10, called.height))
    minutes = pl.duration(minutes=pl.col("start").cast(pl.Int64) + late)
    start = pl.lit(instance.settings.round.start)
    return called.select(
        "resident_id",
        pl.col("site_id").cast(pl.String),
        (start + minutes).dt.strftime("%Y-%m-%d %H:%M").alias("sampled_at"),
        pl.format("{}-{}-{}", pl.col("site_id").cast(pl.String), "wave", "tube").alias("tube"),
    )


def results_of_tubes(
    samples: pl.DataFrame, *, hours: float = 5.0, positive: int = 0
) -> pl.DataFrame:
    """Return a result for each tube, so long after its first sample; the first few are positive."""
    tubes = samples.group_by("tube").agg(pl.col("sampled_at").min()).sort("tube")
    at = pl.col("sampled_at").str.to_datetime("%Y-%m-%d %H:%M") + timedelta(hours=hours)
    return tubes.select(
        "tube",
        pl.when(pl.int_range(pl.len()) < positive)
        .then(pl.lit("阳性"))
        .otherwise(pl.lit("阴性"))
        .alias("result"),
        at.dt.strftime("%Y-%m-%d %H:%M").alias("reported_at"),
    )


def write_parts(frame: pl.DataFrame, folder: Path, parts: int, *, seed: int = 0) -> None:
    """Write rows in any order into so many CSV files."""
    folder.mkdir(parents=True)
    order = np.random.default_rng(seed).permutation(frame.height)
    size = -(-frame.height // parts)
    shuffled = frame[order]
    for part in range(parts):
        shuffled.slice(part * size, size).write_csv(folder / f"part-{part:04d}.csv")
