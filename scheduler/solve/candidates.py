"""Which sites a block may use, nearest first (DESIGN.md, rules 4 and 5)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from scheduler.domain.city import FIXED, Flags, Floats, Ints
from scheduler.domain.instance import Instance
from scheduler.domain.settings import Zone

EARTH_RADIUS_M = 6_371_008.8
ALWAYS_NEAREST = 8
"""So many nearest accepting sites are candidates however far they lie."""


def unit_vectors(lat: Floats, lng: Floats) -> Floats:
    """Return points on the unit sphere, shape (n, 3), of degrees."""
    phi, lam = np.radians(lat), np.radians(lng)
    return np.column_stack((np.cos(phi) * np.cos(lam), np.cos(phi) * np.sin(lam), np.sin(phi)))


def arc_m(chord: Floats) -> Floats:
    """Return great-circle metres of chords on the unit sphere."""
    return 2 * EARTH_RADIUS_M * np.arcsin(np.clip(chord / 2, 0, 1))


@dataclass(frozen=True)
class Pairs:
    """Candidate (block, site) pairs sorted by block, then distance; columns of equal length."""

    block: Ints
    site: Ints
    walk_m: Floats

    def __len__(self) -> int:
        return len(self.block)

    def where(self, keep: Flags) -> Pairs:
        """Return the pairs that are kept."""
        return Pairs(self.block[keep], self.site[keep], self.walk_m[keep])

    def reach(self, num_blocks: int) -> Floats:
        """Return how far each block's farthest site is, 0 where it has none."""
        far = np.zeros(num_blocks)
        np.maximum.at(far, self.block, self.walk_m)
        return far

    def joined(self, other: Pairs) -> Pairs:
        """Return the pairs of both; none may stand in both."""
        columns = zip(
            (self.block, self.site, self.walk_m), (other.block, other.site, other.walk_m),
            strict=True,
        )  # fmt: skip
        block, site, walk_m = (np.concatenate(c) for c in columns)
        order = np.lexsort((walk_m, block))
        return Pairs(block[order], site[order], walk_m[order])


class Candidates:
    """Finds candidate pairs; asks for more of them cost only what is new.

    Parameters
    ----------
    instance : the round.
    is_open : whether a site has a slot in the round, shape (sites,).
    """

    def __init__(self, instance: Instance, is_open: Flags) -> None:
        self._instance = instance
        self._open = is_open
        self._sites = unit_vectors(instance.sites.lat, instance.sites.lng)
        self._blocks = unit_vectors(instance.blocks.lat, instance.blocks.lng)
        self._fixed = np.array([kind == FIXED for kind in instance.sites.kinds], dtype=bool)
        self._named = _named_sites(instance, is_open)
        self._groups = self._split_blocks()

    def nearest(self, count: int, blocks: Ints | None = None) -> Pairs:
        """Return up to ``count`` nearest fixed candidates of each block, and all its teams.

        ``blocks`` limits the answer to some blocks (sorted indices).
        """
        parts = [self._teams(blocks)]
        for (zone, district), members in self._groups.items():
            chosen = members if blocks is None else np.intersect1d(members, blocks)
            sites = self._accepting(zone, district)
            if len(chosen) and len(sites):
                parts.append(self._near(chosen, sites, min(count, len(sites))))
        block = np.concatenate([p.block for p in parts])
        site = np.concatenate([p.site for p in parts])
        walk = np.concatenate([p.walk_m for p in parts])
        order = np.lexsort((site, walk, block))
        return Pairs(block[order], site[order], walk[order])

    def _split_blocks(self) -> dict[tuple[int, str], Ints]:
        """Group blocks that share their accepting fixed sites: by zone, and district if asked."""
        instance = self._instance
        zone = instance.block_zone
        district = np.full(len(zone), "", dtype=object)
        if not instance.settings.targets.cross_district:
            district = instance.communities.districts[instance.blocks.community_index]
        groups: dict[tuple[int, str], Ints] = {}
        for key in sorted(set(zip(zone.tolist(), district.tolist(), strict=True))):
            if key[0] != Zone.LOCKDOWN:  # served by teams named for them only
                groups[key] = np.flatnonzero((zone == key[0]) & (district == key[1]))
        return groups

    def _accepting(self, zone: int, district: str) -> Ints:
        sites = self._instance.sites
        good = self._open & self._fixed & sites.accepts[:, zone]
        if district:
            good &= sites.districts == district
        return np.flatnonzero(good)

    def _near(self, blocks: Ints, sites: Ints, count: int) -> Pairs:
        chord, found = cKDTree(self._sites[sites]).query(self._blocks[blocks], k=count)
        shape = (len(blocks), -1)
        chord, found = np.reshape(chord, shape), np.reshape(found, shape)
        walk = arc_m(chord) * self._instance.settings.walk.detour
        teams = np.zeros(len(blocks), dtype=np.int64)
        if self._named:
            community = self._instance.blocks.community_index[blocks]
            counts = np.array([len(self._named.get(int(c), ())) for c in community])
            teams = counts  # they count among the nearest accepting sites: the strict reading
        near = np.arange(walk.shape[1])[None, :] + teams[:, None] < ALWAYS_NEAREST
        keep = near | (walk <= self._instance.settings.targets.max_walk_m)
        rows = np.broadcast_to(blocks[:, None], walk.shape)
        return Pairs(rows[keep], sites[found[keep]], walk[keep])

    def _teams(self, blocks: Ints | None) -> Pairs:
        """Return the pairs with mobile and dedicated sites: in place, so no walk."""
        community = self._instance.blocks.community_index
        chosen = np.arange(len(community)) if blocks is None else blocks
        chosen = chosen[np.isin(community[chosen], list(self._named))]
        rows = [(b, s) for b in chosen.tolist() for s in self._named[int(community[b])]]
        table = np.array(rows, dtype=np.int64).reshape(-1, 2)
        return Pairs(table[:, 0], table[:, 1], np.zeros(len(table)))


def _named_sites(instance: Instance, is_open: Flags) -> dict[int, list[int]]:
    """Return community -> open mobile and dedicated sites that serve it and accept its zone."""
    named: dict[int, list[int]] = {}
    for site, communities in enumerate(instance.sites.community_indices):
        for community in communities:
            zone = instance.communities.zone[community]
            if is_open[site] and instance.sites.accepts[site, zone]:
                named.setdefault(community, []).append(site)
    return named
