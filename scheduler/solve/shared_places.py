"""Prices of places where several zones want the same slots, for the lower bound.

Two zones never share a site in the same slot, so that people of stricter zones displace each other,
and those of the commonest one. One flow prices it: a slot's places are sold once, to whoever pays
most. Any prices give a valid bound; these give a good one where stricter zones lie close together.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scheduler.domain.city import Floats, Ints
from scheduler.solve.candidates import Pairs
from scheduler.solve.flow import ArcList, potentials, solve

MOST_SLOTS = 96
"""Slots from the round's start that stricter zones are priced in; they are served first."""


@dataclass(frozen=True)
class Slots:
    """What sites offer: ``cost[zone][site, slot]`` is finish plus lab price, inf where not offered.

    ``main_gain[site, slot]`` is what the commonest zone would pay beyond its cost,
    ``places[site, slot]`` the people that may be called.
    """

    cost: dict[int, Floats]
    main_gain: Floats
    places: Ints


def shared_prices(
    pairs: Pairs, walk_cost: Floats, demand: tuple[Ints, Ints], offer: Slots, unserved: float
) -> dict[int, Floats]:
    """Return what a place at each site costs people of each zone, -inf where none is asked for.

    ``demand`` is people and zone by block.
    """
    people, zone = demand
    cost, main_gain, places = offer.cost, offer.main_gain, offer.places
    zones = sorted(cost)
    sites, site_at = np.unique(pairs.site, return_inverse=True)
    slots = min(MOST_SLOTS, main_gain.shape[1])
    blocks, used = np.unique(pairs.block, return_inverse=True)
    zone_row = np.searchsorted(zones, zone[pairs.block])
    desk = len(blocks) + zone_row * len(sites) + site_at  # node of (zone, site)
    place = len(blocks) + len(zones) * len(sites)  # first node of (site, slot)
    sink = place + len(sites) * slots
    arcs = ArcList()
    arcs.add(used, desk, people[pairs.block], walk_cost)
    gain = main_gain[sites, :slots]
    for row, z in enumerate(zones):
        at, slot = np.nonzero(np.isfinite(cost[z][sites, :slots]))
        price = cost[z][sites[at], slot] + gain[at, slot]
        arcs.add(len(blocks) + row * len(sites) + at, place + at * slots + slot,
                 places[sites[at], slot], price)  # fmt: skip
    every = np.arange(len(sites) * slots)
    arcs.add(place + every, sink, places[sites[every // slots], every % slots], 0.0)
    arcs.add(np.arange(len(blocks)), sink, people[blocks], unserved)
    supply = np.zeros(sink + 1, dtype=np.int64)
    supply[: len(blocks)], supply[sink] = people[blocks], -people[blocks].sum()
    network = arcs.network(supply)
    node = potentials(network, solve(network))
    result = {}
    for row, z in enumerate(zones):
        price = np.full(len(places), -np.inf)
        first = len(blocks) + row * len(sites)
        price[sites] = node[sink] - node[first : first + len(sites)]
        asked = np.zeros(len(places), dtype=bool)
        asked[pairs.site[zone[pairs.block] == z]] = True
        result[z] = np.where(asked, price, -np.inf)
    return result
