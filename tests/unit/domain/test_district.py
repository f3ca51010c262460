from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from scheduler.domain.district import restrict
from scheduler.errors import CannotRunError
from scheduler.ingest.loader import load_instance
from tests.plans import tiny_instance, with_slots
from tests.rounds import Recipe, random_instance
from tests.unit.ingest.folders import TINY


def test_only_the_districts_part_is_left() -> None:
    """Communities, blocks, sites and travel times of the district, numbered anew."""
    whole = load_instance(TINY).replace(travel_min=np.arange(6).reshape(3, 2))
    part = restrict(whole, "西岗区")
    assert part.district == "西岗区"
    assert part.communities.ids.tolist() == ["C002", "C003"]
    assert part.blocks.ids.tolist() == ["C002-B1", "C002-B2", "C003-B1"]
    assert part.blocks.community_index.tolist() == [0, 0, 1]
    assert part.sites.ids.tolist() == ["S02", "S03"]
    assert part.sites.community_indices == ((), (1,))
    assert part.sites.hours == whole.sites.hours[1:]
    assert part.travel_min.tolist() == [[2, 3], [4, 5]]
    assert part.inputs_sha256 == whole.inputs_sha256


def test_teams_follow_their_communities() -> None:
    """A team of another district that names a community comes along, one without use does not."""
    whole = load_instance(TINY)
    sites = whole.sites
    moved = whole.replace(
        sites=type(sites)(
            **(vars(sites) | {"districts": np.array(["中山区", "西岗区", "中山区"], dtype=object)})
        )
    )
    assert restrict(moved, "西岗区").sites.ids.tolist() == ["S02", "S03"]
    assert restrict(moved, "中山区").sites.ids.tolist() == ["S01"]


def test_districts_never_overload_a_lab_together() -> None:
    """Shares of each lab are whole and add up to the lab, by the hour and by the day."""
    whole = load_instance(TINY)
    parts = [restrict(whole, name).labs for name in ("中山区", "西岗区")]
    hourly = parts[0].tubes_per_hour + parts[1].tubes_per_hour
    assert hourly.tolist() == whole.labs.tubes_per_hour.tolist()
    assert parts[0].max_tubes_per_day[0] + parts[1].max_tubes_per_day[0] == 800
    assert parts[0].max_tubes_per_day[1] == -1


def test_small_labs_are_shared_out_whole() -> None:
    """Twelve labs of 5 tubes and nine districts: every lab adds up, and nobody is left without."""
    recipe = Recipe(num_communities=9, blocks_per_community=2, num_labs=12, tubes_per_hour=5)
    whole = random_instance(3, recipe)
    names = np.array([f"D{c}" for c in range(9)], dtype=object)
    whole = whole.replace(communities=replace(whole.communities, districts=names))
    parts = np.array([restrict(whole, name).labs.tubes_per_hour for name in names])
    assert parts.sum(axis=0).tolist() == [5] * 12
    assert parts.sum(axis=1).min() >= 2


def test_unknown_district() -> None:
    """An unknown district is refused, and the known ones are named."""
    with pytest.raises(CannotRunError) as caught:
        restrict(load_instance(TINY), "甘井子区")
    assert caught.value.hint == "Known: 中山区, 西岗区."


def test_a_district_gets_its_share_of_the_city_by_people() -> None:
    """The shares of all districts are no more than the whole; without a most there is none."""
    whole = with_slots(tiny_instance(), city_people=100)
    parts = [restrict(whole, name).settings.slots.city_people for name in ("A", "B")]
    assert min(parts) >= 1
    assert 99 <= sum(parts) <= 100
    assert restrict(tiny_instance(), "A").settings.slots.city_people == 0
