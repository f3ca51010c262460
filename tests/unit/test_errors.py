"""Errors: one tree, an exit code each."""

from __future__ import annotations

import pytest

from scheduler.errors import (
    BreachError,
    CannotRunError,
    Finding,
    InputError,
    LockedError,
    NoPlanError,
    PromiseError,
    SchedulerError,
    Severity,
)


@pytest.mark.parametrize(
    ("kind", "code"),
    [(BreachError, 1), (CannotRunError, 2), (LockedError, 2), (PromiseError, 3), (NoPlanError, 4)],
)
def test_exit_codes(kind: type[SchedulerError], code: int) -> None:
    """Rule: schedulers such as cron tell the outcomes apart by the exit code."""
    error = kind("Expected this, got that", hint="Do so.")
    assert (error.exit_code, str(error), error.hint) == (code, "Expected this, got that", "Do so.")


def test_input_error_counts_errors_only() -> None:
    """Rule: notes travel with the error, but are not counted as errors; the exit code is 1."""
    bad = Finding("C203", "sites.csv", 17, "lanes", "expected a whole number >= 1", "", "4台")
    note = Finding("C202", "sites.csv", 3, "lat", "was normalised", "", severity=Severity.NOTE)
    error = InputError([bad, note])
    assert error.exit_code == 1
    assert error.message == "1 error(s) in the input"
    assert error.findings == (bad, note)


def test_text_of_a_finding() -> None:
    """Rule: file, line, column, what was expected, the value and the code, in one line."""
    finding = Finding("C203", "sites.csv", 17, "lanes", "expected a whole number >= 1", "", "4台")
    assert str(finding) == 'sites.csv:17: lanes: expected a whole number >= 1, got "4台" [C203]'


def test_text_of_a_finding_about_a_file() -> None:
    """Rule: what has no line, column or value is left out."""
    finding = Finding("C101", "labs.csv", None, None, "file is missing", "")
    assert str(finding) == "labs.csv: file is missing [C101]"


def test_every_error_is_one_of_the_tree() -> None:
    """Rule: one except clause catches all that is told to the user."""
    kinds: set[type[SchedulerError]] = {
        BreachError,
        CannotRunError,
        InputError,
        LockedError,
        NoPlanError,
        PromiseError,
    }
    assert kinds <= set(SchedulerError.__subclasses__()) | set(CannotRunError.__subclasses__())
    assert {kind.exit_code for kind in kinds} == {1, 2, 3, 4}
