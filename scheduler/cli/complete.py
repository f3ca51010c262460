"""What the shell completes beyond names of commands, options and files."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable
from pathlib import Path

import click

_DISTRICT, _COMMUNITY = ("district", "区县", "区"), ("community_id", "社区编码", "社区编号")
Complete = Callable[[click.Context, click.Parameter, str], list[str]]


def _folder(context: click.Context) -> Path | None:
    """Return the round folder typed so far; click leaves words over when an option has no value."""
    words = [context.params.get("folder"), *context.args]
    return next((Path(word) for word in words if word and Path(word).is_dir()), None)


def _revisions(context: click.Context, _: click.Parameter, begun: str) -> list[str]:
    folder = _folder(context)
    places = (folder / "plans").glob("*") if folder else ()
    names = (place.name for place in places if re.fullmatch(r"\d{4,}", place.name))
    return sorted(name for name in names if name.startswith(begun))


def _cells(names: tuple[str, ...]) -> Complete:
    """Return a completion from a column of ``communities.csv``; nothing where it cannot be read."""

    def complete(context: click.Context, _: click.Parameter, begun: str) -> list[str]:
        folder = _folder(context)
        try:
            text = _text(folder / "communities.csv") if folder else ""
        except (OSError, UnicodeError):
            return []
        rows = csv.reader(text.splitlines())
        head = next(rows, [])
        at = next((head.index(name) for name in names if name in head), None)
        if at is None:
            return []
        found = {row[at] for row in rows if len(row) > at}
        return sorted(cell for cell in found if cell.startswith(begun))

    return complete


def _text(path: Path) -> str:
    content = path.read_bytes()
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("gb18030")


REVISION: Complete = _revisions
DISTRICT: Complete = _cells(_DISTRICT)
COMMUNITY: Complete = _cells(_COMMUNITY)
