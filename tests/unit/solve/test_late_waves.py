"""Waves whose tubes are late by least are filled, and tubes that are not full cost little there."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from scheduler.domain.city import Flags, Floats
from scheduler.domain.verify import verify
from scheduler.solve import call_and_ship, make_plan
from scheduler.solve.lab_market import price_labs, topped, tube_worth
from scheduler.solve.late_waves import (
    booked_nights,
    dear_waves,
    one_more,
    over_full_tubes,
    part_filled,
)
from scheduler.solve.market import Market
from scheduler.solve.runs import DearWaves
from scheduler.solve.spacing import site_quota
from scheduler.solve.waves import stream_room
from tests.effort import no_effort
from tests.rounds import Recipe, random_instance

DAYS = 2
SHORT = Recipe(24, num_sites=12, hours=14.0, days=DAYS, lab_slack=0.6, special=False, lanes=(1, 2))


def _market(seed: int, recipe: Recipe) -> Market:
    instance = random_instance(seed, recipe)
    market = Market(instance, site_quota(instance), seed)
    market.relax_main()
    market.lay_out()
    price_labs(market)
    return market


@pytest.mark.parametrize("seed", range(4))
def test_the_last_waves_of_days_are_the_dear_ones(seed: int) -> None:
    """Where a third of all people are late, each day's last wave is worth filling, no early one."""
    market = _market(seed, SHORT)
    dear = dear_waves(market, topped(market), tube_worth(market))
    wave = market.layout.column(1)[market.layout.group]
    last = np.array([np.unique(w)[[len(w) // DAYS - 1, -1]] for w in wave])
    found = dear.gain > 0
    assert found.any()
    for row, ends in zip(np.flatnonzero(found.any(axis=1)), last, strict=False):
        assert set(ends.tolist()) <= set(wave[row, found[row]].tolist())
    assert (dear.people[~found] == 0).all()
    assert not dear.only_sure().people[~dear.sure].any()
    assert (dear.only_sure().gain[dear.sure] == dear.gain[dear.sure]).all()


@pytest.mark.parametrize("seed", range(4))
def test_a_tube_that_is_not_full_costs_little_where_labs_are_short(seed: int) -> None:
    """In late waves it costs much less than a full one; nothing is dear where labs have time."""
    market = _market(seed, SHORT)
    cost = market.wave_cost(10) * 10
    opened = market.free.reshape(*cost.shape, -1).any(axis=2)
    assert (part_filled(market) > 0).all()
    assert (tube_worth(market) < cost[opened].min() / 2).all()
    roomy = _market(seed, replace(SHORT, lab_slack=3.0))
    assert not roomy.labs_are_short
    assert not dear_waves(roomy, topped(roomy), tube_worth(roomy) + 1.0).gain.any()


@pytest.mark.parametrize("seed", range(4))
def test_runs_want_the_last_places_of_waves_that_are_topped(seed: int) -> None:
    """They are those beyond full tubes, where tubes are dear; most late waves are filled so."""
    market = _market(seed, SHORT)
    top, worth = topped(market), tube_worth(market)
    over = over_full_tubes(market, top, worth)
    room = stream_room(market.layout, market.load)
    assert over.sum() == (room % 10)[top].sum() > 0
    assert not over_full_tubes(market, top, 0 * worth).any()
    assert (one_more(market) <= part_filled(market) + 1e-6).all()


@pytest.mark.parametrize("seed", range(4))
def test_only_nights_before_a_day_can_be_booked(seed: int) -> None:
    """After the last day labs have all the time there is, and none is booked where they idle."""
    market = _market(seed, SHORT)
    top, worth = topped(market), tube_worth(market)
    booked = booked_nights(market, top, worth)
    assert ((booked >= 0) & (booked <= 1)).all()
    assert not booked[:, -1].any()
    assert booked[:, 0].any() == (seed == 0)
    assert not booked_nights(market, top, 0 * worth).any()


def test_fewer_come_on_a_day_whose_night_is_booked(monkeypatch: pytest.MonkeyPatch) -> None:
    """A plan that knows it costs at least 1 % less than one that does not."""
    no_effort(monkeypatch)
    instance = random_instance(0, SHORT)
    plan = make_plan(instance)

    def none(market: Market, full: Flags, worth: Floats) -> Floats:
        return 0 * booked_nights(market, full, worth)

    monkeypatch.setattr(call_and_ship, "booked_nights", none)
    assert plan.summary["objective"] <= 0.99 * make_plan(instance).summary["objective"]


@pytest.mark.parametrize("seed", range(3))
def test_filled_late_waves_save_much(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A plan that knows them costs at least 3 % less than one that does not, without a breach."""
    no_effort(monkeypatch)
    instance = random_instance(seed, SHORT)
    plan = make_plan(instance)
    assert verify(instance, plan, revision="0001") == []

    def none(market: Market, full: Flags, worth: Floats) -> DearWaves:
        dear = dear_waves(market, full, worth)
        return replace(dear, gain=np.zeros(dear.gain.shape), people=np.zeros_like(dear.people))

    monkeypatch.setattr(call_and_ship, "dear_waves", none)
    assert plan.summary["objective"] <= 0.97 * make_plan(instance).summary["objective"]
