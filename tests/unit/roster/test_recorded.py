"""Samples and results in any order, twice, corrected."""

from __future__ import annotations

from datetime import datetime, timedelta

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from scheduler.roster.recorded import (
    RESULT_SCHEMA,
    SAMPLE_SCHEMA,
    latest_samples,
    merge,
    num_corrections,
    results_of,
    samples_of,
)

QUICK = settings(deadline=None, derandomize=True, max_examples=60)

START = datetime(2020, 12, 22, 6)  # noqa: DTZ001  # local by rule
ROWS = st.lists(
    st.tuples(
        st.sampled_from(["R1", "R2", "R3"]),
        st.integers(0, 6).map(lambda n: n * 25),
        st.sampled_from(["T1", "T2"]),
        st.one_of(st.none(), st.integers(0, 4).map(lambda n: n * 100)),
        st.booleans(),
    ),
    max_size=8,
)


def rows(*cells: tuple[str, int, str, int | None, bool]) -> pl.DataFrame:
    """Return samples of resident, minute, tube, minute of recording, and whether void."""
    return pl.DataFrame(
        [
            (int(who[1:]), who, "S1", START + timedelta(minutes=at), tube,
             None if told is None else START + timedelta(minutes=told), void)
            for who, at, tube, told, void in cells
        ],
        schema=SAMPLE_SCHEMA, orient="row",
    )  # fmt: skip


def known(frame: pl.DataFrame) -> list[tuple[object, ...]]:
    return sorted(
        frame.select("resident_id", "sampled_at", pl.col("tube").cast(pl.String)).iter_rows()
    )


@QUICK
@given(ROWS, st.permutations(range(8)), st.integers(0, 8))
def test_the_order_of_files_says_nothing(
    cells: list[tuple[str, int, str, int | None, bool]], order: list[int], cut: int
) -> None:
    """Rows in another order, in two batches, with some of them twice, come to the same samples."""
    none = rows()
    once = merge(none, rows(*cells), "code").frame.drop("new")
    mixed = [cells[i] for i in order if i < len(cells)]
    first = merge(none, rows(*mixed[:cut], *mixed[:2]), "code").frame.drop("new")
    second = merge(first, rows(*mixed), "resident_id")
    assert known(samples_of(second.frame.drop("new"), 60)) == known(samples_of(once, 60))
    assert second.num_new + second.duplicate == len(cells)


def test_a_correction_counts_once() -> None:
    """Rows of a person within the hour are one sample, as recorded last; later ones are more."""
    frame = rows(
        ("R1", 0, "T1", 10, False), ("R1", 5, "T2", 20, False), ("R1", 300, "T9", 300, False)
    )
    merged = merge(rows(), frame, "code")
    assert num_corrections(merged.frame, 60) == 1
    assert [tube for *_, tube in known(samples_of(frame, 60))] == ["T2", "T9"]
    assert latest_samples(samples_of(frame, 60))["tube"].to_list() == ["T9"]


def test_a_void_row_takes_a_sample_back() -> None:
    """A sample recorded as void afterwards never was."""
    frame = rows(("R1", 0, "T1", 10, False), ("R1", 0, "T1", 20, True), ("R2", 0, "T1", None, True))
    assert samples_of(frame, 60).height == 0


def test_the_last_report_of_a_tube_counts() -> None:
    """A tube reported again has its later result; of two at once the positive one."""
    later = START + timedelta(hours=1)
    frame = pl.DataFrame(
        [("T1", "positive", START), ("T1", "negative", later),
         ("T2", "positive", START), ("T2", "negative", START), ("T3", "invalid", START)],
        schema=RESULT_SCHEMA, orient="row",
    )  # fmt: skip
    found = dict(results_of(frame).select("tube", "result").iter_rows())
    assert found == {"T1": "negative", "T2": "positive", "T3": "invalid"}
