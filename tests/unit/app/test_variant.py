"""Changes of ``--set``: what they do, and what is told when they cannot be made."""

from __future__ import annotations

import numpy as np
import pytest

from scheduler.app.variant import vary
from scheduler.errors import CannotRunError
from tests.plans import tiny_instance


def test_columns_are_multiplied_added_and_set() -> None:
    """Rule: *=, /=, +=, -= and =+4 work on what is there, = replaces it; whole numbers stay."""
    labs = vary(tiny_instance(), ["labs.tubes_per_hour*=1.2"]).labs
    assert labs.tubes_per_hour.tolist() == [10, 36]  # 9.6 and 36
    assert labs.tubes_per_hour.dtype == np.int64
    sites = vary(tiny_instance(), ["sites[S1;S3].lanes=+4", "sites[S2].lanes=7"]).sites
    assert sites.lanes[:4].tolist() == [8, 7, 6, 2]
    assert vary(tiny_instance(), ["sites[S1].lanes-=1"]).sites.lanes[0] == 3
    assert vary(tiny_instance(), ["sites.queue_length_m/=2"]).sites.queue_length_m[0] == 100
    assert vary(tiny_instance(), ["sites[district=B].lanes=9"]).sites.lanes.tolist().count(9) == 1


def test_changes_are_made_one_after_the_other() -> None:
    """Rule: later changes see what earlier ones left."""
    found = vary(tiny_instance(), ["labs[H1].tubes_per_hour=10", "labs[H1].tubes_per_hour*=3"])
    assert found.labs.tubes_per_hour.tolist() == [30, 30]


def test_labs_without_a_daily_limit_keep_none() -> None:
    """Rule: a factor does not make a limit; = sets one."""
    assert vary(tiny_instance(), ["labs.max_tubes_per_day*=2"]).labs.max_tubes_per_day.tolist() == [
        24, -1,
    ]  # fmt: skip
    assert vary(tiny_instance(), ["labs[H2].max_tubes_per_day=50"]).labs.max_tubes_per_day[1] == 50


def test_settings_and_hours_are_set() -> None:
    """Rule: keys of round.toml are checked as in the file; hours are read as in a CSV."""
    instance = vary(
        tiny_instance(),
        ["targets.result_hours=8", "round.end=2020-12-22T12:00", "weights.finish.normal*=2",
         "pooling.normal=20", "sites[S2].hours=06:00-12:00", "queue.early_mean_min=-3"],
    )  # fmt: skip
    assert instance.settings.targets.result_hours == 8
    assert instance.clock.end_min == 360
    assert instance.settings.weights.finish.normal == pytest.approx(0.01)
    assert instance.settings.queue.early_mean_min == -3
    assert instance.block_pool.max() == 20
    assert instance.sites.hours[1] == ((360, 720),)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("lanes=3", "TABLE.COLUMN=VALUE"),
        ("", "TABLE.COLUMN=VALUE"),
        ("labs.tubes_perhour*=2", "nearest: labs.tubes_per_hour"),
        ("sites[S99].lanes=3", 'expected ids of sites.csv, got "S99"'),
        ("sites[;].lanes=3", "expected ids of sites.csv"),
        ("sites[district=Z].lanes=3", "known: A, B"),
        ("labs[district=A].tubes_per_hour=3", "labs.csv has no districts"),
        ("sites.lanes=many", 'expected a number, got "many"'),
        ("sites.lanes/=0", "other than 0"),
        ("sites.lanes-=100", "expected at least 1 everywhere, got -99"),
        ("sites.hours=99", "expected opening hours"),
        ("sites.hours+=1", "with = only"),
        ("targets.max_load=3", "less than or equal to 1"),
        ("targets.result_hour=5", "nearest: targets.result_hours"),
        ("targets[S1].result_hours=5", "expected a column that has rows"),
        ("round.language*=2", 'expected "="'),
        ("weights.finish=1", "expected a key, got a table"),
        ("round.id=x", "edit round.toml instead"),
        ("round.end=tomorrow", "valid datetime"),
        ("round.end=2020-12-22T05:00", "after round.start"),
    ],
)
def test_what_cannot_be_made_is_told(change: str, told: str) -> None:
    """Rule: a change that cannot be made is told with what was expected, and an example."""
    with pytest.raises(CannotRunError) as caught:
        vary(tiny_instance(), [change])
    assert told in caught.value.message
    assert "labs.tubes_per_hour*=1.2" in caught.value.hint


def test_all_bad_changes_are_told_at_once() -> None:
    """Rule: nobody mends one change to hear of the next."""
    with pytest.raises(CannotRunError) as caught:
        vary(tiny_instance(), ["lanes=3", "sites.lanes=2", "labs.rate=1"])
    assert "lanes=3" in caught.value.message
    assert "labs.rate=1" in caught.value.message
    assert "sites.lanes=2" not in caught.value.message
