"""A number that a copy of this process works out while this one goes on: for the second core.

In a city the lower bound takes as long as slots and tubes, and neither needs the other. Threads
would wait for each other (both are many small steps in Python); a copy made by ``fork`` has all
columns at once and shares their memory until it writes. Where there is no ``fork``, or the copy
fails, this process does the work itself.
"""

from __future__ import annotations

import ctypes
import os
import signal
import struct
import sys
import warnings
from collections.abc import Callable
from types import TracebackType

_NUMBER = struct.Struct("d")
_DIE_WITH_PARENT = 1  # PR_SET_PDEATHSIG of prctl(2)


class Beside:
    """Work that may be done by a copy; leaving the context ends the copy."""

    def __init__(self, work: Callable[[], float], *, copy: bool = True) -> None:
        """Take the work, and whether it is worth a ``copy`` of this process."""
        self._work, self._copy = work, copy and sys.platform == "linux"
        self._pid, self._pipe = 0, -1
        self._number: float | None = None

    def __enter__(self) -> Beside:
        """Begin; without a copy, do the work."""
        if not self._copy:
            self._number = self._work()
            return self
        self._pipe, end = os.pipe()
        try:
            with warnings.catch_warnings():  # of threads, none of which the copy uses
                warnings.simplefilter("ignore", DeprecationWarning)
                self._pid = os.fork()
        except OSError:
            os.close(self._pipe)
            self._pipe = -1
        if self._pipe >= 0 and not self._pid:
            self._be_the_copy(end)
        os.close(end)
        return self

    def _be_the_copy(self, end: int) -> None:
        """Work, write the number, and end without all that a process does at its end."""
        code = 1
        try:
            # else it would keep the lock of a run that is killed
            ctypes.CDLL(None).prctl(_DIE_WITH_PARENT, signal.SIGKILL)
            os.write(end, _NUMBER.pack(self._work()))
            code = 0
        finally:
            os._exit(code)

    def result(self) -> float:
        """Return the number; raises what the work raises."""
        if self._number is None and self._pid:
            found = os.read(self._pipe, _NUMBER.size)
            self._end()
            if len(found) == _NUMBER.size:
                self._number = float(_NUMBER.unpack(found)[0])
        if self._number is None:
            self._number = self._work()
        return self._number

    def _end(self) -> None:
        if self._pid:
            os.kill(self._pid, signal.SIGKILL)
            os.waitpid(self._pid, 0)
            self._pid = 0
        if self._pipe >= 0:
            os.close(self._pipe)
            self._pipe = -1

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End the copy if it still works."""
        self._end()
