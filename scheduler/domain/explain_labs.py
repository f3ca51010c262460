"""Which labs take a community's tubes, how full they are then, and how early the results come."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from scheduler.domain.city import Ints
from scheduler.domain.explain_slots import minutes, rows_of
from scheduler.domain.instance import Instance
from scheduler.domain.plan import Plan


@dataclass(frozen=True)
class LabFacts:
    """A lab that takes consignments with tubes of the community.

    ``tubes`` are those of these consignments, other communities of the same site, wave and zone
    included. ``load_tubes`` of ``capacity_tubes`` are started in the hours used; ``full_hours`` of
    ``num_hours`` are at capacity. ``margin_min`` is the least time between result and promise,
    negative where a result comes late.
    """

    lab_id: str
    name: str
    tubes: int
    first_start: int
    last_result: int
    load_tubes: int
    capacity_tubes: int
    num_hours: int
    full_hours: int
    margin_min: int


def lab_facts(instance: Instance, plan: Plan, own: pd.DataFrame) -> tuple[LabFacts, ...]:
    """Return the labs of a community's rows of ``assignments.csv``, most tubes first."""
    wave_min = instance.settings.round.wave_minutes
    waves = (minutes(instance, own["start"]) // wave_min).tolist()
    keys = set(zip(own["site_id"].astype(str), waves, own["zone"].astype(str), strict=True))
    sent = rows_of(plan.consignments, "site_id", {key[0] for key in keys})
    wave = (minutes(instance, sent["pickup_at"]) - 1) // wave_min
    theirs = zip(sent["site_id"].astype(str), wave.tolist(), sent["zone"].astype(str), strict=True)
    mine = np.array([key in keys for key in theirs], dtype=bool)
    sent, wave = sent[mine], wave[mine]
    names = dict(zip(instance.labs.ids, instance.labs.names, strict=True))
    facts = [
        _facts(instance, plan, (str(lab), str(names[lab])), (sent[here], wave[here]))
        for lab in sent["lab_id"].astype(str).unique()
        for here in [(sent["lab_id"].astype(str) == lab).to_numpy()]
    ]
    return tuple(sorted(facts, key=lambda f: (-f.tubes, f.lab_id)))


def _facts(
    instance: Instance, plan: Plan, lab: tuple[str, str], of: tuple[pd.DataFrame, Ints]
) -> LabFacts:
    sent, wave = of
    start, result = minutes(instance, sent["start_at"]), minutes(instance, sent["result_by"])
    promise = round(instance.settings.targets.result_hours * 60)
    due = wave * instance.settings.round.wave_minutes + promise
    hours = {minute - instance.clock.at(minute).minute for minute in start.tolist()}
    load = rows_of(plan.lab_load, "lab_id", {lab[0]})
    load = load[np.isin(minutes(instance, load["hour"]), list(hours))]
    return LabFacts(
        lab_id=lab[0],
        name=lab[1],
        tubes=int(sent["tubes"].sum()),
        first_start=int(start.min()),
        last_result=int(result.max()),
        load_tubes=int(load["tubes"].sum()),
        capacity_tubes=int(load["capacity"].sum()),
        num_hours=len(load),
        full_hours=int((load["tubes"] >= load["capacity"]).sum()),
        margin_min=int((due - result).min()),
    )
