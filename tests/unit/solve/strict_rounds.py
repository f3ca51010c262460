"""Small rounds of two stricter zones, and what blocks at sites cost in them."""

from __future__ import annotations

import numpy as np

from scheduler.domain.city import Ints
from scheduler.solve.candidates import Pairs
from scheduler.solve.site_offer import Movable, SiteOffer
from scheduler.solve.streams import reserve

SITES, SLOTS, CLEARING = 3, 12, 2


def strict_round(seed: int, blocks: int = 5) -> tuple[Movable, SiteOffer]:
    """Return some blocks of two zones, all of which may go to each of three sites."""
    rng = np.random.default_rng(seed)
    people = rng.integers(5, 20, blocks)
    block, site = (a.ravel() for a in np.indices((blocks, SITES)))
    walk = rng.uniform(0, 400, len(block))
    places = np.repeat(rng.integers(6, 14, (SITES, 1)), SLOTS, axis=1)
    places[:, rng.integers(4, 9)] = 0  # a closing
    minutes = np.arange(SLOTS) * 15.0
    lab = {z: np.repeat(rng.uniform(0, 3, (SITES, SLOTS // 4)), 4, axis=1) for z in (1, 2)}
    cost = {z: lab[z] + minutes * weight for z, weight in ((1, 0.1), (2, 0.02))}
    gain = rng.uniform(0, 1, (SITES, SLOTS)) * places
    pool = {1: 10, 2: 5}
    part = {z: lab[z] * (-np.arange(pool[z]) % pool[z])[:, None, None] for z in lab}
    offer = SiteOffer(places, cost, part, pool, gain, 0, CLEARING, 10_000.0)
    pairs = Pairs(block, site, walk)
    community = rng.integers(0, 4, blocks)
    return Movable(pairs, walk, people, 1 + community % 2, community, 20.0), offer


def cost_of(home: Ints, movable: Movable, offer: SiteOffer) -> float:
    """Return what blocks at sites cost, from the slots that ``reserve`` gives them."""
    people, total = movable.people, 0.0
    for site in range(SITES):
        free = offer.places[site] > 0
        for zone in (1, 2):
            here = np.flatnonzero((home == site) & (movable.zone == zone))
            taken = reserve(free, here, people, offer.places[site], (0, CLEARING))
            free = taken.free
            for (first, end), blocks in zip(taken.runs, taken.blocks, strict=True):
                total += _served(offer, site, zone, range(first, end), int(people[blocks].sum()))
            held = sum(int(people[b].sum()) for b in taken.blocks)
            total += offer.unserved * (int(people[here].sum()) - held)
        lost = (offer.places[site] > 0) & ~free
        total += float(offer.main_gain[site][lost].sum())
    chosen = home[movable.pairs.block] == movable.pairs.site
    total += float(movable.walk_cost[chosen].sum())
    total += offer.unserved * float(people[home < 0].sum())
    used = {
        (c, s) for c, s in zip(movable.community.tolist(), home.tolist(), strict=True) if s >= 0
    }
    return total + movable.split * len(used)


def _served(offer: SiteOffer, site: int, zone: int, slots: range, count: int) -> float:
    """Return what people pay who fill the slots in order, and for the rest of their last tube."""
    rest, total = count, 0.0
    for slot in slots:
        some = min(rest, int(offer.places[site, slot]))
        total += some * float(offer.cost[zone][site, slot])
        rest -= some
        if not rest:
            return total + float(offer.part_filled[zone][count % offer.pool[zone], site, slot])
    raise AssertionError("the slots do not hold the people")
