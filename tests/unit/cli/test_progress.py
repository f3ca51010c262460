"""Progress on a terminal and in a log."""

from __future__ import annotations

import io
import re
import sys
from time import sleep

import pytest

from scheduler.cli.progress import Progress, TimeLeft


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


def test_time_left_is_told_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rule: stages with foreseen seconds tell what is left, and that it is estimated."""
    screen = _on_terminal(monkeypatch)
    with Progress(lines=True) as progress:
        progress.foresee({"places": 30.0, "writing": 10.0})
        progress.stage("places", 0.01)
        progress.stage("another")
    first, second = screen.getvalue().splitlines()
    assert first.endswith("s  places  gap 1.000%  (estimated 40 s left)")
    assert second.endswith("s  another")


def test_no_time_left_in_a_log(capsys: pytest.CaptureFixture[str]) -> None:
    """Rule: where stderr is no terminal, lines are as they were."""
    with Progress(lines=True) as progress:
        progress.foresee({"places": 30.0})
        progress.stage("places")
    assert capsys.readouterr().err.endswith("s  places\n")


def test_time_left_follows_the_pace() -> None:
    """Rule: on a machine half as fast as foreseen, what is left takes twice as long in the end."""
    left = TimeLeft({"a": 10.0, "b": 80.0, "c": 10.0}, 100.0)
    assert left.at("a", 100.0) == pytest.approx(100)
    assert left.at("b", 110.0) == pytest.approx(90)
    assert left.at("c", 280.0) == pytest.approx(19)
    assert left.at("d", 281.0) is None
