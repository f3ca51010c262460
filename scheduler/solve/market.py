"""Blocks ask for places, sites offer them, labs set the price of time.

Holds the state that the pipeline of ``planner`` passes through: streams of the stricter zones, the
relaxed places of the commonest zone, and the labs' prices.
"""

from __future__ import annotations


from math import lcm

import numpy as np

from scheduler.domain.city import FIXED, Flags, Floats, Ints
from scheduler.domain.instance import Instance
from scheduler.domain.settings import Zone
from scheduler.solve.assign import Relaxed, SlotOffer, Whole, make_whole, relax
from scheduler.solve.bound import Bound, BoundFinder, LabPrices, longest_run, wave_cost
from scheduler.solve.candidates import Candidates, Pairs, unit_vectors
from scheduler.solve.layout import Layout, lay_out
from scheduler.solve.network import LabFlow, LabSide, Reach, solve_labs
from scheduler.solve.reach import Promise, travel_minutes
from scheduler.solve.streams import Streams, reserve, runs_of
from scheduler.solve.timeline import HOUR_MIN, LabHours, lab_hours, site_sessions
from scheduler.solve.waves import GroupSupply, Load, group_supply

NEAREST_SITES = 8
NEAREST_LABS = 8
LAB_ROUNDS = 4
WORTH_ASKING = 0.01  # person-minutes per person
MAX_HORIZON_DAYS = 8
"""After so long, a result costs more than leaving a person out (100,000 / 10 minutes = 6.9 days)."""


class Market:
    """Prices and places of one round; see the module."""

    streams: Streams
    layout: Layout
    load: Load
    shares: tuple[GroupSupply, LabFlow]
    prices: LabPrices

    def __init__(self, instance: Instance, quota: Ints, seed: int) -> None:
        self.instance, self.quota = instance, quota
        self.rng = np.random.default_rng(seed)
        self.travel = travel_minutes(instance)
        self.hours = lab_hours(instance, _num_hours(instance))
        opened = self._open_slots()
        self.offered = opened & self._fresh_slots()
        self.free = self.offered.copy()
        self.window_people = quota * longest_run(opened)
        self.candidates = Candidates(instance, opened.any(axis=1))
        self.finder = BoundFinder(instance, self.candidates, quota, self.offered)
        self.main_zone = self.finder.main_zone
        settings = instance.settings
        self.per_metre = settings.weights.walk / settings.walk.metres_per_min
        self.pairs = self._first_pairs()
        self.site_of = np.full(len(instance.demand), -1, dtype=np.int64)
        self.wave_costs: dict[int, Floats] = {}
        self._forget_prices()

    # Set-up

    def _open_slots(self) -> Flags:
        """Return which slots lie in a site's opening windows, ``[site, slot]``."""
        clock = self.instance.clock
        sessions = site_sessions(self.instance)
        shape = (len(self.instance.sites), clock.num_waves * clock.slots_per_wave)
        opened = np.zeros(shape, dtype=bool)
        for site, first, end in zip(sessions.site, sessions.first_slot, sessions.end_slot,
                                    strict=True):  # fmt: skip
            opened[site, first:end] = True
        return opened

    def _fresh_slots(self) -> Flags:
        """Return which slots' samples reach some lab in time, at sites with a quota."""
        clock, settings = self.instance.clock, self.instance.settings
        slot = np.arange(clock.num_waves * clock.slots_per_wave)
        pickup = (slot // clock.slots_per_wave + 1) * settings.round.wave_minutes
        nearest = self.travel.min(axis=1, initial=1 << 30)
        age = pickup - slot * settings.round.slot_minutes + nearest[:, None]
        return (age <= settings.targets.max_holding_min) & (self.quota[:, None] > 0)

    def _first_pairs(self) -> Pairs:
        pairs = self.candidates.nearest(NEAREST_SITES)
        fits = self.finder.longest[pairs.site] >= self.instance.demand[pairs.block]
        return pairs.where(fits & (self.instance.demand[pairs.block] > 0))

    def _forget_prices(self) -> None:
        days = int(self.hours.day.max() - self.hours.day.min()) + 1
        labs = len(self.instance.labs)
        self.prices = LabPrices(np.zeros((labs, len(self.hours))), np.zeros((labs, days)))

    # Costs

    def slot_cost(self, zone: int, offered: Flags) -> Floats:
        """Return finish plus lab price per person of a zone, ``[site, slot]``; inf: not offered."""
        settings = self.instance.settings
        pool = settings.pooling.by_zone()[zone]
        if pool not in self.wave_costs:
            self.wave_costs[pool], _ = wave_cost(
                self.instance, self.hours, self.prices, self.travel, pool
            )
        minutes = np.arange(offered.shape[1]) * settings.round.slot_minutes
        finish = settings.weights.finish.by_zone()[zone] * minutes
        waves = np.repeat(self.wave_costs[pool], self.instance.clock.slots_per_wave, axis=1)
        return np.where(offered, finish[None, :] + waves, np.inf)

    # Stricter zones

    def place_strict_zones(self) -> None:
        """Give the blocks of every zone but the commonest their sites and slots, strictest first."""
        self.strict = Streams.empty()
        for zone in Zone:
            if zone != self.main_zone and (self.instance.block_zone == zone).any():
                self._place_zone(int(zone))

    def _place_zone(self, zone: int) -> None:
        people = np.where(self.instance.block_zone == zone, self.instance.demand, 0)
        pairs = self.pairs.where(people[self.pairs.block] > 0)
        offer = SlotOffer(self.slot_cost(zone, self.free), self.quota)
        relaxed = relax(pairs, pairs.walk_m * self.per_metre, people, offer,
                        self.instance.settings.weights.unserved)  # fmt: skip
        whole = self._whole(pairs, people, relaxed, offer.capacity)
        clearing = self.instance.settings.sites.clearing_min
        clearing_slots = -(-clearing // self.instance.settings.round.slot_minutes)
        for site in np.unique(whole.site[whole.site >= 0]).tolist():
            blocks = np.flatnonzero(whole.site == site)
            if self.instance.sites.kinds[site] == FIXED or self._is_mixed(site):
                runs, self.free[site] = reserve(
                    self.free[site], people[blocks], int(self.quota[site]), clearing_slots
                )
            else:
                runs = runs_of(self.free[site])
                self.free[site] = False
            self.strict.add(site, zone, runs, blocks)
            self.site_of[blocks] = site

    def _is_mixed(self, site: int) -> bool:
        named = list(self.instance.sites.community_indices[site])
        return len(set(self.instance.communities.zone[named].tolist())) > 1

    def _whole(self, pairs: Pairs, people: Ints, relaxed: Relaxed, capacity: Ints) -> Whole:
        noise = self.rng.uniform(0, 1e-6, len(pairs))  # the seed decides between equals
        price = pairs.walk_m * self.per_metre + relaxed.site_price[pairs.site] + noise
        return make_whole(pairs, price, people, relaxed, capacity)

    # The commonest zone

    def relax_main(self) -> None:
        """Send the commonest zone's blocks to sites at the present lab prices."""
        zone = self.main_zone
        self.people = np.where(self.instance.block_zone == zone, self.instance.demand, 0)
        self.offer = SlotOffer(self.slot_cost(zone, self.free), self.quota)
        self.main_pairs = self.pairs.where(self.people[self.pairs.block] > 0)
        self.relaxed = relax(
            self.main_pairs, self.main_pairs.walk_m * self.per_metre, self.people, self.offer,
            self.instance.settings.weights.unserved,
        )  # fmt: skip
        self.site_people = np.bincount(
            self.main_pairs.site, weights=self.relaxed.people, minlength=len(self.quota)
        ).astype(np.int64)
        if not hasattr(self, "layout"):
            self._lay_out()

    def _lay_out(self) -> None:
        """Make the streams: the stricter zones', and one of the commonest zone for every free site."""
        self.streams = self.strict
        self.first_main = len(self.strict)
        nobody = np.empty(0, dtype=np.int64)
        for site in np.flatnonzero(self.free.any(axis=1)).tolist():
            self.streams.add(site, self.main_zone, runs_of(self.free[site]), nobody)
        site = np.array(self.streams.site, dtype=np.int64)
        points = unit_vectors(self.instance.sites.lat, self.instance.sites.lng)[site]
        self.layout = lay_out(self.streams, points, self.instance.clock.slots_per_wave)
        settings = self.instance.settings
        zone = self.layout.zone
        self.load = Load(
            self.quota[site],
            np.array(settings.pooling.by_zone(), dtype=np.int64)[zone],
            np.array(settings.weights.finish.by_zone())[zone],
            settings.round.slot_minutes,
        )
        self._know_labs()

    def make_main_whole(self) -> None:
        """Fix one site for every block of the commonest zone."""
        whole = self._whole(self.main_pairs, self.people, self.relaxed, self.offer.capacity)
        chosen = np.flatnonzero(whole.site >= 0)
        self.site_of[chosen] = whole.site[chosen]
        self.site_people = whole.load
        order = chosen[np.argsort(whole.site[chosen], kind="stable")]
        edges = np.searchsorted(whole.site[order], np.arange(len(self.quota) + 1))
        for stream in range(self.first_main, len(self.streams)):
            site = self.streams.site[stream]
            self.streams.blocks[stream] = order[edges[site] : edges[site + 1]]

    # Labs

    def price_labs(self) -> None:
        """Send all streams' people through the labs in shares, and take over the labs' prices."""
        people = np.zeros((len(self.streams), 1), dtype=np.int64)
        for stream in range(self.first_main):
            people[stream] = self.instance.demand[self.streams.blocks[stream]].sum()
        people[self.first_main :, 0] = self.site_people[self.layout.site[self.first_main :]]
        units = lcm(*np.unique(self.load.pool).tolist())
        per_person = units // self.load.pool
        runs = max((int(p[:, 0].max()) + 1 for p in self.layout.group_pieces if len(p)), default=1)
        spread = np.zeros((len(self.streams), runs), dtype=np.int64)
        spread[:, :1] = people
        supply = group_supply(
            self.layout, self.load, spread, by_run=False, units_per_person=per_person
        )
        for _ in range(LAB_ROUNDS):
            self._solve_labs(supply, per_person, units)
            if not self._ask_for_labs():
                break

    def _solve_labs(self, supply: GroupSupply, per_person: Ints, units: int) -> None:
        first = np.array([m[0] for m in self.layout.members], dtype=np.int64)
        weights = self.instance.settings.weights
        reach = self._reach(weights.late / per_person[first])
        flow = solve_labs(
            supply.supplies, reach, self._side(units), weights.unserved / per_person[first]
        )
        self.shares = (supply, flow)
        self.prices = LabPrices(flow.hour_price * units, flow.day_price * units)
        self.wave_costs = {}

    def _ask_for_labs(self) -> bool:
        """Add the labs that groups would rather use at the present prices; tell whether any."""
        added = False
        pools = self.load.pool[[int(m[0]) for m in self.layout.members]]
        for pool in np.unique(pools).tolist():
            rows = np.flatnonzero(pools == pool)
            travel, usable = self.group_travel[rows], self.group_labs[rows]
            now, _ = wave_cost(self.instance, self.hours, self.prices, travel, pool, usable)
            best, lab = wave_cost(self.instance, self.hours, self.prices, travel, pool)
            with np.errstate(invalid="ignore"):
                row, wave = np.nonzero(best < now - WORTH_ASKING)
            self.group_labs[rows[row], lab[row, wave]] = True
            added |= len(row) > 0
        return added

    def _know_labs(self) -> None:
        """Note how far groups lie from labs, and which labs they start with: the nearest."""
        members = self.layout.members
        self.group_travel = np.array(
            [self.travel[self.layout.site[m]].max(axis=0) for m in members]
        )
        pool = self.load.pool[[int(m[0]) for m in members]]
        labs = self.instance.labs.pool_sizes
        accepts = np.array([[not s or k in s for s in labs] for k in pool.tolist()], dtype=bool)
        near = np.zeros(self.group_travel.shape, dtype=bool)
        far = np.where(accepts, self.group_travel, 1 << 30)
        np.put_along_axis(near, np.argsort(far, axis=1)[:, :NEAREST_LABS], values=True, axis=1)
        self.group_labs = near & accepts

    def _reach(self, late_cost: Floats) -> Reach:
        _, chain = np.unique(np.round(late_cost, 12), return_inverse=True)
        shape = (len(self.layout.members), self.instance.clock.num_waves)
        first = np.zeros(shape, dtype=np.int64)
        slot = self.instance.settings.round.slot_minutes
        for group, pieces in enumerate(self.layout.group_pieces):
            first[group, pieces[::-1, 1]] = pieces[::-1, 2] * slot
        return Reach(self.group_travel, self.group_labs, late_cost, chain, first)

    def _side(self, per_tube: int) -> LabSide:
        targets = self.instance.settings.targets
        whole = np.where(
            self.hours.open_from > self.hours.begin_min[None, :], 0, self.hours.capacity
        )  # a lab that opens within an hour is used from the next one on
        hours = LabHours(self.hours.begin_min, whole, self.hours.open_from, self.hours.open_to,
                         self.hours.day)  # fmt: skip
        return LabSide(hours, Promise.of(self.instance), self.instance.labs.max_tubes_per_day,
                       targets.max_holding_min, per_tube)  # fmt: skip

    def tube_reach(self) -> Reach:
        """Return how groups reach labs, counted in whole tubes."""
        first = [int(m[0]) for m in self.layout.members]
        return self._reach(self.instance.settings.weights.late * self.load.pool[first])

    def tube_side(self) -> LabSide:
        """Return the labs, counted in whole tubes."""
        return self._side(1)

    # The bound

    def bound(self) -> Bound:
        """Return the lower bound at the present prices."""
        zones = np.unique(self.instance.block_zone[self.instance.demand > 0]).tolist()
        costs = {z: self.slot_cost(z, self.offered) for z in zones}
        earnings = self.prices.earnings(self.hours, self.instance.labs.max_tubes_per_day)
        price = np.where(np.isfinite(self.relaxed.site_price), self.relaxed.site_price, 0.0)
        return self.finder.evaluate(costs, price, earnings)


def _num_hours(instance: Instance) -> int:
    """Return clock hours until all labs have caught up, with room to spare, within the horizon."""
    pools = np.array(instance.settings.pooling.by_zone())
    tubes = float((instance.demand / pools[instance.block_zone]).sum())
    rate = max(1.0, float(instance.labs.tubes_per_hour.sum()))
    wait = min(MAX_HORIZON_DAYS * 24, 48 + int(3 * tubes / rate))
    return instance.clock.end_min // HOUR_MIN + 2 + wait



