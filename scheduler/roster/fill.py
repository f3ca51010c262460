"""Fill bins with whole households, all blocks of the city in step.

One rule serves slots and tubes: the next household in order goes in; where it does not fit, the
nearest later one that does, preferring one that fills the bin or leaves a rest that somebody can
fill. Arrays hold a row per group (a block, or the tubes of a site and wave) and a column per size
of household, so that a step for the whole city is a dozen operations on arrays.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from scheduler.domain.city import Flags, Ints
from scheduler.roster.ordering import order_by

_NEVER = np.int32(np.iinfo(np.int32).max // 2)  # half the memory of int64 to go through
_DEAD_END = np.int32(_NEVER // 4)  # above the rank of any of 268 million households
_EXACT = np.int32(6)  # households that may be passed over for one that fills the bin to the brim


@dataclass(frozen=True)
class Items:
    """Households: their group, people, and place in the order of the group."""

    group: Ints
    size: Ints
    rank: Ints


@dataclass(frozen=True)
class Bins:
    """Slots or tubes, sorted by group in the order of filling.

    ``slack`` is what a bin may hold beyond its capacity. ``spare`` is by group: people's room that
    may stay empty. ``may_split`` lets a household go on in the next bin where nothing else fits;
    without it the last bin of a group takes whoever is left, unless ``partial``.
    """

    group: Ints
    capacity: Ints
    slack: Ints
    spare: Ints
    partial: Flags
    may_split: bool


@dataclass
class Filled:
    """Where items went: ``bin`` of each item, -1 nowhere; ``spill``, its people in the next bin.

    ``over`` counts by bin the people beyond capacity and slack.
    """

    bin: Ints
    spill: Ints
    over: Ints


@dataclass
class _State:
    """Groups in step: heads of the queues by size, the open bin and its room."""

    items: Items
    bins: Bins
    sizes: Ints = field(init=False)
    queue: Ints = field(init=False)
    rank: Ints = field(init=False)
    head: Ints = field(init=False)
    end: Ints = field(init=False)
    bin: Ints = field(init=False)
    last: Ints = field(init=False)
    room: Ints = field(init=False)
    left: Ints = field(init=False)

    def __post_init__(self) -> None:
        groups = len(self.bins.spare)
        sizes = np.flatnonzero(np.bincount(self.items.size))
        kind = np.searchsorted(sizes, np.arange(int(sizes.max(initial=0)) + 1))[self.items.size]
        self.sizes, classes = sizes.astype(np.int32), max(len(sizes), 1)
        key = self.items.group * classes + kind
        self.queue = order_by(key, self.items.rank)
        self.rank = np.append(self.items.rank[self.queue].astype(np.int32), _NEVER)
        counts = np.bincount(key, minlength=groups * classes)
        self.end = np.cumsum(counts).reshape(groups, classes)
        self.head = self.end - counts.reshape(groups, classes)
        edges = np.searchsorted(self.bins.group, np.arange(groups + 1))
        self.bin, self.last = edges[:-1].copy(), edges[1:] - 1
        there = self.last >= self.bin
        self.room = np.zeros(groups, dtype=np.int32)
        self.room[there] = self.bins.capacity[self.bin[there]]
        self.left = np.where(there, np.bincount(self.items.group, minlength=groups), 0)


def fill(items: Items, bins: Bins) -> Filled:
    """Put each item into a bin of its group; see the module for the rule."""
    filled = Filled(
        np.full(len(items.size), -1, dtype=np.int64),
        np.zeros(len(items.size), dtype=np.int64),
        np.zeros(len(bins.capacity), dtype=np.int64),
    )
    if not len(items.size):
        return filled
    state = _State(items, bins)
    active = np.flatnonzero(state.left > 0)
    while len(active):
        _step(state, filled, active)
        active = active[state.left[active] > 0]
    return filled


def _step(state: _State, filled: Filled, active: Ints) -> None:
    """Place one household in every active group, or close its bin."""
    head = state.head[active]
    there = head < state.end[active]
    rank = state.rank[np.where(there, head, -1)]
    rest = state.room[active][:, None] - state.sizes
    smallest = np.where(there, state.sizes, _NEVER).min(axis=1)
    key = rank - (rest == 0) * _EXACT
    key += ((rest > 0) & (smallest[:, None] > rest)) * _DEAD_END
    key[(rest < 0) | ~there] = _NEVER
    choice = key.argmin(axis=1)
    fits = key[np.arange(len(active)), choice] < _NEVER
    _place(state, filled, active[fits], choice[fits])
    stuck = np.flatnonzero(~fits)
    if len(stuck):
        view = _Stuck(active[stuck], rank[stuck], rest[stuck], choice[stuck])
        (_stuck_tubes if state.bins.may_split else _stuck_slots)(state, filled, view)


@dataclass
class _Stuck:
    """Groups whose open bin none of their households fits."""

    group: Ints
    rank: Ints
    rest: Ints  # room less size, negative
    choice: Ints

    def part(self, chosen: Flags) -> _Stuck:
        return _Stuck(self.group[chosen], self.rank[chosen], self.rest[chosen], self.choice[chosen])


def _place(state: _State, filled: Filled, group: Ints, choice: Ints) -> None:
    item = state.queue[state.head[group, choice]]
    filled.bin[item] = state.bin[group]
    state.head[group, choice] += 1
    state.left[group] -= 1
    state.room[group] -= state.sizes[choice]
    _next_bin(state, group[state.room[group] == 0], 0)


def _next_bin(state: _State, group: Ints, used: Ints | int) -> None:
    """Open the next bin, in which ``used`` people's room is taken; a group ends after its last."""
    ends = state.bin[group] >= state.last[group]
    onwards = group[~ends]
    state.bin[onwards] += 1
    taken = used if isinstance(used, int) else used[~ends]
    state.room[onwards] = state.bins.capacity[state.bin[onwards]] - taken
    over = group[ends]
    state.room[over] = 0
    if not state.bins.may_split:
        state.left[over[state.bins.partial[over]]] = 0


def _stuck_slots(state: _State, filled: Filled, stuck: _Stuck) -> None:
    """Let a household exceed the slot by its slack, else go on; the last slot takes all."""
    slack = state.bins.slack[state.bin[stuck.group]]
    last = state.bin[stuck.group] >= state.last[stuck.group]
    allowed = (stuck.rank < _NEVER) & (-stuck.rest <= slack[:, None])
    key = np.where(allowed, stuck.rank, _NEVER)
    choice = key.argmin(axis=1)
    bends = key[np.arange(len(choice)), choice] < _NEVER
    forced = last & ~bends & ~state.bins.partial[stuck.group]
    choice = np.where(forced, stuck.rank.argmin(axis=1), choice)
    goes = bends | forced
    group, chosen = stuck.group[goes], choice[goes]
    where = state.bin[group]
    beyond = state.sizes[chosen] - state.room[group]
    within = np.minimum(beyond, state.bins.slack[where])
    state.bins.slack[where] -= within
    filled.over[where] += beyond - within
    state.room[group] += beyond
    _place(state, filled, group, chosen)
    _next_bin(state, stuck.group[~goes], 0)


def _stuck_tubes(state: _State, filled: Filled, stuck: _Stuck) -> None:
    """Leave room empty while the group has some to spare, else split the next household."""
    room = state.room[stuck.group]
    leave = (room <= state.bins.spare[stuck.group]) & (
        state.bin[stuck.group] < state.last[stuck.group]
    )
    group = stuck.group[leave]
    state.bins.spare[group] -= room[leave]
    _next_bin(state, group, 0)
    rest = stuck.part(~leave)
    choice = rest.rank.argmin(axis=1)
    item = state.queue[state.head[rest.group, choice]]
    filled.bin[item] = state.bin[rest.group]
    spill = state.sizes[choice] - state.room[rest.group]
    filled.spill[item] = spill
    state.head[rest.group, choice] += 1
    state.left[rest.group] -= 1
    _next_bin(state, rest.group, spill)
