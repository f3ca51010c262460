"""After the round: who is due again, positive tubes, codes, turnaround."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from scheduler.domain.settings import ResultSettings, Zone
from scheduler.roster.follow_up import (
    FOLLOW_SCHEMA,
    isolated,
    people_around,
    with_times,
)
from scheduler.roster.health_codes import CODE_SCHEMA, health_codes
from scheduler.roster.recorded import RESULT_SCHEMA, SAMPLE_SCHEMA, results_that_count
from scheduler.roster.series import SERIES_SCHEMA, due_communities, over_rounds
from scheduler.roster.turnaround import turnarounds
from tests.rounds import Recipe, random_instance

START = datetime(2020, 12, 22, 6)  # noqa: DTZ001  # local by rule
INSTANCE = random_instance(3, Recipe(num_communities=5))


def samples(*rows: tuple[int, str, int]) -> pl.DataFrame:
    """Return samples of person, tube and minute."""
    return pl.DataFrame(
        [(n, f"R{n}", "S", START + timedelta(minutes=m), t, None, False) for n, t, m in rows],
        schema=SAMPLE_SCHEMA, orient="row",
    )  # fmt: skip


def results(*rows: tuple[str, str, int]) -> pl.DataFrame:
    return pl.DataFrame(
        [(tube, result, START + timedelta(minutes=at)) for tube, result, at in rows],
        schema=RESULT_SCHEMA, orient="row",
    )  # fmt: skip


def roster(*rows: tuple[int, str]) -> pl.DataFrame:
    return pl.DataFrame(
        [(f"R{n}", n, home, "B1") for n, home in rows],
        schema={"resident_id": pl.String, "code": pl.UInt64, "household_id": pl.String,
                "block_id": pl.String}, orient="row",
    )  # fmt: skip


def test_people_around_a_positive_tube() -> None:
    """Members and their households are listed once each, with what brought them there."""
    taken = samples((1, "T1", 0), (2, "T1", 1), (3, "T2", 2))
    found = results(("T1", "positive", 300), ("T2", "negative", 300))
    around = people_around(taken, found, roster((1, "H1"), (2, ""), (3, "H2"), (4, "H1"), (5, "")))
    roles = dict(around.select("resident_id", "role").iter_rows())
    assert roles == {"R1": "member", "R2": "member", "R4": "household"}


def stages(
    taken: pl.DataFrame, found: pl.DataFrame, people: pl.DataFrame
) -> tuple[dict[str, tuple[str, str]], dict[str, str]]:
    """Return tube and stage of each person held, and the tube that released each of the others."""
    held, free = isolated(people_around(taken, found, people), taken, found)
    return (
        {who: (tube, stage) for who, tube, stage in
         held.select("resident_id", "tube", "stage").iter_rows()},
        dict(free.select("resident_id", "retest_tube").iter_rows()),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("second", "found", "stage"),
    [
        ((), (), "to_sample"),
        (((1, "S1", 400),), (), "waiting"),
        (((1, "S1", 400),), (("S1", "negative", 600),), "released"),
        (((1, "S1", 400),), (("S1", "invalid", 600),), "to_sample"),
        (((1, "S1", 290),), (("S1", "negative", 600),), "to_sample"),  # before the report
        (((1, "S1", 400), (9, "S1", 400)), (("S1", "negative", 600),), "to_sample"),  # pooled
        (((1, "S1", 400), (1, "S3", 500)), (("S1", "negative", 600),), "released"),
    ],
)
def test_only_a_negative_single_tube_ends_isolation(
    second: tuple[tuple[int, str, int], ...], found: tuple[tuple[str, str, int], ...], stage: str
) -> None:
    """A sample is not enough: alone in its tube, after the report, and with a negative result."""
    taken = samples((1, "T1", 0), (2, "T1", 1), *second)
    told = results(("T1", "positive", 300), *found)
    held, free = stages(taken, told, roster((1, ""), (2, ""), (9, "")))
    assert held["R2"] == ("T1", "to_sample")
    assert held.get("R1") == (None if stage == "released" else ("T1", stage))
    assert free == ({"R1": "S1"} if stage == "released" else {})


def test_a_single_tube_that_is_positive_lists_its_member_anew() -> None:
    """Whoever was sampled again and is positive again is due anew, with the whole household."""
    taken = samples((1, "T1", 0), (2, "T1", 1), (1, "S1", 400), (2, "S2", 400), (3, "T2", 2))
    found = results(("T1", "positive", 300), ("S1", "positive", 600), ("S2", "negative", 600))
    people = roster((1, "H1"), (2, "H2"), (3, "H1"))
    held, free = stages(taken, found, people)
    assert held == {"R3": ("T1", "to_sample"), "R1": ("S1", "to_sample")}
    assert free == {"R2": "S2"}
    more = pl.concat([taken, samples((1, "S3", 700), (3, "S4", 700))])
    assert stages(more, found, people)[0] == {"R3": ("S1", "waiting"), "R1": ("S1", "waiting")}
    last = pl.concat([found, results(("S3", "negative", 900), ("S4", "negative", 900))])
    assert stages(more, last, people) == ({}, {"R1": "S3", "R2": "S2", "R3": "S4"})


def test_reserved_capacity() -> None:
    """No hour has more people than the reserve; whoever had an hour keeps it; late is told."""
    taken = samples(*((n, "T1", 0) for n in range(1, 6)))
    found = results(("T1", "positive", 300))
    around = people_around(taken, found, roster(*((n, "") for n in range(1, 6))))
    due = isolated(around, taken, found)[0]
    settings = ResultSettings(resample_hours=1, resample_people_per_hour=2)
    none = pl.DataFrame(schema=FOLLOW_SCHEMA)
    now = START + timedelta(hours=5, minutes=10)
    listed = with_times(due, none, settings, now)
    assert listed["resample_from"].dt.hour().to_list() == [12, 12, 13, 13, 14]
    in_time = (listed["resample_from"] <= listed["resample_by"]).to_list()
    assert in_time == [True, True, False, False, False]
    again = with_times(due.tail(2), listed, settings, now + timedelta(hours=9))
    assert again["resample_from"].dt.hour().to_list() == [13, 14]
    sampled = pl.concat([taken, samples((1, "S1", 310))])
    held = isolated(around, sampled, found)[0]
    told = dict(
        with_times(held, none, settings, now).select("resident_id", "resample_from").iter_rows()
    )
    assert told["R1"] == START + timedelta(minutes=310)  # no hour is taken by who was sampled
    assert sorted(t.hour for who, t in told.items() if who != "R1") == [12, 12, 13, 13]


@pytest.mark.parametrize(
    ("result", "at", "counts"),
    [
        ("negative", 30, True), ("negative", 29, False), ("invalid", 29, False),
        ("positive", 29, True), ("positive", 0, True), ("positive", -1, False),
    ],
)  # fmt: skip
def test_results_before_their_samples_do_not_count(result: str, at: int, counts: bool) -> None:
    """Nobody turns green by a result before any sample; no wrong time hides a positive tube."""
    taken = samples((1, "T1", 0), (2, "T1", 30))
    used, aside = results_that_count(results(("T1", result, at), ("T9", "negative", -99)), taken)
    assert sorted(used["tube"]) == (["T1", "T9"] if counts else ["T9"])
    assert aside["tube"].to_list() == ([] if counts else ["T1"])


def test_codes() -> None:
    """Negative is green, a positive tube and missing the round yellow; waiting changes nothing."""
    people = pl.DataFrame(
        {"person": [1, 2, 3, 4, 5], "resident_id": [f"R{n}" for n in range(1, 6)],
         "tube": ["T1", "T2", "T3", None, None], "missed": [False, False, False, True, False],
         "isolated_from": [None] * 5},
        schema_overrides={"tube": pl.Categorical, "person": pl.UInt64,
                          "isolated_from": pl.Datetime("ms")},
    )  # fmt: skip
    found = results(("T1", "negative", 300), ("T2", "positive", 300))
    none = pl.DataFrame(schema=CODE_SCHEMA)
    during = health_codes(people, found, none, None)
    assert dict(during.select("resident_id", "code").iter_rows()) == {"R1": "green", "R2": "yellow"}
    after = health_codes(people, found, during.select(list(CODE_SCHEMA)), START)
    told = {who: (code, before) for who, code, before in
            after.select("resident_id", "code", "previous").iter_rows()}  # fmt: skip
    assert told == {
        "R1": ("green", "green"), "R2": ("yellow", "yellow"), "R4": ("yellow", ""),
    }  # fmt: skip
    waiting = people.with_columns(pl.lit(None, pl.Categorical).alias("tube"), missed=False)
    kept = health_codes(waiting, found, after.select(list(CODE_SCHEMA)), START)
    assert dict(kept.select("resident_id", "code").iter_rows())["R4"] == "yellow"


def test_the_isolated_stay_yellow() -> None:
    """A negative shared tube makes nobody green who is isolated; released, they turn green."""
    people = pl.DataFrame(
        {"person": [1, 2, 3], "resident_id": ["R1", "R2", "R3"], "tube": ["T1", None, "T2"],
         "missed": [False, True, False], "isolated_from": [START, START, START]},
        schema_overrides={"tube": pl.Categorical, "person": pl.UInt64,
                          "isolated_from": pl.Datetime("ms")},
    )  # fmt: skip
    found = results(("T1", "negative", 300), ("T2", "positive", 300))
    held = health_codes(people, found, pl.DataFrame(schema=CODE_SCHEMA), None)
    assert set(held["code"]) == {"yellow"}
    assert held["reason"].to_list() == ["isolated", "isolated", "positive_tube"]
    free = people.with_columns(pl.lit(None, pl.Datetime("ms")).alias("isolated_from"))
    after = health_codes(free, found, held.select(list(CODE_SCHEMA)), None)
    assert after.select("code", "previous").row(0) == ("green", "yellow")


def test_communities_are_due_by_zone() -> None:
    """Lockdown and control are due daily, precaution every two days, the others every five."""
    ids = INSTANCE.communities.ids.tolist()
    rows = [("r1", "2020-12-22T06:00", "2020-12-22T22:00", c, 10, 8) for c in ids[:-1]]
    series = pl.DataFrame(rows, schema=SERIES_SCHEMA, orient="row")
    zones = INSTANCE.communities.zone
    for days, least in (
        (1, Zone.CONTROL),
        (2, Zone.PRECAUTION),
        (4, Zone.PRECAUTION),
        (5, Zone.NORMAL),
    ):
        due = due_communities(INSTANCE, series, date(2020, 12, 22) + timedelta(days=days))
        assert due[:-1].tolist() == (zones[:-1] <= least).tolist()
        assert due[-1]  # no round has had it yet
    (told,) = over_rounds(series)
    assert (told["target"], told["sampled"], told["coverage"]) == (40, 32, 0.8)


def test_turnaround_counts_from_the_wave() -> None:
    """A result is in time when it comes within the promise of the start of the swab's wave."""
    taken = samples((1, "T1", 59), (2, "T2", 60), (3, "T3", 61))
    found = results(("T1", "negative", 360), ("T2", "negative", 421))
    places = pl.Series(["D0", "D1", "D1"])
    city, first, second, _ = turnarounds(INSTANCE, taken, found, places)
    assert (city.sampled, city.resulted, city.in_time) == (3, 2, 1)
    assert (first.p50_hours, second.p50_hours) == (6.0, 6.02)
    assert np.isclose(city.to_dict()["share_in_time"], 0.5)
