"""Single ways out of a promise that cannot be kept, each searched for by computation.

A remedy is a change of the input as ``plan --set`` takes it. Two amounts are told: with less than
``least`` no plan can keep the promise (the fluid proves it; 0 where it can as it is), with
``amount`` a plan should hold when it is lived through (the fluid of the round less the margins that
``[simulate]`` makes likely).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import numpy as np

from scheduler.app.size_words import YES_OR_NO
from scheduler.app.variant import vary
from scheduler.domain.city import Floats, Ints
from scheduler.domain.instance import Instance
from scheduler.domain.margins import expected_margins, tighten
from scheduler.solve.pricing import short_of

MOST_LATER_H, MOST_PROMISE_H, MOST_FACTOR = 24 * 14, 96, 64.0
MOST_LANES, MOST_TUBES, NUM_LABS = 40, 20_000, 10
HALF_HOURS, PERCENT = 2, 100
PART_DEG = 0.3
"""Laboratories within about 30 km serve the same part of the city."""


@dataclass(frozen=True)
class Remedy:
    """One way out; ``least`` and ``amount`` are None where no amount suffices.

    ``effort`` is what changes over what there is, so that remedies can be ordered.
    """

    kind: str
    unit: str
    changes: tuple[str, ...]
    amount: float | None
    least: float | None
    effort: float
    where: tuple[str, ...] = ()
    left_people: int = 0
    confirmed: bool | None = None
    about: dict[str, Any] = field(default_factory=dict)

    @property
    def keeps_promise(self) -> bool:
        """Whether some amount suffices."""
        return self.amount is not None


Changes = Callable[[int], tuple[str, ...]]


class Search:
    """Asks the fluid how much of a change is needed."""

    def __init__(self, instance: Instance, quota: Ints | None = None) -> None:
        """Take ``quota[site]`` where changes are to be tried with other lanes than those there."""
        self.instance, self._quota = instance, quota
        self.kept_on_paper = short_of(instance, quota).kept

    def kept(self, changes: tuple[str, ...], *, surely: bool) -> bool:
        """Return whether the promise is kept after changes; ``surely`` with margins."""
        return self.left(changes, surely=surely) == 0

    def left(self, changes: tuple[str, ...], *, surely: bool) -> int:
        """Return the people that are late all the same."""
        changed = vary(self.instance, changes)
        if surely:
            changed = tighten(changed, expected_margins(changed))
        return short_of(changed, self._quota).people

    def least(self, of: Changes, most: int, *, surely: bool) -> int | None:
        """Return the least whole amount from 1 that suffices, by halving; None beyond ``most``."""
        if not self.kept(of(most), surely=surely):
            return None
        low, high = 0, most
        while high - low > 1:
            middle = (low + high) // 2
            if self.kept(of(middle), surely=surely):
                high = middle
            else:
                low = middle
        return high


def remedies(
    instance: Instance, lab_worth: Ints | Floats, short_districts: list[str]
) -> list[Remedy]:
    """Return all single ways out, those that suffice first, the least effort first.

    ``lab_worth[lab]`` says where more tubes help most; lanes are added in the districts named, or
    everywhere.
    """
    search = Search(instance)
    found = [
        *_of_labs(search, lab_worth), _later(search), _promise(search), _larger_pools(search),
        _hours(search), *_lanes(search, short_districts),
    ]  # fmt: skip
    return sorted(found, key=lambda r: (not r.keeps_promise, r.effort))


def _made(  # noqa: PLR0913  # what a remedy is made of
    search: Search, kind: str, unit: str, of: Changes, most: int, *,
    scale: float = 1.0, effort: Callable[[int], float], where: tuple[str, ...] = (),
) -> Remedy:  # fmt: skip
    """Search the amounts of a remedy; ``scale`` turns whole steps into its unit."""
    least = 0 if search.kept_on_paper else search.least(of, most, surely=False)
    amount = None if least is None else search.least(of, most, surely=True)
    left = 0 if amount is not None else search.left(of(most), surely=True)
    return Remedy(
        kind, unit, () if amount is None else of(amount),
        None if amount is None else amount * scale, None if least is None else least * scale,
        effort(amount or most), where, left,
    )  # fmt: skip


def _of_labs(search: Search, worth: Ints | Floats) -> Iterator[Remedy]:
    """Yield all laboratories in proportion, and the ten where it helps most."""
    labs = search.instance.labs
    rate = float(max(labs.tubes_per_hour.sum(), 1))

    def all_labs(percent: int) -> tuple[str, ...]:
        return (f"labs.tubes_per_hour*={1 + percent / PERCENT:g}",)

    yield _made(search, "labs", "% of tubes per hour, all laboratories", all_labs,
                int(MOST_FACTOR * PERCENT), effort=lambda n: n / PERCENT)  # fmt: skip
    best = _apart(search.instance, worth)[:NUM_LABS]
    ids = tuple(sorted(str(ident) for ident in labs.ids[best]))

    def some_labs(tubes: int) -> tuple[str, ...]:
        return (f"labs[{';'.join(ids)}].tubes_per_hour+={tubes}",)

    if len(labs) > NUM_LABS:
        yield _made(search, "some_labs", "tubes per hour at each", some_labs, MOST_TUBES,
                    effort=lambda n: n * len(ids) / rate, where=ids)  # fmt: skip


def _apart(instance: Instance, worth: Ints | Floats) -> Ints:
    """Return laboratories, those worth most first, but one of every part of the city before others.

    Ten neighbours can help only the people around them.
    """
    labs = instance.labs
    _, part = np.unique(
        np.floor(np.column_stack((labs.lat, labs.lng)) / PART_DEG), axis=0, return_inverse=True
    )
    order = np.lexsort((-labs.tubes_per_hour, -worth))
    seen: dict[int, int] = {}
    rank = np.zeros(len(order), dtype=np.int64)
    for lab in order.tolist():
        rank[lab] = seen.get(int(part[lab]), 0)
        seen[int(part[lab])] = int(rank[lab]) + 1
    return order[np.argsort(rank[order], kind="stable")]


def _later(search: Search) -> Remedy:
    instance = search.instance
    length = max(instance.clock.end_min / 60, 1)

    def end(hours: int) -> tuple[str, ...]:
        moment = instance.settings.round.end + timedelta(hours=hours)
        return (f"round.end={moment:%Y-%m-%dT%H:%M}",)

    return _made(search, "finish_later", "hours", end, MOST_LATER_H, effort=lambda n: n / length)


def _promise(search: Search) -> Remedy:
    now = search.instance.settings.targets.result_hours

    def hours(halves: int) -> tuple[str, ...]:
        return (f"targets.result_hours={now + halves / HALF_HOURS:g}",)

    remedy = _made(search, "longer_promise", "hours", hours, MOST_PROMISE_H * HALF_HOURS,
                   scale=1 / HALF_HOURS, effort=lambda n: n / HALF_HOURS / now)  # fmt: skip
    total = {
        "result_hours": None if remedy.amount is None else now + remedy.amount,
        "least_result_hours": None if remedy.least is None else now + remedy.least,
    }
    return Remedy(**{**vars(remedy), "about": total})


def _larger_pools(search: Search) -> Remedy:
    size = search.instance.settings.pooling.normal
    return _yes_or_no(search, "pools_of_20", ("pooling.normal=20",), 1.0 if size < 20 else 2.0)  # noqa: PLR2004  # 20-in-1


def _hours(search: Search) -> Remedy:
    return _yes_or_no(search, "day_and_night", ("sites.hours=00:00-24:00",), 1.0)


def _yes_or_no(search: Search, kind: str, changes: tuple[str, ...], effort: float) -> Remedy:
    left = search.left(changes, surely=True)
    good = search.kept(changes, surely=False)
    amount = 1.0 if left == 0 else None
    return Remedy(kind, YES_OR_NO, changes if left == 0 else (), amount, 1.0 if good else None,
                  effort, left_people=left)  # fmt: skip


def _lanes(search: Search, districts: list[str]) -> Iterator[Remedy]:
    """Yield more lanes at the sites of the districts whose lanes are short, or everywhere."""
    names = tuple(districts)
    mean = max(float(search.instance.sites.lanes.mean()), 1.0)

    def lanes(more: int) -> tuple[str, ...]:
        if not names:
            return (f"sites.lanes+={more}",)
        return tuple(f"sites[district={name}].lanes+={more}" for name in names)

    yield _made(search, "lanes", "lanes at each site", lanes, MOST_LANES,
                effort=lambda n: n / mean, where=names)  # fmt: skip
