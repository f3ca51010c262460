"""A whole plan lived through event by event: the program's answer must agree with it."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass

import numpy as np
import simpy

from scheduler.domain.explain_slots import minutes
from scheduler.domain.instance import Instance
from scheduler.domain.plan import Plan
from scheduler.domain.settings import ZONE_WORDS
from tests.unit.simulate.reference import Hall, longest_queue, runs

Batch = tuple[str, int, str]
"""Site, wave, zone."""


@dataclass
class Day:
    """One replication: mean wait, share of results in time, longest queue by site."""

    wait_min: float
    in_time: float
    longest: dict[str, int]


def one_day(instance: Instance, plan: Plan, seed: int) -> Day:
    """Live through a plan whose laboratories are always open and never fail."""
    rng = np.random.default_rng(seed)
    settings = instance.settings
    queue = settings.queue
    waits: list[float] = []
    longest: dict[str, int] = {}
    swabbed: dict[Batch, int] = defaultdict(int)
    for site in sorted(set(plan.assignments["site_id"].astype(str))):
        people = _people(instance, plan, site, rng)
        at = list(instance.sites.ids).index(site)
        mean = 60 / float(instance.sites.people_per_lane_hour[at])
        swab = rng.gamma(queue.swab_cv**-2, mean * queue.swab_cv**2, len(people)).tolist()
        opens = min(a for a, _ in instance.clock.windows(instance.sites.hours[at], 0, 10**5))
        hall = Hall(simpy.Environment(initial_time=-1440), int(instance.sites.lanes[at]))
        hall.run([max(come, float(opens)) for come, _ in people], swab)
        left = [hall.left[p] for p in range(len(people))]
        waits += [b - a for (a, _), b in zip(people, left, strict=True)]
        longest[site] = longest_queue([come for come, _ in people], left)
        for person, (_, zone) in enumerate(people):
            wave = int(hall.done[person] // settings.round.wave_minutes)
            swabbed[site, wave, zone] += 1
    return Day(float(np.mean(waits)), _in_time(instance, plan, swabbed, rng), longest)


def _people(
    instance: Instance, plan: Plan, site: str, rng: np.random.Generator
) -> list[tuple[float, str]]:
    rows = plan.assignments[plan.assignments["site_id"].astype(str) == site]
    queue = instance.settings.queue
    people = []
    for start, count, zone in zip(minutes(instance, rows["start"]).tolist(),
                                  rows["people"].tolist(), rows["zone"], strict=True):  # fmt: skip
        come = [t for t in rng.normal(start - queue.early_mean_min, queue.punctuality_sd_min, count)
                if rng.random() >= queue.no_show]  # fmt: skip
        people += [(float(t), str(zone)) for t in come]
    return sorted(people)


def _in_time(
    instance: Instance, plan: Plan, swabbed: dict[Batch, int], rng: np.random.Generator
) -> float:
    """Return the share of people whose result is there in time."""
    arriving: dict[str, list[tuple[float, float, float]]] = defaultdict(list)
    settings = instance.settings
    for (site, wave, zone), people in swabbed.items():
        pool = settings.pooling.by_zone()[ZONE_WORDS.index(zone)]
        tubes = math.ceil(people / pool)
        pickup = float(wave + 1) * settings.round.wave_minutes
        pickup += rng.exponential(settings.simulate.pickup_delay_min)
        lab = _lab(plan, site)
        at = list(instance.labs.ids).index(lab)
        away = _planned_travel(instance, plan, site) * _lognormal(rng, settings.simulate.travel_cv)
        due = wave * settings.round.wave_minutes + settings.targets.result_hours * 60
        due -= float(instance.labs.processing_min[at])
        arriving[lab] += [(pickup + away, due, people / tubes)] * tubes
    good = total = 0.0
    for lab, tubes_of in arriving.items():
        tubes_of.sort()
        rate = int(instance.labs.tubes_per_hour[list(instance.labs.ids).index(lab)])
        in_a_run = rate * settings.simulate.run_min // 60
        lines, size = max(1, in_a_run // 94), max(1, min(94, in_a_run))
        started = runs([t[0] for t in tubes_of], lines, size, 60 * size * lines / rate,
                       settings.simulate.run_wait_min)  # fmt: skip
        good += sum(n for (_, due, n), s in zip(tubes_of, started, strict=True) if s <= due)
        total += sum(n for _, _, n in tubes_of)
    return good / total


def _lab(plan: Plan, site: str) -> str:
    rows = plan.consignments
    (lab,) = set(rows.loc[rows["site_id"].astype(str) == site, "lab_id"].astype(str))
    return lab


def _planned_travel(instance: Instance, plan: Plan, site: str) -> float:
    rows = plan.consignments[plan.consignments["site_id"].astype(str) == site]
    arrive, pickup = (minutes(instance, rows[c])[0] for c in ("arrive_at", "pickup_at"))
    return float(arrive - pickup)


def _lognormal(rng: np.random.Generator, cv: float) -> float:
    sigma = math.sqrt(math.log1p(cv**2))
    return float(rng.lognormal(-(sigma**2) / 2, sigma))
