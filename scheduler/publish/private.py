"""Folders of personal data: files 0640 in folders 0750, each folder whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from scheduler.errors import CannotRunError
from scheduler.publish.files import put_in_place, recover

FILE_MODE, FOLDER_MODE, KEY_MODE = 0o640, 0o750, 0o600
KEY_BYTES = 32
BOM = b"\xef\xbb\xbf"


@dataclass
class PrivateFolder:
    """A folder that is being written; files appear under their final name only at the end."""

    path: Path
    made: set[Path] = field(default_factory=set)

    def write(self, name: str, content: bytes) -> Path:
        """Write a file."""
        target = self._place(name)
        with os.fdopen(_create(target), "wb") as handle:
            handle.write(content)
        return target

    def write_csv(self, name: str, frame: pl.DataFrame) -> None:
        """Write a table that Excel and WPS open."""
        target = self._place(name)
        with os.fdopen(_create(target), "wb") as handle:
            handle.write(BOM)
            frame.write_csv(handle, line_terminator="\r\n")

    def write_parquet(self, name: str, frame: pl.DataFrame) -> Path:
        """Write columns."""
        target = self._place(name)
        with os.fdopen(_create(target), "wb") as handle:
            frame.write_parquet(handle, compression="zstd", compression_level=1)
        return target

    def _place(self, name: str) -> Path:
        target = self.path / name
        self._folder(target.parent)
        return target

    def _folder(self, folder: Path) -> None:
        if folder in self.made or folder == self.path:
            return
        self._folder(folder.parent)
        make_folder(folder)
        self.made.add(folder)


@contextmanager
def private_folder(parent: Path, name: str) -> Iterator[PrivateFolder]:
    """Write ``parent/name`` beside its place; it replaces the old one when the block ends well.

    Raises
    ------
    CannotRunError
        When the disk refuses: rights, space, names.
    """
    try:
        make_folder(parent)
        recover(parent, name)
        partial = parent / f".{name}.partial"
        make_folder(partial)
        yield PrivateFolder(partial)
        # One flush for thousands of files: an fsync of each takes longer than writing them all.
        os.sync()
        put_in_place(partial, parent / name)
    except OSError as error:
        raise CannotRunError(f"Expected to write {parent / name}, got {error}") from error
    finally:
        _clear(parent, name)


def make_folder(folder: Path) -> None:
    """Make a folder that only its owner and group may enter, and its parents."""
    if folder.is_dir():
        return
    if not folder.parent.is_dir():
        make_folder(folder.parent)
    folder.mkdir()
    folder.chmod(FOLDER_MODE)


def replace_file(path: Path, content: bytes | pl.DataFrame) -> None:
    """Write a file of personal data, bytes or columns as Parquet, in one step.

    Raises
    ------
    CannotRunError
        When the disk refuses.
    """
    partial = path.with_name(f".{path.name}.partial")
    try:
        make_folder(path.parent)
        partial.unlink(missing_ok=True)
        with os.fdopen(_create(partial), "wb") as handle:
            if isinstance(content, bytes):
                handle.write(content)
            else:
                content.write_parquet(handle, compression="zstd", compression_level=1)
            handle.flush()
            os.fsync(handle.fileno())
        partial.replace(path)
    except OSError as error:
        raise CannotRunError(f"Expected to write {path}, got {error}") from error


def secret_key(path: Path) -> bytes:
    """Return the key of the codes of persons, made where there is none; only its owner reads it.

    Raises
    ------
    CannotRunError
        When it cannot be read or made, others may read it, or it is no such key.
    """
    try:
        if not path.exists():
            make_folder(path.parent)
            handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, KEY_MODE)
            with os.fdopen(handle, "w") as out:
                out.write(os.urandom(KEY_BYTES).hex() + "\n")
        if path.stat().st_mode & 0o077:
            raise CannotRunError(
                f"Expected {path} to be readable by its owner alone",
                hint=f"Run `chmod 600 {path}`, and find out who has read it.",
            )
        key = bytes.fromhex(path.read_text().strip())
    except OSError as error:
        raise CannotRunError(f"Cannot use {path}: {error.strerror}") from None
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES:
        raise CannotRunError(
            f"Expected {path} to hold a key of {KEY_BYTES} bytes",
            hint="Put the key back; without it the codes of persons change.",
        )
    return key


def _create(path: Path) -> int:
    handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, FILE_MODE)
    os.fchmod(handle, FILE_MODE)
    return handle


def _clear(parent: Path, name: str) -> None:
    if parent.is_dir():
        recover(parent, name)
