"""Who was to come, who was called by now, and who came: by community, district, city and hour."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from scheduler.domain.city import Flags, Ints
from scheduler.domain.instance import Instance
from scheduler.domain.roster import Fate

NEVER = np.iinfo(np.int64).max
HOUR_MIN = 60


@dataclass(frozen=True)
class People:
    """People of a roster as columns; times are minutes since the round's start.

    ``sampled`` is the minute of a person's first sample, ``NEVER`` without one. ``start``, ``end``
    and ``site`` are -1 without a slot.
    """

    community: Ints
    block: Ints
    fate: Ints
    site: Ints
    start: Ints
    end: Ints
    sampled: Ints

    @property
    def target(self) -> Flags:
        """People to be sampled: all but the exempt."""
        target: Flags = self.fate != Fate.EXEMPT
        return target

    def missed(self, now_min: int) -> Flags:
        """Return people whose slot is over and who have no sample."""
        over = (self.fate == Fate.SLOT) & (self.end <= now_min)
        missed: Flags = over & (self.sampled == NEVER)
        return missed


@dataclass(frozen=True)
class Coverage:
    """People of each community: target, and called and sampled up to the end of each hour.

    ``called[community, hour]`` and ``sampled[community, hour]`` count up; hours begin at the
    round's start.
    """

    target: Ints
    called: Ints
    sampled: Ints


def coverage_of(people: People, num_communities: int, now_min: int) -> Coverage:
    """Return the coverage of every community until now, or until nothing more happens."""
    came = people.sampled != NEVER
    last = max(
        int(people.end.max(initial=0)), int(people.sampled[came].max(initial=-1)) + 1, HOUR_MIN
    )
    hours = -(-max(min(last, now_min), HOUR_MIN) // HOUR_MIN)
    due = (people.fate == Fate.SLOT) & (people.end <= hours * HOUR_MIN)
    came &= people.target

    def by_hour(chosen: Flags, minute: Ints) -> Ints:
        hour = np.clip((minute[chosen] - 1) // HOUR_MIN, 0, hours - 1)
        key = people.community[chosen] * hours + hour
        counts = np.bincount(key, minlength=num_communities * hours)
        return counts.reshape(num_communities, hours).cumsum(axis=1)

    return Coverage(
        target=np.bincount(people.community[people.target], minlength=num_communities),
        called=by_hour(due, people.end),
        sampled=by_hour(came, people.sampled + 1),
    )


def coverage_table(instance: Instance, coverage: Coverage) -> pl.DataFrame:
    """Return rows of city, districts and communities by hour: level, id, name, hour and counts."""
    towns = instance.communities
    names, of = np.unique(towns.districts.astype(str), return_inverse=True)
    order = np.argsort(of, kind="stable")
    groups = [("city", "", "", np.arange(len(towns)))]
    groups += [("district", n, n, np.flatnonzero(of == d)) for d, n in enumerate(names.tolist())]
    groups += [
        ("community", str(towns.ids[c]), str(towns.names[c]), np.array([c]))
        for c in order.tolist()
        if coverage.target[c]
    ]
    hours = coverage.called.shape[1]
    target = np.array([coverage.target[rows].sum() for *_, rows in groups])
    called = np.concatenate([coverage.called[rows].sum(axis=0) for *_, rows in groups])
    sampled = np.concatenate([coverage.sampled[rows].sum(axis=0) for *_, rows in groups])
    ends = [instance.clock.at((h + 1) * HOUR_MIN) for h in range(hours)]
    times = [f"{t:%Y-%m-%d %H:%M}" for t in ends]
    frame = pl.DataFrame(
        {
            "level": np.repeat([g[0] for g in groups], hours).tolist(),
            "id": np.repeat([g[1] for g in groups], hours).tolist(),
            "name": np.repeat([g[2] for g in groups], hours).tolist(),
            "hour": times * len(groups),
            "target": np.repeat(target, hours),
            "called": called,
            "sampled": sampled,
        }
    )
    share = pl.when(pl.col("target") > 0).then(pl.col("sampled") / pl.col("target"))
    return frame.with_columns(share.round(4).alias("coverage"))
