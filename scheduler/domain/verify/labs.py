"""Rules 6 and 7, labs: travel, start, hours, capacity, certified tubes, results, sample age."""

from __future__ import annotations

import numpy as np

from scheduler.domain.city import Flags, Floats, Ints, Window
from scheduler.domain.verify.breach import CONSIGNMENTS, LAB_LOAD, rows_where
from scheduler.domain.verify.context import Context
from scheduler.domain.verify.effective import Effective
from scheduler.domain.verify.ground import great_circle_m
from scheduler.domain.verify.since import Since
from scheduler.domain.verify.tubes import add_consignment

HOUR_MIN = 60
ALL_DAY: tuple[Window, ...] = ((0, 1440),)
TIE_MIN = 1e-6  # ceil() of a travel time this close to a whole minute may go either way


def check_times(context: Context, since: Since | None = None) -> None:
    """Check arrival, start, result and sample age of every consignment."""
    sent, axis, labs = context.sent, context.axis, context.instance.labs
    least, most = _travel_minutes(context)
    travel = sent.arrive - sent.pickup
    underway = np.zeros(len(travel), dtype=bool)
    if since is not None:
        underway = (sent.pickup <= since.now) & (since.was_sent(vars(sent)) > 0)
        travel = travel - since.world.delay(sent.site, sent.lab, sent.pickup)
    for row in rows_where(~underway & ((travel < least) | (travel > most))):
        text = f"expected {least[row]} min from pick-up to arrival, got {travel[row]}"
        add_consignment(context, "B164", row, text)
    begins = axis.hour_begins(sent.start)
    for row in rows_where(sent.start != np.maximum(sent.arrive, begins)):
        words = f"expected the arrival at {axis.text(sent.arrive[row])} or a later full hour"
        add_consignment(context, "B165", row, f"{words}, got {axis.text(sent.start[row])}")
    processing = labs.processing_min[sent.lab]
    for row in rows_where(sent.result - sent.start != processing):
        words = f"expected {processing[row]} min from start to result"
        add_consignment(context, "B181", row, f"{words}, got {sent.result[row] - sent.start[row]}")
    limit = context.instance.settings.targets.max_holding_min
    age = sent.arrive - sent.oldest
    for row in rows_where(age > limit):
        text = f"expected samples of at most {limit} min on arrival, got {age[row]}"
        add_consignment(context, "B171", row, text)


def _travel_minutes(context: Context) -> tuple[Ints, Ints]:
    """Return the least and the most minutes from pick-up to arrival of each consignment."""
    sent, instance, travel = context.sent, context.instance, context.instance.settings.travel
    sites, labs = instance.sites, instance.labs
    size = len(labs)
    pairs, back = np.unique(sent.site * size + sent.lab, return_inverse=True)
    site, lab = pairs // size, pairs % size
    metres = great_circle_m(sites.lat[site], sites.lng[site], labs.lat[lab], labs.lng[lab])
    exact = metres / 1000 * travel.detour / travel.speed_kmh * 60 + travel.handling_min
    given = instance.travel_min[site, lab]
    known: Floats = np.where(given >= 0, (given + travel.handling_min).astype(float), np.nan)
    exact = np.where(np.isnan(known), np.where(np.isnan(exact), 0.0, exact), known)
    least = np.ceil(exact - TIE_MIN).astype(np.int64)
    most = np.where(np.isnan(known), np.ceil(exact + TIE_MIN), exact).astype(np.int64)
    return least[back], most[back]


def check_labs(context: Context, since: Since | None = None) -> None:
    """Check pool sizes, hours, hourly capacity and certified tubes per day of every lab.

    What was started before a re-plan is not asked for the hours and rates that events have left.
    """
    sent, labs = context.sent, context.instance.labs
    later = np.ones(len(sent.lab), dtype=bool)
    if since is not None:
        later = (sent.pickup > since.now) | (sent.start > since.now)
    for row in rows_where(~_accepted(context)):
        text = f"expected a pool size the lab takes, got {sent.pool[row]}"
        add_consignment(context, "B167", row, text)
    world = None if since is None else since.world
    spans = _spans(context, world)
    begins = context.axis.hour_begins(sent.start)
    for row in rows_where(later & ~_inside(spans, sent.lab, sent.start)):
        text = f"expected a start within the lab's hours, got {context.axis.text(sent.start[row])}"
        add_consignment(context, "B166", row, text)
    lab, hour, tubes = _sums(sent.lab, begins, sent.tubes)
    capacity = _capacity(context, spans, (lab, hour), world)
    fresh = set(zip(sent.lab[later].tolist(), begins[later].tolist(), strict=True))
    asked = [pair in fresh for pair in zip(lab.tolist(), hour.tolist(), strict=True)]
    for row in rows_where((tubes > capacity) & np.array(asked, dtype=bool)):
        where = str(labs.ids[lab[row]]), context.axis.text(hour[row])
        text = f"expected at most {capacity[row]} tubes in the hour, got {tubes[row]}"
        context.log.add("B168", CONSIGNMENTS, text, where=where)
    _check_days(context)
    _check_load(
        context,
        (lab, hour, tubes),
        _capacity(context, spans, (context.load.lab, context.load.hour), world),
    )


def _accepted(context: Context) -> Flags:
    sent = context.sent
    accepted = np.ones(len(sent.lab), dtype=bool)
    for lab, sizes in enumerate(context.instance.labs.pool_sizes):
        if sizes:
            here = sent.lab == lab
            accepted[here] = np.isin(sent.pool[here], sizes)
    return accepted


def _check_days(context: Context) -> None:
    sent, labs = context.sent, context.instance.labs
    lab, _, tubes = _sums(sent.lab, context.axis.days(sent.start), sent.tubes)
    limit = labs.max_tubes_per_day[lab]
    for row in rows_where((limit >= 0) & (tubes > limit)):
        text = f"expected at most {limit[row]} tubes on a day, got {tubes[row]}"
        context.log.add("B169", CONSIGNMENTS, text, where=[str(labs.ids[lab[row]])])


def _check_load(context: Context, used: tuple[Ints, Ints, Ints], capacity: Ints) -> None:
    """Check lab_load.csv: every used hour, its tubes, and the capacity of each row."""
    load, axis = context.load, context.axis
    begins = axis.hour_begins(load.hour)
    expected = dict(zip(zip(*(c.tolist() for c in used[:2]), strict=True), used[2], strict=True))
    for row, key in enumerate(zip(load.lab.tolist(), load.hour.tolist(), strict=True)):
        where, line = _load_name(context, *key), int(load.line[row])
        tubes = int(expected.pop(key, 0))
        if begins[row] != load.hour[row]:
            text = "expected the beginning of a clock hour"
            context.log.add("B182", LAB_LOAD, text, line=line, where=where)
        elif tubes != load.tubes[row]:
            text = f"expected {tubes} tubes as in the consignments, got {load.tubes[row]}"
            context.log.add("B182", LAB_LOAD, text, line=line, where=where)
        elif capacity[row] != load.capacity[row]:
            text = f"expected a capacity of {capacity[row]}, got {load.capacity[row]}"
            context.log.add("B183", LAB_LOAD, text, line=line, where=where)
    for key, tubes in expected.items():
        text = f"expected a row of {tubes} tubes, found none"
        context.log.add("B182", LAB_LOAD, text, where=_load_name(context, *key))


def _load_name(context: Context, lab: int, hour: int) -> tuple[str, str]:
    return str(context.instance.labs.ids[lab]), context.axis.text(hour)


def _spans(context: Context, world: Effective | None) -> list[list[Window]]:
    """Return when each lab is open, over all the hours that the plan names."""
    named = np.concatenate([context.sent.start, context.load.hour, [0]])
    first, last = int(named.min()) - HOUR_MIN, int(named.max()) + 2 * HOUR_MIN
    cache: dict[tuple[Window, ...], list[Window]] = {}
    for hours in set(context.instance.labs.hours):
        cache[hours] = context.axis.opening(hours or ALL_DAY, first, last)
    spans = [cache[hours] for hours in context.instance.labs.hours]
    return spans if world is None else [world.lab_spans(lab, s) for lab, s in enumerate(spans)]


def _inside(spans: list[list[Window]], lab: Ints, minute: Ints) -> Flags:
    inside = np.zeros(len(lab), dtype=bool)
    for each in np.unique(lab):
        here = lab == each
        for begin, end in spans[each]:
            inside[here] |= (minute[here] >= begin) & (minute[here] < end)
    return inside


def _capacity(
    context: Context, spans: list[list[Window]], when: tuple[Ints, Ints], world: Effective | None
) -> Ints:
    """Return the tubes that each lab can start in the clock hour that begins at the minute."""
    lab, hour = when
    work = np.zeros(len(lab), dtype=np.int64)  # tubes per hour x minutes
    for each in np.unique(lab):
        here = np.flatnonzero(lab == each)
        for begin, end in spans[each]:
            first, last = np.maximum(hour[here], begin), np.minimum(hour[here] + HOUR_MIN, end)
            if world is None:
                minutes = np.maximum(last - first, 0)
                work[here] += context.instance.labs.tubes_per_hour[each] * minutes
                continue
            for row, a, b in zip(here.tolist(), first.tolist(), last.tolist(), strict=True):
                work[row] += world.lab_minutes(int(each), a, b) if a < b else 0
    return work // HOUR_MIN


def _sums(lab: Ints, when: Ints, tubes: Ints) -> tuple[Ints, Ints, Ints]:
    """Return lab, hour or day, and the tubes of each pair."""
    first = int(when.min(initial=0))
    span = int(when.max(initial=0)) - first + 1
    pairs, back = np.unique(lab * span + when - first, return_inverse=True)
    sums = np.bincount(back, tubes, len(pairs)).astype(np.int64)
    return pairs // span, pairs % span + first, sums
