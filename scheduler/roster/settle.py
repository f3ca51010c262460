"""Which household belongs to which block; rows that contradict the round or each other go aside."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from scheduler.domain.city import Flags, Ints
from scheduler.domain.instance import Instance
from scheduler.domain.roster import EXEMPT, Category, Fate, age_in
from scheduler.roster.buildings import building_of
from scheduler.roster.ordering import order_by

FAULT = "fault"
NOWHERE = -1


@dataclass(frozen=True)
class Places:
    """Buildings and blocks that people were found in.

    The first ``num_blocks`` are the blocks of the instance, in its order; then come those that only
    the roster knows, each with the block id it gave or the building of its addresses.
    """

    num_blocks: int
    community_index: Ints
    names: list[str]  # of the places after num_blocks
    is_building: list[bool]  # of the same: named by addresses


@dataclass(frozen=True)
class Settled:
    """People whose rows can be used, sorted by place and household, and the rows set aside.

    ``people`` has resident_id, household_id, birth_year, category, category_at, priority,
    rounds_sampled, name, file and line; the arrays stand beside its rows. ``household`` numbers
    households from 0 in the order of the rows.
    """

    people: pl.DataFrame
    place: Ints
    household: Ints
    fate: Ints  # values of Fate
    reason: Ints  # index into domain.roster.REASONS
    elderly: Flags
    places: Places
    rejected: pl.DataFrame
    remarks: dict[str, int]  # people by code of a note, where there are any


def settle(instance: Instance, frame: pl.DataFrame) -> Settled:
    """Return where each person of a roster lives, or why the row was set aside.

    ``frame`` is that of ``ResidentRows``. A person keeps the first row that can be used; a
    household keeps the place of its first row, and its rows elsewhere are set aside.
    """
    frame, places = _placed(instance, frame)
    frame = frame.with_columns(_set_fault(_repeated(frame), "C605"))
    household = _households(frame, per_place=instance.settings.roster.household_ids == "block")
    elsewhere = _elsewhere(frame, household)
    frame = frame.with_columns(_set_fault(pl.Series(elsewhere), "C606"))
    good = frame[FAULT].is_null().to_numpy()
    people = frame.filter(pl.Series(good)).drop("address", "block_id", "community_id", FAULT)
    place, household = frame["place"].to_numpy()[good].astype(np.int64), household[good]
    order, household = _order(place, household)
    rejected = frame.filter(pl.Series(~good)).drop("place")
    del frame
    people = people.drop("place")[order]
    fate, reason = fates(instance, people)
    noted = {"C611": int(people["odd"].sum()), "C614": int((people["household_id"] == "").sum())}
    ages = age_in(
        instance.settings.round.start.year, people["birth_year"].to_numpy().astype(np.int64)
    )
    return Settled(
        people=people,
        place=place[order],
        household=household,
        fate=fate,
        reason=reason,
        elderly=ages >= instance.settings.roster.elderly_age,
        places=places,
        rejected=rejected,
        remarks={code: count for code, count in noted.items() if count},
    )


def fates(instance: Instance, people: pl.DataFrame) -> tuple[Ints, Ints]:
    """Return the fate of each person by rule, and the reason as an index into ``REASONS``."""
    rule = instance.settings.roster
    category = people["category"].to_numpy().astype(np.int64)
    born = people["birth_year"].to_numpy().astype(np.int64)
    age = age_in(instance.settings.round.start.year, born)
    under_age = (age >= 0) & (age < rule.home_visit_under_age)
    exempt = np.isin(category, [int(c) for c in EXEMPT])
    homebound = category == Category.HOMEBOUND
    fate = np.full(len(people), int(Fate.SLOT))
    fate[under_age | homebound] = Fate.HOME_VISIT
    fate[exempt] = Fate.EXEMPT
    reason = np.zeros(len(people), dtype=np.int64)
    reason[under_age] = 2
    reason[homebound] = 1
    reason[exempt] = category[exempt] + 1
    return fate, reason


def _set_fault(when: pl.Series | pl.Expr, code: str) -> pl.Expr:
    return pl.when(pl.col(FAULT).is_null() & when).then(pl.lit(code)).otherwise(FAULT).alias(FAULT)


def _placed(instance: Instance, frame: pl.DataFrame) -> tuple[pl.DataFrame, Places]:
    """Return the frame with a column ``place``, and what the places are."""
    resolved = _resolved(instance, frame)
    frame = frame.join(
        resolved, on=["block_id", "community_id"], how="left", maintain_order="left",
        nulls_equal=True,
    )  # fmt: skip
    frame = frame.with_columns(pl.coalesce(FAULT, "why").alias(FAULT)).drop("why")
    num = len(instance.blocks)
    beyond = pl.col(FAULT).is_null() & (pl.col("place") == NOWHERE)
    if not frame.select(beyond.any()).item():
        known = Places(num, instance.blocks.community_index, [], [])
        return frame.drop("at_community"), known
    block, address = pl.col("block_id").cast(pl.String), pl.col("address").cast(pl.String)
    named = pl.when(block != "").then(block).otherwise(building_of(address))
    frame = frame.with_columns(
        pl.when(beyond).then(named).alias("spot"),
        (beyond & (pl.col("block_id") == "")).alias("built"),
    )
    frame = frame.with_columns(
        pl.when(pl.col("built") & (pl.col("spot") == ""))
        .then(pl.lit("C612"))
        .otherwise(FAULT)
        .alias(FAULT)
    )
    keys = ["at_community", "built", "spot"]
    spots = frame.filter(beyond & pl.col(FAULT).is_null()).select(keys).unique().sort(keys)
    spots = spots.with_columns(pl.int_range(num, num + pl.len(), dtype=pl.Int32).alias("new"))
    frame = frame.join(spots, on=keys, how="left", maintain_order="left").with_columns(
        pl.coalesce("new", "place").alias("place")
    )
    places = Places(
        num_blocks=num,
        community_index=np.concatenate(
            [instance.blocks.community_index, spots["at_community"].to_numpy().astype(np.int64)]
        ),
        names=spots["spot"].to_list(),
        is_building=spots["built"].to_list(),
    )
    return frame.drop("at_community", "spot", "built", "new"), places


def _resolved(instance: Instance, frame: pl.DataFrame) -> pl.DataFrame:
    """Return what each distinct pair of block and community of the rows stands for."""
    pairs = frame.filter(pl.col(FAULT).is_null()).select("block_id", "community_id").unique()
    blocks = {text: b for b, text in enumerate(instance.blocks.ids.tolist())}
    communities = {text: c for c, text in enumerate(instance.communities.ids.tolist())}
    home = instance.blocks.community_index.tolist()
    rows = []
    for block_id, community_id in pairs.iter_rows():
        block, community = blocks.get(block_id, NOWHERE), communities.get(community_id, NOWHERE)
        if block != NOWHERE:
            wrong = community_id != "" and community != home[block]
            code = ("C609" if community != NOWHERE else "C608") if wrong else None
            rows.append((block_id, community_id, home[block], block, code))
        elif community_id != "":
            rows.append((block_id, community_id, community, NOWHERE, _code_of(community)))
        else:
            rows.append((block_id, community_id, NOWHERE, NOWHERE, "C607" if block_id else "C612"))
    schema = {
        "block_id": pl.Categorical, "community_id": pl.Categorical, "at_community": pl.Int32,
        "place": pl.Int32, "why": pl.String,
    }  # fmt: skip
    return pl.DataFrame(rows, schema=schema, orient="row")


def _code_of(community: int) -> str | None:
    return "C608" if community == NOWHERE else None


def _repeated(frame: pl.DataFrame) -> pl.Series:
    """Return rows whose person has an earlier row that can be used."""
    good = frame[FAULT].is_null()
    ids = frame["resident_id"].filter(good)
    if ids.n_unique() == len(ids):  # found much sooner than which are the first
        return pl.Series([False]).new_from_index(0, frame.height)
    again = np.zeros(frame.height, dtype=bool)
    again[good.to_numpy()] = ~ids.is_first_distinct().to_numpy()
    return pl.Series(again)


def _households(frame: pl.DataFrame, *, per_place: bool) -> Ints:
    """Return a number for each row's household; a blank one is a household of its own."""
    cells = frame["household_id"]
    number = cells.to_physical().to_numpy().astype(np.int64)
    blank = (cells == "").to_numpy()
    if blank.any():
        number[blank] = number.max() + 1 + np.arange(int(blank.sum()))
    if per_place:
        place = frame["place"].fill_null(NOWHERE).to_numpy().astype(np.int64)
        number = number * (int(place.max(initial=0)) + 2) + place + 1
    return number


def _elsewhere(frame: pl.DataFrame, household: Ints) -> Flags:
    """Return usable rows that lie in another place than their household's first usable row."""
    good = np.flatnonzero(frame[FAULT].is_null().to_numpy())
    place = frame["place"].to_numpy()[good]
    mine = _compact(household[good])
    first = np.zeros(int(mine.max(initial=-1)) + 1, dtype=place.dtype)
    first[mine[::-1]] = place[::-1]
    flags = np.zeros(len(household), dtype=bool)
    flags[good] = place != first[mine]
    return flags


def _compact(number: Ints) -> Ints:
    """Return numbers small enough to index by; the same where they already are."""
    if len(number) == 0 or int(number.max()) < 4 * len(number) + 1000:
        return number
    small: Ints = np.unique(number, return_inverse=True)[1].reshape(-1)
    return small


def _order(place: Ints, household: Ints) -> tuple[Ints, Ints]:
    """Return rows sorted by place and household's first row, and new numbers of households."""
    rows = len(household)
    mine = _compact(household)
    first = np.zeros(int(mine.max(initial=-1)) + 1, dtype=np.int64)
    first[mine[::-1]] = np.arange(rows - 1, -1, -1)
    order = order_by(place, first[mine])
    begins = mine[order]
    fresh = np.ones(rows, dtype=bool)
    fresh[1:] = begins[1:] != begins[:-1]
    return order, np.cumsum(fresh) - 1
