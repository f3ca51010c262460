"""Whole tubes raise the lower bound by what sites really earn less."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from scheduler.domain.city import Floats
from scheduler.solve.bound import LabCosts, LabPrices
from scheduler.solve.market import Market
from scheduler.solve.spacing import site_quota
from scheduler.solve.tube_bound import WholeTubes
from tests.rounds import Recipe, random_instance


def _priced(seed: int, late: float) -> tuple[Market, WholeTubes]:
    """Return a round of one zone with random lab prices, and what its tubes cost."""
    instance = random_instance(seed, Recipe(special=False, pools=(1, 5, 10, 10), num_sites=3))
    weights = replace(instance.settings.weights, late=late)
    instance = instance.replace(settings=replace(instance.settings, weights=weights))
    market = Market(instance, site_quota(instance), 0)
    rng = np.random.default_rng(seed)
    hour, day = market.prices.hour.shape, market.prices.day.shape
    market.prices = LabPrices(rng.uniform(0, 20, hour), np.zeros(day))
    places = np.where(market.offered, market.places, 0)
    costs = LabCosts(instance, market.hours, market.prices)
    return market, WholeTubes(instance, costs, market.travel, places)


def _counted_out(tubes: WholeTubes, zone: int, cost: Floats, place: Floats) -> float:
    """Return the cut by trying every number of people in every wave of every site."""
    instance, pool = tubes.instance, tubes.instance.settings.pooling.by_zone()[zone]
    per_wave, weights = instance.clock.slots_per_wave, instance.settings.weights
    tube = [np.zeros_like(tubes.costs.wave_cost(tubes.travel, pool))]
    tube += [tubes.costs.wave_cost(tubes.travel, pool, n) * n for n in range(1, pool + 1)]
    total = 0.0
    for site, wave in np.ndindex(tube[0].shape):
        slots = slice(wave * per_wave, (wave + 1) * per_wave)
        room, paid = tubes.places[site, slots], np.arange(slots.start, slots.stop) * 15.0
        paid = place[site] - weights.finish.by_zone()[zone] * paid
        gain = np.where(np.isfinite(cost[site, slots]), place[site] - cost[site, slots], 0)
        each = np.repeat(paid, room)
        best = 0.0
        for people in range(1, len(each) + 1) if np.isfinite(tube[pool][site, wave]) else ():
            spent = people // pool * tube[pool][site, wave] + tube[people % pool][site, wave]
            best = max(best, float(each[:people].sum() - spent))
        total += float((np.maximum(gain, 0) * room).sum()) - best
    return total


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("late", [0.0, 0.3, 10.0])
def test_the_cut_is_what_counting_out_gives(seed: int, late: float) -> None:
    """No count of people earns more than the cut leaves; without lateness it is exact."""
    market, tubes = _priced(seed, late)
    zone = market.main_zone
    cost = market.slot_cost(zone, market.offered)
    rng = np.random.default_rng(seed)
    place = np.where(np.isfinite(cost), cost, 0).mean(axis=1) + rng.uniform(-1, 3, len(cost))
    cut = float(tubes.cut({zone: cost}, {zone: place}).sum())
    true = _counted_out(tubes, zone, cost, place)
    assert -1e-6 <= cut <= true + 1e-6
    if not late:
        assert cut == pytest.approx(true, abs=1e-6)


def test_waves_that_zones_share_are_left_alone() -> None:
    """Where two zones pay more than they cost, tubes may be of either: nothing is cut."""
    market, tubes = _priced(0, 0.0)
    zone = market.main_zone
    cost = market.slot_cost(zone, market.offered)
    place = np.where(np.isfinite(cost), cost, 0).max(axis=1) + 1.0
    assert tubes.cut({zone: cost}, {zone: place}).sum() > 0
    assert not tubes.cut({zone: cost, 2: cost}, {zone: place, 2: place}).any()
