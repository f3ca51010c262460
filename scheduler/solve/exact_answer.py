"""From a plan to an answer of the exact model and back."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import Any

import numpy as np

from scheduler.domain.city import Ints
from scheduler.solve.consign import Batches, Shipments, batches_of
from scheduler.solve.exact_round import Answer, Batch, SmallRound, StartKey
from scheduler.solve.layout import Layout
from scheduler.solve.planner import Solution
from scheduler.solve.schedule import Calls
from scheduler.solve.sequence import Order, elder_waves, order_blocks
from scheduler.solve.streams import Streams, runs_of

_MOST_TRIES = 20_000
"""So many ways of packing blocks into unbroken pieces are looked at."""

Piece = list[tuple[int, int]]  # (slot, people), slots without a gap


def answer_of(small: SmallRound, solution: Solution) -> Answer:
    """Return a plan as an answer in which each cell works in one piece."""
    answer = Answer()
    cell_at = {
        (c.site, c.zone, slot): number
        for number, c in enumerate(small.cells)
        for slot in range(c.first, c.end)
    }
    calls, layout = solution.calls, solution.layout
    columns = (calls.block, calls.stream, calls.slot, calls.people)
    for block, stream, slot, people in zip(*(c.tolist() for c in columns), strict=True):
        cell = cell_at[int(layout.site[stream]), int(layout.zone[stream]), slot]
        _count(answer.served, (block, cell, 0), people)
        _count(answer.places, (cell, 0, slot), people)
    answer.tubes = _pulled_forward(small, _tubes_of(solution))
    return answer


def _tubes_of(solution: Solution) -> list[tuple[int, int, Batch, int]]:
    """Return rows (hour, lab, batch, tubes) by hour."""
    ships, batches, layout = solution.shipments, solution.batches, solution.layout
    rows = []
    for row, lab, hour, tubes in zip(
        *(c.tolist() for c in (ships.batch, ships.lab, ships.hour, ships.tubes)), strict=True
    ):
        stream = int(batches.stream[row])
        batch = int(layout.site[stream]), int(batches.wave[row]), int(layout.zone[stream])
        rows.append((hour, lab, batch, tubes))
    return sorted(rows)


def _pulled_forward(
    small: SmallRound, rows: list[tuple[int, int, Batch, int]]
) -> dict[StartKey, int]:
    """Start each tube in the first free hour of its lab: hours that nobody needs are left out."""
    hours, limits = small.market.hours, small.instance.labs.max_tubes_per_day
    by_hour: dict[tuple[int, int], int] = {}
    by_day: dict[tuple[int, int], int] = {}
    tubes_at: dict[StartKey, int] = {}
    for _, lab, batch, tubes in rows:
        left = tubes
        for hour in sorted(s.hour for s in small.starts[batch] if s.lab == lab):
            day = int(hours.day[hour])
            free = int(hours.capacity[lab, hour]) - by_hour.get((lab, hour), 0)
            if limits[lab] >= 0:
                free = min(free, int(limits[lab]) - by_day.get((lab, day), 0))
            taken = min(left, free)
            if taken > 0:
                _count(by_hour, (lab, hour), taken)
                _count(by_day, (lab, day), taken)
                _count(tubes_at, (batch, lab, hour), taken)
                left -= taken
    return tubes_at


def _count(table: dict[Any, int], key: Any, amount: int) -> None:  # noqa: ANN401  # any key
    table[key] = table.get(key, 0) + amount


def solution_of(small: SmallRound, answer: Answer, old: Solution) -> Solution | None:
    """Return an answer as a plan; None where a block would have to step over an idle slot."""
    rows = _rows_of(small, answer)
    if rows is None:
        return None
    streams, stream_of = _streams_of(small)
    table = np.array(rows, dtype=np.int64).reshape(-1, 4)
    stream = np.array([stream_of[c] for c in table[:, 1].tolist()], dtype=np.int64)
    calls = Calls(table[:, 0], stream, table[:, 2], table[:, 3])
    layout = _layout_of(streams)
    pool = np.array(small.pool, dtype=np.int64)[layout.zone]
    batches = batches_of(calls, pool, small.per_wave, small.instance.clock.num_waves)
    shipments = _shipments_of(small, answer, batches, layout)
    if shipments.people.sum() != calls.people.sum():
        return None
    return replace(old, streams=streams, layout=layout, calls=calls, batches=batches,
                   shipments=shipments, past_end=[])  # fmt: skip


def _streams_of(small: SmallRound) -> tuple[Streams, dict[int, int]]:
    """Return a stream of each site and zone, and the stream of each cell."""
    streams, stream_of, known = Streams.empty(), {}, dict[tuple[int, int], int]()
    for number, cell in enumerate(small.cells):
        key = cell.site, cell.zone
        if key not in known:
            known[key] = len(streams)
            runs = runs_of(small.market.offered[cell.site])
            streams.add(*key, runs, np.empty(0, dtype=np.int64))
        stream_of[number] = known[key]
    return streams, stream_of


def _layout_of(streams: Streams) -> Layout:
    """Return the streams as columns; nothing after this asks for their groups."""
    site, zone = (np.array(c, dtype=np.int64) for c in (streams.site, streams.zone))
    return Layout(site, zone, np.zeros_like(site), [], [])


def _rows_of(small: SmallRound, answer: Answer) -> list[tuple[int, int, int, int]] | None:
    """Return rows (block, cell, slot, people)."""
    order = _order(small)
    blocks: dict[tuple[int, int], dict[int, int]] = defaultdict(dict)
    for (block, cell, number), people in sorted(answer.served.items()):
        blocks[cell, number][block] = people
    slots: dict[tuple[int, int], Piece] = defaultdict(list)
    for (cell, number, slot), people in sorted(answer.places.items()):
        slots[cell, number].append((slot, people))
    rows: list[tuple[int, int, int, int]] = []
    for key, sizes in blocks.items():
        pieces = unbroken(slots[key])
        packed = pack(sizes, [sum(n for _, n in piece) for piece in pieces])
        if packed is None:
            return None
        for piece, chosen in zip(pieces, packed, strict=True):
            ordered = _ordered(small, order, chosen, piece)
            rows += [(b, key[0], slot, n) for b, slot, n in _fill(ordered, sizes, piece)]
    return rows


def _order(small: SmallRound) -> Order:
    instance = small.instance
    share = instance.blocks.elderly / np.maximum(instance.blocks.people, 1)
    community = instance.blocks.community_index
    return Order(community, instance.demand, share, elder_waves(instance.clock))


def _ordered(small: SmallRound, order: Order, chosen: list[int], piece: Piece) -> list[int]:
    waves = np.array([slot // small.per_wave for slot, _ in piece], dtype=np.int64)
    people = np.array([n for _, n in piece], dtype=np.int64)
    return order_blocks(order, np.array(sorted(chosen), dtype=np.int64), waves, people)


def unbroken(slots: Piece) -> list[Piece]:
    """Split slots with people in them wherever a slot between them is idle."""
    pieces: list[Piece] = []
    for slot, people in slots:
        if not pieces or pieces[-1][-1][0] != slot - 1:
            pieces.append([])
        pieces[-1].append((slot, people))
    return pieces


def pack(sizes: dict[int, int], room: list[int]) -> list[list[int]] | None:
    """Return blocks that fill each room exactly; None where no way was found."""
    order = sorted(sizes, key=lambda b: (-sizes[b], b))
    dead: set[tuple[int, tuple[int, ...]]] = set()
    chosen: list[int] = []

    def place(left: tuple[int, ...]) -> bool:
        at = len(chosen)
        if at == len(order):
            return not any(left)
        if (at, left) in dead or len(dead) > _MOST_TRIES:
            return False
        for number, space in enumerate(left):
            if sizes[order[at]] <= space:
                chosen.append(number)
                rest = (*left[:number], space - sizes[order[at]], *left[number + 1 :])
                if place(rest):
                    return True
                chosen.pop()
        dead.add((at, left))
        return False

    if not place(tuple(room)):
        return None
    pieces: list[list[int]] = [[] for _ in room]
    for block, number in zip(order, chosen, strict=True):
        pieces[number].append(block)
    return pieces


def _fill(order: list[int], sizes: dict[int, int], piece: Piece) -> list[tuple[int, int, int]]:
    """Call blocks one after the other; returns rows (block, slot, people)."""
    rows = []
    free = [[slot, people] for slot, people in piece]
    for block in order:
        left = sizes[block]
        while left:
            taken = min(left, free[0][1])
            rows.append((block, free[0][0], taken))
            left -= taken
            free[0][1] -= taken
            if not free[0][1]:
                free.pop(0)
    return rows


def _shipments_of(small: SmallRound, answer: Answer, batches: Batches, layout: Layout) -> Shipments:
    """Fill each batch's tubes one after the other, the least late ones first."""
    late = {
        (batch, s.lab, s.hour): s.late for batch, starts in small.starts.items() for s in starts
    }
    by_batch = defaultdict(list)
    for (batch, lab, hour), tubes in answer.tubes.items():
        by_batch[batch].append((late[batch, lab, hour], hour, lab, tubes))
    rows: list[tuple[int, int, int, int, int]] = []
    for row, stream in enumerate(batches.stream.tolist()):
        batch = int(layout.site[stream]), int(batches.wave[row]), int(layout.zone[stream])
        people, pool = int(batches.people[row]), small.pool[batch[2]]
        for _, hour, lab, tubes in sorted(by_batch[batch]):
            used = min(tubes, -(-people // pool))
            if used:
                sent = min(people, used * pool)
                rows.append((row, lab, hour, used, sent))
                people -= sent
    table: Ints = np.array(rows, dtype=np.int64).reshape(-1, 5)
    return Shipments(*table.T.copy())
