"""The one handler that turns an error into text and an exit code."""

from __future__ import annotations

import json
import sys
from types import ModuleType

import click
import pytest

from scheduler import __version__
from scheduler.cli import main as entry
from scheduler.cli.main import COMMANDS, cli, main
from scheduler.errors import (
    BreachError,
    CannotRunError,
    Finding,
    InputError,
    LockedError,
    NoPlanError,
    PromiseError,
    Severity,
)

FINDINGS = [
    Finding("C203", "sites.csv", 17, "lanes", "expected a whole number >= 1", "Digits.", "4台"),
    Finding("C202", "sites.csv", 18, "lanes", "was normalised", "", severity=Severity.NOTE),
]


def end_of(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> object:
    monkeypatch.setattr(sys, "argv", ["nat-scheduler", *arguments])
    with pytest.raises(SystemExit) as caught:
        main()
    return caught.value.code


def command_that_raises(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    """Put a command ``check`` in place that ends with an error."""

    @click.command()
    @click.option("--json", "as_json", is_flag=True)
    def command(as_json: bool) -> None:  # noqa: ARG001  # the handler looks at the arguments
        raise error

    module = ModuleType("failing")
    vars(module)["command"] = command
    monkeypatch.setitem(sys.modules, "failing", module)
    monkeypatch.setitem(COMMANDS, "check", "failing")


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (InputError(FINDINGS), 1),
        (BreachError("1 breach"), 1),
        (CannotRunError("no such folder"), 2),
        (LockedError("held"), 2),
        (PromiseError("late"), 3),
        (NoPlanError("no plan in time"), 4),
        (click.UsageError("no such option"), 2),
        (click.FileError("x.csv"), 2),
        (click.Abort(), 130),
        (KeyboardInterrupt(), 130),
    ],
)
def test_exit_codes(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    error: BaseException,
    code: int,
) -> None:
    """Rule: each kind of error has its exit code, words on stderr and no traceback."""
    command_that_raises(monkeypatch, error)
    assert end_of(monkeypatch, "check") == code
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err
    assert "Traceback" not in printed.err


def test_errors_in_words(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Rule: each error of the input is told with its way out, notes are not; then the sum."""
    command_that_raises(monkeypatch, InputError(FINDINGS))
    end_of(monkeypatch, "check")
    assert capsys.readouterr().err.splitlines() == [
        'sites.csv:17: lanes: expected a whole number >= 1, got "4台" [C203]  Digits.',
        "Error: 1 error(s) in the input",
        "Run `nat-scheduler check` on the folder.",
    ]


def test_errors_as_json(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Rule: who asked for JSON gets JSON, also when it fails."""
    command_that_raises(monkeypatch, CannotRunError("没有", hint="Make it."))
    assert end_of(monkeypatch, "check", "--json") == 2
    assert json.loads(capsys.readouterr().out) == {"error": "没有", "hint": "Make it."}


@pytest.mark.parametrize("arguments", [("no-such",), ("check",), ("check", "--no-such", "x")])
def test_usage_errors_exit_2(monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]) -> None:
    """Rule: an unknown command or option, or a missing argument, is usage: 2."""
    assert end_of(monkeypatch, *arguments) == 2


@pytest.mark.parametrize("flag", ["--help", "-h", "--version"])
def test_help_and_version_exit_0(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], flag: str
) -> None:
    """Rule: asking for help or version is no error."""
    assert end_of(monkeypatch, flag) == 0
    assert (__version__ if flag == "--version" else "Exit codes") in capsys.readouterr().out


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_with_an_example(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    """Rule: help of each command shows how it is called, a line for each example."""
    assert end_of(monkeypatch, name, "--help") == 0
    printed = capsys.readouterr().out
    heading, *lines = printed[printed.index("  Example") :].splitlines()
    assert heading.endswith(":")
    assert lines[0].startswith(f"    nat-scheduler {name} ")


def test_commands_are_listed_in_order_of_use() -> None:
    """Rule: help lists the commands as they are used, and nothing else is found."""
    context = click.Context(cli)
    assert cli.list_commands(context) == list(entry.COMMANDS)
    assert cli.get_command(context, "no-such") is None
