"""The clock and the round's lock."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, timedelta
from pathlib import Path

import pytest

from scheduler.app.runtime import Clock, round_lock, silent
from scheduler.errors import CannotRunError, LockedError

HOLD = """
import sys
from pathlib import Path
from scheduler.app.runtime import round_lock
with round_lock(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def fail_in_a_run(folder: Path) -> None:
    with round_lock(folder):
        about = json.loads((folder / ".lock.json").read_text(encoding="utf-8"))
        assert about.keys() == {"pid", "host", "since"}
        raise ZeroDivisionError


def test_one_run_at_a_time(tmp_path: Path) -> None:
    """Rule: while another process holds the lock, a run is refused and told who holds it."""
    command = [sys.executable, "-c", HOLD, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"held\n"
        with pytest.raises(LockedError, match=f"process {other.pid} on "), round_lock(tmp_path):
            pass
        other.kill()
        other.wait()
    with round_lock(tmp_path):
        assert (tmp_path / ".lock.json").exists()


def test_the_lock_goes_with_its_run(tmp_path: Path) -> None:
    """Rule: whatever ends a run, the next one can start; who held it is forgotten."""
    with pytest.raises(ZeroDivisionError):
        fail_in_a_run(tmp_path)
    assert not (tmp_path / ".lock.json").exists()
    with round_lock(tmp_path):
        assert (tmp_path / ".lock.json").exists()


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    """Rule: a folder that is a file cannot be locked; it is said in one sentence."""
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(CannotRunError, match="Expected a round folder"), round_lock(file):
        pass


def test_clock_tells_universal_time() -> None:
    """Rule: stored times carry their offset; the stopwatch never goes back."""
    clock = Clock()
    assert clock.now().utcoffset() == timedelta(0)
    assert clock.now().tzinfo is UTC
    assert clock.monotonic() <= clock.monotonic()


def test_silent_reports_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    """Rule: a use case called from a program prints nothing."""
    silent("reading", 0.01)
    assert capsys.readouterr() == ("", "")
