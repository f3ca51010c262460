"""What may happen to a plan: the plain case and the named stress cases."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from scheduler.domain.choices import CASES
from scheduler.domain.city import Ints
from scheduler.domain.instance import Instance
from scheduler.errors import CannotRunError
from scheduler.simulate.visits import Consigned, Visits

DOWN_PEOPLE_PER_LANE_HOUR = 10.0
"""With the registration system down; Chengdu, 2 September 2022, creaders.net: below 10."""

RAIN_LATE_MIN, RAIN_SPREAD, RAIN_SLOWER = 15.0, 1.5, 1.3
"""Everybody later, more unevenly, couriers slower: assumptions, no source was found."""

MORE_PEOPLE = 1.1
NOON = 12


@dataclass(frozen=True)
class Case:
    """One case; times in minutes since the round's start.

    ``down`` is the span in which registration is down; ``lab_out`` a laboratory (-1: none) that
    starts nothing from ``lab_out_min`` on.
    """

    name: str
    late_min: float = 0.0
    spread: float = 1.0
    slower: float = 1.0
    people: float = 1.0
    down: tuple[int, int] | None = None
    lab_out: int = -1
    lab_out_min: int = 0

    def about(self, instance: Instance) -> dict[str, object]:
        """Return what happens in this case, for people and programs."""
        found: dict[str, object] = {}
        if self.down is not None:
            found["registration_down"] = [instance.clock.iso(m) for m in self.down]
        if self.lab_out >= 0:
            found["lab_out"] = str(instance.labs.ids[self.lab_out])
            found["lab_out_from"] = instance.clock.iso(self.lab_out_min)
        if self.late_min:
            found["everybody_later_min"] = self.late_min
        if self.people != 1.0:
            found["people_factor"] = self.people
        return found


def case_named(name: str, instance: Instance, visits: Visits, consigned: Consigned) -> Case:
    """Return a case for a plan: the busiest hour goes down, the busiest laboratory fails at noon.

    Raises
    ------
    CannotRunError
        When there is no such case.
    """
    plain = Case(name)
    if name == "plain":
        return plain
    if name == "registration_down":
        first = _busiest_hour(visits)
        return replace(plain, down=(first, first + 60))
    if name == "lab_out":
        tubes = np.bincount(consigned.lab, consigned.tubes, minlength=len(instance.labs))
        return replace(plain, lab_out=int(np.argmax(tubes)), lab_out_min=_noon(instance))
    if name == "rain":
        return replace(plain, late_min=RAIN_LATE_MIN, spread=RAIN_SPREAD, slower=RAIN_SLOWER)
    if name == "more_people":
        return replace(plain, people=MORE_PEOPLE)
    raise CannotRunError(f'Expected a case of {", ".join(CASES)}, got "{name}"')


def _busiest_hour(visits: Visits) -> int:
    """Return the first minute of the round's hour with most people called."""
    called = np.bincount(np.maximum(visits.start_min, 0) // 60, visits.people, minlength=1)
    return int(np.argmax(called)) * 60


def _noon(instance: Instance) -> int:
    """Return the first noon of the round."""
    clock = instance.clock
    to_noon = (NOON - clock.start.hour) * 60 - clock.start.minute
    return to_noon if to_noon >= 0 else to_noon + 1440


def more_people(people: Ints, factor: float) -> Ints:
    """Return people times the factor, rounded so that the sum is right along the rows."""
    total = np.floor(np.cumsum(people) * factor + 0.5).astype(np.int64)
    more: Ints = np.diff(total, prepend=0)
    return more
