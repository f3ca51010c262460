"""What a run needs from the machine: the time, the round's lock, and somewhere to tell progress."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from scheduler.errors import CannotRunError, LockedError

Report = Callable[[str, float | None], None]
"""Called with a stage in words and, where known, the gap so far (a share, 0.001 is 0.1 %)."""


def silent(stage: str, gap: float | None = None) -> None:
    """Report nothing."""


@dataclass
class Clock:
    """Wall clock and stopwatch of one run; tests put in their own."""

    now: Callable[[], datetime] = field(default=lambda: datetime.now(UTC))  # noqa: TID251  # the one place
    monotonic: Callable[[], float] = time.monotonic


@contextmanager
def round_lock(folder: Path) -> Iterator[None]:
    """Hold the round's lock, so that one run at a time writes to the folder.

    The lock is the operating system's on ``.lock``: it goes with the process, so a dead holder's
    lock is free. ``.lock.json`` beside it says who holds it.

    Raises
    ------
    LockedError
        When another run holds it.
    CannotRunError
        When the folder is not there or cannot be written.
    """
    if not folder.is_dir():  # the lock would make it
        raise CannotRunError(
            f"Expected a round folder, got {folder}",
            hint="Run `nat-scheduler init DIR` for a folder with templates.",
        )
    holder = folder / ".lock.json"
    lock = FileLock(folder / ".lock", timeout=0)
    try:
        lock.acquire()
    except Timeout:
        raise LockedError(
            f"Another run holds the round's lock: {_who(holder)}",
            hint="Wait for it to end; the lock of a process that died is free at once.",
        ) from None
    except OSError as error:
        raise CannotRunError(f"Expected a folder that can be written, got {error}") from None
    try:
        about = {"pid": os.getpid(), "host": socket.gethostname(), "since": _now_text()}
        try:
            holder.write_text(json.dumps(about), encoding="utf-8")
        except OSError as error:
            raise CannotRunError(f"Expected a folder that can be written, got {error}") from None
        yield
    finally:
        with contextlib.suppress(OSError):  # the lock goes with the process all the same
            holder.unlink(missing_ok=True)
        lock.release()


def _who(holder: Path) -> str:
    try:
        about = json.loads(holder.read_text(encoding="utf-8"))
        return f"process {about['pid']} on {about['host']}, since {about['since']}"
    except (OSError, ValueError, KeyError, TypeError):
        return "an unknown process"


def _now_text() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")  # noqa: TID251  # for people only
