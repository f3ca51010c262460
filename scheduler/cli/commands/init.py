"""``nat-scheduler init``: start a round folder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from scheduler.domain.choices import CITIES, DEFAULT_SEED

if TYPE_CHECKING:
    from scheduler.app.init import InitResult


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--city", type=click.Choice(CITIES), help="Make up this city; without it, templates.")
@click.option("--people", type=click.IntRange(min=1), help="People of the city instead of all.")
@click.option(
    "--seed",
    type=click.IntRange(min=0),
    help=f"Seed of everything made up; {DEFAULT_SEED} by default.",
)
@click.option("--residents", is_flag=True, help="Make up its people too: residents.csv.")
@click.option("--json", "as_json", is_flag=True, help="Print what was written as JSON.")
def command(folder: Path, as_json: bool, **options: Any) -> None:  # noqa: ANN401  # click's values
    """Start the round folder DIR, which must be new or empty.

    With --city it holds a complete SYNTHETIC round, calibrated to published figures: the same
    arguments give the same bytes. Without, it holds a commented round.toml and CSV templates
    with two example rows each. --residents adds a roster of the made-up people, for `roster`.

    \b
    Example:
      nat-scheduler init dalian --city dalian --people 100000 --residents
      nat-scheduler init my-round
    """  # noqa: D301  # click reads the backspace itself
    from scheduler.app.init import init_round

    result = init_round(folder, **options)
    if as_json:
        click.echo(json.dumps(result.to_dict(), ensure_ascii=False))
    else:
        _tell(result)


def _tell(result: InitResult) -> None:
    what = "a synthetic round" if result.synthetic else "templates"
    click.echo(f"Wrote {what} to {result.folder}")
    click.echo("  round.toml")
    for name, rows in result.rows.items():
        click.echo(f"  {name}: {rows} rows")
    if result.synthetic:
        click.echo(f"Next: nat-scheduler check {result.folder}")
    else:
        click.echo("Next: change what round.toml marks, replace the example rows, run check.")
