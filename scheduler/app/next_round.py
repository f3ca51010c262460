"""Use case: open the round after this one, and tell coverage over the rounds so far."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from scheduler.app.recorded import Recorded, read_recorded
from scheduler.app.revision import check_district
from scheduler.app.runlog import Stages, logged
from scheduler.app.runtime import Clock, Report, round_lock, silent
from scheduler.config import ROUND_FILE
from scheduler.domain.city import Flags
from scheduler.domain.instance import Instance
from scheduler.errors import CannotRunError
from scheduler.ingest.columns import BLOCKS, COMMUNITIES, LABS, SITES, TRAVEL, Table
from scheduler.ingest.loader import load_instance
from scheduler.ingest.subset import Keep, part_of, settings_with
from scheduler.publish.next_round import (
    CITY_FOLDER,
    CITY_RESIDENTS,
    RESIDENTS_FILE,
    SERIES_FILE,
    read_city,
    read_series,
    write_next_round,
)
from scheduler.publish.roster_files import newest_roster, read_roster
from scheduler.roster.coverage import NEVER
from scheduler.roster.series import (
    CITY_COLUMNS,
    SERIES_SCHEMA,
    carried_over,
    due_communities,
    over_rounds,
    with_others,
)


@dataclass(frozen=True, kw_only=True)
class NextOptions:
    """What a user may ask of ``round next``."""

    to: Path | None = None
    scope: str = "all"  # all, or frequency: communities due by their zone
    district: str | None = None
    start: datetime | None = None  # naive local time
    database_url: str | None = None


@dataclass
class NextResult:
    """The round opened, if any, and coverage over the rounds so far."""

    round: str
    rounds: list[dict[str, Any]]
    residents: int
    sampled_once: int
    missed_first: int
    next_round: str | None = None
    folder: str | None = None
    start: str | None = None
    end: str | None = None
    communities: int | None = None
    people: int | None = None
    seconds: dict[str, float] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Return the result for ``--json``."""
        return dict(vars(self))


@dataclass(frozen=True)
class _Past:
    """The rounds so far with this one, and everybody of the city where there is a roster."""

    instance: Instance
    series: pl.DataFrame
    city: pl.DataFrame | None


def rounds_so_far(folder: Path, clock: Clock | None = None) -> NextResult:
    """Return coverage over the rounds until this one.

    Raises
    ------
    InputError
        When the input has errors.
    CannotRunError
        When a file cannot be read.
    """
    return _told(_past(folder, clock or Clock()))


def next_round(
    folder: Path, options: NextOptions, report: Report = silent, clock: Clock | None = None
) -> NextResult:
    """Open the next round in a folder of its own; this one stays as it is.

    Raises
    ------
    InputError
        When the input has errors.
    CannotRunError
        When nobody is due, the district is unknown, the start lies before this round's end, or the
        new folder is not empty.
    """
    clock = clock or Clock()
    stages = Stages(clock, report)
    with round_lock(folder), logged("round next", folder, options.database_url, stages) as run:
        stages("reading")
        past = _past(folder, clock)
        run.instance = past.instance
        start, end = _times(past.instance, options.start)
        source = folder / CITY_FOLDER if (folder / CITY_FOLDER).is_dir() else folder
        stages("choosing communities")
        whole = past.instance if source == folder else _whole(folder, source)
        chosen = _chosen(whole, past.series, options, start.date())
        stages("writing")
        files = _files(folder, source, whole, chosen)
        name = _after(past.instance.settings.round.id, "-r2")
        target = options.to or folder.parent / _after(folder.resolve().name, "-r2")
        values = {"id": name, "start": f"{start:%Y-%m-%dT%H:%M}", "end": f"{end:%Y-%m-%dT%H:%M}"}
        files[ROUND_FILE] = settings_with(folder / ROUND_FILE, values)
        files[SERIES_FILE] = past.series.write_csv().encode()
        ids = whole.communities.ids[chosen].tolist()
        write_next_round(target, files, _residents(past.city, ids))
        told = _told(past)
        told.missed_first = _missed_in(past.city, ids)
        told.next_round, told.folder = name, str(target)
        told.start, told.end, told.communities = values["start"], values["end"], len(ids)
        told.people = _people_of(whole, chosen)
    told.seconds = run.seconds
    return told


def _past(folder: Path, clock: Clock) -> _Past:
    instance = load_instance(folder)
    earlier = read_series(folder, SERIES_SCHEMA)
    try:
        newest_roster(folder)
    except CannotRunError:
        return _Past(instance, _with_round(earlier, instance, None), read_city(folder))
    known = read_recorded(folder, None, clock)
    sampled = known.people.sampled != NEVER
    columns = [*CITY_COLUMNS, "fate"]
    people = carried_over(read_roster(folder, known.revision, columns=columns)[1], sampled)
    before = read_city(folder)
    inside = instance.communities.ids.tolist()
    city = people if before is None else with_others(people, before, inside)
    return _Past(instance, _with_round(earlier, instance, known), city)


def _with_round(earlier: pl.DataFrame, instance: Instance, known: Recorded | None) -> pl.DataFrame:
    """Add this round's people by community; nobody sampled where there is no roster."""
    this, size = instance.settings.round, len(instance.communities)
    sampled: list[int | None] = [None] * size  # nobody knows without a roster
    if known is None:
        of, people_of = instance.blocks.community_index, instance.blocks.people
        target = np.bincount(of, people_of, size).astype(np.int64)
    else:
        people = known.people
        came = people.target & (people.sampled != NEVER)
        target = np.bincount(people.community[people.target], minlength=size)
        sampled = np.bincount(people.community[came], minlength=size).tolist()
    rows = pl.DataFrame(
        {
            "round": [this.id] * size,
            "start": [f"{this.start:%Y-%m-%dT%H:%M}"] * size,
            "end": [f"{this.end:%Y-%m-%dT%H:%M}"] * size,
            "community_id": instance.communities.ids.tolist(),
            "target": pl.Series(target).cast(pl.Int64),
            "sampled": pl.Series(sampled, dtype=pl.Int64),
        },
        schema=SERIES_SCHEMA,
    )
    return pl.concat([earlier, rows])


def _told(past: _Past) -> NextResult:
    city = past.city
    return NextResult(
        round=past.instance.settings.round.id,
        rounds=over_rounds(past.series),
        residents=0 if city is None else city.height,
        sampled_once=0 if city is None else int((city["rounds_sampled"] > 0).sum()),
        missed_first=0 if city is None else int((city["priority"] > 0).sum()),
    )


def _times(instance: Instance, start: datetime | None) -> tuple[datetime, datetime]:
    """Return start and end of the next round: the day after, at the same hours, by default."""
    this = instance.settings.round
    length = this.end - this.start
    if start is None:
        day = this.end.date() + timedelta(days=1)
        start = this.start.replace(year=day.year, month=day.month, day=day.day)
    if start < this.end:
        raise CannotRunError(
            f"Expected a start after the end of this round, {this.end:%Y-%m-%d %H:%M}, "
            f"got {start:%Y-%m-%d %H:%M}"
        )
    return start, start + length


def _whole(folder: Path, source: Path) -> Instance:
    """Return the instance of the whole city that a round of part of it was taken from."""
    if not (source / ROUND_FILE).exists():
        (source / ROUND_FILE).write_bytes((folder / ROUND_FILE).read_bytes())
    return load_instance(source)


def _chosen(whole: Instance, series: pl.DataFrame, options: NextOptions, day: date) -> Flags:
    chosen = np.ones(len(whole.communities), dtype=bool)
    if options.district is not None:
        check_district(whole, options.district)
        chosen &= whole.communities.districts == options.district
    if options.scope == "frequency":
        chosen &= due_communities(whole, series, day)
    if not chosen.any():
        raise CannotRunError(
            f"Expected communities that are due on {day}, found none",
            hint="Choose a later --start, or --scope all.",
        )
    return chosen


def _files(folder: Path, source: Path, whole: Instance, chosen: Flags) -> dict[str, bytes]:
    """Return the input files of the next round, and those of the city where it is a part of it."""
    tables = [t for t in (COMMUNITIES, BLOCKS, SITES, LABS, TRAVEL) if (source / t.file).exists()]
    contents = {table.file: (source / table.file).read_bytes() for table in tables}
    if chosen.all():
        return contents
    ids = frozenset(whole.communities.ids[chosen].tolist())
    kept_sites = frozenset(_sites_of(whole, chosen))
    rules: dict[Table, dict[str, Keep]] = {
        COMMUNITIES: {"community_id": _among(ids)},
        BLOCKS: {"community_id": _among(ids)},
        SITES: {"site_id": _among(kept_sites), "community_ids": _named(ids)},
        LABS: {},
        TRAVEL: {"site_id": _among(kept_sites)},
    }
    files = {t.file: part_of(contents[t.file], t, rules[t]) for t in tables}
    files |= {f"{CITY_FOLDER}/{name}": content for name, content in contents.items()}
    files[f"{CITY_FOLDER}/{ROUND_FILE}"] = (folder / ROUND_FILE).read_bytes()
    return files


def _sites_of(whole: Instance, chosen: Flags) -> list[str]:
    """Return fixed sites, and teams that serve somebody chosen."""
    return [
        str(ident)
        for ident, named in zip(whole.sites.ids, whole.sites.community_indices, strict=True)
        if not named or chosen[list(named)].any()
    ]


def _among(ids: frozenset[str]) -> Keep:
    return lambda cell: cell if cell in ids else None


def _named(ids: frozenset[str]) -> Keep:
    return lambda cell: ";".join(i for i in re.split(r"\s*[;,、，；]\s*", cell) if i in ids)


def _residents(city: pl.DataFrame | None, ids: list[str]) -> dict[str, pl.DataFrame]:
    if city is None:
        return {}
    here = city.filter(pl.col("community_id").is_in(ids))
    return {RESIDENTS_FILE: here, CITY_RESIDENTS: city}


def _missed_in(city: pl.DataFrame | None, ids: list[str]) -> int:
    if city is None:
        return 0
    return city.filter((pl.col("priority") > 0) & pl.col("community_id").is_in(ids)).height


def _people_of(whole: Instance, chosen: Flags) -> int:
    inside = chosen[whole.blocks.community_index]
    return int(whole.blocks.people[inside].sum())


def _after(name: str, first: str) -> str:
    """Return a name with its last number counted up: ``-r1`` becomes ``-r2``."""
    found = re.search(r"^(.*-r)(\d+)$", name)
    return f"{found[1]}{int(found[2]) + 1}" if found else name + first
