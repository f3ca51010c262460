"""``nat-scheduler simulate``: tell whether the plan will hold."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from scheduler.cli.commands.simulate_tables import lines
from scheduler.domain.choices import CASES


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--revision", metavar="R", help="Revision such as 0001; the newest by default.")
@click.option("--case", "cases", multiple=True, metavar="CASE",
              type=click.Choice([*CASES, "all"]),
              help=f"{', '.join(CASES)}, or all; may be repeated. Plain by default.")  # fmt: skip
@click.option(
    "--replications",
    type=click.IntRange(1, 1000),
    metavar="N",
    help="How often the plan is lived through; simulate.replications by default.",
)
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True,
              help="Of the random numbers: the same seed gives the same answer.")  # fmt: skip
@click.option("--workers", type=click.IntRange(min=1), default=2, show_default=True,
              help="Processor cores used; the answer does not depend on it.")  # fmt: skip
@click.option("--no-compare", is_flag=True,
              help="Do not live through the same round without a schedule.")  # fmt: skip
@click.option("--limit", type=click.IntRange(min=0), default=10, show_default=True,
              help="Sites and laboratories printed at most.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print everything as JSON.")
@click.option("--quiet", is_flag=True, help="No progress on stderr.")
def command(
    folder: Path,
    cases: tuple[str, ...],
    no_compare: bool,
    limit: int,
    as_json: bool,
    quiet: bool,
    **options: object,
) -> None:
    """Live through a plan of the round in DIR with random people, couriers and machines.

    Tells with percentiles how long queues get and whether the grounds hold them, how long people
    wait, and which share of results comes within the promise; beside it the same sites without a
    schedule. Written to DIR/analysis/<revision>/simulate-<case>.json.

    \b
    Cases:
      plain              punctuality, no-shows, swab and courier times of round.toml
      registration_down  registration fails in the busiest hour: 10 people per lane and hour
      lab_out            the busiest laboratory starts nothing from noon of the first day on
      rain               everybody 15 minutes late, couriers slower
      more_people        10 % more people than registered

    \b
    Example:
      nat-scheduler simulate dalian
      nat-scheduler simulate dalian --case lab_out --case rain --replications 50

    Exit codes: 0 whatever is found, 1 errors in the input, 2 cannot run.
    """  # noqa: D301  # click reads the backspace itself
    from scheduler.app.simulate import SimulateOptions, simulate_round

    asked = SimulateOptions(cases=cases or ("plain",), compare=not no_compare, **options)  # type: ignore[arg-type]  # click's values
    result = simulate_round(folder, asked, _Progress(quiet=quiet))
    if as_json:
        click.echo(json.dumps(result.to_dict(), ensure_ascii=False))
        return
    for document, file in zip(result.documents, result.files, strict=True):
        for line in lines(document, limit):
            click.echo(line)
        click.echo(f"Written to {file}\n")


class _Progress:
    """Prints a stage on stderr when it begins, and when it is done."""

    def __init__(self, *, quiet: bool) -> None:
        self._quiet, self._last = quiet, ""

    def __call__(self, stage: str, share: float) -> None:
        percent = f"{stage} {round(share * 10) * 10} %"
        if self._quiet or percent == self._last:
            return
        self._last = percent
        click.echo(percent, err=True)
        sys.stderr.flush()
