"""Tubes that cannot be in time, or are on their way to a lab that is out: a flow of least cost.

Tubes that were picked up and wait at, or travel to, a laboratory that is out are taken on to
another one: their arrival is reckoned from the pick-up as for every tube, their start lies after
now.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from scheduler.domain.city import Ints
from scheduler.errors import NoPlanError
from scheduler.solve.repair.groups import Groups
from scheduler.solve.repair.keeping import Kept
from scheduler.solve.repair.outside import Parcel, Roads, Works, send
from scheduler.solve.repair.post import Post
from scheduler.solve.repair.rows import Sent

NEAREST_LABS = 12
OWN_ROADS = 300
"""Up to so many sites each has roads of its own; above it neighbours share them."""
CELL_DEGREES = 0.02
"""Side of the square in which sites share roads: about 2 km, five minutes of a courier."""


def dispatch(post: Post, groups: Groups, kept: Kept, *, every_lab: bool) -> tuple[Sent, Ints]:
    """Send what is left of each group; returns consignments and the tubes that no lab takes."""
    rows = np.flatnonzero(kept.tubes > 0)
    if not len(rows):
        return kept.sent.where(np.zeros(len(kept.sent), dtype=bool)), np.zeros_like(groups.tubes)
    site, wave, zone = groups.site[rows], groups.wave[rows], groups.zone[rows]
    bits = post.delays(site, wave)
    cluster, roads = _roads(post, site, zone, bits, every_lab=every_lab)
    labs = _Labs(post, kept.sent)
    parcel = Parcel(
        cluster, wave, kept.people[rows], kept.tubes[rows], groups.first_slot[rows],
        post.pools[zone],
    )  # fmt: skip
    left_cost = post.instance.settings.weights.unserved * int(post.pools.max())
    shipped, left = send(post.instance, parcel, labs.roads(roads), labs.works(), left_cost)
    row, lab = shipped.batch, labs.origin[shipped.lab]
    pickup = (wave[row] + 1) * post.wave_min
    road = post.road_to(site[row], wave[row], lab)
    start = np.maximum(pickup + road, post.hours.begin_min[shipped.hour])
    sent = Sent(site[row], lab, zone[row], wave[row], pickup + road, start, shipped.tubes,
                shipped.people)  # fmt: skip
    missing = np.zeros_like(groups.tubes)
    missing[rows] = left
    return sent, missing


def refuse_lost(groups: Groups, left: Ints, free_from: int, per_wave: int) -> None:
    """Refuse a plan that leaves tubes to nobody which are or will surely be filled.

    Raises
    ------
    NoPlanError
        When no lab takes tubes of calls that stay.
    """
    fixed = left[(groups.wave + 1) * per_wave <= free_from].sum()
    if fixed:
        raise NoPlanError(
            f"No laboratory can take {fixed:,} tubes that are filled or will be before the freeze "
            "ends: no plan was made",
            hint="Report the laboratory that takes them (lab_back, lab_rate_changed).",
        )


def _roads(
    post: Post, site: Ints, zone: Ints, bits: Ints, *, every_lab: bool
) -> tuple[Ints, Roads]:
    """Join sites that lie close together; returns the cluster of each row, and its roads."""
    sites = post.instance.sites
    cell = site.astype(np.float64)
    if len(np.unique(site)) > OWN_ROADS:
        cell = np.floor(sites.lat[site] / CELL_DEGREES) * 1e5 + np.floor(
            sites.lng[site] / CELL_DEGREES
        )
    table = np.column_stack((cell, zone, bits))
    distinct, cluster = np.unique(table, axis=0, return_inverse=True)
    cluster = cluster.reshape(-1)
    minutes = np.zeros((len(distinct), len(post.instance.labs)), dtype=np.int64)
    pairs, first = np.unique(np.column_stack((cluster, site)), axis=0, return_index=True)
    np.maximum.at(minutes, pairs[:, 0], post.road(site[first], bits[first]))
    zones = distinct[:, 1].astype(np.int64)
    usable = post.accepted()[zones]
    if not every_lab and minutes.shape[1] > NEAREST_LABS:
        far = np.where(usable, minutes, 1 << 30)
        limit = np.partition(far, NEAREST_LABS - 1, axis=1)[:, NEAREST_LABS - 1]
        usable &= far <= limit[:, None]
    late = post.instance.settings.weights.late * post.pools[zones]
    return cluster, Roads(minutes, usable, late.astype(np.float64))


class _Labs:
    """The labs as the flow sees them.

    A lab with a daily limit of which something is used already stands once for each day with tubes
    of its own, because the flow knows one limit for all days.
    """

    def __init__(self, post: Post, kept: Sent) -> None:
        self.post = post
        labs, hours = post.instance.labs, post.hours
        free = post.free_hours(kept)
        day_of = hours.day - hours.day.min()
        used = np.zeros((len(labs), int(day_of.max()) + 1), dtype=np.int64)
        np.add.at(used, (kept.lab, day_of[hours.index(kept.start)]), kept.tubes)
        origin, limits, capacity = [], [], []
        for lab in range(len(labs)):
            limit = int(labs.max_tubes_per_day[lab])
            days = np.flatnonzero(used[lab]).tolist() if limit >= 0 else []
            rest = free[lab].copy()
            for day in days:
                origin.append(lab)
                limits.append(max(0, limit - int(used[lab, day])))
                capacity.append(np.where(day_of == day, free[lab], 0))
                rest[day_of == day] = 0
            origin.append(lab)
            limits.append(limit)
            capacity.append(rest)
        self.origin = np.array(origin, dtype=np.int64)
        self.limits = np.array(limits, dtype=np.int64)
        self.capacity = np.array(capacity, dtype=np.int64)

    def roads(self, roads: Roads) -> Roads:
        return Roads(roads.minutes[:, self.origin], roads.usable[:, self.origin], roads.late_cost)

    def works(self) -> Works:
        hours = self.post.hours
        whole = replace(
            hours, capacity=self.capacity, open_from=hours.open_from[self.origin],
            is_open=hours.is_open[self.origin],
        )  # fmt: skip
        processing = self.post.instance.labs.processing_min[self.origin]
        holding = self.post.instance.settings.targets.max_holding_min
        return Works(whole, processing, self.limits, holding)
