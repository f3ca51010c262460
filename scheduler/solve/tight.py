"""Tight rounds: whole blocks fill their sites to the last places only where all are weighed.

A flow fills every site to the last place, whole blocks do not: where sites are all but full, the
greedy repair of the flow's answer costs percents. Such a round is packed anew, from the prices of
whole blocks: settled along them, exchanged between neighbours, and solved exactly where most is
lost. An ordinary round is left as it is.
"""

from __future__ import annotations

import numpy as np

from scheduler.domain.city import Floats, Ints
from scheduler.domain.ranges import fan_out
from scheduler.solve.assign import Whole
from scheduler.solve.bins import Bins
from scheduler.solve.block_prices import BlockPrices
from scheduler.solve.candidates import Pairs, unit_vectors
from scheduler.solve.exchange import Exchanges
from scheduler.solve.fill_sites import losses
from scheduler.solve.gather import Gathering
from scheduler.solve.hot_spots import HotSpots, bins_of, make_room
from scheduler.solve.knapsacks import Knapsacks, cost_upto
from scheduler.solve.lab_market import price_labs
from scheduler.solve.market import Market
from scheduler.solve.strict_moves import StrictMoves
from scheduler.solve.strict_places import Strictly, StrictPlaces

_TIGHT = 0.0001
"""What blocks pay above their least, as a share of their walks, or of all they pay where labs are
short and walks are little of it. Measured: 0.0006 to 0.05 where sites are 97 % full, 0.0008 where
they are 73 % full (Dazu), below 0.00001 where half full or labs short (Dazu)."""
_WASTED = 0.005
"""What empty places would save whom they have no room for whole, as such a share: neighbours of a
few sites exchange blocks in any round (``fill_sites``)."""
_TURNS, _FEWEST_TURNS, _PAIR_TURNS = 60, 20, 10_400_000
_ANYTHING = 1e9  # person-minutes that a block without a place would pay
_STRIDE = 0.008
_SPOTS, _FEWEST_SPOTS = 80, 20  # neighbourhoods
_MOVES, _FEWEST_MOVES = 60, 20  # of stricter zones' blocks
_SPOT_WORTH = 3e-5  # share of the cost that one must lose


def pack_tighter(market: Market, whole: Whole, strictly: Strictly) -> Whole:
    """Return where the commonest zone's whole blocks go: anew if the round is tight.

    Then stricter zones may change sites once more, and streams are laid out anew.
    """
    if market.relaxed.left.any() or not _is_tight(market, whole):
        return whole
    return _Packing(market).run(whole, strictly)


def _is_tight(market: Market, whole: Whole) -> bool:
    """Tell whether whole blocks leave people out, or pay much more than blocks in parts do."""
    pairs, people, price = (
        market.main_pairs,
        market.people,
        market.price_of(market.main_pairs, market.relaxed),
    )
    if (whole.site < 0)[people > 0].any():
        return True
    now = whole.site[pairs.block] == pairs.site
    least = _least(pairs, price, len(people))[pairs.block[now]]
    size = people[pairs.block[now]]
    walk = float((pairs.walk_m[now] * market.per_metre) @ size)
    paid = float(price[now] @ size) if market.labs_are_short else walk
    if float((price[now] - least) @ size) > _TIGHT * paid:
        return True
    has_other_limits = market.labs_are_short or market.city_waves.asked
    return not has_other_limits and float(losses(market, whole).sum()) > _WASTED * walk


def _least(pairs: Pairs, price: Floats, blocks: int) -> Floats:
    """Return the least price of each block, 0 where it has no pair."""
    least = np.full(blocks, np.inf)
    np.minimum.at(least, pairs.block, price)
    return np.where(np.isfinite(least), least, 0.0)


class _Packing:
    """Packs the runs of all sites anew; ``price[pair]`` is per person at the flow's prices."""

    def __init__(self, market: Market) -> None:
        self._market = market
        runs = [
            (market.streams.site[stream], first, end, stream)
            for stream in range(market.first_main, len(market.streams))
            for first, end in market.streams.runs[stream]
        ]
        self._runs = np.array(runs, dtype=np.int64).reshape(-1, 4)
        cost = market.slot_cost(market.main_zone, market.free)
        self._upto = [
            cost_upto(cost[s, a:b], market.places[s, a:b]) for s, a, b, _ in self._runs.tolist()
        ]
        self._take_pairs()

    def _take_pairs(self) -> None:
        """Make the knapsacks of the market's pairs."""
        market, pairs = self._market, self._market.main_pairs
        rows, bins = fan_out(pairs.site, self._runs[:, 0], len(market.quota))
        block, walk = pairs.block[rows], pairs.walk_m[rows]
        self._price = market.price_of(pairs, market.relaxed)[rows]
        self._sacks = Knapsacks(
            Pairs(block, bins, walk), walk * market.per_metre * market.people[block],
            market.people, self._upto,
        )  # fmt: skip

    def run(self, whole: Whole, strictly: Strictly) -> Whole:
        """Return the packing, or what was known where that leaves fewer people out."""
        market, people = self._market, self._market.people
        prices = self._prices()
        bins = bins_of(self._sacks, self._price, prices.bin_of)
        make_room(bins)
        dear = np.where(bins.bin_of < 0, _ANYTHING, prices.now / np.maximum(people, 1))
        if market.look_farther(dear):
            self._take_pairs()
            bins = bins_of(self._sacks, self._price, bins.bin_of)
            make_room(bins)
        sacks = self._sacks
        Gathering(bins, Exchanges(sacks, bins)).place_all()
        Exchanges(sacks, bins).run()
        points = unit_vectors(market.instance.sites.lat, market.instance.sites.lng)
        spots = HotSpots(sacks, bins, prices.best, points[self._runs[:, 0]])
        worth, most = _SPOT_WORTH * prices.bound, self._at_most(_SPOTS, _FEWEST_SPOTS)
        spots.run(market.rng, _FEWEST_SPOTS, worth)
        if not (bins.bin_of < 0)[people > 0].any():  # else another way may hold everybody
            spots.run(market.rng, most - _FEWEST_SPOTS, worth)
        Exchanges(sacks, bins).run()
        best = self._better(bins, whole)
        market.is_crowded = bool((bins.bin_of < 0)[people > 0].any())
        if best is whole or not strictly.exchange or market.is_crowded:
            return best
        places = StrictPlaces(market, strictly)
        moves = StrictMoves(market, places, self._runs, spots, prices.best)
        if not moves.run(self._at_most(_MOVES, _FEWEST_MOVES)):
            return best
        Exchanges(sacks, bins).run()
        self._lay_out()
        return self._packed(bins)

    def _lay_out(self) -> None:
        """Lay the streams out anew, and let labs price them."""
        market = self._market
        market.lay_out()
        price_labs(market)
        main = market.streams.site[market.first_main :]
        stream_of = {site: market.first_main + n for n, site in enumerate(main)}
        self._runs[:, 3] = [stream_of.get(site, -1) for site in self._runs[:, 0].tolist()]

    def _prices(self) -> BlockPrices:
        """Return prices of blocks, and the blocks settled along them."""
        sacks = self._sacks
        start = _least(sacks.pairs, self._price, len(sacks.people)) * sacks.people
        prices = BlockPrices(sacks, start, _STRIDE)
        prices.ascend(self._at_most(_TURNS, _FEWEST_TURNS))
        self._market.beyond_flow = prices.best - start
        self._market.beside_others = self._market.place_prices()
        prices.dive()
        return prices

    def _at_most(self, most: int, fewest: int) -> int:
        """Return how often something is done whose time grows with the number of pairs."""
        return min(most, max(fewest, _PAIR_TURNS // max(1, len(self._sacks.pairs))))

    def _better(self, bins: Bins, whole: Whole) -> Whole:
        """Return the packing unless what was known is better.

        Where sites close in between, what was known need not fit into their runs.
        """
        sites = self._runs[:, 0]
        if len(np.unique(sites)) == len(sites):
            known = np.where(whole.site >= 0, np.searchsorted(sites, whole.site), -1)
            load = np.bincount(known[known >= 0], self._sacks.people[known >= 0], len(sites))
            if (load <= self._sacks.room).all() and self._rank(known) <= self._rank(bins.bin_of):
                return whole
        return self._packed(bins)

    def _packed(self, bins: Bins) -> Whole:
        """Return where blocks are, and note what runs hold."""
        some, sites, packed = bins.bin_of >= 0, self._runs[:, 0], self._market.packed
        packed.clear()
        for number, stream in enumerate(self._runs[:, 3].tolist()):
            packed.setdefault(stream, []).append(bins.inside(number))
        site = np.where(some, sites[bins.bin_of], -1)
        load = np.bincount(site[some], self._sacks.people[some], len(self._market.quota)).astype(
            np.int64
        )
        return Whole(site, load)

    def _rank(self, bin_of: Ints) -> tuple[int, float]:
        """Return the people in no bin, and the cost of the others."""
        return int(self._sacks.people[bin_of < 0].sum()), self._sacks.total(bin_of)
