"""Who must leave their place because laboratories cannot take all tubes within the promise.

A lower bound, for plans that leave on their way the tubes picked up already. The cut of the flow
(`intime.Cut`) names hours of labs, and the sites and waves from which tubes can be in time in these
hours only. What is filled there beyond their room must go, or be late. How few people that can be
is counted in cells: a site, a zone, and a run of waves without a closing between them.

- Where every wave of a cell is confined, whoever stays at the site and between its closings stays
  confined. A block has one site and consecutive slots, so it stays in its cell or leaves it whole.
  Of n people with k to a tube, ceil(n / k) tubes remain at least: the tubes that moving people
  about inside could save come one by one, all others by whole blocks only.
- In other cells single people might leave, from the emptiest tubes first.

The people least in number are then found over all cells at once, each cell's count replaced by its
lower convex hull: never too many.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from scheduler.domain.city import Flags, Floats, Ints
from scheduler.domain.instance import Instance
from scheduler.solve.repair.behind import people_in
from scheduler.solve.repair.board import Board
from scheduler.solve.repair.easing import Begun
from scheduler.solve.repair.groups import Groups, group_key, groups_on
from scheduler.solve.repair.intime import Cut, Mail
from scheduler.solve.repair.outside import HOUR_MIN
from scheduler.solve.repair.post import Post
from scheduler.solve.repair.rows import Calls, Sent
from scheduler.solve.repair.situation import Situation


@dataclass(frozen=True)
class Shortage:
    """Tubes that no lab can take in time, and what it takes to be rid of them.

    ``people`` per tube, cheapest first, for ``count`` tubes each.
    """

    tubes: int
    count: Ints
    people: Floats

    def people_for(self, spared: int) -> int:
        """Return the fewest people who leave where all but ``spared`` tubes must go."""
        rest = max(0, self.tubes - spared)
        before = np.cumsum(self.count) - self.count
        used = np.clip(rest - before, 0, self.count)
        return int(np.ceil(float(used @ self.people) - 1e-6))


NONE = Shortage(0, np.zeros(0, dtype=np.int64), np.zeros(0))


def shortage(
    here: Situation, post: Post, begun: Begun, calls: tuple[Calls, Calls, Flags]
) -> Shortage:
    """Return what labs are short of for the calls that stand.

    ``calls`` are those done, those that stand after the freeze, and whether people of a block may
    go one by one (``[block]``: some of it were missed). ``begun`` is how all of them were sent.
    """
    mail, groups = begun.mail, begun.groups
    if mail.cut is None:
        return NONE
    cut = mail.cut
    done, standing, _ = calls
    standing = _unmoved(here.calls, standing)
    board = Board(here.instance, here.quota, here.free_from)
    board.add(done)
    board.add(standing)
    left = groups_on(board, post.pools, here.per_wave)
    frozen = (groups.wave + 1) * here.per_wave <= here.free_from
    inside = _confined(post, cut, groups)
    tubes = int(mail.kept.tubes[inside & frozen].sum())
    free = _confined(post, cut, left) & ((left.wave + 1) * here.per_wave > here.free_from)
    tubes += int(left.tubes[free].sum())
    short = tubes - cut.room - _loose(here, post, mail)
    if short <= 0 or not free.any():
        return NONE
    cells = _cells(here, post, cut, (left, free), (standing, calls[2]))
    parts = [part for cell in cells for part in cell]
    count = np.array([n for n, _ in parts], dtype=np.int64)
    people = np.array([p for _, p in parts])
    order = np.argsort(people, kind="stable")
    return Shortage(short, count[order], people[order])


def late_tubes(instance: Instance, sent: Sent) -> int:
    """Return the tubes whose result comes after the promise."""
    begin = sent.wave * instance.settings.round.wave_minutes
    due = begin + instance.settings.targets.result_hours * HOUR_MIN
    late = sent.start + instance.labs.processing_min[sent.lab] > due
    return int(sent.tubes[late].sum())


def _unmoved(base: Calls, standing: Calls) -> Calls:
    """Return the people who stand where the plan that is mended has them."""
    same = np.minimum(standing.people, people_in(base, standing))
    rows = Calls(standing.block, standing.site, standing.slot, same, standing.zone)
    return rows.where(same > 0)


def _confined(post: Post, cut: Cut, groups: Groups) -> Flags:
    pattern = _pattern(post)
    flags: Flags = cut.confined[pattern[groups.zone], groups.site, groups.wave]
    return flags


def _pattern(post: Post) -> Ints:
    _, pattern = np.unique(post.accepted(), axis=0, return_inverse=True)
    return np.asarray(pattern.reshape(-1))


def _loose(here: Situation, post: Post, mail: Mail) -> int:
    """Return tubes that labs might start in hours of which the flow uses the beginning at most.

    Those are hours in which a lab is not open throughout, and the hour that is running.
    """
    hours = post.hours
    begin = hours.begin_min
    shape = (*hours.capacity.shape, HOUR_MIN)
    whole = hours.is_open.reshape(shape).all(axis=2)
    loose = ~whole & (begin + HOUR_MIN > post.now)
    pickups = (np.arange(here.num_waves) + 1) * post.wave_min
    if ((pickups > post.now) & (pickups < post.now + HOUR_MIN)).any():
        loose |= (begin <= post.now) & (begin + HOUR_MIN > post.now)
    room = np.maximum(hours.capacity - post.load(mail.kept.sent), 0)
    return int(room[loose].sum())


def _cells(
    here: Situation,
    post: Post,
    cut: Cut,
    groups: tuple[Groups, Flags],
    calls: tuple[Calls, Flags],
) -> Iterator[list[tuple[int, float]]]:
    """Yield, per cell, how many tubes can go at how many people each, fewest first."""
    run, sealed = _runs(here, cut)
    left, free = groups
    standing, singly = calls
    left_run = run[left.site, left.wave]
    rows = np.flatnonzero(free)
    key = group_key(left.site, left_run, left.zone, here.num_waves)
    rows = rows[np.argsort(key[rows], kind="stable")]
    cells, first = np.unique(key[rows], return_index=True)
    smallest = _smallest(here, run, (standing, singly), cells)
    pattern = _pattern(post)
    for mine, block in zip(np.split(rows, first[1:]), smallest.tolist(), strict=True):
        at = int(mine[0])
        pool = int(post.pools[left.zone[at]])
        people, tubes = left.people[mine], left.tubes[mine]
        ones = np.sort(people - (tubes - 1) * pool)
        whole = sealed[pattern[left.zone[at]], left.site[at], left_run[at]] and block > 1
        if whole:
            yield _hull(ones, int(people.sum()), int(tubes.sum()), pool, block)
        else:
            yield [*((1, float(n)) for n in ones), (int(tubes.sum()) - len(ones), float(pool))]


def _runs(here: Situation, cut: Cut) -> tuple[Ints, Flags]:
    """Return the run of each site and wave, and whether each run is confined.

    ``[site, wave]`` and ``[pattern, site, run]``; waves belong together where the last slot of one
    and the first of the next are open.
    """
    size = here.num_waves * here.per_wave
    is_open = np.zeros((here.quota.shape[0], size), dtype=bool)
    is_open[:, : here.width] = here.quota > 0
    is_open[:, : here.free_from] = False
    slots = is_open.reshape(len(is_open), here.num_waves, here.per_wave)
    linked = slots[:, :-1, -1] & slots[:, 1:, 0]
    run = np.zeros(slots.shape[:2], dtype=np.int64)
    run[:, 1:] = np.cumsum(~linked, axis=1)
    some: Flags = np.asarray(slots.any(axis=2))
    leaks = ~cut.confined & some[None]
    sealed = np.ones(leaks.shape, dtype=bool)
    pattern, site, wave = np.nonzero(leaks)
    sealed[pattern, site, run[site, wave]] = False
    return run, sealed


def _smallest(here: Situation, run: Ints, calls: tuple[Calls, Flags], cells: Ints) -> Ints:
    """Return the people of the smallest block in each cell, 1 where some may go one by one."""
    standing, singly = calls
    wave = standing.slot // here.per_wave
    key = group_key(standing.site, run[standing.site, wave], standing.zone, here.num_waves)
    at = np.searchsorted(cells, key)
    known = at < len(cells)
    known[known] = cells[at[known]] == key[known]
    count = len(here.instance.blocks)
    pair, where = np.unique(at[known] * count + standing.block[known], return_inverse=True)
    people = np.bincount(where.reshape(-1), standing.people[known], len(pair)).astype(np.int64)
    people[singly[pair % count]] = 1
    least = np.full(len(cells), 1 << 40, dtype=np.int64)
    np.minimum.at(least, pair // count, people)
    return least


def _hull(ones: Ints, people: int, tubes: int, pool: int, block: int) -> list[tuple[int, float]]:
    """Return the lower hull of the people who leave a confined cell for t tubes less.

    For as many tubes as moving about inside can save: the emptiest; for more: a whole block at
    least, and all people whom the other tubes cannot hold.
    """
    slack = pool * tubes - people
    points = [(0, 0.0), *enumerate(np.cumsum(ones[: slack // pool]).astype(float).tolist(), 1)]
    most = slack // pool
    points = points[: most + 1]
    full = max(most + 1, (block + slack) // pool)
    for t in (full, full + 1, tubes):
        if points[-1][0] < t <= tubes:
            points.append((t, float(max(min(block, people), pool * t - slack))))
    hull: list[tuple[int, float]] = []
    for t, cost in points:
        while len(hull) > 1 and _slope(hull[-2], (t, cost)) <= _slope(hull[-2], hull[-1]):
            hull.pop()
        hull.append((t, cost))
    return [(b[0] - a[0], _slope(a, b)) for a, b in pairwise(hull)]


def _slope(a: tuple[int, float], b: tuple[int, float]) -> float:
    return (b[1] - a[1]) / (b[0] - a[0])
