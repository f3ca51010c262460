"""The bound of people who leave for want of laboratories, and who is chosen to leave."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from scheduler.solve.repair.choosing import Choice
from scheduler.solve.repair.groups import Groups
from scheduler.solve.repair.rows import Calls
from scheduler.solve.repair.shortage import Shortage, _hull


def _fewest(blocks: list[int], waves: list[int], pool: int, tubes_less: int) -> float:
    """Return by trial how few people leave a confined cell for so many tubes less.

    Whole blocks leave, those who stay may share the waves as they like; whoever was in a tube that
    is saved has moved.
    """
    people = sum(blocks)
    tubes = sum(-(-n // pool) for n in waves)
    ones = sorted(n - (-(-n // pool) - 1) * pool for n in waves)
    emptied = float(sum([*ones, *[pool] * tubes][:tubes_less]))
    best = emptied if tubes - -(-people // pool) >= tubes_less else np.inf
    for count in range(1, len(blocks) + 1):
        for gone in combinations(blocks, count):
            if tubes - -(-(people - sum(gone)) // pool) >= tubes_less:
                best = min(best, max(emptied, float(sum(gone))))
    return best


@pytest.mark.parametrize("seed", range(60))
def test_the_hull_never_asks_for_too_many(seed: int) -> None:
    """For any number of tubes less, the bound of a cell is at most what trial finds, and convex."""
    rng = np.random.default_rng(seed)
    pool = int(rng.integers(1, 11))
    blocks = [int(n) for n in rng.integers(1, 40, rng.integers(1, 6))]
    cuts = np.sort(rng.integers(0, sum(blocks) + 1, rng.integers(0, 4)))
    waves = [int(n) for n in np.diff(cuts, prepend=0, append=sum(blocks)) if n]
    tubes = sum(-(-n // pool) for n in waves)
    ones = np.sort([n - (-(-n // pool) - 1) * pool for n in waves])
    parts = _hull(ones, sum(blocks), tubes, pool, min(blocks))
    slopes = [slope for _, slope in parts]
    assert slopes == sorted(slopes)
    assert sum(count for count, _ in parts) == tubes
    each = np.repeat(slopes, [count for count, _ in parts])
    for less in range(1, tubes + 1):
        assert each[:less].sum() <= _fewest(blocks, waves, pool, less) + 1e-9


def test_the_cheapest_tubes_go_first() -> None:
    """Tubes spared need nobody to leave; a part of a person is a whole one."""
    short = Shortage(5, np.array([2, 10]), np.array([1.25, 9.0]))
    assert [short.people_for(spared) for spared in (0, 3, 4, 5, 9)] == [30, 3, 2, 0, 0]


def _choice(rest: int) -> Choice:
    """Three blocks at one site and wave: 20, 25 and 35 people, 10 to a tube; one more elsewhere."""
    calls = Calls(*np.array([[0, 0, 0, 20, 3], [1, 0, 1, 25, 3], [2, 0, 2, 35, 3],
                             [3, 1, 0, 9, 2]]).T)  # fmt: skip
    site, wave, zone, people, tubes, first = np.array([[0, 0, 3, 80, 8, 0], [1, 0, 2, 9, 1, 0]]).T
    groups = Groups(site, wave, zone, people, tubes, first, 1)
    which = (np.ones(2, dtype=bool), np.zeros(2, dtype=np.int64))
    return Choice(calls, groups, which, np.array([rest]), (4, np.full(4, 10)))


def test_who_saves_most_tubes_per_person_goes() -> None:
    """Tubes beyond those too many count nothing; stricter zones go last though they save more."""
    choice = _choice(2)
    assert choice.best() == 0
    choice.go(0)
    assert choice.rest.tolist() == [0]
    assert choice.best() is None
    many = _choice(9)
    order = []
    while (block := many.best()) is not None:
        order.append(block)
        many.go(block)
    assert order == [0, 2, 1, 3]


def test_who_stays_is_not_proposed_again() -> None:
    """A block that finds no place is left out, and saves nothing."""
    choice = _choice(2)
    choice.stay(0)
    assert choice.best() == 1
    assert choice.rest.tolist() == [2]
