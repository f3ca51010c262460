from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest

from scheduler.domain.settings import Zone
from scheduler.errors import CannotRunError, Finding, InputError
from scheduler.ingest.datum import gcj02_to_bd09, wgs84_to_gcj02
from scheduler.ingest.loader import load, load_instance
from tests.unit.ingest.folders import BROKEN, TINY, tiny_with


def places(findings: tuple[Finding, ...]) -> list[tuple[str, str, int | None]]:
    return [(f.code, f.file, f.line) for f in findings]


def test_clean_folder() -> None:
    """A clean round has no finding, and its columns are what the files say."""
    loaded = load(TINY)
    assert loaded.findings == ()
    instance = loaded.instance
    assert instance is not None
    assert instance.communities.zone.tolist() == [Zone.NORMAL, Zone.CONTROL, Zone.LOCKDOWN]
    assert instance.communities.participation.tolist() == [1.0, 0.9, 1.0]
    assert instance.blocks.people.tolist() == [110, 100, 90, 60, 49, 40]
    assert instance.blocks.home_visits.tolist() == [5, 0, 0, 2, 0, 0]
    assert instance.sites.hours[0] == ((480, 720), (780, 1080))
    assert instance.sites.accepts.tolist() == [
        [False, True, True, True],
        [False, True, False, True],
        [True, False, False, False],
    ]
    assert instance.sites.community_indices == ((), (), (2,))
    assert instance.sites.people_per_lane_hour.tolist() == [60.0, 60.0, 40.0]
    assert instance.labs.hours == (((0, 1440),), ((480, 1320),))
    assert instance.labs.max_tubes_per_day.tolist() == [800, -1]
    assert instance.labs.pool_sizes == ((), (1, 10))
    assert (instance.travel_min == -1).all()
    assert instance.has_blocks_file


def test_checksum_of_the_inputs() -> None:
    """It is the SHA-256 over the sorted lines ``name sha256`` of the files that exist."""
    loaded = load(TINY)
    names = ["blocks.csv", "communities.csv", "labs.csv", "round.toml", "sites.csv"]
    lines = [f"{n} {hashlib.sha256((TINY / n).read_bytes()).hexdigest()}\n" for n in names]
    assert sorted(loaded.inputs) == names
    assert loaded.instance is not None
    assert loaded.instance.inputs_sha256 == hashlib.sha256("".join(lines).encode()).hexdigest()


def test_all_findings_of_all_files_at_once(tmp_path: Path) -> None:
    """A broken round.toml does not hide errors of tables, nor one table those of another."""
    folder = tiny_with(
        tmp_path / "round",
        {
            "round.toml": ("slot_minutes = 15", "slot_minutes = 0"),
            "communities.csv": (",121,", ",many,"),
            "blocks.csv": ("C001-B2,C001", "C001-B2,C999"),
            "labs.csv": (",60,180,", ",60,,"),
        },
    )
    (folder / "sites.csv").unlink()
    loaded = load(folder)
    assert loaded.instance is None
    assert places(loaded.findings) == [
        ("C005", "round.toml", 8),
        ("C203", "communities.csv", 3),
        ("C304", "blocks.csv", 2),
        ("C303", "blocks.csv", 3),
        ("C101", "sites.csv", None),
        ("C201", "labs.csv", 2),
    ]


def test_load_instance_raises_all_findings() -> None:
    """What plans refuse is what check reports."""
    with pytest.raises(InputError) as caught:
        load_instance(BROKEN / "C203")
    assert caught.value.exit_code == 1
    assert [str(f) for f in caught.value.findings] == [
        'sites.csv:3: lanes: expected a whole number >= 1, got "4台" [C203]'
    ]
    assert load_instance(TINY).settings.round.id == "tiny-r1"


def test_folder_that_cannot_be_read(tmp_path: Path) -> None:
    """No folder, or a folder in place of a file, is a matter of exit code 2."""
    with pytest.raises(CannotRunError, match="round folder"):
        load(tmp_path / "nowhere")
    folder = tiny_with(tmp_path / "round")
    (folder / "travel.csv").mkdir()
    with pytest.raises(CannotRunError, match=r"travel\.csv"):
        load(folder)


@pytest.mark.parametrize("datum", ["gcj02", "bd09"])
def test_points_become_wgs84(tmp_path: Path, datum: str) -> None:
    """Points in a Chinese datum are WGS84 in the instance."""
    lat, lng = wgs84_to_gcj02(np.array([38.91]), np.array([121.64]))
    if datum == "bd09":
        lat, lng = gcj02_to_bd09(lat, lng)
    folder = tiny_with(
        tmp_path / "round",
        {
            "round.toml": ('"wgs84"', f'"{datum}"'),
            "labs.csv": ("38.9100,121.6400", f"{lat[0]:.9f},{lng[0]:.9f}"),
        },
    )
    labs = load_instance(folder).labs
    assert abs(labs.lat[0] - 38.91) < 1e-6
    assert abs(labs.lng[0] - 121.64) < 1e-6


def test_blocks_without_a_point_take_their_communitys(tmp_path: Path) -> None:
    """Blocks without a point stand at their community's, and are counted in one note."""
    folder = tiny_with(tmp_path / "round", {"blocks.csv": ("49,22,38.9257,121.6269", "49,22,,")})
    loaded = load(folder)
    assert loaded.instance is not None
    assert (loaded.instance.blocks.lat[4], loaded.instance.blocks.lng[4]) == (38.926, 121.6265)
    assert [f.code for f in loaded.findings] == ["C405"]
    half = tiny_with(tmp_path / "half", {"blocks.csv": ("121.6269", "")})
    assert [f.code for f in load(half).errors] == ["C201"]


def test_travel_table(tmp_path: Path) -> None:
    """Listed minutes stand at their pair, -1 elsewhere; dangling ids are errors."""
    folder = tiny_with(tmp_path / "round")
    travel = folder / "travel.csv"
    travel.write_text("lab_id,site_id,minutes\nL02,S01,17\n", encoding="utf-8")
    assert load_instance(folder).travel_min.tolist() == [[-1, 17], [-1, -1], [-1, -1]]
    travel.write_text("lab_id,site_id,minutes\nL09,S01,17\nL02,S09,17\n", encoding="utf-8")
    assert [(f.code, f.line, f.column) for f in load(folder).errors] == [
        ("C303", 2, "lab_id"),
        ("C303", 3, "site_id"),
    ]


def test_swapped_points_need_no_impossible_latitude(tmp_path: Path) -> None:
    """In western China a swapped pair is on the globe; it is known by the city's middle."""
    folder = tiny_with(tmp_path / "round")
    for name in ("communities.csv", "blocks.csv", "sites.csv", "labs.csv"):
        text = (folder / name).read_text(encoding="utf-8")
        (folder / name).write_text(text.replace(",121.6", ",87.6"), encoding="utf-8")
    assert load(folder).findings == ()
    sites = folder / "sites.csv"
    text = sites.read_text(encoding="utf-8").replace("38.9250,87.6280", "87.6280,38.9250")
    sites.write_text(text, encoding="utf-8")
    assert places(load(folder).findings) == [("C402", "sites.csv", 3)]


def test_sites_name_known_communities(tmp_path: Path) -> None:
    """A dangling community is an error; a fixed site that accepts lockdown is noted."""
    folder = tiny_with(tmp_path / "round", {"sites.csv": ("mobile,C003", "mobile,C003;C009")})
    assert places(load(folder).findings) == [("C303", "sites.csv", 4)]
    other = tiny_with(tmp_path / "other", {"sites.csv": ("control;normal", "lockdown;normal")})
    assert places(load(other).findings) == [("C314", "sites.csv", 3)]


def test_findings_do_not_follow_from_a_missing_column(tmp_path: Path) -> None:
    """Without the ids of communities nothing is called dangling, and no sum wrong."""
    folder = tiny_with(tmp_path / "round", {"communities.csv": ("community_id,", "code,")})
    found = places(load(folder).findings)
    assert found == [("C105", "communities.csv", 1), ("C107", "communities.csv", 1)]


def test_short_block_row_spoils_no_sum(tmp_path: Path) -> None:
    """The sum of a community is not judged while one of its blocks cannot be read."""
    folder = tiny_with(tmp_path / "round", {"blocks.csv": (",90,36,", ",90,")})
    assert places(load(folder).findings) == [("C108", "blocks.csv", 4)]


def test_far_points_without_others_are_kept(tmp_path: Path) -> None:
    """One point on the globe is the middle of its city; blank points bring no second finding."""
    folder = tiny_with(tmp_path / "round", {"labs.csv": ("38.9100,121.6400", ",")})
    assert [(f.code, f.column) for f in load(folder).findings] == [("C201", "lat"), ("C201", "lng")]


def test_short_row_brings_no_further_findings(tmp_path: Path) -> None:
    """Blocks of a community whose row is too short are not called dangling."""
    folder = tiny_with(tmp_path / "round", {"communities.csv": (",站北街道,control", ",control")})
    assert places(load(folder).findings) == [("C108", "communities.csv", 3)]
