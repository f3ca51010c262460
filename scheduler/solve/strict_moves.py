"""In a tight round blocks of stricter zones change sites once whole blocks are packed.

What the commonest zone loses by a stricter block is not the price of the slots that it takes: whole
blocks must be packed anew around both sites. So the moves that look best at the prices of whole
blocks are tried, one after the other: the blocks near both sites are packed for each
(``hot_spots``), and it is kept if all cost less.
"""

from __future__ import annotations

import numpy as np

from scheduler.domain.city import Floats, Ints
from scheduler.solve.bins import Bins
from scheduler.solve.hot_spots import HotSpots
from scheduler.solve.knapsacks import Knapsacks, best_sums, cost_upto
from scheduler.solve.market import Market
from scheduler.solve.strict_exchange import moves
from scheduler.solve.strict_places import StrictPlaces

_PATIENCE = 10
"""Moves in a row that may fail. Measured on a million people at 97 % of all places: of 65 moves
seven were kept, all among the first twenty; 15 find no more."""
_WORTH = 1.0  # person-minutes below which a move is not kept


class StrictMoves:
    """Moves of stricter zones' blocks; ``runs`` are rows (site, first slot, end slot, stream).

    Only sites with one session are looked at, whose bins are then known by their site.
    """

    def __init__(
        self, market: Market, places: StrictPlaces, runs: Ints, spots: HotSpots, price: Floats
    ) -> None:
        self._market, self._places, self._spots, self._price = market, places, spots, price
        self._sacks: Knapsacks = spots.sacks
        self._bins: Bins = spots.bins
        sites, count = np.unique(runs[:, 0], return_counts=True)
        self._bin_of = np.full(len(market.quota), -1, dtype=np.int64)
        self._bin_of[runs[:, 0]] = np.arange(len(runs))
        self._bin_of[sites[count > 1]] = -1
        edges = np.diff(market.offered.astype(np.int8), prepend=0, append=0, axis=1) == 1
        self._bin_of[edges.sum(axis=1) != 1] = -1
        self._cost = market.slot_cost(market.main_zone, market.offered)
        gain = np.zeros(market.places.shape)
        for site in places.sites():
            if self._bin_of[site] >= 0:
                gain[site] = self._lost(site)
        self._offer = places.offer(gain)

    def run(self, most: int) -> bool:
        """Try up to ``most`` moves, and tell whether any was kept."""
        tried: set[tuple[int, int]] = set()
        home, kept, failed = self._places.home(), False, 0
        for _ in range(most):
            if failed == _PATIENCE:
                break
            found = self._next(home, tried)
            if found is None:
                break
            tried.add(found)
            new = home.copy()
            new[found[0]] = found[1]
            if self._try(home, new, found[0]):
                home, kept, failed = new, True, 0
            else:
                failed += 1
        if kept:
            self._places.move(home)
        return kept

    def _next(self, home: Ints, tried: set[tuple[int, int]]) -> tuple[int, int] | None:
        """Return the block and site of the move that looks best among those not tried."""
        for _, block, target in moves(home, self._places.movable, self._offer):
            known = self._bin_of[target] >= 0 and self._bin_of[home[block]] >= 0
            if known and (block, target) not in tried:
                return block, target
        return None

    def _lost(self, site: int) -> Floats:
        """Return what the commonest zone's blocks lose by each slot beside those before it."""
        sacks, rows = self._sacks, self._sacks.rows[self._bin_of[site]]
        cost, places = self._cost[site], self._market.places[site]
        whole = cost_upto(cost, places)
        value = self._price[sacks.pairs.block[rows]] - sacks.cost[rows]
        size = sacks.size[rows]
        good = np.flatnonzero((size < len(whole)) & (value > 0))
        best, _ = best_sums(size[good], value[good], len(whole) - 1)
        worth = []
        for slot in range(len(cost) + 1):
            upto = cost_upto(cost[slot:], places[slot:])
            worth.append(float((best[: len(upto)] - upto).max()))
        return -np.diff(np.array(worth))

    def _try(self, home: Ints, new: Ints, block: int) -> bool:
        """Pack anew for a move; go back unless it costs less."""
        bins, sacks = self._bins, self._sacks
        sites = [int(home[block]), int(new[block])]
        numbers = self._bin_of[sites]
        before, upto = bins.bin_of.copy(), [sacks.upto[n] for n in numbers.tolist()]
        total = self._places.cost(home) + sacks.total(before)
        for site, number in zip(sites, numbers.tolist(), strict=True):
            free = self._places.free(new, site)
            self._change(number, cost_upto(np.where(free, self._cost[site], np.inf),
                                           self._market.places[site]))  # fmt: skip
        for number in numbers.tolist():
            for other in bins.inside(number).tolist():
                if bins.room(number) >= 0:
                    break
                bins.take_out(other)
        self._spots.pack_around(numbers)
        left = (bins.bin_of < 0) & (sacks.people > 0)
        if not left.any() and (self._places.cost(new) + sacks.total(bins.bin_of) < total - _WORTH):
            return True
        for number, old in zip(numbers.tolist(), upto, strict=True):
            self._change(number, old)
        self._spots.put(before)
        return False

    def _change(self, number: int, upto: Floats) -> None:
        """Let a bin cost something else."""
        self._sacks.change(number, upto)
        self._bins.capacity[number] = len(upto) - 1
        self._spots.renew(number)
