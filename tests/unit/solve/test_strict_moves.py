"""Blocks of stricter zones change sites once whole blocks are packed."""

from __future__ import annotations

from dataclasses import replace
from unittest.mock import patch

import numpy as np
import pytest

from scheduler.domain.instance import Instance
from scheduler.domain.verify import verify
from scheduler.solve import make_plan
from scheduler.solve.market import Market
from scheduler.solve.spacing import site_quota
from scheduler.solve.strict_moves import StrictMoves
from scheduler.solve.strict_places import Strictly, StrictPlaces
from scheduler.solve.strict_zones import place_strict_zones
from tests.effort import no_effort
from tests.unit.solve import test_tight


@pytest.fixture(autouse=True)
def plans_of_flows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the plans of the flows: the exact search would mend what is tested here."""
    no_effort(monkeypatch)


def _tight_round(seed: int) -> Instance:
    """Return a round that needs 94 % of its places, a part of them for stricter zones."""
    recipe = replace(test_tight.ONE_ZONE, special=True, num_communities=10, num_sites=8)
    with patch.object(test_tight, "FULL", 0.94):
        return test_tight.full_round(seed, recipe)


def test_moves_that_are_kept_make_the_plan_cheaper() -> None:
    """With them the round costs less and nothing is broken."""
    instance = _tight_round(6)
    with patch.object(StrictMoves, "run", lambda _moves, _most: False):
        before = make_plan(instance)
    plan = make_plan(instance)
    assert not verify(instance, plan, revision="0001")
    assert plan.summary["objective"] < before.summary["objective"] - 1.0


@pytest.mark.parametrize("seed", range(3))
def test_sites_that_nobody_comes_to_or_leaves_stay_as_they_are(seed: int) -> None:
    """Slots reckoned for moves are those that are free afterwards, and all others stay."""
    instance = _tight_round(seed)
    market = Market(instance, site_quota(instance), 0)
    place_strict_zones(market, Strictly(spare_slots=1))
    places = StrictPlaces(market, Strictly())  # all would take fewer slots now
    places.offer(np.zeros(market.places.shape))  # or more for full tubes, which costs nothing
    home, free, pairs = places.home(), market.free.copy(), places.movable.pairs
    before = home.copy()
    row = int(np.flatnonzero(home[pairs.block] != pairs.site)[seed])
    home[pairs.block[row]] = pairs.site[row]
    moved = home != before
    for site in {*home[moved].tolist(), *before[moved].tolist()} - {-1}:
        free[site] = places.free(home, site)
    places.move(home)
    assert moved.any()
    assert market.free.tolist() == free.tolist()
    placed = np.sort(np.concatenate(market.strict.blocks))
    strict = (instance.block_zone != market.main_zone) & (instance.demand > 0)
    assert placed.tolist() == np.flatnonzero(strict & (market.site_of >= 0)).tolist()
