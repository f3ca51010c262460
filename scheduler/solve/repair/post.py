"""Tubes to laboratories: what was picked up stays on its way, all others are sent anew by one flow.

Tubes that were picked up and wait at, or travel to, a laboratory that is out are taken on to
another one: their arrival is reckoned from the pick-up as for every tube, their start lies after
now.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from scheduler.domain.city import Flags, Ints
from scheduler.domain.overlay import Overlay
from scheduler.errors import NoPlanError
from scheduler.solve.repair.outside import (
    HOUR_MIN,
    LabHours,
    Parcel,
    Roads,
    Works,
    road_minutes,
    send,
    working_hours,
)
from scheduler.solve.repair.rows import Calls, Sent

NEAREST_LABS = 12
OWN_ROADS = 300
"""Up to so many sites each has roads of its own; above it neighbours share them."""
CELL_DEGREES = 0.02
"""Side of the square in which sites share roads: about 2 km, five minutes of a courier."""


@dataclass(frozen=True)
class Groups:
    """What is swabbed by site, wave and zone, sorted."""

    site: Ints
    wave: Ints
    zone: Ints
    people: Ints
    tubes: Ints
    first_slot: Ints
    num_waves: int

    def __len__(self) -> int:
        return len(self.site)

    @property
    def key(self) -> Ints:
        """One number per site, wave and zone, ascending."""
        key: Ints = group_key(self.site, self.wave, self.zone, self.num_waves)
        return key


def group_key(site: Ints, wave: Ints, zone: Ints, num_waves: int) -> Ints:
    """Return one number per site, wave and zone."""
    return (site * num_waves + wave) * 4 + zone


def groups_of(calls: Calls, pools: Ints, per_wave: int) -> Groups:
    """Return what the calls swab by site, wave and zone."""
    wave = calls.slot // per_wave
    num_waves = int(wave.max(initial=0)) + 1
    key = group_key(calls.site, wave, calls.zone, num_waves)
    distinct, where = np.unique(key, return_inverse=True)
    people = np.bincount(where, calls.people, len(distinct)).astype(np.int64)
    first = np.full(len(distinct), 1 << 30, dtype=np.int64)
    np.minimum.at(first, where, calls.slot)
    rest, zone = np.divmod(distinct, 4)
    site, at = np.divmod(rest, num_waves)
    return Groups(site, at, zone, people, -(-people // pools[zone]), first, num_waves)


class Post:
    """Couriers and laboratories under an overlay, seen from ``now``."""

    def __init__(self, overlay: Overlay, now_min: int, horizon_hours: int) -> None:
        self.overlay, self.now = overlay, now_min
        self.instance = overlay.instance
        self.wave_min = self.instance.settings.round.wave_minutes
        self.pools = np.array(self.instance.settings.pooling.by_zone(), dtype=np.int64)
        self.roads = road_minutes(self.instance)
        self.hours = self._hours(horizon_hours)

    def _hours(self, count: int) -> LabHours:
        """Return the hours of the labs with outages and rates of events."""
        hours = working_hours(self.instance, count)
        begin = int(hours.begin_min[0])
        is_open = hours.is_open.copy()
        rate = np.zeros(is_open.shape, dtype=np.int64)
        for lab in range(len(is_open)):
            for minute, tubes in self.overlay.lab_rate[lab]:
                rate[lab, max(0, minute - begin) :] = tubes
            for first, last in self.overlay.lab_out[lab]:
                is_open[lab, max(0, first - begin) : max(0, last - begin)] = False
        parts = np.where(is_open, rate, 0).reshape(len(is_open), count, HOUR_MIN)
        opened = is_open.reshape(len(is_open), count, HOUR_MIN)
        first_open = np.where(opened.any(axis=2), opened.argmax(axis=2), HOUR_MIN)
        return replace(
            hours, capacity=parts.sum(axis=2) // HOUR_MIN, is_open=is_open,
            open_from=hours.begin_min[None, :] + first_open,
        )  # fmt: skip

    def delays(self, site: Ints, wave: Ints) -> Ints:
        """Return which delays, as bits, hold for a pick-up at a site at the end of a wave."""
        pickup = (wave + 1) * self.wave_min
        bits = np.zeros(len(site), dtype=np.int64)
        for number, delay in enumerate(self.overlay.delays):
            here = (pickup >= delay.span[0]) & (pickup < delay.span[1])
            if delay.site >= 0:
                here &= site == delay.site
            bits |= here.astype(np.int64) << number
        return bits

    def road(self, site: Ints, bits: Ints) -> Ints:
        """Return minutes from each site to every lab, ``[row, lab]``."""
        minutes = self.roads[site].copy()
        for number, delay in enumerate(self.overlay.delays):
            late = (bits >> number & 1) * delay.minutes
            if delay.lab >= 0:
                minutes[:, delay.lab] += late
            else:
                minutes += late[:, None]
        return minutes

    def accepted(self) -> Flags:
        """Return whether each lab takes the pool size of each zone, ``[zone, lab]``."""
        return np.array(
            [[not sizes or int(k) in sizes for sizes in self.instance.labs.pool_sizes]
             for k in self.pools],
            dtype=bool,
        )  # fmt: skip


@dataclass(frozen=True)
class Kept:
    """Consignments that stay, and what is left to be sent of each group."""

    sent: Sent
    people: Ints  # per group
    tubes: Ints


def keep(post: Post, groups: Groups, base: Sent, *, open_too: bool) -> Kept:
    """Return which consignments stay: those picked up, unless their lab cannot start them.

    With ``open_too`` those to be picked up later stay as well where they still hold, so that
    nothing is sent anew but what has changed.
    """
    key = groups.key
    at = np.searchsorted(key, group_key(base.site, base.wave, base.zone, groups.num_waves))
    at = np.minimum(at, max(0, len(key) - 1))
    own = (base.wave < groups.num_waves) & (
        key[at] == group_key(base.site, base.wave, base.zone, groups.num_waves)
    ) if len(key) else np.zeros(len(base), dtype=bool)  # fmt: skip
    picked_up = (base.wave + 1) * post.wave_min <= post.now
    stays = own & (picked_up | open_too)
    bits = post.delays(base.site, base.wave)
    road = post.road(base.site, bits)[np.arange(len(base)), base.lab] if len(base) else base.lab
    moved_road = base.arrive - (base.wave + 1) * post.wave_min != road
    stays &= picked_up | ~moved_road
    started = picked_up & (base.start <= post.now)
    stays &= started | _works(post, base)
    order = np.flatnonzero(stays)
    order = order[np.lexsort((base.start[order], at[order]))]
    sent = _cut(post, base.where(order), at[order], groups)
    return _within_capacity(post, sent[0], sent[1], groups)


def _works(post: Post, base: Sent) -> Flags:
    """Return whether the lab of each consignment can start at its start."""
    minute = base.start - int(post.hours.begin_min[0])
    inside = (minute >= 0) & (minute < post.hours.is_open.shape[1])
    flags: Flags = (
        inside & post.hours.is_open[base.lab, np.clip(minute, 0, post.hours.is_open.shape[1] - 1)]
    )
    return flags


def _cut(post: Post, sent: Sent, group: Ints, groups: Groups) -> tuple[Sent, Ints]:
    """Cut consignments, earliest start first, to the tubes that their group still has."""
    before = np.cumsum(sent.tubes) - sent.tubes
    first = np.searchsorted(group, group)
    before -= before[first]
    tubes = np.clip(groups.tubes[group] - before, 0, sent.tubes)
    size = post.pools[sent.zone]
    upto = np.minimum((before + tubes) * size, groups.people[group])
    people = upto - np.minimum(before * size, groups.people[group])
    # a group that has all its people and consignments keeps them tube by tube
    count = len(groups)
    whole = (np.bincount(group, sent.people, count) == groups.people) & (
        np.bincount(group, sent.tubes, count) == groups.tubes
    )
    tubes = np.where(whole[group], sent.tubes, tubes)
    people = np.where(whole[group], sent.people, people)
    some = tubes > 0
    fewer = replace(sent, tubes=tubes, people=people)
    return fewer.where(some), group[some]


def _within_capacity(post: Post, sent: Sent, group: Ints, groups: Groups) -> Kept:
    """Release consignments not yet started that their lab's hour or day has no room for."""
    hour = post.hours.index(sent.start)
    started = ((sent.wave + 1) * post.wave_min <= post.now) & (sent.start <= post.now)
    load = np.zeros(post.hours.capacity.shape, dtype=np.int64)
    np.add.at(load, (sent.lab, hour), sent.tubes)
    over = load > post.hours.capacity
    stays = np.ones(len(sent), dtype=bool)
    for row in np.flatnonzero(over[sent.lab, hour] & ~started)[::-1].tolist():
        lab, h = int(sent.lab[row]), int(hour[row])
        if load[lab, h] > post.hours.capacity[lab, h]:
            load[lab, h] -= sent.tubes[row]
            stays[row] = False
    sent, group = sent.where(stays), group[stays]
    people = groups.people - np.bincount(group, sent.people, len(groups)).astype(np.int64)
    tubes = groups.tubes - np.bincount(group, sent.tubes, len(groups)).astype(np.int64)
    return Kept(sent, people, tubes)


def free_hours(post: Post, kept: Sent) -> Ints:
    """Return tubes that each lab can still start in each hour after now, ``[lab, hour]``."""
    load = np.zeros(post.hours.capacity.shape, dtype=np.int64)
    np.add.at(load, (kept.lab, post.hours.index(kept.start)), kept.tubes)
    free: Ints = np.maximum(post.hours.capacity - load, 0)
    free[post.hours.open_from > post.hours.begin_min[None, :]] = 0
    free[:, post.hours.begin_min <= post.now] = 0
    return free


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
    road = post.road(site[row], bits[row])[np.arange(len(row)), lab] if len(row) else row
    start = np.maximum(pickup + road, post.hours.begin_min[shipped.hour])
    sent = Sent(site[row], lab, zone[row], wave[row], pickup + road, start, shipped.tubes,
                shipped.people)  # fmt: skip
    missing = np.zeros_like(groups.tubes)
    missing[rows] = left
    return sent, missing


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
        free = free_hours(post, kept)
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


def both(a: Sent, b: Sent) -> Sent:
    """Return the consignments of both, joined where they start together at a lab."""
    names = ("site", "lab", "zone", "wave", "arrive", "start", "tubes", "people")
    table = pd.DataFrame({n: np.concatenate((getattr(a, n), getattr(b, n))) for n in names})
    keys = ["site", "wave", "zone", "start", "lab", "arrive"]
    one = table.groupby(keys, as_index=False, sort=True)[["tubes", "people"]].sum()
    return Sent(*(one[n].to_numpy(np.int64) for n in names))


def what_is_left(groups: Groups, sent: Sent) -> Kept:
    """Return consignments with what they leave of each group."""
    at = np.searchsorted(groups.key, group_key(sent.site, sent.wave, sent.zone, groups.num_waves))
    people = groups.people - np.bincount(at, sent.people, len(groups)).astype(np.int64)
    tubes = groups.tubes - np.bincount(at, sent.tubes, len(groups)).astype(np.int64)
    return Kept(sent, people, tubes)


@dataclass(frozen=True)
class Mail:
    """Consignments in time, and per group the tubes that none of them holds.

    ``tight`` marks groups that share labs too small for all of them: from these so many tubes must
    go.
    """

    sent: Sent
    over: Ints
    tight: Flags


class LabRoom:
    """Whether labs have room in time for more tubes of a site and wave."""

    def __init__(self, post: Post, sent: Sent, num_waves: int) -> None:
        self.post, self.num_waves = post, num_waves
        self.free = free_hours(post, sent)
        self.total = _running(self.free)
        self.accepted = post.accepted()
        self._spans: dict[int, tuple[Ints, Ints]] = {}

    def in_time(self, site: int, zone: int) -> Ints:
        """Return the tubes of a zone that labs can still take in time, per wave."""
        first, last = self._span(site)
        labs = np.flatnonzero(self.accepted[zone])[:, None]
        room = self.total[labs, last[labs[:, 0]]] - self.total[labs, first[labs[:, 0]]]
        result: Ints = np.maximum(room, 0).sum(axis=0)
        return result

    def take(self, site: int, zone: int, wave: int, people: int) -> None:
        """Use up room, at the nearest labs first."""
        tubes = -(-people // int(self.post.pools[zone]))
        first, last = self._span(site)
        for lab in np.argsort(self.post.roads[site], kind="stable").tolist():
            if not tubes:
                return
            if not self.accepted[zone, lab]:
                continue
            for hour in range(int(first[lab, wave]), int(last[lab, wave])):
                n = min(tubes, int(self.free[lab, hour]))
                self.free[lab, hour] -= n
                tubes -= n
            self.total[lab] = _running(self.free[lab : lab + 1])[0]

    def _span(self, site: int) -> tuple[Ints, Ints]:
        """Return the first hour, and the one after the last, that keep the promise: [lab, wave]."""
        if site not in self._spans:
            post, wave = self.post, np.arange(self.num_waves)
            road = post.road(
                np.full(self.num_waves, site), post.delays(np.full(len(wave), site), wave)
            )
            arrive = ((wave + 1) * post.wave_min)[:, None] + road
            due = wave * post.wave_min + post.instance.settings.targets.result_hours * HOUR_MIN
            first = post.hours.index(arrive)
            first += post.hours.begin_min[np.minimum(first, len(post.hours) - 1)] < arrive
            latest = (due[:, None] - post.instance.labs.processing_min[None, :]).astype(np.int64)
            end = np.clip(post.hours.index(latest) + 1, 0, len(post.hours))
            self._spans[site] = (np.minimum(first, len(post.hours)).T, end.T)
        return self._spans[site]


def _running(free: Ints) -> Ints:
    """Return tubes free before each hour, ``[lab, hour]``, with one column more than hours."""
    total: Ints = np.concatenate(
        (np.zeros((len(free), 1), dtype=np.int64), np.cumsum(free, axis=1)), axis=1
    )
    return total
