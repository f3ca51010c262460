"""Two revisions side by side, as a table."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from scheduler.cli.render import table, wrap

if TYPE_CHECKING:
    from scheduler.app.compare import Comparison, Side


def compare_text(found: Comparison) -> str:
    """Return what ``show --compare`` prints."""
    one, two = found.sides
    rows = [
        (name, left, right, _change(left_number, right_number))
        for (name, left, left_number), (_, right, right_number) in zip(
            _rows(one), _rows(two), strict=True
        )
    ]
    lines = [table(("", one.revision, two.revision, "change"), rows), ""]
    lines += [
        wrap(f"{s.revision} supposes in its input: {', '.join(s.variant)}")
        for s in found.sides if s.variant
    ]  # fmt: skip
    lines.append(
        wrap(
            f"{found.other_site:,} people go to another site, {found.other_time:,} at another "
            f"time; {found.only_one:,} have a slot in one of the two only."
        )
    )
    return "\n".join(lines)


def _rows(side: Side) -> Iterator[tuple[str, str, float | None]]:
    """Yield name, text and number of each row."""
    this = side.summary
    people = max(int(this["people"]), 1)
    yield "status", this["status"], None
    for name, number in (
        ("people", this["people"]), ("served", this["served"]), ("without slot", side.unserved),
        ("late results, people", this["late_people"]), ("sites used", side.sites),
        ("laboratories used", side.labs), ("tubes", side.tubes),
    ):  # fmt: skip
        yield name, f"{number:,}", float(number)
    for term, value in {"objective": this["objective"], **this["terms"]}.items():
        yield f"{term}, min per person", f"{value / people:,.4f}", value / people
    gap = this["relative_gap"]
    yield "gap", "-" if gap is None else f"{gap:.3%}", None
    yield "walk, mean m", f"{this['walk_m']['mean']:,.0f}", float(this["walk_m"]["mean"])
    busiest = this.get("busiest_slot")
    yield (
        "busiest slot, people",
        (f"{busiest['people']:,}" if busiest else "-"),
        float(busiest["people"]) if busiest else None,
    )
    for name, moment in (("first slot", side.first_slot), ("last slot ends", side.last_slot),
                         ("last result", side.last_result)):  # fmt: skip
        yield name, _moment(moment), None
    yield from _lived(side.simulated)


def _lived(lived: dict[str, Any] | None) -> Iterator[tuple[str, str, float | None]]:
    if lived is None:
        for name in ("lived through: in time", "longest queue", "sites beyond ground"):
            yield name, "-", None
        return
    share, queue = lived["share_in_time"]["p50"], lived["peak_queue"]["p50"]
    yield "lived through: in time", f"{share:.1%}", None
    yield "longest queue", f"{queue:,.0f}", float(queue)
    yield "sites beyond ground", str(lived["sites_beyond_ground"]), float(
        lived["sites_beyond_ground"]
    )  # fmt: skip


def _moment(text: str | None) -> str:
    return "-" if text is None else text[5:16].replace("T", " ")


def _change(one: float | None, two: float | None) -> str:
    if one is None or two is None or one == two:
        return ""
    digits = 0 if float(one).is_integer() and float(two).is_integer() else 4
    return f"{two - one:+,.{digits}f}"
