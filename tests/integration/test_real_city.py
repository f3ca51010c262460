"""The script that turns real lists into a round folder, on made-up lists and on real ones."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from scheduler.errors import CannotRunError
from scheduler.generate.real_city import write_real_city
from scheduler.ingest.loader import load_instance

SCRIPT = Path(__file__).parents[2] / "scripts" / "real_city.py"

LISTS = {
    "districts_census2020.csv": """district_code,district,pop_2020,household_size,pct_age_65plus
990100,示例市,9000,2.5,17
990101,东区,6000,2.5,15
990102,西县,3000,2.0,20
""",
    "districts_geo.csv": """district_code,district,seat_lng,seat_lat
990101,东区,121.60,38.90
990102,西县,121.10,38.95
""",
    "streets.csv": """district_code,district,street_code,street,lng,lat
990101,东区,990101001,甲街道,121.60,38.91
990102,西县,990102001,乙镇,,
""",
    "communities.csv": """district_code,district,street_code,street,community_code,community,kind,\
lng,lat
990101,东区,990101001,甲街道,990101001001,甲一社区,residential,121.601,38.911
990101,东区,990101001,甲街道,990101001002,甲二社区,residential,,
990102,西县,990102001,乙镇,990102001001,乙一社区,residential,,
990102,西县,990102001,乙镇,990102001201,乙二村,village,121.12,38.96
""",
    "sampling_sites.csv": (
        "site_id,kind,district,street_code,street,community_code,name,address,hours_raw,lng,lat,"
        """coord_ok
T-1,voluntary,东区,990101001,甲街道,990101001001,甲一点,甲街1号,周三、周六8：00-11：30、13：00-18：00,121.602,38.912,1
T-2,medical_public,东区,990101001,甲街道,,东区医院点,甲街2号,24小时,121.603,38.913,1
T-3,key_population,东区,990101001,甲街道,,重点点,甲街3号,8：00-9：00,121.604,38.914,1
T-4,voluntary,西县,990102001,乙镇,990102001201,乙二点,乙镇1号,以村通知为准,120.00,30.00,0
T-5,voluntary,西县,990102001,乙镇,,乙点,乙镇2号,周一至周日8：00-11：30,120.00,30.00,0
"""
    ),
    "testing_institutions_2021.csv": """district,name,address
东区,东区医院,东区甲街2号
东区,某检验所,东区甲街道9号
东区,另一所,东区丙路1号
""",
}


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Folder of made-up lists: a town and a county without a street point."""
    folder = tmp_path / "lists"
    folder.mkdir()
    for name, text in LISTS.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(SCRIPT), *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
    )


def test_script_writes_a_round_and_counts_what_it_filled(source: Path, tmp_path: Path) -> None:
    """Rule: the folder passes check, and every filled cell is counted by file, column and rule."""
    done = run(source, tmp_path / "r", "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    cells = {(c["file"], c["column"], c["rule"]): c["cells"] for c in told["cells"]}
    assert cells["communities.csv", "lat", "scattered around the street's point"] == 1
    assert cells["communities.csv", "lng", "scattered around the seat of the district"] == 1
    assert cells["sites.csv", "lat", "point of its community (coord_ok = 0)"] == 1
    assert cells["sites.csv", "lat", "scattered around the seat of the district"] == 1
    assert cells["sites.csv", "hours", "24小时 becomes 06:00-22:00"] == 1
    assert cells["labs.csv", "lat", "point of the sampling site named after it"] == 1
    assert cells["labs.csv", "lat", "point of the street in its address"] == 1
    assert cells["labs.csv", "lat", "seat of its district"] == 1
    rows = {(r["file"], r["what"]): r["rows"] for r in told["rows"]}
    assert rows["sites.csv", "left out: for key occupations only"] == 1
    assert rows["sites.csv", "read"] == 4
    assert load_instance(tmp_path / "r").communities.population.sum() == 9000


def test_report_in_words(source: Path, tmp_path: Path) -> None:
    """Rule: without --json the report is read by people, one line per rule."""
    done = run(source, tmp_path / "r")
    assert "communities.csv: population: 4 cells: census of the district" in done.stdout


def test_people_are_split_by_census_and_kind(source: Path, tmp_path: Path) -> None:
    """Rule: districts by census; in a district a residential community weighs three villages."""
    write_real_city(source, tmp_path / "r", 900, 1)
    assert load_instance(tmp_path / "r").communities.population.tolist() == [300, 300, 225, 75]


def test_known_points_are_kept(source: Path, tmp_path: Path) -> None:
    """Rule: a known point is never moved; coord_ok = 0 is not a known point."""
    write_real_city(source, tmp_path / "r", None, 1)
    instance = load_instance(tmp_path / "r")
    assert instance.communities.lat[0] == 38.911
    assert instance.sites.lat[:3].tolist() == [38.912, 38.913, 38.96]
    assert abs(instance.sites.lat[3] - 38.95) < 0.05


def test_a_far_district_gets_a_support_lab(source: Path, tmp_path: Path) -> None:
    """Rule: no site is further than 30 km from a lab; labs that were added say that they are."""
    ledger = write_real_city(source, tmp_path / "r", None, 1)
    labs = load_instance(tmp_path / "r").labs
    assert ledger.rows["labs.csv", "added: a support lab where none is within 30 km"] == 1
    assert "支援实验室（假设）" in labs.names[-1]
    assert len(labs) == 4


def test_lanes_carry_the_people_nearby(source: Path, tmp_path: Path) -> None:
    """Rule: lane-hours at 75 % load hold everybody, and each window holds a block of 250."""
    write_real_city(source, tmp_path / "r", None, 1)
    sites = load_instance(tmp_path / "r").sites
    hours = np.array([sum(b - a for a, b in w) / 60 for w in sites.hours])
    longest = np.array([max(b - a for a, b in w) / 60 for w in sites.hours])
    assert (sites.lanes * 2 * hours).sum() * 60 * 0.75 >= 9000
    assert (sites.lanes * longest * 60 * 0.75 >= 105).all()


def test_same_lists_same_bytes(source: Path, tmp_path: Path) -> None:
    """Rule: lists, people and seed decide every byte."""
    for name in ("a", "b"):
        write_real_city(source, tmp_path / name, 900, 3)
    for path in (tmp_path / "a").iterdir():
        assert path.read_bytes() == (tmp_path / "b" / path.name).read_bytes()


@pytest.mark.parametrize("name", LISTS)
def test_a_missing_list_is_named(source: Path, tmp_path: Path, name: str) -> None:
    """Rule: without one of the lists nothing is written, and the error names it."""
    (source / name).unlink()
    with pytest.raises(CannotRunError, match=name):
        write_real_city(source, tmp_path / "r", None, 1)
    assert not (tmp_path / "r").exists()


def test_script_exits_2_without_sampling_sites(source: Path, tmp_path: Path) -> None:
    """Rule: a city whose sampling sites are not known cannot be planned; exit code 2."""
    (source / "sampling_sites.csv").unlink()
    done = run(source, tmp_path / "r")
    assert done.returncode == 2
    assert "sampling_sites.csv" in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize(
    ("name", "old", "new", "words"),
    [
        ("communities.csv", "kind", "sort", "kind"),
        ("districts_census2020.csv", "990100", "990103", "city's total"),
        ("communities.csv", "西县,990102001", "南县,990102001", "西县"),
        ("districts_geo.csv", "西县", "南县", "districts_geo.csv"),
        ("sampling_sites.csv", "voluntary", "key_population", "open to everybody"),
        ("communities.csv", "121.601", "east", "communities.csv"),
        ("testing_institutions_2021.csv", "东区,另一所", "北区,另一所", "北区"),
        ("districts_census2020.csv", "6000", "many", "pop_2020"),
    ],
)
def test_lists_that_do_not_fit_are_refused(
    source: Path, tmp_path: Path, name: str, old: str, new: str, words: str
) -> None:
    """Rule: lists that contradict each other or cannot be read are refused with the reason."""
    text = LISTS[name].replace(old, new)
    if words == "open to everybody":
        text = text.replace("medical_public", "key_population")
    (source / name).write_text(text, encoding="utf-8")
    with pytest.raises(CannotRunError, match=words):
        write_real_city(source, tmp_path / "r", None, 1)


def test_a_round_needs_people(source: Path, tmp_path: Path) -> None:
    """Rule: a round of nobody is refused."""
    with pytest.raises(CannotRunError, match="--people"):
        write_real_city(source, tmp_path / "r", 0, 1)


@pytest.fixture
def real_lists() -> Path:
    """Folder of real lists, from the environment."""
    given = os.environ.get("NAT_SCHEDULER_REAL_DATA")
    if not given:
        pytest.skip("NAT_SCHEDULER_REAL_DATA is not set: no folder of real lists to test with")
    return Path(given)


def test_real_dalian_lists(real_lists: Path, tmp_path: Path) -> None:
    """Rule: the real lists of Dalian become a round of 6.379 million people without errors."""
    ledger = write_real_city(real_lists, tmp_path / "r", None, 1)
    instance = load_instance(tmp_path / "r")
    assert instance.communities.population.sum() == 6_379_000
    assert len(instance.communities) == 1_739
    assert len(instance.sites) == 1_337
    assert ledger.rows["sites.csv", "left out: for key occupations only"] == 158
    assert ledger.rows["labs.csv", "read from testing_institutions_2021.csv"] == 24
