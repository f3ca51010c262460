"""Where people may go: opening slots of sites, distances, and who is a candidate of whom."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from scheduler.domain.city import FIXED, Flags, Floats, Ints
from scheduler.domain.instance import Instance
from scheduler.domain.settings import Zone
from scheduler.domain.verify.timeaxis import TimeAxis

EARTH_RADIUS_M = 6_371_008.8  # mean radius, IUGG
NUM_NEAREST = 8  # DESIGN.md section 3, rule 5
TIE = 1e-6  # relative difference below which two distances are one
CHUNK_ROWS = 256


def great_circle_m(lat_a: Floats, lng_a: Floats, lat_b: Floats, lng_b: Floats) -> Floats:
    """Return great-circle metres between points in degrees, by the haversine formula."""
    phi_a, phi_b = np.radians(lat_a), np.radians(lat_b)
    across = np.sin(np.radians(lng_b - lng_a) / 2) ** 2
    part = np.sin((phi_b - phi_a) / 2) ** 2 + np.cos(phi_a) * np.cos(phi_b) * across
    metres: Floats = 2 * EARTH_RADIUS_M * np.arcsin(np.sqrt(np.clip(part, 0.0, 1.0)))
    return metres


class Ground:
    """Sites as seen from blocks."""

    def __init__(self, instance: Instance, axis: TimeAxis) -> None:
        self.instance, self.axis = instance, axis
        self.is_fixed: Flags = instance.sites.kinds == FIXED
        self.block_community = instance.blocks.community_index
        self.block_district = instance.communities.districts[self.block_community]

    @cached_property
    def open_slots(self) -> Flags:
        """Whether a slot lies whole inside an opening window, shape [site, slot]."""
        slots = np.zeros((len(self.instance.sites), self.axis.num_slots), dtype=bool)
        for site in range(len(self.instance.sites)):
            for first, last in self.runs(site):
                slots[site, first:last] = True
        return slots

    @cached_property
    def is_open(self) -> Flags:
        """Whether a site has at least one slot in the round."""
        is_open: Flags = np.any(self.open_slots, axis=1)
        return is_open

    def runs(self, site: int) -> list[tuple[int, int]]:
        """Return the runs [first, last) of slots in each opening window of a site."""
        return self._runs_of(self.instance.sites.hours[site])

    def run_shares(self, site: int) -> list[list[float]]:
        """Return the share of the quota in each slot of a site's opening windows.

        By ``slots.profile``: 1 everywhere, or for an elbow less by a straight line towards the ends
        of a window, in the middle of a slot.
        """
        rules, step = self.instance.settings.slots, self.axis.slot_min
        shares = []
        for first, last in self.runs(site):
            ends = [min(slot - first, last - 1 - slot) * step + step / 2
                    for slot in range(first, last)]  # fmt: skip
            lacking = [max(0.0, 1 - minutes / rules.edge_min) for minutes in ends]
            if rules.profile == "flat":
                lacking = [0.0] * len(lacking)
            shares.append([1 - (1 - rules.edge_share) * part for part in lacking])
        return shares

    @cached_property
    def slot_shares(self) -> Floats:
        """The share of its quota that each site has in each slot, shape [site, slot]."""
        shares = np.ones((len(self.instance.sites), self.axis.num_slots))
        if self.instance.settings.slots.profile == "flat":
            return shares
        for site in range(len(self.instance.sites)):
            for (first, last), part in zip(self.runs(site), self.run_shares(site), strict=True):
                shares[site, first:last] = part
        return shares

    def _runs_of(self, hours: tuple[tuple[int, int], ...]) -> list[tuple[int, int]]:
        if hours not in self._runs:
            step = self.axis.slot_min
            spans = self.axis.opening(hours, 0, self.axis.end_min)
            runs = [(-(-max(a, 0) // step), min(b // step, self.axis.num_slots)) for a, b in spans]
            self._runs[hours] = [(first, last) for first, last in runs if first < last]
        return self._runs[hours]

    @cached_property
    def _runs(self) -> dict[tuple[tuple[int, int], ...], list[tuple[int, int]]]:
        return {}

    def is_named(self, blocks: Ints, sites: Ints) -> Flags:
        """Return whether each site names the community of the block beside it."""
        size = len(self.instance.communities)
        named = [
            site * size + community
            for site, communities in enumerate(self.instance.sites.community_indices)
            for community in communities
        ]
        return np.isin(sites * size + self.block_community[blocks], named)

    def distance_m(self, blocks: Ints, sites: Ints) -> Floats:
        """Return straight metres from each block to the site beside it."""
        home, place = self.instance.blocks, self.instance.sites
        return great_circle_m(
            home.lat[blocks], home.lng[blocks], place.lat[sites], place.lng[sites]
        )

    def walk_m(self, blocks: Ints, sites: Ints) -> Floats:
        """Return metres on foot, 0 where people are served in place."""
        metres = self.distance_m(blocks, sites) * self.instance.settings.walk.detour
        return np.where(self.is_fixed[sites], metres, 0.0)

    def in_reach(self, blocks: Ints, sites: Ints) -> Flags:
        """Return whether a fixed site is within the longest walk or among the nearest.

        Site and block are compared pair by pair; zones and districts are looked at only for the
        rank: the nearest sites are open, accept the zone and lie in an allowed district.
        """
        limit = self.instance.settings.targets.max_walk_m * (1 + TIE)
        reached: Flags = self.walk_m(blocks, sites) <= limit
        for part in np.array_split(np.flatnonzero(~reached), _num_chunks(int(np.sum(~reached)))):
            metres = self.distance_m(blocks[part], sites[part])
            nearer = self._all_m(blocks[part]) < metres[:, None] * (1 - TIE)
            reached[part] = np.sum(nearer & self._ranked(blocks[part]), axis=1) < NUM_NEAREST
        return reached

    def has_candidate(self, block: int) -> bool:
        """Return whether any site may serve a block; the nearest fixed ones always may."""
        zone = Zone(int(self.instance.block_zone[block]))
        if len(self._teams(block)):
            return True
        key = zone, str(self.block_district[block])
        if key not in self._any_fixed:
            self._any_fixed[key] = bool(np.any(self._ranked(np.array([block]))))
        return zone is not Zone.LOCKDOWN and self._any_fixed[key]

    def candidates(self, block: int) -> Ints:
        """Return the sites that may serve a block."""
        teams = self._teams(block)
        if self.instance.block_zone[block] == Zone.LOCKDOWN:
            return teams
        just = np.array([block])
        fixed = np.flatnonzero(self._ranked(just)[0])
        metres = self._all_m(just)[0, fixed]
        limit = self.instance.settings.targets.max_walk_m / self.instance.settings.walk.detour
        if len(fixed) > NUM_NEAREST:
            limit = max(limit, float(np.partition(metres, NUM_NEAREST - 1)[NUM_NEAREST - 1]))
            fixed = fixed[metres <= limit * (1 + TIE)]
        return np.union1d(teams, fixed)

    def _teams(self, block: int) -> Ints:
        """Return the open mobile and dedicated sites that name the block's community."""
        named = self._teams_of.get(int(self.block_community[block]), [])
        zone = self.instance.block_zone[block]
        usable = [t for t in named if self.is_open[t] and self.instance.sites.accepts[t, zone]]
        return np.array(usable, dtype=np.int64)

    @cached_property
    def _teams_of(self) -> dict[int, list[int]]:
        teams: dict[int, list[int]] = {}
        for site in np.flatnonzero(~self.is_fixed).tolist():
            for community in self.instance.sites.community_indices[site]:
                teams.setdefault(community, []).append(site)
        return teams

    @cached_property
    def _any_fixed(self) -> dict[tuple[Zone, str], bool]:
        return {}

    def _ranked(self, blocks: Ints) -> Flags:
        """Return which fixed sites count among the nearest, shape [block, site]."""
        zones = self.instance.block_zone[blocks]
        ranked = self.instance.sites.accepts.T[zones] & (self.is_open & self.is_fixed)
        if not self.instance.settings.targets.cross_district:
            ranked &= self.instance.sites.districts == self.block_district[blocks][:, None]
        return ranked

    def _all_m(self, blocks: Ints) -> Floats:
        home, place = self.instance.blocks, self.instance.sites
        lat, lng = home.lat[blocks][:, None], home.lng[blocks][:, None]
        return great_circle_m(lat, lng, place.lat[None, :], place.lng[None, :])


def _num_chunks(num_rows: int) -> int:
    return max(1, -(-num_rows // CHUNK_ROWS))
