"""``nat-scheduler report``: one page that shows a revision."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from scheduler.cli.complete import REVISION
from scheduler.cli.progress import Progress

if TYPE_CHECKING:
    from scheduler.app.report import ReportResult


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option(
    "--revision", metavar="R", shell_complete=REVISION,
    help="Revision to report on; the newest by default.",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print where the report is as JSON.")
@click.option("--quiet", is_flag=True, help="No progress on stderr.")
def command(folder: Path, revision: str | None, as_json: bool, quiet: bool) -> None:
    """Show a revision of the round in DIR on one page.

    Writes published/<revision>/report.html: figures, map, curves of sampling and laboratories,
    the worst communities and why, what changed since the revision before, and all communities,
    sites and labs. It is one file that opens by double click, asks nothing of any network and
    prints on A4. Simulations, sizing and coverage are shown where they were made before.

    \b
    Example:
      nat-scheduler report dalian
      nat-scheduler report dalian --revision 0002
    """  # noqa: D301  # click reads the backspace itself
    from scheduler.app.report import report_revision

    with Progress(quiet=quiet) as progress:
        result = report_revision(folder, revision=revision, report=progress.stage)
    if as_json:
        click.echo(json.dumps(result.to_dict(), ensure_ascii=False))
    else:
        _tell(result)


def _tell(result: ReportResult) -> None:
    click.echo(f"Report of revision {result.revision}: {result.path}")
    told = [f"{result.num_bytes / 1e6:.1f} MB", f"{result.breaches:,} breach(es)"]
    if result.before:
        told.append(f"compared with revision {result.before}")
    if result.simulations:
        told.append(f"{len(result.simulations)} simulation(s)")
    click.echo(f"  {', '.join(told)}")
