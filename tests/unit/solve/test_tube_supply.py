"""What a flow of whole tubes is told that sites can send."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from scheduler.domain.city import Ints
from scheduler.solve.exact_sums import meet_sums
from scheduler.solve.flow import ArcList, solve
from scheduler.solve.layout import Layout
from scheduler.solve.network import Supplies
from scheduler.solve.sharing import shared
from scheduler.solve.tube_supply import affordable, tube_supply
from scheduler.solve.volumes import Volumes
from scheduler.solve.waves import Load, TubeRows, bridges, tube_rows

WAVES, PER_WAVE, QUOTA, POOL = 6, 4, 25, 10
FULL_WAVE = PER_WAVE * QUOTA // POOL


def _group(people: list[int]) -> tuple[Layout, Load, TubeRows]:
    """Return streams at one place, open in all waves, with so many people each."""
    streams = len(people)
    pieces = np.array([(0, w, w * PER_WAVE, (w + 1) * PER_WAVE) for w in range(WAVES)])
    one = np.zeros(streams, dtype=np.int64)
    layout = Layout(np.arange(streams), one + 3, one, [np.arange(streams)], [pieces])
    places = np.full((streams, WAVES * PER_WAVE), QUOTA)
    load = Load(one + QUOTA, places, one + POOL, np.full(streams, 0.005), 15)
    return layout, load, tube_rows(layout, load, np.array(people)[:, None])


def supply_of(people: list[int], dear: Sequence[int] = ()) -> Supplies:
    """Return the supplies of a group of streams; the waves of ``dear`` are worth filling."""
    layout, load, rows = _group(people)
    worth_filling = np.isin(np.arange(WAVES), dear)[None, :].repeat(len(people), axis=0)
    bridge = bridges(layout, load)
    rows = affordable(layout, rows, worth_filling * FULL_WAVE, bridge)
    return tube_supply(layout, load, rows, bridge).supplies


def _by_wave(supplies: Supplies, arcs: Ints) -> list[int]:
    tubes = np.bincount(supplies.wave[arcs], supplies.capacity[arcs], WAVES)
    return [int(count) for count in tubes]


def test_a_site_with_many_tubes_keeps_one_in_every_wave() -> None:
    """The flow is paid for a tube in every wave of a site that cannot pause, and for no more."""
    supplies = supply_of([200, 300, 40])
    assert _by_wave(supplies, np.flatnonzero(supplies.cost < 0)) == [2] * WAVES


def test_small_sites_are_not_counted_on_in_two_waves() -> None:
    """Each wave may ask for half of the tubes of several sites, so that two may ask for all."""
    supplies = supply_of([50, 50])
    assert _by_wave(supplies, np.arange(len(supplies.wave))) == [2 * 3] * WAVES
    supplies = supply_of([600, 600])
    assert _by_wave(supplies, np.arange(len(supplies.wave))) == [2 * FULL_WAVE] * WAVES


def test_sites_that_cannot_fill_both_ends_of_a_day_are_a_row_of_their_own() -> None:
    """Beside its bridge each of the two sends no more than it has; others do not make up for it."""
    supplies = supply_of([100, 120, 600, 600])
    assert sorted(supplies.units.tolist()) == [22, 120]
    held = supplies.cost < 0
    kept = np.bincount(supplies.row[held], supplies.capacity[held])
    assert sorted(kept.tolist()) == [2 * WAVES, 2 * FULL_WAVE * WAVES]  # 60 tubes fill all waves


def test_what_fits_into_no_other_wave_is_kept_for_a_wave() -> None:
    """A site with 55 tubes for six waves of ten sends five or more in each."""
    supplies = supply_of([550, 550])
    assert _by_wave(supplies, np.flatnonzero(supplies.cost < 0)) == [10] * WAVES


def test_a_site_alone_may_send_all_its_tubes_in_one_wave() -> None:
    """The flow knows how many tubes it has, so that no wave is cut."""
    supplies = supply_of([100])
    assert _by_wave(supplies, np.arange(len(supplies.wave))) == [FULL_WAVE] * WAVES


def test_a_small_site_keeps_its_tubes_for_the_wave_worth_filling() -> None:
    """It bridges as many waves before a dear one as leave enough tubes to fill that."""
    supplies = supply_of([120], dear=[5])
    assert np.unique(supplies.wave).tolist() == [3, 4, 5]
    supplies = supply_of([120], dear=[1])
    assert np.unique(supplies.wave).tolist() == [0, 1, 2]
    supplies = supply_of([160], dear=[5])
    assert np.unique(supplies.wave).tolist() == list(range(WAVES))
    supplies = supply_of([260], dear=[2])
    assert np.unique(supplies.wave).tolist() == list(range(WAVES))


@pytest.mark.parametrize("seed", range(12))
def test_streams_can_do_what_the_flow_counts_on(seed: int) -> None:
    """Of the tubes that a cheapest flow sends in each wave at most 1 in 100 are in another one."""
    rng = np.random.default_rng(seed)
    layout, load, rows = _group((10 * rng.integers(7, 56, 12)).tolist())
    bridge = bridges(layout, load)
    rows = affordable(layout, rows, np.zeros((12, WAVES), dtype=np.int64), bridge)
    supply = tube_supply(layout, load, rows, bridge)
    one, num = supply.supplies, len(supply.supplies.units)
    price = rng.choice([0.0, 50.0, 90.0], WAVES)  # two or three waves are asked for most
    arcs = ArcList()
    every = arcs.add(one.row, num + one.wave, one.capacity, one.cost + price[one.wave])
    arcs.add(num + np.arange(WAVES), np.full(WAVES, num + WAVES), one.units.sum(), 0.0)
    flow = solve(arcs.network(np.r_[one.units, np.zeros(WAVES, dtype=int), -one.units.sum()]))
    totals = np.bincount(one.wave, flow[every], WAVES).astype(np.int64)[None]
    sent = Volumes(totals.astype(np.float64), np.zeros((1, WAVES), dtype=bool))
    found = meet_sums(layout, rows, shared(layout, load, rows, sent, bridge), totals, bridge)
    assert (found.sum(axis=1) == rows.tubes[:, 0]).all()
    assert np.abs(found.sum(axis=0) - totals).sum() / 2 <= 0.01 * one.units.sum()


@pytest.mark.parametrize("seed", range(20))
def test_all_tubes_have_room_whatever_is_worth_filling(seed: int) -> None:
    """No cut of the room leaves less than a stream has tubes, also where a bridge is wide."""
    rng = np.random.default_rng(seed)
    layout, load, rows = _group(rng.integers(1, 600, 12).tolist())
    if seed % 2:  # a tube for each person: four of them bridge a wave
        load = replace(load, pool=0 * load.pool + 1)
        rows = tube_rows(layout, load, rng.integers(1, 40, 12)[:, None])
    some = rng.random((12, WAVES)) < rng.choice([0.0, 0.2, 0.6])
    people = some * rng.integers(1, PER_WAVE * QUOTA, (12, WAVES))
    dear = -(-people // load.pool[:, None])
    cut = affordable(layout, rows, dear, bridges(layout, load))
    assert (cut.room <= rows.room).all()
    assert (cut.room.sum(axis=1) >= rows.tubes[:, 0]).all()
    assert ((cut.room > 0) >= some).all()
