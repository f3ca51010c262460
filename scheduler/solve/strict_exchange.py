"""Blocks of stricter zones change sites once prices are known.

At a site that several zones share each costs the next one its time and a clearing, so that it is
not enough that each zone does well for itself. At the prices of labs and places a site costs what
the people of the stricter zones pay in their slots, and what the commonest zone would have gained
in all slots that it loses. Blocks move, or leave a site together, while that lowers the sum of all
sites, walking and the split term: a local search.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from scheduler.domain.city import Floats, Ints
from scheduler.solve.candidates import Pairs
from scheduler.solve.streams import runs_of

_LOOKED_AT = 12  # nearest sites of a block
_PASSES = 20
_ENOUGH = 1e-6  # person-minutes

Blocks = dict[int, tuple[int, ...]]
"""Blocks by zone."""


@dataclass(frozen=True)
class SiteOffer:
    """What sites offer, ``[site, slot]``, and what zones pay for it in person-minutes.

    ``places`` are people that may be called (0: not offered), ``cost[zone]`` is finish plus lab
    price per person, ``empty[zone]`` the lab price of a place of a tube that nobody takes,
    ``pool[zone]`` places per tube, ``main_gain`` what the commonest zone gains in a whole slot.
    ``spare`` slots are kept behind a zone's last person, ``clearing`` more before the next zone;
    ``unserved`` is what a person without a slot costs.
    """

    places: Ints
    cost: dict[int, Floats]
    empty: dict[int, Floats]
    pool: dict[int, int]
    main_gain: Floats
    spare: int
    clearing: int
    unserved: float


@dataclass(frozen=True)
class Movable:
    """Blocks that may move, with all their candidates: ``walk_cost[pair]`` of the whole block.

    ``people``, ``zone`` and ``community`` are by block, ``split`` is per extra site of a community.
    """

    pairs: Pairs
    walk_cost: Floats
    people: Ints
    zone: Ints
    community: Ints
    split: float


def exchange(home: Ints, movable: Movable, offer: SiteOffer) -> Ints:
    """Return a site for each block, -1 for none, at no more cost than ``home[block]``."""
    search = _Search(home, movable, offer)
    for _ in range(_PASSES):
        if not (search.move_each() + search.leave_together()):
            break
    return search.home


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
        self.empty: dict[int, list[float]] = {
            z: cost[site].tolist() for z, cost in offer.empty.items()
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
        rest = -count % self.offer.pool[zone] * self.empty[zone][before]
        return paid[before] - paid[first] + over * self.price[zone][before] + rest


def _prefix(values: Floats) -> list[float]:
    sums: list[float] = np.concatenate(([0.0], np.cumsum(values))).tolist()
    return sums


class _Search:
    """Blocks at sites, and what each site costs."""

    def __init__(self, home: Ints, movable: Movable, offer: SiteOffer) -> None:
        self.home, self.movable, self.offer = home.copy(), movable, offer
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
        self.paid = {site: self._cost(site, blocks) for site, blocks in self.here.items()}

    def move_each(self) -> int:
        """Move each block to where it costs least; return how many moved."""
        return sum(self._move(block) for block in self.blocks)

    def leave_together(self) -> int:
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
        change, done = 0.0, []
        for block in sorted(group, key=lambda b: -self.people[b]):
            best, target = min(
                ((self._change(block, t), t) for t in self.near[block] if t != site),
                default=(np.inf, -1),
            )
            if not np.isfinite(best):
                break
            change += best
            self._put(block, target)
            done.append(block)
        if len(done) == len(group) and change < -_ENOUGH:
            return len(done)
        for block in reversed(done):
            self._put(block, site)
        return 0

    def _move(self, block: int) -> bool:
        best, target = min(
            ((self._change(block, t), t) for t in self.near[block] if t != self.home[block]),
            default=(np.inf, -1),
        )
        if best >= -_ENOUGH:
            return False
        self._put(block, target)
        return True

    def _change(self, block: int, target: int) -> float:
        """Return what it costs more to have a block at another site."""
        source = int(self.home[block])
        more = self._cost(target, self._with(block, target)) - self.paid.get(target, 0.0)
        more += self.walk[block, target] + self._split(block, target, 0)
        if source < 0:
            return more - self.people[block] * self.offer.unserved
        less = self.paid[source] - self._cost(source, self._without(block, source))
        return more - less - self.walk[block, source] - self._split(block, source, 1)

    def _split(self, block: int, site: int, alone: int) -> float:
        """Return the split weight where ``alone`` blocks of the community are at the site."""
        count = self.communities[int(self.movable.community[block]), site]
        return self.movable.split if count == alone else 0.0

    def _put(self, block: int, target: int) -> None:
        source = int(self.home[block])
        if source >= 0:
            self.here[source] = self._without(block, source)
            self.communities[int(self.movable.community[block]), source] -= 1
            self.paid[source] = self._cost(source, self.here[source])
        self._enter(block, target)
        self.paid[target] = self._cost(target, self.here[target])

    def _enter(self, block: int, site: int) -> None:
        self.home[block] = site
        self.here[site] = self._with(block, site)
        self.communities[int(self.movable.community[block]), site] += 1

    def _with(self, block: int, site: int) -> Blocks:
        zone, here = int(self.movable.zone[block]), self.here.get(site, {})
        return {**here, zone: (*here.get(zone, ()), block)}

    def _without(self, block: int, site: int) -> Blocks:
        zone, here = int(self.movable.zone[block]), self.here[site]
        left = tuple(b for b in here[zone] if b != block)
        return {z: blocks for z, blocks in {**here, zone: left}.items() if blocks}

    def _cost(self, site: int, blocks: Blocks) -> float:
        if not blocks:
            return 0.0
        if site not in self.sites:
            self.sites[site] = _Site(self.offer, site)
        return self.sites[site].cost(blocks, self.people)
