"""Call lists of communities: who comes where and when, who is visited at home, who is exempt."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import polars as pl

from scheduler.domain.city import Ints
from scheduler.domain.instance import Instance
from scheduler.domain.roster import FATE_WORDS, REASONS
from scheduler.publish.cells import CONTROL_STARTS, FORMULA_STARTS, file_names
from scheduler.publish.people_words import (
    CALL_COLUMNS,
    FATES,
    REASON_WORDS,
    people_header,
)

_FORMULA = r"^\s*[" + "".join(FORMULA_STARTS + CONTROL_STARTS).replace("-", r"\-") + "]"
_ROWS_AT_ONCE = 50_000
_IDENTITY = r"\d{14}(\d{3}[\dXx])"
_IDENTITY_LENGTH = 18
_HEX = pl.Series([f"{n:04x}" for n in range(1 << 16)])  # so that no code is a Python object


@dataclass(frozen=True)
class Lookup:
    """Texts of indices, safe for a spreadsheet, made once for all files."""

    dates: pl.Series
    times: pl.Series
    sites: tuple[pl.Series, pl.Series]
    blocks: tuple[pl.Series, pl.Series]

    @classmethod
    def of(cls, instance: Instance) -> Lookup:
        """Return the texts of an instance."""
        clock, slot = instance.clock, instance.settings.round.slot_minutes
        moments = [clock.at(m) for m in range(0, clock.end_min + slot + 1, slot)]
        sites, blocks = instance.sites, instance.blocks
        return cls(
            pl.Series([f"{t:%Y-%m-%d}" for t in moments]),
            pl.Series([f"{t:%H:%M}" for t in moments]),
            (safe_texts(sites.ids.tolist()), safe_texts(sites.names.tolist())),
            (safe_texts(blocks.ids.tolist()), safe_texts(blocks.names.tolist())),
        )


def safe_texts(texts: list[str]) -> pl.Series:
    """Return texts that a spreadsheet does not run."""
    return safe_cells(pl.Series(texts, dtype=pl.String))


def safe_cells(cells: pl.Series) -> pl.Series:
    """Return cells that a spreadsheet does not run as formulas."""
    risky = cells.str.contains(_FORMULA)
    if not risky.any():
        return cells
    return pl.select(pl.when(risky).then(pl.lit("'") + cells).otherwise(cells)).to_series()


def call_lists(
    instance: Instance, people: pl.DataFrame, *, plain_ids: bool, names: bool
) -> Iterator[tuple[str, pl.DataFrame]]:
    """Yield path and rows of each community's call list.

    ``people`` is sorted by community, time and household and has the columns community, block and
    site (indices), start, end, tube, wave, fate, reason (indices), household_id, name, code and
    resident_id. Ids stand as their codes unless ``plain_ids``.
    """
    lookup, language = Lookup.of(instance), instance.settings.round.language
    columns = [c for c in CALL_COLUMNS if c != "person" or names]
    top = people_header(columns, language)

    def rows(part: pl.DataFrame) -> pl.DataFrame:
        shown = part.with_columns(resident_cells(part, plain_ids=plain_ids))
        return _rows(instance, lookup, shown).select(columns).rename(top)

    return by_community(instance, people, rows)


def by_community(
    instance: Instance, people: pl.DataFrame, rows: Callable[[pl.DataFrame], pl.DataFrame]
) -> Iterator[tuple[str, pl.DataFrame]]:
    """Yield path below a folder and rows of each community that has people.

    ``rows`` turns people into as many rows of a file; it is called for many communities at once,
    since each of its steps costs the same for one person as for thousands.
    """
    communities = instance.communities
    folders, files = file_names(communities.districts), file_names(communities.ids)
    edges = np.searchsorted(people["community"].to_numpy(), np.arange(len(communities) + 1))
    first = 0
    while first < len(communities):
        last = int(np.searchsorted(edges, edges[first] + _ROWS_AT_ONCE, side="right")) - 1
        last = min(max(last, first + 1), len(communities))
        begin, end = int(edges[first]), int(edges[last])
        made = rows(people.slice(begin, end - begin))
        for c in range(first, last):
            if edges[c + 1] > edges[c]:
                place = f"{folders[communities.districts[c]]}/{files[communities.ids[c]]}.csv"
                yield place, made.slice(int(edges[c]) - begin, int(edges[c + 1] - edges[c]))
        first = last


def _rows(instance: Instance, lookup: Lookup, part: pl.DataFrame) -> pl.DataFrame:
    slot = instance.settings.round.slot_minutes
    language = instance.settings.round.language
    fates = pl.Series([FATES[language][word] for word in FATE_WORDS])
    reasons = pl.Series([REASON_WORDS[language][word] or None for word in REASONS])
    start, end, site = part["start"] // slot, part["end"] // slot, part["site"]
    block = part["block"]
    return part.select(
        lookup.dates.gather(start).alias("date"),
        lookup.times.gather(start).alias("start"),
        lookup.times.gather(end).alias("end"),
        lookup.sites[0].gather(site).alias("site_id"),
        lookup.sites[1].gather(site).alias("site"),
        lookup.blocks[0].gather(block).alias("block_id"),
        lookup.blocks[1].gather(block).alias("block"),
        "household_id",
        "resident",
        part["name"].cast(pl.String).alias("person"),
        tube_label(part["wave"], part["tube"]).alias("tube"),
        fates.gather(part["fate"]).alias("status"),
        reasons.gather(part["reason"]).alias("reason"),
    )


def resident_cells(part: pl.DataFrame, *, plain_ids: bool) -> list[pl.Series]:
    """Return ``resident`` and ``household_id`` as a community may see them.

    An identity number shows its last four digits, also among plain ids.
    """
    if plain_ids:
        resident = safe_cells(_last_four(part["resident_id"]))
    else:
        resident = code_texts(part["code"])
    return [
        resident.alias("resident"),
        safe_cells(_last_four(part["household_id"].cast(pl.String))),
    ]


def code_texts(codes: pl.Series) -> pl.Series:
    """Return codes as R and 16 hexadecimal digits: with R no spreadsheet takes one for a number."""
    numbers = codes.to_numpy()
    quarters = [
        _HEX.gather(((numbers >> np.uint64(shift)) & np.uint64(0xFFFF)).astype(np.uint32))
        for shift in (48, 32, 16, 0)
    ]
    return pl.select(pl.concat_str(pl.lit("R"), *quarters)).to_series()


def _last_four(cells: pl.Series) -> pl.Series:
    if not (cells.str.len_bytes() >= _IDENTITY_LENGTH).any():  # told sooner than searched for
        return cells
    return cells.str.replace_all(_IDENTITY, "**************${1}")


def tube_label(wave: pl.Series, tube: pl.Series) -> pl.Series:
    """Return tube groups such as ``03-017``: wave of the round, number at the site within it."""
    waves, tubes = _numbers(wave, 2, first=1), _numbers(tube, 3)
    label = pl.concat_str(waves.gather(wave), pl.lit("-"), tubes.gather(tube))
    return pl.select(label).to_series()


def _numbers(index: pl.Series, digits: int, *, first: int = 0) -> pl.Series:
    """Return the text of each number that occurs, from ``first`` for index 0."""
    count = int(index.fill_null(0).to_numpy().max(initial=0)) + 1
    return pl.int_range(first, first + count, eager=True).cast(pl.String).str.zfill(digits)


def as_indices(values: Ints) -> pl.Series:
    """Return indices with null for -1."""
    series = pl.Series(values.astype(np.int32))
    return pl.select(pl.when(series >= 0).then(series)).to_series()
