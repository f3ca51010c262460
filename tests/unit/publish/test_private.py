"""Folders of personal data: modes, whole or not at all, the key."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import polars as pl
import pytest

from scheduler.errors import CannotRunError
from scheduler.publish.private import private_folder, replace_file, secret_key


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize("mask", [0o000, 0o077])
def test_modes(tmp_path: Path, mask: int) -> None:
    """Files are 0640 in folders 0750, whatever the umask."""
    before = os.umask(mask)
    try:
        with private_folder(tmp_path / "rosters", "0001") as folder:
            folder.write("a/b/c.txt", b"x")
            folder.write_csv("a/d.csv", pl.DataFrame({"楼": ["1"]}))
            folder.write_parquet("e.parquet", pl.DataFrame({"x": [1]}))
        replace_file(tmp_path / "rosters/f.csv", b"x")
    finally:
        os.umask(before)
    for path in (tmp_path / "rosters").rglob("*"):
        assert mode(path) == (0o750 if path.is_dir() else 0o640), path
    assert mode(tmp_path / "rosters") == 0o750


def test_a_failure_leaves_the_old_folder(tmp_path: Path) -> None:
    """When writing fails, what was there stays, and nothing half-written is left."""
    with private_folder(tmp_path, "x") as folder:
        folder.write("old", b"1")
    with (
        pytest.raises(CannotRunError, match="No such file"),
        private_folder(tmp_path, "x") as folder,
    ):
        folder.write("new", (tmp_path / "nowhere").read_bytes())
    assert [p.name for p in tmp_path.iterdir()] == ["x"]
    assert [p.name for p in (tmp_path / "x").iterdir()] == ["old"]


def test_a_disk_that_refuses(tmp_path: Path) -> None:
    """What the disk refuses is told in a sentence."""
    (tmp_path / "file").write_text("x")
    with pytest.raises(CannotRunError, match="Expected to write"):
        replace_file(tmp_path / "file" / "below", b"x")
    with (
        pytest.raises(CannotRunError, match="Expected to write"),
        private_folder(tmp_path / "file", "x"),
    ):
        pass


def test_the_key_is_made_once(tmp_path: Path) -> None:
    """The key is 32 random bytes that only its owner can read, and stays the same."""
    path = tmp_path / "rosters" / "key"
    key = secret_key(path)
    assert len(key) == 32
    assert mode(path) == 0o600
    assert secret_key(path) == key
    assert secret_key(tmp_path / "other") != key


def test_a_key_that_cannot_be_trusted(tmp_path: Path) -> None:
    """A key that others can read, or that is none, is refused."""
    path = tmp_path / "key"
    secret_key(path)
    path.chmod(0o640)
    with pytest.raises(CannotRunError, match="by its owner alone"):
        secret_key(path)
    path.chmod(0o600)
    path.write_text("not hexadecimal")
    with pytest.raises(CannotRunError, match="32 bytes"):
        secret_key(path)
    with pytest.raises(CannotRunError, match="Cannot use"):
        secret_key(path / "below")
