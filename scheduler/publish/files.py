"""Write a publication beside the old one, and put it in place in one step.

A publication is killed at any point: what is found is then either the old or the new one, whole,
and at worst a hidden ``.<name>.partial`` that the next publication clears away.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import hashlib
import json
import os
import shutil
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from scheduler.errors import CannotRunError

FOLDER = "published"
"""Where publications are, in a round's folder."""

MANIFEST = "manifest.json"

_AT_FDCWD, _RENAME_EXCHANGE = -100, 2  # linux/fcntl.h, linux/fs.h


def write_publication(
    parent: Path,
    name: str,
    files: Iterable[tuple[str, bytes]],
    about: Mapping[str, object] | None,
    *,
    keep: Sequence[str] = (),
) -> Path:
    """Write ``parent/name`` with its files and ``manifest.json``, replacing what was there.

    The manifest holds ``about`` and the SHA-256 of each file by its path inside the folder; there
    is none with ``about=None``. Files and folders named in ``keep`` are taken over from what was
    there; the manifest does not name them.

    Raises
    ------
    CannotRunError
        When the disk refuses: rights, space, names.
    """
    try:
        parent.mkdir(parents=True, exist_ok=True)
        recover(parent, name)
        partial = parent / f".{name}.partial"
        hashes = _write_all(partial, files)
        if about is not None:
            manifest = {**about, "files": dict(sorted(hashes.items()))}
            text = json.dumps(manifest, ensure_ascii=False, indent=2) + "\n"
            (partial / MANIFEST).write_text(text, encoding="utf-8")
        for kept in keep:
            _take_over(parent / name / kept, partial / kept)
        # One flush for thousands of files: an fsync of each takes longer than writing them all.
        os.sync()
        put_in_place(partial, parent / name)
        _sync_folder(parent)
    except OSError as error:
        raise CannotRunError(f"Expected to write {parent / name}, got {error}") from error
    return parent / name


def write_beside(path: Path, content: bytes) -> Path:
    """Write a file whole or not at all, its folders made where missing, and return it.

    Raises
    ------
    CannotRunError
        When the disk refuses.
    """
    partial = path.with_name(f".{path.name}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with partial.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except OSError as error:
        raise CannotRunError(f"Expected to write {path}, got {error}") from error
    return path


def switch_link(parent: Path, link: str, target: str) -> None:
    """Point ``parent/link`` at ``target`` in one step.

    Raises
    ------
    CannotRunError
        When the disk has no symbolic links, or refuses.
    """
    new = parent / f".{link}.partial"
    try:
        new.unlink(missing_ok=True)
        new.symlink_to(target, target_is_directory=True)
        new.replace(parent / link)
        _sync_folder(parent)
    except OSError as error:
        raise CannotRunError(f"Expected to switch {parent / link}, got {error}") from error


def recover(parent: Path, name: str) -> None:
    """Clear away what a killed publication left; bring the old one back where it was set aside."""
    aside = parent / f".{name}.old"
    if aside.exists() and not (parent / name).exists():
        aside.rename(parent / name)
    for rest in (aside, parent / f".{name}.partial"):
        if rest.exists():
            shutil.rmtree(rest)


def sweep(parent: Path) -> None:
    """Clear away what killed publications left under any name, and bring set-aside ones back.

    Call it only while holding the round's lock.
    """
    for rest in parent.glob(".*.old"):
        name = rest.name.removeprefix(".").removesuffix(".old")
        if (parent / name).exists():
            shutil.rmtree(rest, ignore_errors=True)
        else:
            rest.rename(parent / name)
    for rest in parent.glob(".*.partial"):
        if rest.is_symlink():
            rest.unlink(missing_ok=True)
        else:
            shutil.rmtree(rest, ignore_errors=True)


def _write_all(folder: Path, files: Iterable[tuple[str, bytes]]) -> dict[str, str]:
    hashes: dict[str, str] = {}
    made: set[Path] = set()
    folder.mkdir()
    for path, content in files:
        target = folder / path
        if target.parent not in made:
            target.parent.mkdir(parents=True, exist_ok=True)
            made.add(target.parent)
        target.write_bytes(content)
        hashes[path] = hashlib.sha256(content).hexdigest()
    return hashes


def _take_over(old: Path, new: Path) -> None:
    if old.is_dir():
        shutil.copytree(old, new)
    elif old.exists():
        shutil.copy2(old, new)


def put_in_place(new: Path, target: Path) -> None:
    """Give a finished folder its name in one step where the system can, replacing the old one."""
    if not target.exists():
        new.rename(target)
    elif _exchange(new, target):
        shutil.rmtree(new)
    else:
        aside = target.with_name(f".{target.name}.old")
        target.rename(aside)
        new.rename(target)
        shutil.rmtree(aside)


def _exchange(a: Path, b: Path) -> bool:
    """Swap two folders in one step; False where the system cannot (Linux 3.15 and later can)."""
    try:
        swap = ctypes.CDLL(None, use_errno=True).renameat2
    except (AttributeError, OSError, TypeError):
        return False
    if swap(_AT_FDCWD, os.fsencode(a), _AT_FDCWD, os.fsencode(b), _RENAME_EXCHANGE) == 0:
        return True
    code = ctypes.get_errno()
    if code in {errno.EINVAL, errno.ENOSYS, errno.ENOTSUP}:
        return False
    raise OSError(code, os.strerror(code), str(b))


def _sync_folder(folder: Path) -> None:
    with contextlib.suppress(PermissionError):  # folders cannot be opened on Windows
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
