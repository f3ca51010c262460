"""What the lower bound gains because tubes are whole.

A site sells the places of a wave at the prices of the bound, and buys laboratory time for whole
tubes: 276 places are 27 tubes of ten and one of six, which costs as much as a full one. So it earns
less than if each person bought a tenth of a tube. For given people in a wave the dearest slots are
left out, what they pay is concave and piecewise linear, and what tubes cost is concave between full
tubes; so that the best number of people is 0, a multiple of the pool size, or fills some slots to
the last place.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from scheduler.domain.city import Floats, Ints
from scheduler.domain.instance import Instance
from scheduler.solve.bound import LabCosts, slot_gain

_NOTHING = 1e-9  # person-minutes
_SIZES = (1, 3)  # people in tubes that are priced besides full ones
_MORE_SIZES = (6, 9)  # the same for stricter zones


@dataclass(frozen=True)
class WholeTubes:
    """Laboratory time at its prices, and ``places[site, slot]`` that are offered (else 0)."""

    instance: Instance
    costs: LabCosts
    travel: Ints
    places: Ints
    known: dict[tuple[int, int], Floats] = field(default_factory=dict)

    def cut(self, zone_cost: dict[int, Floats], place: dict[int, Floats]) -> Floats:
        """Return by how much less each site earns at the prices, person-minutes.

        Arguments as in ``BoundFinder.evaluate``, ``place`` without values that are not finite.
        Waves in which several zones pay more than they cost are left as they are.
        """
        clock = self.instance.clock
        waves = (len(self.places), clock.num_waves, clock.slots_per_wave)
        gains = {}
        for zone, cost in zone_cost.items():
            gain = slot_gain(place[zone], cost)
            gains[zone] = (gain * self.places).reshape(waves).sum(axis=2)
        alone = sum((gain > _NOTHING).astype(np.int64) for gain in gains.values()) == 1
        total = np.zeros(len(self.places))
        for zone, gain in gains.items():
            if self.instance.settings.pooling.by_zone()[zone] > 1:
                total += self._cut_of(zone, place[zone], np.where(alone, gain, 0))
        return total

    def part_filled(self, pool: int) -> Floats:
        """Return what a tube costs at least beyond its people's shares, ``[people, site, wave]``.

        What it costs is concave in its people, so that it lies above the chords between the numbers
        of people that are priced. Nobody needs no tube.
        """
        sizes = sorted({min(n, pool) for n in (*_SIZES, *_MORE_SIZES, pool)})
        costs = [self._tube_cost(pool, n) for n in sizes]
        known = np.isfinite(np.stack(costs)).all(axis=0)
        beyond = np.zeros((pool, *known.shape))
        full = np.where(known, costs[-1], 0.0)
        rests = [
            np.where(known, cost, 0.0) - full * size / pool
            for size, cost in zip(sizes, costs, strict=True)
        ]
        for (less, low), (more, high) in pairwise(zip(sizes, rests, strict=True)):
            for n in range(less, more):
                beyond[n] = np.maximum(0.0, low + (high - low) * ((n - less) / (more - less)))
        return beyond

    def _cut_of(self, zone: int, place: Floats, earned: Floats) -> Floats:
        """Return one zone's cut by site; ``earned[site, wave]`` if tubes were bought in parts."""
        site, wave = np.nonzero(earned > _NOTHING)
        if not len(site):
            return np.zeros(len(self.places))
        best = self.earned(zone, place, (site, wave))
        cut = np.maximum(earned[site, wave] - best, 0)
        return np.bincount(site, cut, minlength=len(self.places)).astype(np.float64)

    def earned(
        self, zone: int, place: Floats, at: tuple[Ints, Ints], called_from: int | None = None
    ) -> Floats:
        """Return what sites earn at most in waves, ``at`` being columns of them.

        With ``called_from`` at least one person is called in each of its slots from that one on,
        and nobody before; all of them must have places.
        """
        settings, (site, wave) = self.instance.settings, at
        pool = settings.pooling.by_zone()[zone]
        per_wave = self.instance.clock.slots_per_wave
        slot = wave[:, None] * per_wave + np.arange(called_from or 0, per_wave)
        finish = settings.weights.finish.by_zone()[zone] * slot * settings.round.slot_minutes
        room = self.places[site[:, None], slot]
        paid = place[site][:, None] - finish  # dearest slots last: finish rises with time
        costs = [(n, cost[site, wave]) for n, cost in self._tube_costs(pool)]
        if called_from is None:
            return np.maximum(_best_count(room, paid, pool, costs), 0)
        return _best_count(room - 1, paid, pool, costs, paid.sum(axis=1), paid.shape[1])

    def _tube_costs(self, pool: int) -> list[tuple[int, Floats]]:
        """Return what a tube with so many people in it costs at least, ``[site, wave]``."""
        sizes = sorted({min(n, pool) for n in (*_SIZES, pool)})
        return [(size, self._tube_cost(pool, size)) for size in sizes]

    def _tube_cost(self, pool: int, people: int) -> Floats:
        """Return what a tube with so many people costs at least, ``[site, wave]``."""
        if (pool, people) not in self.known:
            cost = self.costs.wave_cost(self.travel, pool, people) * people
            self.known[pool, people] = cost
        return self.known[pool, people]


def _best_count(
    room: Ints,
    paid: Floats,
    pool: int,
    costs: list[tuple[int, Floats]],
    had: Floats | float = 0.0,
    others: int = 0,
) -> Floats:
    """Return what the best number of people earns who fill the slots in order.

    So many ``others`` are there already, who have paid ``had``, and share their tubes.
    """
    upto = np.cumsum(room, axis=1)
    takings = np.cumsum(paid * room, axis=1)
    best = np.full(len(room), -np.inf)
    for people in (others + np.zeros(len(room), dtype=np.int64), *(others + upto).T):
        for count in (people, people // pool * pool, -(-people // pool) * pool):
            count = np.clip(count, others, others + upto[:, -1])  # noqa: PLW2901  # no more come
            earned = had + _takings(count - others, upto, takings, paid)
            best = np.maximum(best, earned - _tubes(count, pool, costs))
    return best


def _tubes(people: Ints, pool: int, costs: list[tuple[int, Floats]]) -> Floats:
    """Return what the tubes of so many people cost at least.

    What a tube costs is concave in its people (the least of prices plus lateness per person), so
    that it lies above the chords between the sizes that are known.
    """
    rest = people % pool
    part = np.zeros(len(people))
    for (less, low), (more, high) in pairwise(costs):
        chord = low + (high - low) * ((rest - less) / (more - less))
        part = np.where((rest >= less) & (rest <= more), chord, part)
    total: Floats = people // pool * costs[-1][1] + part
    return total


def _takings(count: Ints, upto: Ints, takings: Floats, paid: Floats) -> Floats:
    """Return what ``count`` people pay who fill the slots in order."""
    row = np.arange(len(count))
    column = np.minimum((count[:, None] > upto).sum(axis=1), upto.shape[1] - 1)
    before = np.where(column > 0, column - 1, 0)
    held = np.where(column > 0, upto[row, before], 0)
    had = np.where(column > 0, takings[row, before], 0)
    total: Floats = had + (count - held) * paid[row, column]
    return total
