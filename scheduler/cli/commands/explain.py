"""``nat-scheduler explain``: why a community goes where and when it goes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from scheduler.cli.render import wrap

if TYPE_CHECKING:
    from scheduler.cli.explain_words import Paragraph


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.argument("community", metavar="COMMUNITY")
@click.option("--revision", metavar="R", help="Revision to explain; the newest by default.")
@click.option("--json", "as_json", is_flag=True, help="Print facts and words as JSON.")
def command(folder: Path, community: str, revision: str | None, as_json: bool) -> None:
    """Tell why COMMUNITY (id or name) of the round in DIR goes there then.

    Tells its zone and the rules that bind it, the sites it may use with the way and how full
    each is, and the labs that take its tubes, in the language of the round. Reasons come from
    the input and the plan's files alone.

    \b
    Example:
      nat-scheduler explain dalian 210202001
    """  # noqa: D301  # click reads the backspace itself
    from scheduler.app.explain import explain_community
    from scheduler.cli.explain_words import paragraphs

    result = explain_community(folder, community, revision=revision)
    parts = paragraphs(result)
    if as_json:
        words = [{"heading": part.heading, "lines": part.lines} for part in parts]
        click.echo(json.dumps({**result.to_dict(), "words": words}, ensure_ascii=False))
    else:
        click.echo("\n\n".join(map(_text, parts)))


def _text(part: Paragraph) -> str:
    return "\n".join([wrap(part.heading), *(wrap(line, indent="  ") for line in part.lines)])
