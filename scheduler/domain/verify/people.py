"""Rules 1 and 2: everybody called or listed with a reason, and never more than the quota."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from scheduler.domain.city import Ints
from scheduler.domain.instance import Instance
from scheduler.domain.plan import Reason
from scheduler.domain.settings import Zone
from scheduler.domain.verify.breach import ASSIGNMENTS, UNSERVED, rows_where
from scheduler.domain.verify.context import Context
from scheduler.domain.verify.ground import Ground
from scheduler.domain.verify.queueing import Desk, QueueTrial

_NEVER = 1 << 40  # a quota that no site has
ROUNDING = 1e-9  # guards floor() against products such as 14.249999999999998


def check_coverage(context: Context, ground: Ground, trial: QueueTrial) -> None:
    """Check the people of every block and the reasons of those who have no slot."""
    called, left, blocks = context.called, context.left, context.instance.blocks
    size = len(blocks)
    at_home = left.reason == Reason.HOME_VISIT
    slots = np.bincount(called.block, called.people, size)
    listed = np.bincount(left.block, left.people, size)
    visits = np.bincount(left.block[at_home], left.people[at_home], size)
    for block in rows_where(slots + listed != blocks.people):
        words = f"expected {blocks.people[block]} people called or listed"
        text = f"{words}, got {slots[block]:.0f} called and {listed[block]:.0f} listed"
        context.log.add("B111", ASSIGNMENTS, text, where=[str(blocks.ids[block])])
    for block in rows_where(visits != blocks.home_visits):
        text = f"expected {blocks.home_visits[block]} home visits, got {visits[block]:.0f}"
        context.log.add("B112", UNSERVED, text, where=[str(blocks.ids[block])])
    _check_reasons(context, ground, trial)


def _check_reasons(context: Context, ground: Ground, trial: QueueTrial) -> None:
    left, blocks = context.left, context.instance.blocks
    known = {reason.value for reason in Reason}
    for row in rows_where(left.reason != Reason.HOME_VISIT):
        reason, block = str(left.reason[row]), int(left.block[row])
        where, line = [str(blocks.ids[block])], int(left.line[row])
        if reason not in known:
            text = f"expected one of {', '.join(sorted(known))}, got {reason}"
            context.log.add("B113", UNSERVED, text, line=line, where=where)
            continue
        against = _objection(context.instance, ground, trial, block, Reason(reason))
        if against:
            text = f"{reason}: {against}"
            context.log.add("B114", UNSERVED, text, line=line, where=where)


def _objection(
    instance: Instance, ground: Ground, trial: QueueTrial, block: int, reason: Reason
) -> str:
    """Return why a reason cannot be true; nothing when it can."""
    lockdown = instance.block_zone[block] == Zone.LOCKDOWN
    if reason is Reason.NO_TEAM and not lockdown:
        return "the block is not in lockdown"
    alone = not ground.has_candidate(block)
    if reason in {Reason.NO_TEAM, Reason.NO_SITE}:
        return "" if alone else f"{_name(instance, ground.candidates(block)[0])} is a candidate"
    if alone:
        return f"there is no candidate: expected {'no_team' if lockdown else 'no_site'}"
    if reason is Reason.BLOCK_TOO_LARGE:
        site = _roomy_site(instance, ground, trial, block)
        return "" if site is None else f"{_name(instance, site)} holds it in one opening window"
    return ""


def _roomy_site(instance: Instance, ground: Ground, trial: QueueTrial, block: int) -> int | None:
    """Return a candidate of which the longest window surely holds the people of a block."""
    candidates = ground.candidates(block)
    people = int(instance.demand[block])
    called = np.array([_least_quota(ground, site, people) for site in candidates.tolist()])
    room = places(instance)[candidates]
    enough = called <= lane_quotas(instance)[candidates]
    for at in rows_where(enough):
        site = int(candidates[at])
        if trial.surely_fits(Desk.of(instance, site, int(called[at])), int(room[at])):
            return site
    return None


def _least_quota(ground: Ground, site: int, people: int) -> int:
    """Return the smallest quota with which one opening window of a site holds so many people."""
    least = _NEVER
    for shares in ground.run_shares(site):
        low, high = -(-people // len(shares)), min(least, math.ceil(people / max(shares)) + 1)
        while low < high:
            quota = (low + high) // 2
            if sum(_in_slot(quota, share) for share in shares) >= people:
                high = quota
            else:
                low = quota + 1
        least = min(least, high)
    return least


def _in_slot(quota: int, share: float) -> int:
    """Return the people that a slot with a share of a quota may call."""
    return min(quota, max(1, math.floor(quota * share + ROUNDING)))


def _name(instance: Instance, site: int) -> str:
    return str(instance.sites.ids[site])


def lane_quotas(instance: Instance) -> Ints:
    """Return the people that the lanes of each site can swab in a slot, per DESIGN rule 2."""
    sites, settings = instance.sites, instance.settings
    per_slot = sites.lanes * sites.people_per_lane_hour * settings.round.slot_minutes / 60
    return np.floor(per_slot * settings.targets.max_load + ROUNDING).astype(np.int64)


def places(instance: Instance) -> Ints:
    """Return the people that the queue ground of each site holds."""
    room = instance.sites.queue_length_m / instance.settings.targets.spacing_m
    return np.floor(room + ROUNDING).astype(np.int64)


@dataclass(frozen=True)
class _Peak:
    """The fullest slot of each site."""

    people: Ints
    slot: Ints


def check_quotas(context: Context, ground: Ground, trial: QueueTrial) -> None:
    """Check city and lanes in every slot, and the ground at each site's fullest slot."""
    totals = _slot_totals(context, ground)
    _check_city(context, totals)
    limits = lane_quotas(context.instance)
    for site, slot in np.argwhere(totals > limits[:, None]):
        words = f"expected at most {limits[site]} people for the lanes, got {totals[site, slot]}"
        _add(context, "B121", site, slot, words)
    if not totals.size:
        return
    peak = _Peak(totals.max(axis=1), totals.argmax(axis=1))
    room = places(context.instance)
    sites = np.flatnonzero((peak.people > 0) & (peak.people <= limits))
    desks = [Desk.of(context.instance, site, int(peak.people[site])) for site in sites.tolist()]
    shares = trial.shares(desks, [int(room[site]) for site in sites])
    level = context.instance.settings.targets.queue_service_level
    for site, share in shares.items():
        words = f"expected the queue to fit {room[sites[site]]} places in {level:.2%} of slots"
        _add(
            context,
            "B122",
            sites[site],
            peak.slot[sites[site]],
            f"{words}, got {share:.2%} with {peak.people[sites[site]]} people called",
        )

    if context.instance.settings.slots.profile != "flat":
        _check_profile(context, ground, trial, totals)


def _check_city(context: Context, totals: Ints) -> None:
    """Check that the whole city calls no more people in a slot than it may."""
    most, called = context.instance.settings.slots.city_people, totals.sum(axis=0)
    for slot in rows_where(called > most) if most else ():
        when = context.axis.text(slot * context.axis.slot_min)
        text = f"expected at most {most} people in the whole city, got {called[slot]}"
        context.log.add("B124", ASSIGNMENTS, text, where=[when])


def _check_profile(context: Context, ground: Ground, trial: QueueTrial, totals: Ints) -> None:
    """Check slots with a share of the quota: as many people in a full slot must be allowed too."""
    share, lanes = ground.slot_shares, lane_quotas(context.instance)
    full = np.where(totals > 1, np.ceil((totals - ROUNDING) / share), totals).astype(np.int64)
    for site, slot in np.argwhere((full > lanes[:, None]) & (totals <= lanes[:, None])):
        _add_profile(context, ground, (site, slot), totals[site, slot])
    within = np.where(full <= lanes[:, None], full, 0)
    slots, most = within.argmax(axis=1), within.max(axis=1)
    sites = np.flatnonzero(most > totals.max(axis=1))
    desks = [Desk.of(context.instance, site, int(most[site])) for site in sites.tolist()]
    room = places(context.instance)
    for at in trial.shares(desks, [int(room[site]) for site in sites]):
        place = sites[at], slots[sites[at]]
        _add_profile(context, ground, place, totals[place])


def _add_profile(context: Context, ground: Ground, place: tuple[int, int], got: int) -> None:
    share = ground.slot_shares[place]
    words = f"expected at most {share:.1%} of the people of a full slot, got {got}"
    _add(context, "B123", *place, words)


def _slot_totals(context: Context, ground: Ground) -> Ints:
    """Return the people called, shape [site, slot]; rows off the round are breaches already."""
    called, axis = context.called, context.axis
    shape = ground.open_slots.shape
    slot = called.start // axis.slot_min
    inside = (slot >= 0) & (slot < axis.num_slots)
    key = called.site[inside] * axis.num_slots + slot[inside]
    totals = np.bincount(key, called.people[inside], shape[0] * shape[1])
    return totals.astype(np.int64).reshape(shape)


def _add(context: Context, code: str, site: int, slot: int, text: str) -> None:
    when = context.axis.text(int(slot) * context.axis.slot_min)
    where = [_name(context.instance, int(site)), when]
    context.log.add(code, ASSIGNMENTS, text, where=where)
