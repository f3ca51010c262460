"""What ``roster`` writes: call lists, slips, the roster itself, and the rows set aside."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from scheduler.domain.instance import Instance
from scheduler.domain.roster import FATE_WORDS, REASONS, ROSTER_COLUMNS, Category
from scheduler.errors import CannotRunError
from scheduler.publish.call_lists import call_lists, safe_cells
from scheduler.publish.people_words import REJECTED_COLUMNS
from scheduler.publish.private import private_folder
from scheduler.publish.roster_places import ROSTERS_FOLDER, rosters
from scheduler.publish.slips import slip_pages

ROSTER_FILE = "roster.parquet"
SUMMARY_FILE = "summary.json"
KEY_FILE = "key"
_IDENTITY = r"\d{17}[\dXx]"
_HINT = "Run `nat-scheduler roster` on the folder first."


@dataclass(frozen=True)
class RosterOutput:
    """Everything that goes into ``rosters/<revision>/``.

    ``people`` has the columns of ``roster.parquet`` with community, block and site as indices and
    fate, reason and category as numbers, sorted by community, time and household.
    """

    people: pl.DataFrame
    rejected: pl.DataFrame
    summary: dict[str, Any]
    plain_ids: bool
    names: bool
    slips: bool


def write_roster(folder: Path, instance: Instance, revision: str, output: RosterOutput) -> str:
    """Write ``rosters/<revision>/`` in place of an older one; return the roster's SHA-256.

    Raises
    ------
    CannotRunError
        When the disk refuses.
    """
    with private_folder(folder / ROSTERS_FOLDER, revision) as target:
        path = target.write_parquet(ROSTER_FILE, _stored(instance, output.people))
        sha256 = file_sha256(path)
        lists = call_lists(instance, output.people, plain_ids=output.plain_ids, names=output.names)
        for name, rows in lists:
            target.write_csv(f"communities/{name}", rows)
        if output.slips:
            for name, page in slip_pages(instance, output.people):
                target.write(f"slips/{name}", page)
        if output.rejected.height:
            target.write_csv("rejected.csv", _masked(output.rejected))
        summary = {**output.summary, "roster_sha256": sha256}
        text = json.dumps(summary, ensure_ascii=False, indent=2) + "\n"
        target.write(SUMMARY_FILE, text.encode())
    return sha256


def read_roster(
    folder: Path, revision: str | None = None, *, columns: list[str] | None = None
) -> tuple[str, pl.DataFrame]:
    """Return the revision and the people of the newest roster, or of a revision's.

    Raises
    ------
    CannotRunError
        When there is none, or its file is not the one that was written.
    """
    name = revision or newest_roster(folder)
    home = folder / ROSTERS_FOLDER / name
    try:
        summary = json.loads((home / SUMMARY_FILE).read_bytes())
        if file_sha256(home / ROSTER_FILE) != summary["roster_sha256"]:
            raise CannotRunError(
                f"The roster of revision {name} has changed since it was written", hint=_HINT
            )
        return name, pl.read_parquet(home / ROSTER_FILE, columns=columns)
    except FileNotFoundError:
        raise CannotRunError(
            f"Expected a roster of revision {name} in {folder}, found none", hint=_HINT
        ) from None
    except (OSError, ValueError, KeyError, pl.exceptions.PolarsError) as error:
        words = str(error).splitlines()[0]
        raise CannotRunError(f"Cannot read the roster in {home}: {words}", hint=_HINT) from None


def read_roster_summary(folder: Path, revision: str) -> Mapping[str, Any]:
    """Return the content of a roster's ``summary.json``."""
    content: Mapping[str, Any] = json.loads(
        (folder / ROSTERS_FOLDER / revision / SUMMARY_FILE).read_bytes()
    )
    return content


def newest_roster(folder: Path) -> str:
    """Return the newest revision that has a roster.

    Raises
    ------
    CannotRunError
        When none has.
    """
    found = rosters(folder)
    if not found:
        raise CannotRunError(f"Expected a roster in {folder}, found none", hint=_HINT)
    return found[-1]


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a file."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def _stored(instance: Instance, people: pl.DataFrame) -> pl.DataFrame:
    """Return the people as ``roster.parquet`` keeps them: ids and words instead of indices."""
    category = [c.word for c in Category]
    return people.select(
        "resident_id",
        "code",
        pl.col("household_id").cast(pl.String),
        _words(people["block"], instance.blocks.ids.tolist(), "block_id"),
        _words(people["community"], instance.communities.ids.tolist(), "community_id"),
        "birth_year",
        _words(people["category"], category, "category"),
        "category_at",
        _words(people["fate"], list(FATE_WORDS), "fate"),
        _words(people["reason"], list(REASONS), "reason"),
        _words(people["site"], instance.sites.ids.tolist(), "site_id"),
        "start",
        "end",
        "wave",
        "tube",
        "priority",
        "rounds_sampled",
        pl.col("name").cast(pl.String),
    ).select(ROSTER_COLUMNS)


def _words(index: pl.Series, words: list[str], name: str) -> pl.Series:
    """Return indices as a column of known words; null stays null."""
    return pl.Series(words, dtype=pl.Enum(words)).gather(index).alias(name)


def _masked(rejected: pl.DataFrame) -> pl.DataFrame:
    """Return rejected rows without identity numbers."""
    texts = [c for c in REJECTED_COLUMNS if c != "line"]
    return rejected.select(REJECTED_COLUMNS).with_columns(
        safe_cells(rejected[name].cast(pl.String).str.replace_all(_IDENTITY, "******")).alias(name)
        for name in texts
    )
