"""The pipeline from a round to a plan, in one readable function.

1. quotas, open slots, candidates;  2. stricter zones take their slots;  3. blocks and labs agree on
prices (two flows in turn);  4. blocks made whole, anew where sites are all but full (``tight``,
``fill_sites``);  5. runs, waves, tubes, slots;  6. tubes to labs;  7. the lower bound from prices.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from scheduler.domain.city import Flags, Ints
from scheduler.domain.instance import Instance
from scheduler.domain.lab_arithmetic import lab_round_tubes
from scheduler.solve.beside import Beside
from scheduler.solve.call_and_ship import CallAndShip, Shipped
from scheduler.solve.city_bound import bound_at_other_prices, lower_bound
from scheduler.solve.consign import Batches, Shipments
from scheduler.solve.exact_round import MOST_BLOCKS
from scheduler.solve.fill_sites import fill_sites
from scheduler.solve.lab_market import price_labs, topped, tube_worth
from scheduler.solve.late_waves import over_full_tubes
from scheduler.solve.layout import Layout
from scheduler.solve.market import Market
from scheduler.solve.schedule import Calls
from scheduler.solve.streams import Streams
from scheduler.solve.strict_places import Strictly
from scheduler.solve.strict_zones import (
    exchange_strict_zones,
    place_strict_zones,
    settle_strict_zones,
)
from scheduler.solve.tight import pack_tighter

Report = Callable[[str, float | None], None]

SMALL_ROUND = 1_000  # blocks: so few are planned in a second, and in several ways
_ANOTHER_SEED = 1_000_003
EFFORT = 2_000  # sites reckoned per block of a stricter zone in a small round: 20 ms
EFFORT_IN_A_CITY = 100
"""The same in a city, before laboratories have prices: 0.4 s and 0.003 % at 6.4 million."""
ORDERS = 4
"""Other orders of its sites in which a small round is scheduled: with 100,000 and 200,000 people
three cost 0.01 and 0.03 % less than none, eight 0 and 0.003 % less than three."""
SPARING = Strictly(1)
"""The way for labs that are full: what is behind a stricter zone lets its tubes wait a little."""

OTHER_WAYS = (Strictly(),)  # with another seed

GIVING_BACK = tuple(Strictly(0, sites, exchange=False) for sites in (1.0, 0.8, 0.6, 0.45, 0.3))
"""How stricter zones take less and less, tried in turn while people are left out."""

SPARE_WHERE_SHORT_MIN = (240, 480, 600, 960)
"""Minutes behind a stricter zone's last person in which its tubes may still be called, where labs
are short; in small rounds all are tried. Measured on five rounds of 50,000 to 200,000 people with
3 to 20 % in such zones: of 240, 600 and 960 each is the best in one of them, by up to 15 %; with
480 as well one of 100,000 costs 0.2 % less on average over three seeds."""
SPARE_OF_MANY_MIN = 15
"""The same for more than ``FEW_BLOCKS``: Dazu's day of six hours costs 0.04 to 0.6 % less than with
240, Dalian and Harbin from 0.06 % less to 0.03 % more."""
FEW_BLOCKS = 2_000
LATE_WHERE_SHORT_MIN = 60  # that a tube too many makes somebody late, before prices are known


@dataclass(frozen=True)
class Solution:
    """The solver's answer in numbers; ``scheduler.solve.tables`` turns it into a plan's tables.

    ``cost`` is the objective without the split term; ``needless_late`` tells that tubes are late
    although the labs' flow had all of them in time; ``strictly`` is how stricter zones took places.
    """

    streams: Streams
    layout: Layout
    calls: Calls
    batches: Batches
    shipments: Shipments
    travel_min: Ints
    hour_begin_min: Ints
    bound: float
    past_end: list[int]
    cost: float
    needless_late: bool
    strictly: Strictly


Solved = tuple[Market, Solution]


def solve_round(instance: Instance, quota: Ints, seed: int, report: Report) -> Solved:
    """Return a plan of a round and its lower bound; ``quota[site]`` is people per slot.

    A small round is scheduled in several orders of its sites, and its bound found at other prices
    as well once its best way is known.
    """
    market, best = _best_way(instance, quota, seed, report)
    if not _is_small(instance):
        return market, best
    best = replace(best, bound=max(best.bound, bound_at_other_prices(market)))
    return _other_orders((market, best), seed)


def solve_again(instance: Instance, quota: Ints, seed: int, strictly: Strictly) -> Solved:
    """Return a plan of a small round in one way, without a bound."""
    known = _solve(instance, quota, seed, strictly, in_silence, bounded=False)
    return _other_orders(known, seed)


def _best_way(instance: Instance, quota: Ints, seed: int, report: Report) -> Solved:
    """Return the cheapest of the ways in which stricter zones take their places.

    It is kept with the best bound of all. Where labs are short, places that tubes leave empty have
    a price in their flow, or none: sites of one lane fill no tube with the last places of a wave,
    and whether people can go elsewhere instead is not known before. Where people are late who need
    not be, stricter zones spare a slot. Where people are left out, these zones give back places: a
    site that serves two of them loses the time of clearing between them.
    """
    ways = _ways(instance)
    known = _solve(instance, quota, seed, ways[0], report)
    if known[0].labs_are_short and num_blocks(instance) <= SMALL_ROUND:
        report("another way", None)
        priced = replace(ways[0], price_empty=True)
        known = _better(known, _solve(instance, quota, seed, priced, in_silence))
        ways = [replace(way, price_empty=known[0].price_empty) for way in ways]
    if not _is_strict(known[0]).any():
        return known
    if known[1].needless_late:
        ways.append(SPARING)
    is_packed = known[0].beyond_flow is not None and not known[0].is_crowded
    for strictly in ways[1:] if not is_packed else ():  # packing takes long, and differs by more
        report("another way", None)
        other_seed = seed + (_ANOTHER_SEED if strictly == ways[0] else 0)
        known = _better(known, _solve(instance, quota, other_seed, strictly, in_silence))
    for strictly in GIVING_BACK if known[0].city_waves.holds_everybody else ():
        if known[1].calls.people.sum() == instance.demand.sum():
            break
        report("another way", None)
        known = _better(known, _solve(instance, quota, seed, strictly, in_silence))
    return known


def _other_orders(known: Solved, seed: int) -> Solved:
    """Return the answer, scheduled anew where another order of its sites is cheaper."""
    market, best = known
    if not len(market.streams):
        return known
    rng, schedule = np.random.default_rng(seed), CallAndShip(market, tube_worth(market), seed)
    for _ in range(ORDERS):
        found = schedule.run(rng.permutation(len(market.streams)))
        if found.cost < best.cost:
            best = _solution(market, found, best.bound, best.strictly)
    return market, best


def in_silence(_stage: str, _gap: float | None) -> None:
    """Report nothing: stages of other ways have been told once."""


def _better(known: Solved, other: Solved) -> Solved:
    """Return the cheaper of two answers, with the better bound of both."""
    market, best = other if other[1].cost < known[1].cost else known
    return market, replace(best, bound=max(known[1].bound, other[1].bound))


def _ways(instance: Instance) -> list[Strictly]:
    """Return how stricter zones take their places: with time to spare where labs are short.

    Labs that are booked to the last tube cannot start what all stricter zones send in the first
    waves beside what other sites must send to keep their blocks together.
    """
    people = instance.demand
    pool = np.array(instance.settings.pooling.by_zone())[instance.block_zone]
    if lab_round_tubes(instance).sum() >= (people / pool).sum():
        return [Strictly(), *(OTHER_WAYS if _is_small(instance) else ())]
    is_many = num_blocks(instance) > FEW_BLOCKS
    spare = (SPARE_OF_MANY_MIN,) if is_many else SPARE_WHERE_SHORT_MIN
    slots = [max(1, minutes // instance.settings.round.slot_minutes) for minutes in spare]
    return [Strictly(count, late_min=LATE_WHERE_SHORT_MIN) for count in slots]


def num_blocks(instance: Instance) -> int:
    """Return how many blocks have people."""
    return int(np.count_nonzero(instance.demand))


def _is_small(instance: Instance) -> bool:
    """Return whether a round is planned in several ways; the exact search improves smaller ones."""
    return MOST_BLOCKS < num_blocks(instance) <= SMALL_ROUND


def _is_strict(market: Market) -> Flags:
    """Return which blocks are of another zone than the commonest."""
    strict: Flags = (market.instance.demand > 0) & (market.instance.block_zone != market.main_zone)
    return strict


def _solve(
    instance: Instance,
    quota: Ints,
    seed: int,
    strictly: Strictly,
    report: Report,
    *,
    bounded: bool = True,
) -> Solved:
    """Return a plan and its lower bound if asked for, stricter zones placed in one way."""
    report("candidates", None)
    market = Market(instance, quota, seed)
    market.price_empty = strictly.price_empty
    report("stricter zones", None)
    place_strict_zones(market, strictly)
    report("places", None)
    market.relax_main()
    market.lay_out()
    if not len(market.streams):
        return market, _nobody_called(market, strictly)
    num_strict = int(_is_strict(market).sum())
    if exchange_strict_zones(market, strictly, EFFORT_IN_A_CITY * num_strict * market.is_city):
        market.lay_out()
    effort = EFFORT * num_strict if _is_small(instance) else 0

    def moved() -> bool:
        """Let stricter zones change sites at the labs' prices, and all others after them."""
        if market.is_city:
            found = exchange_strict_zones(market, strictly)
        else:
            found = settle_strict_zones(market, strictly, effort)
        if found:
            market.relax_main()
            market.lay_out()
        return found

    report("places and labs", None)
    price_labs(market, moved)
    if not market.is_city and moved():
        report("stricter zones again", None)
        price_labs(market)
    report("whole blocks", None)
    whole = fill_sites(market, pack_tighter(market, market.make_main_whole(), strictly))
    worth = tube_worth(market)
    if worth.any():
        over = over_full_tubes(market, topped(market), worth).sum(axis=1)
        at_site = np.bincount(market.layout.site, over, len(quota)).astype(np.int64)
        market.fill_main_tubes(whole, worth, at_site)
    market.settle_main(whole)
    report("lower bound", None)
    with Beside(lambda: _bound(market) if bounded else 0.0, copy=market.is_city) as bound:
        report("slots and tubes", None)
        found = CallAndShip(market, worth, seed).run(np.concatenate(market.layout.members))
        return market, _solution(market, found, bound.result(), strictly)


def _bound(market: Market) -> float:
    """Return the lower bound, of a small round at the plan's own prices: others come at the end."""
    found = lower_bound(market)
    if _is_small(market.instance):
        return found
    searched = num_blocks(market.instance) <= MOST_BLOCKS
    return max(found, bound_at_other_prices(market, searched=searched))


def _solution(market: Market, found: Shipped, bound: float, strictly: Strictly) -> Solution:
    """Return the answer of a schedule."""
    needless_late = not market.labs_are_short and bool(found.late.any())
    return Solution(
        market.streams, market.layout, found.calls, found.batches, found.shipments, market.travel,
        market.hours.begin_min, bound, found.past_end, found.cost, needless_late,
        strictly,
    )  # fmt: skip


def _nobody_called(market: Market, strictly: Strictly) -> Solution:
    """Return the only answer to a round in which no site has a usable slot."""
    none = np.empty(0, dtype=np.int64)
    instance = market.instance
    return Solution(
        market.streams, market.layout, Calls(*[none] * 4), Batches(*[none] * 5),
        Shipments(*[none] * 5), market.travel, market.hours.begin_min, lower_bound(market), [],
        instance.settings.weights.unserved * float(instance.demand.sum()), False, strictly,
    )  # fmt: skip
