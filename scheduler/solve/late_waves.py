"""What places and tubes are worth in the waves whose tubes are late.

Where labs are short, tubes pile up by day and are started by night. Those of the last waves of a
day are late by least, so that all who are late should come in them: once these are full somebody
comes a wave earlier, and is late by a wave more. And what is started last of all keeps nobody
waiting: a tube that is not full costs little there (``emptier_last``).
"""

from __future__ import annotations

import numpy as np

from scheduler.domain.city import Flags, Floats, Ints
from scheduler.solve.market import Market
from scheduler.solve.reach import Promise
from scheduler.solve.runs import DEAR_PLACE, DearWaves
from scheduler.solve.timeline import HOUR_MIN
from scheduler.solve.waves import stream_room

_EMPTY_TUBE = 1 / 3
"""Of what a full tube's people pay for an hour: what an empty tube costs at least, for its price is
that of a last hour that is not full. Measured with 100,000 to 1 million people of whom 8 to 16 %
are late: a sixth to a half are as good, the bare price is worse by up to 0.2 %, ten times as much
by 0.1 to 0.4 %."""
_ONE_MORE = 0.1  # the same for a tube that waits where labs have most to spare
_MOSTLY = 0.5  # share of a wave's tubes that are late from which it is a late wave
_NONE = 1e-9  # tubes
_FULL_FROM = 0.75
"""Share of a late wave's places from which those of a site are hard to make up for. Measured at 1
million with 16 % late, where such waves are at 0.83 to 0.88: without it 0.28 % dearer; with 10 %
late, at 0.64: 0.23 % dearer from a half on."""


def part_filled(market: Market) -> Floats:
    """Return what an empty tube of each wave costs, by the last hours in which labs start some."""
    least, units = _last_prices(market)
    sent = units.sum(axis=1)
    mean = (least * units).sum(axis=1) / np.maximum(sent, 1)
    cost: Floats = np.maximum(mean, _EMPTY_TUBE * _full_tube_min(market))
    return np.where(sent > 0, cost, np.inf)


def one_more(market: Market) -> Floats:
    """Return what a tube more costs that waits in the lab with most to spare, by wave.

    Tubes that are not full change labs with others in the end (``emptier_last``).
    """
    least, units = _last_prices(market)
    some = np.where(units > 0, least, np.inf).min(axis=1)
    cost: Floats = np.maximum(some, _ONE_MORE * _full_tube_min(market))
    return cost


def _full_tube_min(market: Market) -> float:
    """Return what the people of a full tube of the commonest zone pay for an hour."""
    settings = market.instance.settings
    return settings.weights.late * HOUR_MIN * settings.pooling.by_zone()[market.main_zone]


def _last_prices(market: Market) -> tuple[Floats, Ints]:
    """Return the price of the last hours in which labs start tubes of waves, and how many units.

    Both are ``[wave, lab]``; without units the price is 0.
    """
    flow = market.priced.flow
    price = market.prices.of_start(market.hours)[flow.load_lab, flow.load_hour]
    labs, waves = len(market.instance.labs), market.instance.clock.num_waves
    least = np.full(waves * labs, np.inf)
    np.minimum.at(least, flow.load_wave * labs + flow.load_lab, price)
    units = np.bincount(flow.load_wave * labs + flow.load_lab, flow.load_units, waves * labs)
    shape = waves, labs
    return np.where(units > 0, least, 0).reshape(shape), units.reshape(shape)


def dear_waves(market: Market, topped: Flags, worth: Floats) -> DearWaves:
    """Return the waves in which the commonest zone's places are worth filling for themselves.

    ``topped`` as in ``Task``; ``worth[site]`` is what a tube costs: a place that gains little
    beside it is no matter.
    """
    layout, wave = market.layout, np.maximum(market.layout.column(1), 0)[market.layout.group]
    site, pool = layout.site, market.instance.settings.pooling.by_zone()[market.main_zone]
    end = np.maximum(layout.column(3), 1)[layout.group]
    is_main = (np.arange(len(site)) >= market.first_main)[:, None]
    is_main = is_main & (layout.column(1) >= 0)[layout.group] & (worth[site] > 0)[:, None]
    if not market.labs_are_short or not is_main.any():
        none = np.zeros(wave.shape, dtype=np.int64)
        return DearWaves(none.astype(np.float64), none, none > 0)
    last = market.slot_cost(market.main_zone, market.free)[site[:, None], end - 1]
    price = market.place_prices()[site]
    known = is_main & np.isfinite(last) & np.isfinite(price)[:, None]
    gain = np.where(known, price[:, None] - np.where(known, last, 0), 0)
    use, scarce = _use_of_late_waves(market)
    sure = gain > scarce[wave] / 2
    gain = np.where(is_main, np.maximum(gain, scarce[wave]), 0)
    gain = np.where(gain * pool * DEAR_PLACE >= worth[site][:, None], gain, 0)
    room = stream_room(layout, market.load)
    people = np.where(topped, room, room // pool * pool) * np.where(sure, 1, use[wave])
    return DearWaves(gain, np.where(gain > 0, people, 0).astype(np.int64), sure)


def _use_of_late_waves(market: Market) -> tuple[Floats, Floats]:
    """Return which share of all places each wave uses, and what they are worth where it is late."""
    flow, instance = market.priced.flow, market.instance
    settings, waves = instance.settings, instance.clock.num_waves
    pool = settings.pooling.by_zone()[market.main_zone]
    main = (market.wide.zone[market.wide.first] == market.main_zone)[flow.load_group]
    units = flow.load_units * main
    sent = np.bincount(flow.load_wave, units, waves)
    late = np.bincount(flow.load_wave, units * (market.priced.late_min > 0), waves)
    room = np.where(market.free, market.places, 0).reshape(len(market.quota), waves, -1).sum(axis=2)
    full = (room[market.site_people > 0] // pool * pool).sum(axis=0)
    use = sent * pool / market.labs.units_per_tube / np.maximum(full, 1)
    scarce = np.clip((use - _FULL_FROM) / (1 - _FULL_FROM), 0, 1) * (late > _MOSTLY * sent)
    wait = settings.weights.late * settings.round.wave_minutes
    return np.minimum(use, 1.0), scarce * wait


def over_full_tubes(market: Market, topped: Flags, worth: Floats) -> Ints:
    """Return the people of the last tubes of waves that are topped, ``[stream, run]``.

    Nobody where tubes are not dear; arguments as in ``dear_waves``.
    """
    last = _last_tubes(market, topped, worth)
    run = _runs(market)
    over = np.zeros((len(last), int(run.max()) + 1), dtype=np.int64)
    np.add.at(over, (np.arange(len(last))[:, None], run), last)
    return over


def booked_nights(market: Market, topped: Flags, worth: Floats) -> Floats:
    """Return the share of the tubes beyond full ones that no lab can start before the next day's.

    As ``[stream, run]``: where the hours between the last wave of a day and the first of the next
    are booked, empty places of last tubes are some full tubes' that should come on another day.
    Arguments as in ``dear_waves``.
    """
    last, pool = _last_tubes(market, topped, worth), market.load.pool[:, None]
    empty = np.where(last > 0, (pool - last) / pool, 0.0)
    wave = market.layout.column(1)[market.layout.group]
    every = np.bincount(np.maximum(wave, 0).ravel(), empty.ravel(), market.instance.clock.num_waves)
    share = 1 - _idle_by_night(market) / np.maximum(every, _NONE)
    booked = np.where(every > _NONE, np.clip(share, 0, 1), 0)
    asked = (worth[market.layout.site] > 0)[:, None] & (wave >= 0)
    run = _runs(market)
    found = np.zeros((len(last), int(run.max()) + 1))
    np.maximum.at(found, (np.arange(len(last))[:, None], run), np.where(asked, booked[wave], 0))
    return found


def _runs(market: Market) -> Ints:
    """Return the run of each piece, ``[stream, piece]``; 0 where there is none."""
    run: Ints = np.maximum(market.layout.column(0), 0)[market.layout.group]
    return run


def _last_tubes(market: Market, topped: Flags, worth: Floats) -> Ints:
    """Return the people of the last tube of each wave that is topped, ``[stream, piece]``."""
    room = stream_room(market.layout, market.load)
    last = np.where(topped, room % market.load.pool[:, None], 0)
    last[worth[market.layout.site] <= 0] = 0
    return last


def _idle_by_night(market: Market) -> Floats:
    """Return the tubes that labs might start more of each wave before the next day's come, by wave.

    A day ends before a wave in which nobody is called.
    """
    flow, hours, waves = market.priced.flow, market.hours, market.instance.clock.num_waves
    used = flow.started(hours.capacity.shape) / market.labs.units_per_tube
    upto = np.r_[0.0, np.cumsum((hours.capacity - used).sum(axis=0))]
    pickup = Promise.of(market.instance).pickup_min
    before = upto[np.searchsorted(hours.begin_min, pickup)]
    called = np.bincount(flow.load_wave, flow.load_units, waves) > 0
    idle, next_day = np.zeros(waves), upto[-1]
    for wave in range(waves - 1, -1, -1):
        idle[wave] = next_day - before[wave]
        if called[wave] and wave and not called[wave - 1]:
            next_day = before[wave]
    return idle
