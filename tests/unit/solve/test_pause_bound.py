"""Sites earn less where blocks cannot pause, and never less than they do in the best way."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from scheduler.domain.city import Floats
from scheduler.solve.bound import LabCosts, LabPrices
from scheduler.solve.market import Market
from scheduler.solve.pause_bound import Pauses
from scheduler.solve.spacing import site_quota
from scheduler.solve.tube_bound import WholeTubes
from tests.rounds import Recipe, random_instance

SLOT_MIN, PER_WAVE, HOURS, PLACES = 20, 3, 3, 2
LATER = 0.005 * SLOT_MIN  # person-minutes that a slot later costs
POOL = 2


def _priced(seed: int) -> tuple[Market, WholeTubes, Floats, Floats]:
    """Return a round of one zone with few places, and prices of labs that fall as time passes.

    The first slots of waves cost nearly the same, and a place is worth a little more or less: with
    the tubes come ``cost[site, slot]`` and ``place[site]``.
    """
    recipe = Recipe(special=False, pools=(1, POOL, POOL, POOL), num_sites=2, slot_minutes=SLOT_MIN,
                    hours=HOURS, num_labs=1)  # fmt: skip
    instance = random_instance(seed, recipe)
    weights = replace(instance.settings.weights, late=0.0)
    instance = instance.replace(settings=replace(instance.settings, weights=weights))
    market = Market(instance, site_quota(instance), 0)
    rng = np.random.default_rng(seed)
    hour, day = market.prices.hour.shape, market.prices.day.shape
    falling = np.maximum(0, 3.0 - LATER * PER_WAVE * np.arange(hour[1]))
    market.prices = LabPrices(POOL * (falling + rng.uniform(0, LATER, hour)), np.zeros(day))
    places = np.where(market.offered, np.minimum(market.places, PLACES), 0)
    if seed % 3 == 0:
        places[:, rng.integers(places.shape[1])] = 0  # closed for a slot
    cost = market.slot_cost(market.main_zone, places > 0)
    place = np.where(np.isfinite(cost), cost, np.inf).min(axis=1) + rng.uniform(0, 2 * LATER, 2)
    tubes = WholeTubes(instance, LabCosts(instance, market.hours, market.prices), market.travel,
                       places)  # fmt: skip
    return market, tubes, cost, place


def _most(tubes: WholeTubes, place: Floats, fee: float) -> Floats:
    """Return what each site earns at most, of all numbers of people in all slots."""
    slots = tubes.places.shape[1]
    called = np.indices((PLACES + 1,) * slots).reshape(slots, -1).T
    begun = (called > 0) & ~np.pad(called > 0, ((0, 0), (1, 0)))[:, :-1]
    count = -(-called.reshape(len(called), -1, PER_WAVE).sum(axis=2) // POOL) * POOL
    per_person = tubes.costs.wave_cost(tubes.travel, POOL)
    earned = called @ (place[:, None] - LATER * np.arange(slots)).T - count @ per_person.T
    earned -= fee * begun.sum(axis=1)[:, None]
    held = (called[:, None, :] <= tubes.places[None, :, :]).all(axis=2)
    most: Floats = np.where(held, earned, -np.inf).max(axis=0)
    return most


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("slots", [0.5, 1.0, 2.0])
def test_no_site_earns_more_than_is_said(seed: int, slots: float) -> None:
    """Of all ways to call people, those with a fee for each stretch of slots earn no more."""
    market, tubes, cost, place = _priced(seed)
    waves = Pauses(tubes, market.main_zone, 0, (cost, place))._waves(cost, place)
    fee = slots * LATER
    said, most = waves.earned(fee), _most(tubes, place, fee)
    assert (said >= most - 1e-9).all()
    assert (said <= waves.whole + 1e-9).all()
    if seed % 3:  # all slots are open
        assert said == pytest.approx(most, abs=LATER)
        assert waves.whole == pytest.approx(_most(tubes, place, 0.0))


def test_few_blocks_make_many_waves_dear() -> None:
    """Sites that gain in the first slot of each wave earn less for one block, not for many."""
    market, tubes, cost, place = _priced(7)
    zone = market.main_zone
    few, many = (Pauses(tubes, zone, blocks, (cost, place)) for blocks in (1, 1_000))
    alone = {zone: cost}, {zone: place}
    assert few.paid > 0
    assert (few.cut(*alone) - tubes.cut(*alone)).sum() > few.paid
    assert many.paid == 0
    assert many.cut(*alone).tolist() == tubes.cut(*alone).tolist()
    rival = {zone: cost, 2: cost}, {zone: place, 2: place}
    assert few.cut(*rival).tolist() == tubes.cut(*rival).tolist()
