"""Shadow prices against solving again."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from scheduler.domain.instance import Instance
from scheduler.solve.pricing import price_round
from tests.rounds import Recipe, random_instance

TIGHT_LABS = Recipe(special=False, num_labs=3, hours=8, tubes_per_hour=12, result_hours=5.0,
                    num_communities=8, people=(150, 200), num_sites=6, span_km=4.0)  # fmt: skip
TIGHT_LANES = replace(TIGHT_LABS, tubes_per_hour=400, lanes=(2, 3), num_sites=3)


def more_tubes(instance: Instance, lab: int, tubes: int) -> Instance:
    rate = instance.labs.tubes_per_hour.copy()
    rate[lab] += tubes
    return instance.replace(labs=replace(instance.labs, tubes_per_hour=rate))


def more_lanes(instance: Instance, site: int) -> Instance:
    lanes = instance.sites.lanes.copy()
    lanes[site] += 1
    return instance.replace(sites=replace(instance.sites, lanes=lanes))


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_tube_more_an_hour_saves_what_its_price_says(seed: int) -> None:
    """Rule: solved again with one tube an hour more, the bound falls by the price, to a quarter."""
    instance = random_instance(seed, TIGHT_LABS)
    prices = price_round(instance)
    best = int(np.argmax(prices.lab_worth))
    assert prices.lab_worth[best] > 0
    fallen = prices.bound - price_round(more_tubes(instance, best, 1)).bound
    assert fallen == pytest.approx(prices.lab_worth[best], rel=0.25)


def test_laboratories_with_room_are_worth_nothing() -> None:
    """Rule: where all tubes are in time and to spare, no tube more saves anything."""
    instance = random_instance(1, replace(TIGHT_LABS, tubes_per_hour=500))
    assert price_round(instance).lab_worth == pytest.approx(np.zeros(3))


@pytest.mark.parametrize("seed", [1, 2])
def test_a_lane_more_saves_most_where_its_price_is_highest(seed: int) -> None:
    """Rule: solved again with a lane more at each site, the site of the highest price saves most.

    A lane is no small change, so that the saving itself is only as large as the price at most, and
    at least a third of it.
    """
    instance = random_instance(seed, TIGHT_LANES)
    prices = price_round(instance)
    fallen = np.array([prices.bound - price_round(more_lanes(instance, s)).bound for s in range(3)])
    best = int(np.argmax(prices.lane_worth))
    assert prices.lane_worth[best] > 0
    assert fallen[best] >= 0.8 * fallen.max()
    assert prices.lane_worth[best] / 3 <= fallen[best] <= 1.1 * prices.lane_worth[best]
