"""The log of runs: every command that changes a round is written down however it ends."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from scheduler.app.runtime import Clock, Report
from scheduler.domain.instance import Instance
from scheduler.errors import SchedulerError
from scheduler.store import RunRecord, Store, open_store

INTERRUPTED = 130
"""Exit code after Ctrl-C, by the shells' convention of 128 + signal number."""


class Stages:
    """Measures stages and passes them on to whoever reports progress."""

    def __init__(self, clock: Clock, report: Report) -> None:
        self.clock, self._report = clock, report
        self._begin = self._last = clock.monotonic()
        self._name = ""
        self.seconds: dict[str, float] = {}

    def __call__(self, name: str, gap: float | None = None) -> None:
        """End the stage before and begin another."""
        now = self.clock.monotonic()
        if self._name:
            spent = self.seconds.get(self._name, 0.0) + now - self._last
            self.seconds[self._name] = round(spent, 3)
        self._name, self._last = name, now
        self._report(name, gap)

    def end(self, *, well: bool = True) -> dict[str, float]:
        """Close the last stage and return all of them with their total."""
        self("done" if well else "stopped")
        return {**self.seconds, "total": round(self.clock.monotonic() - self._begin, 3)}


@dataclass
class Run:
    """What is known of a run while it goes on; ``files`` are checksums by name."""

    store: Store
    files: dict[str, str] = field(default_factory=dict)
    instance: Instance | None = None
    revision: str | None = None
    seconds: dict[str, float] = field(default_factory=dict)


@contextmanager
def logged(command: str, folder: Path, database_url: str | None, stages: Stages) -> Iterator[Run]:
    """Open the store, and log the run of a command however it ends."""
    clock = stages.clock
    begin = clock.now()
    with open_store(folder, database_url, now=clock.now) as store:
        run = Run(store)
        exit_code, message = 0, ""
        try:
            yield run
        except SchedulerError as error:
            exit_code, message = error.exit_code, error.message
            raise
        except BaseException as error:
            exit_code = INTERRUPTED if isinstance(error, KeyboardInterrupt) else 2
            message = type(error).__name__
            raise
        finally:
            run.seconds = stages.end(well=not exit_code)
            store.log_run(
                RunRecord(
                    command=command, started_at=begin, ended_at=clock.now(), exit_code=exit_code,
                    seconds=run.seconds["total"], message=message, stages=run.seconds,
                    round_id=run.instance.settings.round.id if run.instance else None,
                    revision=run.revision,
                    inputs_sha256=run.instance.inputs_sha256 if run.instance else None,
                    files=run.files,
                )
            )  # fmt: skip
