"""What parts of the city may call in a wave so that the city keeps to its most people in a slot.

A wave of four slots holds four times the most people of a slot. Laboratories share out waves in a
flow that knows groups of sites, not the city: where the city calls too many in a wave each group of
the commonest zone keeps its part of them, and what other waves have to spare goes to the groups
that need it. Streams follow; tubes that are still too many in a wave move to others of their run.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from scheduler.domain.city import Flags, Floats, Ints
from scheduler.domain.instance import Instance
from scheduler.solve.layout import Layout
from scheduler.solve.waves import Load, TubeRows

_EVERYBODY = 1e-3  # share of a group's people that counts as in need, so that all get some spare
_SLACK = 1e-6  # people by which rounding may pass a wave
_MARGIN = 0.02  # share of a wave that whole blocks may need beyond their group's part
_TURNS = 4  # in which spare places are offered


class CityWaves:
    """The most people of each wave; see the module."""

    def __init__(self, instance: Instance, places: Ints, offered: Flags) -> None:
        """Take ``places[site, slot]`` in people, and which of them are offered."""
        most, per_wave = instance.settings.slots.city_people, instance.clock.slots_per_wave
        slots = np.where(offered, places, 0).sum(axis=0)
        self._capacity = np.minimum(slots, most).reshape(-1, per_wave).sum(axis=1)
        bound = (slots > most).reshape(-1, per_wave).any(axis=1)
        slack = 1 - float(instance.demand.sum()) / max(1, int(self._capacity.sum()))
        self._wanted = self._capacity * (1 - bound * np.clip(slack / 2, 0, _MARGIN))
        self.asked = most > 0
        self.holds_everybody = not self.asked or slack >= 0
        self.needed = False

    def limit(
        self, layout: Layout, called: Floats, left: Floats, room: Floats
    ) -> tuple[Floats | None, bool]:
        """Return the most people ``[group, piece]``, and whether some wave is too full now.

        ``called[group, piece]`` are people, ``left[group]`` those who found no wave,
        ``room[group, piece]`` what sites hold. No limit is returned until a wave is too full.
        """
        if not self.asked:
            return None, False
        wave = layout.column(1)
        total = self._sums(wave, called)
        over = total > (self._wanted if self.needed else self._capacity) + _SLACK
        self.needed |= bool(over.any())
        if not self.needed:
            return None, False
        kept = self._cut(
            layout, wave, called * (1 + left / np.maximum(called.sum(axis=1), 1))[:, None]
        )
        need = called.sum(axis=1) * (1 + _EVERYBODY) + left - kept.sum(axis=1)
        for _ in range(_TURNS):
            weight = np.where((wave >= 0) & (room > kept), np.maximum(need, 0)[:, None], 0.0)
            spare = np.maximum(self._wanted - self._sums(wave, kept), 0.0)
            share = spare / np.maximum(self._sums(wave, weight), _SLACK)
            kept = np.minimum(kept + weight * share[wave], np.maximum(room, kept))
        return kept, bool(over.any() or left.any())

    def _cut(self, layout: Layout, wave: Ints, called: Floats) -> Floats:
        """Cut full waves to their most; stricter zones have few other slots and keep all."""
        zone = layout.zone[layout.first]
        main = int(np.argmax(np.bincount(zone, called.sum(axis=1))))
        strict = np.where((zone != main)[:, None], called, 0.0)
        left, strict_sum = self._wanted.copy(), self._sums(wave, strict)
        strict *= np.minimum(1.0, left / np.maximum(strict_sum, _SLACK))[wave]
        left -= self._sums(wave, strict)
        rest = np.where((zone == main)[:, None], called, 0.0)
        rest *= np.minimum(1.0, left / np.maximum(self._sums(wave, rest), _SLACK))[wave]
        return np.where(wave >= 0, strict + rest, 0.0)

    def _sums(self, wave: Ints, people: Floats | Ints) -> Floats:
        real = wave >= 0
        return np.bincount(wave[real], people[real], len(self._capacity)).astype(np.float64)

    def fit(self, layout: Layout, load: Load, rows: TubeRows, tubes: Ints) -> tuple[Ints, TubeRows]:
        """Return ``tubes[stream, piece]`` moved out of waves that are too full for the city.

        Those of the commonest zone move within their run, to the nearest wave with places to spare.
        The rows' room is cut to what the city has to spare, so that later steps keep to it as well.
        """
        if not self.needed:
            return tubes, rows
        wave, run = layout.column(1)[layout.group], layout.column(0)[layout.group]
        pool, tubes = load.pool[:, None], tubes.copy()
        spare = self._capacity - self._sums(wave, tubes * pool)
        main = layout.zone == np.argmax(np.bincount(layout.zone, (tubes * pool).sum(axis=1)))
        movable = np.where(main[:, None], rows.room, 0)
        for full in np.flatnonzero(spare < 0).tolist():
            for target in np.argsort(np.abs(np.arange(len(spare)) - full), kind="stable").tolist():
                if spare[full] < 0 < spare[target]:
                    _move(tubes, movable, (wave, run), (full, target), spare, load.pool)
        open_room = np.where(wave >= 0, rows.room - tubes, 0) * pool
        part = np.maximum(spare, 0) / np.maximum(self._sums(wave, open_room), _SLACK)
        room = tubes + np.floor(open_room * np.minimum(part, 1.0)[wave] / pool).astype(np.int64)
        return tubes, replace(rows, room=room)


def _move(
    tubes: Ints, room: Ints, where: tuple[Ints, Ints], waves: tuple[int, int], spare: Floats,
    pool: Ints,
) -> None:  # fmt: skip
    """Move tubes of streams from one wave to another of the same run; a tube is left behind.

    A stream has one piece in a wave, or more where it pauses within.
    """
    wave, run = where
    full, target = waves
    stream, at = np.nonzero((wave == full) & (tubes > 1))
    other, to = np.nonzero(wave == target)
    first = np.searchsorted(other, stream)
    known = first < len(other)
    known[known] = other[first[known]] == stream[known]
    stream, at, to = stream[known], at[known], to[first[known]]
    same = run[stream, at] == run[stream, to]
    stream, at, to = stream[same], at[same], to[same]
    count = np.minimum(tubes[stream, at] - 1, room[stream, to] - tubes[stream, to])
    count = np.maximum(count, 0)
    want = min(-spare[full], spare[target])
    upto = np.cumsum(count * pool[stream])
    if not len(upto) or not upto[-1]:
        return
    part = np.floor(count * min(1.0, want / upto[-1])).astype(np.int64)
    tubes[stream, at] -= part
    tubes[stream, to] += part
    moved = float((part * pool[stream]).sum())
    spare[full] += moved
    spare[target] -= moved
