"""``nat-scheduler round``: rounds after one another."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from scheduler.cli.commands.record import MOMENT
from scheduler.cli.progress import Progress
from scheduler.cli.render import table

if TYPE_CHECKING:
    from scheduler.app.next_round import NextResult


@click.command()
@click.argument("action", type=click.Choice(["next", "coverage"]))
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--to", metavar="NEW", type=click.Path(path_type=Path),
              help="Folder of the next round; beside DIR, counted up, by default.")  # fmt: skip
@click.option("--scope", type=click.Choice(["all", "frequency"]), default="all", show_default=True,
              help="Everybody, or the communities due by [roster.frequency].")  # fmt: skip
@click.option("--district", metavar="D", help="The communities of this district only.")
@click.option("--start", type=MOMENT, metavar="TIME",
              help="Local start; the day after this round by default.")  # fmt: skip
@click.option("--database-url", envvar="NAT_SCHEDULER_DATABASE_URL",
              help="PostgreSQL instead of the SQLite file in DIR.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@click.option("--quiet", is_flag=True, help="No progress on stderr.")
def command(action: str, folder: Path, as_json: bool, quiet: bool, **options: Any) -> None:  # noqa: ANN401  # click's values
    """Open the round after DIR (next), or tell coverage over the rounds so far (coverage).

    The next round has a folder of its own with the input files of DIR, all communities or part of
    them, and its residents: those missed come first within their block. How often a zone is due
    stands in [roster.frequency].

    \b
    Example:
      nat-scheduler round next dalian
      nat-scheduler round next dalian --scope frequency --start "2020-12-26 06:00"
      nat-scheduler round coverage dalian
    """  # noqa: D301  # click reads the backspace itself
    from scheduler.app.next_round import NextOptions, next_round, rounds_so_far

    if action == "next":
        with Progress(quiet=quiet, lines=True) as progress:
            result = next_round(folder, NextOptions(**options), progress.stage)
    else:
        result = rounds_so_far(folder)
    if as_json:
        click.echo(json.dumps(result.to_dict(), ensure_ascii=False))
    else:
        _tell(result)


def _tell(result: NextResult) -> None:
    rows = [
        (r["round"], str(r["start"]).replace("T", " "), r["communities"], r["target"],
         r["sampled"], "-" if r["coverage"] is None else f"{r['coverage']:.1%}")
        for r in result.rounds
    ]  # fmt: skip
    click.echo(table(("round", "start", "places", "target", "sampled", "coverage"), rows))
    if result.residents:
        click.echo(
            f"{result.sampled_once:,} of {result.residents:,} residents were sampled at least once"
        )
    if result.next_round:
        click.echo(f"Opened {result.next_round} in {result.folder}")
        click.echo(f"  {result.start} to {result.end}, {result.communities:,} communities")
        click.echo(f"  {result.missed_first:,} missed residents come first")
        click.echo(f"Next: nat-scheduler check {result.folder}")
