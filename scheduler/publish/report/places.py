"""Communities, blocks, sites and labs: rows of the tables and marks of the map."""

from __future__ import annotations

from typing import Any

import numpy as np

from scheduler.domain.city import Floats, Ints
from scheduler.domain.plan import Reason
from scheduler.publish.report.facts import Facts, sums, weighted_mean
from scheduler.publish.report.worst import burden
from scheduler.publish.schedule import NEVER

SCALE = 1e5
"""Points are whole hundred-thousandths of a degree, about a metre."""
FAR = np.iinfo(np.int64).max


def places_payload(facts: Facts) -> dict[str, Any]:
    """Return columns by table; -1 stands for a number that is not there."""
    return {
        "communities": _communities(facts),
        "sites": _sites(facts),
        "labs": _labs(facts),
        "blocks": _blocks(facts),
        "pairs": _lists(dict(zip(("community", "site", "people"), facts.pairs, strict=True))),
        "sent": _sent(facts),
    }


def _communities(facts: Facts) -> dict[str, list[Any]]:
    table, calls = facts.instance.communities, facts.calls
    num, of = len(table), facts.calls.community_index
    blocks = facts.instance.blocks
    first, last = _span(of, calls.start, calls.end, num)
    late = facts.call_turnaround > facts.promise_min
    slowest = np.full(num, -1)
    np.maximum.at(slowest, of, facts.call_turnaround)
    rest = facts.schedule.rest
    home = rest.reason == Reason.HOME_VISIT
    return _lists(
        {
            "id": table.ids,
            "name": table.names,
            "district": facts.of_community,
            "street": table.streets,
            "zone": table.zone,
            "lat": _degrees(table.lat),
            "lng": _degrees(table.lng),
            "blocks": np.bincount(blocks.community_index, minlength=num),
            "people": sums(blocks.community_index, blocks.people, num),
            "called": sums(of, calls.people, num),
            "home": sums(rest.community_index[home], rest.people[home], num),
            "unserved": sums(rest.community_index[~home], rest.people[~home], num),
            "sites": np.bincount(facts.pairs[0], minlength=num),
            "first": first,
            "last": last,
            "middle": _round(weighted_mean(of, calls.start, calls.people, num)),
            "walk": _round(weighted_mean(of, facts.walk, calls.people, num)),
            "result": slowest,
            "late": sums(of[late], calls.people[late], num),
            "burden": np.round(burden(facts).sum(axis=1), 2),
        }
    )


def _sites(facts: Facts) -> dict[str, list[Any]]:
    table, calls = facts.instance.sites, facts.calls
    num, of = len(table), facts.calls.site_index
    first, last = _span(of, calls.start, calls.end, num)
    slot = calls.start // facts.instance.settings.round.slot_minutes
    num_slots = facts.instance.clock.num_slots
    busy = np.bincount(of * num_slots + slot, weights=calls.people, minlength=num * num_slots)
    peak = busy.reshape(num, num_slots).max(axis=1, initial=0)
    return _lists(
        {
            "id": table.ids,
            "name": table.names,
            "district": facts.of_site,
            "address": table.addresses,
            "kind": table.kinds,
            "lat": _degrees(table.lat),
            "lng": _degrees(table.lng),
            "lanes": table.lanes,
            "quota": facts.quota,
            "places": facts.places.sum(axis=1),
            "people": sums(of, calls.people, num),
            "peak": peak,
            "tubes": sums(of, calls.tubes, num),
            "communities": np.bincount(facts.pairs[1], minlength=num),
            "first": first,
            "last": last,
        }
    )


def _labs(facts: Facts) -> dict[str, list[Any]]:
    table, sent = facts.instance.labs, facts.sent
    num, of = len(table), facts.sent.lab_index
    first, last = _span(of, sent.start_at, sent.result_by, num)
    late = facts.turnaround > facts.promise_min
    return _lists(
        {
            "id": table.ids,
            "name": table.names,
            "lat": _degrees(table.lat),
            "lng": _degrees(table.lng),
            "rate": table.tubes_per_hour,
            "tubes": sums(of, sent.tubes, num),
            "people": sums(of, sent.people, num),
            "first": first,
            "last": last,
            "late": sums(of[late], sent.people[late], num),
        }
    )


def _blocks(facts: Facts) -> dict[str, list[Any]]:
    """Return the marks of blocks that have points of their own; none where blocks were cut."""
    blocks, calls = facts.instance.blocks, facts.calls
    towns = facts.instance.communities
    own = blocks.lat != towns.lat[blocks.community_index]
    own |= blocks.lng != towns.lng[blocks.community_index]
    if not own.any():
        return {}
    num = len(blocks)
    first, _ = _span(calls.block_index, calls.start, calls.end, num)
    site = np.full(num, -1)
    site[calls.block_index] = calls.site_index
    walk = np.full(num, -1)
    walk[calls.block_index] = np.rint(facts.walk)
    return _lists(
        {
            "community": blocks.community_index,
            "lat": _degrees(blocks.lat),
            "lng": _degrees(blocks.lng),
            "people": blocks.people,
            "site": site,
            "first": first,
            "walk": walk,
        }
    )


def _sent(facts: Facts) -> dict[str, list[Any]]:
    """Return site, lab and tubes of each pair with consignments."""
    sent, num = facts.sent, len(facts.instance.labs)
    keys, where = np.unique(sent.site_index * num + sent.lab_index, return_inverse=True)
    site, lab = np.divmod(keys, max(num, 1))
    return _lists({"site": site, "lab": lab, "tubes": sums(where, sent.tubes, len(keys))})


def _span(of: Ints, start: Ints, end: Ints, num: int) -> tuple[Ints, Ints]:
    """Return earliest start and latest end by index, -1 where there is none."""
    first, last = np.full(num, FAR), np.full(num, NEVER)
    np.minimum.at(first, of, start)
    np.maximum.at(last, of, end)
    return np.where(first == FAR, -1, first), np.where(last == NEVER, -1, last)


def _degrees(values: Floats) -> Ints:
    whole: Ints = np.rint(values * SCALE).astype(np.int64)
    return whole


def _round(values: Floats) -> Ints:
    return np.where(np.isnan(values), -1, np.rint(np.nan_to_num(values))).astype(np.int64)


def _lists(columns: dict[str, Any]) -> dict[str, list[Any]]:
    return {name: column.tolist() for name, column in columns.items()}
