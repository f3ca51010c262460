"""Headline figures of the city and of each district."""

from __future__ import annotations

from typing import Any

import numpy as np

from scheduler.domain.city import Flags
from scheduler.domain.plan import Reason
from scheduler.publish.report.facts import Facts


def figures_payload(facts: Facts) -> list[dict[str, Any]]:
    """Return the figures of the whole, then of each district in their order."""
    every = range(len(facts.districts))
    return [_figures(facts, None), *(_figures(facts, district) for district in every)]


def _figures(facts: Facts, district: int | None) -> dict[str, Any]:
    def here(of: Any) -> Flags:  # noqa: ANN401  # an array of district numbers
        return np.ones(len(of), dtype=bool) if district is None else of == district

    instance, calls, rest = facts.instance, facts.calls, facts.schedule.rest
    blocks = here(facts.of_community[instance.blocks.community_index])
    mine = here(facts.call_district)
    left = here(facts.of_community[rest.community_index])
    home = rest.reason == Reason.HOME_VISIT
    sites = here(facts.of_site)
    sent = here(facts.of_site[facts.sent.site_index])
    late = sent & (facts.turnaround > facts.promise_min)
    return {
        "communities": int(here(facts.of_community).sum()),
        "blocks": int(blocks.sum()),
        "people": int(instance.blocks.people[blocks].sum()),
        "called": int(calls.people[mine].sum()),
        "home": int(rest.people[left & home].sum()),
        "unserved": int(rest.people[left & ~home].sum()),
        "sites": int(sites.sum()),
        "sitesUsed": len(np.unique(calls.site_index[sites[calls.site_index]])),
        "lanes": int(instance.sites.lanes[sites].sum()),
        "labs": len(instance.labs),
        "labsUsed": len(np.unique(facts.sent.lab_index[sent])),
        "tubes": int(facts.sent.tubes[sent].sum()),
        "late": int(facts.sent.people[late].sum()),
        "first": int(calls.start[mine].min(initial=10**9)) if mine.any() else -1,
        "last": int(calls.end[mine].max(initial=-1)),
        "lastResult": int(facts.sent.result_by[sent].max(initial=-1)),
        **_walk(facts, mine),
    }


def _walk(facts: Facts, mine: Flags) -> dict[str, int]:
    """Return mean and 95th percentile of metres on foot, weighted by people; -1 for nobody."""
    metres, people = facts.walk[mine], facts.calls.people[mine]
    if not people.sum():
        return {"walkMean": -1, "walkP95": -1}
    order = np.argsort(metres, kind="stable")
    enough = np.cumsum(people[order]) * 100 >= int(people.sum()) * 95
    return {
        "walkMean": round(float(metres @ people) / int(people.sum())),
        "walkP95": round(float(metres[order[np.argmax(enough)]])),
    }
