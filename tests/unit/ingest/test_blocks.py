from __future__ import annotations

from pathlib import Path

import numpy as np

from scheduler.ingest.blocks import cut_blocks, home_visits
from scheduler.ingest.loader import load, load_instance
from tests.unit.ingest.folders import TINY, tiny_with


def test_blocks_are_sorted_by_community_then_id(tmp_path: Path) -> None:
    """The order of rows in blocks.csv does not matter."""
    folder = tiny_with(tmp_path / "round")
    lines = (folder / "blocks.csv").read_text(encoding="utf-8").splitlines()
    (folder / "blocks.csv").write_text("\n".join([lines[0], *lines[:0:-1]]), encoding="utf-8")
    there, here = load_instance(TINY).blocks, load_instance(folder).blocks
    assert here.ids.tolist() == there.ids.tolist()
    assert here.home_visits.tolist() == there.home_visits.tolist()


def test_cut_blocks(tmp_path: Path) -> None:
    """Without blocks.csv a community is cut into the fewest blocks, as equal as can be."""
    folder = tiny_with(
        tmp_path / "round",
        {"round.toml": ("synthetic = true", "synthetic = true\n[blocks]\nmax_people = 99")},
    )
    (folder / "blocks.csv").unlink()
    instance = load_instance(folder)
    blocks = instance.blocks
    assert blocks.people.tolist() == [75, 75, 75, 75, 55, 54, 40]
    assert blocks.ids.tolist()[3:5] == ["C001-004", "C002-001"]
    assert blocks.home_visits.tolist() == [5, 0, 0, 0, 2, 0, 0]
    assert blocks.elderly.tolist() == [12, 13, 13, 13, 10, 10, 9]
    assert blocks.households.tolist() == [30, 30, 30, 30, 25, 25, 16]
    assert blocks.lat[0] == instance.communities.lat[0]
    assert not instance.has_blocks_file


def test_a_community_that_stands_twice_is_one_finding(tmp_path: Path) -> None:
    """The second row is told to be the second, not to lack the blocks that the first has."""
    folder = tiny_with(tmp_path / "round")
    with (folder / "communities.csv").open("a", encoding="utf-8") as file:
        file.write((folder / "communities.csv").read_text(encoding="utf-8").splitlines()[1])
    assert [f.code for f in load(folder).findings] == ["C301"]


def test_cut_of_many_sizes() -> None:
    """Blocks of every population add up, differ by at most 1, and never exceed the limit."""
    instance = load_instance(TINY)
    for people in [0, 1, 250, 251, 500, 501, 1234, 300_000]:
        communities = instance.communities
        sizes = np.array([people, 0, 7])
        cut = cut_blocks(
            type(communities)(
                **(vars(communities) | {"population": sizes, "participation": np.ones(3)})
            ),
            250,
        )
        first = cut.people[cut.community_index == 0]
        assert first.sum() == people
        assert len(first) == -(-people // 250)
        assert np.ptp(first) <= 1 if people else len(first) == 0
        assert cut.ids.tolist() == sorted(cut.ids.tolist())
        assert cut.people[cut.community_index == 2].tolist() == [7]


def test_home_visits_run_over_blocks() -> None:
    """The first blocks give all their people before the next gives any."""
    people, community = np.array([10, 5, 8, 3]), np.array([0, 0, 0, 2])
    visits = home_visits(people, community, np.array([17, 4, 9]))
    assert visits.tolist() == [10, 5, 2, 3]


def test_population_zero_needs_no_block(tmp_path: Path) -> None:
    """An empty community is no finding, listed blocks or not."""
    row = "C004,空社区,中山区,海军广场街道,normal,0,38.92,121.66,,,,\n"
    folder = tiny_with(tmp_path / "round")
    with (folder / "communities.csv").open("a", encoding="utf-8") as file:
        file.write(row)
    assert load(folder).findings == ()
    (folder / "blocks.csv").unlink()
    assert 3 not in load_instance(folder).blocks.community_index
