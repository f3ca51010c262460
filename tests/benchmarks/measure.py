"""Run one command as a process and measure it: wall clock, peak memory, exit code."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

_RSS_UNIT = 1 if sys.platform == "darwin" else 1024
"""Bytes in a unit of ru_maxrss (getrusage(2)): kibibytes on Linux, bytes on macOS."""


@dataclass(frozen=True)
class Measured:
    """How a process went; ``document`` is what it printed as JSON."""

    seconds: float
    peak_mib: float
    exit_code: int
    document: dict[str, Any]
    errors: str
    cpu_seconds: float = 0.0


def run(command: Sequence[str]) -> Measured:
    """Run a command that prints JSON; memory is that of the process and of what it waited for."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        begin = time.perf_counter()
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=err)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - begin
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        err.seek(0)
        printed, errors = out.read().decode(), err.read().decode()
    peak = usage.ru_maxrss * _RSS_UNIT / 2**20
    cpu = usage.ru_utime + usage.ru_stime
    return Measured(seconds, peak, process.returncode, _document(printed), errors, cpu)


def machine() -> dict[str, Any]:
    """Return what a measurement depends on: processor, memory, versions."""
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return {
        "cores": os.cpu_count(),
        "memory_gib": round(pages / 2**30, 1),
        "platform": platform.platform(),
        "python": platform.python_version(),
        **{name: version(name) for name in ("nat-scheduler", "ortools", "numpy", "pandas")},
    }


def _document(printed: str) -> dict[str, Any]:
    lines = [line for line in printed.splitlines() if line.startswith("{")]
    document: dict[str, Any] = json.loads(lines[-1]) if lines else {}
    return document
