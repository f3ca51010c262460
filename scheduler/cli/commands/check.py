"""``nat-scheduler check``: every finding in the input, and the arithmetic of the round."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from scheduler.cli.commands.check_tables import arithmetic_lines
from scheduler.errors import Finding

if TYPE_CHECKING:
    from scheduler.app.check import CheckResult


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print findings and arithmetic as JSON.")
@click.option("--limit", type=click.IntRange(min=0), help="Print at most this many findings.")
def command(folder: Path, as_json: bool, limit: int | None) -> None:
    """Check the input of the round in DIR, then show its arithmetic.

    All findings are told at once, errors first: file, line, column, value, code and way out.
    The arithmetic shows people, tubes, lane-hours and lab tubes needed and there, by district.

    \b
    Example:
      nat-scheduler check dalian
      nat-scheduler check dalian --json --limit 20

    Exit codes: 0 no errors (notes do not count), 1 errors, 2 DIR cannot be read.
    """  # noqa: D301  # click reads the backspace itself
    from scheduler.app.check import check_round

    result = check_round(folder)
    if as_json:
        click.echo(json.dumps(_document(result, limit), ensure_ascii=False))
    else:
        for line in _lines(result, limit):
            click.echo(line)
    sys.exit(1 if result.num_errors else 0)


def _document(result: CheckResult, limit: int | None) -> dict[str, object]:
    document = result.to_dict()
    document["findings"] = document["findings"][:limit]
    return document


def _lines(result: CheckResult, limit: int | None) -> Iterator[str]:
    shown = result.findings[:limit]
    yield from map(_finding_line, shown)
    hidden = len(result.findings) - len(shown)
    if hidden:
        yield f"... and {hidden} more; run without --limit to see them"
    if shown or hidden:
        yield ""
    yield f"{result.num_errors} error(s), {result.num_notes} note(s)"
    if result.arithmetic is None:
        yield "The arithmetic of the round follows when there are no errors."
    else:
        yield ""
        yield from arithmetic_lines(result.arithmetic)


def _finding_line(finding: Finding) -> str:
    hint = f"\n    {finding.hint}" if finding.hint else ""
    return f"{finding.severity.value}: {finding}{hint}"
