"""``nat-scheduler verify``: check a stored plan against every hard rule and its own figures."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from scheduler.app.verify import VerifyResult


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--revision", help="Revision such as 0001; the newest by default.")
@click.option("--json", "as_json", is_flag=True, help="Print the breaches as JSON.")
@click.option("--limit", type=click.IntRange(min=0), help="Print at most this many breaches.")
def command(folder: Path, revision: str | None, as_json: bool, limit: int | None) -> None:
    """Check a plan of the round in DIR; shares no code with the solver.

    Input and plan are read again from disk. Every hard rule and every figure of summary.json is
    worked out anew; each breach is told with file, line, ids and code.

    \b
    Example:
      nat-scheduler verify dalian
      nat-scheduler verify dalian --revision 0001 --json --limit 20

    Exit codes: 0 clean, 1 breaches (or errors in the input), 2 there is no such plan.
    """  # noqa: D301  # click reads the backspace itself
    from scheduler.app.verify import verify_round

    result = verify_round(folder, revision)
    if as_json:
        click.echo(json.dumps(result.to_dict(limit), ensure_ascii=False))
    else:
        for line in _lines(result, limit):
            click.echo(line)
    sys.exit(1 if result.breaches else 0)


def _lines(result: VerifyResult, limit: int | None) -> Iterator[str]:
    from scheduler.domain.verify import CODES

    shown = result.breaches[:limit]
    yield from map(str, shown)
    hidden = len(result.breaches) - len(shown)
    if hidden:
        yield f"... and {hidden} more; run without --limit to see them"
    for code, number in result.by_code.items():
        yield f"{number:>8,} {code} {CODES[code]}"
    rows = f"{result.num_assignments:,} assignments, {result.num_consignments:,} consignments"
    found = f"{len(result.breaches):,} breach(es)" if result.breaches else "clean"
    yield f"Revision {result.revision}: {found} ({rows})"
