"""All laboratories of one replication: lots become tubes, tubes become results."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scheduler.domain.city import Floats, Ints
from scheduler.domain.instance import Instance
from scheduler.domain.metrics import EARTH_RADIUS_M
from scheduler.simulate.cases import Case
from scheduler.simulate.couriers import Lots
from scheduler.simulate.plates import Bench, start_runs


@dataclass(frozen=True)
class Tubes:
    """Tubes of one replication, columns of equal length; minutes since the round's start.

    ``start_min`` and ``result_min`` are inf for tubes that no laboratory ever starts.
    """

    site: Ints
    lab: Ints
    people: Floats
    pickup_min: Floats
    arrive_min: Floats
    start_min: Floats
    result_min: Floats
    due_min: Floats


def examine(instance: Instance, lots: Lots, case: Case, rng: np.random.Generator) -> Tubes:
    """Run the laboratories on what arrives."""
    rules = instance.settings.simulate
    lot = np.repeat(np.arange(len(lots.tubes)), lots.tubes)
    lab, arrive = lots.lab[lot], lots.arrive_min[lot].copy()
    start = np.full(len(lot), np.inf)
    order = list(range(len(instance.labs)))
    if case.lab_out >= 0:  # what it has not started goes to another one
        order.remove(case.lab_out)
        order.insert(0, case.lab_out)
    for number in order:
        bench = Bench.of(instance, number, case.lab_out_min if number == case.lab_out else None)
        rows = np.flatnonzero(lab == number)
        rows = rows[np.argsort(arrive[rows], kind="stable")]
        if bench is not None and len(rows):
            start[rows] = start_runs(
                bench, arrive[rows], rules, lambda: bool(rng.random() < rules.line_failure)
            )
        if number == case.lab_out:
            _move_on(instance, case, rows[np.isinf(start[rows])], (lab, arrive))
    wave = lots.wave[lot].astype(np.float64)
    promise = instance.settings.targets.result_hours * 60
    return Tubes(
        site=lots.site[lot], lab=lab, people=(lots.people / lots.tubes)[lot],
        pickup_min=lots.pickup_min[lot], arrive_min=arrive, start_min=start,
        result_min=start + instance.labs.processing_min[lab],
        due_min=wave * instance.settings.round.wave_minutes + promise,
    )  # fmt: skip


def _move_on(instance: Instance, case: Case, rows: Ints, columns: tuple[Ints, Floats]) -> None:
    """Drive waiting tubes of the laboratory that is out to the nearest other one."""
    if not len(rows) or len(instance.labs) == 1:
        return
    lab, arrive = columns
    labs, travel = instance.labs, instance.settings.travel
    lat, lng = np.radians(labs.lat), np.radians(labs.lng)
    half = np.sin((lat - lat[case.lab_out]) / 2) ** 2
    half += np.cos(lat) * np.cos(lat[case.lab_out]) * np.sin((lng - lng[case.lab_out]) / 2) ** 2
    km = 2 * EARTH_RADIUS_M / 1000 * np.arcsin(np.sqrt(half))
    km[(np.arange(len(labs)) == case.lab_out) | (labs.tubes_per_hour == 0)] = np.inf
    target = int(np.argmin(km))
    road = km[target] * travel.detour / travel.speed_kmh * 60 + travel.handling_min
    arrive[rows] = np.maximum(arrive[rows], case.lab_out_min) + road
    lab[rows] = target
