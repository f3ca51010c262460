"""The commands ``record``, ``missed`` and ``round``: who came, what it showed, what comes next."""

from __future__ import annotations

import json
import shutil
import subprocess
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from click.testing import CliRunner, Result

from scheduler.app.recorded import read_recorded
from scheduler.app.revision import open_revision
from scheduler.app.runtime import Clock
from scheduler.cli.main import cli
from scheduler.errors import CannotRunError, InputError
from scheduler.ingest.loader import load
from scheduler.publish.roster_files import read_roster
from scheduler.solve.spacing import site_quota
from tests.samples import results_of_tubes, sampled_people, write_parts

PEOPLE = 4_000
NOON, AFTER = "2020-12-23 12:00", "2020-12-25 08:00"


def run(*arguments: object) -> Result:
    return CliRunner().invoke(cli, [*map(str, arguments)])


def told(*arguments: object) -> dict[str, Any]:
    done = run(*arguments, "--json", "--quiet")
    assert done.exit_code == 0, (done.output, done.exception)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.fixture(scope="module")
def rostered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("record") / "dalian-r1"
    assert run("init", folder, "--city", "dalian", "--people", PEOPLE, "--residents").exit_code == 0
    assert run("plan", folder, "--quiet").exit_code == 0
    told("roster", folder, "--residents", folder / "residents.csv")
    samples = sampled_people(open_revision(folder, None).instance, read_roster(folder)[1])
    write_parts(samples, folder / "samples", 7)
    write_parts(results_of_tubes(samples, positive=2), folder / "results", 3)
    return folder


@pytest.fixture
def folder(rostered: Path, tmp_path: Path) -> Path:
    subprocess.run(["cp", "-a", str(rostered), str(tmp_path / "dalian-r1")], check=True)
    return tmp_path / "dalian-r1"


def samples_of(folder: Path) -> pl.DataFrame:
    return pl.concat([pl.read_csv(p) for p in sorted((folder / "samples").glob("*.csv"))])


def follow_up(found: dict[str, Any]) -> pl.DataFrame:
    files = Path(found["files"]["follow_up"]).rglob("*.csv")
    return pl.concat([pl.read_csv(p, infer_schema=False) for p in files])


def sums(counts: dict[str, int]) -> bool:
    parts = ("recorded", "duplicate", "corrected", "unknown", "rejected")
    return counts["input"] == sum(counts[part] for part in parts)


def test_samples_in_any_order_and_twice(folder: Path) -> None:
    """Files may come one by one, in any order, and again: each sample counts once."""
    files = sorted((folder / "samples").glob("*.csv"))
    first = told("record", folder, "--samples", files[3], "--samples", files[0])
    assert first["samples"]["recorded"] == first["input"] > 0
    rest = told("record", folder, "--samples", folder / "samples")
    assert rest["samples"]["duplicate"] == first["input"]
    assert sums(rest["samples"])
    total = samples_of(folder).height
    assert first["samples"]["recorded"] + rest["samples"]["recorded"] == total
    found = told("missed", folder, "--at", AFTER)
    assert found["sampled"] == total


def test_broken_and_unknown_samples(folder: Path) -> None:
    """Rows that cannot be used and people that nobody knows are kept aside, exit 0."""
    good = samples_of(folder).row(0)
    path = folder / "more.csv"
    rows = [
        "居民编号,采样点编码,采样时间,管号",
        ",".join(good),
        f"NOBODY,{good[1]},2020-12-22 07:00,T1",
        f"{good[0]},{good[1]},teatime,T1",
        f"{good[0]},,2020-12-22 07:00,T1",
        f"{good[0]},{good[1]},2020-12-21 07:00,T1",
        f"{good[0]},NOWHERE,{good[2]},T1",
        '"',
    ]
    path.write_text("\n".join(rows), encoding="gbk")
    found = told("record", folder, "--samples", path)
    counts = found["samples"]
    assert sums(counts)
    assert (counts["recorded"], counts["corrected"], counts["unknown"], counts["rejected"]) == (
        1,
        1,
        1,
        4,
    )
    assert found["rejected_codes"] == {"C602": 1, "C603": 1, "C615": 1, "C621": 1}
    assert found["remarks"] == {"C622": 1, "C623": 1}
    aside = Path(found["files"]["unknown"]).read_text("utf-8-sig")
    assert "NOBODY" in aside
    rejected = pl.read_csv(found["files"]["rejected_samples"])
    assert rejected["line"].to_list() == [4, 5, 6, 8]


def test_a_stranger_is_known_once_the_roster_is_mended(folder: Path) -> None:
    """Samples kept aside count as soon as a roster knows their person."""
    path = folder / "more.csv"
    path.write_text("resident_id,site_id,sampled_at,tube\nNEW,S,2020-12-22 07:00,T1\n")
    assert told("record", folder, "--samples", path)["unknown"] == 1
    line = (folder / "residents.csv").read_text("utf-8-sig").splitlines()[-1].split(",")
    with (folder / "residents.csv").open("a", encoding="utf-8") as rows:
        rows.write(f"NEW,{line[1]},{line[2]},{line[3]},1980,\n")
    told("roster", folder, "--residents", folder / "residents.csv")
    again = told("record", folder, "--samples", path)
    assert again["samples"]["known_since"] == 1
    assert again["samples"]["duplicate"] == 1


def test_results_and_positive_tubes(folder: Path) -> None:
    """Turnaround is told against the promise; members of positive tubes get an hour in time."""
    told("record", folder, "--samples", folder / "samples")
    found = told("record", folder, "--results", folder / "results", "--at", "2020-12-22 10:00")
    assert sums(found["results"])
    city = found["turnaround"][0]
    assert city["resulted"] == city["sampled"] == samples_of(folder).height
    assert 0 < city["share_in_time"] <= 1
    assert city["p50_hours"] <= city["p95_hours"] <= city["longest_hours"]
    assert sum(t["sampled"] for t in found["turnaround"][1:]) == city["sampled"]
    positive = found["positive"]
    assert positive["tubes"] == 2
    assert follow_up(found).height == positive["to_resample"]
    results = pl.concat([pl.read_csv(p) for p in (folder / "results").glob("*.csv")])
    bad = results.filter(pl.col("result") == "阳性")["tube"].to_list()
    members = samples_of(folder).filter(pl.col("tube").is_in(bad))
    assert positive["members"] == members.height
    again = told("record", folder, "--results", folder / "results", "--at", "2020-12-22 11:00")
    assert again["results"]["duplicate"] == again["results"]["input"]
    assert again["positive"] == positive


def test_single_tubes_release_people(folder: Path) -> None:
    """Whoever was isolated stays listed until the single tube is negative, then turns green."""
    told("record", folder, "--samples", folder / "samples")
    around = told("record", folder, "--results", folder / "results", "--at", "2020-12-22 10:00")
    home = around["positive"]["households"]
    yellow = told("missed", folder, "--at", NOON)["codes"]
    results = pl.concat([pl.read_csv(p) for p in (folder / "results").glob("*.csv")])
    bad = results.filter(pl.col("result") == "阳性")["tube"].to_list()
    who = samples_of(folder).filter(pl.col("tube").is_in(bad))
    assert yellow["yellow"] == who.height + home > home > 0
    later = who.with_columns(
        pl.lit("2020-12-23 20:00").alias("sampled_at"),
        pl.format("single-{}", "resident_id").alias("tube"),
    )
    later.write_csv(folder / "later.csv")
    results_of_tubes(later).write_csv(folder / "later-results.csv")
    found = told("record", folder, "--samples", folder / "later.csv")
    assert found["positive"]["waiting"] == who.height
    listed = follow_up(found)
    waiting = listed.filter(pl.col("进展") == "已复采，待结果")
    assert (waiting.height, found["positive"]["released"]) == (who.height, 0)
    assert "released" not in found["files"]
    found = told("record", folder, "--results", folder / "later-results.csv", "--at",
                 "2020-12-24 08:00")  # fmt: skip
    assert found["positive"]["to_resample"] == found["positive"]["households"]
    assert (found["positive"]["waiting"], found["positive"]["released"]) == (0, who.height)
    assert set(follow_up(found)["身份"]) == {"同户"}
    released = pl.read_csv(found["files"]["released"], infer_schema=False)
    assert sorted(released["resident_id"]) == sorted(who["resident_id"])
    assert set(released["released_at"]) == {"2020-12-24 01:00"}
    assert set(released["retest_tube"]) == set(later["tube"])
    codes = told("missed", folder, "--at", "2020-12-24 09:00")["codes"]
    assert codes["back_to_green"] == who.height
    assert codes["yellow"] == home


def test_results_before_their_samples_are_kept_aside(folder: Path) -> None:
    """In any order of files: told, kept in a file, not used; until one of the times is mended."""
    who, site, _, _ = samples_of(folder).row(0)
    (folder / "r.csv").write_text("tube,result,reported_at\nT1,negative,2020-12-22 07:00\n")
    (folder / "s.csv").write_text(
        f"resident_id,site_id,sampled_at,tube\n{who},{site},2020-12-22 08:00,T1\n"
    )
    assert told("record", folder, "--results", folder / "r.csv")["remarks"] == {"C632": 1}
    found = told("record", folder, "--samples", folder / "s.csv")
    assert found["remarks"] == {"C633": 1}
    assert "T1,negative,2020-12-22 07:00" in Path(found["files"]["before_sample"]).read_text()
    assert found["turnaround"] == []
    assert told("missed", folder, "--at", NOON)["codes"]["green"] == 0
    assert "result before its sample [C633]" in run("record", folder, "--results",
                                                    folder / "r.csv").output  # fmt: skip
    (folder / "r.csv").write_text("tube,result,reported_at\nT1,negative,2020-12-22 13:00\n")
    mended = told("record", folder, "--results", folder / "r.csv")
    assert mended["remarks"] == {}
    assert not Path(found["files"]["before_sample"]).exists()
    assert mended["turnaround"][0]["resulted"] == 1


def test_the_missed_get_slots_that_are_free(folder: Path) -> None:
    """Missed households get one slot together, in open hours, within what the site has left."""
    told("record", folder, "--samples", folder / "samples")
    found = told("missed", folder, "--at", NOON)
    known = read_recorded(folder, datetime(2020, 12, 23, 12), Clock())  # noqa: DTZ001  # local
    missed = known.people.missed(known.now_min)
    assert found["missed"] == int(missed.sum()) > 0
    assert found["mop_up"] + found["without_slot"] == found["missed"]
    files = [pl.read_csv(p) for p in (folder / "rosters/missed/communities").rglob("*.csv")]
    listed = pl.concat([f for f in files if f.height], how="vertical_relaxed")
    assert listed.height == found["missed"]
    homes = listed.group_by("网格编码", "户编号").agg(
        pl.struct("日期", "开始", "采样点编码").n_unique().alias("n")
    )
    assert (homes["n"] == 1).all()
    instance = known.instance
    quota = dict(zip(instance.sites.ids, site_quota(instance).tolist(), strict=True))
    people = known.frame.filter(pl.col("fate") == "slot")
    slots = people.group_by("site_id", "start").len().iter_rows()
    called = {(site, start): n for site, start, n in slots}
    for date, start, site, n in listed.group_by("日期", "开始", "采样点编码").len().iter_rows():
        minute = instance.clock.minute_of_local(datetime.fromisoformat(f"{date} {start}"))
        assert minute >= known.now_min + 60
        assert date in {"2020-12-23", "2020-12-24"}
        assert "06:00" <= start < "22:00"
        assert n + called.get((site, minute), 0) <= quota[site]


def test_coverage_by_hour(folder: Path) -> None:
    """Coverage counts up by hour and adds up from communities to districts to the city."""
    told("record", folder, "--samples", folder / "samples")
    found = told("missed", folder, "--at", AFTER)
    table = pl.read_csv(folder / "rosters/missed/coverage.csv")
    city = table.filter(pl.col("级别") == "全市")
    assert city["已采人数"].is_sorted()
    assert city["已采人数"][-1] == found["sampled"]
    for level in ("区县", "社区"):
        part = table.filter(pl.col("级别") == level).group_by("截至").agg(
            pl.col("应采人数", "已通知人数", "已采人数").sum()
        ).sort("截至")  # fmt: skip
        assert part["已采人数"].to_list() == city["已采人数"].to_list()
        assert part["应采人数"].unique().to_list() == [found["target"]]


def test_health_codes(folder: Path) -> None:
    """Yellow are the missed once the round is over; a negative result later turns them green."""
    told("record", folder, "--samples", folder / "samples", "--results", folder / "results")
    assert told("missed", folder, "--at", NOON)["missed"] > 0
    codes = pl.read_csv(folder / "rosters/missed/codes.csv")
    assert set(codes["reason"]) == {"negative", "positive_tube", "isolated"}
    held = codes.filter(pl.col("reason") == "isolated")
    assert set(held["code"]) == {"yellow"}
    found = told("missed", folder, "--at", AFTER)
    codes = pl.read_csv(folder / "rosters/missed/codes.csv")
    late = codes.filter(pl.col("reason") == "missed")
    assert late.height == found["missed"]
    assert set(late["code"]) == {"yellow"}
    one = late["resident_id"][0]
    (folder / "s.csv").write_text(
        f"resident_id,site_id,sampled_at,tube\n{one},X,2020-12-25 09:00,T\n"
    )
    (folder / "r.csv").write_text("tube,result,reported_at\nT,negative,2020-12-25 12:00\n")
    told("record", folder, "--samples", folder / "s.csv", "--results", folder / "r.csv")
    assert told("missed", folder, "--at", "2020-12-25 13:00")["codes"]["back_to_green"] == 1
    row = pl.read_csv(folder / "rosters/missed/codes.csv").filter(pl.col("resident_id") == one)
    assert row.select("code", "previous").row(0) == ("green", "yellow")


def test_rounds_follow_each_other(folder: Path) -> None:
    """The next round has the communities due and their people, the missed first in their block."""
    told("record", folder, "--samples", folder / "samples")
    lines = (folder / "communities.csv").read_text("utf-8").splitlines()
    first = told("round", "next", folder)
    assert (first["next_round"], Path(first["folder"]).name) == ("dalian-2020-12-r2", "dalian-r2")
    second = Path(first["folder"])
    assert first["communities"] == len(lines) - 1
    assert (second / "communities.csv").read_bytes() == (folder / "communities.csv").read_bytes()
    loaded = load(second)
    assert loaded.instance is not None
    assert loaded.instance.settings.round.start == datetime(2020, 12, 25, 6)  # noqa: DTZ001  # local
    assert run("plan", second, "--quiet").exit_code == 0
    counts = told("roster", second, "--residents", second / "residents.parquet")
    assert (counts["input"], counts["rejected"]) == (PEOPLE, 0)
    people = read_roster(second)[1].filter(pl.col("fate") == "slot").with_row_index()
    assert first["missed_first"] == read_roster(second)[1]["priority"].sum()
    inside = people.sort("start").group_by("block_id").agg(
        pl.col("start").filter(pl.col("priority") > 0).mean().alias("missed"),
        pl.col("start").filter(pl.col("priority") == 0).mean().alias("others"),
    ).drop_nulls()  # fmt: skip
    assert int((inside["missed"] < inside["others"]).sum()) * 2 > inside.height
    over = told("round", "coverage", second)
    assert [r["round"] for r in over["rounds"]] == ["dalian-2020-12-r1", "dalian-2020-12-r2"]
    assert over["rounds"][0]["sampled"] == samples_of(folder).height
    assert over["sampled_once"] == samples_of(folder).height


def test_a_round_of_part_of_the_city(folder: Path, tmp_path: Path) -> None:
    """A district's round and one by frequency hold their communities; the next may be whole."""
    districts = load(folder).instance
    assert districts is not None
    district = str(districts.communities.districts[0])
    part = told("round", "next", folder, "--district", district, "--to", tmp_path / "part")
    assert part["communities"] == int((districts.communities.districts == district).sum())
    assert not load(tmp_path / "part").errors
    whole = told("round", "next", tmp_path / "part", "--to", tmp_path / "whole")
    assert whole["communities"] == len(districts.communities)
    due = told("round", "next", folder, "--scope", "frequency", "--to", tmp_path / "due",
               "--start", "2020-12-27T06:00")  # fmt: skip
    assert due["communities"] == len(districts.communities)  # five days after the first
    done = run(
        "round",
        "next",
        folder,
        "--scope",
        "frequency",
        "--district",
        district,
        "--to",
        tmp_path / "no",
    )
    assert isinstance(done.exception, CannotRunError)
    assert "due" in done.exception.message


def test_what_cannot_run(folder: Path, tmp_path: Path) -> None:
    """What is missing or in the way is told in a sentence, and nothing is recorded."""
    samples = folder / "samples"
    bad = tmp_path / "bad.csv"
    bad.write_text("who,where\nR1,S1\n")
    (tmp_path / "empty").mkdir()
    for arguments, kind, words in (
        (("record", folder), CannotRunError, "--samples or --results"),
        (("record", folder, "--samples", samples, "--samples", bad), InputError, "error"),
        (("record", folder, "--samples", tmp_path / "empty"), CannotRunError, "found none"),
        (("round", "next", folder, "--to", folder), CannotRunError, "new or empty"),
        (("round", "next", folder, "--start", "2020-12-23 06:00"), CannotRunError, "after the end"),
        (("round", "next", folder, "--district", "月球区"), CannotRunError, "district"),
    ):
        done = run(*arguments)
        assert isinstance(done.exception, kind), arguments
        assert words in done.exception.message
    assert not (folder / "rosters/records").exists()
    shutil.rmtree(folder / "rosters")
    for command in (("record", folder, "--samples", samples), ("missed", folder)):
        done = run(*command)
        assert isinstance(done.exception, CannotRunError)
        assert "roster" in done.exception.message
    assert told("round", "coverage", folder)["rounds"][0]["coverage"] is None


def test_a_time_that_is_none_is_told(folder: Path) -> None:
    """A moment that cannot be read exits 2, with an example of one that can."""
    done = run("missed", folder, "--at", "tomorrow")
    assert (done.exit_code, "2020-12-22 06:15" in done.output) == (2, True)


def test_a_roster_that_was_touched_is_refused(folder: Path) -> None:
    """A roster file that is not the one written is not trusted."""
    path = folder / "rosters/0001/roster.parquet"
    path.write_bytes(path.read_bytes() + b" ")
    done = run("missed", folder)
    assert isinstance(done.exception, CannotRunError)
    assert "has changed" in done.exception.message


def test_people_read_it(folder: Path) -> None:
    """Without --json the commands print tables and counts."""
    done = run("record", folder, "--samples", folder / "samples", "--results", folder / "results",
               "--at", (datetime(2020, 12, 22) + timedelta(days=9)).isoformat())  # noqa: DTZ001  # fmt: skip
    assert "rows of samples" in done.output
    assert "positive tube(s)" in done.output
    assert "cannot be sampled singly within the limit" in done.output
    assert "coverage" in run("missed", folder, "--at", NOON).output
    assert "Opened dalian-2020-12-r2" in run("round", "next", folder).output
