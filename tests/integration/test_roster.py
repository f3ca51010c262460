"""The command ``roster``: everybody accounted for, households whole, nothing personal told."""

from __future__ import annotations

import json
import os
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from click.testing import CliRunner, Result

from scheduler.app.revision import open_revision
from scheduler.app.verify import verify_round
from scheduler.cli.main import cli
from scheduler.errors import CannotRunError, InputError
from scheduler.publish.roster_files import read_roster
from scheduler.solve.spacing import site_quota
from scheduler.store import open_store
from tests.rosters import mutated

PEOPLE = 4_000


def run(*arguments: object) -> Result:
    return CliRunner().invoke(cli, [*map(str, arguments)])


def roster(folder: Path, *arguments: object) -> dict[str, Any]:
    done = run("roster", folder, "--json", "--quiet", *arguments)
    assert done.exit_code == 0, (done.output, done.exception)
    found: dict[str, Any] = json.loads(done.stdout)
    parts = ("slot", "home_visit", "exempt", "rejected")
    assert found["input"] == sum(found[part] for part in parts)
    return found


@pytest.fixture(scope="module")
def planned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("roster") / "dalian"
    assert run("init", folder, "--city", "dalian", "--people", PEOPLE, "--residents").exit_code == 0
    assert run("plan", folder, "--quiet").exit_code == 0
    return folder


@pytest.fixture
def folder(planned: Path, tmp_path: Path) -> Path:
    return copied(planned, tmp_path / "dalian")


def copied(planned: Path, target: Path) -> Path:
    subprocess.run(["cp", "-a", str(planned), str(target)], check=True)
    return target


def residents(folder: Path) -> pl.DataFrame:
    return pl.read_csv(folder / "residents.csv", infer_schema=False).fill_null("")


def put(folder: Path, frame: pl.DataFrame) -> Path:
    frame.write_csv(folder / "changed.csv")
    return folder / "changed.csv"


def lists(folder: Path, revision: str) -> dict[str, pl.DataFrame]:
    home = folder / "rosters" / revision / "communities"
    return {p.stem: pl.read_csv(p, infer_schema=False) for p in home.rglob("*.csv")}


def check_rules(folder: Path, found: dict[str, Any]) -> pl.DataFrame:
    """Check what holds for every roster against the plan it follows; return its people."""
    revision, people = read_roster(folder)
    assert revision == found["revision"]
    opened = open_revision(folder, revision)
    called = people.filter(pl.col("fate") == "slot")
    assert called.height == found["slot"]
    home = called.filter(pl.col("household_id") != "").group_by("household_id")
    seats = home.agg(pl.struct("site_id", "start").n_unique().alias("n"))["n"]
    assert (seats == 1).all() or found["cut_households"]
    plan = opened.plan.assignments
    there = set(zip(plan["block_id"], plan["site_id"], plan["start"], strict=True))
    clock = opened.instance.clock
    given = called.select("block_id", "site_id", "start").unique()
    assert all((b, s, clock.iso(m)) in there for b, s, m in given.iter_rows())
    quota = dict(zip(opened.instance.sites.ids, site_quota(opened.instance).tolist(), strict=True))
    slots = called.group_by("site_id", "start").len()
    beyond = sum(max(0, n - quota[site]) for site, _, n in slots.iter_rows())
    assert beyond == found["over_quota"]
    tubes = called.group_by("site_id", "wave", "tube").agg(
        pl.len(), pl.col("community_id").cast(pl.String).unique()
    )
    pools = opened.instance.settings.pooling.by_zone()
    zone = dict(zip(opened.instance.communities.ids, opened.instance.communities.zone, strict=True))
    for _, _, _, count, communities in tubes.iter_rows():
        zones = {int(zone[c]) for c in communities}
        assert len(zones) == 1
        assert count <= max(pools[zones.pop()], 1)
    assert tubes.height == found["tubes"]
    return people


def test_a_roster_that_fits_its_plan(folder: Path) -> None:
    """Everybody has a slot of the plan or stands on a list; the plan stays as it is."""
    found = roster(folder, "--residents", folder / "residents.csv")
    assert not found["replanned"]
    assert found["input"] == PEOPLE
    assert found["over_quota"] == 0
    assert found["tubes"] <= found["tubes_planned"]
    people = check_rules(folder, found)
    assert people["resident_id"].n_unique() == PEOPLE
    old = people.filter(pl.col("fate") == "home_visit")["reason"].unique().to_list()
    assert set(old) == {"homebound", "under_age"}


def test_community_files_hold_their_own_people_only(folder: Path) -> None:
    """A community's list has all of its residents by code, and nobody else's."""
    found = roster(folder, "--residents", folder / "residents.csv")
    people = read_roster(folder)[1]
    files = lists(folder, found["revision"])
    assert sum(f.height for f in files.values()) == PEOPLE
    ids = set(people["resident_id"])
    for community, frame in files.items():
        own = people.filter(pl.col("community_id") == community)
        assert sorted(frame["居民代码"]) == sorted(f"R{n:016x}" for n in own["code"])
        assert not ids & set(frame["居民代码"])


def test_files_are_private(folder: Path) -> None:
    """Files are 0640 in folders 0750, and the key is its owner's."""
    roster(folder, "--residents", folder / "residents.csv", "--slips")
    for path in (folder / "rosters").rglob("*"):
        mode = stat.S_IMODE(path.stat().st_mode)
        key = path.name == "key"
        assert mode == (0o750 if path.is_dir() else 0o600 if key else 0o640), path
    pages = list((folder / "rosters/0001/slips").rglob("*.html"))
    assert len(pages) == len(lists(folder, "0001"))


def test_nothing_personal_in_the_database_and_on_the_screen(folder: Path) -> None:
    """No id of a person stands in the database, in what is printed, or in the summary."""
    rows = residents(folder)
    rows = rows.with_columns(("身份" + pl.col("居民编号")).alias("居民编号"))
    bad = rows.head(3)  # the same persons twice
    done = run("roster", folder, "--residents", put(folder, pl.concat([rows, bad])))
    assert done.exit_code == 0
    assert "rejected" in done.output
    told = done.output + (folder / "rosters/0001/summary.json").read_text("utf-8")
    assert "身份" not in told
    with sqlite3.connect(folder / "nat-scheduler.sqlite3") as database:
        dump = "\n".join(database.iterdump())
    assert "身份" not in dump
    with open_store(folder) as store:
        kept = store.roster("dalian-2020-12-r1", "0001")
        assert store.runs(1)[0].command == "roster"
    assert kept is not None
    assert (kept.input, kept.rejected) == (PEOPLE + 3, 3)


def test_plain_ids_and_names(folder: Path) -> None:
    """Ids stand as they are with --plain-ids; names only with --allow-names, and masked."""
    rows = residents(folder).with_columns(pl.lit("王小明").alias("姓名"))
    file = put(folder, rows)
    done = run("roster", folder, "--residents", file)
    assert isinstance(done.exception, InputError)
    assert not (folder / "rosters" / "0001").exists()
    roster(folder, "--residents", file, "--allow-names", "--plain-ids")
    frame = pl.concat(lists(folder, "0001").values())
    assert set(frame["居民代码"]) == set(rows["居民编号"])
    assert set(frame["姓名"]) == {"王*明"}


def test_a_roster_of_other_counts_plans_anew(folder: Path) -> None:
    """Where counted people differ, a new revision is planned that verify finds clean."""
    rows = residents(folder)
    fewer = rows.filter(pl.Series(np.arange(rows.height) % 3 > 0))
    found = roster(folder, "--residents", put(folder, fewer))
    assert found["replanned"]
    assert found["revision"] == "0002"
    check_rules(folder, found)
    assert verify_round(folder).breaches == ()
    before = (folder / "blocks.csv").read_bytes()
    again = roster(folder, "--residents", folder / "changed.csv")
    assert (again["replanned"], again["revision"]) == (False, "0002")
    assert (folder / "blocks.csv").read_bytes() == before
    assert run("publish", folder).exit_code == 0


def test_blocks_are_built_from_addresses(folder: Path) -> None:
    """Without blocks.csv and block ids, blocks are made of the buildings of addresses."""
    (folder / "blocks.csv").unlink()
    assert run("plan", folder, "--quiet").exit_code == 0
    rows = residents(folder)
    number = pl.int_range(pl.len())
    addressed = rows.select(
        "居民编号", "户编号", "社区编码", "出生年份", "类别",
        (pl.lit("幸福路") + pl.col("网格编码").str.slice(-3) + pl.lit("号楼")
         + pl.col("户编号").str.slice(-3) + pl.lit("室")).alias("地址"),
    ).with_columns(number.alias("n")).sort("n").drop("n")  # fmt: skip
    found = roster(folder, "--residents", put(folder, addressed))
    assert found["replanned"]
    assert found["rejected"] == 0
    people = check_rules(folder, found)
    assert verify_round(folder).breaches == ()
    counted = pl.read_csv(folder / "plans" / found["revision"] / "counted.csv")
    assert int(counted["people"].sum()) == PEOPLE
    assert people["block_id"].n_unique() == counted.height
    again = roster(folder, "--residents", folder / "changed.csv")
    assert not again["replanned"]


def test_rows_that_cannot_be_used_are_set_aside(folder: Path) -> None:
    """Each broken row stands in rejected.csv with line, code and reason, and nobody is lost."""
    good = (folder / "residents.csv").read_text("utf-8-sig").splitlines()
    block, community = "DL-C0001-001", "DL-C0001"
    other = good[-1].split(",")[2]
    broken = {
        good[1]: "C605",
        f"X1,{good[1].split(',')[1]},{other},,1980,": "C606",
        "X2,HX,nowhere,,1980,": "C607",
        "X3,HX,nowhere,DL-C9999,1980,": "C608",
        f"X4,HX,{block},DL-C0002,1980,": "C609",
        f"X5,HX,{block},{community},unborn,": "C610",
        f"X6,HX,,{community},1980,": "C612",
        "X7,HX,,,1980,": "C612",
        f",HX,{block},{community},1980,": "C603",
        '"open': "C602",
        f"X8,HX,{block},{community},1980,,extra": "C602",
    }
    path = folder / "broken.csv"
    path.write_text("\n".join([*good, *broken]) + "\n", encoding="utf-8")
    found = roster(folder, "--residents", path)
    assert found["rejected"] == len(broken)
    assert found["input"] == PEOPLE + len(broken)
    told = pl.read_csv(folder / "rosters" / found["revision"] / "rejected.csv")
    lines = dict(told.select("line", "code").iter_rows())
    assert lines == dict(enumerate(broken.values(), len(good) + 1))
    assert told["reason"].is_not_null().all()


def test_notes_count_those_that_are_called(folder: Path) -> None:
    """Odd words and blank households are counted of accepted rows; the others are rejected."""
    good = (folder / "residents.csv").read_text("utf-8-sig").splitlines()
    block = good[1].split(",")[2]
    more = [f"X1,,{block},,1980,", f"X2,HX,{block},,1980,astronaut",
            "X3,,nowhere,,1980,astronaut", f"X1,,{block},,1980,astronaut"]  # fmt: skip
    path = folder / "more.csv"
    path.write_text("\n".join([*good, *more]) + "\n", encoding="utf-8")
    found = roster(folder, "--residents", path)
    assert found["rejected_codes"] == {"C605": 1, "C607": 1}
    assert found["remarks"] == {"C611": 1, "C614": 1}


def test_garbage_alone(folder: Path) -> None:
    """A roster of nothing but garbage ends in rejected.csv row by row, exit 0."""
    rng = np.random.default_rng(1)
    rows = [bytes(rng.integers(33, 127, 30).tolist()) for _ in range(2_000)]
    path = folder / "garbage.csv"
    path.write_bytes(b"resident_id,household_id,block_id\n" + b"\n".join(rows))
    found = roster(folder, "--residents", path)
    assert found["rejected"] == found["input"] == 2_000


@pytest.mark.parametrize("seed", range(4))
def test_random_rosters(planned: Path, tmp_path: Path, seed: int) -> None:
    """However a roster differs from its plan, its counts add up and every rule of slots holds."""
    folder = copied(planned, tmp_path / "dalian")
    frame = mutated(residents(folder), seed)
    found = roster(folder, "--residents", put(folder, frame))
    assert found["input"] == frame.height
    people = check_rules(folder, found)
    assert people.height == found["input"] - found["rejected"]
    assert verify_round(folder).breaches == ()
    files = lists(folder, found["revision"])
    assert sum(f.height for f in files.values()) == people.height


def test_lockdown_tubes(folder: Path) -> None:
    """In lockdown each person has a tube, or each household where the settings say so."""
    rows = residents(folder)
    text = (folder / "communities.csv").read_text("utf-8")
    lines = text.splitlines()
    lines[1] = lines[1].replace("普通", "封控")
    community = lines[1].split(",")[0]
    (folder / "communities.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    sites = (folder / "sites.csv").read_text("utf-8-sig").splitlines()
    cells = dict(zip(sites[0].split(","), sites[1].split(","), strict=True))
    cells |= {"采样点编码": "TEAM", "类型": "mobile", "服务社区": community, "接收分区": ""}
    sites.append(",".join(cells.values()))
    (folder / "sites.csv").write_text("\n".join(sites) + "\n", encoding="utf-8")
    assert run("plan", folder, "--quiet").exit_code == 0
    for setting, alone in (("single", True), ("household", False)):
        toml = (folder / "round.toml").read_text("utf-8")
        toml = toml.replace('lockdown_tubes = "single"', f'lockdown_tubes = "{setting}"')
        (folder / "round.toml").write_text(toml, encoding="utf-8")
        assert run("plan", folder, "--quiet").exit_code == 0
        roster(folder, "--residents", put(folder, rows))
        people = read_roster(folder)[1]
        sealed = people.filter((pl.col("community_id") == community) & (pl.col("fate") == "slot"))
        tubes = sealed.group_by("site_id", "wave", "tube").agg(
            pl.col("household_id").unique(), pl.len()
        )
        assert sealed.height > 0
        assert (tubes["household_id"].list.len() == 1).all()
        assert (tubes["len"] == 1).all() == alone


def test_call_lists_of_other_times_are_told(folder: Path) -> None:
    """After another plan, show, publish and missed say whose times the call lists tell."""
    path = folder / "residents.csv"
    roster(folder, "--residents", path)
    words = "call lists, in rosters/0001, tell the times of revision 0001, not those of revision"
    quiet = (("show", folder), ("publish", folder), ("missed", folder))
    assert not any("Warning" in run(*command).output for command in quiet)
    assert run("plan", folder, "--quiet").exit_code == 0
    told = {command: run(command, folder) for command in ("show", "missed", "publish")}
    assert f"{words} 0002" in " ".join(told["show"].stdout.split())
    assert told["missed"].stderr.count("Warning: ") == 0  # people still go by revision 0001
    assert f"{words} 0002. Run `nat-scheduler roster`" in told["publish"].stderr
    assert f"{words} 0002" in run("missed", folder).stderr
    both = {"roster": "0001", "revision": "0002"}
    for command in ("show", "missed", "publish"):
        assert json.loads(run(command, folder, "--json").stdout)["other_times"] == both
    roster(folder, "--residents", path)
    assert json.loads(run("missed", folder, "--json").stdout)["other_times"] is None
    assert "Publish revision 0002" in run("publish", folder, "--revision", "0001").stderr


def test_what_cannot_run(folder: Path, tmp_path: Path) -> None:
    """No plan, no file, changed input and a folder that cannot be written are sentences, exit 2."""
    roster_file = folder / "residents.csv"
    assert run("init", tmp_path / "new").exit_code == 0
    for arguments, words in (
        ((tmp_path / "new", "--residents", roster_file), "Expected a plan"),
        ((folder, "--residents", folder / "none.csv"), "Cannot read"),
        ((folder, "--residents", roster_file, "--revision", "0009"), "Expected a plan"),
    ):
        done = run("roster", *arguments)
        assert isinstance(done.exception, CannotRunError)
        assert words in done.exception.message
    with (folder / "blocks.csv").open("a", encoding="utf-8") as blocks:
        blocks.write("\n")
    done = run("roster", folder, "--residents", roster_file)
    assert isinstance(done.exception, CannotRunError)
    assert "changed" in done.exception.message


def test_as_a_process(folder: Path) -> None:
    """Errors of a whole file go to stderr with code and way out, exit 1; --json stays JSON."""
    path = folder / "names.csv"
    path.write_text("居民编号,户编号,姓名,姓名\nR1,H1,王小明,x\n", encoding="utf-8")
    command = [sys.executable, "-m", "scheduler", "roster", str(folder), "--residents", str(path)]
    done = subprocess.run(
        [*command, "--json"], capture_output=True, text=True, check=False, env=os.environ
    )
    assert done.returncode == 1
    assert "[C106]" in done.stderr
    assert "[C601]" in done.stderr
    assert "王小明" not in done.stderr + done.stdout
    assert "error" in json.loads(done.stdout)


def test_an_empty_roster_is_refused(folder: Path) -> None:
    """A file of a header alone does not take the place of a roster."""
    roster(folder, "--residents", folder / "residents.csv")
    (folder / "header.csv").write_text("resident_id,household_id\n")
    done = run("roster", folder, "--residents", folder / "header.csv")
    assert isinstance(done.exception, InputError)
    assert [f.code for f in done.exception.findings] == ["C110"]
    assert read_roster(folder)[1].height == PEOPLE


def test_household_numbers_that_repeat_in_each_building(folder: Path) -> None:
    """With household_ids = "block" flat 101 of one building is not flat 101 of another."""
    rows = residents(folder).with_columns(pl.col("户编号").str.slice(-3))
    path = put(folder, rows)
    assert roster(folder, "--residents", path)["rejected"] > PEOPLE // 2
    toml = (folder / "round.toml").read_text("utf-8")
    toml = toml.replace('household_ids = "round"', 'household_ids = "block"')
    (folder / "round.toml").write_text(toml, encoding="utf-8")
    assert run("plan", folder, "--quiet").exit_code == 0
    found = roster(folder, "--residents", path)
    assert (found["rejected"], found["replanned"]) == (0, False)
    people = read_roster(folder)[1].filter(pl.col("fate") == "slot")
    homes = people.group_by("block_id", "household_id")
    assert (homes.agg(pl.struct("site_id", "start").n_unique().alias("n"))["n"] == 1).all()


def test_a_lost_key_is_not_made_anew(folder: Path) -> None:
    """Once samples stand by their codes, a lost key stops the roster instead of changing codes."""
    path = folder / "residents.csv"
    roster(folder, "--residents", path)
    (folder / "rosters" / "records").mkdir()
    (folder / "rosters" / "key").unlink()
    done = run("roster", folder, "--residents", path)
    assert isinstance(done.exception, CannotRunError)
    assert "key" in done.exception.message
