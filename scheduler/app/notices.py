"""Use case: printable notices of a clean revision."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from scheduler.app.explain import find_community
from scheduler.app.publish import check_clean
from scheduler.app.revision import Revision, check_district, open_revision
from scheduler.app.runtime import Report, round_lock, silent
from scheduler.domain.city import Ints
from scheduler.publish.files import FOLDER
from scheduler.publish.notices.pictures import find_browser, take_pictures
from scheduler.publish.notices.template import Templates
from scheduler.publish.notices.texts import read_texts
from scheduler.publish.notices.writer import notice_pages, write_notices
from scheduler.publish.publisher import NOTICES, Schedule, publication_name

TEMPLATES = "templates"
"""Folder of a round folder whose templates are used unless others are named."""
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class NoticeOptions:
    """Which notices are wanted, and how."""

    revision: str | None = None
    district: str | None = None
    communities: Sequence[str] = ()
    templates: Path | None = None
    pictures: bool = False


@dataclass(frozen=True)
class NoticesResult:
    """Where the notices are."""

    revision: str
    folder: Path
    pages: list[Path]
    pictures: list[Path]

    def to_dict(self) -> dict[str, Any]:
        """Return the result for ``--json``."""
        return {
            "revision": self.revision,
            "folder": str(self.folder),
            "pages": [str(path) for path in self.pages],
            "pictures": [str(path) for path in self.pictures],
        }


def make_notices(
    folder: Path,
    options: NoticeOptions,
    *,
    report: Report = silent,
    progress: Progress = lambda done, total: None,  # noqa: ARG005  # nobody listens
) -> NoticesResult:
    """Write notices of a revision, the newest by default: of all communities, or of those named.

    Raises
    ------
    InputError
        When the input has errors.
    BreachError
        When the plan breaks a hard rule: then nothing is written.
    CannotRunError
        When there is no such revision, district or community, a template or ``notices.toml``
        cannot be used, the browser is missing, or the disk refuses.
    LockedError
        When another run holds the round's lock.
    """
    if options.pictures:
        find_browser()
    report("reading", None)
    opened = open_revision(folder, options.revision)
    chosen = _chosen(opened, options)
    templates, texts = Templates(_template_folder(folder, options)), read_texts(folder)
    report("checking", None)
    check_clean(opened)
    schedule = Schedule(opened.instance, opened.plan, opened.name)
    home = folder / FOLDER / publication_name(schedule, opened.instance.district)
    report("writing", None)
    with round_lock(folder):
        pages = write_notices(
            home,
            notice_pages(schedule, chosen, templates, texts),
            len(chosen),
            progress,
            whole=len(chosen) == len(opened.instance.communities),
        )
        pictures: list[Path] = []
        if options.pictures:
            report("pictures", None)
            for picture in take_pictures(pages):
                pictures.append(picture)
                progress(len(pictures), len(pages))
    return NoticesResult(opened.name, home / NOTICES, pages, pictures)


def _chosen(opened: Revision, options: NoticeOptions) -> Ints:
    """Return the communities wanted: those named, those of the district, or all."""
    instance = opened.instance
    here = np.ones(len(instance.communities), dtype=bool)
    if options.district is not None:
        check_district(instance, options.district)
        here = instance.communities.districts == options.district
    if options.communities:
        named = {find_community(instance, wanted) for wanted in options.communities}
        here &= np.isin(np.arange(len(here)), list(named))
    return np.flatnonzero(here)


def _template_folder(folder: Path, options: NoticeOptions) -> Path | None:
    if options.templates is not None:
        return options.templates
    own = folder / TEMPLATES
    return own if own.is_dir() else None
