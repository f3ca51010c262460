"""Labs set the price of time: groups and labs, sites and blocks settle in turns."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from scheduler.domain.city import Flags, Floats, Ints
from scheduler.solve.assign import Relaxed
from scheduler.solve.city_bound import bound_at_prices
from scheduler.solve.labs import FEW_LATE
from scheduler.solve.late_waves import one_more, part_filled
from scheduler.solve.market import Market
from scheduler.solve.network import Front, LabFlow
from scheduler.solve.volumes import Shares, even_volumes
from scheduler.solve.waves import stream_room

JOINT_PAIRS = 20_000
"""Up to so many (block, site) pairs, blocks and labs settle in one flow."""
PRICE_TURNS = 3
TURNS_REARRANGED = 2  # a third is worth 0.01 % of 6.4 million people's round with 9 % late
CITY_TURNS = 4  # more, where the city has a most of people in a slot
WORTH_PRICING_AGAIN, IN_A_CITY = 0.002, 0.03  # share of tubes; a flow of a city takes seconds
FOLLOWED = 0.99  # share of a wave's tubes from which it counts as followed
WORTH_FILLING = 50.0  # person-minutes that a tube costs


def price_labs(market: Market, rearrange: Callable[[], bool] = lambda: False) -> None:
    """Let groups choose labs, and sites sell their slots at the labs' prices.

    In a small round blocks choose their sites in the same flow; in a city walking decides
    about sites, so that places and labs in turn settle as well. There ``rearrange()`` may lay the
    streams out anew at the first prices where labs are short; it tells whether it did.
    """
    most: Ints | None = None
    turns = PRICE_TURNS
    worth = IN_A_CITY if market.is_city else WORTH_PRICING_AGAIN
    for turn in range(PRICE_TURNS + CITY_TURNS):
        joint = len(market.main_pairs) <= JOINT_PAIRS and market.first_main < len(market.streams)
        front = _front(market) if joint else None
        known = market.prices if market.labs_are_short and market.price_empty else None
        market.priced = market.labs.price(
            market.wide, market.stream_people(), front, most, known=known
        )
        market.prices, market.wave_costs = market.priced.prices, {}
        market.labs_are_short = market.priced.late_share > FEW_LATE
        if front is not None:
            _take_over(market, market.priced.flow, front)
        else:
            market.relax_main()
        most, missing = _followed(market)
        most, too_full = _with_city(market, most)
        if turn == 0 and market.is_city and market.labs_are_short and rearrange():
            most, turns = None, TURNS_REARRANGED
            continue
        good = market.priced.late_share <= FEW_LATE and missing < worth
        if not too_full and (good or turn >= turns - 1):
            return


def _with_city(market: Market, most: Ints) -> tuple[Ints, bool]:
    """Return the limits with those of the city, and whether it calls too many in a wave."""
    unit, layout = market.labs.units_per_tube, market.wide
    pool = market.load.pool[layout.first]
    people = market.priced.volumes.tubes * pool[:, None]
    left = market.priced.flow.left * pool / unit
    room = np.zeros(people.shape)
    np.add.at(room, layout.group, stream_room(layout, market.load))
    limit, too_full = market.city_waves.limit(layout, people, left, room)
    if limit is None:
        return most, False
    if market.bound_before is None:
        market.bound_before = bound_at_prices(market)
    return np.floor(limit * unit / pool[:, None]).astype(np.int64), too_full


def _followed(market: Market) -> tuple[Ints, float]:
    """Return the most units that groups can send per piece, and the share they cannot follow.

    The coarse flow knows the people of groups, not of sites: a site that has few people cannot
    fill each of the waves in which labs would like more.
    """
    people, volumes = market.stream_people(), market.priced.volumes.tubes
    room = stream_room(market.wide, market.load)
    count = np.minimum(people, room.sum(axis=1))
    quota = market.load.quota.astype(np.float64)
    sent = even_volumes(Shares(market.wide.group, quota, count, room, volumes))
    reached = np.zeros(volumes.shape)
    np.add.at(reached, market.wide.group, sent / market.load.pool[:, None])
    short = np.where(reached < FOLLOWED * volumes, volumes - reached, 0)
    unit = market.labs.units_per_tube
    most = np.where(short > 0, np.floor(reached * unit), np.iinfo(np.int64).max // 4)
    return most.astype(np.int64), float(short.sum() / max(volumes.sum(), 1e-9))


def _front(market: Market) -> Front:
    """Return the blocks and sites of the commonest zone before the groups of its streams."""
    pool = market.instance.settings.pooling.by_zone()[market.main_zone]
    per_person = market.labs.units_per_tube // pool
    row = np.full(len(market.quota), -1, dtype=np.int64)
    row[market.wide.site[market.first_main :]] = market.wide.group[market.first_main :]
    weights = market.instance.settings.weights
    return Front(
        market.people * per_person, market.main_pairs.block, market.main_pairs.site,
        market.main_pairs.walk_m * market.per_metre / per_person, row,
        market.offer.capacity * per_person, weights.unserved / per_person,
    )  # fmt: skip


def _take_over(market: Market, flow: LabFlow, front: Front) -> None:
    """Let blocks follow the joint flow."""
    pool = market.instance.settings.pooling.by_zone()[market.main_zone]
    per_person = market.labs.units_per_tube // pool
    sent = flow.pair_units // per_person
    left = market.people - np.bincount(
        front.block, weights=sent, minlength=len(market.people)
    ).astype(np.int64)
    market.relaxed = Relaxed(sent, left, flow.site_price * per_person)
    market.site_people = np.bincount(front.site, weights=sent, minlength=len(market.quota)).astype(
        np.int64
    )


def topped(market: Market) -> Flags:
    """Return which waves of streams are worth a tube that is not full, ``[stream, piece]``.

    What the last places of the wave gain at the prices must pay for the places that the tube
    leaves empty in a lab, where labs are short in the last hour of the wave's tubes.
    """
    pool = market.instance.settings.pooling.by_zone()[market.main_zone]
    cost = market.slot_cost(market.main_zone, market.free)
    lab, price = market.wave_costs[pool], market.relaxed.site_price
    part = one_more(market) / pool if market.labs_are_short else np.full(lab.shape[1], np.inf)
    most = max(len(p) for p in market.layout.group_pieces)
    out = np.zeros((len(market.streams), most), dtype=bool)
    for members, pieces in zip(market.layout.members, market.layout.group_pieces, strict=True):
        main = members[members >= market.first_main]
        if not len(main):
            continue
        site = market.layout.site[main]
        last, paid = cost[site][:, pieces[:, 3] - 1], lab[site][:, pieces[:, 1]]
        known = np.isfinite(last) & np.isfinite(paid) & np.isfinite(price[site])[:, None]
        gain = np.where(known, price[site][:, None] - np.where(known, last, 0), 0)
        room = market.load.room(main, pieces)
        places = room % pool
        empty = np.minimum(np.where(known, paid, 0), part[pieces[:, 1]])
        worth = places * gain > (pool - places) * empty
        out[main, : len(pieces)] = worth & known & (places > 0)
    return out


def tube_worth(market: Market) -> Floats:
    """Return what a tube of the commonest zone costs in each site's cheapest wave, if much.

    Where labs are short it is one that is not full, and waits for the others.
    """
    pool = market.instance.settings.pooling.by_zone()[market.main_zone]
    if not market.people.any():  # nobody is left to ask for a tube
        return np.zeros(len(market.quota))
    cost = market.wave_cost(pool)
    opened = market.free.reshape(*cost.shape, -1).any(axis=2)
    tube = cost * pool
    if market.labs_are_short:
        tube = np.minimum(tube, part_filled(market))
    worth = np.where(opened, tube, np.inf).min(axis=1)
    return np.where(np.isfinite(worth) & (worth >= WORTH_FILLING), worth, 0)


def lab_cost(market: Market) -> Floats:
    """Return what labs ask for a person of the commonest zone, ``[stream, piece]``; inf: no lab."""
    pool = market.instance.settings.pooling.by_zone()[market.main_zone]
    asked, layout = market.wave_cost(pool), market.layout
    wave = layout.column(1)[layout.group]
    return np.where(wave >= 0, asked[layout.site[:, None], np.maximum(wave, 0)], np.inf)
