"""Use case: who was called and did not come, where they can come now, and everybody's codes."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from scheduler.app.recorded import Recorded, read_recorded
from scheduler.app.roster_age import OtherTimes, other_times, standing_revision
from scheduler.app.runlog import Stages, logged
from scheduler.app.runtime import Clock, Report, round_lock, silent
from scheduler.domain.city import Flags, Ints
from scheduler.domain.roster import Fate
from scheduler.publish.call_lists import as_indices
from scheduler.publish.missed_files import MissedOutput, write_missed
from scheduler.publish.record_files import keep_state, read_state
from scheduler.roster.coverage import NEVER, Coverage, People, coverage_of, coverage_table
from scheduler.roster.follow_up import FOLLOW_SCHEMA
from scheduler.roster.health_codes import CODE_SCHEMA, health_codes
from scheduler.roster.mop_up import Missing, Proposed, free_room, propose
from scheduler.solve.candidates import Candidates
from scheduler.solve.spacing import site_quota

NUM_NEAREST = 8
"""Nearest sites that a mop-up looks at beyond the one people were called to."""


@dataclass
class MissedResult:
    """Counts of the city and its districts at one moment."""

    round: str
    revision: str
    at: str
    target: int
    called: int
    sampled: int
    coverage: float | None
    missed: int
    mop_up: int
    without_slot: int
    home_visits_open: int
    codes: dict[str, int]
    districts: list[dict[str, Any]]
    folder: str = ""
    other_times: OtherTimes | None = None
    seconds: dict[str, float] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Return the result for ``--json``."""
        other = self.other_times and asdict(self.other_times)
        return {**vars(self), "other_times": other}


def missed_round(
    folder: Path,
    *,
    at: datetime | None = None,
    database_url: str | None = None,
    report: Report = silent,
    clock: Clock | None = None,
) -> MissedResult:
    """Write ``rosters/missed/`` for the newest roster, as things stand now or at a local time.

    Raises
    ------
    CannotRunError
        When there is no roster, or a file cannot be read or written.
    """
    clock = clock or Clock()
    stages = Stages(clock, report)
    with round_lock(folder), logged("missed", folder, database_url, stages) as run:
        stages("reading")
        known = read_recorded(folder, at, clock)
        run.instance, run.revision = known.instance, known.revision
        stages("counting")
        missed = known.people.missed(known.now_min)
        coverage = coverage_of(known.people, len(known.instance.communities), known.now_min)
        stages("finding slots")
        order, new = _mop_up(known, missed)
        stages("health codes")
        codes = _codes(folder, known)
        stages("writing files")
        listed = _listed(known, order, new)
        result = _result(known, coverage, (missed, new), codes)
        table = coverage_table(known.instance, coverage)
        output = MissedOutput(listed, table, codes, result.to_dict(), known.plain_ids)
        result.folder = str(write_missed(folder, known.instance, output))
        result.other_times = other_times(folder, standing_revision(folder))
        keep_state(folder, "codes", codes.select(list(CODE_SCHEMA)))
    result.seconds = run.seconds
    return result


def _mop_up(known: Recorded, missed: Flags) -> tuple[Ints, Proposed]:
    """Return rows of those missed, and a slot for each."""
    people, instance = known.people, known.instance
    order = np.flatnonzero(missed)
    order = order[np.lexsort((order, people.block[order]))]
    homes = _household_starts(known.frame["household_id"], people, order)
    begins = np.flatnonzero(homes)
    size = np.diff(np.append(begins, len(order)))
    missing = Missing(people.block[order[begins]], size)
    called = people.fate == Fate.SLOT
    zone = instance.communities.zone[people.community[called]]
    free = free_room(
        instance,
        site_quota(instance),
        (people.site[called], people.start[called], zone),
        _window(known),
    )
    found = propose(instance, missing, free, _candidates(known, order, free.room))
    of = np.cumsum(homes) - 1
    none = np.empty(0, dtype=np.int64)
    if not len(order):
        return order, Proposed(none, none)
    return order, Proposed(found.site[of], found.start[of])


def _household_starts(household: pl.Series, people: People, order: Ints) -> Flags:
    """Return which rows begin a household: another number, or no number at all."""
    ids = household.gather(order)
    fresh = ((ids != ids.shift()) | (ids == "")).fill_null(value=True).to_numpy().copy()
    block = people.block[order]
    fresh[1:] |= block[1:] != block[:-1]
    return fresh


def _window(known: Recorded) -> tuple[int, int]:
    """Return from when to when slots may be proposed: after the notice, until tomorrow's end."""
    slot = known.instance.settings.round.slot_minutes
    first = max(known.now_min + known.instance.settings.roster.mop_up_lead_min, 0)
    tomorrow = known.now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=2)
    last = known.instance.clock.minute_of_local(tomorrow)
    return -(-first // slot) * slot, last


def _candidates(known: Recorded, order: Ints, room: Ints) -> list[Ints]:
    """Return the sites of each block: the one it was called to, then the nearest with room."""
    people, num = known.people, len(known.instance.blocks)
    found: list[Ints] = [np.empty(0, dtype=np.int64)] * num
    blocks = np.unique(people.block[order])
    is_open = room.sum(axis=1) > 0
    if not len(blocks) or not is_open.any():
        return found
    pairs = Candidates(known.instance, is_open).nearest(NUM_NEAREST, blocks)
    edges = np.searchsorted(pairs.block, np.arange(num + 1))
    own = np.full(num, -1, dtype=np.int64)
    own[people.block[order]] = people.site[order]
    for block in blocks.tolist():
        near = pairs.site[edges[block] : edges[block + 1]]
        first = own[block : block + 1]
        found[block] = np.concatenate([first[first >= 0], near[near != own[block]]])
    return found


def _codes(folder: Path, known: Recorded) -> pl.DataFrame:
    ended = known.now_min >= known.instance.clock.end_min
    people = known.frame.select(
        pl.col("code").alias("person"),
        "resident_id",
        "tube",
        pl.Series("missed", known.people.missed(known.now_min)),
    )
    held = read_state(folder, "follow_up", FOLLOW_SCHEMA).select(
        "resident_id", pl.col("isolate_from").alias("isolated_from")
    )
    people = people.join(held, on="resident_id", how="left", maintain_order="left")
    previous = read_state(folder, "codes", CODE_SCHEMA)
    missed_at = known.instance.settings.round.end if ended else None
    return health_codes(people, known.results, previous, missed_at)


def _listed(known: Recorded, order: Ints, new: Proposed) -> pl.DataFrame:
    """Return those missed, and home visits still open after the round's end, by community."""
    people = known.people
    rows, site, start = order, new.site, new.start
    if known.now_min >= known.instance.clock.end_min:
        visits = _open_visits(known)
        rows = np.concatenate([order, visits])
        site = np.concatenate([new.site, np.full(len(visits), -1)])
        start = np.concatenate([new.start, np.full(len(visits), -1)])
    again = np.lexsort((rows, people.block[rows], people.community[rows]))
    rows, site, start = rows[again], site[again], start[again]
    return known.frame.select("resident_id", "code", "household_id")[rows].with_columns(
        pl.Series("community", people.community[rows].astype(np.int32)),
        pl.Series("block", people.block[rows].astype(np.int32)),
        pl.Series("fate", people.fate[rows].astype(np.int32)),
        as_indices(people.site[rows]).alias("site"),
        as_indices(people.start[rows]).alias("start"),
        as_indices(site).alias("new_site"),
        as_indices(start).alias("new_start"),
    )


def _open_visits(known: Recorded) -> Ints:
    people = known.people
    return np.flatnonzero((people.fate == Fate.HOME_VISIT) & (people.sampled == NEVER))


def _result(
    known: Recorded, coverage: Coverage, found: tuple[Flags, Proposed], codes: pl.DataFrame
) -> MissedResult:
    missed, new = found
    towns = known.instance.communities
    by_community = np.bincount(known.people.community[missed], minlength=len(towns))
    rows = [("city", np.arange(len(towns)))]
    names = sorted(set(towns.districts.tolist()))
    rows += [(name, np.flatnonzero(towns.districts == name)) for name in names]
    lines = [_line(name, here, coverage, by_community) for name, here in rows]
    city = lines[0]
    back = codes.filter((pl.col("code") == "green") & (pl.col("previous") == "yellow")).height
    return MissedResult(
        round=known.instance.settings.round.id,
        revision=known.revision,
        at=known.now.isoformat(timespec="minutes"),
        target=city["target"],
        called=city["called"],
        sampled=city["sampled"],
        coverage=city["coverage"],
        missed=city["missed"],
        mop_up=int((new.site >= 0).sum()),
        without_slot=int((new.site < 0).sum()),
        home_visits_open=len(_open_visits(known)),
        codes={**{c: codes.filter(pl.col("code") == c).height for c in ("green", "yellow")},
               "back_to_green": back},
        districts=lines[1:],
    )  # fmt: skip


def _line(name: str, here: Ints, coverage: Coverage, missed: Ints) -> dict[str, Any]:
    target, sampled = int(coverage.target[here].sum()), int(coverage.sampled[here, -1].sum())
    return {
        "place": name,
        "target": target,
        "called": int(coverage.called[here, -1].sum()),
        "sampled": sampled,
        "coverage": round(sampled / target, 4) if target else None,
        "missed": int(missed[here].sum()),
    }
