"""Publish a revision: one file per community, site, lab and district, and a manifest.

The whole city goes to ``published/<revision>/`` and ``published/latest`` points at it. One
district goes to ``published/<revision>-<district>/`` with a manifest and a link
``latest-<district>`` of its own, so that it never touches the city's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import numpy as np

from scheduler.domain.choices import CSV, GEOJSON, PARQUET, XLSX
from scheduler.domain.city import Ints
from scheduler.domain.instance import Instance
from scheduler.publish.cells import file_names
from scheduler.publish.changes_csv import change_files
from scheduler.publish.community_csv import community_files
from scheduler.publish.district_csv import DistrictSheets
from scheduler.publish.files import FOLDER, switch_link, write_publication
from scheduler.publish.formats.geojson import geojson_files
from scheduler.publish.formats.parquet import parquet_files
from scheduler.publish.formats.rows import KINDS, Rows
from scheduler.publish.formats.workbook import workbook_files
from scheduler.publish.lab_csv import lab_files
from scheduler.publish.schedule import Schedule
from scheduler.publish.site_csv import site_files

REPORT, NOTICES = "report.html", "notices"
"""Made from a revision after it was published; they stay when it is published again."""

Progress = Callable[[int, int], None]
"""Called with files made so far and files in all."""


@dataclass(frozen=True)
class Published:
    """What was published, and where."""

    path: Path
    link: Path
    communities: int
    sites: int
    labs: int
    districts: int


@dataclass(frozen=True)
class _Scope:
    """What goes into a publication, as indices; districts by name."""

    communities: Ints
    sites: Ints
    labs: Ints
    districts: list[str]

    @property
    def num_files(self) -> int:
        return len(self.communities) + len(self.sites) + len(self.labs) + len(self.districts)


def publish(
    folder: Path,
    schedule: Schedule,
    *,
    district: str | None = None,
    before: Schedule | None = None,
    formats: Sequence[str] = (),
    progress: Progress | None = None,
) -> Published:
    """Write the publication of a revision under ``folder/published`` and switch its link.

    ``before`` is what was published until now: ``changes/`` tells what is different.
    CSV files are always written; ``formats`` names those that carry the same rows beside them.

    Raises
    ------
    BreachError
        When the plan names what the input does not have.
    CannotRunError
        When the disk refuses.
    """
    scope = _scope(schedule, district)
    name = publication_name(schedule, district)
    link = "latest" + name.removeprefix(schedule.revision)
    about = {
        "round": schedule.round_id,
        "revision": schedule.revision,
        "district": district,
        "inputs_sha256": schedule.instance.inputs_sha256,
        "changes_since": None if before is None else before.revision,
    }
    files = _with_formats(_files(schedule, scope), schedule, scope, formats)
    if before is not None:
        files = chain(files, _changes(before, schedule, scope))
    if progress is not None:
        files = _counted(files, _num_files(scope, formats), progress)
    path = write_publication(folder / FOLDER, name, files, about, keep=(REPORT, NOTICES))
    switch_link(folder / FOLDER, link, name)
    return Published(
        path=path,
        link=folder / FOLDER / link,
        communities=len(scope.communities),
        sites=len(scope.sites),
        labs=len(scope.labs),
        districts=len(scope.districts),
    )


def publication_name(schedule: Schedule, district: str | None) -> str:
    """Return the folder under ``published``: ``0001``, or ``0001-<district>``."""
    if district is None:
        return schedule.revision
    return f"{schedule.revision}-{district_folders(schedule.instance)[district]}"


def district_folders(instance: Instance) -> dict[str, str]:
    """Return district -> name of its folder and files."""
    return file_names([*instance.communities.districts, *instance.sites.districts])


def _scope(schedule: Schedule, district: str | None) -> _Scope:
    """Return the whole city; or a district with its sites, those it uses, and labs they send to."""
    instance, calls, sent = schedule.instance, schedule.calls, schedule.sent
    if district is None:
        return _Scope(
            np.arange(len(instance.communities)),
            np.arange(len(instance.sites)),
            np.arange(len(instance.labs)),
            sorted(district_folders(instance)),
        )
    here = instance.communities.districts == district
    mine = here[calls.community_index]
    used = np.unique(calls.site_index[mine])
    sites = np.union1d(used, np.flatnonzero(instance.sites.districts == district))
    num_waves = instance.clock.num_waves + 1
    wave = calls.start // instance.settings.round.wave_minutes
    key = (calls.site_index * num_waves + wave) * 4 + calls.zone
    sent_key = (sent.site_index * num_waves + sent.wave) * 4 + sent.zone
    labs = np.unique(sent.lab_index[np.isin(sent_key, key[mine])])
    return _Scope(np.flatnonzero(here), sites, labs, [district])


class _Paths:
    """Where each file of a publication is, inside it."""

    def __init__(self, instance: Instance) -> None:
        self.instance, self.folders = instance, district_folders(instance)
        self._communities = file_names(instance.communities.ids)
        self._sites, self._labs = file_names(instance.sites.ids), file_names(instance.labs.ids)

    def community(self, c: int) -> str:
        towns = self.instance.communities
        return (
            f"communities/{self.folders[towns.districts[c]]}/{self._communities[towns.ids[c]]}.csv"
        )

    def site(self, s: int) -> str:
        return f"sites/{self._sites[self.instance.sites.ids[s]]}.csv"

    def lab(self, lab: int) -> str:
        return f"labs/{self._labs[self.instance.labs.ids[lab]]}.csv"

    def district(self, name: str) -> str:
        return f"districts/{self.folders[name]}.csv"

    def by_kind(self, scope: _Scope) -> dict[str, list[str]]:
        return {
            "communities": [self.community(c) for c in scope.communities.tolist()],
            "sites": [self.site(s) for s in scope.sites.tolist()],
            "labs": [self.lab(lab) for lab in scope.labs.tolist()],
            "districts": [self.district(name) for name in scope.districts],
        }


def _files(schedule: Schedule, scope: _Scope) -> Iterator[tuple[str, bytes]]:
    paths = _Paths(schedule.instance)
    for c, content in community_files(schedule, scope.communities):
        yield paths.community(c), content
    for s, content in site_files(schedule, scope.sites):
        yield paths.site(s), content
    for lab, content in lab_files(schedule, scope.labs):
        yield paths.lab(lab), content
    sheets = DistrictSheets(schedule)
    for district in scope.districts:
        yield paths.district(district), sheets.content(district)


def _with_formats(
    files: Iterator[tuple[str, bytes]], schedule: Schedule, scope: _Scope, formats: Sequence[str]
) -> Iterator[tuple[str, bytes]]:
    """Yield the files, then the same rows in the formats asked for."""
    rows = Rows(schedule.language)
    for path, content in files:
        rows.add(path, content)
        yield path, content
    if XLSX in formats:
        paths = _Paths(schedule.instance)
        parts = ((d, paths.by_kind(_scope(schedule, d))) for d in scope.districts)
        yield from workbook_files(rows, ((paths.folders[d], p) for d, p in parts))
    if GEOJSON in formats:
        yield from geojson_files(rows, schedule)
    if PARQUET in formats:
        yield from parquet_files(rows)


def _num_files(scope: _Scope, formats: Sequence[str]) -> int:
    """Return how many files there will be, as far as is known before: GeoJSON has a few more."""
    extra = {XLSX: len(scope.districts), GEOJSON: len(KINDS), PARQUET: len(KINDS)}
    return scope.num_files + sum(extra[name] for name in set(formats) - {CSV})


def _changes(before: Schedule, schedule: Schedule, scope: _Scope) -> Iterator[tuple[str, bytes]]:
    folders, communities = district_folders(schedule.instance), schedule.instance.communities
    names = file_names(communities.ids)
    inside = set(scope.communities.tolist())
    for c, content in change_files(before, schedule):
        if c in inside:
            place = folders[communities.districts[c]]
            yield f"changes/{place}/{names[communities.ids[c]]}.csv", content


def _counted(
    files: Iterator[tuple[str, bytes]], total: int, progress: Progress
) -> Iterator[tuple[str, bytes]]:
    for done, file in enumerate(files, 1):
        yield file
        progress(done, max(total, done))


__all__ = ["Published", "Schedule", "district_folders", "publication_name", "publish"]
