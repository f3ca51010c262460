"""The plan joined with the input."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from scheduler.errors import BreachError
from scheduler.publish.schedule import Schedule, household_ranges
from tests.plans import tiny_instance, tiny_plan


def _ranges(people: list[int], households: int) -> list[str]:
    block = np.zeros(len(people), dtype=np.int64)
    texts = household_ranges(block, np.array(people), np.array([households]))
    return [str(text) for text in texts]


@pytest.mark.parametrize(
    ("people", "households", "expected"),
    [
        ([57, 39], 40, ["1-24", "25-40"]),
        ([50], 22, ["1-22"]),
        ([98, 1, 1], 5, ["1-3", "4-4", "5-5"]),
        ([50, 1, 49], 4, ["1-2", "3-3", "4-4"]),
        ([30, 30], 1, ["1-1", ""]),
        ([30, 30], -1, ["", ""]),
        ([30, 30], 0, ["", ""]),
    ],
)
def test_households_are_split_in_proportion(
    people: list[int], households: int, expected: list[str]
) -> None:
    """Running numbers, in proportion to people; at least one a slot while there are enough."""
    assert _ranges(people, households) == expected


def test_no_household_is_in_two_slots() -> None:
    """For random blocks, every household stands in exactly one slot."""
    rng = np.random.default_rng(7)
    counts = rng.integers(1, 9, 200)
    block = np.repeat(np.arange(200), counts)
    people = rng.integers(1, 90, len(block))
    households = rng.integers(-1, 60, 200)
    texts = household_ranges(block, people, households)
    for b in range(200):
        told = [text.split("-") for text in texts[block == b] if text]
        numbers = [n for first, last in told for n in range(int(first), int(last) + 1)]
        assert numbers == list(range(1, max(households[b], 0) + 1))
        assert len(told) == min(counts[b], max(households[b], 0))


def test_results_are_the_latest_of_site_wave_and_zone() -> None:
    """A row's result time is the latest of the consignments its tube may be in."""
    instance = tiny_instance()
    schedule = Schedule(instance, tiny_plan(instance), "0001")
    calls = schedule.calls
    row = (calls.start == 45) & (instance.blocks.ids[calls.block_index] == "C1-001")
    assert calls.result_by[row].tolist() == [110 + 240]
    row = instance.blocks.ids[calls.block_index] == "C2-001"
    assert calls.result_by[row].tolist() == [90 + 180]


def test_rows_are_sorted_by_community_then_time() -> None:
    """The rows of a community lie together, in order of time."""
    instance = tiny_instance()
    calls = Schedule(instance, tiny_plan(instance), "0001").calls
    keys = list(zip(calls.community_index.tolist(), calls.start.tolist(), strict=True))
    assert keys == sorted(keys)
    assert calls.people.sum() == 226


def test_unknown_ids_are_refused() -> None:
    """A plan that names what the input does not have is no plan of this input."""
    instance = tiny_instance()
    plan = tiny_plan(instance)
    changed = plan.assignments.assign(site_id="nowhere")
    with pytest.raises(BreachError, match="nowhere"):
        _ = Schedule(instance, dataclasses.replace(plan, assignments=changed), "0001").calls
