"""A plan lived through, against the same plan event by event."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from scheduler.domain.instance import Instance
from scheduler.domain.plan import Plan
from scheduler.simulate import Lived, case_named, live, planned_visits, report, shares_in_time
from scheduler.simulate.queues import BIN_MIN, NUM_BINS
from tests.handmade import greedy_plan
from tests.rounds import Recipe, random_instance
from tests.unit.simulate.city import Day, one_day

DAYS = 40
ERRORS = 4.0


def tight_round() -> tuple[Instance, Plan]:
    """Return a round with queues, and a laboratory that can hardly keep the promise."""
    recipe = Recipe(special=False, num_sites=3, num_labs=2, hours=5, lanes=(1, 2), lab_slack=1.1,
                    num_communities=4, people=(60, 90))  # fmt: skip
    instance = random_instance(11, recipe)
    labs = replace(instance.labs, tubes_per_hour=np.array([11, 14]),
                   processing_min=np.array([220, 235]))  # fmt: skip
    settings = replace(
        instance.settings, simulate=replace(instance.settings.simulate, line_failure=0.0)
    )
    instance = instance.replace(labs=labs, settings=settings)
    return instance, greedy_plan(instance)


def lived(
    instance: Instance,
    plan: Plan,
    name: str = "plain",
    *,
    replications: int = DAYS,
    seed: int = 3,
    workers: int = 2,
) -> Lived:
    expected = planned_visits(instance, plan)
    case = case_named(name, instance, *expected)
    return live(instance, expected, case, replications=replications, seed=seed, workers=workers)


@pytest.fixture(scope="module")
def both() -> tuple[Lived, list[Day], Instance]:
    """Return the program's answer and the event simulation's."""
    instance, plan = tight_round()
    days = [one_day(instance, plan, 100 + day) for day in range(DAYS)]
    return lived(instance, plan), days, instance


def close(one: np.ndarray, other: np.ndarray) -> None:
    """Two samples have the same mean within sampling error."""
    error = np.sqrt(one.var(ddof=1) / len(one) + other.var(ddof=1) / len(other))
    assert abs(one.mean() - other.mean()) <= ERRORS * error + 1e-6, (one.mean(), other.mean())


def test_waits_agree_with_an_event_simulation(both: tuple[Lived, list[Day], Instance]) -> None:
    """Rule: the mean wait of a day is that of the event simulation within sampling error."""
    found, days, _ = both
    waits = found.queues.waits.sum(axis=0)
    mean = waits @ ((np.arange(NUM_BINS) + 0.5) * BIN_MIN) / waits.sum(axis=1)
    expected = np.array([d.wait_min for d in days])
    assert expected.mean() > 1  # there is something to wait for
    exact = found.queues.wait_min[:, 0] @ found.queues.people / found.queues.people.sum()
    assert abs(exact - expected.mean()) <= ERRORS * expected.std(ddof=1) / np.sqrt(DAYS / 2)
    close(mean - mean.mean() + exact, expected)


def test_queues_agree_with_an_event_simulation(both: tuple[Lived, list[Day], Instance]) -> None:
    """Rule: the longest queue of each site is that of the event simulation."""
    found, days, instance = both
    for row, site in enumerate(found.queues.site.tolist()):
        ident = str(instance.sites.ids[site])
        close(found.queues.peak[row], np.array([d.longest[ident] for d in days]))


def test_results_agree_with_an_event_simulation(both: tuple[Lived, list[Day], Instance]) -> None:
    """Rule: the share of results in time is that of the event simulation."""
    found, days, _ = both
    expected = np.array([d.in_time for d in days])
    assert 0.05 < expected.mean() < 0.95  # some are late and some are not
    close(shares_in_time(found), expected)


def test_the_same_seed_gives_the_same_answer() -> None:
    """Rule: seed decides, the number of workers does not."""
    instance, plan = tight_round()
    one = report(lived(instance, plan, replications=3, workers=1))
    assert report(lived(instance, plan, replications=3, workers=3)) == one
    assert report(lived(instance, plan, replications=3, seed=4)) != one


def test_cases_do_what_they_say() -> None:
    """Rule: each stress case makes worse what it is about; 10 % more people are 10 % more."""
    instance, plan = tight_round()
    plain, down, more, rain, out = (
        report(lived(instance, plan, name, replications=10))["city"]
        for name in ("plain", "registration_down", "more_people", "rain", "lab_out")
    )
    assert down["wait_min"]["p95"] > plain["wait_min"]["p95"] + 10
    assert down["peak_queue"]["p50"] > plain["peak_queue"]["p50"]
    assert more["people"] == pytest.approx(1.1 * plain["people"], rel=0.03)
    assert rain["last_swab"] > plain["last_swab"]
    assert out["share_in_time"]["p50"] < plain["share_in_time"]["p50"]


def test_without_chance_everything_is_on_paper() -> None:
    """Rule: punctual people and even swabs wait exactly as long as arithmetic says."""
    instance, plan = tight_round()
    calm = replace(instance.settings.queue, early_mean_min=0, punctuality_sd_min=0, no_show=0,
                   swab_cv=0)  # fmt: skip
    instance = instance.replace(settings=replace(instance.settings, queue=calm))
    found = report(lived(instance, plan, replications=1))
    calls = plan.assignments.groupby(["site_id", "start"])["people"].sum()
    for site in found["sites"]:
        at = list(instance.sites.ids).index(site["site_id"])
        lanes = int(instance.sites.lanes[at])
        called = calls[site["site_id"]].to_numpy()
        assert site["people"] == called.sum()
        assert site["peak_queue"]["p50"] == max(called.max() - lanes, 0)
        waits = np.concatenate([np.arange(n) // lanes for n in called])  # a minute for each swab
        assert site["wait_min"]["mean"] == pytest.approx(waits.mean(), abs=0.01)


def test_a_laboratory_that_never_opens_gives_no_result() -> None:
    """Rule: tubes that nobody starts are late, and the last result never comes."""
    instance, plan = tight_round()
    labs = replace(instance.labs, hours=(((0, 1440),), ((0, 1),)),
                   max_tubes_per_day=np.array([-1, 0]))  # fmt: skip
    city = report(lived(instance.replace(labs=labs), plan, replications=2))["city"]
    assert city["last_result"] is None
    assert city["result_after_promise_min"]["100%"] is None
    assert city["share_in_time"]["p95"] < 1
