"""``nat-scheduler record``: samples and results as they come in."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from scheduler.cli.progress import Progress
from scheduler.cli.render import table
from scheduler.domain.row_codes import ROW_CODES

if TYPE_CHECKING:
    from scheduler.app.record_outcome import RecordResult


class _Moment(click.DateTime):
    """A local time to the minute, or to the second."""

    def __init__(self) -> None:
        super().__init__(["%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"])

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None  # noqa: ANN401  # click's signature
    ) -> Any:  # noqa: ANN401  # as above  # fmt: skip
        """Return the time, or say how one is written."""
        try:
            return super().convert(value, param, ctx)
        except click.BadParameter:
            self.fail(f'expected a local time such as "2020-12-22 06:15", got "{value}"', param,
                      ctx)  # fmt: skip


MOMENT = _Moment()


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--samples", metavar="F", type=click.Path(path_type=Path), multiple=True,
              help="CSV or Parquet of samples, or a folder of them; may be repeated.")  # fmt: skip
@click.option("--results", metavar="F", type=click.Path(path_type=Path), multiple=True,
              help="CSV or Parquet of results, or a folder of them; may be repeated.")  # fmt: skip
@click.option("--at", type=MOMENT, metavar="TIME",
              help="Local time to take for now, for rehearsals.")  # fmt: skip
@click.option("--database-url", envvar="NAT_SCHEDULER_DATABASE_URL",
              help="PostgreSQL instead of the SQLite file in DIR.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print the counts as JSON.")
@click.option("--quiet", is_flag=True, help="No progress on stderr.")
def command(folder: Path, as_json: bool, quiet: bool, **options: Any) -> None:  # noqa: ANN401  # click's values
    """Record who was sampled and what the tubes showed, for the roster in DIR.

    Files may come in any order, twice, or with corrections; people that the roster does not know
    are kept aside. A positive tube lists its members and their households at once: isolation, and
    an hour for single tubes from the reserved capacity, until their single tube is negative.

    \b
    Example:
      nat-scheduler record dalian --samples today/
      nat-scheduler record dalian --results lab-7.csv --results lab-9.csv

    Exit codes: 0 every row is accounted for, rejected rows included; 1 a file cannot be used as a
    whole; 2 cannot run.
    """  # noqa: D301  # click reads the backspace itself
    from scheduler.app.record import RecordOptions, record_round

    asked = RecordOptions(**options)
    with Progress(quiet=quiet) as progress:
        result = record_round(folder, asked, progress.stage, progress.tick)
    if as_json:
        click.echo(json.dumps(result.to_dict(), ensure_ascii=False))
    else:
        _tell(result)
    _warn(result)


def _tell(result: RecordResult) -> None:
    for kind, counts in (("samples", result.samples), ("results", result.results)):
        if counts is None:
            continue
        click.echo(f"{counts['input']:,} rows of {kind}")
        for name in ("recorded", "duplicate", "corrected", "unknown", "rejected"):
            click.echo(f"  {name:<10}{counts[name]:>12,}")
    if result.turnaround:
        rows = [
            (t["place"], t["sampled"], t["resulted"], _percent(t["share_in_time"]),
             t["p50_hours"], t["p95_hours"])
            for t in result.turnaround
        ]  # fmt: skip
        click.echo(table(("place", "sampled", "result", "in time", "p50 h", "p95 h"), rows))
    if result.positive:
        this = result.positive
        click.echo(
            f"{this['tubes']:,} positive tube(s): {this['members']:,} members and "
            f"{this['households']:,} of their households; {this['to_resample']:,} to sample "
            f"singly, {this['waiting']:,} waiting for that result, {this['released']:,} released"
        )
    for name, path in result.files.items():
        click.echo(f"  {name}: {path}")


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{share:.1%}"


def _warn(result: RecordResult) -> None:
    for finding in result.notes:
        click.echo(f"{finding}  {finding.hint}".rstrip(), err=True)
    for code, count in [*result.remarks.items(), *result.rejected_codes.items()]:
        rule = ROW_CODES[code]
        click.echo(f"{count:,} rows: {rule.title} [{code}]  {rule.way_out}", err=True)
    late = result.positive.get("resample_late", 0)
    if late:
        click.echo(f"Warning: {late:,} people cannot be sampled singly within the limit; raise "
                   "results.resample_people_per_hour by more teams.", err=True)  # fmt: skip
