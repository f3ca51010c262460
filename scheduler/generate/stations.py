"""Made-up sampling sites: one to so many people, near where they live, and teams for lockdown."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scheduler.domain.city import FIXED, MOBILE, Floats, Ints, Texts
from scheduler.domain.settings import SiteSettings, TargetSettings, Zone
from scheduler.generate.figures import CityFigures
from scheduler.generate.places import Points
from scheduler.generate.residents import MadeBlocks, MadeCommunities
from scheduler.generate.shares import split_whole

TEAMS_PER_LOCKDOWN = 2
LOCKDOWN_HOURS, SHARE_OF_DAY = 8.0, 0.75
"""A lockdown community is done in 8 hours, or in this share of a shorter day (Dalian, December
2020: 8,216 people of one community overnight)."""


@dataclass(frozen=True)
class MadeSites:
    """Sites as columns."""

    ids: Texts
    names: Texts
    district: Ints
    addresses: Texts
    points: Points
    lanes: Ints
    queue_length_m: Ints
    zones: Texts
    kinds: Texts
    community_ids: Texts


def make_sites(
    rng: np.random.Generator, figures: CityFigures, made: MadeCommunities, blocks: MadeBlocks
) -> MadeSites:
    """Return fixed sites spread by people, then the mobile teams of lockdown communities."""
    locked = np.flatnonzero(made.zone == int(Zone.LOCKDOWN))
    num_mobile = len(locked) * TEAMS_PER_LOCKDOWN
    total = max(2, round(int(made.people.sum()) / figures.city.people_per_site)) - num_mobile
    host = _hosts(rng, made, blocks, max(total, 1))
    owner = np.repeat(locked, TEAMS_PER_LOCKDOWN)
    community = np.concatenate([blocks.community[host], owner])
    near = _beside(rng, blocks.points[host])
    points = Points(
        np.concatenate([near.lat, made.points.lat[owner]]),
        np.concatenate([near.lng, made.points.lng[owner]]),
    ).rounded()
    fixed_people = int(made.people[made.zone != int(Zone.LOCKDOWN)].sum())
    lanes = _lanes(rng, figures, fixed_people, len(host))
    prefix = figures.city.prefix
    is_mobile = np.arange(len(community)) >= len(host)
    words = np.where(is_mobile, "流动采样队", "采样点")
    nth = _nth(community + is_mobile * len(made.ids))
    return MadeSites(
        np.array([f"{prefix}-S{i + 1:05d}" for i in range(len(community))], dtype=object),
        np.array(
            [f"{made.names[c]}{n}号{w}" for c, n, w in zip(community, nth, words, strict=True)],
            dtype=object,
        ),
        made.district[community],
        np.array([f"{made.streets[c]}{made.names[c]}" for c in community], dtype=object),
        points,
        np.concatenate([lanes, _team_lanes(made.people[owner], figures.city.hours)]),
        _grounds(rng, figures.city.queue_m, len(community)),
        np.where(is_mobile, Zone.LOCKDOWN.word, "control;precaution;normal").astype(object),
        np.where(is_mobile, MOBILE, FIXED).astype(object),
        np.where(is_mobile, made.ids[community], "").astype(object),
    )


def _hosts(rng: np.random.Generator, made: MadeCommunities, blocks: MadeBlocks, total: int) -> Ints:
    """Draw blocks at even steps of people within each district; lockdown has its own teams."""
    open_people = np.where(made.zone[blocks.community] == int(Zone.LOCKDOWN), 0, blocks.people)
    district = made.district[blocks.community]
    num_districts = int(district.max()) + 1
    per_district = np.bincount(district, weights=open_people, minlength=num_districts)
    counts = split_whole(total, per_district, at_least=1)
    hosts = []
    for d in range(num_districts):
        rows = np.flatnonzero(district == d)
        reached = np.cumsum(open_people[rows])
        steps = (np.arange(counts[d]) + rng.random(counts[d])) * reached[-1] / max(counts[d], 1)
        hosts.append(rows[np.searchsorted(reached, steps, side="right")])
    result: Ints = np.concatenate(hosts)
    return result


def _beside(rng: np.random.Generator, points: Points) -> Points:
    distance: Floats = rng.uniform(0.03, 0.15, len(points.lat))
    angle = rng.random(len(points.lat)) * 2 * np.pi
    return points.moved(distance * np.sin(angle), distance * np.cos(angle))


def _lanes(rng: np.random.Generator, figures: CityFigures, people: int, count: int) -> Ints:
    """Spread the lanes over sites unevenly, about half to one and a half times the mean."""
    total = max(count, round(people / figures.city.people_per_lane))
    return split_whole(total, rng.uniform(0.5, 1.5, count), at_least=1)


def _team_lanes(people: Ints, hours: str) -> Ints:
    opens, closes = (int(clock[:2]) + int(clock[3:5]) / 60 for clock in hours.split("-"))
    done_in = min(LOCKDOWN_HOURS, SHARE_OF_DAY * (closes - opens))
    pace = SiteSettings().people_per_lane_hour * TargetSettings().max_load
    lanes: Ints = np.ceil(people / (TEAMS_PER_LOCKDOWN * done_in * pace)).astype(np.int64)
    return lanes


def _grounds(rng: np.random.Generator, limits: tuple[int, int], count: int) -> Ints:
    """Draw grounds with a mean near 200 m, in tens of metres."""
    metres = rng.triangular(limits[0], 220, limits[1], count)
    return (np.rint(metres / 10) * 10).astype(np.int64)


def _nth(group: Ints) -> Ints:
    """Return the number of each row within its group, from 1."""
    order = np.argsort(group, kind="stable")
    ranked = group[order]
    first = np.searchsorted(ranked, ranked)
    result = np.empty(len(group), dtype=np.int64)
    result[order] = np.arange(len(group)) - first + 1
    return result
