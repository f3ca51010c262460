"""``nat-scheduler size``: what a target needs, and what would help most."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from time import monotonic
from typing import Any

import click

from scheduler.cli.render import table, wrap

_UNITS = {"": 60, "h": 60, "d": 1440, "m": 1, "min": 1}


class _Span(click.ParamType[int]):
    """A length of time: 24h, 3d, 90min; a bare number is hours. The value is whole minutes."""

    name = "span"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None  # noqa: ANN401  # click's signature
    ) -> int:  # fmt: skip
        """Return minutes."""
        found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*(h|d|m|min|)\s*", str(value))
        minutes = round(float(found[1]) * _UNITS[found[2]]) if found else 0
        if minutes <= 0:
            self.fail(f'expected a time such as 24h, 3d or 90min, got "{value}"', param, ctx)
        return minutes


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option(
    "--deadline",
    "deadline_min",
    type=_Span(),
    metavar="SPAN",
    help="Everybody swabbed so long after the start: 24h, 3d; round.end by default.",
)
@click.option("--promise", "promise_min", type=_Span(), metavar="SPAN",
              help="Results within: 6h; targets.result_hours by default.")  # fmt: skip
@click.option(
    "--revision",
    metavar="R",
    help="Size the input of this revision, a variant perhaps; the newest by default.",
)
@click.option("--set", "changes", multiple=True, metavar="CHANGE",
              help="Suppose a change, as in `plan --set`; may be repeated.")  # fmt: skip
@click.option(
    "--prices",
    is_flag=True,
    help="Work out what lanes are worth also where the promise cannot be kept; slow.",
)
@click.option(
    "--confirm",
    is_flag=True,
    help="Plan with more laboratory capacity, and live through the plan; slow.",
)
@click.option("--json", "as_json", is_flag=True, help="Print everything as JSON.")
@click.option("--quiet", is_flag=True, help="No progress on stderr.")
def command(folder: Path, *, confirm: bool, as_json: bool, quiet: bool, **options: object) -> None:
    """Tell whether the round in DIR can keep its promise, by how much not, and what would help.

    What is called proved holds for every plan. Ways out are single changes, each with the least
    amount that can do at all and the amount that should hold when it is lived through. Then least
    lanes and laboratory capacity, the national guide's figures beside them, and where one more
    lane or 100 tubes an hour save most. Written to DIR/analysis/<revision>/size.json.

    \b
    Example:
      nat-scheduler size dalian
      nat-scheduler size dalian --deadline 24h --promise 6h
      nat-scheduler size dalian --set "labs.tubes_per_hour*=0.3"

    Exit codes: 0 whatever is found, 1 errors in the input, 2 cannot run.
    """  # noqa: D301  # click reads the backspace itself
    from scheduler.app.size import SizeOptions, size_round

    asked = SizeOptions(confirm=confirm, **options)  # type: ignore[arg-type]  # click's values
    begin = monotonic()

    def tell(stage: str, _gap: float | None) -> None:
        if not quiet:
            click.echo(f"{monotonic() - begin:7.1f} s  {stage}", err=True)
            sys.stderr.flush()

    result = size_round(folder, asked, tell)
    if as_json:
        click.echo(json.dumps(result.to_dict(), ensure_ascii=False))
        return
    for line in _lines(result.document):
        click.echo(line)
    click.echo(f"Written to {result.file}" if result.file else
               "Not written: it is for no stored plan of these files.")  # fmt: skip


def _lines(found: dict[str, Any]) -> Iterator[str]:
    target = found["target"]
    yield wrap(
        f"Target: {target['people']:,} people swabbed by {target['end'][:16].replace('T', ' ')} "
        f"({target['hours']:g} h), results within {round(target['result_hours'], 2):g} h."
    )
    if target["district"]:
        yield f"District {target['district']} only, with its share of the laboratories."
    if target["supposes"]:
        yield wrap(f"Supposing {', '.join(target['supposes'])}.")
    yield wrap(_verdict(found))
    yield ""
    yield from _shortfalls(found["shortfalls"])
    yield from _remedies(found["remedies"])
    yield from _capacity(found)
    yield from _worth(found["worth"])


def _verdict(found: dict[str, Any]) -> str:
    proof, expected = found["proof"], found["with_margins"]
    margins = expected["margins"]
    free = f"{margins['promise_min']} min of the promise and {1 - margins['lab_share']:.0%} of labs"
    if found["verdict"] == "kept":
        return f"The promise can be kept, with {free} kept free for what goes otherwise."
    if found["verdict"] == "tight":
        return (
            f"The promise can be kept on paper only: with {free} kept free for what goes "
            f"otherwise, {expected['late_people']:,} people would get their result late."
        )
    return (
        f"The promise CANNOT be kept: whatever the plan, at least "
        f"{proof['late_people_at_least']:,} people get their result late or are not swabbed "
        f"(proved; {proof['late_tubes_at_least']:,.0f} of {proof['tubes']:,.0f} tubes)."
    )


def _shortfalls(rows: list[dict[str, Any]]) -> Iterator[str]:
    if not rows:
        return
    yield "What is short, if as few tubes as possible come late:"
    for row in rows:
        if not row["district"] or row["kind"] == "lanes":
            yield wrap(row["text"]["en"], indent="  ")
    of_labs = [(r["district"], _moment(r["from"]), _moment(r["to"]), r["tubes"])
               for r in rows if r["district"] and r["kind"] == "labs"]  # fmt: skip
    if of_labs:
        yield table(("district", "from", "to", "tubes"), of_labs)
    yield ""


def _moment(text: str) -> str:
    return text[5:16].replace("T", " ")


def _remedies(ways: list[dict[str, Any]]) -> Iterator[str]:
    if not ways:
        return
    yield "Single ways out, the least change first:"
    for number, way in enumerate((w for w in ways if w["keeps_promise"]), 1):
        yield wrap(f"{number}. {way['text']['en']}", indent="  ")
        if way["confirmed"] is not None:
            word = "keeps" if way["confirmed"] else "does NOT keep"
            share = way["about"]["share_in_time"]
            yield wrap(
                f"planned and lived through it {word} it: {share:.1%} in time", indent="     "
            )
        yield f"     nat-scheduler plan DIR --certify {way['options']}"
    for way in ways:
        if not way["keeps_promise"]:
            yield wrap(f"-  {way['text']['en']}", indent="  ")
    yield ""


def _capacity(found: dict[str, Any]) -> Iterator[str]:
    labs, guide = found["least"]["labs"], found["guide"]
    yield wrap(
        f"Laboratories, tubes per hour: {labs['tubes_per_hour']:,} there; least "
        f"{_number(labs['least'])} (with less no plan can), advised {_number(labs['advised'])}."
    )
    by_name = {row["district"]: row for row in guide["districts"]}
    rows = []
    for row in found["least"]["lanes"]:
        told = by_name.get(row["district"])
        rows.append(
            (row["district"], row["sites"], _span(told and told["sites_by_guide"]), row["lanes"],
             row["least"], _span(told and told["lanes_by_guide"]),
             told and told["samplers_by_guide"])
        )  # fmt: skip
    yield ""
    yield "Lanes, least if laboratories keep up; beside them the national guide"
    yield table(("district", "sites", "guide", "lanes", "least", "guide", "samplers"), rows)
    yield ""


def _worth(worth: dict[str, Any]) -> Iterator[str]:
    if worth["sites"]:
        yield "Where one more lane saves most person-minutes (slope at the prices of the bound)"
        yield table(
            ("site", "name", "district", "lanes", "saves"),
            [(s["site_id"], s["name"], s["district"], s["lanes"], round(s["one_lane_saves_min"]))
             for s in worth["sites"]],
        )  # fmt: skip
        yield ""
    if not worth["labs"]:
        return
    late = "late_people_fewer" in worth["labs"][0]
    yield "Where 100 more tubes an hour " + (
        "spare most people a late result (proved)" if late
        else "save most person-minutes (slope at the prices of the bound)"
    )  # fmt: skip
    columns = {"lab_id": "lab", "name": "name", "tubes_per_hour": "tubes/h",
               "late_people_fewer": "people", "saves_min": "saves"}  # fmt: skip
    there = [name for name in columns if name in worth["labs"][0]]
    rows = [[b[name] if name != "saves_min" else round(b[name]) for name in there]
            for b in worth["labs"]]  # fmt: skip
    yield table([columns[name] for name in there], rows)
    yield ""


def _number(value: int | None) -> str:
    return "none suffices" if value is None else f"{value:,}"


def _span(pair: list[int] | None) -> str:
    return "-" if pair is None else f"{pair[0]:,}-{pair[1]:,}"
