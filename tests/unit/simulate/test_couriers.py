"""Tubes go where the plan sends them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from scheduler.domain.instance import Instance
from scheduler.domain.settings import Zone
from scheduler.simulate.cases import Case
from scheduler.simulate.couriers import Couriers
from scheduler.simulate.visits import Consigned, planned_visits
from tests.plans import tiny_instance, tiny_plan

NORMAL = int(Zone.NORMAL)
NONE = Consigned(*[np.empty(0, dtype=np.int64)] * 5)


def punctual(instance: Instance) -> Instance:
    """Return a round whose couriers are punctual."""
    rules = replace(instance.settings.simulate, pickup_delay_min=0.0, travel_cv=0.0)
    return instance.replace(settings=replace(instance.settings, simulate=rules))


def carried(
    people: int, wave: int, consigned: Consigned | None = None, case: Case | None = None
) -> list[tuple[int, int, float]]:
    """Return (lab, tubes, arrival) of normal people swabbed at S1 in a wave."""
    instance = punctual(tiny_instance())
    _, planned = planned_visits(instance, tiny_plan(instance))
    couriers = Couriers(instance, planned if consigned is None else consigned,
                        case or Case("plain"))  # fmt: skip
    rows = np.array([[0, 0, wave, NORMAL, people]])
    lots = couriers.carry(rows, np.random.default_rng(0))
    assert lots.people.sum() == people
    columns = (lots.lab.tolist(), lots.tubes.tolist(), lots.arrive_min.tolist())
    return sorted(zip(*columns, strict=True))


def test_the_planned_tubes_go_to_the_planned_laboratories() -> None:
    """Rule: as many people as planned make the consignments of the plan."""
    assert carried(57, 0) == [(0, 3, 90.0), (1, 3, 110.0)]
    assert carried(99, 1) == [(0, 4, 150.0), (1, 6, 170.0)]


def test_more_tubes_are_shared_in_proportion() -> None:
    """Rule: tubes beyond the plan are shared as the planned ones."""
    assert [(lab, tubes) for lab, tubes, _ in carried(200, 1)] == [(0, 8), (1, 12)]


def test_a_wave_that_was_not_planned_goes_as_the_one_before() -> None:
    """Rule: late people's tubes go where the site's last wave went, first waves where the next."""
    assert [(lab, tubes) for lab, tubes, _ in carried(100, 3)] == [(0, 4), (1, 6)]


def test_without_a_plan_tubes_go_to_the_nearest_laboratory() -> None:
    """Rule: the nearest laboratory that takes the pool size."""
    assert carried(20, 0, NONE) == [(0, 2, 90.0)]


def test_a_laboratory_that_is_out_gets_nothing_any_more() -> None:
    """Rule: tubes picked up after it failed go to the nearest other one."""
    out = Case("lab_out", lab_out=0, lab_out_min=100)
    assert [lab for lab, _, _ in carried(57, 0, case=out)] == [0, 1]
    assert {lab for lab, _, _ in carried(99, 1, case=out)} == {1}
