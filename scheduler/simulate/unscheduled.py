"""The same sites without a schedule: everybody goes to the nearest one when it suits him."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from pydantic import TypeAdapter, ValidationError
from scipy.spatial import cKDTree

from scheduler.domain.city import FIXED, Floats, Ints
from scheduler.domain.instance import Instance
from scheduler.domain.settings import Zone
from scheduler.errors import CannotRunError
from scheduler.simulate.visits import Visits

BEFORE_OPENING_MIN = 30
"""The crowd at the door has come within so many minutes."""


@dataclass(frozen=True, kw_only=True)
class DayShares:
    """Shares of a day's people: before the opening, and in tenths of the opening hours."""

    before_opening: float
    tenths: tuple[float, ...]


@dataclass(frozen=True, kw_only=True)
class RoundShares:
    """Shares of the days of a round of two and of three days."""

    two: tuple[float, ...]
    three: tuple[float, ...]


@dataclass(frozen=True, kw_only=True)
class ArrivalCurve:
    """When people come who are given no time: ``configs/arrivals.toml``, fitted from real data."""

    day: DayShares
    days: RoundShares

    def of_days(self, count: int) -> Floats:
        """Return shares of the days of a round; more than three follow the last ratio of three."""
        known = {1: (1.0,), 2: self.days.two, 3: self.days.three}
        shares = list(known.get(count, self.days.three))
        while len(shares) < count:
            shares.append(shares[-1] * self.days.three[-1] / self.days.three[-2])
        return np.array(shares) / sum(shares)


def load_curve(path: Path) -> ArrivalCurve:
    """Read the curve.

    Raises
    ------
    CannotRunError
        When the file cannot be used.
    """
    try:
        data: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
        return TypeAdapter(ArrivalCurve).validate_python(data)
    except (OSError, tomllib.TOMLDecodeError, ValidationError) as error:
        raise CannotRunError(f"The arrival curve {path} cannot be used: {error}") from None


def unscheduled_visits(instance: Instance, curve: ArrivalCurve) -> Visits:
    """Return who comes where and when without a schedule.

    Every block goes to the nearest open site that accepts its zone, to a team where one is named
    for its community; sealed people without a team cannot come.
    """
    site = nearest_sites(instance)
    frames = []
    for number in np.unique(site[site >= 0]).tolist():
        here = (site == number) & (instance.demand > 0)
        spans, shares = _spans(instance, number, curve)
        for zone in np.unique(instance.block_zone[here]).tolist():
            people = int(instance.demand[here & (instance.block_zone == zone)].sum())
            upto = np.rint(np.cumsum(shares) * people).astype(np.int64)
            frames.append(
                pd.DataFrame(
                    {
                        "site": number, "start_min": spans[:, 0], "zone": zone,
                        "people": np.diff(upto, prepend=0), "width_min": spans[:, 1],
                    }
                )
            )  # fmt: skip
    if not frames:
        raise CannotRunError("Nobody can go anywhere in this round: no site is open to anyone")
    return Visits.of(pd.concat(frames))


def nearest_sites(instance: Instance) -> Ints:
    """Return the site each block goes to by itself, -1: none."""
    sites, clock = instance.sites, instance.clock
    is_open = np.array([bool(clock.windows(h, 0, clock.end_min)) for h in sites.hours], dtype=bool)
    fixed = (sites.kinds == FIXED) & is_open
    points, homes = (_points(t.lat, t.lng) for t in (sites, instance.blocks))
    found = np.full(len(instance.blocks), -1, dtype=np.int64)
    for zone in Zone:
        blocks = np.flatnonzero((instance.block_zone == zone) & (instance.demand > 0))
        usable = np.flatnonzero(fixed & sites.accepts[:, zone])
        if len(blocks) and len(usable) and zone != Zone.LOCKDOWN:
            found[blocks] = usable[cKDTree(points[usable]).query(homes[blocks])[1]]
    _send_to_teams(instance, found, is_open)
    return found


def _send_to_teams(instance: Instance, found: Ints, is_open: Any) -> None:  # noqa: ANN401  # flags
    """Let the blocks of a community share the teams named for it."""
    teams: dict[int, list[int]] = {}
    for site, named in enumerate(instance.sites.community_indices):
        for community in named:
            zone = int(instance.communities.zone[community])
            if is_open[site] and instance.sites.accepts[site, zone]:
                teams.setdefault(community, []).append(site)
    for community, some in teams.items():
        blocks = np.flatnonzero(instance.blocks.community_index == community)
        found[blocks] = np.array(some)[np.arange(len(blocks)) % len(some)]


def _points(lat: Floats, lng: Floats) -> Floats:
    phi, lam = np.radians(lat), np.radians(lng)
    return np.column_stack((np.cos(phi) * np.cos(lam), np.cos(phi) * np.sin(lam), np.sin(phi)))


def _spans(instance: Instance, site: int, curve: ArrivalCurve) -> tuple[Ints, Floats]:
    """Return (first minute, width) of the spans in which people come, and their shares."""
    clock = instance.clock
    windows = [
        (max(a, 0), min(b, clock.end_min))
        for a, b in clock.windows(instance.sites.hours[site], 0, clock.end_min)
    ]
    dates = np.array([clock.at(a).toordinal() for a, _ in windows])
    rows, shares = [], []
    for date, of_day in zip(np.unique(dates), curve.of_days(len(np.unique(dates))), strict=True):
        today = [w for w, d in zip(windows, dates, strict=True) if d == date]
        length = sum(b - a for a, b in today)
        rows.append((today[0][0] - BEFORE_OPENING_MIN, BEFORE_OPENING_MIN))
        shares.append(of_day * curve.day.before_opening)
        for begin, end in today:
            edges = np.linspace(begin, end, len(curve.day.tenths) + 1).astype(np.int64)
            rows += [(a, b - a) for a, b in pairwise(edges.tolist())]
            part = of_day * (end - begin) / length
            shares += [part * share for share in curve.day.tenths]
    table, weights = np.array(rows, dtype=np.int64), np.array(shares)
    return table, weights / weights.sum()
