"""Sites share their blocks in the cheapest way, neighbour by neighbour."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from scheduler.domain.city import Flags, Floats, Ints
from scheduler.solve.assign import Whole
from scheduler.solve.candidates import Pairs
from scheduler.solve.exchange import Exchanges
from scheduler.solve.hot_spots import bins_of
from scheduler.solve.knapsacks import Knapsacks


def exchange_between(
    whole: Whole,
    offer: tuple[Ints, list[Floats]],
    asked: tuple[Pairs, Floats],
    people: Ints,
    per_metre: float,
    first: Ints,
) -> Whole:
    """Return where blocks go after exchanges between some sites, those with ``first`` ones first.

    ``offer`` is the sites and what their first 0, 1, 2, ... people pay for places, ``asked`` the
    pairs and their price per person, ``per_metre`` prices a person's walk.
    """
    sites, upto = offer
    pairs, price = asked
    number = np.full(len(whole.load), -1)
    number[sites] = np.arange(len(sites))
    inside: Flags = (whole.site >= 0) & (number[whole.site] >= 0)
    rows = inside[pairs.block] & (number[pairs.site] >= 0)
    near = pairs.where(rows)
    sacks = Knapsacks(
        replace(near, site=number[near.site]),
        near.walk_m * per_metre * people[near.block], np.where(inside, people, 0), upto,
    )  # fmt: skip
    bins = bins_of(sacks, price[rows], np.where(inside, number[whole.site], -1))
    Exchanges(sacks, bins).run(number[first])
    site = np.where(inside, sites[bins.bin_of], whole.site)
    some = site >= 0
    load = np.bincount(site[some], people[some], len(whole.load)).astype(np.int64)
    return Whole(site, load)
