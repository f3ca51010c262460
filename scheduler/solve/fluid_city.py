"""The city as the fluid sees it: groups of sites, people by district, laboratory hours."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from scheduler.domain.city import FIXED, Flags, Floats, Ints
from scheduler.domain.instance import Instance
from scheduler.domain.metrics import EARTH_RADIUS_M
from scheduler.domain.profile import slot_places

CELL_DEG = 0.2
"""Sites of a district within a cell of about 10 km form a group."""

ALWAYS_NEAREST = 8
HOUR_MIN = 60
MOST_DAYS = 45


@dataclass(frozen=True)
class Groups:
    """Sites with a quota: ``members[group]``, ``of_site[site]`` (-1: none)."""

    members: list[Ints]
    of_site: Ints


@dataclass(frozen=True)
class District:
    """People of one district and pool size, and the groups of sites some of them can reach."""

    name: str
    pool: int
    people: int
    groups: Ints


@dataclass(frozen=True)
class LabClock:
    """Clock hours: ``begin_min[hour]``, ``day[hour]`` from 0, ``capacity[lab, hour]`` in tubes."""

    begin_min: Ints
    day: Ints
    capacity: Ints

    @property
    def works(self) -> Flags:
        """Whether each laboratory ever starts a tube."""
        return np.asarray(self.capacity.any(axis=1), dtype=np.bool_)

    def index(self, minute: Ints) -> Ints:
        """Return the hour that holds a minute."""
        hour: Ints = (minute - self.begin_min[0]) // HOUR_MIN
        clipped: Ints = np.clip(hour, -1, len(self.begin_min) - 1)
        return clipped


def group_sites(instance: Instance, quota: Ints) -> Groups:
    """Return sites grouped by district and cell."""
    sites = instance.sites
    cell = np.floor(np.column_stack((sites.lat, sites.lng)) / CELL_DEG).astype(np.int64)
    kinds: dict[tuple[str, int, int], list[int]] = {}
    for site in np.flatnonzero(quota > 0).tolist():
        key = str(sites.districts[site]), int(cell[site, 0]), int(cell[site, 1])
        kinds.setdefault(key, []).append(site)
    members = [np.array(kinds[key], dtype=np.int64) for key in sorted(kinds)]
    of_site = np.full(len(sites), -1, dtype=np.int64)
    for group, some in enumerate(members):
        of_site[some] = group
    return Groups(members, of_site)


def wave_room(instance: Instance, quota: Ints, groups: Groups) -> Ints:
    """Return the people that a group's lanes can swab in a wave, ``[group, wave]``."""
    clock = instance.clock
    slot, per = instance.settings.round.slot_minutes, clock.slots_per_wave
    places = slot_places(instance, quota, clock.num_waves * per)
    by_hours: dict[object, Ints] = {}
    room = np.zeros((len(groups.members), clock.num_waves), dtype=np.int64)
    for group, members in enumerate(groups.members):
        for site in members.tolist():
            hours = instance.sites.hours[site]
            if hours not in by_hours:
                slots = np.zeros(clock.num_waves * per, dtype=np.int64)
                for begin, end in clock.windows(hours, 0, clock.end_min):
                    slots[-(-max(begin, 0) // slot) : max(min(end, clock.end_min) // slot, 0)] = 1
                by_hours[hours] = slots
            room[group] += (places[site] * by_hours[hours]).reshape(-1, per).sum(axis=1)
    return room


def demand_of(instance: Instance, groups: Groups) -> list[District]:
    """Return people to be called by district and pool size, with the groups in reach.

    In reach is every group that some block of the district may use: one of its 8 nearest sites, or
    within ``max_walk_m``; teams for the communities they are named for.
    """
    names = instance.communities.districts.astype(str)[instance.blocks.community_index]
    reach = _reach(instance, groups, names)
    rows = []
    for name in np.unique(names).tolist():
        for pool in np.unique(instance.block_pool[names == name]).tolist():
            here = (names == name) & (instance.block_pool == pool)
            people = int(instance.demand[here].sum())
            if people:
                rows.append(District(name, pool, people, np.flatnonzero(reach[name])))
    return rows


def _reach(instance: Instance, groups: Groups, names: Ints) -> dict[str, Flags]:
    sites, targets = instance.sites, instance.settings.targets
    homes, points = (_points(t.lat, t.lng) for t in (instance.blocks, sites))
    fixed = np.flatnonzero((groups.of_site >= 0) & (sites.kinds == FIXED))
    within = 2 * np.sin(min(targets.max_walk_m / instance.settings.walk.detour / EARTH_RADIUS_M / 2,
                            np.pi / 2))  # fmt: skip
    found = {name: np.zeros(len(groups.members), dtype=bool) for name in np.unique(names).tolist()}
    for name, flags in found.items():
        here = homes[names == name]
        usable = fixed
        if not targets.cross_district:
            usable = fixed[sites.districts[fixed].astype(str) == name]
        if len(usable):
            count = min(ALWAYS_NEAREST, len(usable))
            near = cKDTree(points[usable]).query(here, k=count)[1]
            flags[groups.of_site[usable[np.unique(near)]]] = True
            away = cKDTree(here).query(points[usable])[0]
            flags[groups.of_site[usable[away <= within]]] = True
    for site, named in enumerate(sites.community_indices):
        if groups.of_site[site] >= 0:
            for community in named:
                found[str(instance.communities.districts[community])][groups.of_site[site]] = True
    return found


def _points(lat: Floats, lng: Floats) -> Floats:
    phi, lam = np.radians(lat), np.radians(lng)
    return np.column_stack((np.cos(phi) * np.cos(lam), np.cos(phi) * np.sin(lam), np.sin(phi)))


def lab_clock(instance: Instance) -> LabClock:
    """Return the laboratories' hours, until all tubes of the round could have been started."""
    clock, labs = instance.clock, instance.labs
    tubes = int((instance.demand / instance.block_pool).sum())
    rate = max(1, int(labs.tubes_per_hour.sum()))
    days = min(MOST_DAYS, 2 + 3 * tubes // (rate * 48))
    hours = clock.end_min // HOUR_MIN + 24 * days + 2
    begin = -clock.start.minute + HOUR_MIN * np.arange(hours)
    capacity = np.zeros((len(labs), hours), dtype=np.int64)
    known: dict[object, Ints] = {}
    for lab, opening in enumerate(labs.hours):
        if opening not in known:
            is_open = np.zeros(hours * HOUR_MIN, dtype=np.int64)
            for a, b in clock.windows(opening, int(begin[0]), int(begin[-1]) + HOUR_MIN):
                is_open[max(a - int(begin[0]), 0) : max(b - int(begin[0]), 0)] = 1
            known[opening] = is_open.reshape(hours, HOUR_MIN).sum(axis=1)
        capacity[lab] = labs.tubes_per_hour[lab] * known[opening] // HOUR_MIN
    first = clock.start.date()
    day = np.array([(clock.at(int(m)).date() - first).days for m in begin], dtype=np.int64)
    return LabClock(begin, day - day.min(), capacity)
