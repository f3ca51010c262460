"""What ``scripts/bench --hard`` runs: rounds that lack room or labs, planned and verified.

``full``: one day from 06:00 to 18:00, every site with room for the people of its neighbourhood and
3 % more. ``half``: the same with every block cut in two. ``both``: ``full`` with laboratories of
which it needs 97 % of all tubes that they can start in time. ``late``: laboratories at 80 %, so
that about a tenth of all people must be late. All from one synthetic city.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np

from scheduler.domain.instance import Instance
from scheduler.domain.lab_arithmetic import lab_round_tubes
from scheduler.domain.plan import Plan, Reason
from scheduler.domain.verify import verify
from scheduler.ingest.loader import load_instance
from scheduler.solve import make_plan
from scheduler.solve.market import Market
from scheduler.solve.spacing import site_quota
from scheduler.solve.strict_places import Strictly
from scheduler.solve.strict_zones import place_strict_zones
from tests.benchmarks.measure import run

HOURS, LOAD = 12, 0.97
LABS = 0.8
ROOMY_M = 9_000.0  # of queue, so that lanes are the limit
COLUMNS = ("round", "people", "blocks", "CPU s", "gap %", "left out", "late", "breaches")


def main(arguments: list[str] | None = None) -> int:
    """Plan the rounds, print a table, and return 1 when a plan has breaches."""
    parser = argparse.ArgumentParser(prog="scripts/bench --hard", description=__doc__)
    parser.add_argument("--people", type=int, default=1_000_000)
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="nat-bench-") as place:
        folder = Path(place) / "city"
        made = [sys.executable, "-m", "scheduler", "init", str(folder), "--city", "dalian"]
        run([*made, "--people", str(options.people), "--json"])
        city = load_instance(folder)
    kinds: dict[str, Callable[[Instance], Instance]] = {
        "full": full, "half": lambda c: full(halved(c)), "both": both, "late": late,
    }  # fmt: skip
    sys.stdout.write(f"| {' | '.join(COLUMNS)} |\n|{' --- |' * len(COLUMNS)}\n")
    breaches = 0
    for name, change in kinds.items():
        instance = change(city)
        begin = time.process_time()
        plan = make_plan(instance)
        seconds = time.process_time() - begin
        found = len(verify(instance, plan, revision="0001"))
        breaches += found
        sys.stdout.write(_line(name, instance, plan, seconds, found))
        sys.stdout.flush()
    return int(breaches > 0)


def _line(name: str, instance: Instance, plan: Plan, seconds: float, breaches: int) -> str:
    summary, unserved = plan.summary, plan.unserved
    home = unserved["reason"].astype(str) == Reason.HOME_VISIT.value
    left = int(unserved.loc[~home, "people"].sum())
    cells = (
        name, f"{summary['people']:,}", f"{len(instance.blocks.ids):,}", f"{seconds:.1f}",
        f"{100 * summary['relative_gap']:.2f}", f"{left:,}",
        f"{summary['late_people']:,}", str(breaches),
    )  # fmt: skip
    return f"| {' | '.join(cells)} |\n"


def full(city: Instance) -> Instance:
    """Return one day at whose sites the people near them need 97 % of the places."""
    quota = site_quota(city)
    market = Market(city, quota, 0)
    place_strict_zones(market, Strictly())
    market.relax_main()
    placed = np.flatnonzero(market.site_of >= 0)
    strict = np.bincount(market.site_of[placed], weights=city.demand[placed], minlength=len(quota))
    settings = city.settings
    slots = HOURS * 60 // settings.round.slot_minutes
    places = np.maximum(4, np.rint((market.site_people + strict) / slots / LOAD))
    per_hour = (places + 0.01) * 60 / settings.round.slot_minutes / settings.targets.max_load
    begin = settings.round.start.hour * 60 + settings.round.start.minute
    sites = replace(
        city.sites,
        people_per_lane_hour=per_hour / city.sites.lanes,
        queue_length_m=np.full(len(quota), ROOMY_M),
        hours=tuple(((begin, begin + HOURS * 60),) for _ in range(len(quota))),
    )
    end = settings.round.start + timedelta(hours=HOURS)
    day = replace(settings, round=replace(settings.round, end=end))
    tubes = city.demand.sum() / settings.pooling.normal
    rate = city.labs.tubes_per_hour * (2 * tubes / HOURS / city.labs.tubes_per_hour.sum())
    labs = replace(city.labs, tubes_per_hour=np.rint(rate).astype(np.int64))
    return city.replace(settings=day, sites=sites, labs=labs)


def both(city: Instance) -> Instance:
    """Return ``full`` with laboratories that can start little more tubes in time than it needs."""
    round_ = full(city)
    tubes = round_.demand.sum() / round_.settings.pooling.normal / LOAD
    return _with_labs(round_, tubes / lab_round_tubes(round_).sum())


def halved(city: Instance) -> Instance:
    """Return the city with every block cut in two; the first half keeps its home visits."""
    blocks = city.blocks
    first = blocks.people - blocks.people // 2
    size = len(first)
    order = np.arange(2 * size) // 2
    second = np.arange(2 * size) % 2 == 1
    people = np.where(second, blocks.people[order] - first[order], first[order])
    elderly = np.where(second, 0, np.minimum(blocks.elderly[order], people))
    return city.replace(
        blocks=replace(
            blocks,
            ids=np.array([f"{blocks.ids[b]}-{n % 2 + 1}" for n, b in enumerate(order)], object),
            names=blocks.names[order],
            community_index=blocks.community_index[order],
            people=people,
            home_visits=np.where(second, 0, np.minimum(blocks.home_visits[order], people)),
            households=np.full(2 * size, -1),
            elderly=elderly,
            lat=blocks.lat[order],
            lng=blocks.lng[order],
        )
    )


def late(city: Instance) -> Instance:
    """Return the city with laboratories that start four fifths of their tubes."""
    return _with_labs(city, LABS)


def _with_labs(city: Instance, times: float) -> Instance:
    """Return the city with laboratories that start so many times their tubes, one at least."""
    rate = np.maximum(1, np.rint(city.labs.tubes_per_hour * times)).astype(np.int64)
    return city.replace(labs=replace(city.labs, tubes_per_hour=rate))


if __name__ == "__main__":
    raise SystemExit(main())
