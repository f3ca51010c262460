"""``nat-scheduler missed``: who did not come, and where they can come now."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from scheduler.cli.commands.record import MOMENT
from scheduler.cli.progress import Progress
from scheduler.cli.render import table

if TYPE_CHECKING:
    from scheduler.app.missed import MissedResult


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--at", type=MOMENT, metavar="TIME",
              help="Local time to take for now, for rehearsals.")  # fmt: skip
@click.option("--database-url", envvar="NAT_SCHEDULER_DATABASE_URL",
              help="PostgreSQL instead of the SQLite file in DIR.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print the counts as JSON.")
@click.option("--quiet", is_flag=True, help="No progress on stderr.")
def command(
    folder: Path, at: datetime | None, database_url: str | None, as_json: bool, quiet: bool
) -> None:
    """Tell who was called by the roster in DIR and has no sample.

    Writes rosters/missed/: a list for each community with mop-up slots from what is free today and
    tomorrow, coverage.csv by hour for community, district and city, and codes.csv for the
    health-code platform: green after a negative result, yellow when missed after the round's end,
    and back.

    \b
    Example:
      nat-scheduler missed dalian
      nat-scheduler missed dalian --at "2020-12-23 12:00"
    """  # noqa: D301  # click reads the backspace itself
    from scheduler.app.missed import missed_round

    with Progress(quiet=quiet, lines=True) as progress:
        result = missed_round(folder, at=at, database_url=database_url, report=progress.stage)
    if as_json:
        click.echo(json.dumps(result.to_dict(), ensure_ascii=False))
    else:
        _tell(result)
    if result.other_times:
        click.echo(str(result.other_times), err=True)


def _tell(result: MissedResult) -> None:
    click.echo(f"Revision {result.revision} at {result.at}, in {result.folder}")
    city = {**vars(result), "place": "city"}
    names = ("place", "target", "called", "sampled", "missed")
    rows = [
        (*(line[name] for name in names), _percent(line["coverage"]))
        for line in (city, *result.districts)
    ]
    click.echo(table((*names, "coverage"), rows))
    click.echo(
        f"{result.mop_up:,} of those missed have a mop-up slot, {result.without_slot:,} have none; "
        f"{result.home_visits_open:,} home visits are open"
    )
    codes = result.codes
    click.echo(
        f"codes: {codes['green']:,} green ({codes['back_to_green']:,} back from yellow), "
        f"{codes['yellow']:,} yellow"
    )


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{share:.1%}"
