"""Stricter zones take their sites and slots before the commonest one, strictest first."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from scheduler.domain.city import FIXED, Ints
from scheduler.domain.settings import Zone
from scheduler.solve.assign import Relaxed, SlotOffer, relax
from scheduler.solve.candidates import Pairs
from scheduler.solve.market import Market
from scheduler.solve.streams import reserve, runs_of


@dataclass(frozen=True)
class Strictly:
    """How stricter zones take their places at sites that others use after them.

    ``spare_slots`` are kept behind their last person, so that labs can shift their tubes;
    ``sites`` is the share of the sites they would like that they get: each costs a clearing.
    ``late_min`` is about how late somebody is for a tube that is not full, 0 where labs have time.
    """

    spare_slots: int = 1
    sites: float = 1.0
    late_min: int = 0


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
    settings = market.instance.settings
    worth = settings.weights.late * strictly.late_min * settings.pooling.by_zone()[zone]
    if worth:
        market.fill_tubes(whole, zone, (pairs, relaxed), offer.capacity,
                          np.full(len(market.quota), worth))  # fmt: skip
    clearing = market.instance.settings.sites.clearing_min
    clearing_slots = -(-clearing // market.instance.settings.round.slot_minutes)
    for site in np.unique(whole.site[whole.site >= 0]).tolist():
        blocks = np.flatnonzero(whole.site == site)
        if market.instance.sites.kinds[site] == FIXED or _is_mixed(market, site):
            taken = reserve(market.free[site], blocks, people, market.places[site],
                            (strictly.spare_slots, clearing_slots))  # fmt: skip
            market.free[site] = taken.free
            market.strict.add(site, zone, taken.runs, blocks, taken.blocks)
        else:
            market.strict.add(site, zone, runs_of(market.free[site]), blocks)
            market.free[site] = False
        market.site_of[blocks] = site


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


def _is_mixed(market: Market, site: int) -> bool:
    named = list(market.instance.sites.community_indices[site])
    return len(set(market.instance.communities.zone[named].tolist())) > 1
