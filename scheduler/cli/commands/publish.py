"""``nat-scheduler publish``: write what communities, sites, labs and districts receive."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click
from tqdm import tqdm

from scheduler.app.publish import PublishResult, publish_revision


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--revision", metavar="R", help="Revision to publish; the newest by default.")
@click.option(
    "--district", metavar="D", help="Publish this district only, beside the city's files."
)
@click.option("--json", "as_json", is_flag=True, help="Print what was published as JSON.")
def command(folder: Path, revision: str | None, district: str | None, as_json: bool) -> None:
    """Publish a revision of the round in DIR.

    Writes published/<revision>/ with one CSV file per community, site, lab and district, and
    switches the link published/latest. With --district, writes published/<revision>-<district>/
    with that district's communities, its sites and those it uses, and the labs that get its
    tubes, and switches latest-<district>. A plan that breaks a rule is never published (exit 1).

    \b
    Example:
      nat-scheduler publish dalian
      nat-scheduler publish dalian --revision 0002 --district 金州区
    """  # noqa: D301  # click reads the backspace itself
    with tqdm(unit=" files", disable=not sys.stderr.isatty(), file=sys.stderr) as bar:

        def stage(name: str, _gap: float | None) -> None:
            bar.set_description(name)

        def tick(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        result = publish_revision(
            folder, revision=revision, district=district, report=stage, progress=tick
        )
    if as_json:
        click.echo(json.dumps(result.to_dict(), ensure_ascii=False))
    else:
        _tell(result)


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
