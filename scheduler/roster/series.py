"""Rounds after one another: which communities are due, and who was sampled how often."""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl

from scheduler.domain.city import Flags
from scheduler.domain.instance import Instance
from scheduler.domain.roster import Category, Fate

SERIES_SCHEMA = {
    "round": pl.String,
    "start": pl.String,
    "end": pl.String,
    "community_id": pl.String,
    "target": pl.Int64,
    "sampled": pl.Int64,
}
"""Columns of ``series.csv``: people of each community in each round before this one."""

CITY_COLUMNS = (
    "resident_id",
    "household_id",
    "block_id",
    "community_id",
    "birth_year",
    "category",
    "category_at",
    "priority",
    "rounds_sampled",
)
"""Columns of the residents that go on to the next round."""


def due_communities(instance: Instance, series: pl.DataFrame, day: date) -> Flags:
    """Return communities whose last round lies as many days back as their zone asks for.

    A community that no round has had yet is due.
    """
    days = np.array(instance.settings.roster.frequency.by_zone())[instance.communities.zone]
    last = {
        community: date.fromisoformat(start[:10])
        for community, start in series.group_by("community_id")
        .agg(pl.col("start").max())
        .iter_rows()
    }
    since = [
        (day - last[c]).days if c in last else days[n]
        for n, c in enumerate(instance.communities.ids.tolist())
    ]
    due: Flags = np.array(since, dtype=np.int64) >= days
    return due


def carried_over(roster: pl.DataFrame, sampled: Flags) -> pl.DataFrame:
    """Return the people of a round for its next: those missed come first.

    A vaccination or a test exempts in the next round only where its time is known.
    """
    passing = [Category.VACCINATED.word, Category.TESTED.word]
    expired = pl.col("category").cast(pl.String).is_in(passing) & pl.col("category_at").is_null()
    came = pl.Series(sampled)
    missed = ~came & (roster["fate"].cast(pl.String) != Fate.EXEMPT.word)
    return roster.with_columns(
        pl.when(expired)
        .then(pl.lit(Category.NORMAL.word))
        .otherwise(pl.col("category").cast(pl.String))
        .alias("category"),
        missed.cast(pl.Int32).alias("priority"),
        (pl.col("rounds_sampled") + came.cast(pl.Int32)).alias("rounds_sampled"),
        pl.col("block_id").cast(pl.String),
        pl.col("community_id").cast(pl.String),
    ).select(CITY_COLUMNS)


def with_others(people: pl.DataFrame, city: pl.DataFrame, inside: list[str]) -> pl.DataFrame:
    """Return the people of a round together with those of communities that it did not have."""
    others = city.filter(~pl.col("community_id").is_in(inside))
    return pl.concat([people, others.select(people.columns)], how="vertical_relaxed")


def over_rounds(series: pl.DataFrame) -> list[dict[str, object]]:
    """Return target, sampled and coverage of each round, the oldest first."""
    rounds = series.group_by("round", "start", "end").agg(
        pl.len().alias("communities"),
        pl.col("target").sum(),
        pl.when(pl.col("sampled").is_not_null().any()).then(pl.col("sampled").sum()),
    )
    share = pl.when(pl.col("target") > 0).then(pl.col("sampled") / pl.col("target"))
    return rounds.with_columns(share.round(4).alias("coverage")).sort("start", "round").to_dicts()
