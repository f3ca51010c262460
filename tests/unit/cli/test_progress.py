"""Progress on a terminal and in a log."""

from __future__ import annotations

import io
import re
import sys
from time import sleep

import pytest

from scheduler.cli.progress import Progress


class Terminal(io.StringIO):
    """A screen of 80 columns that keeps what is written to it."""

    def isatty(self) -> bool:
        return True


def _on_terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    screen = Terminal()
    monkeypatch.setattr(sys, "stderr", screen)
    return screen


def test_terminal_shows_stage_rate_and_time_left(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rule: one line of at most 80 columns: stage, share, rate and time left; gone at the end."""
    screen = _on_terminal(monkeypatch)
    with Progress() as progress:
        progress.stage("reading")
        progress.stage("writing")
        for done in (1, 500, 900):
            sleep(0.12)  # tqdm draws ten times a second at most
            progress.tick(done, 1000)
    lines = [line for line in re.split(r"[\r\n]", screen.getvalue()) if line.strip()]
    assert any(line.startswith("reading") for line in lines)
    last = [line for line in lines if line.startswith("writing:  90%")]
    assert re.search(r"900/1000 .*files/s .*left", last[-1])
    assert all(len(line) <= 80 for line in lines)
    assert not screen.getvalue().splitlines()[-1].split("\r")[-1].strip()


def test_log_gets_a_line_for_each_stage(capsys: pytest.CaptureFixture[str]) -> None:
    """Rule: where stderr is no terminal, each stage is a line and counts are not told."""
    with Progress() as progress:
        progress.stage("checking", 0.0123)
        progress.tick(1, 2)
    told = capsys.readouterr()
    assert re.fullmatch(r" +\d+\.\d s  checking  gap 1\.230%\n", told.err)
    assert told.out == ""


def test_lines_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rule: a command whose stages are worth reading keeps them on the screen."""
    screen = _on_terminal(monkeypatch)
    with Progress(lines=True) as progress:
        progress.stage("streams")
    assert screen.getvalue().endswith("s  streams\n")


def test_quiet_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rule: --quiet is quiet, on a terminal too."""
    screen = _on_terminal(monkeypatch)
    with Progress(quiet=True) as progress:
        progress.stage("reading")
        progress.tick(1, 2)
    assert screen.getvalue() == ""
