"""Blocks of stricter zones change sites once prices are known.

At a site that several zones share each costs the next one its time and a clearing, so that it is
not enough that each zone does well for itself. At the prices of labs and places a site costs what
the people of the stricter zones pay in their slots, and what the commonest zone would have gained
in all slots that it loses. Blocks move, or leave a site together, while that lowers the sum of all
sites, walking and the split term: a local search; where an effort is asked for an iterated one in
which two may change places as well (Lourenço, Martin and Stützle 2003, doi
10.1007/0-306-48056-5_11).
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence

import numpy as np

from scheduler.domain.city import Floats, Ints
from scheduler.solve.site_offer import Movable, SiteOffer
from scheduler.solve.streams import runs_of

_LOOKED_AT = 12  # nearest sites of a block
_PASSES = 20
_OF_A_KICK = 100  # sites that a kick counts for besides those it reckons: it may find nothing to do
_THROWN = 3  # blocks of a site at most, at random
_ENOUGH = 1e-6  # person-minutes

Blocks = dict[int, tuple[int, ...]]
"""Blocks by zone."""


def exchange(
    home: Ints, movable: Movable, offer: SiteOffer, rng: np.random.Generator, effort: int = 0
) -> Ints:
    """Return a site for each block, -1 for none, at no more cost than ``home[block]``.

    While fewer than ``effort`` sites have been reckoned, a few blocks are thrown elsewhere and the
    search goes on from there, if that proves better.
    """
    search = _Search(home, movable, offer, swaps=effort > 0)
    search.settle()
    while search.reckoned < effort:
        search.kick(rng)
    return search.home


def moves(home: Ints, movable: Movable, offer: SiteOffer) -> list[tuple[float, int, int]]:
    """Return what each move of a block to a site changes, the best one first."""
    return _Search(home, movable, offer).moves_of_one()


def total_cost(home: Ints, movable: Movable, offer: SiteOffer) -> float:
    """Return what blocks at sites cost: their places, what others lose, walk, split, unserved."""
    search = _Search(home, movable, offer)
    here = [(block, int(home[block])) for block in search.blocks]
    used = {(int(movable.community[block]), site) for block, site in here if site >= 0}
    return (
        sum(search.paid.values())
        + sum(search.walk[block, site] for block, site in here if site >= 0)
        + sum(search.people[block] for block, site in here if site < 0) * offer.unserved
        + len(used) * movable.split
    )


class _Site:
    """One site's slots as prefix sums."""

    def __init__(self, offer: SiteOffer, site: int) -> None:
        self.offer = offer
        places = offer.places[site]
        self.runs = runs_of(places > 0)
        self.upto: list[int] = np.concatenate(([0], np.cumsum(places))).tolist()
        self.price: dict[int, list[float]] = {
            z: cost[site].tolist() for z, cost in offer.cost.items()
        }
        self.part_filled: dict[int, list[list[float]]] = {
            z: cost[:, site].tolist() for z, cost in offer.part_filled.items()
        }
        self.paid = {z: _prefix(places * cost[site]) for z, cost in offer.cost.items()}
        self.lost = _prefix(offer.main_gain[site])

    def cost(self, blocks: Blocks, people: Sequence[int]) -> float:
        """Return what the blocks cost here, served as ``streams.reserve`` does."""
        total, free, upto = 0.0, 0, self.upto
        for zone in sorted(blocks):
            waiting = sorted(blocks[zone], key=lambda b: (-people[b], b))
            end_of_zone = free
            for first, end in self.runs:
                first = max(first, free)  # noqa: PLW2901
                if not waiting or first >= end:
                    continue
                count, waiting = self._held(waiting, people, upto[end] - upto[first])
                if count:
                    past = bisect_left(upto, upto[first] + count)
                    total += self._fill(zone, first, past, count)
                    end_of_zone = min(end, past + self.offer.spare)
            total += self.offer.unserved * sum(people[b] for b in waiting)
            free = end_of_zone + self.offer.clearing if blocks[zone] else free
        return total + self.lost[min(free, len(self.lost) - 1)]

    @staticmethod
    def _held(waiting: list[int], people: Sequence[int], room: int) -> tuple[int, list[int]]:
        """Return the people that a run takes, largest blocks first, and the blocks left."""
        count, rest = 0, []
        for block in waiting:
            if people[block] <= room - count:
                count += people[block]
            else:
                rest.append(block)
        return count, rest

    def _fill(self, zone: int, first: int, past: int, count: int) -> float:
        """Return what ``count`` people pay from slot ``first`` on, the last of them before past.

        Their last tube is paid whole.
        """
        before = past - 1
        over = count - (self.upto[before] - self.upto[first])
        paid = self.paid[zone]
        rest = self.part_filled[zone][count % self.offer.pool[zone]][before]
        return paid[before] - paid[first] + over * self.price[zone][before] + rest


def _prefix(values: Floats) -> list[float]:
    sums: list[float] = np.concatenate(([0.0], np.cumsum(values))).tolist()
    return sums


class _Search:
    """Blocks at sites, and what each site costs."""

    def __init__(
        self, home: Ints, movable: Movable, offer: SiteOffer, *, swaps: bool = False
    ) -> None:
        self.home, self.movable, self.offer, self.swaps = home.copy(), movable, offer, swaps
        self.people: list[int] = movable.people.tolist()
        pairs = movable.pairs
        self.blocks: list[int] = np.unique(pairs.block).tolist()
        self.walk: dict[tuple[int, int], float] = {
            (b, s): w
            for b, s, w in zip(
                pairs.block.tolist(), pairs.site.tolist(), movable.walk_cost.tolist(), strict=True
            )
        }
        self.near: dict[int, list[int]] = {b: [] for b in self.blocks}
        for block, site in self.walk:
            if len(self.near[block]) < _LOOKED_AT:
                self.near[block].append(site)
        self.sites: dict[int, _Site] = {}
        self.here: dict[int, Blocks] = {}
        self.communities: Counter[tuple[int, int]] = Counter()
        for block in np.flatnonzero(home >= 0).tolist():
            self._enter(block, int(home[block]))
        self.reckoned = 0
        self.paid = {site: self._cost(site, blocks) for site, blocks in self.here.items()}
        self.moves: list[tuple[int, int]] = []  # block, and the site it left
        self.change = 0.0
        self.entering: dict[tuple[int, int], tuple[int, float]] = {}
        self.clock = 0
        self.changed: dict[int, int] = {}  # when a site was changed last
        self.looked: dict[int, int] = {}  # when a block was looked at last

    def settle(self) -> None:
        """Move blocks, alone or together, until none gains."""
        for _ in range(_PASSES):
            if not (self._move_each() + self._leave_together() + self._swap_each()):
                break

    def moves_of_one(self) -> list[tuple[float, int, int]]:
        """Return (change, block, site) of all moves of one block, the best one first."""
        return sorted(
            (self._entering(block, site) + self._leaving(block), block, site)
            for block in self.blocks
            for site in self.near[block]
            if site != self.home[block]
        )

    def kick(self, rng: np.random.Generator) -> None:
        """Throw some blocks of a site elsewhere, settle, and go back unless it costs less."""
        self.reckoned += _OF_A_KICK
        moves, change = len(self.moves), self.change
        block = int(rng.choice(self.blocks))
        same = [b for b in self.blocks if self.home[b] == self.home[block]]
        for one in rng.permutation(same)[: rng.integers(1, _THROWN + 1)].tolist():
            target = int(rng.choice(self.near[one]))
            if target != self.home[one]:
                self._put(one, target, self._entering(one, target) + self._leaving(one))
        while self._move_each():
            pass
        if self.change < change - _ENOUGH:
            self.settle()
            return
        while len(self.moves) > moves:
            block, source = self.moves[-1]
            self._put(block, source, 0.0)
            del self.moves[-2:]
        self.change = change
        self.looked = dict.fromkeys(self.blocks, self.clock)

    def _move_each(self) -> int:
        """Move each block to where it costs least; return how many moved."""
        return sum(self._move(block) for block in self.blocks if self._is_news(block))

    def _is_news(self, block: int) -> bool:
        """Return whether a site that the block may use has changed since it was looked at."""
        looked = self.looked.get(block, -1)
        sites = (int(self.home[block]), *self.near[block])
        return any(self.changed.get(site, 0) > looked for site in sites)

    def _swap_each(self) -> int:
        """Let each block change places with the one with which that pays most; return how many."""
        return sum(self._swap(block) for block in self.blocks) if self.swaps else 0

    def _swap(self, block: int) -> bool:
        others = self._partners(block)
        change, other = min(((self._swapping(block, b), b) for b in others), default=(0.0, -1))
        if change >= -_ENOUGH:
            return False
        here, site = int(self.home[block]), int(self.home[other])
        self._put(block, site, change)
        self._put(other, here, 0.0)
        return True

    def _partners(self, block: int) -> list[int]:
        """Return the blocks with which a block can change places."""
        here, there = int(self.home[block]), set(self.near[block]) - {int(self.home[block])}
        return [b for b in self.blocks if int(self.home[b]) in there and here in self.near[b]]

    def _swapping(self, block: int, other: int) -> float:
        """Return what changes if two blocks change places."""
        here, there = int(self.home[block]), int(self.home[other])
        change = -self.paid[here] - self.paid[there]
        is_same = self.movable.community[block] == self.movable.community[other]
        for one, two, site in ((block, other, here), (other, block, there)):
            change += self._cost(site, self._joined(self._without(one, site), two))
            change += self.walk[two, site] - self.walk[one, site]
            change += 0.0 if is_same else self._split(two, site, 0) - self._split(one, site, 1)
        return change

    def _leave_together(self) -> int:
        """Let all blocks of a zone leave a site where that pays; return how many did."""
        moved = 0
        for site in sorted(self.here):
            for zone in sorted(self.here[site]):
                group = [b for b in self.here[site].get(zone, ()) if b in self.near]
                if 1 < len(group) == len(self.here[site][zone]):
                    moved += self._leave(site, group)
        return moved

    def _leave(self, site: int, group: list[int]) -> int:
        """Move a group out of its site one after the other, and back if that does not pay."""
        before, done = self.change, []
        for block in sorted(group, key=lambda b: -self.people[b]):
            change, target = self._best(block)
            if target < 0:
                break
            self._put(block, target, change)
            done.append(block)
        if len(done) == len(group) and self.change < before - _ENOUGH:
            return len(done)
        for block in reversed(done):
            self._put(block, site, 0.0)
        self.change = before
        return 0

    def _move(self, block: int) -> bool:
        self.looked[block] = self.clock
        change, target = self._best(block)
        if change >= -_ENOUGH:
            return False
        self._put(block, target, change)
        return True

    def _best(self, block: int) -> tuple[float, int]:
        """Return the least change by moving a block, and to which site (-1: there is no other)."""
        targets = (t for t in self.near[block] if t != self.home[block])
        cost, target = min(((self._entering(block, t), t) for t in targets), default=(np.inf, -1))
        return cost + self._leaving(block), target

    def _entering(self, block: int, site: int) -> float:
        """Return what a block adds at a site."""
        stamp = self.changed.get(site, 0)
        known = self.entering.get((block, site))
        if known is None or known[0] != stamp:
            more = self._cost(site, self._with(block, site)) - self.paid.get(site, 0.0)
            more += self.walk[block, site] + self._split(block, site, 0)
            self.entering[block, site] = known = (stamp, more)
        return known[1]

    def _leaving(self, block: int) -> float:
        """Return what a block adds by leaving its site: less than nothing if that saves."""
        site = int(self.home[block])
        if site < 0:
            return -self.people[block] * self.offer.unserved
        left = self._cost(site, self._without(block, site)) - self.paid[site]
        return left - self.walk[block, site] - self._split(block, site, 1)

    def _split(self, block: int, site: int, alone: int) -> float:
        """Return the split weight where ``alone`` blocks of the community are at the site."""
        count = self.communities[int(self.movable.community[block]), site]
        return self.movable.split if count == alone else 0.0

    def _put(self, block: int, target: int, change: float) -> None:
        """Move a block, -1 for nowhere, for ``change`` person-minutes."""
        source = int(self.home[block])
        self.clock += 1
        self.moves.append((block, source))
        self.change += change
        if source >= 0:
            self.here[source] = self._without(block, source)
            self.communities[int(self.movable.community[block]), source] -= 1
        self.home[block] = target
        if target >= 0:
            self._enter(block, target)
        for site in (source, target):
            self.paid[site] = self._cost(site, self.here.get(site, {}))
            self.changed[site] = self.clock

    def _enter(self, block: int, site: int) -> None:
        self.home[block] = site
        self.here[site] = self._with(block, site)
        self.communities[int(self.movable.community[block]), site] += 1

    def _with(self, block: int, site: int) -> Blocks:
        return self._joined(self.here.get(site, {}), block)

    def _joined(self, here: Blocks, block: int) -> Blocks:
        zone = int(self.movable.zone[block])
        return {**here, zone: (*here.get(zone, ()), block)}

    def _without(self, block: int, site: int) -> Blocks:
        zone, here = int(self.movable.zone[block]), self.here[site]
        left = tuple(b for b in here[zone] if b != block)
        return {z: blocks for z, blocks in {**here, zone: left}.items() if blocks}

    def _cost(self, site: int, blocks: Blocks) -> float:
        if not blocks:
            return 0.0
        self.reckoned += 1
        if site not in self.sites:
            self.sites[site] = _Site(self.offer, site)
        return self.sites[site].cost(blocks, self.people)
