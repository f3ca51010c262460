"""Dear places that no block fills: neighbours exchange blocks, at no more cost."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from scheduler.domain.city import Ints
from scheduler.domain.verify import verify
from scheduler.solve import make_plan
from scheduler.solve.assign import Whole
from scheduler.solve.fill_sites import fill_sites
from scheduler.solve.knapsacks import cost_upto
from scheduler.solve.lab_market import price_labs
from scheduler.solve.market import Market
from scheduler.solve.spacing import site_quota
from tests.effort import no_effort
from tests.rounds import Recipe, random_instance
from tests.unit.solve.test_tight import ONE_ZONE, full_round

SEEDS = range(6)


def _market(seed: int, recipe: Recipe) -> Market:
    """Return a full round before its blocks are made whole."""
    instance = full_round(seed, recipe)
    market = Market(instance, site_quota(instance), seed)
    market.relax_main()
    market.lay_out()
    price_labs(market)
    return market


def _cost(market: Market, site: Ints) -> float:
    """Return what the commonest zone's blocks pay for walk and the sites' cheapest slots."""
    cost = market.slot_cost(market.main_zone, market.free)
    some = np.flatnonzero(site >= 0)
    load = np.bincount(site[some], market.people[some], len(cost)).astype(np.int64)
    slots = [cost_upto(cost[s], market.places[s])[n] for s, n in enumerate(load.tolist())]
    return market.walk_cost(some, site[some], market.people[some]) + float(sum(slots))


def _random_whole(market: Market, seed: int) -> Whole:
    """Return blocks in random order at the first candidate with room: dear ones stay empty."""
    rng, pairs = np.random.default_rng(seed), market.main_pairs
    site, load = np.full(len(market.people), -1), np.zeros(len(market.quota), dtype=np.int64)
    for block in rng.permutation(np.flatnonzero(market.people > 0)).tolist():
        for target in rng.permutation(pairs.site[pairs.block == block]).tolist():
            if load[target] + market.people[block] <= market.offer.capacity[target]:
                site[block] = target
                load[target] += market.people[block]
                break
    return Whole(site, load)


@pytest.mark.parametrize("seed", SEEDS)
def test_nobody_pays_more_or_loses_a_place(seed: int) -> None:
    """The sum of walk and slots falls, sites hold who comes, and who had a place has one."""
    market = _market(seed, ONE_ZONE)
    before = _random_whole(market, seed)
    after = fill_sites(market, before)
    assert ((after.site >= 0) == (before.site >= 0)).all()
    assert (after.load <= market.offer.capacity).all()
    some = after.site >= 0
    load = np.bincount(after.site[some], market.people[some], len(after.load))
    assert (load == after.load).all()
    assert _cost(market, after.site) < _cost(market, before.site)


def test_rounds_that_close_in_between_are_left_alone() -> None:
    """What fills a site as a whole need not fit into its runs."""
    market = _market(0, replace(ONE_ZONE, split_hours=True, lanes=(2, 4)))
    whole = _random_whole(market, 0)
    assert fill_sites(market, whole) is whole


def test_empty_places_that_nobody_pays_for_stay() -> None:
    """Where sites have room for more, no place is dear and nobody moves."""
    instance = random_instance(0, Recipe(special=False, lab_slack=3.0))
    market = Market(instance, site_quota(instance), 0)
    market.relax_main()
    market.lay_out()
    price_labs(market)
    whole = market.make_main_whole()
    assert fill_sites(market, whole) is whole


@pytest.mark.parametrize(
    ("seed", "recipe"),
    [
        (7, Recipe(6, 2, num_sites=3, lanes=(1, 1), lab_slack=1.5, people=(30, 90),
                   clearing_min=45)),
        (10, Recipe(5, 3, num_sites=4, lanes=(1, 2), lab_slack=3.0, people=(20, 60))),
    ],
)  # fmt: skip
def test_sites_without_neighbours_or_places_are_left_alone(
    seed: int, recipe: Recipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A poor site that nobody else is near, or that holds more than its places, stays as it is."""
    no_effort(monkeypatch)
    instance = full_round(seed, recipe)
    assert not verify(instance, make_plan(instance), revision="0001")
