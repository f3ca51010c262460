"""What the lower bound gains because a block cannot pause.

A site that fills the first slot of every wave, where labs and finish are cheapest, calls one person
in each slot between, or begins with another block. So a site's slots in a row, a stretch, hold one
block at least. In the bound every block is given a fee, and every stretch costs a site the fee: a
block brings as much as a stretch costs at least, whatever the fee is. What a site then earns at
most is found wave after wave, by whether somebody is called in the last slot before.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scheduler.domain.city import Flags, Floats
from scheduler.solve.bound import slot_gain
from scheduler.solve.tube_bound import WholeTubes

_FEES = (1, 2, 3, 4, 6)  # slots by which one person comes later


class Pauses:
    """What sites earn less because blocks of the commonest zone cannot pause.

    ``paid`` are the fees of its blocks, person-minutes, which the bound is less.
    """

    def __init__(
        self, tubes: WholeTubes, zone: int, num_blocks: int, prices: tuple[Floats, Floats]
    ) -> None:
        """Take the best fee at ``prices``: the zone's ``cost[site, slot]`` and ``place[site]``."""
        self._tubes, self._zone = tubes, zone
        settings = tubes.instance.settings
        step = settings.weights.finish.by_zone()[zone] * settings.round.slot_minutes
        waves = self._waves(*prices)
        self._less, self.paid = np.zeros(len(waves.best)), 0.0
        for fee in (step * slots for slots in _FEES):
            less, paid = waves.whole - waves.earned(fee), fee * num_blocks
            if less.sum() - paid > self._less.sum() - self.paid:
                self._less, self.paid = np.maximum(less, 0), paid

    def cut(self, zone_cost: dict[int, Floats], place: dict[int, Floats]) -> Floats:
        """Return by how much less each site earns at the prices, person-minutes.

        Arguments as in ``WholeTubes.cut``, which is all that counts at sites where other zones gain
        as well; the zone's are those that the fee was taken at.
        """
        total = self._tubes.cut(zone_cost, place)
        rival = np.zeros(len(total), dtype=bool)
        for zone, cost in zone_cost.items():
            if zone != self._zone:
                gain = slot_gain(place[zone], cost) * self._tubes.places
                rival |= gain.any(axis=1)
        return total + np.where(rival, 0, self._less)

    def _waves(self, cost: Floats, place: Floats) -> _Waves:
        """Return what sites earn in each wave, by the slots that they use."""
        tubes = self._tubes
        clock = tubes.instance.clock
        waves = (len(cost), clock.num_waves, clock.slots_per_wave)
        places = tubes.places.reshape(waves)
        known = np.isfinite(cost) & np.isfinite(place)[:, None]
        margin = np.where(known, place[:, None] - np.where(known, cost, 0), -np.inf).reshape(waves)
        inside = (places > 0) & np.isfinite(margin)
        best = (np.maximum(np.where(inside, margin, 0), 0) * places).sum(axis=2)
        full: Flags = np.asarray(inside.all(axis=2))
        through = np.cumsum(np.where(inside, margin, 0)[:, :, ::-1], axis=2)[:, :, ::-1].copy()
        site, wave = np.nonzero(full & (best > 0))  # elsewhere only one person goes into a slot
        earned = tubes.earned(self._zone, place, (site, wave))
        best[site, wave] = np.minimum(best[site, wave], earned)
        for slot in range(waves[2]):
            through[site, wave, slot] = tubes.earned(self._zone, place, (site, wave), slot)
        return _Waves(best, through, full, np.asarray(inside.any(axis=2)))


@dataclass(frozen=True)
class _Waves:
    """What sites earn at most in each wave.

    ``best[site, wave]`` in any way, ``through[site, wave, slot]`` where somebody is called in each
    slot from that one on; ``full[site, wave]`` waves have all slots open, others ``some`` or none.
    """

    best: Floats
    through: Floats
    full: Flags
    some: Flags

    @property
    def whole(self) -> Floats:
        """What sites earn with pauses, ``[site]``."""
        total: Floats = self.best.sum(axis=1)
        return total

    def earned(self, fee: float) -> Floats:
        """Return what sites earn at most if every stretch of slots costs a fee.

        Who stretches over a wave calls somebody in each of its slots, or begins again. Waves with
        slots that are closed are counted without a fee.
        """
        idle, busy = np.zeros(len(self.best)), np.full(len(self.best), -np.inf)
        for wave in range(self.best.shape[1]):
            best, through = self.best[:, wave], self.through[:, wave]
            begun = np.maximum(through.max(axis=1) - fee, best - 2 * fee)
            held = np.maximum(through[:, 0], best - fee)
            either = np.maximum(idle, busy)
            next_idle = np.maximum(idle + np.maximum(best - fee, 0), busy + best)
            next_busy = np.maximum(idle + begun, busy + held)
            full, some = self.full[:, wave], self.some[:, wave]
            idle = np.where(full, next_idle, either + best)
            busy = np.where(full, next_busy, np.where(some, either + best, -np.inf))
        most: Floats = np.maximum(idle, busy)
        return most
