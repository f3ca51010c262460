"""The peers of ``scripts/bench --peers`` on small rounds: plans are clean, or said not to be."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from scheduler.generate.city import write_city
from scheduler.solve import make_plan
from tests.benchmarks.peers import cpsat, greedy, lp, table
from tests.benchmarks.peers.__main__ import main
from tests.benchmarks.peers.answer import Answer, plan_of, score
from tests.benchmarks.peers.ground import Ground
from tests.rounds import Recipe, random_instance

TINY = Recipe(num_communities=3, blocks_per_community=3, num_sites=3, hours=4, special=False)
EASY = Recipe(num_communities=11, num_sites=5, special=False)
ZONES = Recipe(num_communities=11, num_sites=8, pools=(1, 5, 10, 10))
TIGHT = Recipe(
    num_communities=11, num_sites=5, hours=5, lanes=(1, 2), lab_slack=0.5, lab_day_share=0.3,
    lab_hours=(((0, 1440),), ((480, 600),)), lab_pools=((), (10,)), split_hours=True,
)  # fmt: skip
"""One zone; four zones with other pool sizes; too few lanes and labs, with hours and limits. More
than 40 blocks: the planner solves smaller rounds in full, which takes seconds each."""
ROUNDS = pytest.mark.parametrize(
    "case", [(EASY, 1), (ZONES, 2), (TIGHT, 3)], ids=["easy", "zones", "tight"]
)
CLOSE = 1e-6
LIMIT_SECONDS = 3.0


@dataclass(frozen=True)
class Solved:
    """A round with the greedy's score, and the planner's bound and objective."""

    ground: Ground
    by_hand: dict[str, Any]
    bound: float
    objective: float


@cache
def solved(recipe: Recipe, seed: int) -> Solved:
    """Solve a round once for all tests."""
    instance = random_instance(seed, recipe)
    ground = Ground.of(instance)
    by_hand = score(instance, plan_of(ground, greedy.solve(ground), seed))
    summary = make_plan(instance).summary
    return Solved(ground, by_hand, summary["best_bound"], summary["objective"])


@ROUNDS
def test_greedy_makes_a_clean_plan(case: tuple[Recipe, int]) -> None:
    """The greedy keeps every hard rule, and its plan is not cheaper than the planner's bound."""
    one = solved(*case)
    assert one.by_hand["breaches"] == 0, one.by_hand["first_breach"]
    assert one.by_hand["objective"] >= one.bound * (1 - CLOSE)


@ROUNDS
def test_linear_relaxation_is_a_bound(case: tuple[Recipe, int]) -> None:
    """The relaxation costs no more than any plan: neither the planner's nor the greedy's."""
    one = solved(*case)
    status, value = lp.Relaxation(one.ground).solve(10 * LIMIT_SECONDS)
    assert status == "optimal"
    assert value is not None
    assert value <= min(one.objective, one.by_hand["objective"]) * (1 + CLOSE)


@ROUNDS
def test_cpsat_makes_a_clean_plan(case: tuple[Recipe, int]) -> None:
    """CP-SAT's plan, where it finds one, keeps every hard rule and is not below the bound."""
    one = solved(*case)
    found = cpsat.solve(one.ground, LIMIT_SECONDS, 0)
    assert found.status in {"OPTIMAL", "FEASIBLE", "UNKNOWN"}
    if found.answer is not None:
        instance = one.ground.instance
        plan = score(instance, plan_of(one.ground, found.answer, 0))
        assert plan["breaches"] == 0, plan["first_breach"]
        assert plan["objective"] >= one.bound * (1 - CLOSE)


def test_cpsat_knows_what_its_plan_costs() -> None:
    """Where everything is one zone and nothing late, the model's cost is the plan's."""
    instance = random_instance(1, TINY)
    ground = Ground.of(instance)
    found = cpsat.solve(ground, 20 * LIMIT_SECONDS, 0)
    assert found.status == "OPTIMAL"
    assert found.answer is not None
    plan = plan_of(ground, found.answer, 0)
    assert plan.summary["terms"]["late"] == 0
    assert plan.summary["objective"] == pytest.approx(found.bound, rel=1e-4)


def test_broken_plan_is_reported_and_has_no_gap() -> None:
    """A plan that breaks a hard rule is said to, and is not compared by its objective."""
    instance = random_instance(1, TINY)
    ground = Ground.of(instance)
    answer = greedy.solve(ground)
    block, site, slot, people = answer.calls[0]
    crowded = [(block, site, slot, people + 500), *answer.calls[1:]]
    found = score(instance, plan_of(ground, Answer(crowded, answer.tubes), 0))
    assert found["breaches"] > 0
    assert "[B1" in found["first_breach"]
    row = {"peer": "greedy", "seconds": 1.0, "peak_mib": 1.0, "error": "", **found}
    one = table.with_gaps([{"peer": "planner", "bound": 1.0}, row])
    assert row["relative_gap"] is None
    assert "(breaks rules)" in table.table({"rounds": [{**one, "rows": [row]}]})


def test_gaps_are_measured_against_the_best_bound() -> None:
    """All peers of a round are measured against the highest bound that any of them proves."""
    rows = [
        {"peer": "planner", "bound": 90.0, "objective": 100.0, "breaches": 0},
        {"peer": "greedy", "objective": 125.0, "breaches": 0},
        {"peer": "lp", "value": 95.0},
    ]
    one = table.with_gaps(rows)
    assert (one["best_bound"], one["best_bound_by"]) == (95.0, "lp")
    assert [row["relative_gap"] for row in rows] == [pytest.approx(0.05), pytest.approx(0.24), None]


@pytest.mark.parametrize(
    ("peer", "error", "breaches", "expected"),
    [("planner", "", 0, False), ("planner", "", 1, True), ("greedy", "", 1, False),
     ("lp", "exit 1: no memory", None, True)],
)  # fmt: skip
def test_comparison_fails_when_it_must(
    peer: str, error: str, breaches: int | None, expected: bool
) -> None:
    """A peer that crashes fails the comparison, and so does a breach of the planner's own."""
    row = {"peer": peer, "error": error, "breaches": breaches}
    assert table.failed({"rounds": [{"rows": [row]}]}) is expected


@pytest.mark.parametrize("peer", ["planner", "greedy", "cp-sat", "lp"])
def test_each_peer_prints_its_figures(
    peer: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A peer reads a round folder as ``init`` makes it and prints one line of JSON."""
    folder = tmp_path / "round"
    write_city(folder, "dalian", 6_000, 1)
    assert main([peer, str(folder), "--seconds", "2"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["peer"] == peer
    assert found["blocks"] > 0
    assert found["seconds"] > 0
