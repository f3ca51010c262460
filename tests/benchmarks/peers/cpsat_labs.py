"""The labs of the CP-SAT peer: whole tubes, from classes of sites to lab hours."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np
from ortools.sat.python import cp_model

from tests.benchmarks.peers.answer import Answer, Batch, Start
from tests.benchmarks.peers.ground import NEVER, Ground
from tests.benchmarks.peers.queue_of_site import Piece

LATE_HOURS = 12
"""Labs are looked at so many hours beyond that of the pick-up."""
SCALE = 1_000
"""Whole cost units per person-minute."""

Var = cp_model.IntVar
ClassWave = tuple[int, int]
Taker = TypeVar("Taker")


def weighted(terms: Sequence[tuple[Var, int]]) -> cp_model.LinearExprT:
    """Return the sum of variables times weights."""
    return cp_model.LinearExpr.weighted_sum([t[0] for t in terms], [t[1] for t in terms])


def total(variables: Sequence[Var]) -> cp_model.LinearExprT:
    """Return the sum of variables."""
    return cp_model.LinearExpr.sum(variables)


class Draft:
    """A model under construction: each variable has its value in the greedy's plan as a hint."""

    def __init__(self) -> None:
        self.model = cp_model.CpModel()
        self._priced: list[tuple[Var, int]] = []

    def flag(self, hint: bool) -> Var:
        """Add a yes-or-no variable."""
        variable = self.model.new_bool_var("")
        self.model.add_hint(variable, hint)
        return variable

    def count(self, most: int, hint: int) -> Var:
        """Add a whole number from 0 to ``most``."""
        variable = self.model.new_int_var(0, most, "")
        self.model.add_hint(variable, min(hint, most))
        return variable

    def price(self, variable: Var, cost: float) -> None:
        """Let each unit of a variable cost so many person-minutes."""
        self._priced.append((variable, round(cost * SCALE)))

    def minimise(self) -> None:
        """Ask for the least sum of all prices."""
        self.model.minimize(weighted(self._priced))


@dataclass
class _Desk:
    """Tubes that reach a lab from one wave and have the same hours: what comes, what starts."""

    comes: dict[ClassWave, Var] = field(default_factory=dict)
    starts: dict[Start, Var] = field(default_factory=dict)
    hints: dict[Start, int] = field(default_factory=lambda: defaultdict(int))
    hours: list[tuple[Start, int]] = field(default_factory=list)  # start, minutes late


class LabPart:
    """Sites from which every lab lies in the same hours are one class."""

    def __init__(
        self, ground: Ground, draft: Draft, zone: int, known: tuple[Answer, Answer]
    ) -> None:
        """Take the greedy's plan of the zone, and of the other zones, which is kept."""
        self.ground, self.draft, self.zone = ground, draft, zone
        self.pool = ground.pool[zone]
        self.begun, self.fixed = known
        self.late = ground.late_min(relaxed=False)
        _, group = np.unique(self.late, axis=0, return_inverse=True)
        self.class_of: list[int] = group.ravel().tolist()
        self.desks: dict[Hashable, _Desk] = {}

    def add(self, pieces: list[Piece], swabbed: list[tuple[Var, int]]) -> None:
        """Send the people swabbed in each piece to labs."""
        inside = defaultdict(list)
        for (now, hint), piece in zip(swabbed, pieces, strict=True):
            inside[piece.site, piece.wave].append((now, piece.room, hint))
        tubes: dict[ClassWave, list[tuple[Var, int, int]]] = defaultdict(list)
        for (site, wave), people in inside.items():
            most = -(-sum(room for _, room, _ in people) // self.pool)
            count = self.draft.count(most, -(-sum(hint for _, _, hint in people) // self.pool))
            self.draft.model.add(self.pool * count >= total([now for now, _, _ in people]))
            tubes[self.class_of[site], wave].append((count, site, most))
        for key, counts in tubes.items():
            self._send(key, counts)
        for desk in self.desks.values():
            self._start(desk)
        self._keep_capacity()

    def _send(self, key: ClassWave, counts: list[tuple[Var, int, int]]) -> None:
        """Let the tubes of a class and wave go to any lab that can start them."""
        wave, site, most = key[1], counts[0][1], sum(count[2] for count in counts)
        sent: dict[Start, int] = defaultdict(int)
        for _, place, _ in counts:
            for start, number in self.begun.tubes.get((place, wave, self.zone), {}).items():
                sent[start] += number
        labs = []
        for lab in np.flatnonzero(self.ground.lab_takes[self.zone]).tolist():
            late = self.late[site, wave, lab, : LATE_HOURS + 1]
            if (late == NEVER).all():
                continue
            here = {start: number for start, number in sent.items() if start[0] == lab}
            desk = self._desk(wave, lab, late.tolist())
            desk.comes[key] = self.draft.count(most, sum(here.values()))
            labs.append(desk.comes[key])
            for start, number in here.items():
                desk.hints[start] += number
        self.draft.model.add(total(labs) == total([count[0] for count in counts]))

    def _desk(self, wave: int, lab: int, late: list[int]) -> _Desk:
        key = (wave, lab, *late)
        if key not in self.desks:
            first = self.ground.first_hour(wave)
            hours = [((lab, first + h), minutes) for h, minutes in enumerate(late)]
            self.desks[key] = _Desk(hours=[hour for hour in hours if hour[1] != NEVER])
        return self.desks[key]

    def _start(self, desk: _Desk) -> None:
        """Start what comes to a desk in any of its hours; a late tube counts as full."""
        weight = self.ground.instance.settings.weights.late * self.pool
        for start, late in desk.hours:
            most = int(self.ground.hours.capacity[start])
            desk.starts[start] = self.draft.count(most, desk.hints[start])
            self.draft.price(desk.starts[start], weight * late)
        self.draft.model.add(total(list(desk.starts.values())) == total(list(desk.comes.values())))

    def _keep_capacity(self) -> None:
        """Hold lab hours and lab days to what the other zones leave of them."""
        hours, limit = self.ground.hours, self.ground.instance.labs.max_tubes_per_day
        by_hour: dict[Start, list[Var]] = defaultdict(list)
        by_day: dict[tuple[int, int], list[Var]] = defaultdict(list)
        left = hours.capacity.copy()
        for desk in self.desks.values():
            for (lab, hour), tubes in desk.starts.items():
                by_hour[lab, hour].append(tubes)
                by_day[lab, int(hours.day[hour])].append(tubes)
        used: dict[tuple[int, int], int] = defaultdict(int)
        for starts in self.fixed.tubes.values():
            for (lab, hour), number in starts.items():
                left[lab, hour] -= number
                used[lab, int(hours.day[hour])] += number
        for start, some in by_hour.items():
            self.draft.model.add(total(some) <= int(left[start]))
        for (lab, day), some in by_day.items():
            if limit[lab] >= 0:
                self.draft.model.add(total(some) <= int(limit[lab]) - used[lab, day])

    def tubes_of(
        self, solver: cp_model.CpSolver, people: dict[tuple[int, int], int]
    ) -> dict[Batch, dict[Start, int]]:
        """Return the starts of each batch; ``people`` are those called by site and wave."""
        supply: dict[ClassWave, list[tuple[Start, int]]] = defaultdict(list)
        for desk in self.desks.values():
            starts = [(start, solver.value(count)) for start, count in desk.starts.items()]
            comes = [(key, solver.value(count)) for key, count in desk.comes.items()]
            for key, shares in _dealt(comes, starts):
                supply[key] += shares
        need: dict[ClassWave, list[tuple[int, int]]] = defaultdict(list)
        for (site, wave), count in sorted(people.items()):
            need[self.class_of[site], wave].append((site, -(-count // self.pool)))
        tubes: dict[Batch, dict[Start, int]] = {}
        for key, sites in need.items():
            for site, shares in _dealt(sites, sorted(supply[key], key=lambda share: share[0][1])):
                tubes[site, key[1], self.zone] = dict(shares)
        return tubes


def _dealt(
    takers: list[tuple[Taker, int]], supply: list[tuple[Start, int]]
) -> Iterator[tuple[Taker, list[tuple[Start, int]]]]:
    """Deal starts, the first ones first, to those who need so many tubes."""
    at = used = 0
    for taker, need in takers:
        shares, missing = [], need
        while missing and at < len(supply):
            start, count = supply[at]
            now = min(missing, count - used)
            if now:
                shares.append((start, now))
            missing, used = missing - now, used + now
            if used == count:
                at, used = at + 1, 0
        yield taker, shares
