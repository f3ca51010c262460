"""``nat-scheduler show``: rounds, revisions and their figures."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from scheduler.cli.commands.compare_table import compare_text
from scheduler.cli.render import table, wrap

if TYPE_CHECKING:
    from scheduler.app.compare import Comparison
    from scheduler.app.show import Overview, RevisionDetail


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--revision", metavar="R", help="Show this revision; see also --district.")
@click.option("--district", metavar="D", help="Show a district's communities, newest revision.")
@click.option("--compare", nargs=2, metavar="A B", help="Put two revisions side by side.")
@click.option("--runs", is_flag=True, help="Show the newest runs of the program too.")
@click.option(
    "--database-url",
    metavar="URL",
    envvar="NAT_SCHEDULER_DATABASE_URL",
    help="PostgreSQL database instead of the SQLite file in DIR.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def command(  # noqa: PLR0913  # a command has as many options
    folder: Path,
    *,
    revision: str | None,
    district: str | None,
    compare: tuple[str, str] | None,
    runs: bool,
    database_url: str | None,
    as_json: bool,
) -> None:
    """Show what was planned for the round in DIR.

    Without options: the rounds of the store and the revisions of each with their figures. With
    --revision: one revision in words. With --district: when and where each of its communities
    goes. With --compare: two revisions side by side.

    \b
    Example:
      nat-scheduler show dalian
      nat-scheduler show dalian --revision 0001 --district 金州区
      nat-scheduler show dalian --compare 0001 0002
    """  # noqa: D301  # click reads the backspace itself
    from scheduler.app.compare import compare_revisions
    from scheduler.app.show import show_revision, show_rounds

    result: Overview | RevisionDetail | Comparison
    if compare is not None:
        if revision or district or runs:
            raise click.UsageError("Expected --compare without other choices.")
        result = compare_revisions(folder, *compare)
        text = compare_text(result)
    elif revision is None and district is None:
        result = show_rounds(folder, database_url=database_url, runs=runs)
        text = _overview(result)
    elif runs:
        raise click.UsageError("Expected --runs without --revision and --district.")
    else:
        result = show_revision(folder, revision=revision, district=district)
        text = _detail(result)
    if as_json:
        text = json.dumps(result.to_dict(), ensure_ascii=False)
    click.echo(text)


def _overview(overview: Overview) -> str:
    parts = [_round(record) for record in overview.rounds]
    if not parts:
        parts = ["No round is stored yet: run `nat-scheduler plan` first."]
    if overview.runs is not None:
        headers = ("started", "command", "revision", "exit", "seconds")
        rows = [
            (run["started_at"], run["command"], run["revision"], run["exit_code"], _fixed(run))
            for run in overview.runs
        ]
        parts.append("Newest runs\n" + table(headers, rows))
    if overview.other_times is not None:
        parts.append(wrap(str(overview.other_times)))
    return "\n\n".join(parts)


def _round(record: dict[str, Any]) -> str:
    made_up = " (synthetic)" if record["synthetic"] else ""
    head = wrap(f"{record['round_id']} {record['name']}{made_up}")
    span = f"{record['start']} to {record['end']}"
    headers = ("revision", "created", "status", "people", "served", "late", "gap", "district")
    rows = [
        (
            r["revision"],
            r["created_at"][:16].replace("T", " "),
            r["status"],
            r["people"],
            r["served"],
            r["late_people"],
            _percent(r["relative_gap"]),
            r["district"],
        )
        for r in record["revisions"]
    ]
    variants = [
        wrap(f"{r['revision']} supposes in its input: {', '.join(r['summary']['variant'])}")
        for r in record["revisions"] if r["summary"].get("variant")
    ]  # fmt: skip
    return "\n".join([head, span, table(headers, rows), *variants])


def _detail(detail: RevisionDetail) -> str:
    if detail.communities is None:
        return _summary(detail)
    headers = ("id", "community", "sites", "first", "last", "people", "called", "unserved")
    rows = [
        (
            c.community_id,
            c.name,
            len(c.sites),
            c.first and c.first[5:],
            c.last and c.last[5:],
            c.people,
            c.called,
            c.unserved,
        )
        for c in detail.communities
    ]
    called = sum(c.called for c in detail.communities)
    head = (
        f"{detail.district}, revision {detail.revision}: {len(rows):,} communities, "
        f"{called:,} people called, {detail.first or '-'} to {detail.last or '-'}"
    )
    return f"{wrap(head)}\n{table(headers, rows)}"


def _summary(detail: RevisionDetail) -> str:
    s, people = detail.summary, max(detail.summary["people"], 1)
    walk = s["walk_m"]
    district = f", district {s['district']}" if s.get("district") else ""
    lines = [
        f"Revision {detail.revision} of {s['round']}{district}: {s['status']}",
        f"{s['served']:,} of {s['people']:,} people have a slot, "
        f"from {detail.first or '-'} to {detail.last or '-'}; "
        f"{detail.home_visits:,} are visited at home.",
        f"{s['late_people']:,} people get their result after the promise.",
        f"They walk {_metres(walk['mean'])} m on average, 95 % at most {_metres(walk['p95'])} m, "
        f"the farthest {_metres(walk['max'])} m.",
        f"A community uses {s['sites_per_community']:.2f} sites on average.",
        *_slots(s),
        _gap(s),
    ]
    if s.get("variant"):
        lines.append(f"A variant: it supposes in its input {', '.join(s['variant'])}.")
    headers = ("term", "person-minutes", "per person")
    rows = [(name, f"{v:,.1f}", f"{v / people:.3f}") for name, v in s["terms"].items()]
    rows.append(("objective", f"{s['objective']:,.1f}", f"{s['objective'] / people:.3f}"))
    return "\n".join([*map(wrap, lines), "", table(headers, rows)])


def _slots(summary: dict[str, Any]) -> list[str]:
    """Return the busiest slot, and how compact sites and communities are, where that is known."""
    lines, busiest, ties = [], summary.get("busiest_slot"), summary.get("tie_breaks")
    if busiest:
        when = busiest["start"][:16].replace("T", " ")
        lines.append(f"Most are called at {when}: {busiest['people']:,} in the whole city.")
    if ties:
        lines.append(
            f"{ties['communities_with_one_site']:.0%} of communities use one site; at a site they "
            f"come within {ties['window_h_mean']:.1f} hours on average; "
            f"{ties['idle_slots_share']:.1%} of slots between busy ones are idle."
        )
    return lines


def _gap(summary: dict[str, Any]) -> str:
    if summary["relative_gap"] is None:
        return "How far this is from the best plan is not known."
    return (
        f"No plan can be better by more than {_percent(summary['relative_gap'])}, "
        f"or {summary['gap_per_person']:.4f} minutes per person."
    )


def _metres(value: float | None) -> str:
    return "-" if value is None else f"{value:,.0f}"


def _percent(share: float | None) -> str | None:
    return None if share is None else f"{100 * share:.3f} %"


def _fixed(run: dict[str, Any]) -> str:
    return f"{run['seconds']:.1f}"
