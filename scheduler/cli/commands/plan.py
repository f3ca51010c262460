"""``nat-scheduler plan``: allocate everybody to sites, slots and labs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from scheduler.cli.progress import Progress
from scheduler.cli.render import paint, wrap

if TYPE_CHECKING:
    from scheduler.app.plan import PlanResult


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True,
              help="Decides between equal choices.")  # fmt: skip
@click.option("--time-limit", type=click.FloatRange(min=0, min_open=True), metavar="SECONDS",
              help="Give up, exit 4, when no plan is complete by then.")  # fmt: skip
@click.option("--workers", type=click.IntRange(min=1), default=2, show_default=True,
              help="Processor cores that may be used; so far the flows run on one.")  # fmt: skip
@click.option("--strict", is_flag=True, help="Exit 3 when a result would come late.")
@click.option(
    "--certify",
    is_flag=True,
    help="Keep as much free as the plan needs to hold when it is lived through.",
)
@click.option("--district", help="Plan one district only, with its share of the laboratories.")
@click.option(
    "--set",
    "changes",
    multiple=True,
    metavar="CHANGE",
    help="Plan a variant, files untouched: labs.tubes_per_hour*=1.2; may be repeated.",
)
@click.option("--database-url", envvar="NAT_SCHEDULER_DATABASE_URL",
              help="PostgreSQL instead of the SQLite file in DIR.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print summary.json and seconds per stage.")
@click.option("--quiet", is_flag=True, help="No progress on stderr.")
def command(folder: Path, as_json: bool, quiet: bool, **options: object) -> None:
    """Plan the round in DIR as a new revision under DIR/plans.

    Says how far the plan can be from the best possible one (the gap to a proved lower bound). The
    plan is checked against every hard rule before it is kept.

    \b
    Example:
      nat-scheduler plan dalian
      nat-scheduler plan dalian --district 沙河口区 --strict
      nat-scheduler plan dalian --set "labs.tubes_per_hour*=1.2" --set "sites[L0123].lanes=+4"

    Exit codes: 0 planned (late results are warned of), 1 errors in the input, 2 cannot run, 3 late
    results (or with --certify a plan that does not hold) with --strict, 4 no plan within the time
    limit.
    """  # noqa: D301  # click reads the backspace itself
    from scheduler.app.plan import PlanOptions, plan_round

    limit = options.pop("time_limit")
    asked = PlanOptions(time_limit_s=limit, **options)  # type: ignore[arg-type]  # click's values
    with Progress(quiet=quiet, lines=True) as progress:
        result = plan_round(folder, asked, progress.stage, foresee=progress.foresee)
    if as_json:
        click.echo(json.dumps(result.to_dict(), ensure_ascii=False))
    else:
        _print(result)
    _warn(result)


def _print(result: PlanResult) -> None:
    this = result.summary
    people = max(1, this["people"])
    click.echo(f"Revision {result.revision}: {this['status']}, in {result.folder}")
    if this.get("variant"):
        click.echo(
            f"  variant     {', '.join(this['variant'])}: not published, name it with "
            "--revision elsewhere"
        )
    click.echo(f"  people      {this['people']:>12,}   served {this['served']:,}")
    click.echo(f"  late        {this['late_people']:>12,}   people with a result after the promise")
    click.echo(f"  objective   {this['objective'] / people:>12.4f}   person-minutes per person")
    for term, value in this["terms"].items():
        click.echo(f"    {term:<10}{value / people:>12.4f}")
    click.echo(
        f"  gap         {this['relative_gap']:>12.3%}   at most so far from the best possible"
    )
    walk = this["walk_m"]
    click.echo(f"  walk        {walk['mean']:>10.0f} m   95 % below {walk['p95']:.0f} m")
    busiest = this["busiest_slot"]
    if busiest is not None:
        when = busiest["start"][5:16].replace("T", " ")
        click.echo(f"  busiest     {busiest['people']:>12,}   called in one slot, at {when}")
    if "certified" in this:
        _print_certified(this["certified"])


def _print_certified(about: dict[str, Any]) -> None:
    margins = about["margins"]
    click.echo("Certified: it holds when lived through" if about["reached"]
               else "NOT certified: it does not hold when lived through")  # fmt: skip
    click.echo(f"  results in time {about['share_in_time']:>8.1%}   ordered "
               f"{about['ordered_share_in_time']:.0%}")  # fmt: skip
    click.echo(f"  beyond ground   {about['sites_beyond_ground']:>8,}   sites")
    click.echo(
        f"  kept free: {margins['promise_min']} min of the promise, "
        f"{1 - margins['lab_share']:.1%} of laboratories"
        f" (more at {len(margins['labs'])}), lanes at {len(margins['sites'])} sites"
    )
    if about["why_late"]:
        click.echo(wrap(f"Late: {about['why_late']}.", indent="  "))
    for site in about["sites"]:
        click.echo(wrap(f"{site['site_id']} (fits in {site['level']:.1%} of slots): "
                        f"{site['why']}.", indent="  "))  # fmt: skip


def _warn(result: PlanResult) -> None:
    late, reasons = result.summary["late_people"], result.summary["terms"]["unserved"]
    if late:
        told = f"{late:,} people would get their result late."
        click.echo(f"{paint('Warning:', 'yellow')} {told}", err=True)
    if reasons:
        told = "some people have no slot; see unserved.csv."
        click.echo(f"{paint('Warning:', 'yellow')} {told}", err=True)
