"""Every error of this program, and the exit code of each.

SchedulerError
├── InputError       1  findings in the input; carries them all
├── BreachError      1  a plan breaks hard rules; carries them all
├── CannotRunError   2  usage, settings, files, database
│   └── LockedError  2  another run holds the round's lock
├── PromiseError     3  the promise cannot be kept, with ``--strict``
└── NoPlanError      4  no plan within the time limit
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar


class Severity(StrEnum):
    """How bad a finding is: an error stops planning, a note does not."""

    ERROR = "error"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Finding:
    """An input row, cell or file that breaks a data rule, or was normalised."""

    code: str
    file: str
    line: int | None
    column: str | None
    text: str
    hint: str
    value: str | None = None
    severity: Severity = Severity.ERROR

    def __str__(self) -> str:
        """Return ``sites.csv:17: lanes: expected a whole number >= 1, got "4台" [C203]``."""
        place = self.file if self.line is None else f"{self.file}:{self.line}"
        column = f" {self.column}:" if self.column else ""
        got = f', got "{self.value}"' if self.value is not None else ""
        return f"{place}:{column} {self.text}{got} [{self.code}]"


class SchedulerError(Exception):
    """Base of all errors that are told to the user as one clear sentence."""

    exit_code: ClassVar[int] = 2

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class InputError(SchedulerError):
    """The input has findings of severity error."""

    exit_code = 1

    def __init__(
        self, findings: Sequence[Finding], *, hint: str = "Run `nat-scheduler check` on the folder."
    ) -> None:
        errors = [f for f in findings if f.severity is Severity.ERROR]
        super().__init__(f"{len(errors)} error(s) in the input", hint=hint)
        self.findings = tuple(findings)


class BreachError(SchedulerError):
    """A plan breaks hard rules."""

    exit_code = 1


class CannotRunError(SchedulerError):
    """The program cannot do what was asked: usage, settings, files, database."""

    exit_code = 2


class LockedError(CannotRunError):
    """Another run holds the round's lock."""


class PromiseError(SchedulerError):
    """The promise of a result in time cannot be kept and ``--strict`` was given."""

    exit_code = 3


class NoPlanError(SchedulerError):
    """No plan was found within the time limit."""

    exit_code = 4
