"""Live through a round many times over; two threads share the work, the answer is the same."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from scheduler.domain.city import Floats, Ints
from scheduler.domain.instance import Instance
from scheduler.simulate.cases import Case
from scheduler.simulate.couriers import Couriers
from scheduler.simulate.labs import Tubes, examine
from scheduler.simulate.queues import BIN_MIN, NUM_BINS, Part, Stay, Yard, parts_of
from scheduler.simulate.visits import Consigned, Visits

LAB_STREAM = 1_000_000
"""Random numbers of laboratories are drawn apart from those of the parts of the city."""

SHARES = (0.05, 0.5, 0.95)
HOUR_MIN = 60

Tick = Callable[[str, float], None]
"""Called with a stage and the share of it that is done."""


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


@dataclass(frozen=True)
class Results:
    """How laboratories went, by replication.

    ``tested[site, replication]`` and ``in_time`` count people, ``late_people[lab, replication]``
    those of its tubes; ``overrun_min[replication, share]`` is by how much results come after the
    promise (negative: before) at the shares of ``LATE_SHARES``; ``lab_wait_min`` and ``lab_peak``
    are mean wait and most tubes waiting ``[lab, replication]``; ``backlog[replication, hour]``
    counts tubes picked up and not yet started.
    """

    tested: Floats
    in_time: Floats
    late_people: Floats
    overrun_min: Floats
    lab_wait_min: Floats
    lab_peak: Ints
    lab_tubes: Ints
    backlog: Ints
    last_min: Floats
    waiting_at_end: Floats


LATE_SHARES = (0.5, 0.9, 0.95, 0.99, 1.0)


@dataclass(frozen=True)
class Lived:
    """A round lived through."""

    instance: Instance
    case: Case
    replications: int
    seed: int
    queues: Queues
    results: Results


def live(
    instance: Instance,
    expected: tuple[Visits, Consigned],
    case: Case,
    *,
    replications: int,
    seed: int = 0,
    workers: int = 2,
    tick: Tick = lambda _stage, _share: None,
) -> Lived:
    """Live through a round; the same seed gives the same answer with any number of workers."""
    visits, consigned = expected
    yard = Yard(instance, visits, case, replications, seed)
    parts = list(parts_of(instance, visits, replications, case))
    gather = _Gather(yard)
    with ThreadPoolExecutor(workers) as pool:
        waiting = iter(parts)
        running = [(p, pool.submit(yard.live, p)) for p in islice(waiting, workers + 1)]
        done = 0
        while running:
            part, future = running.pop(0)
            gather.add(part, future.result())
            running += [(p, pool.submit(yard.live, p)) for p in islice(waiting, 1)]
            done += 1
            tick(f"{case.name}: sites", done / len(parts))
        queues, swabbed = gather.queues(), gather.swabbed()
        couriers = Couriers(instance, consigned, case)
        begins = np.searchsorted(swabbed[:, 1], np.arange(replications + 1))

        def one(replication: int) -> _Outcome:
            rows = swabbed[begins[replication] : begins[replication + 1]]
            rng = np.random.default_rng([seed, LAB_STREAM + replication])
            return _outcome(instance, examine(instance, couriers.carry(rows, rng), case, rng))

        outcomes = []
        for outcome in pool.map(one, range(replications)):
            outcomes.append(outcome)
            tick(f"{case.name}: laboratories", len(outcomes) / replications)
    return Lived(instance, case, replications, seed, queues, _results(instance, outcomes))


class _Gather:
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
        return Queues(**columns, waits=self._waits, stays=self._stays)  # type: ignore[arg-type]  # columns by name

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


@dataclass(frozen=True)
class _Outcome:
    """One replication of the laboratories, added up."""

    tested: Floats
    in_time: Floats
    late_people: Floats
    overrun_min: Floats
    lab_wait_min: Floats
    lab_peak: Ints
    lab_tubes: Ints
    backlog: Ints
    last_min: float
    waiting_at_end: float


def _outcome(instance: Instance, tubes: Tubes) -> _Outcome:
    sites, labs = len(instance.sites), len(instance.labs)
    over = tubes.result_min - tubes.due_min
    good = over <= 0
    wait = np.where(np.isfinite(tubes.start_min), tubes.start_min - tubes.arrive_min, 0.0)
    count = np.bincount(tubes.lab, minlength=labs)
    end, finite = instance.clock.end_min, tubes.result_min[np.isfinite(tubes.result_min)]
    known = float(finite.max(initial=0.0))
    late = np.isfinite(over).all()
    return _Outcome(
        tested=np.bincount(tubes.site, tubes.people, sites),
        in_time=np.bincount(tubes.site, tubes.people * good, sites),
        late_people=np.bincount(tubes.lab, tubes.people * ~good, labs),
        overrun_min=_weighted(over, tubes.people),
        lab_wait_min=np.bincount(tubes.lab, wait, labs) / np.maximum(count, 1),
        lab_peak=_most_waiting(tubes, labs),
        lab_tubes=count,
        backlog=_backlog(tubes, known),
        last_min=known if late else np.inf,
        waiting_at_end=float(tubes.people[tubes.result_min > end].sum()),
    )


def _weighted(value: Floats, weight: Floats) -> Floats:
    """Return the values below which the ``LATE_SHARES`` of the weight lie."""
    if not len(value):
        return np.zeros(len(LATE_SHARES))
    order = np.argsort(value)
    total = np.cumsum(weight[order])
    at = np.searchsorted(total, np.array(LATE_SHARES) * total[-1] * (1 - 1e-12))
    found: Floats = value[order[np.minimum(at, len(value) - 1)]]
    return found


def _most_waiting(tubes: Tubes, labs: int) -> Ints:
    most = np.zeros(labs, dtype=np.int64)
    for lab in np.unique(tubes.lab).tolist():
        mine = tubes.lab == lab
        arrive, start = np.sort(tubes.arrive_min[mine]), np.sort(tubes.start_min[mine])
        begun = np.searchsorted(start, arrive, side="right")
        most[lab] = (np.arange(1, len(arrive) + 1) - begun).max()
    return most


def _backlog(tubes: Tubes, last_min: float) -> Ints:
    """Return tubes picked up and not yet started at each full hour."""
    hours = np.arange(0, last_min + HOUR_MIN, HOUR_MIN)
    taken, begun = np.sort(tubes.pickup_min), np.sort(tubes.start_min)
    backlog: Ints = np.searchsorted(taken, hours, side="right") - np.searchsorted(
        begun, hours, side="right"
    )
    return backlog


def _results(instance: Instance, outcomes: list[_Outcome]) -> Results:
    hours = max((len(o.backlog) for o in outcomes), default=0)
    backlog = np.zeros((len(outcomes), hours), dtype=np.int64)
    for row, outcome in enumerate(outcomes):
        backlog[row, : len(outcome.backlog)] = outcome.backlog

    def stacked(name: str) -> NDArray[np.generic]:
        return np.stack([getattr(o, name) for o in outcomes], axis=-1)

    return Results(
        tested=stacked("tested"), in_time=stacked("in_time"), late_people=stacked("late_people"),
        overrun_min=np.stack([o.overrun_min for o in outcomes]),
        lab_wait_min=stacked("lab_wait_min"), lab_peak=stacked("lab_peak"),
        lab_tubes=stacked("lab_tubes"), backlog=backlog,
        last_min=np.array([o.last_min for o in outcomes]),
        waiting_at_end=np.array([o.waiting_at_end for o in outcomes]),
    )  # type: ignore[arg-type]  # fmt: skip
