"""The arithmetic of a round as tables of at most 80 columns."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from scheduler.cli.render import cut, width

if TYPE_CHECKING:
    from scheduler.domain.arithmetic import Needs, RoundArithmetic
    from scheduler.domain.lab_arithmetic import LabArithmetic

_NAME_WIDTH = 14


def arithmetic_lines(arithmetic: RoundArithmetic) -> Iterator[str]:
    """Yield the lines of all tables."""
    rows = [*arithmetic.districts, arithmetic.city]
    yield "Needed and there (tubes: fewest possible; lane-hours at the usual rate)"
    head = ["district", "people", "home", "tubes", "share", "lane-h need", "there", "load"]
    yield from table(head, [_need_row(needs) for needs in rows])
    yield ""
    yield "Labs, for the whole city"
    yield from _lab_lines(arithmetic.labs, arithmetic.city)
    yield ""
    yield "Lab tubes and fluid bound by district (a share of each lab by tubes needed)"
    head = ["district", "tubes need", "in time", "people", "fluid bound"]
    yield from table(head, [_lab_row(needs) for needs in rows])
    yield ""
    yield "There, and by the national guide (sites at 2,000-3,000 people, lanes at"
    yield "600-800, samplers = people / 360)"
    head = ["district", "sites", "guide", "lanes", "guide", "samplers"]
    yield from table(head, [_guide_row(needs) for needs in rows])


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Yield aligned lines: first column to the left, numbers to the right."""
    everything = [head, *rows]
    widths = [max(width(row[c]) for row in everything) for c in range(len(head))]
    for row in everything:
        first = row[0] + " " * (widths[0] - width(row[0]))
        rest = [
            " " * (wide - width(cell)) + cell
            for cell, wide in zip(row[1:], widths[1:], strict=True)
        ]
        yield "  ".join([first, *rest]).rstrip()


def _name(needs: Needs) -> str:
    return cut(needs.district, _NAME_WIDTH, mark="~") if needs.district else "city"


def _need_row(needs: Needs) -> list[str]:
    return [
        _name(needs),
        f"{needs.people:,}",
        f"{needs.home_visits:,}",
        f"{needs.tubes:,}",
        f"{needs.tubes_share:.1%}",
        f"{needs.lane_hours_needed:,.0f}",
        f"{needs.lane_hours_there:,.0f}",
        _load(needs),
    ]


def _load(needs: Needs) -> str:
    if not needs.lane_hours_there:
        return "none" if needs.lane_hours_needed else "-"
    return f"{needs.lane_hours_needed / needs.lane_hours_there:.0%}"


def _lab_row(needs: Needs) -> list[str]:
    return [
        _name(needs),
        f"{needs.tubes:,}",
        f"{needs.lab_tubes_there:,}",
        f"{needs.called:,}",
        f"{needs.people_bound:,}",
    ]


def _guide_row(needs: Needs) -> list[str]:
    low, high = needs.sites_by_guide
    few, many = needs.lanes_by_guide
    return [
        _name(needs),
        f"{needs.sites:,}",
        f"{low:,}-{high:,}",
        f"{needs.lanes:,}",
        f"{few:,}-{many:,}",
        f"{needs.samplers_by_guide:,}",
    ]


def _lab_lines(labs: LabArithmetic, city: Needs) -> Iterator[str]:
    windows = ", ".join(f"{hours:g} h" for hours in labs.window_hours_per_day)
    yield f"  tubes needed                    {labs.tubes_needed:>12,}"
    for size, tubes in city.tubes_by_pool_size.items():
        yield f"    of up to {size:>3} people            {tubes:>12,}"
    yield f"  tubes started within promise    {labs.tubes_there:>12,}"
    yield f"  tubes per hour, all labs        {labs.tubes_per_hour:>12,}"
    yield f"  people to be sampled at sites   {labs.people_needed:>12,}"
    yield f"  fluid bound k x mu x (W + s)    {labs.people_bound:>12,}  people over all days"
    yield f"    s, promise - transport - lab  {labs.slack_hours:>12.2f}  hours"
    yield from textwrap.wrap(
        f"W, sampling window per day: {windows or 'none'}",
        width=78,
        initial_indent="    ",
        subsequent_indent="      ",
    )
