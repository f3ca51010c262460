"""A roster laid over a revision: everybody's slot, tube and code as one table."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import polars as pl

from scheduler.app.revision import Revision
from scheduler.domain.city import Flags, Ints
from scheduler.domain.instance import Instance
from scheduler.domain.row_codes import ROW_CODES
from scheduler.errors import CannotRunError
from scheduler.publish.call_lists import as_indices
from scheduler.roster.allot import Allotted, allot
from scheduler.roster.counting import Counts, Units
from scheduler.roster.homes import Residents
from scheduler.roster.ordering import order_by
from scheduler.roster.pseudonym import codes_of
from scheduler.roster.settle import Settled
from scheduler.solve.spacing import site_quota


@dataclass(frozen=True)
class Counted:
    """A roster laid over a revision's blocks."""

    settled: Settled
    units: Units
    counts: Counts


def give(used: Revision, counted: Counted, key: bytes) -> tuple[tuple[Ints, Allotted], pl.Series]:
    """Return what each person gets, and the code of each, both worked out at the same time.

    Raises
    ------
    CannotRunError
        When two residents have the same code, one time in a million for a city.
    """
    with ThreadPoolExecutor(max_workers=1) as beside:
        waiting = beside.submit(codes_of, counted.settled.people["resident_id"], key)
        given = _allotted(used, counted)
        codes = waiting.result()
    if codes.n_unique() < len(codes):
        raise CannotRunError(
            "Two residents have the same code", hint="Remove rosters/key for other codes."
        )
    return given, codes


def _allotted(used: Revision, counted: Counted) -> tuple[Ints, Allotted]:
    """Return the block of each person in the revision used, and what each gets."""
    place = {text: b for b, text in enumerate(used.instance.blocks.ids.tolist())}
    block_of = np.array([place.get(u, -1) for u in counted.units.ids.tolist()], dtype=np.int64)
    block = block_of[counted.units.of_row]
    settled = counted.settled
    residents = Residents(
        block=block,
        household=settled.household,
        fate=settled.fate,
        reason=settled.reason,
        elderly=settled.elderly,
        priority=settled.people["priority"].to_numpy().astype(np.int64),
    )
    return block, allot(used.instance, used.plan, residents, site_quota(used.instance))


def people_frame(
    instance: Instance, counted: Counted, given: tuple[Ints, Allotted], codes: pl.Series
) -> pl.DataFrame:
    """Return everybody with what they got, sorted by community, time and household."""
    block, allotted = given
    settled, row, rows = counted.settled, allotted.row, allotted.rows
    called = row >= 0
    at = np.where(called, row, 0)
    start = _of_rows(rows.start, at, called)
    never = int(rows.start.max(initial=0)) + 1
    community = instance.blocks.community_index[block]
    order = order_by(community, np.where(called, start, never), block)
    columns = {
        "community": community,
        "block": block,
        "household": settled.household,
        "fate": allotted.fate,
        "reason": allotted.reason,
    }
    frame = settled.people.select(
        "resident_id", "household_id", "birth_year", "category", "category_at", "priority",
        "rounds_sampled", "name",
    ).with_columns(
        codes,
        *(pl.Series(name, column.astype(np.int32)) for name, column in columns.items()),
        as_indices(_of_rows(rows.site, at, called)).alias("site"),
        as_indices(start).alias("start"),
        as_indices(_of_rows(rows.end, at, called)).alias("end"),
        as_indices(
            _of_rows(rows.start // instance.settings.round.wave_minutes, at, called)
        ).alias("wave"),
        as_indices(allotted.tube).alias("tube"),
    )  # fmt: skip
    return frame[order]


def _of_rows(column: Ints, at: Ints, called: Flags) -> Ints:
    """Return the value of each person's row of the plan, -1 where there is none."""
    if not len(column):
        return np.full(len(at), -1, dtype=np.int64)
    values: Ints = np.where(called, column[at], -1)
    return values


def rejected_frame(
    rejected: pl.DataFrame, files: tuple[str, ...], instance: Instance
) -> pl.DataFrame:
    """Return the rows set aside with file and reason."""
    chinese = instance.settings.round.language == "zh"
    words = {code: rule.chinese if chinese else rule.title for code, rule in ROW_CODES.items()}
    return rejected.with_columns(
        pl.Series(list(files)).gather(rejected["file"]).alias("file"),
        pl.col("fault").alias("code"),
        pl.col("fault").replace_strict(words, return_dtype=pl.String).alias("reason"),
    )
