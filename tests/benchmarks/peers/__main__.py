"""Run one peer on a round folder and print JSON; a process of its own, so its memory is its own.

    .venv/bin/python -m tests.benchmarks.peers planner|greedy|cp-sat|lp DIR [--seconds 60]

``seconds`` is the time from the round in memory to the plan's tables (to the value, for ``lp``):
reading the folder and scoring the plan are left out, importing libraries too.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from scheduler.domain.instance import Instance
from scheduler.ingest.loader import load_instance
from scheduler.solve import make_plan
from tests.benchmarks.peers import cpsat, greedy, lp
from tests.benchmarks.peers.answer import plan_of, score
from tests.benchmarks.peers.ground import Ground


def planner(instance: Instance, _: float, seed: int) -> dict[str, Any]:
    """Plan as ``nat-scheduler plan`` does, in this process: no lock, no store, no files."""
    begin = time.perf_counter()
    plan = make_plan(instance, seed=seed)
    seconds = time.perf_counter() - begin
    return {"seconds": seconds, "bound": plan.summary["best_bound"], **score(instance, plan)}


def by_hand(instance: Instance, _: float, seed: int) -> dict[str, Any]:
    """Plan with the plain greedy."""
    begin = time.perf_counter()
    ground = Ground.of(instance)
    plan = plan_of(ground, greedy.solve(ground), seed)
    return {"seconds": time.perf_counter() - begin, **score(instance, plan)}


def by_cpsat(instance: Instance, limit: float, seed: int) -> dict[str, Any]:
    """Plan with CP-SAT; its own bound holds within its own restrictions only."""
    begin = time.perf_counter()
    ground = Ground.of(instance)
    found = cpsat.solve(ground, limit, seed)
    plan = plan_of(ground, found.answer, seed) if found.answer else None
    return {
        "seconds": time.perf_counter() - begin,
        "status": found.status,
        "own_bound": found.bound,
        "variables": found.num_variables,
        **(score(instance, plan) if plan else {}),
    }


def by_lp(instance: Instance, limit: float, _: int) -> dict[str, Any]:
    """Return the value of the linear relaxation, where HiGHS finds it in time."""
    begin = time.perf_counter()
    relaxation = lp.Relaxation(Ground.of(instance))
    status, value = relaxation.solve(limit)
    seconds = time.perf_counter() - begin
    return {"seconds": seconds, "status": status, "value": value, "variables": relaxation.count}


PEERS: dict[str, Callable[[Instance, float, int], dict[str, Any]]] = {
    "planner": planner,
    "greedy": by_hand,
    "cp-sat": by_cpsat,
    "lp": by_lp,
}


def main(arguments: list[str] | None = None) -> int:
    """Run the peer that is named."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.peers")
    parser.add_argument("peer", choices=PEERS)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seconds", type=float, default=60.0, help="limit of a generic solver")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    instance = load_instance(options.folder)
    found = PEERS[options.peer](instance, options.seconds, options.seed)
    about = {
        "peer": options.peer,
        "people": int(instance.blocks.people.sum()),
        "blocks": len(instance.blocks),
    }
    sys.stdout.write(json.dumps({**about, **found}) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
