"""A fixed yardstick: one bare minimum-cost flow of OR-Tools over a city.

    .venv/bin/python -m tests.benchmarks.reference DIR

Prints JSON: size of the network, seconds of building it and of the call alone, its cost. The
network never changes with the solver and shares no code with it: one node per block, its 8 nearest
sites whatever their zone or kind, site-waves of the lanes' quota, the 6 nearest labs of each site,
lab hours up to 24 after the start of the wave, tubes of 10. Whole people, costs in thousandths of
person-minutes, the weights of DESIGN.md written down here.
"""

from __future__ import annotations

import json
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from ortools.graph.python import min_cost_flow

from scheduler.domain.city import Floats, Ints
from scheduler.domain.instance import Instance
from scheduler.ingest.loader import load_instance

NUM_SITES, NUM_LABS, LAST_HOUR = 8, 6, 24
EARTH_M, WALK_DETOUR, WALK_M_PER_MIN = 6_371_008.8, 1.3, 70.0
ROAD_DETOUR, METRES_PER_MIN, HANDLING_MIN = 1.4, 500.0, 10
SLOT_MIN, WAVE_MIN, MAX_LOAD, POOL = 15, 60, 0.95, 10
PROMISE_MIN, LATE, FINISH, UNSERVED = 360, 10.0, 0.005, 100_000.0
COST_SCALE = 1000


@dataclass
class Arcs:
    """Arcs as they are added, and nodes as they are numbered."""

    num_nodes: int = 0
    _parts: list[tuple[Ints, ...]] = field(default_factory=list)

    def nodes(self, count: int) -> Ints:
        """Number the next nodes."""
        self.num_nodes += count
        return np.arange(self.num_nodes - count, self.num_nodes)

    def add(self, tail: Ints, head: Ints, capacity: Ints, cost: Floats) -> None:
        """Add arcs; the cost is in person-minutes."""
        whole = np.rint(cost * COST_SCALE).astype(np.int64)
        self._parts.append(tuple(np.broadcast_arrays(tail, head, capacity, whole)))

    def columns(self) -> tuple[Ints, Ints, Ints, Ints]:
        """Return tail, head, capacity and cost of all arcs."""
        tail, head, capacity, cost = (np.concatenate(c) for c in zip(*self._parts, strict=True))
        return tail, head, capacity, cost


def build(instance: Instance) -> tuple[Arcs, Ints]:
    """Return the arcs of the network and the supply of each node."""
    arcs, people = Arcs(), instance.demand
    sink, blocks, sites = arcs.nodes(1), arcs.nodes(len(people)), arcs.nodes(len(instance.sites))
    arcs.add(blocks, sink, people, np.full(1, UNSERVED))
    near, metres = _nearest(_points(instance.blocks), _points(instance.sites), NUM_SITES)
    walk: Floats = metres.ravel() * WALK_DETOUR / WALK_M_PER_MIN
    at = np.repeat(np.arange(len(blocks)), near.shape[1])
    arcs.add(blocks[at], sites[near.ravel()], people[at], walk)
    site, wave, quota = _site_waves(instance)
    open_waves = arcs.nodes(len(site))
    arcs.add(sites[site], open_waves, quota, (FINISH * WAVE_MIN * wave).astype(np.float64))
    _add_labs(arcs, instance, sink, (open_waves, site, wave, quota))
    supply = np.zeros(arcs.num_nodes, dtype=np.int64)
    supply[blocks] = people
    supply[sink] = -people.sum()
    return arcs, supply


def _points(table: object) -> Floats:
    """Return places as unit vectors, so that chords order them as great circles do."""
    lat, lng = np.radians(getattr(table, "lat")), np.radians(getattr(table, "lng"))  # noqa: B009  # any table with points
    return np.stack((np.cos(lat) * np.cos(lng), np.cos(lat) * np.sin(lng), np.sin(lat)), axis=1)


def _nearest(places: Floats, targets: Floats, count: int) -> tuple[Ints, Floats]:
    """Return the nearest targets of each place, and the metres to them, shape (places, count)."""
    count = min(count, len(targets))
    found, metres = [], []
    for part in np.array_split(places, len(places) // 1000 + 1):
        cosine = np.clip(part @ targets.T, -1.0, 1.0)
        order = np.argpartition(-cosine, count - 1, axis=1)[:, :count]
        found.append(order)
        metres.append(EARTH_M * np.arccos(np.take_along_axis(cosine, order, axis=1)))
    return np.concatenate(found), np.concatenate(metres)


def _site_waves(instance: Instance) -> tuple[Ints, Ints, Ints]:
    """Return site, wave and people that can be swabbed of each wave a site is open in."""
    sites, clock = instance.sites, instance.clock
    slots = np.zeros((len(sites), clock.end_min // WAVE_MIN), dtype=np.int64)
    for row, hours in enumerate(sites.hours):
        for begin, end in clock.windows(hours, 0, clock.end_min):
            for slot in range(-(-max(begin, 0) // SLOT_MIN), min(end, clock.end_min) // SLOT_MIN):
                if slot * SLOT_MIN // WAVE_MIN < slots.shape[1]:
                    slots[row, slot * SLOT_MIN // WAVE_MIN] += 1
    rate = sites.lanes * sites.people_per_lane_hour * SLOT_MIN / 60 * MAX_LOAD
    site, wave = np.nonzero(slots)
    return site, wave, np.floor(rate[site]).astype(np.int64) * slots[site, wave]


def _add_labs(
    arcs: Arcs, instance: Instance, sink: Ints, open_waves: tuple[Ints, Ints, Ints, Ints]
) -> None:
    """Add site-wave -> (lab, wave, arrival hour) -> lab hour -> sink."""
    node, site, wave, quota = open_waves
    labs, last = instance.labs, int(wave.max()) + LAST_HOUR + 1
    near, metres = _nearest(_points(instance.sites), _points(labs), NUM_LABS)
    travel = np.ceil(metres * ROAD_DETOUR / METRES_PER_MIN + HANDLING_MIN)
    lab, hours = near[site].ravel(), (travel[site] // 60).astype(np.int64).ravel()
    each = np.repeat(np.arange(len(site)), near.shape[1])
    in_time = hours < LAST_HOUR
    lab, each, hours = lab[in_time], each[in_time], hours[in_time]
    key = np.stack((lab, wave[each], wave[each] + 1 + hours))
    batches, index = np.unique(key, axis=1, return_inverse=True)
    arrived = arcs.nodes(batches.shape[1])
    arcs.add(node[each], arrived[index.ravel()], quota[each], np.zeros(1))
    lab_hours = arcs.nodes(len(labs) * last).reshape(len(labs), last)
    capacity = np.repeat(labs.tubes_per_hour * POOL, last)
    arcs.add(lab_hours.ravel(), sink, capacity, np.zeros(1))
    for later in range(LAST_HOUR):
        hour = batches[2] + later
        fits = hour <= np.minimum(batches[1] + LAST_HOUR, last - 1)
        of, when, begin = batches[0][fits], hour[fits], batches[1][fits]
        late = np.maximum(0, (when - begin) * 60 + labs.processing_min[of] - PROMISE_MIN)
        room = labs.tubes_per_hour[of] * POOL
        arcs.add(arrived[fits], lab_hours[of, when], room, (LATE * late).astype(np.float64))


def measure(folder: Path) -> dict[str, float | int | str]:
    """Build the network of a round folder, solve it once, and return what it took."""
    instance = load_instance(folder)
    begin = time.perf_counter()
    arcs, supply = build(instance)
    tail, head, capacity, cost = arcs.columns()
    solver = min_cost_flow.SimpleMinCostFlow()
    solver.add_arcs_with_capacity_and_unit_cost(tail, head, capacity, cost)
    solver.set_nodes_supplies(np.arange(len(supply)), supply)
    built = time.perf_counter()
    status = solver.solve()
    solved = time.perf_counter()
    return {
        "arcs": len(tail),
        "nodes": len(supply),
        "build_seconds": round(built - begin, 3),
        "call_seconds": round(solved - built, 3),
        "status": status.name,
        "cost_per_person": solver.optimal_cost() / COST_SCALE / int(instance.demand.sum()),
    }


if __name__ == "__main__":
    sys.stdout.write(json.dumps(measure(Path(sys.argv[1]))) + "\n")
