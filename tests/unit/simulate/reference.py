"""The same world event by event with SimPy: slow, plain, and written apart from the program's."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import simpy


@dataclass
class Hall:
    """One site: people stand in one queue for some lanes; ``left`` and ``done`` by person."""

    env: simpy.Environment
    lanes: int
    group: int = 1
    wait_min: float = 0.0
    left: dict[int, float] = field(default_factory=dict)
    done: dict[int, float] = field(default_factory=dict)

    def run(self, come: list[float], swab: list[float]) -> None:
        """Let people come, in order of ``come``."""
        desk = simpy.Resource(self.env, self.lanes)
        for first in range(0, len(come), self.group):
            members = list(range(first, min(first + self.group, len(come))))
            self.env.process(self._group(desk, members, come, swab))
        self.env.run()

    def _group(
        self, desk: simpy.Resource, members: list[int], come: list[float], swab: list[float]
    ) -> Generator[Any, Any, None]:
        full = len(members) == self.group
        called = come[members[0]] + self.wait_min
        if full:
            called = min(called, come[members[-1]])
        yield self.env.timeout(called - self.env.now)
        with desk.request() as lane:
            yield lane
            begun = self.env.now
            for person in members:
                self.left[person] = max(begun, come[person])
                if come[person] > self.env.now:
                    yield self.env.timeout(come[person] - self.env.now)
                yield self.env.timeout(swab[person])
                self.done[person] = self.env.now


def longest_queue(come: list[float], left: list[float]) -> int:
    """Return the most people who stand in the queue at one moment."""
    moments = [(t, -1) for t, c in zip(left, come, strict=True) if t > c]
    moments += [(c, 1) for t, c in zip(left, come, strict=True) if t > c]
    standing, most = 0, 0
    for _, change in sorted(moments):
        standing += change
        most = max(most, standing)
    return most


def runs(
    arrive: list[float], lines: int, run_tubes: int, cycle_min: float, wait_min: float
) -> list[float]:
    """Return when each tube is started by a laboratory that is always open."""
    env = simpy.Environment()
    shelf: list[int] = []
    free = simpy.Resource(env, lines)
    started = [np.inf] * len(arrive)
    wake = [env.event()]

    def deliver() -> Generator[Any, Any, None]:
        for tube, moment in enumerate(arrive):
            yield env.timeout(max(0.0, moment - env.now))
            shelf.append(tube)
            wake[0].succeed()
            wake[0] = env.event()

    def start() -> Generator[Any, Any, None]:
        while True:
            lane = free.request()
            yield lane
            while not _ready(env.now, shelf, arrive, run_tubes, wait_min):
                events = [wake[0]]
                if shelf:
                    events.append(env.timeout(max(0.0, arrive[shelf[0]] + wait_min - env.now)))
                yield env.any_of(events)
                yield env.timeout(0)  # who comes at this very moment comes first
            taken, shelf[:] = shelf[:run_tubes], shelf[run_tubes:]
            for tube in taken:
                started[tube] = env.now
            env.process(occupy(lane))

    def occupy(lane: Any) -> Generator[Any, Any, None]:  # noqa: ANN401  # a request
        yield env.timeout(cycle_min)
        free.release(lane)

    env.process(deliver())
    env.process(start())
    env.run(until=max(arrive) + len(arrive) * cycle_min + wait_min + 1)
    return started


def _ready(
    now: float, shelf: list[int], arrive: list[float], run_tubes: int, wait_min: float
) -> bool:
    if not shelf:
        return False
    return len(shelf) >= run_tubes or now >= arrive[shelf[0]] + wait_min - 1e-9


def erlang_wait_min(lanes: int, arrivals_per_min: float, swabs_per_min: float) -> float:
    """Return the mean wait of M/M/c, by Erlang's formula C."""
    offered = arrivals_per_min / swabs_per_min
    blocked = 1.0
    for lane in range(1, lanes + 1):
        blocked = offered * blocked / (lane + offered * blocked)
    load = offered / lanes
    waits = blocked / (1 - load * (1 - blocked))
    return waits / (lanes * swabs_per_min - arrivals_per_min)


def poisson(rng: np.random.Generator, per_min: float, count: int) -> Iterator[float]:
    """Yield moments of a Poisson stream."""
    now = 0.0
    for gap in rng.exponential(1 / per_min, count).tolist():
        now += gap
        yield now
