"""What counts of ``events/`` and ``progress/``: files given, corrected, twice, half taken in."""

from __future__ import annotations

from pathlib import Path

import pytest

from scheduler.app.inbox import EVENTS, PROGRESS, VERSIONS, read_inbox, take_in
from scheduler.errors import CannotRunError


def _give(folder: Path, name: str, text: str, kind: str = EVENTS) -> list[str]:
    """Hand a file in, and return the texts that count now, in order."""
    source = folder / "desk" / name
    source.parent.mkdir(exist_ok=True)
    source.write_text(text, encoding="utf-8")
    inbox = read_inbox(folder, kind, [source])
    take_in(inbox)
    return [data.decode() for data in inbox.files.values()]


def _names(home: Path) -> list[str]:
    return sorted(path.name for path in home.iterdir() if path.is_file())


@pytest.mark.parametrize("kind", [EVENTS, PROGRESS])
def test_a_name_again_is_a_correction(tmp_path: Path, kind: str) -> None:
    """Another name adds, the same name replaces and has the last word; old versions are kept."""
    assert _give(tmp_path, "a.csv", "1", kind) == ["1"]
    assert _give(tmp_path, "b.csv", "2", kind) == ["1", "2"]
    assert _give(tmp_path, "a.csv", "3", kind) == ["2", "3"]
    assert _names(tmp_path / kind) == ["0002-b.csv", "0003-a.csv"]
    assert list(read_inbox(tmp_path, kind).files.values()) == [b"2", b"3"]
    kept = {path.read_bytes() for path in (tmp_path / kind / VERSIONS).iterdir()}
    assert kept == {b"1", b"2", b"3"}


def test_the_same_file_again_changes_nothing(tmp_path: Path) -> None:
    """A file whose content counts already under its name is not taken in a second time."""
    _give(tmp_path, "a.csv", "1")
    assert _give(tmp_path, "a.csv", "1") == ["1"]
    inbox = read_inbox(tmp_path, EVENTS, [tmp_path / EVENTS])
    assert (inbox.given, inbox.replaced) == ({}, {})
    assert _names(tmp_path / EVENTS) == ["0001-a.csv"]


def test_a_file_put_there_by_hand_is_corrected_in_place(tmp_path: Path) -> None:
    """Whoever writes the file itself goes on doing so: it gets no number."""
    (tmp_path / EVENTS).mkdir()
    (tmp_path / EVENTS / "a.csv").write_text("1")
    assert _give(tmp_path, "a.csv", "2") == ["2"]
    assert _names(tmp_path / EVENTS) == ["a.csv"]


def test_killed_between_two_steps_the_newer_counts(tmp_path: Path) -> None:
    """With the replaced file still there, the higher number of a name counts alone."""
    (tmp_path / EVENTS).mkdir()
    for name, text in (("0001-a.csv", "old"), ("0002-a.csv", "new"), ("0001-b.csv", "b")):
        (tmp_path / EVENTS / name).write_text(text)
    assert list(read_inbox(tmp_path, EVENTS).files.values()) == [b"b", b"new"]


def test_what_a_correction_replaces_is_told(tmp_path: Path) -> None:
    """The caller gets the old content by the new file's name."""
    _give(tmp_path, "a.csv", "1")
    source = tmp_path / "desk" / "a.csv"
    source.write_text("2")
    assert read_inbox(tmp_path, EVENTS, [source]).replaced == {str(source): b"1"}


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    """A slip in the name is told, and nothing is written."""
    with pytest.raises(CannotRunError, match="Cannot read or keep events"):
        read_inbox(tmp_path, EVENTS, [tmp_path / "nowhere.csv"])
    assert list(tmp_path.iterdir()) == []
