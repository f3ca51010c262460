"""Rule 6, sites: tubes of the rows, consignments against what was swabbed, pick-ups."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scheduler.domain.city import Ints
from scheduler.domain.verify.breach import ASSIGNMENTS, CONSIGNMENTS, rows_where
from scheduler.domain.verify.context import NUM_ZONES, Context


@dataclass(frozen=True)
class Swabbed:
    """What each site swabs per wave and zone, sorted by group; ``first`` is the earliest start."""

    group: Ints
    people: Ints
    tubes: Ints
    first: Ints


def check_rows(context: Context) -> Swabbed:
    """Check the tubes of every assignment and return the totals of site, wave and zone."""
    called, axis = context.called, context.axis
    inside = np.flatnonzero((called.start >= 0) & (called.start < axis.end_min))
    ranks = np.argsort(np.argsort(context.instance.blocks.ids.astype(str)))
    group = context.group(called.site, called.start // axis.wave_min, called.zone)
    order = inside[np.lexsort((ranks[called.block[inside]], called.start[inside], group[inside]))]
    ordered, people = group[order], called.people[order]
    begins = np.flatnonzero(np.diff(ordered, prepend=-1))
    sums = np.cumsum(people)
    totals = np.diff(np.append(sums[begins] - people[begins], sums[-1:]))
    before = sums - people - np.repeat((sums - people)[begins], np.diff([*begins, len(order)]))
    pool = np.array(context.instance.settings.pooling.by_zone())
    own_pool = pool[called.zone[order]]
    expected = -(-(before + people) // own_pool) + (-before // own_pool)
    for at in rows_where(expected != called.tubes[order]):
        row = order[at]
        text = f"expected {expected[at]} tubes, got {called.tubes[row]}"
        where = [str(context.instance.blocks.ids[called.block[row]])]
        context.log.add("B160", ASSIGNMENTS, text, line=int(called.line[row]), where=where)
    groups = ordered[begins]
    tubes = -(-totals // pool[groups % NUM_ZONES])
    return Swabbed(groups, totals, tubes, called.start[order][begins])


def check_consignments(context: Context, swabbed: Swabbed) -> None:
    """Check pick-ups, fill, oldest samples and the totals of every site, wave and zone."""
    sent, axis = context.sent, context.axis
    wave = sent.wave(axis)
    on_wave = (sent.pickup % axis.wave_min == 0) & (wave >= 0) & (wave < axis.num_waves)
    for row in rows_where(~on_wave):
        text = f"expected a pick-up at the end of a wave, got {axis.text(sent.pickup[row])}"
        add_consignment(context, "B163", row, text)
    pool = np.array(context.instance.settings.pooling.by_zone())[sent.zone]
    for row in rows_where((sent.people < sent.tubes) | (sent.people > sent.tubes * pool)):
        words = f"expected 1 to {pool[row]} people in each tube"
        text = f"{words}, got {sent.people[row]} in {sent.tubes[row]}"
        add_consignment(context, "B162", row, text)
    group = np.where(on_wave, context.group(sent.site, wave, sent.zone), -1)
    _check_oldest(context, swabbed, group)
    _check_totals(context, swabbed, group)


def _check_oldest(context: Context, swabbed: Swabbed, group: Ints) -> None:
    if not len(swabbed.group):
        return
    at = np.minimum(np.searchsorted(swabbed.group, group), len(swabbed.group) - 1)
    first = swabbed.first[at]
    wrong = (swabbed.group[at] == group) & (first != context.sent.oldest)
    for row in rows_where(wrong):
        got = context.axis.text(context.sent.oldest[row])
        text = f"expected the oldest sample at {context.axis.text(first[row])}, got {got}"
        add_consignment(context, "B172", row, text)


def _check_totals(context: Context, swabbed: Swabbed, group: Ints) -> None:
    groups = np.union1d(swabbed.group, group[group >= 0])
    there = np.searchsorted(groups, swabbed.group)
    people, tubes = np.zeros(len(groups), np.int64), np.zeros(len(groups), np.int64)
    people[there], tubes[there] = swabbed.people, swabbed.tubes
    known = group >= 0
    at = np.searchsorted(groups, group[known])
    sent_people = np.bincount(at, context.sent.people[known], len(groups)).astype(np.int64)
    sent_tubes = np.bincount(at, context.sent.tubes[known], len(groups)).astype(np.int64)
    for row in rows_where((people != sent_people) | (tubes != sent_tubes)):
        words = f"expected {tubes[row]} tubes of {people[row]} people"
        text = f"{words}, got {sent_tubes[row]} of {sent_people[row]}"
        where = context.group_name(groups[row])
        context.log.add("B161", CONSIGNMENTS, text, where=where)


def add_consignment(context: Context, code: str, row: int, text: str) -> None:
    """Note a breach of one consignment."""
    sent, instance = context.sent, context.instance
    where = str(instance.sites.ids[sent.site[row]]), str(instance.labs.ids[sent.lab[row]])
    context.log.add(code, CONSIGNMENTS, text, line=int(sent.line[row]), where=where)
