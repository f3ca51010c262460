"""Any plan of small numbers is stored and read back equal."""

from __future__ import annotations

import dataclasses
from datetime import datetime, timedelta
from pathlib import Path

import pandas as pd
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scheduler.domain.plan import ASSIGNMENT_COLUMNS
from scheduler.domain.settings import ZONE_WORDS
from scheduler.store import open_store
from tests.unit.store.sample import ROUND, sample_plan

# NUL and lone surrogates cannot be in a CSV file that was read.
IDS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1)
COUNTS = st.integers(1, 2**31 - 1)


def moment(minute: int) -> str:
    return (datetime.fromisoformat(ROUND.start) + timedelta(minutes=minute)).isoformat()


@st.composite
def assignments(draw: st.DrawFn) -> list[tuple[object, ...]]:
    rows: list[tuple[object, ...]] = []
    for block, slot in draw(st.lists(st.tuples(IDS, st.integers(0, 300)), unique=True, max_size=8)):
        start, end = moment(slot * 15), moment(slot * 15 + 15)
        zone = draw(st.sampled_from(ZONE_WORDS))
        counts = draw(st.tuples(COUNTS, COUNTS))
        rows.append((block, draw(IDS), draw(IDS), start, end, *counts, zone, draw(COUNTS)))
    return rows


@given(rows=assignments())
@settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_any_assignments_round_trip(
    tmp_path: Path, database_url: str | None, rows: list[tuple[object, ...]]
) -> None:
    """Texts of any language, tabs, quotes and line ends in ids, large numbers: nothing changes."""
    frame = pd.DataFrame(rows, columns=list(ASSIGNMENT_COLUMNS))
    plan = dataclasses.replace(sample_plan(), assignments=frame)
    with open_store(tmp_path, database_url) as store:
        store.save_revision(ROUND, "0001", plan, replace=True)
        found = store.assignments(ROUND.round_id, "0001")
    assert set(found.itertuples(index=False, name=None)) == set(rows)
