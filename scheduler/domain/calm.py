"""What it costs to be calm: a mended plan against the best that could be made anew."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from scheduler.domain.events import Event, Kind
from scheduler.domain.instance import Instance

_HARDER = frozenset({
    Kind.SITE_CLOSED,
    Kind.SITE_OPENED,  # only ends a closing
    Kind.LAB_OUT,
    Kind.LAB_BACK,  # only ends an outage
    Kind.COURIER_DELAY,
    Kind.PEOPLE_ADDED,
})  # fmt: skip
"""Events that can only make plans dearer than the files alone allow."""


def still_bounds(files: Instance, events: Iterable[Event]) -> bool:
    """Return whether a lower bound of the files' round holds with the events too.

    It does when no event adds a choice or makes anything cheaper: more lanes, higher rates, a
    later end or another zone might.
    """
    sites = {str(s): n for n, s in enumerate(files.sites.ids)}
    labs = {str(text): n for n, text in enumerate(files.labs.ids)}
    for event in events:
        if event.kind in _HARDER:
            continue
        if event.kind is Kind.LANES_CHANGED and event.lanes is not None:
            harder = event.lanes <= files.sites.lanes[sites[event.site_id]]
        elif event.kind is Kind.LAB_RATE_CHANGED and event.tubes_per_hour is not None:
            harder = event.tubes_per_hour <= files.labs.tubes_per_hour[labs[event.lab_id]]
        elif event.kind is Kind.RATE_CHANGED and event.people_per_lane_hour is not None:
            rates = files.sites.people_per_lane_hour
            own = rates[sites[event.site_id]] if event.site_id else rates.min(initial=0.0)
            harder = event.people_per_lane_hour <= own
        elif event.kind is Kind.ROUND_END_MOVED and event.end is not None:
            harder = event.end <= files.clock.end_min
        else:
            harder = False
        if not harder:
            return False
    return True


def cost_of_calm(summary: Mapping[str, Any], before: Mapping[str, Any]) -> dict[str, float | None]:
    """Return what a mended plan costs beyond others, churn left out, in person-minutes.

    ``against_base`` is the cost of the disturbance: dearer than the plan it stands on by so much.
    ``at_most`` is an upper limit of what any plan made anew could save, from the lower bound;
    ``None`` where no bound is known.
    """
    own = summary["objective"] - summary["terms"]["churn"]
    bound = summary["best_bound"]
    return {
        "against_base": own - (before["objective"] - before["terms"]["churn"]),
        "at_most": None if bound is None else own - bound,
    }
