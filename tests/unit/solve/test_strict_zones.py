"""Stricter zones: teams share a sealed area, tubes are filled, nobody waits who need not."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from scheduler.domain.city import MOBILE
from scheduler.domain.instance import Instance
from scheduler.domain.settings import Zone
from scheduler.solve import make_plan, strict_places
from scheduler.solve.knapsacks import cost_upto
from scheduler.solve.market import Market
from scheduler.solve.spacing import site_quota
from scheduler.solve.streams import reserve
from scheduler.solve.strict_places import Strictly
from scheduler.solve.strict_zones import place_strict_zones
from tests.rounds import Recipe, random_instance

TEAMS = [0, 2]
RECIPE = Recipe(num_communities=5, blocks_per_community=7, num_sites=6, hours=14, lanes=(3, 3),
                lab_slack=9.0, queue_length_m=900.0, max_homebound=0)  # fmt: skip


def _two_teams(seed: int, people: tuple[int, int]) -> Instance:
    """Return a round whose sealed area has two teams."""
    instance = random_instance(seed, replace(RECIPE, people=people))
    kinds, named = instance.sites.kinds.copy(), list(instance.sites.community_indices)
    kinds[TEAMS[1]], named[TEAMS[1]] = MOBILE, (0,)
    accepts = instance.sites.accepts.copy()
    accepts[TEAMS] = True
    sites = replace(instance.sites, kinds=kinds, community_indices=tuple(named), accepts=accepts)
    return instance.replace(sites=sites)


@pytest.mark.parametrize("seed", range(4))
def test_teams_share_a_sealed_area_in_the_cheapest_way(seed: int) -> None:
    """No other split of its blocks between the two teams costs less."""
    instance = _two_teams(seed, (150, 300))
    market = Market(instance, site_quota(instance), 0)
    place_strict_zones(market, Strictly())
    blocks = np.flatnonzero(instance.blocks.community_index == 0)
    people, cost = instance.demand[blocks], market.slot_cost(int(Zone.LOCKDOWN), market.offered)
    upto = [cost_upto(cost[site], market.places[site]) for site in TEAMS]

    def paid(second: np.ndarray) -> float:
        load = int(people[~second].sum()), int(people[second].sum())
        return float(upto[0][load[0]] + upto[1][load[1]])

    every = (np.array(s, dtype=bool) for s in product((False, True), repeat=len(blocks)))
    found = paid(market.site_of[blocks] == TEAMS[1])
    assert found <= min(paid(second) for second in every) + 1.0


def test_a_team_that_ends_earlier_does_not_go_slower() -> None:
    """Seven equal blocks are four and three: both teams call all they can from the first slot."""
    instance = _two_teams(0, (200, 200))
    calls = make_plan(instance).assignments
    for site in instance.sites.ids[TEAMS]:
        by_slot = calls[calls["site_id"] == site].groupby("start")["people"].sum()
        assert (by_slot.iloc[:-1] == by_slot.iloc[0]).all()
        assert by_slot.iloc[-1] <= by_slot.iloc[0]


class _Reserved:
    """A round in which one block of a stricter zone takes the first slots of a site."""

    def __init__(self, places: int, people: int, zone: Zone = Zone.PRECAUTION) -> None:
        recipe = replace(RECIPE, num_communities=6, blocks_per_community=1, people=(people, people))
        self.instance = random_instance(0, recipe)
        self.market = Market(self.instance, site_quota(self.instance), 0)
        self.site, self.block, self.zone = 4, int(zone), int(zone)  # communities are by zone
        self.market.places[self.site] = places
        self.market.site_of[self.block] = self.site
        pool = self.instance.settings.pooling.by_zone()[zone]
        self.market.wave_costs[pool] = np.full(
            (len(self.instance.sites), self.instance.clock.num_waves), 5.0
        )
        self.taken = reserve(
            self.market.offered[self.site], np.array([self.block]), self.instance.demand,
            self.market.places[self.site], (0, 2),
        )  # fmt: skip

    def saves(self, gain: float) -> bool:
        """Return whether a slot more is worth its loss."""
        lost = np.full(self.market.places.shape[1], gain)
        market = self.market
        at = strict_places.At(
            self.site, market.offered[self.site], market.places[self.site], market.site_of
        )
        return strict_places.saves(market, self.zone, at, self.taken, lost)


def test_a_slot_more_spares_empty_places() -> None:
    """28 places a slot are 112 a wave: eleven tubes and a twelfth with two people."""
    full = _Reserved(places=28, people=28 * 12)
    assert full.saves(gain=0.0)
    assert full.saves(gain=3 * 8 * 5.0 - 21.0)  # three twelfth tubes, less the one there must be
    assert not full.saves(gain=3 * 8 * 5.0)


def test_no_slot_is_taken_where_full_tubes_hold_all() -> None:
    """30 places a slot are twelve tubes a wave; and a wave that is not full has room for a few."""
    assert not _Reserved(places=30, people=30 * 12).saves(gain=0.0)
    assert not _Reserved(places=28, people=28 * 12 - 8).saves(gain=0.0)


def test_no_slot_is_taken_where_a_less_strict_zone_waits() -> None:
    """Its people would all come later; the commonest zone is asked by its gain."""
    full = _Reserved(places=28, people=28 * 12, zone=Zone.CONTROL)
    assert full.saves(gain=0.0)
    full.market.site_of[3] = full.site
    assert full.saves(gain=0.0)
    full.market.site_of[2] = full.site
    assert not full.saves(gain=0.0)
