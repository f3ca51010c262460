from __future__ import annotations

import pytest

from scheduler.domain.verify import CODES, verify
from tests.plans import tiny_instance, tiny_plan
from tests.planting import PLANTED, Planter, codes, figure
from tests.unit.domain import planted_labs, planted_people
from tests.unit.domain.test_verify_replan import SPOILT

FILES = (planted_people, planted_labs)


@pytest.mark.parametrize(
    ("code", "planter"), [pytest.param(c, p, id=f"{c}{p.__name__}") for c, p in PLANTED]
)
def test_planted_breach_is_found(code: str, planter: Planter) -> None:
    """Each kind of breach, planted in a correct plan, is found under its code."""
    instance = tiny_instance()
    case, broken = planter(instance, tiny_plan(instance))
    assert code in codes(verify(case, broken))


def test_every_code_has_a_planted_breach() -> None:
    """No breach code is without a test that plants it, and none is planted that does not exist."""
    assert {code for code, _ in PLANTED} | set(SPOILT) == set(CODES)


def test_every_file_of_plantings_is_read() -> None:
    """The register holds what both files plant."""
    assert {planter.__module__ for _, planter in PLANTED} == {file.__name__ for file in FILES}


@pytest.mark.parametrize("name", ["unserved", "late", "walk", "finish", "split", "churn"])
def test_every_term_is_worked_out_again(name: str) -> None:
    """Each term of the objective is recomputed from the plan's files."""
    instance = tiny_instance()
    plan = tiny_plan(instance)
    terms = {**plan.summary["terms"], name: plan.summary["terms"][name] * 1.01 + 0.5}
    assert "B192" in codes(verify(instance, figure(plan, terms=terms)))


@pytest.mark.parametrize("name", ["people", "served", "late_people", "sites_per_community"])
def test_every_count_is_worked_out_again(name: str) -> None:
    """Each count of the summary is recomputed from the plan's files."""
    instance = tiny_instance()
    plan = tiny_plan(instance)
    wrong = figure(plan, **{name: plan.summary[name] + 1})
    assert codes(verify(instance, wrong)) == {"B192"}


@pytest.mark.parametrize("name", ["mean", "p95", "max"])
def test_walks_are_worked_out_again(name: str) -> None:
    """Mean, 95th percentile and longest walk are recomputed from the plan's files."""
    instance = tiny_instance()
    plan = tiny_plan(instance)
    walk = {**plan.summary["walk_m"], name: plan.summary["walk_m"][name] + 0.01}
    assert codes(verify(instance, figure(plan, walk_m=walk))) == {"B192"}
