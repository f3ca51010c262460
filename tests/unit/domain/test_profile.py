"""The places of slots: flat, or fewer at the edges of opening hours."""

from __future__ import annotations

import numpy as np
import pytest

from scheduler.domain.profile import slot_places
from scheduler.domain.verify.ground import Ground
from scheduler.domain.verify.timeaxis import TimeAxis
from tests.plans import tiny_instance, with_slots


def test_flat_is_the_quota_everywhere() -> None:
    """Without a profile every slot holds the quota, open or not."""
    instance = tiny_instance()
    quota = np.arange(len(instance.sites))
    places = slot_places(instance, quota, 20)
    assert (places == quota[:, None]).all()


def test_an_elbow_rises_from_opening_and_falls_to_closing() -> None:
    """06:00-08:00 and 08:30-10:00: each window has edges of its own."""
    instance = with_slots(tiny_instance(), profile="elbow", edge_min=60, edge_share=0.5)
    quota = np.full(len(instance.sites), 80)
    places = slot_places(instance, quota, 16)
    assert places[0, :8].tolist() == [45, 55, 65, 75, 75, 65, 55, 45]
    assert places[0, 8:10].tolist() == [80, 80]  # closed
    assert places[0, 10:].tolist() == [45, 55, 65, 65, 55, 45]
    assert places[1].tolist() == [45, 55, 65, 75, *[80] * 8, 75, 65, 55, 45]


def test_a_slot_keeps_a_place_and_none_is_made() -> None:
    """However thin the edge, a block can go on through it; a quota of 0 stays 0."""
    instance = with_slots(tiny_instance(), profile="elbow", edge_min=600, edge_share=0.01)
    quota = np.array([0, 1, 2, *[50] * (len(instance.sites) - 3)])
    places = slot_places(instance, quota, 16)
    assert not places[0].any()
    assert (places[1:3] == 1).all()
    assert places[3].min() == 1


@pytest.mark.parametrize("share", [0.01, 1 / 3, 0.5, 0.9, 1.0])
@pytest.mark.parametrize("edge", [1, 7, 60, 90, 1440])
def test_the_verifier_comes_to_the_same_places(edge: int, share: float) -> None:
    """Two ways of reckoning, one rule (slots outside opening hours are nobody's)."""
    instance = with_slots(tiny_instance(), profile="elbow", edge_min=edge, edge_share=share)
    ground = Ground(instance, TimeAxis(instance.settings.round))
    quota = np.full(len(instance.sites), 997)
    own = slot_places(instance, quota, ground.slot_shares.shape[1])
    theirs = np.floor(997 * ground.slot_shares + 1e-9)
    assert (own == np.maximum(theirs, 1))[ground.open_slots].all()
