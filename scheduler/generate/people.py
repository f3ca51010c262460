"""Made-up residents of a made-up city: households, ages of the 2020 census, the home-bound."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from scheduler.domain.city import Flags, Floats, Ints
from scheduler.generate.residents import MadeBlocks, MadeCommunities

ADULT_AGE, OLD_AGE = 20, 65
"""A household has somebody of at least the first; blocks.csv counts people from the second on."""

_BANDS = 5  # years
HOMEBOUND_WORD = "居家不便"


def make_people(
    rng: np.random.Generator,
    communities: MadeCommunities,
    blocks: MadeBlocks,
    *,
    prefix: str,
    year: int,
    ages: tuple[float, ...],
) -> dict[str, pl.Series]:
    """Return the columns of ``residents.csv``, as many people and old people as the blocks have.

    ``ages`` are the shares of people of 0-4, 5-9, ... and the last band and over. Home-bound people
    live in the first blocks of their community, where a plan without a roster expects them.
    """
    block = np.repeat(np.arange(len(blocks.ids)), blocks.people)
    household = _households(rng, blocks, block)
    head = np.ones(len(block), dtype=bool)
    head[1:] = household[1:] != household[:-1]
    old = _marked(block, blocks.elderly, rng.random(len(block)))
    age = _ages(rng, old, head, ages)
    visits = _visits(communities, blocks)
    homebound = _marked(block, visits, rng.random(len(block)) + np.where(old, 0.0, 0.7))
    return _columns(communities, blocks, prefix, _Persons(block, household, year - age, homebound))


@dataclass(frozen=True)
class _Persons:
    """Residents as columns."""

    block: Ints
    household: Ints
    born: Ints
    homebound: Flags


def _households(rng: np.random.Generator, blocks: MadeBlocks, block: Ints) -> Ints:
    """Return the number of each person's household within the block, from 1, side by side.

    Each household has one person; the others fall on households by chance, which comes close to
    the census: about 27 % of one person, 35 % of two at 2.29 people on average.
    """
    first = np.cumsum(blocks.people) - blocks.people
    nth = np.arange(len(block)) - first[block]
    there = blocks.households[block]
    any_of = np.minimum((rng.random(len(block)) * there).astype(np.int64), there - 1)
    number = np.where(nth < there, nth, any_of)
    key = block * (int(blocks.households.max(initial=0)) + 1) + number
    result: Ints = number[np.argsort(key, kind="stable")] + 1
    return result


def _marked(block: Ints, wanted: Ints, weight: Floats) -> Flags:
    """Mark ``wanted[block]`` people of each block, those of least weight."""
    order = np.lexsort((weight, block))
    first = np.searchsorted(block, block)
    flags = np.zeros(len(block), dtype=bool)
    flags[order] = np.arange(len(block)) - first < wanted[block]
    return flags


def _ages(rng: np.random.Generator, old: Flags, head: Flags, shares: tuple[float, ...]) -> Ints:
    weights = np.array(shares)
    bands = np.arange(len(weights)) * _BANDS
    age = np.empty(len(old), dtype=np.int64)
    for chosen, low, high in (
        (old, OLD_AGE, np.inf),
        (~old & head, ADULT_AGE, OLD_AGE),
        (~old & ~head, 0, OLD_AGE),
    ):
        inside = np.flatnonzero((bands >= low) & (bands < high))
        part = weights[inside]
        if low == 0:  # heads took none of the children: the others have more of them
            part = np.where(bands[inside] < ADULT_AGE, part * _more_children(head, old), part)
        count = int(chosen.sum())
        band = rng.choice(bands[inside], count, p=part / part.sum())
        age[chosen] = band + rng.integers(0, _BANDS, count)
    return age


def _more_children(head: Flags, old: Flags) -> float:
    young = ~old
    return float(young.sum() / max(1, (young & ~head).sum()))


def _visits(communities: MadeCommunities, blocks: MadeBlocks) -> Ints:
    """Return home-bound people by block: the first blocks of a community give all they have."""
    before = np.cumsum(blocks.people) - blocks.people
    first = np.searchsorted(blocks.community, blocks.community)
    found = before - before[first]
    visits: Ints = np.clip(communities.homebound[blocks.community] - found, 0, blocks.people)
    return visits


def _columns(
    communities: MadeCommunities, blocks: MadeBlocks, prefix: str, people: _Persons
) -> dict[str, pl.Series]:
    ids = pl.Series("block_id", blocks.ids.tolist(), dtype=pl.String)
    home = pl.Series("community_id", communities.ids[blocks.community].tolist(), dtype=pl.String)
    width = max(7, len(str(len(people.block))))
    frame = pl.DataFrame({"block": people.block, "n": people.household}).with_row_index("i", 1)
    frame = frame.select(
        pl.format("{}-P{}", pl.lit(prefix), pl.col("i").cast(pl.String).str.zfill(width)).alias(
            "resident_id"
        ),
        pl.format(
            "{}-{}", pl.lit(ids).gather(pl.col("block")), pl.col("n").cast(pl.String).str.zfill(3)
        ).alias("household_id"),
        pl.lit(ids).gather(pl.col("block")).alias("block_id"),
        pl.lit(home).gather(pl.col("block")).alias("community_id"),
        pl.Series("birth_year", people.born),
        pl.Series("category", people.homebound).replace_strict(
            {True: HOMEBOUND_WORD, False: None}, return_dtype=pl.String
        ),
    )
    return {name: frame[name] for name in frame.columns}
