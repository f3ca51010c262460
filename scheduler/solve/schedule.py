"""From whole blocks at sites to calls: runs, waves, tubes, slots."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scheduler.domain.city import Floats, Ints
from scheduler.solve.layout import Layout
from scheduler.solve.network import LabFlow, LabSide, Reach, solve_labs
from scheduler.solve.rescue import Places, Rescue
from scheduler.solve.sequence import Order, order_blocks
from scheduler.solve.sessions import split_runs
from scheduler.solve.slots import Call, fill_run
from scheduler.solve.streams import Streams
from scheduler.solve.waves import Load, bridge, gaps, stream_supply, tubes_by_piece

_TRIES = 5
_TO_SPARE = 1.5  # doubled at every turn: a few tubes are less than a block
_LATE_TUBE = 100.0  # gaps that are as bad as a tube that comes late
_FEW_GAPS = 0.002  # share of all tubes that may be moved to bridge gaps without asking again


@dataclass(frozen=True)
class Calls:
    """Columns of equal length: who is called where and when."""

    block: Ints
    stream: Ints
    slot: Ints
    people: Ints


@dataclass(frozen=True)
class Task:
    """What is scheduled: the streams, their layout, their load, and where else blocks may go."""

    streams: Streams
    layout: Layout
    load: Load
    places: Places
    order: Order

    @property
    def people(self) -> Ints:
        """People of each block."""
        return self.places.people


def schedule(
    task: Task, wish: list[Floats], reach: Reach, labs: LabSide, left_cost: float
) -> tuple[Calls, Reach]:
    """Call all blocks of all streams; returns the calls and the labs they were planned for.

    ``wish[stream]`` says how much of a stream's work belongs into each run. Whole blocks and
    part-filled tubes need a little more: what would come late is moved to the last run, and gaps
    that would tear a block apart are bridged; then the labs are asked again. ``labs`` counts whole
    tubes; ``left_cost`` is the price of a tube not sent.
    """
    wish = [share.copy() for share in wish]
    _leave_room(task, wish)
    best: tuple[float, list[list[Ints]], Ints] | None = None
    held: dict[tuple[int, int], int] = {}
    for turn in range(_TRIES):
        runs = _split(task, wish)
        supply = stream_supply(task.layout, task.load, _people(task, runs), held)
        rows = supply.supplies.units
        flow = solve_labs(supply.supplies, reach, labs, np.full(len(rows), left_cost))
        reach = reach.with_labs_of(flow)
        late = _late_tubes(task.layout, flow, reach, labs)
        tubes = tubes_by_piece(task.layout, supply, flow.sent)
        torn = _hold_gaps(task, tubes, held)
        num_late = sum(float(n.sum()) for n in late)
        score = torn + _LATE_TUBE * num_late
        if best is None or score < best[0]:
            best = (score, runs, tubes)
        if not num_late and (turn or torn <= _FEW_GAPS * rows.sum()):
            break
        _postpone(task, wish, [n * _TO_SPARE * 2**turn for n in late], int(rows.sum()))
    if best is None:
        raise RuntimeError("Expected at least one try")
    return _call(task, best[1], best[2]), reach


def _most_runs(layout: Layout) -> int:
    """Return the number of columns of ``people[stream, run]``."""
    return max((int(p[:, 0].max()) + 1 for p in layout.group_pieces), default=1)


def _people(task: Task, runs: list[list[Ints]]) -> Ints:
    """Return ``people[stream, run]``."""
    people = np.zeros((len(task.streams), _most_runs(task.layout)), dtype=np.int64)
    for stream, blocks_of_runs in enumerate(runs):
        for run, blocks in enumerate(blocks_of_runs):
            people[stream, run] = task.people[blocks].sum()
    return people


def _hold_gaps(task: Task, tubes: Ints, held: dict[tuple[int, int], int]) -> int:
    """Ask that gaps be bridged next time; returns how many tubes are missing in gaps now."""
    torn = 0
    for group, members in enumerate(task.layout.members):
        pieces = task.layout.group_pieces[group]
        for run in np.unique(pieces[:, 0]).tolist():
            at = np.flatnonzero(pieces[:, 0] == run)
            widest = int((pieces[at, 3] - pieces[at, 2]).max())
            least = -(-widest // int(task.load.pool[members[0]]))
            for stream in members.tolist():
                for wave in gaps(tubes[stream, at], least):
                    held[stream, int(at[wave])] = least
                    torn += least
    return torn


def _leave_room(task: Task, wish: list[Floats]) -> None:
    """Lower the shares of all runs but the last by what part-filled tubes take beyond full ones."""
    people = _people(task, _split(task, wish))
    pool = task.load.pool[:, None]
    spare = float((-(-people // pool) * pool).sum()) / max(1, int(people.sum())) - 1
    for share in wish:
        cut = share[:-1] * spare
        share[:-1] -= cut
        share[-1] += cut.sum()


def _late_tubes(layout: Layout, flow: LabFlow, reach: Reach, labs: LabSide) -> list[Floats]:
    """Return per group and run the tubes that come late."""
    arrive = (
        labs.promise.pickup_min[flow.load_wave] + reach.travel_min[flow.load_group, flow.load_lab]
    )
    start = np.maximum(arrive, labs.hours.begin_min[flow.load_hour])
    late = labs.promise.late_min(flow.load_wave, flow.load_lab, start) > 0
    result = [np.zeros(int(pieces[:, 0].max()) + 1) for pieces in layout.group_pieces]
    for group, wave, units in zip(
        flow.load_group[late].tolist(), flow.load_wave[late].tolist(),
        flow.load_units[late].tolist(), strict=True,
    ):  # fmt: skip
        pieces = layout.group_pieces[group]
        result[group][pieces[pieces[:, 1] == wave, 0][0]] += units
    return result


def _postpone(task: Task, wish: list[Floats], late: list[Floats], tubes: int) -> None:
    """Move late shares to the last run, and those of the last run back.

    Where a stricter zone comes late, all groups of the commonest zone give way together.
    """
    layout = task.layout
    size = [_people_of(task, m) / float(task.load.pool[m[0]]) for m in layout.members]
    zones = layout.zone[[int(m[0]) for m in layout.members]]
    main = int(np.argmax(np.bincount(zones, weights=size)))
    strict = sum(
        float(n.sum()) for n, zone in zip(late, zones.tolist(), strict=True) if zone != main
    )
    everywhere = min(1.0, strict / max(1, tubes))
    for group in np.flatnonzero(zones == main).tolist():
        part = late[group] / max(1.0, size[group])
        for stream in layout.members[group].tolist():
            share = wish[stream]
            back = min(float(part[-1]), float(share[-1])) if len(share) > 1 else 0.0
            cut = np.minimum(part[:-1] + share[:-1] * everywhere, share[:-1])
            share[:-1] -= cut
            share[-1] += cut.sum() - back
            share[:-1] += back / max(1, len(share) - 1)


def _people_of(task: Task, streams: Ints) -> int:
    """Return the people of some streams."""
    return sum(int(task.people[task.streams.blocks[s]].sum()) for s in streams.tolist())


def _split(task: Task, wish: list[Floats]) -> list[list[Ints]]:
    """Choose the blocks of each run near the wished shares."""
    runs: list[list[Ints]] = [[] for _ in range(len(task.streams))]
    owed: dict[tuple[int, ...], list[float]] = {}
    for group, members in enumerate(task.layout.members):
        pieces = task.layout.group_pieces[group]
        width = np.bincount(pieces[:, 0], weights=pieces[:, 3] - pieces[:, 2])
        key = (int(task.layout.zone[members[0]]), *pieces.ravel().tolist())
        carry = owed.setdefault(key, [0.0] * len(width))
        for stream in members.tolist():
            blocks = task.streams.blocks[stream]
            fixed = task.streams.fixed[stream]
            if fixed is not None:
                runs[stream] = list(fixed)
                continue
            room = [int(w) * int(task.load.quota[stream]) for w in width]
            pool = int(task.load.pool[stream])
            chosen = split_runs(task.people[blocks], room, wish[stream].tolist(), carry, pool)
            runs[stream] = [blocks[np.array(c, dtype=np.int64)] for c in chosen]
    _rescue(task, runs)
    return runs


def _rescue(task: Task, runs: list[list[Ints]]) -> None:
    """Find room elsewhere for blocks that fit into no run of their site."""
    inside = np.zeros(len(task.people), dtype=bool)
    for blocks_of_runs in runs:
        for blocks in blocks_of_runs:
            inside[blocks] = True
    left = np.flatnonzero(~inside & (task.people > 0))
    if len(left):
        rescue = Rescue(task.places, task.streams, task.layout, task.load.quota, runs)
        for block in left[np.argsort(-task.people[left], kind="stable")].tolist():
            rescue.place(block)


def _call(task: Task, runs: list[list[Ints]], tubes: Ints) -> Calls:
    """Call every run's blocks so that the streams' tubes per wave come out as planned."""
    calls: list[Call] = []
    stream_of: list[int] = []
    for stream, blocks_of_runs in enumerate(runs):
        pieces = task.layout.group_pieces[task.layout.group[stream]]
        for run, blocks in enumerate(blocks_of_runs):
            if len(blocks):
                mine = pieces[:, 0] == run
                called = _call_run(
                    task, stream, blocks, pieces[mine], tubes[stream, : len(mine)][mine]
                )
                calls += called
                stream_of += [stream] * len(called)
    columns = np.array([(c.block, c.slot, c.people) for c in calls], dtype=np.int64).reshape(-1, 3)
    return Calls(columns[:, 0], np.array(stream_of, dtype=np.int64), columns[:, 1], columns[:, 2])


def _call_run(task: Task, stream: int, blocks: Ints, pieces: Ints, tubes: Ints) -> list[Call]:
    """Call the blocks of one run, following its tubes per wave."""
    total = int(task.people[blocks].sum())
    pool, quota = int(task.load.pool[stream]), int(task.load.quota[stream])
    width = pieces[:, 3] - pieces[:, 2]
    room = quota * width
    tubes = bridge(tubes, -(-room // pool), -(-int(width.max()) // pool))
    sent = people_of_tubes(total, tubes, room, pool)
    some = np.flatnonzero(sent)
    waves, sent = pieces[some[0] : some[-1] + 1], sent[some[0] : some[-1] + 1]
    order = order_blocks(task.order, blocks, waves[:, 1], sent)
    return fill_run(
        [(b, int(task.people[b])) for b in order],
        [(int(p[2]), int(p[3]), int(n)) for p, n in zip(waves, sent, strict=True)],
        quota,
    )


def people_of_tubes(total: int, tubes: Ints, room: Ints, pool: int) -> Ints:
    """Return people per wave that fill the tubes within the room; the last waves take less."""
    people = np.minimum(tubes * pool, room)
    surplus = int(people.sum()) - total
    for wave in range(len(people) - 1, -1, -1):
        cut = min(max(surplus, 0), int(people[wave]))
        people[wave] -= cut
        surplus -= cut
    for wave in range(len(people)):
        add = min(max(-surplus, 0), int(room[wave] - people[wave]))
        people[wave] += add
        surplus += add
    return people
