"""Which sites a community may use, and how far they are (DESIGN.md, rules 4 and 5)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scheduler.domain.city import FIXED, Floats, Ints
from scheduler.domain.explain_slots import opens
from scheduler.domain.instance import Instance
from scheduler.domain.settings import Zone

EARTH_RADIUS_M = 6_371_008.8
NEAREST = 8
"""So many nearest accepting sites are candidates at any distance (DESIGN.md, rule 5)."""


@dataclass(frozen=True)
class Found:
    """Candidate sites of a community, nearest first, and the mean walk to each.

    Sites in reach that never open stand among them, so that they can be told of.
    """

    sites: Ints
    walk_m: Floats
    zone: int


def find_candidates(instance: Instance, community: int, blocks: Ints) -> Found:
    """Return the sites a community may use; ``blocks`` are its blocks."""
    zone = int(instance.communities.zone[community])
    named, fixed = _accepting(instance, community, zone)
    walk = _walks(instance, blocks, fixed)
    near = walk <= instance.settings.targets.max_walk_m
    is_open = opens(instance)[fixed]
    ranked = np.where(is_open, walk, np.inf)
    rank = np.argsort(np.argsort(ranked, axis=1, kind="stable"), axis=1, kind="stable")
    near |= (rank < max(NEAREST - len(named), 0)) & is_open
    people = np.maximum(instance.demand[blocks], 0)
    weights = people if people.sum() else np.ones(len(blocks))
    mean = np.average(walk, axis=0, weights=weights) if len(blocks) else np.zeros(len(fixed))
    some = near.any(axis=0)
    order = np.argsort(mean[some], kind="stable")
    return Found(
        np.concatenate([named, fixed[some][order]]),
        np.concatenate([np.zeros(len(named)), mean[some][order]]),
        zone,
    )


def _accepting(instance: Instance, community: int, zone: int) -> tuple[Ints, Ints]:
    """Return the teams named for a community and the fixed sites that accept its zone."""
    sites = instance.sites
    good = sites.accepts[:, zone]
    fixed = (sites.kinds == FIXED) & good & (zone != Zone.LOCKDOWN)
    if not instance.settings.targets.cross_district:
        fixed &= sites.districts == instance.communities.districts[community]
    named = [s for s, of in enumerate(sites.community_indices) if community in of and good[s]]
    return np.array(named, dtype=np.int64), np.flatnonzero(fixed)


def _walks(instance: Instance, blocks: Ints, sites: Ints) -> Floats:
    """Return metres on foot, ``[block, site]``: great circle (haversine) x detour."""
    lat_b = np.radians(instance.blocks.lat[blocks])[:, None]
    lat_s = np.radians(instance.sites.lat[sites])[None, :]
    d_lng = np.radians(instance.sites.lng[sites][None, :] - instance.blocks.lng[blocks][:, None])
    h = np.sin((lat_s - lat_b) / 2) ** 2
    h += np.cos(lat_b) * np.cos(lat_s) * np.sin(d_lng / 2) ** 2
    metres: Floats = 2 * EARTH_RADIUS_M * np.arcsin(np.sqrt(np.clip(h, 0, 1)))
    return metres * instance.settings.walk.detour
