"""The first hour in which each lab can start the tubes of a site and wave within the promise.

Sites are joined to one node where they reach every lab in the same hour, so that nothing is
rounded. All of it depends on couriers and lab hours only, and is found once for a re-plan.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scheduler.domain.city import Flags, Ints
from scheduler.solve.repair.groups import Groups
from scheduler.solve.repair.outside import HOUR_MIN
from scheduler.solve.repair.post import Post

NEVER = np.iinfo(np.int16).max
_SEED = 20201222


@dataclass(frozen=True)
class Nodes:
    """Sources of tubes: the wave of each, and hours after its pick-up's, ``first[node, lab]``."""

    wave: Ints
    first: Ints

    def __len__(self) -> int:
        return len(self.wave)


@dataclass(frozen=True)
class _Road:
    """What does not change from wave to wave, ``[site, lab]``: see `Reaching`."""

    hour: Ints  # of arrival, after the pick-up's
    if_whole: Ints  # first hour where the lab is open throughout the hour of arrival
    if_not: Ints
    longest: Ints  # minutes to the farthest lab in reach, per site


class Reaching:
    """First hours by site, wave and lab, and the nodes that have them in common."""

    def __init__(self, post: Post, num_waves: int) -> None:
        self.post, self.num_waves = post, num_waves
        hours, sites = post.hours, len(post.instance.sites)
        self.pickup_hour: Ints = hours.index((np.arange(num_waves) + 1) * post.wave_min)
        self.longest = np.zeros((sites, num_waves), dtype=np.int64)
        accepted, self.pattern = np.unique(post.accepted(), axis=0, return_inverse=True)
        self.pattern = self.pattern.reshape(-1)  # [zone]: zones whose pools the same labs take
        self.node = np.zeros((len(accepted), sites, num_waves), dtype=np.int64)
        shape = (len(hours.capacity), len(hours), HOUR_MIN)
        self._whole = np.asarray(np.all(hours.is_open.reshape(shape), axis=2))
        self._roads: dict[tuple[int, bytes], _Road] = {}
        waves, firsts, count = [], [], 0
        for wave in range(num_waves):
            first = self._first(wave)
            for number, takes in enumerate(accepted):
                which, distinct = _alike(np.where(takes, first, NEVER))
                self.node[number, :, wave] = count + which
                count += len(distinct)
                firsts.append(distinct)
                waves.append(np.full(len(distinct), wave))
        self.nodes = Nodes(np.concatenate(waves), np.concatenate(firsts))

    def nodes_of(self, groups: Groups, rows: Ints) -> tuple[Ints, Nodes]:
        """Return the node of each of some groups, and nodes beyond ``nodes``.

        A group whose first sample would be too old at some lab has a node of its own.
        """
        site, wave, zone = groups.site[rows], groups.wave[rows], groups.zone[rows]
        node = self.node[self.pattern[zone], site, wave]
        age = (wave + 1) * self.post.wave_min
        age = age - groups.first_slot[rows] * self.post.instance.settings.round.slot_minutes
        limit = self.post.instance.settings.targets.max_holding_min
        old = np.flatnonzero(age + self.longest[site, wave] > limit)
        road = self.post.road(site[old], self.post.delays(site[old], wave[old]))
        first = np.where(age[old, None] + road > limit, NEVER, self.nodes.first[node[old]])
        table = np.column_stack((wave[old], first)).reshape(len(old), 1 + first.shape[1])
        distinct, which = np.unique(table, axis=0, return_inverse=True)
        node[old] = len(self.nodes) + which.reshape(-1)
        return node, Nodes(distinct[:, 0].astype(np.int64), distinct[:, 1:])

    def _first(self, wave: int) -> Ints:
        """Return the first hour after the pick-up's that keeps the promise, ``[site, lab]``."""
        post, base = self.post, int(self.pickup_hour[wave])
        sites = np.arange(len(post.instance.sites))
        bits = post.delays(sites, np.full(len(sites), wave))
        phase = (wave + 1) * post.wave_min - int(post.hours.begin_min[0]) - base * HOUR_MIN
        key = (phase, bits.tobytes())
        if key not in self._roads:
            self._roads[key] = self._road(post.road(sites, bits), phase)
        road = self._roads[key]
        self.longest[:, wave] = road.longest
        last = len(post.hours) - 1
        hour = np.minimum(base + road.hour, last)
        whole = self._whole[np.arange(self._whole.shape[0])[None, :], hour]
        first = np.where(whole, road.if_whole, road.if_not)
        return np.where(base + first.astype(np.int64) > last, NEVER, first)

    def _road(self, minutes: Ints, phase: int) -> _Road:
        """Return when tubes can start that take ``minutes``, picked up ``phase`` after the hour."""
        post = self.post
        promise = post.instance.settings.targets.result_hours * HOUR_MIN - post.wave_min
        most = promise - post.instance.labs.processing_min[None, :]  # from pick-up to start
        hour, rest = np.divmod(minutes + phase, HOUR_MIN)
        now, later = minutes <= most, (hour + 1) * HOUR_MIN - phase <= most
        if_whole = np.where(now, hour, NEVER)
        if_not = np.where(now & (rest == 0), hour, np.where(later, hour + 1, NEVER))
        longest = np.where(now, minutes, 0).max(axis=1, initial=0)
        return _Road(hour, if_whole.astype(np.int16), if_not.astype(np.int16), longest)


def _alike(table: Ints) -> tuple[Ints, Ints]:
    """Return a number for each distinct row of a table of small numbers, and the distinct rows.

    Rows are compared by a 64-bit hash, ten times as fast as by all their numbers; should two
    different ones ever share theirs, they are compared in full.
    """
    factors = np.random.default_rng(_SEED).integers(1, 1 << 62, table.shape[1]) | 1
    _, first, number = np.unique(table @ factors, return_index=True, return_inverse=True)
    number = number.reshape(-1)
    if (table[first[number]] != table).any():
        _, first, number = np.unique(table, axis=0, return_index=True, return_inverse=True)
    return number.reshape(-1), table[first]


def leaking(nodes: Ints, middles: Ints, leaks: Flags, count: int) -> Flags:
    """Return the nodes from which an arc leads to a middle that leaks."""
    flags: Flags = np.bincount(nodes, leaks[middles], count) > 0
    return flags
