"""Rosters that differ from their plan at random, as real ones do."""

from __future__ import annotations

import numpy as np
import polars as pl


def mutated(rows: pl.DataFrame, seed: int) -> pl.DataFrame:
    """Return residents with some gone, new, moved, twice, exempt, of odd households, in any order.

    ``rows`` are those of ``init --residents``, as text.
    """
    rng = np.random.default_rng(seed)
    count = rows.height
    rows = rows.filter(pl.Series(rng.random(count) < rng.uniform(0.7, 1.0)))
    count = rows.height
    draw = pl.Series(rng.random(count))
    words = ["", "", "居家不便", "vaccinated", "集中隔离", "tested", "martian"]
    rows = rows.with_columns(
        pl.when(draw < 0.1)
        .then(pl.Series([words[i] for i in rng.integers(0, len(words), count)]))
        .otherwise("类别")
        .alias("类别"),
        pl.when(draw > 0.98).then(pl.lit("DL-NEW-1")).otherwise("网格编码").alias("网格编码"),
        pl.when((draw > 0.5) & (draw < 0.51)).then(pl.lit("")).otherwise("户编号").alias("户编号"),
        pl.when((draw > 0.6) & (draw < 0.61))
        .then(pl.lit(""))
        .otherwise("出生年份")
        .alias("出生年份"),
    )
    new = rows.sample(50, seed=seed).with_columns(("N-" + pl.col("居民编号")).alias("居民编号"))
    large = (
        rows.head(1)
        .select(pl.all().repeat_by(90).explode())
        .with_columns(
            pl.format("L-{}", pl.int_range(pl.len())).alias("居民编号"),
            pl.lit("dormitory").alias("户编号"),
        )
    )
    twice = rows.sample(20, seed=seed + 1)
    return pl.concat([rows, new, large, twice]).sample(fraction=1.0, shuffle=True, seed=seed)
