"""Other prices of labs at which the lower bound may be better, where labs are short.

The prices that a plan follows come from a flow in which stricter zones have the slots that they
took and waves are filled in full tubes. The bound knows neither, and where labs are behind the
prices of whole days jump by thousands of person-minutes as soon as a wave has no more places. So
flows that know as little as the bound are asked as well; any prices give a valid bound.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from scheduler.domain.city import Ints
from scheduler.solve.bound import LabPrices
from scheduler.solve.labs import Labs
from scheduler.solve.layout import COARSE
from scheduler.solve.market import Market
from scheduler.solve.streams import Streams, runs_of


def other_prices(market: Market, *, searched: bool = False) -> Iterator[LabPrices]:
    """Yield prices of labs: stricter zones may wait for any slot, or share all with the others.

    In rounds that are no city's no prices are tried as well. Rounds that are ``searched`` exactly
    need no prices, and tight ones of these no others either.
    """
    if not market.is_city and not searched:  # where the flows' prices all mislead, none are better
        yield LabPrices.nothing(market.hours)
    if market.beyond_flow is not None and searched:
        return
    people = market.stream_people()
    for streams, sent in (_waiting(market, people), _sharing(market, people)):
        wide = market.laid_out(streams, COARSE)
        labs = Labs(market.instance, market.hours, market.travel, market.load_of(wide))
        yield labs.price(wide, sent, full_tubes=False).prices


def _waiting(market: Market, people: Ints) -> tuple[Streams, Ints]:
    """Return the streams with all slots of their sites for each stricter zone, and their people.

    ``people[stream]`` are those of the market's streams.
    """
    streams, every = Streams.empty(), market.streams
    for n, site in enumerate(every.site):
        runs = runs_of(market.offered[site]) if n < market.first_main else every.runs[n]
        streams.add(site, every.zone[n], runs, every.blocks[n])
    return streams, people


def _sharing(market: Market, people: Ints) -> tuple[Streams, Ints]:
    """Return a stream for all people of a site whose tubes hold as many as the commonest zone's.

    Other zones have streams of their own; ``people`` as in ``_waiting``.
    """
    main, site = market.main_zone, market.layout.site
    same = market.load.pool == market.instance.settings.pooling.by_zone()[main]
    together = np.unique(site[same])
    total = np.bincount(site[same], people[same], len(market.quota)).astype(np.int64)
    sites = np.concatenate((site[~same], together)).tolist()
    zones = [*market.layout.zone[~same].tolist(), *[main] * len(together)]
    streams, nobody = Streams.empty(), np.empty(0, dtype=np.int64)
    for at, zone in zip(sites, zones, strict=True):
        streams.add(at, zone, runs_of(market.offered[at]), nobody)
    return streams, np.concatenate((people[~same], total[together]))
