"""Parts of the exact solver of small rounds."""

from __future__ import annotations

import numpy as np
import pytest

from scheduler.solve import make_plan
from scheduler.solve.exact import improve
from scheduler.solve.exact_answer import answer_of, pack, solution_of, unbroken
from scheduler.solve.exact_round import MOST_BLOCKS, SmallRound, whole
from scheduler.solve.planner import Solution, solve_round
from scheduler.solve.spacing import site_quota
from scheduler.solve.tables import objective
from tests.rounds import Recipe, random_instance


def solved(recipe: Recipe) -> tuple[SmallRound, Solution]:
    instance = random_instance(1, recipe)
    market, solution = solve_round(instance, site_quota(instance), 0, lambda _stage, _gap: None)
    return SmallRound(instance, market, objective(instance, market, solution)), solution


def test_blocks_fill_unbroken_pieces_to_the_last_place() -> None:
    """A block never lies in two pieces, and no piece has a place left."""
    packed = pack({7: 5, 8: 3, 9: 4}, [7, 5])
    assert packed is not None
    assert [sorted(p) for p in packed] == [[8, 9], [7]]
    assert pack({7: 5, 8: 3}, [4, 4]) is None


def test_an_idle_slot_parts_two_pieces() -> None:
    """Slots that do not follow each other are never one piece."""
    assert unbroken([(3, 5), (4, 2), (6, 1)]) == [[(3, 5), (4, 2)], [(6, 1)]]


def test_costs_are_rounded_down() -> None:
    """The model never charges more than the plan costs, so its bound holds."""
    assert whole(0.0759) == 75
    assert whole(0.075) == 75


def test_a_plan_is_the_same_after_going_through_the_model() -> None:
    """Reading a plan as an answer and back changes no cost."""
    small, solution = solved(Recipe(num_communities=4, num_sites=3, hours=4, lab_slack=2.0))
    back = solution_of(small, answer_of(small, solution), solution)
    assert back is not None
    cost = objective(small.instance, small.market, back)
    assert cost == pytest.approx(small.known_cost, rel=1e-9)


def test_every_start_of_a_batch_comes_after_its_arrival() -> None:
    """No tube starts in an hour that has ended when it arrives."""
    small, _ = solved(Recipe(num_communities=2, num_sites=2, hours=2))
    wave_min = small.instance.settings.round.wave_minutes
    ends = small.market.hours.begin_min + 60
    for (site, wave, _), starts in small.starts.items():
        for start in starts:
            arrive = (wave + 1) * wave_min + small.market.travel[site, start.lab]
            assert ends[start.hour] > arrive


def test_large_rounds_are_left_alone() -> None:
    """Above the limit the very solution of the flows comes back."""
    recipe = Recipe(num_communities=MOST_BLOCKS + 1, blocks_per_community=1, num_sites=12)
    small, solution = solved(recipe)
    assert improve(small.instance, small.market, solution) is solution


def test_the_same_seed_gives_the_same_plan() -> None:
    """The search is limited by operations, never by time."""
    recipe = Recipe(num_communities=4, blocks_per_community=2, num_sites=2, hours=2, lab_slack=0.9)
    first, second = (make_plan(random_instance(2, recipe), seed=5) for _ in range(2))
    assert first.assignments.equals(second.assignments)
    assert first.consignments.equals(second.consignments)
    assert np.isclose(first.summary["best_bound"], second.summary["best_bound"], rtol=0, atol=0)
