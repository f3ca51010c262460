"""Work beside this process gives its number, its errors, and leaves no process behind."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from scheduler.solve.beside import Beside

LINUX = sys.platform == "linux"


def _fails() -> float:
    raise ValueError("no number")


def _waits() -> float:
    time.sleep(60)
    return 0.0


@pytest.mark.parametrize("copy", [True, False])
def test_the_number_comes_back(copy: bool) -> None:
    """A copy sends all digits; on Linux it is another process, if it is asked for."""
    with Beside(lambda: 0.1 + os.getpid(), copy=copy) as work:
        found = work.result()
    assert (found == 0.1 + os.getpid()) == (not (copy and LINUX))
    assert found % 1 == pytest.approx(0.1)


@pytest.mark.parametrize("copy", [True, False])
def test_an_error_is_raised_here(copy: bool) -> None:
    """What fails in a copy is done again, and fails, in this process."""
    with pytest.raises(ValueError, match="no number"), Beside(_fails, copy=copy) as work:
        work.result()


def test_a_copy_that_fails_does_not_cost_the_number() -> None:
    """Only the copy fails: this process does the work."""
    here = os.getpid()

    def only_here() -> float:
        return 7.0 if os.getpid() == here else _fails()

    with Beside(only_here) as work:
        assert work.result() == 7.0


def test_no_copy_without_fork(monkeypatch: pytest.MonkeyPatch) -> None:
    """No more processes are allowed: this one does the work."""

    def refused() -> int:
        raise BlockingIOError

    monkeypatch.setattr(os, "fork", refused, raising=False)
    with Beside(lambda: 3.0) as work:
        assert work.result() == 3.0


@pytest.mark.parametrize("work", [_waits, lambda: 1.0])
@pytest.mark.skipif(not LINUX, reason="copies are made on Linux only")
def test_no_process_is_left(work: Callable[[], float]) -> None:
    """Who leaves without the number, or with an error, ends the copy."""
    begin = time.monotonic()
    with pytest.raises(KeyError), Beside(work):
        raise KeyError
    assert time.monotonic() - begin < 30
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


def _works(process: int) -> bool:
    """Return whether a process is there and has not ended (some containers keep such entries)."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


KILLED = """
import os, time
from scheduler.solve.beside import Beside
def work():
    print(os.getpid(), flush=True)
    time.sleep(60)
    return 0.0
with Beside(work) as beside:
    beside.result()
"""


@pytest.mark.skipif(not LINUX, reason="copies are made on Linux only")
def test_a_copy_does_not_outlive_its_process() -> None:
    """Else it would hold the lock of a run that was killed."""
    with subprocess.Popen([sys.executable, "-c", KILLED], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        copy = int(process.stdout.readline())
        assert copy != process.pid
        process.kill()
        process.wait()
        for _ in range(300):
            if not _works(copy):
                break
            time.sleep(0.1)
        assert not _works(copy)
