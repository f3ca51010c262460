"""Use case: what was planned, from the store; one revision and its districts, from its files."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from scheduler.app.revision import Revision, check_district, open_revision
from scheduler.app.roster_age import OtherTimes, other_times, standing_revision
from scheduler.domain.city import Ints
from scheduler.domain.plan import Reason
from scheduler.publish.publisher import Schedule
from scheduler.store.repository import open_store

NUM_RUNS = 20


@dataclass(frozen=True)
class Overview:
    """Rounds with their revisions, and the newest runs, as plain records."""

    rounds: list[dict[str, Any]]
    runs: list[dict[str, Any]] | None
    other_times: OtherTimes | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the result for ``--json``."""
        runs = {} if self.runs is None else {"runs": self.runs}
        other = {} if self.other_times is None else {"other_times": asdict(self.other_times)}
        return {"rounds": self.rounds, **runs, **other}


@dataclass(frozen=True)
class CommunityLine:
    """One community of a district: times are local, ``None`` where nobody is called."""

    community_id: str
    name: str
    street: str
    zone: str
    people: int
    called: int
    unserved: int
    sites: list[str]
    first: str | None
    last: str | None


@dataclass(frozen=True)
class RevisionDetail:
    """One revision: its summary, first and last slot, and the communities of a district."""

    revision: str
    district: str | None
    summary: dict[str, Any]
    home_visits: int
    first: str | None
    last: str | None
    communities: list[CommunityLine] | None

    def to_dict(self) -> dict[str, Any]:
        """Return the result for ``--json``."""
        return asdict(self)


def show_rounds(folder: Path, *, database_url: str | None = None, runs: bool = False) -> Overview:
    """Return the rounds of the store, each with its revisions; and the newest runs if asked for.

    Raises
    ------
    CannotRunError
        When the folder or the database is not there.
    """
    with open_store(folder, database_url) as store:
        rounds = [
            {
                **_plain(asdict(info)),
                "revisions": [_plain(asdict(r)) for r in store.revisions(info.round_id)],
            }
            for info in store.rounds()
        ]
        log = [_plain(asdict(run)) for run in store.runs(NUM_RUNS)] if runs else None
    return Overview(rounds, log, other_times(folder, standing_revision(folder, planned=True)))


def show_revision(
    folder: Path, *, revision: str | None = None, district: str | None = None
) -> RevisionDetail:
    """Return one revision, the newest by default; with its communities where a district is named.

    Raises
    ------
    InputError
        When the input has errors.
    CannotRunError
        When there is no such revision or district.
    """
    opened = open_revision(folder, revision)
    schedule = Schedule(opened.instance, opened.plan, opened.name)
    if district is not None:
        check_district(opened.instance, district)
    calls, rest = schedule.calls, schedule.rest
    chosen = np.ones(len(calls), dtype=bool)
    if district is not None:
        chosen = opened.instance.communities.districts[calls.community_index] == district
    return RevisionDetail(
        revision=opened.name,
        district=district,
        summary=opened.plan.summary,
        home_visits=int(rest.people[rest.reason == Reason.HOME_VISIT].sum()),
        first=_local(opened, calls.start[chosen], first=True),
        last=_local(opened, calls.end[chosen], first=False),
        communities=None if district is None else _communities(opened, schedule, district),
    )


def _communities(opened: Revision, schedule: Schedule, district: str) -> list[CommunityLine]:
    table, calls, rest = opened.instance.communities, schedule.calls, schedule.rest
    blocks = opened.instance.blocks
    people = np.bincount(blocks.community_index, weights=blocks.people, minlength=len(table))
    lines = []
    for c in np.flatnonzero(table.districts == district).tolist():
        mine, left = calls.community_index == c, rest.community_index == c
        sites = np.unique(calls.site_index[mine])
        lines.append(
            CommunityLine(
                community_id=str(table.ids[c]),
                name=str(table.names[c]),
                street=str(table.streets[c]),
                zone=opened.zone_word(c),
                people=int(people[c]),
                called=int(calls.people[mine].sum()),
                unserved=int(rest.people[left & (rest.reason != Reason.HOME_VISIT)].sum()),
                sites=[str(ident) for ident in opened.instance.sites.ids[sites]],
                first=_local(opened, calls.start[mine], first=True),
                last=_local(opened, calls.end[mine], first=False),
            )
        )
    return lines


def _local(opened: Revision, minutes: Ints, *, first: bool) -> str | None:
    if not len(minutes):
        return None
    minute = int(minutes.min() if first else minutes.max())
    return f"{opened.instance.clock.at(minute):%Y-%m-%d %H:%M}"


def _plain(record: dict[str, Any]) -> dict[str, Any]:
    """Return a record whose times are ISO 8601 texts."""
    return {
        key: value.isoformat(timespec="seconds") if isinstance(value, datetime) else value
        for key, value in record.items()
    }
