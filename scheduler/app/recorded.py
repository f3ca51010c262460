"""A roster with what was recorded of it, for the use cases that ask who came."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl

from scheduler.app.revision import open_revision
from scheduler.app.runtime import Clock
from scheduler.domain.city import Ints
from scheduler.domain.instance import Instance
from scheduler.publish.record_files import read_state
from scheduler.publish.roster_files import read_roster, read_roster_summary
from scheduler.roster.coverage import NEVER, People
from scheduler.roster.recorded import (
    RESULT_SCHEMA,
    SAMPLE_SCHEMA,
    latest_samples,
    results_that_count,
    samples_of,
)

_COLUMNS = [
    "resident_id", "code", "household_id", "block_id", "community_id", "fate", "site_id", "start",
    "end",
]  # fmt: skip


@dataclass(frozen=True)
class Recorded:
    """A roster with what was recorded of it, at a moment; rows of ``frame`` are people's."""

    revision: str
    instance: Instance
    frame: pl.DataFrame
    people: People
    results: pl.DataFrame
    plain_ids: bool
    now: datetime
    now_min: int


def read_recorded(folder: Path, at: datetime | None, clock: Clock) -> Recorded:
    """Return the newest roster with each person's samples.

    Raises
    ------
    CannotRunError
        When there is no roster, or a file cannot be read.
    """
    revision, frame = read_roster(folder, columns=_COLUMNS)
    instance = open_revision(folder, revision).instance
    zone = ZoneInfo(instance.settings.round.timezone)
    now = at or clock.now().astimezone(zone).replace(tzinfo=None)
    rows = read_state(folder, "samples", SAMPLE_SCHEMA)
    results = read_state(folder, "results", RESULT_SCHEMA)
    if at is not None:  # a rehearsal knows nothing of what came later
        rows = rows.filter(pl.col("sampled_at") <= at)
        results = results.filter(pl.col("reported_at") <= at)
    taken = samples_of(rows, instance.settings.results.same_sample_min)
    frame = _with_samples(frame, taken)
    people = People(
        community=_places(frame["community_id"], instance.communities.ids.tolist()),
        block=_places(frame["block_id"], instance.blocks.ids.tolist()),
        fate=frame["fate"].to_physical().to_numpy().astype(np.int64),
        site=_places(frame["site_id"], instance.sites.ids.tolist()),
        start=frame["start"].fill_null(-1).to_numpy().astype(np.int64),
        end=frame["end"].fill_null(-1).to_numpy().astype(np.int64),
        sampled=_minutes(instance, frame["first"]),
    )
    return Recorded(
        revision=revision,
        instance=instance,
        frame=frame,
        people=people,
        results=results_that_count(results, taken)[0],
        plain_ids=bool(read_roster_summary(folder, revision)["plain_ids"]),
        now=now,
        now_min=instance.clock.minute_of_local(now),
    )


def _with_samples(frame: pl.DataFrame, taken: pl.DataFrame) -> pl.DataFrame:
    """Add the time of each person's first sample, and the tube of the last."""
    last = latest_samples(taken)
    if last.height < taken.height:
        first = taken.group_by("code").agg(pl.col("sampled_at").min().alias("first"))
        last = last.join(first, on="code")
    else:
        last = last.with_columns(pl.col("sampled_at").alias("first"))
    return frame.join(
        last.select("code", "first", "tube"), on="code", how="left", maintain_order="left"
    )


def _places(column: pl.Series, ids: list[str]) -> Ints:
    """Return the position of each id of an Enum column, -1 where there is none."""
    if not isinstance(column.dtype, pl.Enum):
        raise TypeError(f"Expected an Enum column, got {column.dtype}")
    words = column.dtype.categories.to_list()
    place = {text: p for p, text in enumerate(ids)}
    of_word = np.array([*(place.get(w, -1) for w in words), -1], dtype=np.int64)
    index: Ints = of_word[column.to_physical().fill_null(len(words)).to_numpy()]
    return index


def _minutes(instance: Instance, times: pl.Series) -> Ints:
    seconds = (times - instance.settings.round.start).dt.total_seconds()
    minutes: Ints = (seconds // 60).fill_null(NEVER).to_numpy().astype(np.int64)
    return minutes
