"""Publish a revision: one file per community, site, lab and district, and a manifest.

The whole city goes to ``published/<revision>/`` and ``published/latest`` points at it. One
district goes to ``published/<revision>-<district>/`` with a manifest and a link
``latest-<district>`` of its own, so that it never touches the city's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from scheduler.domain.city import Ints
from scheduler.domain.instance import Instance
from scheduler.publish.cells import file_names
from scheduler.publish.community_csv import community_files
from scheduler.publish.district_csv import DistrictSheets
from scheduler.publish.files import switch_link, write_publication
from scheduler.publish.lab_csv import lab_files
from scheduler.publish.schedule import Schedule
from scheduler.publish.site_csv import site_files

FOLDER = "published"
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
    progress: Progress | None = None,
) -> Published:
    """Write the publication of a revision under ``folder/published`` and switch its link.

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
    }
    files = _files(schedule, scope)
    if progress is not None:
        files = _counted(files, scope.num_files, progress)
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


def _files(schedule: Schedule, scope: _Scope) -> Iterator[tuple[str, bytes]]:
    instance, folders = schedule.instance, district_folders(schedule.instance)
    communities, sites, labs = instance.communities, instance.sites, instance.labs
    names = file_names(communities.ids)
    for c, content in community_files(schedule, scope.communities):
        place = folders[communities.districts[c]]
        yield f"communities/{place}/{names[communities.ids[c]]}.csv", content
    names = file_names(sites.ids)
    for s, content in site_files(schedule, scope.sites):
        yield f"sites/{names[sites.ids[s]]}.csv", content
    names = file_names(labs.ids)
    for lab, content in lab_files(schedule, scope.labs):
        yield f"labs/{names[labs.ids[lab]]}.csv", content
    sheets = DistrictSheets(schedule)
    for district in scope.districts:
        yield f"districts/{folders[district]}.csv", sheets.content(district)


def _counted(
    files: Iterator[tuple[str, bytes]], total: int, progress: Progress
) -> Iterator[tuple[str, bytes]]:
    for done, file in enumerate(files, 1):
        yield file
        progress(done, total)


__all__ = ["Published", "Schedule", "district_folders", "publication_name", "publish"]
