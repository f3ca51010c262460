"""Writing in one step: old or new, never half."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from scheduler.errors import CannotRunError
from scheduler.publish import files
from scheduler.publish.files import switch_link, write_publication


def _write(parent: Path, content: bytes) -> Path:
    return write_publication(parent, "0001", [("communities/a.csv", content)], {"round": "r"})


def test_manifest_holds_the_hash_of_each_file(tmp_path: Path) -> None:
    """A receiver can tell whether a file arrived whole."""
    path = _write(tmp_path / "published", b"x")
    manifest = json.loads((path / "manifest.json").read_bytes())
    expected = {"communities/a.csv": hashlib.sha256(b"x").hexdigest()}
    assert manifest == {"round": "r", "files": expected}


@pytest.mark.parametrize("can_swap", [True, False])
def test_publishing_again_replaces(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, can_swap: bool
) -> None:
    """The new publication takes the old one's place and nothing is left over."""
    if not can_swap:
        monkeypatch.setattr(files, "_exchange", lambda _a, _b: False)
    _write(tmp_path, b"old")
    path = _write(tmp_path, b"new")
    assert (path / "communities/a.csv").read_bytes() == b"new"
    assert [p.name for p in tmp_path.iterdir()] == ["0001"]


def test_a_killed_publication_leaves_the_old_one(tmp_path: Path) -> None:
    """Whatever was half-written is hidden, and the next publication clears it away."""

    def killed() -> Iterator[tuple[str, bytes]]:
        yield "communities/a.csv", b"half"
        raise KeyboardInterrupt

    path = _write(tmp_path, b"old")
    with pytest.raises(KeyboardInterrupt):
        write_publication(tmp_path, "0001", killed(), {})
    assert (path / "communities/a.csv").read_bytes() == b"old"
    assert (tmp_path / ".0001.partial").exists()
    _write(tmp_path, b"new")
    assert not (tmp_path / ".0001.partial").exists()


def test_an_old_publication_set_aside_comes_back(tmp_path: Path) -> None:
    """Where folders cannot be swapped, a kill between two renames is put right next time."""
    path = _write(tmp_path, b"old")
    path.rename(tmp_path / ".0001.old")
    files.recover(tmp_path, "0001")
    assert (path / "communities/a.csv").read_bytes() == b"old"


def test_the_link_is_switched(tmp_path: Path) -> None:
    """The link points at the newest publication, by a name that survives moving the folder."""
    switch_link(tmp_path, "latest", "0001")
    switch_link(tmp_path, "latest", "0002")
    assert (tmp_path / "latest").readlink() == Path("0002")


def test_a_disk_that_refuses_is_told(tmp_path: Path) -> None:
    """What the disk says becomes one clear error."""
    (tmp_path / "file").write_text("")
    with pytest.raises(CannotRunError, match="Expected to write"):
        _write(tmp_path / "file", b"x")
    (tmp_path / "latest").mkdir()
    with pytest.raises(CannotRunError, match="Expected to switch"):
        switch_link(tmp_path, "latest", "0001")
