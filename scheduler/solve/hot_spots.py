"""Where a plan loses most against the prices of blocks, a few bins together are packed anew.

At the prices each bin has a best set; what the present one falls short of it, summed over bins, is
all that lies between plan and bound. Mostly a few bins hold most of it: around each, worst first,
the blocks of its neighbourhood are priced and settled anew, as of a small round of its own (a large
neighbourhood search, Shaw 1998, doi 10.1007/3-540-49481-2_30). Measured on a million people at
97 % of all places: in the same time a mixed-integer program for each neighbourhood gains half.
"""

from __future__ import annotations

import numpy as np

from scheduler.domain.city import Floats, Ints
from scheduler.solve.bins import Bins
from scheduler.solve.block_prices import BlockPrices
from scheduler.solve.candidates import Pairs
from scheduler.solve.exchange import Exchanges
from scheduler.solve.gather import Gathering
from scheduler.solve.knapsacks import Knapsacks, best_set
from scheduler.solve.make_room import place_all, push_in

_BINS = 12  # in a neighbourhood
_TURNS = 12
_STRIDE = 0.02
_NOISE = 0.05  # of prices, so that a neighbourhood looked at again comes out otherwise
_WEARY = 0.7  # of a bin's loss counts after it was looked at
_WORTH = 1.0  # person-minutes below which nothing is changed


class HotSpots:
    """Neighbourhoods of bins; ``bins`` holds who is where and is changed."""

    def __init__(self, sacks: Knapsacks, bins: Bins, price: Floats, points: Floats) -> None:
        """Take the prices of blocks, and where each bin is on the unit sphere."""
        self.sacks, self.bins, self._price, self._points = sacks, bins, price, points
        self._value = price[sacks.pairs.block] - sacks.cost
        self._best = np.zeros(len(sacks.upto))
        for number in range(len(sacks.upto)):
            self.renew(number)

    def renew(self, number: int) -> None:
        """Reckon anew what a bin could be worth: its places cost something else."""
        sacks, rows = self.sacks, self.sacks.rows[number]
        self._best[number] = best_set(sacks.size[rows], self._value[rows], sacks.upto[number])[0]

    def run(self, rng: np.random.Generator, most: int, worth: float) -> None:
        """Pack up to ``most`` neighbourhoods anew, while a bin loses ``worth`` person-minutes."""
        patience = np.ones(len(self.sacks.upto))
        for _ in range(most):
            loss = self._losses() * patience
            worst = int(np.argmax(loss))
            if loss[worst] < worth:
                break
            patience[worst] *= _WEARY
            noise = 1 + _NOISE * rng.standard_normal(len(self._price))
            self._pack(self._near(worst), self._price * noise)

    def pack_around(self, numbers: Ints) -> None:
        """Pack some bins and those nearest to them anew."""
        near = [self._near(number) for number in numbers.tolist()]
        self._pack(np.unique(np.concatenate(near)), self._price)

    def _losses(self) -> Floats:
        """Return what each bin is worth less than it could be; blocks left out count whole."""
        sacks, bins = self.sacks, self.bins
        here = bins.bin_of[sacks.pairs.block] == sacks.pairs.site
        worth = np.bincount(sacks.pairs.site[here], self._value[here], len(sacks.upto))
        load = bins.load.tolist()
        places = np.array([float(u[n]) for u, n in zip(sacks.upto, load, strict=True)])
        loss: Floats = self._best - (worth - places)
        out = (bins.bin_of < 0) & (sacks.people > 0)
        rows = np.flatnonzero(out[sacks.pairs.block])
        np.add.at(loss, sacks.pairs.site[rows], self._price[sacks.pairs.block[rows]])
        return loss

    def _near(self, number: int) -> Ints:
        """Return a bin and those nearest to it that have room for anybody."""
        some = np.flatnonzero(self.sacks.room > 0)
        far = ((self._points[some] - self._points[number]) ** 2).sum(axis=1)
        return np.sort(some[np.argsort(far, kind="stable")[:_BINS]])

    def _pack(self, numbers: Ints, price: Floats) -> None:
        """Pack some bins' blocks anew, and those left out nearby; keep what is better."""
        bins, sacks = self.bins, self.sacks
        part = _Part(sacks, bins.bin_of, numbers)
        inside = part.sacks.people > 0
        if not inside.any():
            return
        before = bins.bin_of.copy()
        part_left = np.count_nonzero(inside & (before < 0))
        prices = BlockPrices(part.sacks, np.where(inside, price, 0), _STRIDE)
        prices.ascend(_TURNS)
        prices.dive()
        settled = np.where(prices.bin_of >= 0, numbers[prices.bin_of], -1)
        self.put(np.where(inside, settled, before))
        in_order = [block for block in bins.left_out() if inside[block]]
        exchanges = Exchanges(sacks, bins)
        gathering = Gathering(bins, exchanges)
        placed = [push_in(bins, b) or gathering.place(b) for b in in_order]
        if all(placed) or part_left >= placed.count(False):
            exchanges.run(numbers)
        if not self._is_better(before):
            self.put(before)

    def _is_better(self, before: Ints) -> bool:
        """Tell whether fewer people are left out than before, or as few at less cost."""
        people, now = self.sacks.people, self.bins.bin_of
        left, left_before = (int(people[bin_of < 0].sum()) for bin_of in (now, before))
        if left != left_before:
            return left < left_before
        return self.sacks.total(now) < self.sacks.total(before) - _WORTH

    def put(self, bin_of: Ints) -> None:
        """Move the blocks that go elsewhere."""
        bins, pairs = self.bins, self.sacks.pairs
        moved = np.flatnonzero(bin_of != bins.bin_of)
        for block in moved[bin_of[moved] < 0].tolist():
            bins.take_out(block)
        rows = bins.rows_of(moved)
        for row in rows[bin_of[pairs.block[rows]] == pairs.site[rows]].tolist():
            bins.move(int(pairs.block[row]), row)


class _Part:
    """Some bins with the blocks inside, and those that are in no bin and might go there."""

    def __init__(self, sacks: Knapsacks, bin_of: Ints, numbers: Ints) -> None:
        self.number_at = np.full(len(sacks.upto) + 1, -1, dtype=np.int64)  # the last is for none
        self.number_at[numbers] = np.arange(len(numbers))
        rows = np.concatenate([sacks.rows[n] for n in numbers.tolist()])
        rows.sort()
        now = bin_of[sacks.pairs.block[rows]]
        rows = rows[(now < 0) | (self.number_at[now] >= 0)]
        block = sacks.pairs.block[rows]
        people = np.zeros_like(sacks.people)
        people[block] = sacks.people[block]
        pairs = Pairs(block, self.number_at[sacks.pairs.site[rows]], sacks.pairs.walk_m[rows])
        upto = [sacks.upto[n] for n in numbers.tolist()]
        self.sacks = Knapsacks(pairs, sacks.cost[rows], people, upto)


def bins_of(sacks: Knapsacks, price: Floats, bin_of: Ints) -> Bins:
    """Return bins with the blocks that have one; ``price[pair]`` is per person."""
    some = bin_of >= 0
    load = np.bincount(bin_of[some], sacks.people[some], len(sacks.upto)).astype(np.int64)
    return Bins(sacks.pairs, price, sacks.people, sacks.room, bin_of.copy(), load)


def make_room(bins: Bins) -> None:
    """Place the blocks that are in no bin, the largest first, as far as room can be made."""
    place_all(bins, bins.left_out())
