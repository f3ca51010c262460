"""What records come to: turnaround against the promise, and people around positive tubes."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl

from scheduler.domain.instance import Instance
from scheduler.errors import Finding
from scheduler.publish.record_files import (
    drop_table,
    keep_state,
    keep_table,
    read_state,
    write_follow_up,
)
from scheduler.roster.follow_up import FOLLOW_SCHEMA, isolated, people_around, with_times
from scheduler.roster.recorded import results_that_count
from scheduler.roster.turnaround import turnarounds


@dataclass
class RecordResult:
    """What became of every row; the ``input`` of each kind is the sum of the counts after it."""

    round: str
    revision: str
    samples: dict[str, int] | None = None
    results: dict[str, int] | None = None
    remarks: dict[str, int] = field(default_factory=dict)
    rejected_codes: dict[str, int] = field(default_factory=dict)
    turnaround: list[dict[str, Any]] = field(default_factory=list)
    positive: dict[str, int] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    notes: tuple[Finding, ...] = ()
    seconds: dict[str, float] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Return the result for ``--json``; ``input`` and its parts are totals of both kinds."""
        both = [self.samples or {}, self.results or {}]
        names = ("input", "recorded", "duplicate", "corrected", "unknown", "rejected")
        totals = {name: sum(counts.get(name, 0) for counts in both) for name in names}
        content = {k: v for k, v in vars(self).items() if k != "notes"}
        return {**totals, **content, "notes": [str(f) for f in self.notes]}


@dataclass(frozen=True)
class Base:
    """What every step needs."""

    folder: Path
    revision: str
    instance: Instance
    roster: pl.DataFrame  # resident_id, code, household_id, block_id, community_id
    plain_ids: bool
    stamp: str
    now: datetime


def counting(
    base: Base, known: pl.DataFrame, samples: pl.DataFrame, result: RecordResult
) -> pl.DataFrame:
    """Return results that count; those before their samples are kept aside until one is mended."""
    results, early = results_that_count(known, samples)
    if early.height:
        result.remarks["C633"] = early.height
    keep(base, "before_sample", early, result)
    return results


def keep(base: Base, name: str, table: pl.DataFrame, result: RecordResult) -> None:
    """Keep rows for the command centre, and name the file; without rows there is none."""
    if table.height:
        result.files[name] = str(keep_table(base.folder, name, table))
    else:
        drop_table(base.folder, name)


def compare(base: Base, recorded: tuple[pl.DataFrame, pl.DataFrame], result: RecordResult) -> None:
    """Measure turnaround, and list people around positive tubes."""
    samples, results = recorded
    if results.height:
        _measure(base, samples, results, result)
    _follow(base, samples, results, result)


def _measure(
    base: Base, samples: pl.DataFrame, results: pl.DataFrame, result: RecordResult
) -> None:
    homes = base.roster.select("code", "community_id")
    where = samples.select("code").join(homes, on="code", how="left", maintain_order="left")
    names = dict(
        zip(base.instance.communities.ids, base.instance.communities.districts, strict=True)
    )
    kind = pl.Enum(sorted(set(names.values())))
    districts = where["community_id"].replace_strict(names, default=None, return_dtype=kind)
    result.turnaround = [
        t.to_dict() for t in turnarounds(base.instance, samples, results, districts)
    ]
    strange = results.join(samples.select(pl.col("tube").unique()), on="tube", how="anti").height
    if strange:
        result.remarks["C632"] = strange


def _follow(base: Base, samples: pl.DataFrame, results: pl.DataFrame, result: RecordResult) -> None:
    around = people_around(samples, results, base.roster)
    planned = read_state(base.folder, "follow_up", FOLLOW_SCHEMA)
    if not around.height and not planned.height:
        return
    held, released = isolated(around, samples, results)
    listed = with_times(held, planned, base.instance.settings.results, base.now)
    keep_state(base.folder, "follow_up", listed.drop("stage"))
    keep(base, "released", released.drop("stage", "sampled_at"), result)
    blocks = {text: b for b, text in enumerate(base.instance.blocks.ids.tolist())}
    communities = {text: c for c, text in enumerate(base.instance.communities.ids.tolist())}
    people = listed.join(base.roster, on="resident_id", how="left", maintain_order="left")
    block = pl.col("block_id").cast(pl.String).replace_strict(blocks, return_dtype=pl.Int32)
    home = pl.col("community_id").cast(pl.String)
    community = home.replace_strict(communities, return_dtype=pl.Int32)
    people = people.with_columns(block.alias("block"), community.alias("community"))
    order = ("community", "isolate_from", "tube", "role", "block")
    people = people.sort(order, maintain_order=True)
    place = write_follow_up(base.folder, base.instance, people, plain=base.plain_ids)
    result.files["follow_up"] = str(place)
    members = around.filter(pl.col("role") == "member")
    due = listed.filter(pl.col("stage") == "to_sample")
    late = int((due["resample_from"] > due["resample_by"]).sum())
    result.positive = {
        "tubes": members["tube"].n_unique(),
        "members": members["resident_id"].n_unique(),
        "households": around["resident_id"].n_unique() - members["resident_id"].n_unique(),
        "to_resample": due.height,
        "waiting": listed.height - due.height,
        "released": released.height,
        "resample_late": late,
    }
