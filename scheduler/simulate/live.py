"""Live through a round many times over; some threads share the work, the answer is the same."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice

import numpy as np

from scheduler.domain.instance import Instance
from scheduler.simulate.cases import Case
from scheduler.simulate.couriers import Couriers
from scheduler.simulate.gather import Gather, Queues
from scheduler.simulate.labs import examine
from scheduler.simulate.queues import Yard, parts_of
from scheduler.simulate.results import Outcome, Results, add_up, outcome_of
from scheduler.simulate.visits import Consigned, Visits

LAB_STREAM = 1_000_000
"""Random numbers of laboratories are drawn apart from those of the parts of the city."""

Tick = Callable[[str, float], None]
"""Called with a stage and the share of it that is done."""


@dataclass(frozen=True)
class Lived:
    """A round lived through."""

    instance: Instance
    case: Case
    replications: int
    seed: int
    queues: Queues
    results: Results


def live(  # noqa: PLR0913  # a round, what happens, and how it is lived through
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
    gather = Gather(yard)
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

        def one(replication: int) -> Outcome:
            rows = swabbed[begins[replication] : begins[replication + 1]]
            rng = np.random.default_rng([seed, LAB_STREAM + replication])
            return outcome_of(instance, examine(instance, couriers.carry(rows, rng), case, rng))

        outcomes = []
        for outcome in pool.map(one, range(replications)):
            outcomes.append(outcome)
            tick(f"{case.name}: laboratories", len(outcomes) / replications)
    return Lived(instance, case, replications, seed, queues, add_up(outcomes))
