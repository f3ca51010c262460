"""Run the command line in this process."""

from __future__ import annotations

import sys
from collections.abc import Callable

import pytest

from scheduler.cli.main import main
from tests.effort import no_effort

Run = Callable[..., tuple[int, str, str]]


def runner(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Return :func:`caller`'s function for tests to which it does not matter how good plans are."""
    monkeypatch.delenv("NAT_SCHEDULER_DATABASE_URL", raising=False)
    no_effort(monkeypatch)
    return caller(monkeypatch, capsys)


def caller(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Return a function that runs the command line: exit code, stdout, stderr."""

    def call(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["nat-scheduler", *map(str, arguments)])
        with pytest.raises(SystemExit) as caught:
            main()
        told = capsys.readouterr()
        return int(caught.value.code or 0), told.out, told.err

    return call
