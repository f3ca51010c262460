"""``nat-scheduler publish``: write what communities, sites, labs and districts receive."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from scheduler.cli.complete import DISTRICT, REVISION
from scheduler.cli.progress import Progress
from scheduler.domain.choices import FORMATS

if TYPE_CHECKING:
    from scheduler.app.publish import PublishResult


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--revision", metavar="R", shell_complete=REVISION,
              help="Revision to publish; the newest by default.")  # fmt: skip
@click.option("--district", metavar="D", shell_complete=DISTRICT,
              help="Publish this district only, beside the city's files.")  # fmt: skip
@click.option("--format", "formats", multiple=True, type=click.Choice(FORMATS),
              help="Write the same rows in this format too; may be given again.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print what was published as JSON.")
@click.option("--quiet", is_flag=True, help="No progress on stderr.")
def command(folder: Path, as_json: bool, quiet: bool, **options: object) -> None:
    """Publish a revision of the round in DIR.

    Writes published/<revision>/ with one CSV file per community, site, lab and district, and
    switches the link published/latest. With --district, writes published/<revision>-<district>/
    with that district's communities, its sites and those it uses, and the labs that get its
    tubes, and switches latest-<district>. A plan that breaks a rule is never published (exit 1).

    --format xlsx adds workbooks/<district>.xlsx with a sheet for each community, --format geojson
    layers for QGIS, --format parquet tables for programs: the same rows as the CSV files.

    \b
    Example:
      nat-scheduler publish dalian
      nat-scheduler publish dalian --format xlsx --format geojson
      nat-scheduler publish dalian --revision 0002 --district 金州区
    """  # noqa: D301  # click reads the backspace itself
    from scheduler.app.publish import publish_revision

    with Progress(quiet=quiet) as progress:
        result = publish_revision(
            folder,
            report=progress.stage,
            progress=progress.tick,
            **options,  # type: ignore[arg-type]  # click's values
        )
    if as_json:
        click.echo(json.dumps(result.to_dict(), ensure_ascii=False))
    else:
        _tell(result)
    if result.other_times:
        click.echo(str(result.other_times), err=True)


def _tell(result: PublishResult) -> None:
    made = result.published
    what = f"revision {result.revision}"
    if result.district:
        what += f" of {result.district}"
    click.echo(f"Published {what} in {made.path}")
    click.echo(
        f"  {made.communities:,} communities, {made.sites:,} sites, {made.labs:,} labs, "
        f"{made.districts:,} district(s)"
    )
    click.echo(f"  {made.link} points at it")
