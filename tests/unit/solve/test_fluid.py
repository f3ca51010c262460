"""The fluid: what it calls impossible no plan does, and on small rounds it is arithmetic."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from scheduler.domain.explain_slots import minutes
from scheduler.domain.instance import Instance
from scheduler.solve import make_plan
from scheduler.solve.pricing import late_of, late_people_saved, short_of
from tests.rounds import Recipe, random_instance

ONE_KIND = Recipe(special=False, num_labs=2, hours=4, people=(40, 60))


def with_rate(instance: Instance, *rates: int, **columns: object) -> Instance:
    """Return a round with other laboratories."""
    labs = replace(instance.labs, tubes_per_hour=np.array(rates), **columns)  # type: ignore[arg-type]  # columns by name
    return instance.replace(labs=labs)


@pytest.mark.usefixtures("little_effort")
@pytest.mark.parametrize("seed", [0, 1, 2, 4, 6, 8, 10])
def test_no_plan_does_what_the_fluid_cannot(seed: int) -> None:
    """Rule: late tubes, and tubes of people without a slot, are at least those of the proof."""
    recipe = Recipe(
        num_labs=2,
        hours=5,
        special=seed % 2 == 0,
        tubes_per_hour=4 + seed,
        result_hours=4.0 + seed % 3,
        lab_day_share=0.5 if seed % 3 else None,
    )
    instance = random_instance(seed, recipe)
    plan = make_plan(instance)
    left, sent, settings = plan.unserved, plan.consignments, instance.settings
    at = [list(instance.blocks.ids).index(b) for b in left["block_id"]]
    out = (left["people"] / instance.block_pool[at])[left["reason"].astype(str) != "home_visit"]
    due = minutes(instance, sent["pickup_at"]) - settings.round.wave_minutes
    late = minutes(instance, sent["result_by"]) > due + settings.targets.result_hours * 60
    assert out.sum() + sent["tubes"][late].sum() >= short_of(instance).tubes - 1e-6


def test_a_round_on_paper() -> None:
    """Rule: two laboratories that start 5 tubes in each of 5 useful hours leave the rest short.

    Waves end at 07:00 to 10:00; the promise of 4 hours less 2 of testing and 1 of the wave leaves
    the clock hours from 07:00 to 11:00, whose starts at the full hour come in time for some wave.
    """
    instance = random_instance(3, replace(ONE_KIND, result_hours=4.0, people=(60, 60)))
    near = np.zeros_like(instance.travel_min)
    travel = replace(instance.settings.travel, handling_min=0)
    instance = with_rate(instance, 5, 5, processing_min=np.array([120, 120])).replace(
        travel_min=near, settings=replace(instance.settings, travel=travel)
    )
    short = short_of(instance)
    assert short.total_tubes == pytest.approx(instance.demand.sum() / 10)
    assert short.tubes == pytest.approx(instance.demand.sum() / 10 - 2 * 5 * 5)
    assert short.people == round(short.tubes * 10)
    assert not short.kept


def test_late_tubes_are_as_few_as_the_proof_says() -> None:
    """Rule: the pattern of late tubes has the sum of the proof, by people of every district."""
    instance = random_instance(5, replace(ONE_KIND, tubes_per_hour=3, result_hours=4.0))
    late = late_of(instance)
    assert late.tubes.sum() == pytest.approx(short_of(instance).tubes, abs=1e-6)
    assert set(late.district) <= set(instance.communities.districts)
    assert (late.start_min > late.needed_min).all()
    assert (late.wave_min < late.arrive_min).all()
    assert not late.unswabbed


def test_people_without_a_lane_are_counted() -> None:
    """Rule: who finds no lane in the whole round is counted with his district."""
    instance = random_instance(5, replace(ONE_KIND, hours=1, lanes=(1, 1), num_sites=2))
    late = late_of(instance)
    assert sum(late.unswabbed.values()) > 0
    assert sum(late.unswabbed.values()) <= instance.demand.sum()


def test_more_tubes_save_what_a_second_proof_says() -> None:
    """Rule: what a laboratory's 10 tubes more save is the difference of two proofs."""
    instance = random_instance(5, replace(ONE_KIND, tubes_per_hour=3, result_hours=4.0))
    saved = late_people_saved(instance, 10)
    again = short_of(with_rate(instance, 13, 3))
    assert saved[0] == short_of(instance).people - again.people > 0


def test_people_with_tubes_of_their_own_are_counted_once() -> None:
    """Rule: a single tube short is one person late, ten-in-one tubes at least ten each."""
    instance = with_rate(random_instance(2, Recipe(num_labs=2)), 0, 0)
    short = short_of(instance)
    assert short.tubes == pytest.approx((instance.demand / instance.block_pool).sum())
    assert short.people == instance.demand.sum()
