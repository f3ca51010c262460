"""Parts of the city added up: how queues went at every site and in every district."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scheduler.domain.city import Floats, Ints
from scheduler.simulate.queues import BIN_MIN, NUM_BINS, Part, Stay, Yard


@dataclass(frozen=True)
class Queues:
    """How sites went; rows are the sites that expected somebody.

    ``peak[row, replication]`` is the longest queue, ``beyond[row, slot]`` the share of
    replications in which it was longer than the ground holds, ``level[row]`` the share of slots in
    which people were expected and it was not. ``wait_min[row]`` holds mean, median, 95 % and
    longest; ``waits`` and ``stays`` count people ``[district, replication, half-minute]``.
    """

    site: Ints
    places: Ints
    people: Floats
    peak: Ints
    beyond: Floats
    level: Floats
    wait_min: Floats
    waits: Ints
    stays: Ints
    beyond_people: Ints
    last_min: Floats


class Gather:
    """Adds up parts, in whatever order they are lived through."""

    def __init__(self, yard: Yard) -> None:
        self._yard = yard
        instance = yard.instance
        self._districts, self._district = np.unique(
            instance.sites.districts.astype(str), return_inverse=True
        )
        shape = (len(self._districts), yard.replications, NUM_BINS)
        self._waits, self._stays = np.zeros(shape, np.int64), np.zeros(shape, np.int64)
        self._rows: list[dict[str, NDArray[np.generic]]] = []
        self._swabbed: list[Ints] = []
        targets, sites = instance.settings.targets, instance.sites
        self._places = np.floor(sites.queue_length_m / targets.spacing_m + 1e-9).astype(np.int64)

    def add(self, part: Part, stay: Stay) -> None:
        """Take in a part."""
        places = self._places[part.sites]
        over = stay.peaks > places[:, None, None]
        called = self._called(part)
        slots = np.maximum(called.sum(axis=1), 1)
        bad = (over & called[:, None, :]).sum(axis=(1, 2))
        people = stay.waits.sum(axis=(1, 2)).astype(np.float64)
        pooled = stay.waits.sum(axis=1)
        beyond = (stay.peaks.max(axis=2) - places[:, None]).clip(0)
        self._rows.append(
            {
                "site": part.sites, "places": places, "people": people / stay.waits.shape[1],
                "peak": stay.peaks.max(axis=2).astype(np.int64), "beyond": over.mean(axis=1),
                "level": 1 - bad / (slots * stay.peaks.shape[1]),
                "wait_min": np.column_stack(
                    (stay.wait_min.sum(axis=1) / np.maximum(people, 1), quantile_min(pooled, 0.5),
                     quantile_min(pooled, 0.95), stay.longest_min.max(axis=1))
                ),
                "beyond_people": beyond.astype(np.int64), "last_min": stay.last_min,
            }
        )  # fmt: skip
        district = self._district[part.sites]
        np.add.at(self._waits, district, stay.waits)
        np.add.at(self._stays, district, stay.stays)
        self._swabbed.append(stay.swabbed)

    def _called(self, part: Part) -> NDArray[np.bool_]:
        """Return the slots in which people are expected, ``[site, slot]``."""
        slot_min = self._yard.instance.settings.round.slot_minutes
        visits, slots = self._yard.visits, self._yard.num_slots
        called = np.zeros((len(part.sites), slots), dtype=bool)
        for row, (a, b) in enumerate(zip(part.first.tolist(), part.end.tolist(), strict=True)):
            for start, width in zip(visits.start_min[a:b].tolist(), visits.width_min[a:b].tolist(),
                                    strict=True):  # fmt: skip
                first = min(max(start // slot_min, 0), slots - 1)
                called[row, first : max(first + 1, -(-(start + width) // slot_min))] = True
        return called

    def queues(self) -> Queues:
        """Return all sites, in the order of the input."""
        table = {name: np.concatenate([row[name] for row in self._rows]) for name in self._rows[0]}
        order = np.argsort(table["site"])
        columns = {name: column[order] for name, column in table.items()}
        return Queues(**columns, waits=self._waits, stays=self._stays)

    def swabbed(self) -> Ints:
        """Return rows (site, replication, wave, zone, people) by replication, site, zone, wave."""
        rows = np.concatenate(self._swabbed)
        order = np.lexsort((rows[:, 2], rows[:, 3], rows[:, 0], rows[:, 1]))
        sorted_rows: Ints = rows[order]
        return sorted_rows


def quantile_min(count: Ints, share: float) -> Floats:
    """Return the upper end of the half-minute below which a share of people lies, ``[...]``."""
    total = count.sum(axis=-1, keepdims=True)
    reached = np.cumsum(count, axis=-1) >= share * total
    minutes: Floats = np.where(total[..., 0] > 0, (reached.argmax(axis=-1) + 1) * BIN_MIN, 0.0)
    return minutes
