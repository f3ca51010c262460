"""Breaches planted in files, people, slots, zones and candidates: rules 1 to 5."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from scheduler.domain.instance import Instance
from scheduler.domain.plan import Plan
from tests.plans import iso, whole, with_slots, with_targets
from tests.planting import Case, again, edit, moved, plants, sites, without


@plants("B101")
def _lost_column(instance: Instance, plan: Plan) -> Case:
    return instance, replace(plan, unserved=plan.unserved.drop(columns="reason"))


@plants("B102")
def _unknown_site(instance: Instance, plan: Plan) -> Case:
    return instance, edit(plan, "assignments", 0, site_id="S99")


@plants("B102")
def _unknown_lab(instance: Instance, plan: Plan) -> Case:
    return instance, edit(plan, "lab_load", 0, lab_id="H9")


@plants("B103")
def _no_offset(instance: Instance, plan: Plan) -> Case:
    return instance, edit(plan, "assignments", 0, start="2020-12-22T06:00:00")


@plants("B103")
def _other_offset(instance: Instance, plan: Plan) -> Case:
    return instance, edit(plan, "consignments", 0, pickup_at="2020-12-21T23:00:00+00:00")


@plants("B103")
def _no_time(instance: Instance, plan: Plan) -> Case:
    return instance, edit(plan, "lab_load", 0, hour="soon")


@plants("B104")
def _nobody(instance: Instance, plan: Plan) -> Case:
    return instance, edit(plan, "assignments", 0, people=0)


@plants("B104")
def _half_a_person(instance: Instance, plan: Plan) -> Case:
    return instance, edit(plan, "assignments", 0, people="49.5")


@plants("B104")
def _less_than_nobody(instance: Instance, plan: Plan) -> Case:
    return instance, edit(plan, "unserved", 0, people=-4)


@plants("B105")
def _row_twice(instance: Instance, plan: Plan) -> Case:
    return instance, again(plan, "assignments", 0)


@plants("B105")
def _consignment_twice(instance: Instance, plan: Plan) -> Case:
    return instance, again(plan, "consignments", 0)


@plants("B105")
def _lab_hour_twice(instance: Instance, plan: Plan) -> Case:
    return instance, again(plan, "lab_load", 0)


@plants("B105")
def _reason_twice(instance: Instance, plan: Plan) -> Case:
    return instance, again(plan, "unserved", 1)


@plants("B106")
def _other_community(instance: Instance, plan: Plan) -> Case:
    return instance, edit(plan, "assignments", 0, community_id="C1")


@plants("B106")
def _other_zone(instance: Instance, plan: Plan) -> Case:
    return instance, edit(plan, "assignments", 0, zone="normal")


@plants("B106")
def _other_pool(instance: Instance, plan: Plan) -> Case:
    return instance, edit(plan, "consignments", 0, pool_size=20)


@plants("B111")
def _one_forgotten(instance: Instance, plan: Plan) -> Case:
    return instance, edit(plan, "assignments", 2, people=38)


@plants("B111")
def _block_dropped(instance: Instance, plan: Plan) -> Case:
    return instance, without(plan, "unserved", 2)


@plants("B112")
def _visit_as_full(instance: Instance, plan: Plan) -> Case:
    return instance, edit(plan, "unserved", 0, reason="full")


@plants("B113")
def _made_up_reason(instance: Instance, plan: Plan) -> Case:
    return instance, edit(plan, "unserved", 2, reason="forgotten")


@plants("B114")
def _team_for_a_normal_block(instance: Instance, plan: Plan) -> Case:
    return instance, edit(plan, "unserved", 2, reason="no_team")


@plants("B114")
def _site_is_there(instance: Instance, plan: Plan) -> Case:
    return instance, edit(plan, "unserved", 2, reason="no_site")


@plants("B114")
def _no_team_called_full(instance: Instance, plan: Plan) -> Case:
    return instance, edit(plan, "unserved", 1, reason="full")


@plants("B114")
def _window_holds_it(instance: Instance, plan: Plan) -> Case:
    return sites(instance, hours=((((0, 1440),),) * len(instance.sites))), plan


@plants("B121")
def _lanes_overrun(instance: Instance, plan: Plan) -> Case:
    plan = edit(plan, "assignments", 3, people=19)
    return instance, edit(plan, "assignments", 4, people=41)


@plants("B121")
def _fewer_lanes(instance: Instance, plan: Plan) -> Case:
    return sites(instance, lanes=whole(3, *instance.sites.lanes[1:])), plan


@plants("B122")
def _short_ground(instance: Instance, plan: Plan) -> Case:
    return sites(instance, queue_length_m=np.full(len(instance.sites), 5.0)), plan


@plants("B122")
def _wide_spacing(instance: Instance, plan: Plan) -> Case:
    return with_targets(instance, spacing_m=30.0), plan


@plants("B123")
def _thin_edges(instance: Instance, plan: Plan) -> Case:
    return with_slots(instance, profile="elbow", edge_share=0.1), plan


@plants("B123")
def _thin_edges_of_a_short_ground(instance: Instance, plan: Plan) -> Case:
    thin = with_slots(instance, profile="elbow", edge_min=15, edge_share=0.2)
    ground = instance.sites.queue_length_m.copy()
    ground[0] = 16.0  # holds the queue of the 50 called at 6:00, not of the 84 of a full slot
    lanes = np.maximum(instance.sites.lanes, 2)
    lanes[0] = 6
    return sites(thin, lanes=lanes, queue_length_m=ground), plan


@plants("B124")
def _city_too_busy(instance: Instance, plan: Plan) -> Case:
    return with_slots(instance, city_people=plan.summary["busiest_slot"]["people"] - 1), plan


@plants("B131")
def _second_site(instance: Instance, plan: Plan) -> Case:
    return instance, edit(plan, "assignments", 4, site_id="S2")


@plants("B132")
def _gap_in_a_block(instance: Instance, plan: Plan) -> Case:
    return instance, moved(plan, 4, 90)


@plants("B133")
def _off_the_grid(instance: Instance, plan: Plan) -> Case:
    return instance, moved(plan, 4, 80)


@plants("B133")
def _two_slots_long(instance: Instance, plan: Plan) -> Case:
    return instance, edit(plan, "assignments", 4, end=iso(105))


@plants("B133")
def _before_the_round(instance: Instance, plan: Plan) -> Case:
    return instance, moved(plan, 0, -15)


@plants("B133")
def _after_the_round(instance: Instance, plan: Plan) -> Case:
    return instance, moved(plan, 4, 240)


@plants("B134")
def _at_noon_break(instance: Instance, plan: Plan) -> Case:
    return instance, moved(plan, 0, 135)


@plants("B141")
def _two_zones(instance: Instance, plan: Plan) -> Case:
    return instance, moved(plan, 1, 0)


@plants("B142")
def _no_clearing(instance: Instance, plan: Plan) -> Case:
    return instance, moved(plan, 1, 30)


@plants("B143")
def _zone_not_accepted(instance: Instance, plan: Plan) -> Case:
    return instance, edit(plan, "assignments", 0, site_id="S2")


@plants("B144")
def _not_its_team(instance: Instance, plan: Plan) -> Case:
    return instance, edit(plan, "assignments", 3, site_id="T1")


@plants("B145")
def _lockdown_walks(instance: Instance, plan: Plan) -> Case:
    return instance, edit(plan, "assignments", 5, site_id="S3")


@plants("B151")
def _far_away(instance: Instance, plan: Plan) -> Case:
    return instance, edit(plan, "assignments", 3, site_id="S10")


@plants("B151")
def _ninth_nearest(instance: Instance, plan: Plan) -> Case:
    return with_targets(instance, max_walk_m=500), edit(plan, "assignments", 3, site_id="S9")


@plants("B152")
def _across_the_border(instance: Instance, plan: Plan) -> Case:
    instance = with_targets(instance, cross_district=False)
    return instance, edit(plan, "assignments", 3, site_id="S10")
