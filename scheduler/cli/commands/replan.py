"""``nat-scheduler replan``: mend the plan after what has happened, moving as few as possible."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from scheduler.cli.progress import Progress

if TYPE_CHECKING:
    from scheduler.app.replan import ReplanResult

NUM_NOTES = 10


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--progress", metavar="F", multiple=True, type=click.Path(path_type=Path),
              help="Progress, taken into DIR/progress and read with what lies there; a file of the "
                   "same name replaces the earlier one. May be repeated.")  # fmt: skip
@click.option("--events", metavar="F", multiple=True, type=click.Path(path_type=Path),
              help="Events, taken into DIR/events and read with those there; a file of the same "
                   "name replaces the earlier one. May be repeated.")  # fmt: skip
@click.option("--now", metavar="T", help="Time that counts as now; the clock's by default.")
@click.option("--publish", is_flag=True, help="Publish the revision that stands afterwards.")
@click.option("--webhook", metavar="URL", help="POST a short JSON when a new revision stands.")
@click.option("--time-limit", type=click.FloatRange(min=0, min_open=True), metavar="SECONDS",
              help="Give up, exit 4, when no plan is complete by then.")  # fmt: skip
@click.option("--database-url", metavar="URL", envvar="NAT_SCHEDULER_DATABASE_URL",
              help="PostgreSQL instead of the SQLite file in DIR.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@click.option("--quiet", is_flag=True, help="No progress; nothing at all when nothing changed.")
def command(
    folder: Path,
    as_json: bool,
    quiet: bool,
    **asked: Any,  # noqa: ANN401  # click's values
) -> None:
    """Re-plan the round in DIR during the round.

    What is done stays done; what starts within the freeze window (60 minutes by default) stays
    unless its site is closed; of the rest as few people as possible are moved. When the plan still
    holds, nothing is written.

    \b
    Example:
      nat-scheduler replan dalian
      nat-scheduler replan dalian --events storm.csv --now 2020-12-22T12:00 --publish
      nat-scheduler replan dalian --quiet --publish --webhook http://127.0.0.1:8000/new

    Exit codes: 0 done, also when nothing changed or the webhook does not answer, 1 errors in input,
    events or progress, 2 cannot run (also when another run holds the round), 4 no plan within the
    time limit.
    """  # noqa: D301  # click reads the backspace itself
    from scheduler.app.replan import ReplanOptions, replan_round
    from scheduler.app.webhook import check_webhook

    if asked["webhook"]:
        check_webhook(asked["webhook"])
    options = ReplanOptions(
        progress=asked["progress"], events=asked["events"], now=asked["now"],
        time_limit_s=asked["time_limit"], database_url=asked["database_url"],
        publish=asked["publish"], webhook=asked["webhook"],
    )  # fmt: skip
    with Progress(quiet=quiet or as_json, lines=True) as progress:
        result = replan_round(folder, options, progress.stage)
    if not quiet:
        _tell_notes(result)
    if as_json:
        click.echo(json.dumps(result.to_dict(), ensure_ascii=False))
    elif result.revision is not None:
        _print(result)
    elif not quiet:
        click.echo(f"Nothing has changed: revision {result.based_on} stands")
    if result.published is not None and not as_json and not quiet:
        click.echo(f"Published in {result.published}")
    if result.webhook_error:
        click.echo(f"Warning: {result.webhook_error}", err=True)


def _tell_notes(result: ReplanResult) -> None:
    for note in result.notes[:NUM_NOTES]:
        click.echo(f"Note: {note}", err=True)
    if len(result.notes) > NUM_NOTES:
        click.echo(f"Note: {len(result.notes) - NUM_NOTES:,} more; --json has them all", err=True)


def _print(result: ReplanResult) -> None:
    this, told = result.summary, result.summary["replan"]
    click.echo(f"Revision {result.revision}: {this['status']}, in {result.folder}")
    click.echo(f"  stands on   {result.based_on:>12}   calls before {told['frozen_until']} stay")
    click.echo(
        f"  must leave  {told['must_leave']:>12,}   people cannot stay as they are, at least"
    )
    for cause, people in told["must_leave_by_cause"].items():
        click.echo(f"    {cause:<14}{people:>8,}")
    click.echo(f"  lost place  {told['lost_place']:>12,}   people had one and have none now")
    click.echo(f"  must move   {told['must_move']:>12,}   of those who keep a place, at least")
    click.echo(
        f"  moved       {told['moved']:>12,}   {told['moved_to_other_site']:,} to another site, "
        f"{told['moved_to_other_time']:,} to another time"
    )
    click.echo(f"  people      {this['people']:>12,}   served {this['served']:,}")
    click.echo(f"  late        {this['late_people']:>12,}   people with a result after the promise")
    calm = told["cost_of_calm"]["at_most"]
    if calm is not None:
        click.echo(f"  calm        {calm / max(1, this['people']):>12.4f}   person-minutes per "
                   "person that a plan made anew could save at most")  # fmt: skip
    if this["late_people"]:
        click.echo(
            f"Warning: {this['late_people']:,} people would get their result late.", err=True
        )
    if this["terms"]["unserved"]:
        click.echo("Warning: some people have no slot; see unserved.csv.", err=True)
