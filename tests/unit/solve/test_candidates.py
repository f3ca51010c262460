"""Candidate sites against a comparison of every block with every site."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from scheduler.domain.city import FIXED
from scheduler.domain.instance import Instance
from scheduler.domain.metrics import walk_metres
from scheduler.domain.settings import Zone
from scheduler.solve.candidates import ALWAYS_NEAREST, Candidates
from tests.rounds import Recipe, random_instance

WIDE = Recipe(num_communities=8, num_sites=30, span_km=30.0, zone_sites=True)


def _brute_force(instance: Instance, is_open: np.ndarray, block: int) -> dict[int, float]:
    """Return site -> metres of every site that the rules 4 and 5 of DESIGN.md allow."""
    sites, community = instance.sites, int(instance.blocks.community_index[block])
    zone = int(instance.communities.zone[community])
    fixed: list[tuple[float, int]] = []
    teams: dict[int, float] = {}
    for site in range(len(sites)):
        if not is_open[site] or not sites.accepts[site, zone]:
            continue
        if sites.kinds[site] != FIXED:
            if community in sites.community_indices[site]:
                teams[site] = 0.0
        elif zone != Zone.LOCKDOWN and (
            instance.settings.targets.cross_district
            or sites.districts[site] == instance.communities.districts[community]
        ):
            metres = walk_metres(instance, np.array([block]), np.array([site]))
            fixed.append((float(metres[0]), site))
    near = ALWAYS_NEAREST - len(teams)
    within = instance.settings.targets.max_walk_m
    return teams | {
        site: metres
        for rank, (metres, site) in enumerate(sorted(fixed))
        if rank < near or metres <= within
    }


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("cross_district", [True, False])
@pytest.mark.parametrize("max_walk_m", [0, 3000, 12_000])
def test_all_and_only_the_allowed_sites(seed: int, max_walk_m: int, cross_district: bool) -> None:
    """Within the walk limit or among the 8 nearest, open, accepting, of the district if asked."""
    recipe = replace(WIDE, max_walk_m=max_walk_m, cross_district=cross_district)
    instance = random_instance(seed, recipe)
    is_open = np.random.default_rng(seed).random(len(instance.sites)) < 0.8
    pairs = Candidates(instance, is_open).nearest(len(instance.sites))
    for block in range(len(instance.blocks)):
        rows = pairs.block == block
        found = dict(zip(pairs.site[rows].tolist(), pairs.walk_m[rows].tolist(), strict=True))
        expected = _brute_force(instance, is_open, block)
        assert found.keys() == expected.keys()
        assert found == pytest.approx(expected, abs=0.5)


def test_nearest_first_and_no_more_than_asked() -> None:
    """Pairs are sorted by block and distance; ``count`` limits the fixed sites of each block."""
    instance = random_instance(1, WIDE)
    pairs = Candidates(instance, np.ones(len(instance.sites), dtype=bool)).nearest(3)
    same = np.diff(pairs.block) == 0
    assert (np.diff(pairs.block) >= 0).all()
    assert (np.diff(pairs.walk_m)[same] >= 0).all()
    fixed = instance.sites.kinds[pairs.site] == FIXED
    assert np.bincount(pairs.block[fixed]).max() == 3


def test_some_blocks_alone_get_the_same_pairs() -> None:
    """Asking for some blocks gives what asking for all gives for them."""
    instance = random_instance(2, WIDE)
    candidates = Candidates(instance, np.ones(len(instance.sites), dtype=bool))
    some = np.array([0, 5, 6, 31])
    whole, part = candidates.nearest(6), candidates.nearest(6, some)
    kept = whole.where(np.isin(whole.block, some))
    assert part.block.tolist() == kept.block.tolist()
    assert part.site.tolist() == kept.site.tolist()


def test_a_round_without_open_sites_has_no_pairs() -> None:
    """Closed sites are nobody's candidates, teams included."""
    instance = random_instance(3, WIDE)
    none = np.zeros(len(instance.sites), dtype=bool)
    assert len(Candidates(instance, none).nearest(8)) == 0
