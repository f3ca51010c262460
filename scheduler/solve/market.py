"""Blocks ask for places, sites offer them, labs set the price of time.

Holds the state that the pipeline of ``planner`` passes through: streams of the stricter zones, the
relaxed places of the commonest zone, and the labs' prices.
"""

from __future__ import annotations

from dataclasses import replace
from math import lcm

import numpy as np

from scheduler.domain.city import FIXED, Flags, Floats, Ints
from scheduler.domain.instance import Instance
from scheduler.domain.settings import Zone
from scheduler.solve.assign import Relaxed, SlotOffer, Whole, make_whole, relax
from scheduler.solve.bound import BoundFinder, LabCosts, LabPrices, longest_run
from scheduler.solve.candidates import Candidates, Pairs, unit_vectors
from scheduler.solve.layout import Layout, lay_out
from scheduler.solve.network import Front, LabFlow, LabSide, Reach, Supplies, solve_labs
from scheduler.solve.packing import Packing
from scheduler.solve.reach import Promise, travel_minutes
from scheduler.solve.streams import Streams, reserve, runs_of
from scheduler.solve.timeline import HOUR_MIN, lab_hours, site_sessions
from scheduler.solve.waves import Load, group_supply, run_shares, stream_supply

NEAREST_SITES = 8
NEAREST_SITES_STRICT = 40
MAIN_SEGMENTS = 24
BOUND_SEGMENTS = 24
NEAREST_LABS = 10
LABS_KEPT = 2
SPARE_EVERY_H, SPARE_FROM_TUBES = 8, 50
LABS_ASKED = 4
LAB_ROUNDS = 2
WORTH_ASKING = 0.01  # person-minutes per person
WORTH_SOLVING_AGAIN = 1.0  # the same, for the dearer flow of streams
MAX_HORIZON_DAYS = 30
"""Labs are looked at so long after the round at most, however cheap lateness is."""


class Market:
    """Prices and places of one round; see the module."""

    streams: Streams
    layout: Layout
    load: Load
    wishes: list[Floats]
    prices: LabPrices
    group_labs: Flags

    def __init__(self, instance: Instance, quota: Ints, seed: int) -> None:
        self.instance, self.quota = instance, quota
        self.rng = np.random.default_rng(seed)
        self.travel = travel_minutes(instance)
        self.hours = lab_hours(instance, _num_hours(instance))
        opened = self._open_slots()
        self.offered: Flags = opened & self._fresh_slots()
        self.free = self.offered.copy()
        self.window_people = quota * longest_run(opened)
        self.candidates = Candidates(instance, np.asarray(opened.any(axis=1)))
        most = int((quota * self.offered.sum(axis=1)).max(initial=0))
        self.packing = Packing(instance.demand, most)
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
        fresh: Flags = (age <= settings.targets.max_holding_min) & (self.quota[:, None] > 0)
        return fresh

    def _first_pairs(self) -> Pairs:
        """Return the candidates that the flows look at: more of them where time is dear."""
        demand, zone = self.instance.demand, self.instance.block_zone
        parts = []
        for main, count in ((True, NEAREST_SITES), (False, NEAREST_SITES_STRICT)):
            blocks = np.flatnonzero((demand > 0) & ((zone == self.main_zone) == main))
            parts.append(self.candidates.nearest(count, blocks))
        block = np.concatenate([p.block for p in parts])
        order = np.argsort(block, kind="stable")
        pairs = Pairs(
            block[order],
            np.concatenate([p.site for p in parts])[order],
            np.concatenate([p.walk_m for p in parts])[order],
        )
        return pairs.where(self.finder.longest[pairs.site] >= demand[pairs.block])

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
            labs = LabCosts(self.instance, self.hours, self.prices)
            self.wave_costs[pool] = labs.wave_cost(self.travel, pool)
        minutes = np.arange(offered.shape[1]) * settings.round.slot_minutes
        finish = settings.weights.finish.by_zone()[zone] * minutes
        waves = np.repeat(self.wave_costs[pool], self.instance.clock.slots_per_wave, axis=1)
        return np.where(offered, finish[None, :] + waves, np.inf)

    # Stricter zones

    def place_strict_zones(self) -> None:
        """Give the blocks of all zones but the commonest their sites and slots, strictest first."""
        self.strict = Streams.empty()
        for zone in Zone:
            if zone != self.main_zone and (self.instance.block_zone == zone).any():
                self._place_zone(int(zone))

    def _place_zone(self, zone: int) -> None:
        people = np.where(self.instance.block_zone == zone, self.instance.demand, 0)
        pairs = self.pairs.where(people[self.pairs.block] > 0)
        cost = self.slot_cost(zone, self.free)
        offer = SlotOffer(cost, self.packing.slot_room(cost, self.quota), cost.shape[1])
        relaxed = relax(pairs, pairs.walk_m * self.per_metre, people, offer,
                        self.instance.settings.weights.unserved)  # fmt: skip
        whole = self._whole(pairs, people, relaxed, offer.capacity)
        clearing = self.instance.settings.sites.clearing_min
        clearing_slots = -(-clearing // self.instance.settings.round.slot_minutes)
        for site in np.unique(whole.site[whole.site >= 0]).tolist():
            blocks = np.flatnonzero(whole.site == site)
            if self.instance.sites.kinds[site] == FIXED or self._is_mixed(site):
                taken = reserve(self.free[site], blocks, people, int(self.quota[site]),
                                clearing_slots)  # fmt: skip
                self.free[site] = taken.free
                self.strict.add(site, zone, taken.runs, blocks, taken.blocks)
            else:
                self.strict.add(site, zone, runs_of(self.free[site]), blocks)
                self.free[site] = False
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
        cost = self.slot_cost(zone, self.free)
        self.offer = SlotOffer(cost, self.packing.slot_room(cost, self.quota), MAIN_SEGMENTS)
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
        """Make the streams: the stricter zones', and one of the commonest zone per free site."""
        self.streams = self.strict
        self.first_main = len(self.strict)
        nobody = np.empty(0, dtype=np.int64)
        for site in np.flatnonzero(self.free.any(axis=1)).tolist():
            self.streams.add(site, self.main_zone, runs_of(self.free[site]), nobody)
        sites = np.array(self.streams.site, dtype=np.int64)
        points = unit_vectors(self.instance.sites.lat, self.instance.sites.lng)[sites]
        self.layout = lay_out(self.streams, points, self.instance.clock.slots_per_wave)
        settings = self.instance.settings
        zone = self.layout.zone
        self.load = Load(
            self.quota[sites],
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
        """Let blocks choose sites and groups choose labs in one flow, and take over its prices.

        Groups ask for further labs at the prices found, and the flow is solved again.
        """
        per_person = self._per_person()
        supply = group_supply(self.layout, self.load, self._stream_people(), per_person)
        main = slice(self.first_main, None)
        supply.supplies.units[np.unique(self.layout.group[main])] = 0
        front = self._front(self.layout.group[main])
        self._take_over(self._solve_asking(supply.supplies, front, WORTH_ASKING), front)

    def price_streams(self) -> None:
        """Refine the answer of ``price_labs``: every stream fills its own waves, blocks may move.

        Leaves ``wishes[stream]``, the share of its work that belongs into each of its runs.
        """
        units = self._units_per_tube()
        people = np.maximum(self._stream_people(), 1)[:, None]
        supply = stream_supply(self.layout, self.load, people, {})
        tubes = supply.supplies
        scaled = Supplies(tubes.units * units, tubes.row, tubes.group, tubes.wave,
                          tubes.capacity * units, tubes.cost / units)  # fmt: skip
        row = np.empty(len(self.streams), dtype=np.int64)
        row[supply.stream] = np.arange(len(supply.stream))
        scaled.units[row[self.first_main :]] = 0
        front = self._front(row[self.first_main :])
        flow = self._solve_asking(scaled, front, WORTH_SOLVING_AGAIN)
        self._take_over(flow, front)
        self.wishes = run_shares(self.layout, supply, flow.sent)

    def _solve_asking(self, supplies: Supplies, front: Front, worth_asking: float) -> LabFlow:
        """Solve, and solve again with the labs asked for, while any are."""
        flow = self._solve_labs(supplies, front)
        for _ in range(LAB_ROUNDS - 1):
            if not self._ask_for_labs(flow, worth_asking):
                break
            flow = self._solve_labs(supplies, front)
        return flow

    def _stream_people(self) -> Ints:
        """Return the people of each stream, as far as they are known."""
        people = np.zeros(len(self.streams), dtype=np.int64)
        for stream in range(self.first_main):
            people[stream] = self.instance.demand[self.streams.blocks[stream]].sum()
        main = slice(self.first_main, None)
        people[main] = self.site_people[self.layout.site[main]]
        return people

    def _units_per_tube(self) -> int:
        """Return the units of a tube: every pool size in use divides them."""
        main = self.instance.settings.pooling.by_zone()[self.main_zone]
        return lcm(main, *np.unique(self.load.pool).tolist())

    def _per_person(self) -> Ints:
        """Return the units of a person of each stream."""
        return self._units_per_tube() // self.load.pool

    def _front(self, row_of_stream: Ints) -> Front:
        """Return the blocks and sites of the commonest zone before the rows of its streams."""
        pool = self.instance.settings.pooling.by_zone()[self.main_zone]
        per_person = self._units_per_tube() // pool
        row = np.full(len(self.quota), -1, dtype=np.int64)
        row[self.layout.site[self.first_main :]] = row_of_stream
        weights = self.instance.settings.weights
        return Front(
            self.people * per_person, self.main_pairs.block, self.main_pairs.site,
            self.main_pairs.walk_m * self.per_metre / per_person, row,
            self.offer.capacity * per_person, weights.unserved / per_person,
        )  # fmt: skip

    def _take_over(self, flow: LabFlow, front: Front) -> None:
        """Let blocks follow the joint flow."""
        pool = self.instance.settings.pooling.by_zone()[self.main_zone]
        per_person = self._units_per_tube() // pool
        sent = flow.pair_units // per_person
        left = self.people - np.bincount(
            front.block, weights=sent, minlength=len(self.people)
        ).astype(np.int64)
        self.relaxed = Relaxed(sent, left, flow.site_price * per_person)
        self.site_people = np.bincount(front.site, weights=sent, minlength=len(self.quota)).astype(
            np.int64
        )

    def _solve_labs(self, supplies: Supplies, front: Front) -> LabFlow:
        weights, units = self.instance.settings.weights, self._units_per_tube()
        first = np.array([m[0] for m in self.layout.members], dtype=np.int64)
        per_person = self._per_person()[first]
        row_group = np.zeros(len(supplies.units), dtype=np.int64)
        row_group[supplies.row] = supplies.group
        flow = solve_labs(
            supplies, self._reach(weights.late / per_person), self._side(units),
            weights.unserved / per_person[row_group], front,
        )  # fmt: skip
        self.prices = LabPrices(flow.hour_price * units, flow.day_price * units)
        self.wave_costs = {}
        return flow

    def _ask_for_labs(self, flow: LabFlow, worth_asking: float) -> bool:
        """Keep the labs in use and add those that groups would rather use; tell whether any."""
        used = np.zeros(self.group_labs.shape, dtype=bool)
        used[flow.load_group, flow.load_lab] = True
        pools = self.load.pool[[int(m[0]) for m in self.layout.members]]
        labs = LabCosts(self.instance, self.hours, self.prices)
        asked = np.zeros(used.shape, dtype=bool)
        for pool in np.unique(pools).tolist():
            rows = np.flatnonzero(pools == pool)
            gain = labs.gain(self.group_travel[rows], pool, self.group_labs[rows])
            best = np.argsort(-gain, axis=1)[:, :LABS_ASKED]
            worth = np.take_along_axis(gain, best, axis=1) > worth_asking
            row, rank = np.nonzero(worth)
            asked[rows[row], best[row, rank]] = True
        self.group_labs = used | asked | self.nearest_labs
        return bool(asked.any())

    def _know_labs(self) -> None:
        """Note how far groups lie from labs, and which labs they start with: the nearest."""
        members = self.layout.members
        shape = (len(members), len(self.instance.labs))
        self.group_travel = np.array(
            [self.travel[self.layout.site[m]].max(axis=0) for m in members], dtype=np.int64
        ).reshape(shape)
        pool = self.load.pool[[int(m[0]) for m in members]]
        labs = self.instance.labs.pool_sizes
        fits = [[not s or k in s for s in labs] for k in pool.tolist()]
        accepts = np.array(fits, dtype=bool).reshape(shape)
        order = np.argsort(np.where(accepts, self.group_travel, 1 << 30), axis=1)
        near = np.zeros((2, *self.group_travel.shape), dtype=bool)
        np.put_along_axis(near[0], order[:, :LABS_KEPT], values=True, axis=1)
        np.put_along_axis(near[1], order[:, :NEAREST_LABS], values=True, axis=1)
        self.nearest_labs, self.group_labs = near[0] & accepts, near[1] & accepts

    def _reach(self, late_cost: Floats) -> Reach:
        _, chain = np.unique(np.round(late_cost, 12), return_inverse=True)
        shape = (len(self.layout.members), self.instance.clock.num_waves)
        first = np.zeros(shape, dtype=np.int64)
        slot = self.instance.settings.round.slot_minutes
        for group, pieces in enumerate(self.layout.group_pieces):
            first[group, pieces[::-1, 1]] = pieces[::-1, 2] * slot
        return Reach(self.group_travel, self.group_labs, late_cost, chain, first, self.nearest_labs)

    def _side(self, per_tube: int) -> LabSide:
        targets = self.instance.settings.targets
        whole = np.where(
            self.hours.open_from > self.hours.begin_min[None, :], 0, self.hours.capacity
        )  # a lab that opens within an hour is used from the next one on
        hours = replace(self.hours, capacity=whole)
        return LabSide(hours, Promise.of(self.instance), self.instance.labs.max_tubes_per_day,
                       targets.max_holding_min, per_tube)  # fmt: skip

    def tube_reach(self) -> Reach:
        """Return how groups reach labs, counted in whole tubes."""
        first = [int(m[0]) for m in self.layout.members]
        pool = self.load.pool[first].astype(np.float64)
        return self._reach(self.instance.settings.weights.late * pool)

    def tube_side(self, *, spare: bool) -> LabSide:
        """Return the labs, counted in whole tubes.

        With ``spare`` larger labs keep one tube free every few hours: room for what the calls of
        whole blocks shift between waves afterwards.
        """
        side = self._side(1)
        if not spare:
            return side
        lab, hour = np.indices(side.hours.capacity.shape)
        keep = ((lab + hour) % SPARE_EVERY_H == 0) & (side.hours.capacity >= SPARE_FROM_TUBES)
        return replace(side, hours=replace(side.hours, capacity=side.hours.capacity - keep))

    # The bound

    def bound(self) -> float:
        """Return the lower bound at the present lab prices.

        Prices of places are each zone's own, from a flow in which it has all sites for itself.
        """
        zones = np.unique(self.instance.block_zone[self.instance.demand > 0]).tolist()
        costs = {z: self.slot_cost(z, self.offered) for z in zones}
        earnings = self.prices.earnings(self.hours, self.instance.labs.max_tubes_per_day)
        price = {z: self._place_price(z, costs[z]) for z in zones}
        return self.finder.evaluate(costs, price, earnings)

    def _place_price(self, zone: int, cost: Floats) -> Floats:
        """Return what a place at each site costs people of a zone, -inf at sites out of reach."""
        people = np.where(self.instance.block_zone == zone, self.instance.demand, 0)
        pairs = self.pairs.where(people[self.pairs.block] > 0)
        segments = BOUND_SEGMENTS if zone == self.main_zone else cost.shape[1]
        room = np.where(np.isfinite(cost), self.quota[:, None], 0)
        relaxed = relax(
            pairs, pairs.walk_m * self.per_metre, people, SlotOffer(cost, room, segments),
            self.instance.settings.weights.unserved,
        )  # fmt: skip
        price = np.full(len(self.quota), -np.inf)
        sites = np.unique(pairs.site)
        price[sites] = relaxed.site_price[sites]
        return price


def _num_hours(instance: Instance) -> int:
    """Return clock hours until a result would cost more than leaving its person out.

    Beyond them no lab hour can be worth its lateness, so the bound holds for labs without an end.
    """
    weights = instance.settings.weights
    worth = MAX_HORIZON_DAYS * 24.0
    if weights.late:
        late_hours = weights.unserved / weights.late / HOUR_MIN
        worth = min(worth, instance.settings.targets.result_hours + late_hours)
    return instance.clock.end_min // HOUR_MIN + 3 + int(worth)
