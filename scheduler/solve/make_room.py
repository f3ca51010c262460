"""Room for a block where no bin has enough: chains of moves, swaps, and what they cost.

A block that does not fit pushes out the one that leaves least behind; that one pushes on at its
next bin, and so on (an ejection chain, Glover 1996, doi 10.1016/0166-218X(94)00037-E). Every bin on
the way gives what little room it has left, so that a few moves gather room for a whole block.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass

import numpy as np

from scheduler.domain.city import Flags, Floats, Ints
from scheduler.solve.bins import Bins

_MOST_BINS = 200
"""Bins looked at for one block; a chain that is found at all is mostly found within 50."""
_MOST_MOVES = 8
_LAST_BINS, _LAST_MOVES = 2_000, 20
"""The same for a block that is left out otherwise."""
_MOST_SWAPPED = 200  # blocks of a bin that are looked at: more than it holds, but of single people
_TURNS = 3
_WORTH = 1.0  # person-minutes below which a move is not looked for


@dataclass(frozen=True)
class _Label:
    """A chain so far: ``deficit`` people too many in the bin that a row leads ``block`` to."""

    cost: float
    deficit: int
    row: int
    block: int
    bin: int
    before: _Label | None
    moves: int

    def passed(self) -> list[_Label]:
        """Return the labels of the chain, the last one first."""
        chain: list[_Label] = []
        label: _Label | None = self
        while label is not None:
            chain.append(label)
            label = label.before
        return chain


def place_all(bins: Bins, blocks: list[int]) -> None:
    """Give blocks in no bin a bin each, as far as room is found.

    Where a block finds none, it is not looked for again for one as large with the same bins.
    """
    hopeless: dict[bytes, int] = {}
    for block in blocks:
        rows, size = bins.rows_of(np.array([block])), int(bins.people[block])
        key = bins.pairs.site[rows].tobytes()
        if size < hopeless.get(key, size + 1) and not place(bins, block):
            hopeless[key] = size


def place(bins: Bins, block: int) -> bool:
    """Give a block a bin: by the cheapest chain that is found, else by swaps; tell whether."""
    if push_in(bins, block):
        return True
    chain = _chain(bins, block, np.inf, _LAST_BINS, _LAST_MOVES)
    if chain is not None:
        _follow(bins, chain)
    return chain is not None or _gather(bins, block)


def push_in(bins: Bins, block: int) -> bool:
    """Give a block a bin by the cheapest chain of a few moves that is found; tell whether."""
    chain = _chain(bins, block, np.inf)
    if chain is not None:
        _follow(bins, chain)
    return chain is not None


def cheapen(bins: Bins, tries: int) -> None:
    """Move and swap blocks while that is cheaper, those that pay most above their least first."""
    for _ in range(_TURNS):
        loss = (bins.now - bins.least) * bins.people
        order = np.argsort(-loss, kind="stable")
        order = order[loss[order] > _WORTH][:tries]
        if not sum([_cheapen(bins, block) for block in order.tolist()]):
            break


def _cheapen(bins: Bins, block: int) -> bool:
    """Make the first of a swap and a chain that is cheaper with a block elsewhere."""
    if _swap_cheaper(bins, block):
        return True
    chain = _chain(bins, block, bins.now[block] * bins.people[block] - _WORTH)
    if chain is not None:
        _follow(bins, chain)
    return chain is not None


def _swap_cheaper(bins: Bins, block: int) -> bool:
    number = int(bins.bin_of[block])
    swaps = bins.swaps(number, np.array([block]))
    good = swaps.fits & (swaps.gain >= -bins.room(number)) & (swaps.cost < -_WORTH)
    if not good.any():
        return False
    bins.swap(swaps, int(np.argmin(np.where(good, swaps.cost, np.inf))))
    return True


def _chain(
    bins: Bins, block: int, most: float, most_bins: int = _MOST_BINS, most_moves: int = _MOST_MOVES
) -> _Label | None:
    """Return the cheapest chain found that costs less than ``most`` and lets a block in."""
    heap = [(label.cost, n, label) for n, label in enumerate(_enter(bins, block))]
    number = len(heap)
    heapq.heapify(heap)
    seen: dict[int, list[tuple[float, int]]] = {}
    for _ in range(most_bins):
        if not heap or heap[0][0] >= most:
            break
        label = heapq.heappop(heap)[2]
        if label.deficit <= 0:
            return label
        if label.moves >= most_moves or _is_seen(seen, label):
            continue
        for more in _push(bins, label, most):
            number += 1
            heapq.heappush(heap, (more.cost, number, more))
    return None


def _enter(bins: Bins, block: int) -> list[_Label]:
    rows, size = bins.rows_of(np.array([block])), int(bins.people[block])
    number = bins.pairs.site[rows]
    good = (bins.capacity[number] >= size) & (number != bins.bin_of[block])
    rows, number = rows[good], number[good]
    deficit = np.maximum(0, bins.load[number] + size - bins.capacity[number])
    columns = ((bins.price[rows] * size).tolist(), deficit.tolist(), rows.tolist(), number.tolist())
    return [_Label(c, d, r, block, b, None, 0) for c, d, r, b in zip(*columns, strict=True)]


def _push(bins: Bins, label: _Label, most: float) -> list[_Label]:
    """Return the chains in which one block leaves the label's bin for another one."""
    chain = label.passed()
    here = bins.inside(label.bin)
    here = here[(bins.people[here] >= label.deficit) & ~np.isin(here, [c.block for c in chain])]
    if not len(here):
        return []
    rows = bins.rows_of(here)
    other, number = bins.pairs.block[rows], bins.pairs.site[rows]
    size = bins.people[other]
    cost = label.cost + (bins.price[rows] - bins.now[other]) * size
    start = int(bins.bin_of[chain[-1].block])  # its first block has left it
    load = bins.load[number] - np.where(number == start, bins.people[chain[-1].block], 0)
    deficit = np.maximum(0, load + size - bins.capacity[number])
    good = (cost < most) & (bins.capacity[number] >= size)
    good &= ~np.isin(number, [c.bin for c in chain])
    return [
        _Label(float(cost[r]), int(deficit[r]), int(rows[r]), int(other[r]), int(number[r]), label,
               label.moves + 1)
        for r in _least_per_bin(number, deficit, cost, good)
    ]  # fmt: skip


def _follow(bins: Bins, last: _Label) -> None:
    for label in last.passed():
        bins.move(label.block, label.row)


def _is_seen(seen: dict[int, list[tuple[float, int]]], label: _Label) -> bool:
    """Tell whether the bin was reached as cheaply with as little too many; note it if not."""
    known = seen.setdefault(label.bin, [])
    if any(c <= label.cost and d <= label.deficit for c, d in known):
        return True
    known.append((label.cost, label.deficit))
    return False


def _least_per_bin(number: Ints, deficit: Ints, cost: Floats, good: Flags) -> list[int]:
    """Return per bin the cheapest row, and the one with least too many."""
    some = np.flatnonzero(good)
    rows: set[int] = set()
    for first, second in ((cost, deficit), (deficit, cost)):
        order = some[np.lexsort((second[some], first[some], number[some]))]
        new = np.r_[True, number[order][1:] != number[order][:-1]][: len(order)]
        rows.update(order[new].tolist())
    return sorted(rows)


def _gather(bins: Bins, block: int) -> bool:
    """Gather room in one bin by swaps with others, which end fuller; else leave all as it was."""
    rows, size = bins.rows_of(np.array([block])), int(bins.people[block])
    number = bins.pairs.site[rows]
    room = bins.capacity[number] - bins.load[number]
    for at in np.argsort(-room, kind="stable").tolist():
        if bins.capacity[number[at]] < size:
            continue
        back = _make_swaps(bins, int(number[at]), size)
        if bins.room(int(number[at])) >= size:
            bins.move(block, int(rows[at]))
            return True
        for old, row in reversed(back):
            bins.move(old, row)
    return False


def _make_swaps(bins: Bins, number: int, size: int) -> list[tuple[int, int]]:
    """Swap until a bin has room for ``size`` people or nothing helps; return the way back."""
    back: list[tuple[int, int]] = []
    while bins.room(number) < size:
        swaps = bins.swaps(number, bins.inside(number)[:_MOST_SWAPPED])
        good = np.flatnonzero(swaps.fits & (swaps.gain > 0))
        if not len(good):
            break
        gain, cost = swaps.gain[good], swaps.cost[good]
        enough = gain >= size - bins.room(number)
        score = (cost, ~enough) if enough.any() else (cost, -gain)
        at = int(good[np.lexsort(score)[0]])
        for row in (int(swaps.out[at]), int(swaps.back[at])):
            if row >= 0:
                moved = int(bins.pairs.block[row])
                here = bins.rows_of(np.array([moved]))
                back.append((moved, int(here[bins.pairs.site[here] == bins.bin_of[moved]][0])))
        bins.swap(swaps, at)
    return back
