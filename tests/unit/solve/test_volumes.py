"""Volumes of streams: sums that are kept, levels that are even, tubes that are whole."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from scheduler.solve.volumes import (
    Shares,
    Volumes,
    even_volumes,
    move_tubes,
    round_to,
    share_tubes,
)


def shares(wanted: list[float], quota: list[float], count: list[int], slots: int) -> Shares:
    """Return shares of one part of the city whose streams are open in all pieces."""
    room = np.repeat(np.array(quota)[:, None] * slots, len(wanted), axis=1).astype(np.int64)
    return Shares(
        np.zeros(len(quota), dtype=np.int64), np.array(quota), np.array(count), room,
        np.array([wanted]),
    )  # fmt: skip


def test_streams_send_all_of_theirs_and_parts_what_is_wanted() -> None:
    """Where room allows, the sums of streams and of waves are both met."""
    sent = even_volumes(shares([300.0, 100.0, 100.0], [40.0, 60.0], [200, 300], slots=4))
    assert sent.sum(axis=1) == pytest.approx([200, 300])
    assert sent.sum(axis=0) == pytest.approx([300, 100, 100], rel=0.01)


def test_what_was_not_foreseen_joins_the_waves_that_were() -> None:
    """Where labs are short a stream with too many people begins a wave earlier."""
    early = shares([0.0, 0.0, 0.0, 100.0], [25.0], [150], slots=4)
    late = replace(early, bridge=np.array([0]))
    assert even_volumes(early)[0] == pytest.approx([50, 0, 0, 100], abs=1e-3)
    assert even_volumes(late)[0] == pytest.approx([0, 0, 50, 100], abs=1e-3)


def test_levels_of_sites_differ_by_a_constant() -> None:
    """A site with fewer people is less full by the same number of slots in every wave."""
    sent = even_volumes(shares([200.0, 100.0], [50.0, 50.0], [180, 120], slots=4)) / 50
    assert sent[0] - sent[1] == pytest.approx([0.6, 0.6], abs=0.01)


def test_a_full_stream_works_on_where_nothing_is_wanted_and_others_make_up_for_it() -> None:
    """What does not fit moves to the first spare wave; the last wanted wave gives way for it."""
    sent = even_volumes(shares([100.0, 100.0, 0.0], [20.0, 40.0], [90, 110], slots=2))
    assert sent[0] == pytest.approx([40, 40, 10], abs=0.5)
    assert sent[1] == pytest.approx([60, 50, 0], abs=1)


@pytest.mark.parametrize("seed", range(20))
def test_whole_tubes_keep_sums_and_room(seed: int) -> None:
    """Streams send exactly their tubes, never beyond room, and waves miss by a tube or two."""
    rng = np.random.default_rng(seed)
    room = rng.integers(3, 9, (12, 8))
    tubes = (room.sum(axis=1) * rng.uniform(0.3, 0.9, 12)).astype(np.int64)
    even = room * (tubes / room.sum(axis=1))[:, None]
    owed = np.zeros(8)
    out = share_tubes(even, tubes, room, 1, owed)
    assert (out.sum(axis=1) == tubes).all()
    assert ((out >= 0) & (out <= room)).all()
    assert owed == pytest.approx(even.sum(axis=0) - out.sum(axis=0))
    assert np.abs(owed).max() < 2


def test_a_small_stream_works_in_waves_that_follow_each_other() -> None:
    """With fewer tubes than bridge the run there is no gap between its waves."""
    out = share_tubes(np.full((1, 8), 0.5), np.array([4]), np.full((1, 8), 5), 1, np.zeros(8))
    waves = np.flatnonzero(out[0])
    assert out.sum() == 4
    assert (np.diff(waves) == 1).all()


def test_rounding_keeps_the_sum_where_floors_ask_for_more() -> None:
    """The bridge of every wave is given up where there are too few tubes for it."""
    assert sum(round_to([0.2, 0.2, 3.0], 2, [5, 5, 5], 1)) == 2


def test_tubes_move_between_waves_within_room() -> None:
    """Sums of streams stay, waves change as asked, and nothing passes its room."""
    tubes, room = np.array([[3, 1], [2, 2]]), np.array([[4, 2], [4, 2]])
    move_tubes(tubes, room, np.array([-1, 1]))
    assert tubes.tolist() == [[2, 2], [2, 2]]
    move_tubes(tubes, room, np.array([-1, 1]))
    assert tubes.tolist() == [[2, 2], [2, 2]]  # no room is left


def test_tubes_come_from_the_nearest_wave_and_leave_a_bridge() -> None:
    """The wave that wants tubes takes the nearest surplus, and one stays in each wave of a row."""
    tubes, room = np.array([[2, 4, 4]]), np.full((1, 3), 9)
    move_tubes(tubes, room, np.array([4, -4, -1]), np.array([1]))
    assert tubes.tolist() == [[6, 1, 3]]


def test_no_wave_is_begun_apart_from_the_others() -> None:
    """A row that must not pause takes tubes in its waves and next to them only."""
    tubes, room = np.array([[0, 0, 2, 2]]), np.full((1, 4), 9)
    move_tubes(tubes, room, np.array([1, 0, 0, -1]), np.array([1]))
    assert tubes.tolist() == [[0, 0, 2, 2]]
    move_tubes(tubes, room, np.array([0, 1, 0, -1]), np.array([1]))
    assert tubes.tolist() == [[0, 1, 2, 1]]


@pytest.mark.parametrize("seed", range(20))
def test_moving_tubes_keeps_sums_room_and_bridges(seed: int) -> None:
    """Rows keep their sums, room and bridges; no wave is overdone, none that is short loses any."""
    rng = np.random.default_rng(seed)
    room = rng.integers(2, 9, (12, 6))
    before = rng.integers(1, room + 1)
    change, tubes = rng.integers(-9, 10, 6), before.copy()
    move_tubes(tubes, room, change, np.ones(12, dtype=np.int64))
    assert (tubes.sum(axis=1) == before.sum(axis=1)).all()
    assert ((tubes >= 1) & (tubes <= room)).all()
    done = (tubes - before).sum(axis=0)
    assert (done * np.sign(change) >= 0).all()
    assert (np.abs(done) <= np.abs(change)).all()


@pytest.mark.parametrize("seed", range(20))
def test_streams_keep_a_bridge_where_labs_are_short(seed: int) -> None:
    """Whoever has enough sends that much in each wave, and sums of streams stay."""
    rng = np.random.default_rng(seed)
    room = rng.integers(3, 9, (12, 6))
    count = np.array([rng.integers(6, most) for most in room.sum(axis=1)])
    count[0] = 4  # fewer than waves
    wanted = rng.uniform(0.0, 1, 6) * room.sum(axis=0)
    bridge = np.ones(12, dtype=np.int64)
    one = Shares(np.zeros(12, dtype=np.int64), np.full(12, 2.0), count, room, wanted[None], bridge)
    sent = even_volumes(one)
    assert sent.sum(axis=1) == pytest.approx(count, rel=1e-3)
    assert (sent[1:] > 1 - 1e-9).all()
    assert (sent <= room + 1e-9).all()
    assert sent[0].min() < 1 - 1e-3


def test_more_than_foreseen_goes_where_labs_have_room() -> None:
    """Extra tubes enter free waves in order, fewer leave the last free one, else all alike."""
    free = np.array([[False, True, True]])
    volumes = Volumes(np.array([[10.0, 4.0, 2.0]]), free)
    room = np.array([10, 5, 9])
    assert volumes.of_run(0, slice(0, 3), 20, room).tolist() == [10, 5, 5]
    assert volumes.of_run(0, slice(0, 3), 13, room).tolist() == [10, 3, 0]
    none = Volumes(np.array([[10.0, 4.0, 2.0]]), np.zeros((1, 3), dtype=bool))
    assert none.of_run(0, slice(0, 3), 8, room) == pytest.approx([5, 2, 1])
