"""Room that laboratories have left in time, as who looks for a place sees it."""

from __future__ import annotations

import numpy as np

from scheduler.domain.city import Ints
from scheduler.solve.repair.outside import HOUR_MIN
from scheduler.solve.repair.post import Post


class Spans:
    """Hours of labs that keep the promise, by site; found once for each site that is asked for."""

    def __init__(self, post: Post, num_waves: int) -> None:
        self.post, self.num_waves = post, num_waves
        self._known: dict[int, tuple[Ints, Ints]] = {}

    def of(self, site: int) -> tuple[Ints, Ints]:
        """Return the first hour, and the one after the last, of each lab: ``[lab, wave]``."""
        if site not in self._known:
            post, wave = self.post, np.arange(self.num_waves)
            here = np.full(self.num_waves, site)
            road = post.road(here, post.delays(here, wave))
            arrive = ((wave + 1) * post.wave_min)[:, None] + road
            due = wave * post.wave_min + post.instance.settings.targets.result_hours * HOUR_MIN
            first = post.hours.index(arrive)
            first += post.hours.begin_min[np.minimum(first, len(post.hours) - 1)] < arrive
            first = np.minimum(first, len(post.hours))
            latest = (due[:, None] - post.instance.labs.processing_min[None, :]).astype(np.int64)
            end = np.clip(post.hours.index(latest) + 1, first, len(post.hours))
            self._known[site] = (first.T, end.T)
        return self._known[site]


class LabRoom:
    """Whether labs have room in time for more tubes of a site and wave.

    ``free[lab, hour]`` are the tubes that each lab can still start.
    """

    def __init__(self, post: Post, free: Ints, spans: Spans) -> None:
        self.post, self.spans = post, spans
        self.free = free.copy()
        self.total = _running(self.free)
        self.accepted = post.accepted()

    def in_time(self, site: int, zone: int) -> Ints:
        """Return the tubes of a zone that labs can still take in time, per wave."""
        first, end = self.spans.of(site)
        row = (np.arange(len(first)) * self.total.shape[1])[:, None]
        room = self.total.take(row + end) - self.total.take(row + first)
        result: Ints = self.accepted[zone].astype(np.int64) @ room
        return result

    def take(self, site: int, zone: int, wave: int, people: int) -> None:
        """Use up room, at the nearest labs first."""
        tubes = -(-people // int(self.post.pools[zone]))
        first, end = self.spans.of(site)
        for lab in np.argsort(self.post.roads[site], kind="stable").tolist():
            if not tubes:
                return
            if not self.accepted[zone, lab]:
                continue
            for hour in range(int(first[lab, wave]), int(end[lab, wave])):
                n = min(tubes, int(self.free[lab, hour]))
                self.free[lab, hour] -= n
                tubes -= n
            self.total[lab] = _running(self.free[lab : lab + 1])[0]


def _running(free: Ints) -> Ints:
    """Return tubes free before each hour, ``[lab, hour]``, with one column more than hours."""
    total: Ints = np.concatenate(
        (np.zeros((len(free), 1), dtype=np.int64), np.cumsum(free, axis=1)), axis=1
    )
    return total
