"""Patterns of stricter zones at sites: what they cost at least, and the bound they give."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from scheduler.domain.city import Floats
from scheduler.solve import patterns as module
from scheduler.solve.patterns import Patterns
from scheduler.solve.slot_costs import PARTS, slot_costs
from tests.unit.solve.strict_rounds import SITES, SLOTS, cost_of, strict_round

SEEDS = range(8)
NEVER = np.full(SITES, SLOTS)  # no site closes in between


def _counted_out(
    paid: list[Floats], lost: Floats, clearing: int, taken: int | None = None
) -> dict[tuple[int, int], float]:
    """Return the least cost of so many slots of two zones by trying all orders of slots.

    All but ``taken`` slots at most are the others'.
    """
    slots, best = len(lost), dict[tuple[int, int], float]()
    for order in product((0, 1, None, "other"), repeat=slots):
        total, good = 0.0, True
        for slot, who in enumerate(order):
            rank = {0: 0, 1: 1, "other": 2}.get(who, 3)
            before = order[max(0, slot - clearing) : slot]
            good &= not any(b in (0, 1) and b < rank for b in before if rank < 3)
            total += 0.0 if who == "other" else lost[slot]
            total += paid[who][slot] if who in (0, 1) else 0.0
        key = order.count(0), order.count(1)
        if good and (taken is None or slots - order.count("other") <= taken):
            best[key] = min(best.get(key, np.inf), total)
    return best


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("clearing", [0, 1, 2])
def test_patterns_cost_what_counting_out_gives(seed: int, clearing: int) -> None:
    """No order of slots is cheaper, and some order costs as much."""
    rng = np.random.default_rng(seed)
    paid = [rng.uniform(0, 9, (1, 6)) for _ in range(2)]
    paid[0][0, rng.integers(6)] = np.inf
    lost = rng.uniform(0, 5, (1, 6))
    least = slot_costs(paid, lost, clearing, (4, 4))[0, 0, 0, 0]
    true = _counted_out([p[0] for p in paid], lost[0], clearing)
    for first, second in product(range(5), repeat=2):
        assert least[first, second] == pytest.approx(true.get((first, second), np.inf))
    alone = slot_costs(paid[:1], lost, clearing, (4,))[0, 0, 0, 0]
    assert alone[:, 0] == pytest.approx(least[:, 0])


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("clearing", [1, 2])
def test_patterns_know_how_many_slots_they_take(seed: int, clearing: int) -> None:
    """Those that take no more slots than some order of slots cost no more; early ones take more."""
    rng = np.random.default_rng(seed)
    paid = [np.sort(rng.uniform(0, 90, (1, 6))) for _ in range(2)]
    lost, end = rng.uniform(0, 1, (1, 6)), np.array([6])
    least = slot_costs(paid, lost, clearing, (3, 3), end)[0, :, 0, 0]
    first, second = np.indices(least.shape[1:])
    slots = first + second + clearing * np.arange(3)[:, None, None]
    assert least.min(axis=0) == pytest.approx(slot_costs(paid, lost, clearing, (3, 3))[0, 0, 0, 0])
    for taken in range(7):
        known = np.where(slots <= taken, least, np.inf).min(axis=0)
        for key, cost in _counted_out([p[0] for p in paid], lost[0], clearing, taken).items():
            if max(key) <= 3:
                assert known[key] <= cost + 1e-9
    assert least[0, 1, 0] > least[1, 1, 0]  # the last slot costs more than the first
    assert least[0, 1, 0] == pytest.approx(
        _counted_out([p[0] for p in paid], lost[0], clearing, clearing)[1, 0]
    )  # the ground is cleared in part at most
    assert least[1:, 1, 1].min() < least[0, 1, 1]


@pytest.mark.parametrize("seed", SEEDS)
def test_a_slot_paid_in_part_is_the_best_one(seed: int) -> None:
    """Patterns with a slot paid in part cost what trying that for each slot gives."""
    rng = np.random.default_rng(seed)
    paid = [rng.uniform(0, 9, (1, 5)) for _ in range(2)]
    lost = rng.uniform(0, 5, (1, 5))
    known = slot_costs(paid, lost, 1, (4, 4))[0, 0]
    for (one, part), (two, other) in product(enumerate(PARTS), enumerate((1.0, 0.0))):
        true = dict[tuple[int, int], float]()
        for some, more in product(range(5), repeat=2):
            cheaper = [p[0].copy() for p in paid]
            cheaper[0][some] *= part
            cheaper[1][more] *= other
            for key, cost in _counted_out(cheaper, lost[0], 1).items():
                true[key] = min(true.get(key, np.inf), cost)
        for key, cost in true.items():
            if max(key) <= 4:
                assert known[one, two][key] == pytest.approx(cost)


def test_slots_beyond_the_horizon_cost_no_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What lies far off may be had at its cheapest price: patterns cost no more by it."""
    rng = np.random.default_rng(0)
    paid = [rng.uniform(0, 9, (3, 8)) for _ in range(2)]
    lost = rng.uniform(0, 5, (3, 8))
    whole = slot_costs(paid, lost, 1, (3, 3))
    monkeypatch.setattr("scheduler.solve.slot_costs.HORIZON", 4)
    short = slot_costs(paid, lost, 1, (3, 3))
    assert (short <= whole + 1e-9).all()
    assert np.isfinite(short).all()


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("most", [64, 2])
def test_any_prices_bound_what_the_blocks_cost(
    seed: int, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No way to give each block a site costs less, also if few slots are reckoned with."""
    monkeypatch.setattr(module, "_MOST_SLOTS", most)
    monkeypatch.setattr(module, "_STRIDE", 0.3)
    movable, offer = strict_round(seed, blocks=5)
    homes = (np.array(home) for home in product(range(-1, SITES), repeat=5))
    communities = len(np.unique(movable.community))
    best = min(cost_of(home, movable, offer) for home in homes) - communities * movable.split
    patterns, rest = Patterns(movable, offer, NEVER), np.zeros(SITES)
    rng = np.random.default_rng(seed)
    for scale in (0.0, 100.0, 1_000.0):
        bound, _ = patterns.bound(rng.uniform(0, scale, 5), rest)
        assert bound <= best + 1e-6
    ascent = patterns.ascend(rng.uniform(0, 300, 5), 200, offer.unserved, rest)
    assert ascent.bound <= best + 1e-6
    if most == 64:
        assert ascent.bound > 0.9 * best


def test_blocks_do_not_span_the_first_closing() -> None:
    """Patterns of the hours before sites close, and later blocks one by one, bound the cost too."""
    better = []
    for seed in SEEDS:
        movable, offer = strict_round(seed, blocks=4)
        movable = replace(movable, people=movable.people + 25)  # a block or two fill these hours
        homes = (np.array(home) for home in product(range(-1, SITES), repeat=4))
        communities = len(np.unique(movable.community))
        best = min(cost_of(home, movable, offer) for home in homes) - communities * movable.split
        start, rest = np.full(4, 500.0), np.zeros(SITES)
        closes = (offer.places == 0).argmax(axis=1)
        through, until = (
            Patterns(movable, offer, end).ascend(start, 100, offer.unserved, rest).bound
            for end in (NEVER, closes)
        )
        assert max(through, until) <= best + 1e-6
        better.append(until > through + 1.0)
    assert any(better)


@pytest.mark.parametrize("seed", SEEDS)
def test_empty_places_of_tubes_count(seed: int) -> None:
    """Whole tubes raise the bound, and not above what blocks cost."""
    movable, offer = strict_round(seed, blocks=4)
    dear = replace(offer, part_filled={z: 5 * part for z, part in offer.part_filled.items()})
    free = replace(offer, part_filled={z: 0 * part for z, part in offer.part_filled.items()})
    homes = (np.array(home) for home in product(range(-1, SITES), repeat=4))
    communities = len(np.unique(movable.community))
    best = min(cost_of(home, movable, dear) for home in homes) - communities * movable.split
    bound = [
        Patterns(movable, one, NEVER).ascend(np.full(4, 300.0), 200, 1e4, np.zeros(SITES)).bound
        for one in (free, dear)
    ]
    assert bound[0] < bound[1] <= best + 1e-6


@pytest.mark.parametrize("seed", SEEDS)
def test_what_a_site_wants_is_worth_what_it_says(seed: int) -> None:
    """A site that earns by a pattern names blocks, each of its own and each once."""
    movable, offer = strict_round(seed, blocks=7)
    patterns = Patterns(movable, offer, NEVER)
    price = np.full(7, 600.0)
    answers = patterns.answers(price)
    assert any(len(answer.rows) for answer in answers)
    for site, answer in zip(patterns.sites.tolist(), answers, strict=True):
        assert (movable.pairs.site[answer.rows] == site).all()
        blocks = movable.pairs.block[answer.rows]
        assert len(np.unique(blocks)) == len(blocks)
        value = float((price[blocks] - movable.walk_cost[answer.rows]).sum())
        assert answer.worth <= value + 1e-9


@pytest.mark.parametrize("seed", SEEDS)
def test_patterns_may_cost_more_by_their_slots(seed: int) -> None:
    """What all patterns cost more is lost, and what the longer ones do at most that."""
    movable, offer = strict_round(seed, blocks=7)
    patterns, price = Patterns(movable, offer, NEVER), np.full(7, 600.0)

    def worth(more: Floats) -> list[float]:
        answers = patterns.answers(price, [more] * len(patterns.sites))
        return [a.worth for a in answers if len(a.rows)]

    least = np.array(worth(np.zeros(1)))
    assert len(least)
    assert worth(np.array([0.0, 30.0])) == pytest.approx(least - 30)
    rising = worth(np.array([0.0, 0.0, 30.0, 40.0]))
    assert (least - 40 - 1e-9 <= rising).all()
    assert (rising <= least + 1e-9).all()
    assert worth(np.zeros(2)) == pytest.approx(least)


def test_a_site_without_stricter_zones_may_still_earn_less() -> None:
    """What the others lose for another reason where nobody comes raises the bound."""
    movable, offer = strict_round(0, blocks=5)
    patterns = Patterns(movable, offer, NEVER)
    none, some = np.zeros(SITES), np.full(SITES, 50.0)
    without, _ = patterns.bound(np.zeros(5), none)
    raised, found = patterns.bound(np.zeros(5), some)
    assert raised == pytest.approx(without + SITES * 50.0)
    assert not found.any()


def test_nobody_wants_nothing() -> None:
    """Without pairs there are no sites, and nothing to pay."""
    movable, offer = strict_round(0, blocks=5)
    none = movable.pairs.where(movable.pairs.block < 0)
    patterns = Patterns(replace(movable, pairs=none, walk_cost=np.empty(0)), offer, NEVER)
    bound, found = patterns.bound(np.zeros(5), np.zeros(SITES))
    assert bound == 0
    assert not found.any()
