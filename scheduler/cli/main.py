"""The command group, and the one place where an error becomes text and an exit code."""

from __future__ import annotations

import atexit
import gc
import importlib
import json
import sys

import click
from click.shell_completion import CompletionItem

from scheduler import __version__
from scheduler.cli.render import paint
from scheduler.errors import InputError, SchedulerError, Severity

COMMANDS = {
    "init": "scheduler.cli.commands.init",
    "check": "scheduler.cli.commands.check",
    "plan": "scheduler.cli.commands.plan",
    "verify": "scheduler.cli.commands.verify",
    "publish": "scheduler.cli.commands.publish",
    "report": "scheduler.cli.commands.report",
    "notices": "scheduler.cli.commands.notices",
    "show": "scheduler.cli.commands.show",
    "explain": "scheduler.cli.commands.explain",
    "simulate": "scheduler.cli.commands.simulate",
    "size": "scheduler.cli.commands.size",
    "roster": "scheduler.cli.commands.roster",
    "record": "scheduler.cli.commands.record",
    "missed": "scheduler.cli.commands.missed",
    "round": "scheduler.cli.commands.round",
    "replan": "scheduler.cli.commands.replan",
}
"""Command name -> module that holds a click command called ``command``, in order of use."""


class LazyGroup(click.Group):
    """Import a command only when it is called or listed, so that start-up stays quick.

    The modules of the commands are light as well: each imports its use case, and with it numpy,
    pandas or the solver, inside the function that runs it. So `--help` and completion are quick.
    """

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  # click's signature
        """Return the command names in order of use."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002  # click's signature
        """Import and return one command."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(COMMANDS[cmd_name]).command
        return command

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Return names and options without importing any command: a shell waits for it."""
        names = [CompletionItem(name) for name in COMMANDS if name.startswith(incomplete)]
        return [*names, *click.Command.shell_complete(self, ctx, incomplete)]


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "auto_envvar_prefix": "NAT_SCHEDULER"},
)
@click.version_option(__version__, prog_name="nat-scheduler")
def cli() -> None:
    """Plan a city-wide nucleic-acid testing round.

    \b
    Example: a synthetic round of Dalian, planned and published.
      nat-scheduler init dalian --city dalian
      nat-scheduler check dalian
      nat-scheduler plan dalian
      nat-scheduler verify dalian
      nat-scheduler publish dalian

    Exit codes: 0 done, 1 findings or breaches, 2 cannot run, 3 the promise cannot be kept
    (--strict), 4 no plan within the time limit.
    """  # noqa: D301  # click reads the backspace itself


OBJECTS_BETWEEN_COLLECTIONS = 100_000
"""Python's own 700 has it look through all that was imported and all calls of a city again and
again for circles, which there are hardly any: 0.8 s of a plan."""


def main() -> None:
    """Run the command line; the process exits with the code of the error, if any."""
    gc.set_threshold(OBJECTS_BETWEEN_COLLECTIONS)
    atexit.register(gc.freeze)  # or the interpreter looks through all modules once more: 0.3 s
    try:
        code = cli.main(standalone_mode=False)
        sys.exit(code if isinstance(code, int) else 0)
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    except (click.Abort, KeyboardInterrupt):
        click.echo("Interrupted; nothing was half-written.", err=True)
        sys.exit(130)
    except SchedulerError as error:
        _tell(error)
        sys.exit(error.exit_code)


def _tell(error: SchedulerError) -> None:
    """Print an error to stderr, and as JSON to stdout where ``--json`` was asked for."""
    findings = error.findings if isinstance(error, InputError) else ()
    for finding in findings:
        if finding.severity is Severity.ERROR:
            click.echo(f"{finding}  {finding.hint}".rstrip(), err=True)
    click.echo(f"{paint('Error:', 'red')} {error.message}", err=True)
    if error.hint:
        click.echo(error.hint, err=True)
    if "--json" in sys.argv:
        click.echo(json.dumps({"error": error.message, "hint": error.hint}, ensure_ascii=False))
