"""Tubes to labs in rounds whose labs are short."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from scheduler.domain.verify import verify
from scheduler.solve import consign, make_plan
from scheduler.solve.emptier_last import Starts
from scheduler.solve.market import Market
from scheduler.solve.planner import solve_round
from scheduler.solve.spacing import site_quota
from scheduler.solve.strict_places import Strictly
from scheduler.solve.strict_zones import place_strict_zones
from tests.effort import no_effort
from tests.rounds import Recipe, random_instance

SHORT = Recipe(num_communities=9, num_sites=6, num_labs=2, hours=16.0, days=2, lab_slack=0.5)


@pytest.mark.parametrize("seed", range(3))
def test_tubes_kept_in_time_cost_little_more_than_all_weighed_again(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where few are late, plans are sound both ways, serve as many, and cost nearly the same."""
    no_effort(monkeypatch)
    instance = random_instance(seed, replace(SHORT, special=False, lab_slack=0.8))
    weighed = make_plan(instance).summary
    monkeypatch.setattr(consign, "_MANY_TUBES", 0)
    plan = make_plan(instance)
    assert verify(instance, plan, revision="0001") == []
    assert plan.summary["late_people"] > 0
    assert plan.summary["served"] == weighed["served"]
    assert plan.summary["objective"] <= 1.01 * weighed["objective"]


def test_tubes_that_are_not_full_go_last() -> None:
    """Weighed by their people they wait for others, and people wait less than by tubes alone."""
    saved = []
    for seed in range(6):
        instance = random_instance(seed, replace(SHORT, special=False))
        market, solution = solve_round(instance, site_quota(instance), 0, lambda *_: None)
        desk = market.labs.desk(market.layout, market.wide, market.priced)
        late = []
        for many in (0, consign._MANY_TUBES):
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(consign, "_MANY_TUBES", many)
                ships, left = consign.ship(
                    solution.batches, market.layout, (desk.far, desk.far), desk.labs,
                    market.load.pool, desk.left_cost,
                )  # fmt: skip
            assert (
                np.bincount(ships.batch, ships.tubes).tolist()
                == (solution.batches.tubes - left).tolist()
            )
            assert np.bincount(ships.batch, ships.people).tolist() == (
                solution.batches.people.tolist()
            )
            used = np.zeros(desk.labs.hours.capacity.shape, dtype=np.int64)
            np.add.at(used, (ships.lab, ships.hour), ships.tubes)
            assert (used <= desk.labs.hours.capacity).all()
            road = market.travel[market.layout.site[solution.batches.stream]]
            pool = market.load.pool[solution.batches.stream]
            starts = Starts.of(instance, market.hours, solution.batches, road, pool)
            late.append(int((starts.late_min(ships) * ships.people).sum()))
        saved.append(late[0] - late[1])
    assert min(saved) >= 0
    assert max(saved) > 0


@pytest.mark.parametrize("seed", range(3))
def test_stricter_zones_ask_for_full_tubes_where_labs_are_short(seed: int) -> None:
    """Slots are kept until the places of full tubes hold the people, unless there are too few."""
    instance = random_instance(seed, SHORT)
    market = Market(instance, site_quota(instance), 0)
    place_strict_zones(market, Strictly(1, late_min=60))
    per_wave = instance.clock.slots_per_wave
    for stream, fixed in enumerate(market.strict.fixed):
        site, pool = market.strict.site[stream], 10
        if fixed is None or instance.sites.kinds[site] != "fixed":
            continue
        for (first, end), blocks in zip(market.strict.runs[stream], fixed, strict=True):
            slots = np.arange(first, end)
            by_wave = np.bincount(slots // per_wave, market.places[site, slots])
            full = int((by_wave // pool * pool).sum())
            longer = end < market.places.shape[1] and market.offered[site, end]
            assert full >= instance.demand[blocks].sum() or not longer
