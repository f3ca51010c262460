"""Which consignments stay as they are: those picked up, and all that still hold where asked."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from scheduler.domain.city import Flags, Ints
from scheduler.solve.repair.groups import Groups, group_key
from scheduler.solve.repair.post import Post
from scheduler.solve.repair.rows import Sent


@dataclass(frozen=True)
class Kept:
    """Consignments that stay, and what is left to be sent of each group."""

    sent: Sent
    people: Ints  # per group
    tubes: Ints


class Keeper:
    """Tells which consignments of the plan that is mended stay; what never changes is found once.

    Tubes that were picked up stay on their way, unless their lab cannot start them.
    """

    def __init__(self, post: Post, base: Sent, num_waves: int) -> None:
        key = group_key(base.site, base.wave, base.zone, num_waves)
        order = np.lexsort((base.start, key))
        self.post, self.num_waves = post, num_waves
        self.base = base = base.where(order)
        self._key = key[order]
        self._picked_up: Flags = (base.wave + 1) * post.wave_min <= post.now
        started = self._picked_up & (base.start <= post.now)
        road = post.road_to(base.site, base.wave, base.lab)
        same_road = base.arrive - (base.wave + 1) * post.wave_min == road
        self._holds: Flags = (self._picked_up | same_road) & (started | self._works())

    def _works(self) -> Flags:
        """Return whether the lab of each consignment can start at its start."""
        is_open = self.post.hours.is_open
        minute = self.base.start - int(self.post.hours.begin_min[0])
        inside = (minute >= 0) & (minute < is_open.shape[1])
        flags: Flags = inside & is_open[self.base.lab, np.clip(minute, 0, is_open.shape[1] - 1)]
        return flags

    def keep(self, groups: Groups, *, open_too: bool) -> Kept:
        """Return which consignments stay.

        With ``open_too`` those to be picked up later stay as well where they still hold, so that
        nothing is sent anew but what has changed.
        """
        rows = np.flatnonzero(self._holds & (self._picked_up | open_too))
        rows = rows[self.base.wave[rows] < groups.num_waves]
        if not len(groups):
            rows = rows[:0]
        key = groups.key
        at = np.minimum(np.searchsorted(key, self._key[rows]), max(0, len(key) - 1))
        own = key[at] == self._key[rows]
        sent, group = _cut(self.post, self.base.where(rows[own]), at[own], groups)
        return _within_capacity(self.post, sent, group, groups)


def what_is_left(groups: Groups, sent: Sent) -> Kept:
    """Return consignments with what they leave of each group."""
    at = np.searchsorted(groups.key, group_key(sent.site, sent.wave, sent.zone, groups.num_waves))
    return _kept(sent, at, groups)


def both(a: Sent, b: Sent) -> Sent:
    """Return the consignments of both, joined where they start together at a lab."""
    names = ("site", "lab", "zone", "wave", "arrive", "start", "tubes", "people")
    table = pd.DataFrame({n: np.concatenate((getattr(a, n), getattr(b, n))) for n in names})
    keys = ["site", "wave", "zone", "start", "lab", "arrive"]
    one = table.groupby(keys, as_index=False, sort=True)[["tubes", "people"]].sum()
    return Sent(*(one[n].to_numpy(np.int64) for n in names))


def _kept(sent: Sent, group: Ints, groups: Groups) -> Kept:
    people = groups.people - np.bincount(group, sent.people, len(groups)).astype(np.int64)
    tubes = groups.tubes - np.bincount(group, sent.tubes, len(groups)).astype(np.int64)
    return Kept(sent, people, tubes)


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
    """Release consignments not yet started that their lab's hour has no room for."""
    hour = post.hours.index(sent.start)
    started = ((sent.wave + 1) * post.wave_min <= post.now) & (sent.start <= post.now)
    load = post.load(sent)
    over = load > post.hours.capacity
    stays = np.ones(len(sent), dtype=bool)
    for row in np.flatnonzero(over[sent.lab, hour] & ~started)[::-1].tolist():
        lab, h = int(sent.lab[row]), int(hour[row])
        if load[lab, h] > post.hours.capacity[lab, h]:
            load[lab, h] -= sent.tubes[row]
            stays[row] = False
    return _kept(sent.where(stays), group[stays], groups)
