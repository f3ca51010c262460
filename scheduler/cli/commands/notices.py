"""``nat-scheduler notices``: a printable page for each community."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from scheduler.cli.complete import COMMUNITY, DISTRICT, REVISION
from scheduler.cli.progress import Progress

if TYPE_CHECKING:
    from scheduler.app.notices import NoticesResult


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--revision", metavar="R", shell_complete=REVISION,
              help="Revision to print; the newest by default.")  # fmt: skip
@click.option("--district", metavar="D", shell_complete=DISTRICT,
              help="Notices of this district only.")  # fmt: skip
@click.option("--community", "communities", metavar="C", multiple=True, shell_complete=COMMUNITY,
              help="Notice of this community, by id or name; may be given again.")  # fmt: skip
@click.option("--png", "pictures", is_flag=True,
              help="Take a picture of each too, for chat groups (needs Chromium).")  # fmt: skip
@click.option("--templates", metavar="FOLDER",
              type=click.Path(path_type=Path, exists=True, file_okay=False),
              help="Folder with your own notice.html; DIR/templates if there is one.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print where the notices are as JSON.")
@click.option("--quiet", is_flag=True, help="No progress on stderr.")
def command(folder: Path, as_json: bool, quiet: bool, **options: object) -> None:
    """Write a notice for each community of the round in DIR.

    Writes published/<revision>/notices/<district>/<community_id>.html: when each building goes
    where, a sketch map, QR codes of the places, what to bring and whom to call. It prints on A4.
    A plan that breaks a rule gets no notices (exit 1). What notices.toml in DIR says of contact,
    bring, missed and remark stands on them.

    \b
    Example:
      nat-scheduler notices dalian
      nat-scheduler notices dalian --community DL-C0001 --png
    """  # noqa: D301  # click reads the backspace itself
    from scheduler.app.notices import NoticeOptions, make_notices

    with Progress(unit="notices", quiet=quiet) as progress:
        asked = NoticeOptions(**options)  # type: ignore[arg-type]  # click's values
        result = make_notices(folder, asked, report=progress.stage, progress=progress.tick)
    if as_json:
        click.echo(json.dumps(result.to_dict(), ensure_ascii=False))
    else:
        _tell(result)


def _tell(result: NoticesResult) -> None:
    click.echo(f"{len(result.pages):,} notice(s) of revision {result.revision}")
    click.echo(f"  {result.pages[0] if len(result.pages) == 1 else result.folder}")
    if result.pictures:
        click.echo(f"  {len(result.pictures):,} picture(s) beside them")
