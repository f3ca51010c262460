"""Tubes on the road: what was swabbed in a wave leaves for the planned laboratories."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scheduler.domain.city import Floats, Ints
from scheduler.domain.instance import Instance
from scheduler.domain.lab_arithmetic import travel_to_labs
from scheduler.domain.ranges import steps
from scheduler.simulate.cases import Case
from scheduler.simulate.visits import Consigned

ZONES = 4


@dataclass(frozen=True)
class Lots:
    """Tubes of one site, wave and zone for one laboratory: columns of equal length.

    ``pickup_min`` and ``arrive_min`` count from the round's start.
    """

    site: Ints
    zone: Ints
    wave: Ints
    lab: Ints
    tubes: Ints
    people: Floats
    pickup_min: Floats
    arrive_min: Floats


class Couriers:
    """Carries out the planned consignments; what was not foreseen goes the same way.

    Tubes of a wave are shared among its planned laboratories in proportion. Where a wave was not
    planned, the latest planned one before it counts, else the next, else the nearest laboratory.
    """

    def __init__(self, instance: Instance, consigned: Consigned, case: Case) -> None:
        self.instance, self.case = instance, case
        self.travel = travel_to_labs(instance)
        self.pool = np.array(instance.settings.pooling.by_zone(), dtype=np.int64)
        self._nearest = self._nearest_labs(-1)
        self._nearest_left = self._nearest_labs(case.lab_out)
        self._consigned = consigned
        self._waves = int(consigned.wave.max(initial=0)) + 1
        key = (consigned.site * ZONES + consigned.zone) * self._waves + consigned.wave
        self._key, self._first = np.unique(key, return_index=True)
        self._end = np.r_[self._first[1:], len(key)]
        self._tubes_before = np.r_[0, np.cumsum(consigned.tubes)]

    def carry(self, swabbed: Ints, rng: np.random.Generator) -> Lots:
        """Return the lots of one replication's rows (site, replication, wave, zone, people)."""
        site, _, wave, zone, people = swabbed.T
        settings = self.instance.settings
        tubes = -(-people // self.pool[zone])
        late = rng.exponential(settings.simulate.pickup_delay_min, len(site))
        pickup = (wave + 1) * float(settings.round.wave_minutes) + late
        row, lab, part = self._share(site, zone, wave, tubes)
        out = (lab == self.case.lab_out) & (pickup[row] >= self.case.lab_out_min)
        lab = np.where(out, self._nearest_left[site[row], zone[row]], lab)
        road = self.travel[site[row], lab] * self.case.slower * self._spread(len(row), rng)
        return Lots(
            site[row], zone[row], wave[row], lab, part, people[row] * part / tubes[row],
            pickup[row], pickup[row] + road,
        )  # fmt: skip

    def _share(self, site: Ints, zone: Ints, wave: Ints, tubes: Ints) -> tuple[Ints, Ints, Ints]:
        """Return row, laboratory and tubes of each lot."""
        group = self._group(site, zone, wave)
        planned = group >= 0
        none = np.flatnonzero(~planned)
        rows = np.flatnonzero(planned)
        count = self._end[group[rows]] - self._first[group[rows]]
        at = np.repeat(np.arange(len(rows)), count)
        entry = self._first[group[rows]][at] + steps(count)
        total = (
            self._tubes_before[self._end[group[rows]]]
            - self._tubes_before[self._first[group[rows]]]
        )
        done = self._tubes_before[entry + 1] - self._tubes_before[self._first[group[rows]]][at]
        upto = np.rint(tubes[rows][at] * done / total[at]).astype(np.int64)
        part = np.where(steps(count) == 0, upto, np.diff(upto, prepend=0))
        some = part > 0
        row = np.concatenate((rows[at][some], none))
        lab = np.concatenate(
            (self._consigned.lab[entry][some], self._nearest[site[none], zone[none]])
        )
        return row, lab, np.concatenate((part[some], tubes[none]))

    def _group(self, site: Ints, zone: Ints, wave: Ints) -> Ints:
        """Return the planned wave that counts, -1 where the site plans none for the zone."""
        if not len(self._key):
            return np.full(len(site), -1, dtype=np.int64)
        place = site * ZONES + zone
        key = place * self._waves + np.minimum(wave, self._waves - 1)
        before = np.searchsorted(self._key, key, side="right") - 1
        after = np.minimum(before + 1, len(self._key) - 1)
        own = self._key // self._waves
        good_before = (before >= 0) & (own[before] == place)
        return np.where(good_before, before, np.where(own[after] == place, after, -1))

    def _nearest_labs(self, out: int) -> Ints:
        """Return the nearest laboratory that takes the pool size, ``[site, zone]``."""
        labs = self.instance.labs
        found = np.zeros((len(self.instance.sites), ZONES), dtype=np.int64)
        for zone, takes in enumerate(labs.takes(self.pool)):
            good = takes & (labs.tubes_per_hour > 0)
            others = good & (np.arange(len(labs)) != out)
            usable = others if others.any() else np.ones(len(labs), dtype=bool)
            found[:, zone] = np.argmin(np.where(usable, self.travel, 1 << 30), axis=1)
        return found

    def _spread(self, count: int, rng: np.random.Generator) -> Floats:
        """Return factors of travel time: lognormal, mean 1."""
        cv = self.instance.settings.simulate.travel_cv
        sigma = np.sqrt(np.log1p(cv**2))
        return rng.lognormal(-(sigma**2) / 2, sigma, count)
