"""Shares of days that add up to what labs take each day, where a day too full is a late one.

Streams follow what their own part of the city should send (``schedule``), and make up for what it
did not foresee: blocks that changed sites for full tubes, sites too small for their share. What is
left over all of the city is shared out again in proportion (Deming and Stephan 1940, doi
10.1214/aoms/1177731829).
"""

from __future__ import annotations

import numpy as np

from scheduler.domain.city import Floats, Ints
from scheduler.solve.layout import Layout, whole_runs
from scheduler.solve.runs import RunEnd, Task
from scheduler.solve.volumes import Volumes
from scheduler.solve.waves import TubeRows

_TURNS = 20
_NEARLY_NONE = 1e-9  # tubes


def levelled(
    task: Task, volumes: Volumes, wish: list[Floats], beyond: Floats | None = None
) -> list[Floats]:
    """Return the shares changed so that runs that end together send what labs should get.

    ``volumes`` are those of wide groups, ``wish[stream]`` the share of its tubes in each of its
    runs. Streams whose blocks are decided keep theirs, and what they send is made up for; so are
    ``beyond[stream, run]`` tubes that labs do not have time for.
    """
    free = np.array([fixed is None for fixed in task.streams.fixed], dtype=bool)
    length = np.array([len(share) for share in wish], dtype=np.int64)
    stream = np.repeat(np.arange(len(wish)), length)
    run = np.arange(len(stream)) - (np.cumsum(length) - length)[stream]
    end = _end_of_runs(task.wide)[task.wide.group[stream], run]
    ends, part = np.unique(end, return_inverse=True)
    sent = np.concatenate(wish) * _tubes(task)[stream]
    for at in np.flatnonzero(~free).tolist():
        sent[stream == at] = _fixed_tubes(task, at, int(length[at]))
    mine = free[stream]
    wanted = _wanted(task.wide, volumes, ends)
    wanted -= np.bincount(part[~mine], sent[~mine], minlength=len(ends))
    if beyond is not None:
        too_many = np.bincount(part, beyond[stream, run], len(ends)).astype(np.float64)
        wanted = elsewhere(wanted, too_many)
    sent[mine] = in_proportion(sent[mine], stream[mine], part[mine], np.maximum(wanted, 0))
    shares = np.split(sent, np.cumsum(length)[:-1])
    return [
        share / share.sum() if is_free and share.sum() > 0 else before
        for share, is_free, before in zip(shares, free.tolist(), wish, strict=True)
    ]


def missing(task: Task, rows: TubeRows, volumes: Volumes) -> dict[RunEnd, float]:
    """Return the people that the commonest zone's runs should call beyond those in ``rows``.

    They are counted in places of tubes, by zone and slot before which the runs end. Runs of other
    zones count with the first ones of the commonest that do not end before them, which make up for
    them in the same labs.
    """
    zone = task.layout.zone
    main = int(np.argmax(np.bincount(zone, rows.tubes.sum(axis=1) * task.load.pool)))
    end = _end_of_runs(task.layout)[task.layout.group]
    ends = np.unique(end[end >= 0])
    sent = np.bincount(np.searchsorted(ends, end[end >= 0]), rows.tubes[end >= 0], len(ends))
    mine = np.unique(end[(end >= 0) & (zone == main)[:, None]])
    less = _wanted(task.wide, volumes, ends) - sent
    less = np.bincount(np.searchsorted(mine, ends), less, len(mine) + 1) * task.load.pool.max(
        where=zone == main, initial=1
    )
    return dict(zip([(main, at) for at in mine.tolist()], less.tolist(), strict=False))


def elsewhere(wanted: Floats, too_many: Floats) -> Floats:
    """Return what is wanted by part with what is too many there moved to those with time for it."""
    room = np.where(too_many > 0, 0.0, np.maximum(wanted, 0))
    moved: Floats = too_many.sum() * room / max(float(room.sum()), _NEARLY_NONE)
    return wanted - too_many + moved


def in_proportion(now: Floats, stream: Ints, part: Ints, wanted: Floats) -> Floats:
    """Return amounts that sum to ``wanted[part]`` as near as the sums of streams, kept, allow.

    ``now``, ``stream`` and ``part`` are columns of equal length. What is wanted is scaled to the
    sum of all, and what is 0 stays 0.
    """
    wanted = wanted * now.sum() / max(float(wanted.sum()), _NEARLY_NONE)
    total = np.bincount(stream, now)
    for _ in range(_TURNS):
        by_part = np.bincount(part, now, minlength=len(wanted))
        now = now * (wanted / np.maximum(by_part, _NEARLY_NONE))[part]
        now = now * (total / np.maximum(np.bincount(stream, now), _NEARLY_NONE))[stream]
    return now


def _tubes(task: Task) -> Floats:
    """Return the tubes of each stream."""
    people = [int(task.people[blocks].sum()) for blocks in task.streams.blocks]
    tubes: Floats = np.array(people) / task.load.pool
    return tubes


def _fixed_tubes(task: Task, stream: int, num_runs: int) -> Ints:
    """Return the tubes of each run of a stream whose blocks are decided."""
    tubes = np.zeros(num_runs, dtype=np.int64)
    for run, blocks in enumerate(task.streams.fixed[stream] or []):
        tubes[run] = -(-int(task.people[blocks].sum()) // int(task.load.pool[stream]))
    return tubes


def _end_of_runs(layout: Layout) -> Ints:
    """Return the slot before which each run of a group ends, ``[group, run]``, -1: no such run."""
    most = max(int(pieces[-1, 0]) + 1 for pieces in layout.group_pieces)
    end = np.full((layout.num_groups, most), -1, dtype=np.int64)
    for group, pieces in enumerate(layout.group_pieces):
        runs = whole_runs(pieces)
        end[group, runs[:, 0]] = runs[:, 3]
    return end


def _wanted(layout: Layout, volumes: Volumes, ends: Ints) -> Floats:
    """Return the tubes that labs should get of all runs that end at each of ``ends``."""
    end_of = _end_of_runs(layout)
    wanted = np.zeros(len(ends))
    for group, pieces in enumerate(layout.group_pieces):
        at = np.searchsorted(ends, end_of[group, pieces[:, 0]])
        np.add.at(wanted, at, volumes.tubes[group, : len(pieces)])
    return wanted
