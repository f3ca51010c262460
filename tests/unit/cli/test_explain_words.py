"""Sentences for what seldom happens."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from scheduler.app.explain import ExplainResult
from scheduler.cli.explain_words import MOST_VISITS, paragraphs
from scheduler.domain.explain import Why, explain
from tests.plans import tiny_instance, tiny_plan


def _result(language: str, community: int, **changes: object) -> ExplainResult:
    instance = tiny_instance()
    facts = explain(instance, tiny_plan(instance), community, np.full(12, 57))
    facts = replace(facts, **changes)  # type: ignore[arg-type]  # tests name them
    return ExplainResult("0001", language, 360, instance.clock, facts)


def _told(result: ExplainResult) -> str:
    return "\n".join(line for part in paragraphs(result) for line in part.lines)


@pytest.mark.parametrize(
    ("language", "words"), [("en", "60 min AFTER the promise"), ("zh", "比承诺晚 60 分钟")]
)
def test_late_results_are_told(language: str, words: str) -> None:
    """A result after the promise is told as late, with how much."""
    labs = _result(language, 0).facts.labs
    late = tuple(replace(lab, margin_min=-60) for lab in labs)
    assert words in _told(_result(language, 0, labs=late))


def test_closed_sites_have_no_load() -> None:
    """A closed site is told as closed, without places."""
    first = _result("en", 0).facts.candidates[0]
    closed = replace(first, why=Why.CLOSED)
    line = paragraphs(_result("en", 0, candidates=(closed,)))[3].lines[0]
    assert line == "采样点 0 (S1), 145 m, 2.1 min on foot: not used: it has no slot in this round."


def test_long_lists_are_cut_and_say_so() -> None:
    """Only the first visits are told, and how many more there are."""
    visits = _result("en", 0).facts.visits * (MOST_VISITS + 3)
    lines = paragraphs(_result("en", 0, visits=visits))[1].lines
    assert len(lines) == MOST_VISITS + 1
    assert "3 more visits" in lines[-1]


def test_people_without_a_slot_are_told_why() -> None:
    """The reason of unserved people is told in words, and that nobody is called."""
    text = _told(_result("en", 3))
    assert "10 have no slot: no team is named for this sealed area." in text
    assert "Nobody is called to a site." in text


def test_own_district_rule_is_told() -> None:
    """Where people may not cross districts, that is told."""
    assert "own district only" in _told(_result("en", 0, cross_district=False))


def test_visits_over_midnight_name_both_days() -> None:
    """A stay that ends on the next day tells the day."""
    visit = replace(_result("en", 0).facts.visits[0], start=17 * 60, end=19 * 60)
    text = _told(_result("en", 0, visits=(visit,)))
    assert "12-22 23:00 to 12-23 01:00" in text
