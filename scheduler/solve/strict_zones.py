"""Stricter zones take their sites and slots before the commonest one, strictest first."""

from __future__ import annotations

import math
from operator import itemgetter

import numpy as np

from scheduler.domain.city import Floats, Ints
from scheduler.domain.settings import Zone
from scheduler.solve.assign import Relaxed, SlotOffer, Whole, relax
from scheduler.solve.bound import slot_gain
from scheduler.solve.candidates import Pairs
from scheduler.solve.knapsacks import cost_upto
from scheduler.solve.market import Market
from scheduler.solve.share_sites import exchange_between
from scheduler.solve.strict_places import Strictly, StrictPlaces, shared, take_slots

_TURNS, _LESS = 12, 4  # in which zones settle, and by how much less effort all but the first take
_WORTH_MOVING = 1e-4  # of all costs: less is within what whole blocks and tubes change
_DEAREST = 60.0
"""Person-minutes beyond which a price only tells that people have no place."""


def place_strict_zones(market: Market, strictly: Strictly) -> None:
    """Give the blocks of all zones but the commonest their sites and slots, strictest first."""
    for zone in Zone:
        if zone != market.main_zone and (market.instance.block_zone == zone).any():
            _place_zone(market, int(zone), strictly)


def _place_zone(market: Market, zone: int, strictly: Strictly) -> None:
    people = np.where(market.instance.block_zone == zone, market.instance.demand, 0)
    pairs = market.pairs.where(people[market.pairs.block] > 0)
    cost = market.slot_cost(zone, market.free)
    offer = SlotOffer(cost, market.packing.slot_room(cost, market.places), cost.shape[1])
    relaxed = relax(pairs, pairs.walk_m * market.per_metre, people, offer,
                    market.instance.settings.weights.unserved)  # fmt: skip
    if strictly.sites < 1:
        pairs, relaxed = _on_fewer_sites(market, (pairs, relaxed), people, offer, strictly.sites)
    whole = market.whole_blocks(pairs, people, relaxed, offer.capacity)
    whole = _between_teams(market, whole, (pairs, relaxed), people, offer)
    settings = market.instance.settings
    worth = settings.weights.late * strictly.late_min * settings.pooling.by_zone()[zone]
    if worth:
        market.fill_tubes(whole, zone, (pairs, relaxed), offer.capacity,
                          np.full(len(market.quota), worth))  # fmt: skip
    chosen = np.flatnonzero(whole.site >= 0)
    market.site_of[chosen] = whole.site[chosen]
    take_slots(market, zone, strictly)


def _between_teams(
    market: Market, whole: Whole, asked: tuple[Pairs, Relaxed], people: Ints, offer: SlotOffer
) -> Whole:
    """Return where a zone's blocks go after exchanges between sites that serve no other zone.

    A flow shares them evenly between a community's teams, whole blocks do not: of nine equal blocks
    one team has five, but of unequal ones each has about a half.
    """
    pairs, relaxed = asked
    alone = [s for s in np.unique(pairs.site).tolist() if not shared(market, s)]
    if len(alone) < 2:  # noqa: PLR2004  # teams that could exchange
        return whole
    sites = np.array(alone)
    upto = [cost_upto(offer.cost[s], offer.room[s])[: int(offer.capacity[s]) + 1] for s in alone]
    price = market.price_of(pairs, relaxed)
    return exchange_between(whole, (sites, upto), (pairs, price), people, market.per_metre, sites)


def exchange_strict_zones(market: Market, strictly: Strictly, effort: int = 0) -> bool:
    """Let blocks of stricter zones change sites at the present prices; tell whether any did.

    The free slots, and so the streams of all zones, are new then; ``effort`` as in ``exchange``.
    """
    return bool(strictly.exchange) and StrictPlaces(market, strictly).run(
        _main_gain(market), effort
    )


def settle_strict_zones(market: Market, strictly: Strictly, effort: int) -> bool:
    """Let blocks of stricter zones and the commonest one settle in turns; tell whether any moved.

    Where sites are all but full, the commonest zone's prices depend on where the others are: in
    turns the blocks would run back and forth between what is cheap and what they have made dear. So
    prices are averaged over the turns (Sheffi 1985, Urban Transportation Networks, chapter 5), and
    the cheapest turn is kept. Streams are new then, and the commonest zone has its relaxed places.
    """
    search = StrictPlaces(market, strictly)
    gain = _main_gain(market)
    if not strictly.exchange or not search.run(gain, effort):
        return False
    known: list[tuple[float, Ints]] = []
    for turn in range(2, _TURNS + 2):
        market.relax_main()
        known.append((search.cost() + _main_cost(market), market.site_of.copy()))
        gain += (_main_gain(market) - gain) / turn
        if not search.run(gain, effort // _LESS):
            break
    first, (best, homes) = known[0], min(known, key=itemgetter(0))
    search.put(homes if best < first[0] * (1 - _WORTH_MOVING) else first[1])
    return True


def _main_gain(market: Market) -> Floats:
    """Return what the commonest zone gains in each whole slot at its prices, ``[site, slot]``."""
    cost = market.slot_cost(market.main_zone, market.offered)
    gain: Floats = slot_gain(np.minimum(market.place_prices(), _DEAREST), cost) * market.places
    return gain


def _main_cost(market: Market) -> float:
    """Return what the commonest zone pays for walk and places if blocks may be split."""
    pairs, relaxed = market.main_pairs, market.relaxed
    load = np.bincount(pairs.site, relaxed.people, len(market.quota)).astype(np.int64)
    walk = float((relaxed.people * pairs.walk_m).sum()) * market.per_metre
    left = float(relaxed.left.sum()) * market.instance.settings.weights.unserved
    return walk + market.offer.paid(load) + left


def _on_fewer_sites(
    market: Market, known: tuple[Pairs, Relaxed], people: Ints, offer: SlotOffer, share: float
) -> tuple[Pairs, Relaxed]:
    """Return pairs and flow over the sites that most would go to, if these hold everybody."""
    pairs, relaxed = known
    used = np.bincount(pairs.site, weights=relaxed.people, minlength=len(market.quota))
    keep = math.ceil(share * np.count_nonzero(used))
    kept = np.isin(np.arange(len(used)), np.argsort(-used, kind="stable")[:keep])
    fewer = pairs.where(kept[pairs.site])
    again = relax(fewer, fewer.walk_m * market.per_metre, people, offer,
                  market.instance.settings.weights.unserved)  # fmt: skip
    return known if again.left.sum() > relaxed.left.sum() else (fewer, again)
