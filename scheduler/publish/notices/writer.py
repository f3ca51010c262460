"""Write notices: all at once as one folder, or some of them in place."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from scheduler.domain.city import Ints
from scheduler.publish.cells import file_names
from scheduler.publish.files import write_beside, write_publication
from scheduler.publish.notices.content import Notices
from scheduler.publish.notices.template import Templates
from scheduler.publish.notices.texts import TextBook
from scheduler.publish.publisher import NOTICES, district_folders
from scheduler.publish.schedule import Schedule

Progress = Callable[[int, int], None]


def notice_pages(
    schedule: Schedule, communities: Ints, templates: Templates, texts: TextBook
) -> Iterator[tuple[str, bytes]]:
    """Yield path inside the folder of notices, and page, of each community of the list."""
    towns, notices = schedule.instance.communities, Notices(schedule)
    folders, names = district_folders(schedule.instance), file_names(towns.ids)
    for c in communities.tolist():
        district = str(towns.districts[c])
        content = {**notices.content(c), "texts": texts.of(district)}
        path = f"{folders[district]}/{names[towns.ids[c]]}.html"
        yield path, templates.render(folders[district], content)


def write_notices(
    home: Path, pages: Iterator[tuple[str, bytes]], total: int, progress: Progress, *, whole: bool
) -> list[Path]:
    """Write pages below ``home/notices`` and return their paths.

    With ``whole`` the folder is replaced in one step; else each page is.
    """
    written: list[Path] = []

    def counted() -> Iterator[tuple[str, bytes]]:
        for path, page in pages:
            yield path, page
            written.append(home / NOTICES / path)
            progress(len(written), total)

    if whole:
        write_publication(home, NOTICES, counted(), None)
    else:
        for path, page in counted():
            write_beside(home / NOTICES / path, page)
    return written
