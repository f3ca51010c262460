"""The folders ``events/`` and ``progress/`` of a round: what is read from them, and kept.

A file that is given stands in the folder from then on, under the next number. One of a name that is
there already replaces it, whole: so a correction is given under the same name, news under another.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from scheduler.errors import CannotRunError

EVENTS, PROGRESS = "events", "progress"
VERSIONS = ".versions"
"""Folder inside ``events/`` with every version of every file that was ever read, and inside
``progress/`` with every version of those that were given."""

_SUFFIXES = {".csv", ".jsonl", ".json", ".txt"}
_NUMBER = re.compile(r"^(\d{4,})-(.+)$")


@dataclass(frozen=True)
class Inbox:
    """The files that count, by the name they are told by, in the order in which they count.

    ``given`` are those that are not in the folder yet, by the path they will have there;
    ``replaced`` what each of them replaces, by the name of the new one.
    """

    home: Path
    files: dict[str, bytes]
    given: dict[Path, bytes]
    replaced: dict[str, bytes]


def read_inbox(folder: Path, kind: str, given: Iterable[Path] = ()) -> Inbox:
    """Return the files of ``folder/kind`` in the order of their names, and those given.

    One whose very content is there already under its name is left out. `take_in` keeps the others.

    Raises
    ------
    CannotRunError
        When a given file is not there, or a file cannot be read or kept.
    """
    home = folder / kind
    try:
        there = {path: path.read_bytes() for path in _listed(home)}
        named = {path: path.read_bytes() for path in _expanded(given)}
        inbox = _with_given(home, there, named)
        _keep_versions(home, inbox.files if kind == EVENTS else _new(inbox))
    except OSError as error:
        raise CannotRunError(f"Cannot read or keep {kind}: {error}") from None
    return inbox


def take_in(inbox: Inbox) -> None:
    """Put the given files into the folder, each in one step, and remove what they replace.

    Call it once they are found to be good: a broken one in there would stop every later run. Killed
    between the two steps, it leaves both: the higher number counts.

    Raises
    ------
    CannotRunError
        When the disk refuses.
    """
    home = inbox.home
    try:
        for path, data in inbox.given.items():
            home.mkdir(parents=True, exist_ok=True)
            _write(path, data)
            for other in home.iterdir():
                number = _NUMBER.match(other.name)
                if number and number[2] == _plain(path) and other.name != path.name:
                    other.unlink()
    except OSError as error:
        raise CannotRunError(f"Cannot read or keep {home.name}: {error}") from None


def checksums(files: Mapping[str, bytes]) -> dict[str, str]:
    """Return file -> SHA-256."""
    return {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}


def _with_given(home: Path, there: dict[Path, bytes], named: dict[Path, bytes]) -> Inbox:
    files = {path: (f"{home.name}/{path.name}", data) for path, data in there.items()}
    given: dict[Path, bytes] = {}
    replaced: dict[str, bytes] = {}
    for source, data in named.items():
        same = [path for path in files if _plain(path) == _plain(source)]
        if same and files[same[-1]][1] == data:
            continue
        path = home / _plain(source)
        if path not in files:
            path = home / f"{_last(files) + 1:04d}-{_plain(source)}"
        for old in same:
            replaced[str(source)] = files.pop(old)[1]
            given.pop(old, None)
        files[path], given[path] = (str(source), data), data
    return Inbox(home, dict(files[path] for path in sorted(files)), given, replaced)


def _new(inbox: Inbox) -> dict[str, bytes]:
    """Return the files that come and those that go."""
    replaced = {f"replaced/{Path(name).name}": data for name, data in inbox.replaced.items()}
    return {str(path): data for path, data in inbox.given.items()} | replaced


def _expanded(given: Iterable[Path]) -> list[Path]:
    paths: list[Path] = []
    for path in given:
        paths += _listed(path) if path.is_dir() else [path]
    return paths


def _listed(home: Path) -> list[Path]:
    """Return the files that count: of numbered ones with the same name the highest number."""
    if not home.is_dir():
        return []
    found = sorted(
        path
        for path in home.iterdir()
        if path.is_file() and path.suffix.lower() in _SUFFIXES and not path.name.startswith(".")
    )
    newest = {number[2]: path for path in found if (number := _NUMBER.match(path.name))}
    return [
        path
        for path in found
        if not (number := _NUMBER.match(path.name)) or newest[number[2]] == path
    ]


def _plain(path: Path) -> str:
    """Return a file's name without the number that this program gave it."""
    number = _NUMBER.match(path.name)
    return number[2] if number else path.name


def _last(files: Iterable[Path]) -> int:
    return max((int(n[1]) for path in files if (n := _NUMBER.match(path.name))), default=0)


def _keep_versions(home: Path, files: Mapping[str, bytes]) -> None:
    place = home / VERSIONS
    known = {path.name.split("-")[0] for path in place.iterdir()} if place.is_dir() else set()
    for name, digest in checksums(files).items():
        if digest[:16] not in known:
            place.mkdir(parents=True, exist_ok=True)
            _write(place / f"{digest[:16]}-{_plain(Path(name))}", files[name])


def _write(path: Path, data: bytes) -> None:
    beside = path.with_name(f".{path.name}.partial")
    beside.write_bytes(data)
    beside.replace(path)
