"""A lower bound for tight rounds that knows whole blocks of all zones at once.

Blocks of all zones have prices (``block_prices``, ``patterns``), and every site makes the most of
them: the best whole blocks of the commonest zone alone, or the best pattern of the stricter zones
and what is left to the commonest one beside it. The latter is reckoned at the site's price of a
place: whole blocks bring no more than the best sum that has room beside the pattern is worth at
that price, and what the price earns in the slots that remain. Any prices of blocks and places give
a valid bound.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from scheduler.domain.city import Flags, Floats, Ints
from scheduler.domain.settings import Zone
from scheduler.solve.ascent import STEADY, Ascent, Pace, patient
from scheduler.solve.bound import BoundFinder, ByZone, foregone_prices, place_prices, slot_gain
from scheduler.solve.knapsacks import best_set, best_sums, cost_upto, trace_back
from scheduler.solve.pattern_bound import patterns_of
from scheduler.solve.patterns import Answer, Patterns
from scheduler.solve.whole_bound import WholeBound

_PAIR_TURNS = 56_000_000  # pairs looked at in all turns of prices
_TURNS, _MOST_TURNS, _PAIR_TURNS_OF_MOST = 160, 400, 12_000_000
"""Turns of prices, and of rounds with fewer pairs: 260 leave a million people at 97 % 0.04 % less
than 160, and 400 leave 100,000 and 200,000 people 0.13 and 0.22 % less."""
_FIRST_TURNS = 2  # after which the prices of places are chosen: ten choose no better
_STRICT_TURNS = 80  # of the stricter zones' prices before
_STRIDE = 0.006
_PART_OF_TURNS = 4  # after this part of many turns each site has a price of its own
_NEARBY = (0.7, 0.85, 1.2, 1.5)
"""Times the price of a place that a site may have instead: with those of the other ways they leave
100,000 people 0.08 % less."""


def joint_bound(
    finder: BoundFinder,
    zone_cost: ByZone,
    prices: list[ByZone],
    beyond: Floats,
    part_filled: Callable[[int], Floats],
) -> float:
    """Return the bound of the round before the labs' earnings are taken off, 0 if there is none.

    Arguments as in ``whole_bound``, and ``part_filled`` as in ``pattern_bound``. Of several
    ``prices`` of places those that begin best are gone on with.
    """
    main = finder.main_zone
    strict = [z for z in zone_cost if z != Zone.LOCKDOWN and z < main]
    if not strict or any(z > main for z in zone_cost):
        return 0.0
    ways = [
        _JointBound(finder, zone_cost, place_prices(zone_cost, price), part_filled)
        for price in prices
    ]
    first = _FIRST_TURNS if len(ways) > 1 else 1
    begun = [(*way.ascend(way.start(beyond), first, STEADY), way) for way in ways]
    bound, price, way = max(begun, key=lambda one: one[0])
    turns, rest = way.turns(), STEADY
    if turns > _TURNS:
        rest = patient(turns)
        found, price = way.ascend(price, turns // _PART_OF_TURNS, rest)
        way = way.with_price_of_each(ways, price)
        turns, bound = turns - turns // _PART_OF_TURNS, max(bound, found)
    return max(bound, way.ascend(price, turns, rest)[0])


class _JointBound:
    def __init__(
        self,
        finder: BoundFinder,
        cost: ByZone,
        place: ByZone,
        part_filled: Callable[[int], Floats],
    ) -> None:
        self.finder, self.cost, self.place = finder, cost, place
        self._part_filled = part_filled
        self._known: Patterns | None = None
        self.places = np.where(finder.offered, finder.places, 0)
        self.main = finder.main_zone
        self.strict = [z for z in cost if z not in {int(Zone.LOCKDOWN), self.main}]
        others = {z: c for z, c in cost.items() if z not in self.strict}
        self.whole = WholeBound(finder, others, {z: place[z] for z in others})
        demand, zone = finder.instance.demand, finder.instance.block_zone
        self.main_people = np.where(zone == self.main, demand, 0)
        self.strict_people = np.where(np.isin(zone, self.strict), demand, 0)
        self._highest = finder.instance.settings.weights.unserved  # of a block's price

    def turns(self) -> int:
        """Return how often prices change: more often where fewer pairs are looked at."""
        pairs = max(1, int((self.main_people[self.finder.pairs.block] > 0).sum()))
        few = min(_TURNS, 1 + _PAIR_TURNS // pairs)
        return max(few, min(_MOST_TURNS, _PAIR_TURNS_OF_MOST // pairs))

    def ascend(self, price: Floats, turns: int, pace: Pace) -> tuple[float, Floats]:
        """Return the bound after some turns from prices of blocks, and its prices."""
        finder = self.finder
        people = self.main_people + self.strict_people
        least = min(float(self.cost[z].min(initial=np.inf)) for z in (*self.strict, self.main))
        while True:
            sites = _Sites(self)
            most = sites.patterns.capped(np.full(len(price), self._highest))
            start = np.where(sites.asked, np.minimum(price, most), 0.0)
            ascent = Ascent(start, _STRIDE, most, pace)
            for _ in range(turns):
                now = ascent.now
                bound, found = sites.bound(now)
                ascent.move(np.where(sites.asked, 1.0 - found, 0.0), bound, sites.asked)
                ascent.note(now, bound)
            price = ascent.best
            worth = np.where(people > 0, price / np.maximum(people, 1), 0.0)
            if not finder.asks_farther(worth, least).any():
                hopeless = float(people[~sites.asked].sum()) * self._highest
                return ascent.bound + hopeless + self._of_sealed(), price
            finder.look_farther(worth, least)
            turns = 1

    def with_price_of_each(self, others: list[_JointBound], price: Floats) -> _JointBound:
        """Return the bound with that price of a place at each site at which it earns least.

        It has one of ``others``, or one nearby its own; ``price`` is that of blocks.
        """
        own = self.place[self.main]
        nearby = [self._at_place(own * times) for times in _NEARBY]
        ways = [self, *(other for other in others if other is not self), *nearby]
        earned = np.stack([_Sites(way).earned(price) for way in ways])
        places = np.stack([way.place[self.main] for way in ways])
        return self._at_place(places[np.argmin(earned, axis=0), np.arange(len(own))])

    def _at_place(self, price: Floats) -> _JointBound:
        """Return the bound at other prices of places for the commonest zone."""
        place = {**self.place, self.main: price}
        return _JointBound(self.finder, self.cost, place, self._part_filled)

    def patterns(self) -> Patterns:
        """Return the patterns of the stricter zones' pairs that are known."""
        gain = slot_gain(self.place[self.main], self.cost[self.main]) * self.places
        cost = {z: self.cost[z] for z in self.strict}
        asked = self.strict_people > 0, gain
        self._known = patterns_of(
            self.finder, cost, asked, self._part_filled, self._known, whole=True
        )
        return self._known

    def start(self, beyond: Floats) -> Floats:
        """Return prices of blocks: of the commonest zone's ``beyond`` their walk and place.

        Those of the stricter zones are settled along their patterns alone.
        """
        finder, highest = self.finder, self._highest
        place = foregone_prices(self.cost, self.place)
        first = np.where(self.strict_people > 0, finder.cheapest(place), 0.0)
        nothing = np.zeros(len(self.places))
        price = self.patterns().ascend(
            np.minimum(first * self.strict_people, highest), _STRICT_TURNS, highest, nothing
        )
        _, level, _ = self.whole.sacks(self.main_people)
        return np.where(self.main_people > 0, np.minimum(level + beyond, highest), price.best)

    def _of_sealed(self) -> float:
        """Return what sealed areas cost at least, what their places earn taken off."""
        finder, sealed = self.finder, int(Zone.LOCKDOWN)
        if sealed not in self.cost:
            return 0.0
        paid = finder.paid_by_community({sealed: self.place[sealed]})
        gain = slot_gain(self.place[sealed], self.cost[sealed]) * self.places
        return float(paid[finder.instance.communities.zone == sealed].sum()) - float(gain.sum())


@dataclass(frozen=True)
class _Run:
    """What the commonest zone makes of a run at a site that stricter zones may come to.

    ``rows`` are the pairs that it looks at, ``taken`` what ``trace_back`` asks for; ``alone`` are
    the people of its best set if nobody else comes, worth ``worth``; ``worth_of[people]`` is what
    so many people in whole blocks are worth beyond the price of a place.
    """

    rows: Ints
    taken: list[Flags]
    alone: int
    worth: float
    worth_of: Floats


class _Sites:
    """All sites at the pairs that are known; ``asked[block]`` has a pair."""

    def __init__(self, joint: _JointBound) -> None:
        self.patterns = joint.patterns()
        self.sacks, _, self._split = joint.whole.sacks(joint.main_people)
        movable, blocks = self.patterns.movable, self.patterns.blocks
        self._split += movable.split * len(np.unique(movable.community[blocks]))
        self.asked = self.sacks.people > 0
        self.asked[blocks] = True
        sites, places, cost = self.patterns.sites, joint.places, joint.cost[joint.main]
        self._num_sites = len(places)
        number = np.full(len(places), -1, dtype=np.int64)
        number[sites] = np.arange(len(sites))
        runs = joint.whole.runs
        self._at = number[runs[:, 0]]  # number of each run's site among those with patterns, or -1
        self._runs = [np.flatnonzero(self._at == n).tolist() for n in range(len(sites))]
        self._upto = {
            run: cost_upto(cost[site, first:end], places[site, first:end])
            for run, (site, first, end) in enumerate(runs.tolist())
            if self._at[run] >= 0
        }
        self._price = joint.place[joint.main][runs[:, 0]]
        gain = slot_gain(joint.place[joint.main], cost) * places
        self._earned = gain.sum(axis=1)[sites]
        self._least_lost = [np.append(0, np.cumsum(np.sort(p[p > 0]))) for p in places[sites]]

    def bound(self, price: Floats) -> tuple[float, Ints]:
        """Return what all blocks cost at least at their prices, and how often each is wanted."""
        price = self.patterns.capped(price)
        sacks, movable = self.sacks, self.patterns.movable
        value = price[sacks.pairs.block] - sacks.cost
        worth, chosen = self._without_patterns(value)
        blocks = [sacks.pairs.block[rows] for rows in chosen]
        for n, (runs, answer, alone, beside) in enumerate(self._made_by_site(price, value)):
            worth += max(alone, beside)
            slots = answer.slots if beside > alone else -1
            blocks += [self._blocks(run, n, slots) for run in runs]
            if slots >= 0:
                blocks.append(movable.pairs.block[answer.rows])
        every = np.concatenate([np.empty(0, dtype=np.int64), *blocks])
        found = np.bincount(every, minlength=len(price))
        return float(price[self.asked].sum()) - self._split - worth, found

    def earned(self, price: Floats) -> Floats:
        """Return what each site makes of prices of blocks, 0 where no stricter zone may come."""
        price = self.patterns.capped(price)
        value = price[self.sacks.pairs.block] - self.sacks.cost
        earned = np.zeros(self._num_sites)
        made = self._made_by_site(price, value)
        earned[self.patterns.sites] = [max(alone, beside) for *_, alone, beside in made]
        return earned

    def _made_by_site(
        self, price: Floats, value: Floats
    ) -> Iterator[tuple[list[_Run], Answer, float, float]]:
        """Yield what each site with patterns makes of prices.

        These are its runs, its best pattern, what it is worth to the commonest zone alone, and with
        that pattern.
        """
        made = [[self._made(run, value) for run in runs] for runs in self._runs]
        losses = [self._losses(runs, n) for n, runs in enumerate(made)]
        answers = self.patterns.answers(price, losses)
        for n, (runs, answer) in enumerate(zip(made, answers, strict=True)):
            alone = sum(run.worth for run in runs)
            most = sum(float(run.worth_of.max()) for run in runs)
            yield runs, answer, alone, answer.worth + float(self._earned[n]) + most

    def _without_patterns(self, value: Floats) -> tuple[float, list[Ints]]:
        """Return what the other sites make of values of pairs, and the pairs that they choose."""
        sacks, total, chosen = self.sacks, 0.0, []
        for run in np.flatnonzero(self._at < 0).tolist():
            rows = sacks.rows[run]
            worth, best = best_set(sacks.size[rows], value[rows], sacks.upto[run])
            total += worth
            chosen.append(rows[best])
        return total, chosen

    def _made(self, run: int, value: Floats) -> _Run:
        """Return what the commonest zone makes of a run."""
        sacks, upto, price = self.sacks, self._upto[run], float(self._price[run])
        rows = sacks.rows[run]
        rows = rows[sacks.size[rows] < len(upto)]
        size = sacks.size[rows]
        rows = rows[value[rows] > np.minimum(upto[size], price * size)]
        rows = rows[np.argsort(sacks.size[rows], kind="stable")]
        best, taken = best_sums(sacks.size[rows], value[rows], len(upto) - 1)
        alone = int(np.argmax(best - upto))
        worth_of = np.maximum.accumulate(best - price * np.arange(len(upto)))
        return _Run(rows, taken, alone, float(best[alone] - upto[alone]), worth_of)

    def _losses(self, runs: list[_Run], number: int) -> Floats:
        """Return what whole blocks lose at most when so many slots are taken, ``[slots]``.

        Where a site closes in between, it is not known whose room is taken.
        """
        if len(runs) != 1:
            return np.zeros(1)
        worth_of = runs[0].worth_of
        lost: Floats = worth_of[-1] - worth_of[np.maximum(0, self._room(runs[0], number))]
        return lost

    def _room(self, run: _Run, number: int) -> Ints:
        """Return the people that fit in at most when so many slots are taken, ``[slots]``."""
        room: Ints = len(run.worth_of) - 1 - self._least_lost[number]
        return room

    def _blocks(self, run: _Run, number: int, slots: int) -> Ints:
        """Return the best blocks of a run if so many slots are taken, -1 if there is no pattern."""
        people = run.alone
        if slots >= 0:
            rooms = self._room(run, number)
            room = rooms[min(slots, len(rooms) - 1)] if len(self._runs[number]) == 1 else None
            within = run.worth_of if room is None else run.worth_of[: max(0, int(room)) + 1]
            people = int(np.argmax(within))
        sizes = self.sacks.size[run.rows].tolist()
        found: Ints = self.sacks.pairs.block[run.rows[trace_back(sizes, run.taken, people)]]
        return found
