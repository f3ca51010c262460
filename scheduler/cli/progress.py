"""Progress on stderr: stage, share done, rate and time left on a terminal; stages only in a log."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Mapping
from time import monotonic
from types import TracebackType
from typing import NoReturn

import click
from tqdm import tqdm

from scheduler.cli.render import WIDTH

_BAR = "{desc}: {percentage:3.0f}% |{bar}| {n_fmt}/{total_fmt} {rate_fmt} {remaining} left"
TRUST = 0.1
"""Share of a whole run that counts as done at the foreseen pace when it begins."""
_NO_BAR = "{desc}: {elapsed}"


class TimeLeft:
    """Estimates the time left from the seconds that stages should take and from those they took.

    The pace so far counts the more the more is done: at first the foreseen seconds are taken as
    they are.
    """

    def __init__(self, seconds: Mapping[str, float], now: float) -> None:
        self._seconds, self._begin = list(seconds.items()), now

    def at(self, stage: str, now: float) -> float | None:
        """Return the seconds left when a stage begins; None where it was not foreseen."""
        names = [name for name, _ in self._seconds]
        if stage not in names:
            return None
        done = sum(seconds for _, seconds in self._seconds[: names.index(stage)])
        total = sum(seconds for _, seconds in self._seconds)
        pace = (now - self._begin + TRUST * total) / (done + TRUST * total)
        return pace * (total - done)


class Progress:
    """Tells the stage and, where files are counted, how many are done and how long it takes.

    On a terminal it is one line that is rewritten and taken away at the end. Elsewhere, and with
    ``lines``, each stage is a line of its own.
    """

    def __init__(self, *, unit: str = "files", quiet: bool = False, lines: bool = False) -> None:
        self._quiet, self._begin = quiet, monotonic()
        self._terminal, self._left = sys.stderr.isatty(), TimeLeft({}, self._begin)
        self._bar: tqdm[NoReturn] | None = None
        if not quiet and not lines and self._terminal:
            columns = min(WIDTH, shutil.get_terminal_size().columns) - 1
            self._bar = tqdm(
                unit=f" {unit}",
                file=sys.stderr,
                ncols=columns,
                leave=False,
                bar_format=_NO_BAR,
                miniters=1,
            )

    def __enter__(self) -> Progress:
        """Return itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        """Take the line away."""
        if self._bar is not None:
            self._bar.close()

    def foresee(self, seconds: Mapping[str, float]) -> None:
        """Take the seconds that the stages to come should take, by name and in order."""
        self._left = TimeLeft(seconds, monotonic())

    def stage(self, name: str, gap: float | None = None) -> None:
        """Tell that a stage begins, and the gap so far where one is known."""
        known = "" if gap is None else f"  gap {gap:.3%}"
        left = self._left.at(name, monotonic()) if self._terminal else None
        if left is not None:
            known += f"  (estimated {max(1, round(left))} s left)"
        if self._bar is not None:
            self._bar.set_description_str(name + known)
        elif not self._quiet:
            click.echo(f"{monotonic() - self._begin:7.1f} s  {name}{known}", err=True)

    def tick(self, done: int, total: int) -> None:
        """Tell how many are done of how many."""
        if self._bar is None:
            return
        if self._bar.total != total:
            self._bar.bar_format = _BAR
            self._bar.reset(total)
        self._bar.update(done - self._bar.n)
