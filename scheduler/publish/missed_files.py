"""What ``missed`` writes: lists per community with mop-up slots, coverage, health codes."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from scheduler.domain.instance import Instance
from scheduler.domain.roster import FATE_WORDS
from scheduler.publish.call_lists import Lookup, by_community, resident_cells, safe_cells
from scheduler.publish.people_words import (
    CODES_COLUMNS,
    COVERAGE_COLUMNS,
    FATES,
    LEVELS,
    MISSED_COLUMNS,
    people_header,
)
from scheduler.publish.private import private_folder
from scheduler.publish.roster_places import ROSTERS_FOLDER

MISSED_FOLDER = "missed"


@dataclass(frozen=True)
class MissedOutput:
    """Everything that goes into ``rosters/missed/``.

    ``people`` are those missed, sorted by community, block and household: community, block and
    site (indices), household_id, code, resident_id, fate, start, and new_site and new_start of the
    mop-up slot; times are minutes since the round's start.
    """

    people: pl.DataFrame
    coverage: pl.DataFrame
    codes: pl.DataFrame
    summary: dict[str, Any]
    plain_ids: bool


def write_missed(folder: Path, instance: Instance, output: MissedOutput) -> Path:
    """Write ``rosters/missed/`` in place of the older one; return the folder.

    Raises
    ------
    CannotRunError
        When the disk refuses.
    """
    language = instance.settings.round.language
    lookup = Lookup.of(instance)
    with private_folder(folder / ROSTERS_FOLDER, MISSED_FOLDER) as target:
        top = people_header(MISSED_COLUMNS, language)

        def rows(part: pl.DataFrame) -> pl.DataFrame:
            shown = part.with_columns(resident_cells(part, plain_ids=output.plain_ids))
            return _rows(instance, lookup, shown).select(MISSED_COLUMNS).rename(top)

        for name, part in by_community(instance, output.people, rows):
            target.write_csv(f"communities/{name}", part)
        levels = pl.col("level").replace_strict(LEVELS[language], return_dtype=pl.String)
        shown = output.coverage.with_columns(
            levels, *(safe_cells(output.coverage[c]).alias(c) for c in ("id", "name"))
        )
        words = people_header(COVERAGE_COLUMNS, language)
        target.write_csv("coverage.csv", shown.select(COVERAGE_COLUMNS).rename(words))
        codes = output.codes.with_columns(
            safe_cells(output.codes["resident_id"]), pl.col("since").dt.strftime("%Y-%m-%d %H:%M")
        )
        target.write_csv("codes.csv", codes.select(CODES_COLUMNS))
        text = json.dumps(output.summary, ensure_ascii=False, indent=2) + "\n"
        target.write("summary.json", text.encode())
    return folder / ROSTERS_FOLDER / MISSED_FOLDER


def _rows(instance: Instance, lookup: Lookup, part: pl.DataFrame) -> pl.DataFrame:
    slot = instance.settings.round.slot_minutes
    fates = pl.Series([FATES[instance.settings.round.language][word] for word in FATE_WORDS])
    distinct = part["new_start"].drop_nulls().unique().to_list()
    begins = {m: instance.clock.at(m) for m in distinct}
    ends = {m: instance.clock.at(m + slot) for m in distinct}

    def moments(times: dict[int, Any], pattern: str) -> pl.Expr:
        words = {m: f"{t:{pattern}}" for m, t in times.items()}
        return pl.col("new_start").replace_strict(words, default=None, return_dtype=pl.String)

    start = part["start"] // slot
    return part.select(
        lookup.blocks[0].gather(part["block"]).alias("block_id"),
        lookup.blocks[1].gather(part["block"]).alias("block"),
        "household_id",
        "resident",
        fates.gather(part["fate"]).alias("status"),
        lookup.dates.gather(start).alias("called_date"),
        lookup.times.gather(start).alias("called_start"),
        lookup.sites[1].gather(part["site"]).alias("called_site"),
        moments(begins, "%Y-%m-%d").alias("date"),
        moments(begins, "%H:%M").alias("start"),
        moments(ends, "%H:%M").alias("end"),
        lookup.sites[0].gather(part["new_site"]).alias("site_id"),
        lookup.sites[1].gather(part["new_site"]).alias("site"),
    )
