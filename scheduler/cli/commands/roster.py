"""``nat-scheduler roster``: a slot for each resident, call lists for each community."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from scheduler.cli.progress import Progress
from scheduler.domain.row_codes import ROW_CODES

if TYPE_CHECKING:
    from scheduler.app.roster import RosterResult


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--residents", metavar="F", type=click.Path(path_type=Path), multiple=True,
              required=True, help="CSV or Parquet of residents; may be repeated.")  # fmt: skip
@click.option("--revision", metavar="R", help="Revision to follow; the newest by default.")
@click.option("--slips", is_flag=True, help="Also a printable slip for each household.")
@click.option("--plain-ids", is_flag=True,
              help="Resident ids as they are in call lists, instead of codes.")  # fmt: skip
@click.option("--allow-names", is_flag=True,
              help="Accept names and identity numbers; they are shown masked.")  # fmt: skip
@click.option("--database-url", envvar="NAT_SCHEDULER_DATABASE_URL",
              help="PostgreSQL instead of the SQLite file in DIR.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print the counts as JSON.")
@click.option("--quiet", is_flag=True, help="No progress on stderr.")
def command(folder: Path, as_json: bool, quiet: bool, **options: Any) -> None:  # noqa: ANN401  # click's values
    """Give each resident of F a slot of the plan in DIR, a home visit or an exemption.

    Follows `plan`: a household keeps site and slot together and shares a tube wherever the plan's
    tubes allow. Where the counted people differ from the plan's, a new revision is planned first.
    Writes rosters/<revision>/ with a call list for each community; rows that cannot be used go
    to rejected.csv with line and reason.

    \b
    Example:
      nat-scheduler roster dalian --residents residents.csv
      nat-scheduler roster dalian --residents a.csv --residents b.parquet --slips

    Exit codes: 0 everybody is accounted for, rejected rows included; 1 a file cannot be used as a
    whole; 2 cannot run.
    """  # noqa: D301  # click reads the backspace itself
    from scheduler.app.roster import RosterOptions, roster_round

    asked = RosterOptions(**options)
    with Progress(quiet=quiet, lines=True) as progress:
        result = roster_round(folder, asked, progress.stage)
    if as_json:
        click.echo(json.dumps(result.to_dict(), ensure_ascii=False))
    else:
        _tell(result)
    _warn(result)


def _tell(result: RosterResult) -> None:
    new = ", planned anew for the counted people" if result.replanned else ""
    click.echo(f"Roster of revision {result.revision}{new}, in {result.folder}")
    click.echo(f"  input       {result.input:>12,}   rows")
    click.echo(f"  slot        {result.slot:>12,}")
    click.echo(f"  home visit  {result.home_visit:>12,}")
    click.echo(f"  exempt      {result.exempt:>12,}")
    see = "   rows, see rejected.csv" if result.rejected else ""
    click.echo(f"  rejected    {result.rejected:>12,}{see}")
    for code, count in result.rejected_codes.items():
        click.echo(f"    {count:>14,}   {ROW_CODES[code].title} [{code}]")
    this = result.figures
    click.echo(
        f"  households  {this['households']:>12,}   {this['split_households']:,} in two tubes"
    )
    click.echo(f"  tubes       {this['tubes']:>12,}   planned {this['tubes_planned']:,}")
    click.echo(f"  communities {this['communities']:>12,}   each with a call list")


def _warn(result: RosterResult) -> None:
    for finding in result.notes:
        click.echo(f"{finding}  {finding.hint}".rstrip(), err=True)
    for code, count in result.remarks.items():
        rule = ROW_CODES[code]
        click.echo(f"{count:,} rows: {rule.title} [{code}]  {rule.way_out}", err=True)
    this = result.figures
    if this["no_slot"]:
        click.echo(f"Warning: {this['no_slot']:,} people have no slot in the plan; they stand "
                   "among the home visits with the plan's reason.", err=True)  # fmt: skip
    if this["over_quota"]:
        click.echo(f"Warning: {this['over_quota']:,} people are above the quota of their slot, "
                   "so that households stay together.", err=True)  # fmt: skip
    if this["people_without_roster"]:
        click.echo(f"Warning: the plan has {this['people_without_roster']:,} people in blocks "
                   "that the roster does not name.", err=True)  # fmt: skip
