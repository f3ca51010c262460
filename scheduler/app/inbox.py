"""The folders ``events/`` and ``progress/`` of a round: what is read from them, and kept."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from scheduler.errors import CannotRunError

EVENTS, PROGRESS = "events", "progress"
VERSIONS = ".versions"
"""Folder inside ``events/`` with every version of every file that was ever read."""

_SUFFIXES = {".csv", ".jsonl", ".json", ".txt"}


def read_inbox(folder: Path, kind: str, given: Iterable[Path] = ()) -> dict[str, bytes]:
    """Return the files of ``folder/kind`` in the order of their names, or those given instead.

    Given files of events come after those of ``events/``, so that what was reported once still
    counts; one whose very content is there already is left out. `take_in` keeps them.

    Raises
    ------
    CannotRunError
        When a given file is not there, or a file cannot be read or kept.
    """
    home = folder / kind
    try:
        named = {str(path): path.read_bytes() for path in _expanded(given)}
        if kind == EVENTS:
            found = _content(home)
            known = set(found.values())
            found |= {name: data for name, data in named.items() if data not in known}
            _keep_versions(home, found)
        else:
            found = named or _content(home)
    except OSError as error:
        raise CannotRunError(f"Cannot read or keep {kind}: {error}") from None
    return found


def take_in(folder: Path, found: Mapping[str, bytes]) -> None:
    """Copy the given files among those read into ``events/``, each under the next number.

    Call it once they are found to be good: a broken one in there would stop every later run.

    Raises
    ------
    CannotRunError
        When the disk refuses.
    """
    home = folder / EVENTS
    try:
        there = _content(home)
        for name, data in found.items():
            if name not in there:
                _take_in(home, Path(name), data)
    except OSError as error:
        raise CannotRunError(f"Cannot read or keep {EVENTS}: {error}") from None


def checksums(files: Mapping[str, bytes]) -> dict[str, str]:
    """Return file -> SHA-256."""
    return {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}


def _expanded(given: Iterable[Path]) -> list[Path]:
    paths: list[Path] = []
    for path in given:
        paths += _listed(path) if path.is_dir() else [path]
    return paths


def _listed(home: Path) -> list[Path]:
    if not home.is_dir():
        return []
    return sorted(
        path
        for path in home.iterdir()
        if path.is_file() and path.suffix.lower() in _SUFFIXES and not path.name.startswith(".")
    )


def _content(home: Path) -> dict[str, bytes]:
    return {f"{home.name}/{path.name}": path.read_bytes() for path in _listed(home)}


def _take_in(home: Path, path: Path, data: bytes) -> None:
    """Copy a file into the folder under the next number, in one step."""
    home.mkdir(parents=True, exist_ok=True)
    numbers = [re.match(r"(\d{4,})-", other.name) for other in _listed(home)]
    last = max((int(number[1]) for number in numbers if number), default=0)
    plain = re.sub(r"^(\d{4,}-)+", "", path.name)
    _write(home / f"{last + 1:04d}-{plain}", data)


def _keep_versions(home: Path, files: Mapping[str, bytes]) -> None:
    for name, digest in checksums(files).items():
        path = home / VERSIONS / f"{digest[:16]}-{Path(name).name}"
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            _write(path, files[name])


def _write(path: Path, data: bytes) -> None:
    beside = path.with_name(f".{path.name}.partial")
    beside.write_bytes(data)
    beside.replace(path)
