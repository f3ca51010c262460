"""Breaches planted in tubes, consignments, labs and the summary: rules 6 and 7."""

from __future__ import annotations

from dataclasses import replace

from scheduler.domain.instance import Instance
from scheduler.domain.plan import Plan
from tests.plans import iso, summarised, whole, with_targets
from tests.planting import Case, again, edit, figure, labs, plants, without


@plants("B160")
def _tubes_of_a_row(instance: Instance, plan: Plan) -> Case:
    plan = edit(plan, "assignments", 3, tubes=int(plan.assignments["tubes"][3]) + 1)
    return instance, edit(plan, "assignments", 4, tubes=int(plan.assignments["tubes"][4]) - 1)


@plants("B161")
def _consignment_lost(instance: Instance, plan: Plan) -> Case:
    return instance, without(plan, "consignments", 2)


@plants("B161")
def _people_lost(instance: Instance, plan: Plan) -> Case:
    return instance, edit(plan, "consignments", 2, people=26)


@plants("B161")
def _invented_wave(instance: Instance, plan: Plan) -> Case:
    return instance, again(plan, "consignments", 2, pickup_at=iso(240))


@plants("B162")
def _overfull_tubes(instance: Instance, plan: Plan) -> Case:
    plan = edit(plan, "consignments", 1, people=31)
    return instance, edit(plan, "consignments", 2, people=26)


@plants("B162")
def _empty_tubes(instance: Instance, plan: Plan) -> Case:
    return instance, edit(plan, "consignments", 2, people=2)


@plants("B163")
def _early_pickup(instance: Instance, plan: Plan) -> Case:
    return instance, edit(plan, "consignments", 0, pickup_at=iso(45))


@plants("B164")
def _quick_courier(instance: Instance, plan: Plan) -> Case:
    return instance, edit(plan, "consignments", 0, arrive_at=iso(89), start_at=iso(89))


@plants("B164")
def _slow_courier(instance: Instance, plan: Plan) -> Case:
    return instance, edit(plan, "consignments", 5, arrive_at=iso(103))


@plants("B165")
def _before_arrival(instance: Instance, plan: Plan) -> Case:
    return instance, edit(plan, "consignments", 0, start_at=iso(80))


@plants("B165")
def _not_on_the_hour(instance: Instance, plan: Plan) -> Case:
    return instance, edit(plan, "consignments", 0, start_at=iso(95))


@plants("B166")
def _lab_is_shut(instance: Instance, plan: Plan) -> Case:
    return labs(instance, hours=(((0, 1440),), ((480, 900),))), plan


@plants("B167")
def _pool_not_taken(instance: Instance, plan: Plan) -> Case:
    return labs(instance, pool_sizes=((10,), (5, 10))), plan


@plants("B168")
def _hour_overrun(instance: Instance, plan: Plan) -> Case:
    return labs(instance, tubes_per_hour=whole(7, 30)), plan


@plants("B168")
def _half_hour_overrun(instance: Instance, plan: Plan) -> Case:
    plan = edit(plan, "consignments", 2, tubes=16, people=160)
    return instance, edit(plan, "lab_load", 2, tubes=16)


@plants("B169")
def _day_overrun(instance: Instance, plan: Plan) -> Case:
    return labs(instance, max_tubes_per_day=whole(11, -1)), plan


@plants("B171")
def _old_samples(instance: Instance, plan: Plan) -> Case:
    return with_targets(instance, max_holding_min=101), plan


@plants("B172")
def _younger_than_it_is(instance: Instance, plan: Plan) -> Case:
    return instance, edit(plan, "consignments", 0, oldest_sample_at=iso(15))


@plants("B181")
def _result_too_early(instance: Instance, plan: Plan) -> Case:
    return instance, edit(plan, "consignments", 0, result_by=iso(260))


@plants("B182")
def _load_lost(instance: Instance, plan: Plan) -> Case:
    return instance, without(plan, "lab_load", 1)


@plants("B182")
def _load_differs(instance: Instance, plan: Plan) -> Case:
    return instance, edit(plan, "lab_load", 1, tubes=5)


@plants("B182")
def _load_off_the_hour(instance: Instance, plan: Plan) -> Case:
    return instance, edit(plan, "lab_load", 1, hour=iso(190))


@plants("B183")
def _capacity_differs(instance: Instance, plan: Plan) -> Case:
    return instance, edit(plan, "lab_load", 2, capacity=30)


@plants("B191")
def _figure_missing(instance: Instance, plan: Plan) -> Case:
    rest = {key: value for key, value in plan.summary.items() if key != "served"}
    return instance, replace(plan, summary=rest)


@plants("B191")
def _figure_is_text(instance: Instance, plan: Plan) -> Case:
    return instance, figure(plan, people="740")


@plants("B192")
def _objective_differs(instance: Instance, plan: Plan) -> Case:
    return instance, figure(plan, objective=plan.summary["objective"] * 0.99)


@plants("B193")
def _called_feasible(instance: Instance, plan: Plan) -> Case:
    return instance, figure(plan, status="feasible")


@plants("B194")
def _bound_above(instance: Instance, plan: Plan) -> Case:
    above = plan.summary["objective"] + 100
    return instance, figure(plan, best_bound=above, relative_gap=0.0, gap_per_person=0.0)


@plants("B194")
def _gap_of_no_bound(instance: Instance, plan: Plan) -> Case:
    return instance, figure(plan, relative_gap=0.0)


@plants("B194")
def _gap_too_small(instance: Instance, plan: Plan) -> Case:
    bounded = summarised(instance, plan, bound=plan.summary["objective"] * 0.9)
    return instance, figure(bounded, relative_gap=0.01)


@plants("B195")
def _other_input(instance: Instance, plan: Plan) -> Case:
    return instance.replace(inputs_sha256="cd" * 32), plan


@plants("B196")
def _other_round(instance: Instance, plan: Plan) -> Case:
    return instance, figure(plan, round="another")


@plants("B196")
def _seed_lost(instance: Instance, plan: Plan) -> Case:
    return instance, figure(plan, seed=None, revision=1)


@plants("B196")
def _other_district(instance: Instance, plan: Plan) -> Case:
    return instance, figure(plan, district="A")
