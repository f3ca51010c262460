"""Blocks ask for places, sites offer them, labs set the price of time.

Holds the state that the pipeline of ``planner`` passes through: streams of the stricter zones, the
relaxed places of the commonest zone, and the labs' prices.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from scheduler.domain.city import FIXED, Flags, Floats, Ints
from scheduler.domain.instance import Instance
from scheduler.domain.profile import slot_places
from scheduler.domain.settings import Zone
from scheduler.solve.assign import Relaxed, SlotOffer, Whole, make_whole, relax
from scheduler.solve.bound import BoundFinder, LabCosts, LabPrices, longest_run
from scheduler.solve.candidates import Candidates, Pairs, unit_vectors
from scheduler.solve.city_waves import CityWaves
from scheduler.solve.labs import FEW_LATE, Labs, Priced
from scheduler.solve.layout import COARSE, Layout, lay_out
from scheduler.solve.network import Front, LabFlow
from scheduler.solve.packing import Packing
from scheduler.solve.reach import travel_minutes
from scheduler.solve.shared_places import Slots, shared_prices
from scheduler.solve.streams import Streams, reserve, runs_of
from scheduler.solve.timeline import HOUR_MIN, lab_hours, site_sessions
from scheduler.solve.volumes import Shares, even_volumes
from scheduler.solve.waves import Load, stream_room

NEAREST_SITES = 8
NEAREST_SITES_STRICT = 40
MAIN_SEGMENTS = 24
BOUND_SEGMENTS = 24
PRICE_TURNS = 3
CITY_TURNS = 4  # more, where the city has a most of people in a slot
WORTH_PRICING_AGAIN, IN_A_CITY = 0.002, 0.03  # share of tubes; a flow of a city takes seconds
CITY_STREAMS = 1_000
FOLLOWED = 0.99  # share of a wave's tubes from which it counts as followed
WORTH_FILLING = 50.0  # person-minutes that a tube costs
LOOKS_FARTHER = 4  # turns, each at twice as many nearest sites
_ENOUGH = 1e-6  # person-minutes per person
JOINT_PAIRS = 20_000
"""Up to so many (block, site) pairs, blocks and labs settle in one flow."""
MAX_HORIZON_DAYS = 30
"""Labs are looked at so long after the round at most, however cheap lateness is."""


@dataclass(frozen=True)
class Strictly:
    """How stricter zones take their places at sites that others use after them.

    ``spare_slots`` are kept behind their last person, so that labs can shift their tubes;
    ``sites`` is the share of the sites they would like that they get: each costs a clearing.
    """

    spare_slots: int = 1
    sites: float = 1.0


class Market:
    """Prices and places of one round; see the module."""

    streams: Streams
    layout: Layout
    wide: Layout
    load: Load
    labs: Labs
    prices: LabPrices
    priced: Priced

    def __init__(
        self, instance: Instance, quota: Ints, seed: int, strictly: Strictly | None = None
    ) -> None:
        self.strictly = strictly or Strictly()
        self.instance, self.quota = instance, quota
        self.rng = np.random.default_rng(seed)
        self.travel = travel_minutes(instance)
        self.hours = lab_hours(instance, _num_hours(instance))
        opened = self._open_slots()
        self.places = slot_places(instance, quota, opened.shape[1])
        self.offered: Flags = opened & self._fresh_slots()
        self.free = self.offered.copy()
        self.window_people = longest_run(opened, self.places)
        self.candidates = Candidates(instance, np.asarray(opened.any(axis=1)))
        most = int((self.places * self.offered).sum(axis=1).max(initial=0))
        self.packing = Packing(instance.demand, most)
        self.finder = BoundFinder(instance, self.candidates, self.places, self.offered)
        self.main_zone = self.finder.main_zone
        settings = instance.settings
        self.per_metre = settings.weights.walk / settings.walk.metres_per_min
        self.pairs = self._first_pairs()
        self.site_of = np.full(len(instance.demand), -1, dtype=np.int64)
        self.wave_costs: dict[int, Floats] = {}
        self.city_waves = CityWaves(instance, self.places, self.offered)
        self.bound_before: float | None = None
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
        minutes = np.arange(offered.shape[1]) * settings.round.slot_minutes
        finish = settings.weights.finish.by_zone()[zone] * minutes
        waves = np.repeat(self._wave_cost(pool), self.instance.clock.slots_per_wave, axis=1)
        return np.where(offered, finish[None, :] + waves, np.inf)

    def _wave_cost(self, pool: int) -> Floats:
        """Return what the labs cost a person at the present prices, ``[site, wave]``."""
        if pool not in self.wave_costs:
            labs = LabCosts(self.instance, self.hours, self.prices)
            self.wave_costs[pool] = labs.wave_cost(self.travel, pool)
        return self.wave_costs[pool]

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
        offer = SlotOffer(cost, self.packing.slot_room(cost, self.places), cost.shape[1])
        relaxed = relax(pairs, pairs.walk_m * self.per_metre, people, offer,
                        self.instance.settings.weights.unserved)  # fmt: skip
        if self.strictly.sites < 1:
            pairs, relaxed = self._on_fewer_sites(pairs, people, offer, relaxed)
        whole = self._whole(pairs, people, relaxed, offer.capacity)
        clearing = self.instance.settings.sites.clearing_min
        clearing_slots = -(-clearing // self.instance.settings.round.slot_minutes)
        for site in np.unique(whole.site[whole.site >= 0]).tolist():
            blocks = np.flatnonzero(whole.site == site)
            if self.instance.sites.kinds[site] == FIXED or self._is_mixed(site):
                taken = reserve(self.free[site], blocks, people, self.places[site],
                                (self.strictly.spare_slots, clearing_slots))  # fmt: skip
                self.free[site] = taken.free
                self.strict.add(site, zone, taken.runs, blocks, taken.blocks)
            else:
                self.strict.add(site, zone, runs_of(self.free[site]), blocks)
                self.free[site] = False
            self.site_of[blocks] = site

    def _on_fewer_sites(
        self, pairs: Pairs, people: Ints, offer: SlotOffer, relaxed: Relaxed
    ) -> tuple[Pairs, Relaxed]:
        """Return pairs and flow over the sites that most would go to, if these hold everybody."""
        used = np.bincount(pairs.site, weights=relaxed.people, minlength=len(self.quota))
        keep = math.ceil(self.strictly.sites * np.count_nonzero(used))
        kept = np.isin(np.arange(len(used)), np.argsort(-used, kind="stable")[:keep])
        fewer = pairs.where(kept[pairs.site])
        again = relax(fewer, fewer.walk_m * self.per_metre, people, offer,
                      self.instance.settings.weights.unserved)  # fmt: skip
        return (pairs, relaxed) if again.left.sum() > relaxed.left.sum() else (fewer, again)

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
        self.offer = SlotOffer(cost, self.packing.slot_room(cost, self.places), MAIN_SEGMENTS)
        self.main_pairs = self.pairs.where(self.people[self.pairs.block] > 0)
        unserved = self.instance.settings.weights.unserved
        for turn in range(LOOKS_FARTHER + 1):
            self.relaxed = relax(
                self.main_pairs, self.main_pairs.walk_m * self.per_metre, self.people, self.offer,
                unserved,
            )  # fmt: skip
            if turn == LOOKS_FARTHER or not self._look_farther(NEAREST_SITES << turn + 1):
                break
        self.site_people = np.bincount(
            self.main_pairs.site, weights=self.relaxed.people, minlength=len(self.quota)
        ).astype(np.int64)
        if not hasattr(self, "layout"):
            self._lay_out()

    def _look_farther(self, count: int) -> bool:
        """Add the candidates beyond the nearest for which the prices of places make up.

        ``count`` is how many nearest sites are looked at. Tells whether any were added.
        """
        pairs, price = self.main_pairs, self._place_prices()
        size = len(self.people)
        now, reach = np.full(size, np.inf), np.zeros(size)
        np.minimum.at(now, pairs.block, pairs.walk_m * self.per_metre + price[pairs.site])
        now = np.minimum(now, self.instance.settings.weights.unserved)
        np.maximum.at(reach, pairs.block, pairs.walk_m)
        asks = (self.people > 0) & (reach * self.per_metre + price.min(initial=np.inf) < now)
        if not asks.any():
            return False
        more = self.candidates.nearest(count, np.flatnonzero(asks))
        fits = self.finder.longest[more.site] >= self.people[more.block]
        cheaper = more.walk_m * self.per_metre + price[more.site] < now[more.block] - _ENOUGH
        beyond = more.walk_m > reach[more.block]
        more = more.where(fits & cheaper & beyond)
        self.pairs = self.pairs.joined(more)
        self.main_pairs = pairs.joined(more)
        return len(more) > 0

    def _place_prices(self) -> Floats:
        """Return what a place at each site costs; where nobody asked, its cheapest slot's cost."""
        price = np.where(self.offer.room > 0, self.offer.cost, np.inf).min(axis=1)
        asked = np.unique(self.main_pairs.site)
        price[asked] = np.maximum(self.relaxed.site_price[asked], 0)
        found: Floats = price
        return found

    def _lay_out(self) -> None:
        """Make the streams: the stricter zones', and one of the commonest zone per free site."""
        self.streams = self.strict
        self.first_main = len(self.strict)
        nobody = np.empty(0, dtype=np.int64)
        for site in np.flatnonzero(self.free.any(axis=1)).tolist():
            self.streams.add(site, self.main_zone, runs_of(self.free[site]), nobody)
        sites = np.array(self.streams.site, dtype=np.int64)
        points = unit_vectors(self.instance.sites.lat, self.instance.sites.lng)[sites]
        per_wave = self.instance.clock.slots_per_wave
        self.layout = lay_out(self.streams, points, per_wave)
        self.wide = lay_out(self.streams, points, per_wave, COARSE)
        settings = self.instance.settings
        zone = self.layout.zone
        self.load = Load(
            self.quota[sites],
            self.places[sites],
            np.array(settings.pooling.by_zone(), dtype=np.int64)[zone],
            np.array(settings.weights.finish.by_zone())[zone],
            settings.round.slot_minutes,
        )
        if len(self.streams):
            self.labs = Labs(self.instance, self.hours, self.travel, self.load)

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

    def walk_cost(self, block: Ints, site: Ints, people: Ints) -> float:
        """Return what people of blocks pay for the walk to their sites, all candidate pairs."""
        sites = len(self.quota)
        pairs = self.pairs
        key = pairs.block * sites + pairs.site
        order = np.argsort(key)
        at = order[np.searchsorted(key[order], block * sites + site)]
        return float((pairs.walk_m[at] * people).sum()) * self.per_metre

    def tube_worth(self) -> Floats:
        """Return what a tube of the commonest zone costs in each site's cheapest wave, if much."""
        pool = self.instance.settings.pooling.by_zone()[self.main_zone]
        if not self.people.any():  # nobody is left to ask for a tube
            return np.zeros(len(self.quota))
        cost = self._wave_cost(pool)
        opened = self.free.reshape(*cost.shape, -1).any(axis=2)
        worth = np.where(opened, cost, np.inf).min(axis=1) * pool
        return np.where(np.isfinite(worth) & (worth >= WORTH_FILLING), worth, 0)

    def pair_price(self) -> Floats:
        """Return walk plus, for the commonest zone, the site's price, per person of each pair."""
        main = self.instance.block_zone[self.pairs.block] == self.main_zone
        price = np.where(main, self._place_prices()[self.pairs.site], 0)
        total: Floats = self.pairs.walk_m * self.per_metre + price
        return total

    # Labs

    def price_labs(self) -> None:
        """Let groups choose labs, and sites sell their slots at the labs' prices.

        In a small round blocks choose their sites in the same flow; in a city walking decides
        about sites, so that places and labs in turn settle as well.
        """
        most: Ints | None = None
        worth = IN_A_CITY if len(self.streams) > CITY_STREAMS else WORTH_PRICING_AGAIN
        for turn in range(PRICE_TURNS + CITY_TURNS):
            front = self._front() if len(self.main_pairs) <= JOINT_PAIRS else None
            self.priced = self.labs.price(self.wide, self._stream_people(), front, most)
            self.prices, self.wave_costs = self.priced.prices, {}
            if front is not None:
                self._take_over(self.priced.flow, front)
            else:
                self.relax_main()
            most, missing = self._followed()
            most, too_full = self._with_city(most)
            good = self.priced.late_share <= FEW_LATE and missing < worth
            if not too_full and (good or turn >= PRICE_TURNS - 1):
                return

    def _with_city(self, most: Ints) -> tuple[Ints, bool]:
        """Return the limits with those of the city, and whether it calls too many in a wave."""
        unit, layout = self.labs.units_per_tube, self.wide
        pool = self.load.pool[[int(m[0]) for m in layout.members]]
        people = self.priced.volumes.tubes * pool[:, None]
        left = self.priced.flow.left * pool / unit
        room = np.zeros(people.shape)
        np.add.at(room, layout.group, stream_room(layout, self.load))
        limit, too_full = self.city_waves.limit(layout, people, left, room)
        if limit is None:
            return most, False
        if self.bound_before is None:
            self.bound_before = self._bound_at_prices()
        return np.floor(limit * unit / pool[:, None]).astype(np.int64), too_full

    def _followed(self) -> tuple[Ints, float]:
        """Return the most units that groups can send per piece, and the share they cannot follow.

        The coarse flow knows the people of groups, not of sites: a site that has few people cannot
        fill each of the waves in which labs would like more.
        """
        people, volumes = self._stream_people(), self.priced.volumes.tubes
        room = stream_room(self.wide, self.load)
        count = np.minimum(people, room.sum(axis=1))
        quota = self.load.quota.astype(np.float64)
        sent = even_volumes(Shares(self.wide.group, quota, count, room, volumes))
        reached = np.zeros(volumes.shape)
        np.add.at(reached, self.wide.group, sent / self.load.pool[:, None])
        short = np.where(reached < FOLLOWED * volumes, volumes - reached, 0)
        unit = self.labs.units_per_tube
        most = np.where(short > 0, np.floor(reached * unit), np.iinfo(np.int64).max // 4)
        return most.astype(np.int64), float(short.sum() / max(volumes.sum(), 1e-9))

    def _stream_people(self) -> Ints:
        """Return the people of each stream, as far as they are known."""
        people = np.zeros(len(self.streams), dtype=np.int64)
        for stream in range(self.first_main):
            people[stream] = self.instance.demand[self.streams.blocks[stream]].sum()
        main = slice(self.first_main, None)
        people[main] = self.site_people[self.wide.site[main]]
        return people

    def _front(self) -> Front:
        """Return the blocks and sites of the commonest zone before the groups of its streams."""
        pool = self.instance.settings.pooling.by_zone()[self.main_zone]
        per_person = self.labs.units_per_tube // pool
        row = np.full(len(self.quota), -1, dtype=np.int64)
        row[self.wide.site[self.first_main :]] = self.wide.group[self.first_main :]
        weights = self.instance.settings.weights
        return Front(
            self.people * per_person, self.main_pairs.block, self.main_pairs.site,
            self.main_pairs.walk_m * self.per_metre / per_person, row,
            self.offer.capacity * per_person, weights.unserved / per_person,
        )  # fmt: skip

    def _take_over(self, flow: LabFlow, front: Front) -> None:
        """Let blocks follow the joint flow."""
        pool = self.instance.settings.pooling.by_zone()[self.main_zone]
        per_person = self.labs.units_per_tube // pool
        sent = flow.pair_units // per_person
        left = self.people - np.bincount(
            front.block, weights=sent, minlength=len(self.people)
        ).astype(np.int64)
        self.relaxed = Relaxed(sent, left, flow.site_price * per_person)
        self.site_people = np.bincount(front.site, weights=sent, minlength=len(self.quota)).astype(
            np.int64
        )

    def topped(self) -> Flags:
        """Return which waves of streams are worth a tube that is not full, ``[stream, piece]``.

        What the last places of the wave gain at the prices must pay for the places that the tube
        leaves empty in a lab.
        """
        pool = self.instance.settings.pooling.by_zone()[self.main_zone]
        cost = self.slot_cost(self.main_zone, self.free)
        lab, price = self.wave_costs[pool], self.relaxed.site_price
        most = max(len(p) for p in self.layout.group_pieces)
        out = np.zeros((len(self.streams), most), dtype=bool)
        for members, pieces in zip(self.layout.members, self.layout.group_pieces, strict=True):
            main = members[members >= self.first_main]
            if not len(main):
                continue
            site = self.layout.site[main]
            last, paid = cost[site][:, pieces[:, 3] - 1], lab[site][:, pieces[:, 1]]
            known = np.isfinite(last) & np.isfinite(paid) & np.isfinite(price[site])[:, None]
            gain = np.where(known, price[site][:, None] - np.where(known, last, 0), 0)
            room = self.load.room(main, pieces)
            places = room % pool
            worth = places * gain > (pool - places) * np.where(known, paid, 0)
            out[main, : len(pieces)] = worth & known & (places > 0)
        return out

    # The bound

    def bound(self) -> float:
        """Return the lower bound, which knows all limits but the city's most people in a slot.

        Where that has changed the labs' prices, the bound is taken at those before.
        """
        return self._bound_at_prices() if self.bound_before is None else self.bound_before

    def _bound_at_prices(self) -> float:
        """Return the lower bound at the present lab prices.

        Prices of places are each zone's own, from a flow in which it has all sites for itself, or
        those of the stricter zones together, whichever is better.
        """
        zones = np.unique(self.instance.block_zone[self.instance.demand > 0]).tolist()
        costs = {z: self.slot_cost(z, self.offered) for z in zones}
        earnings = self.prices.earnings(self.hours, self.instance.labs.max_tubes_per_day)
        price = {z: self._bound_price(z, costs[z]) for z in zones}
        strict = [z for z in zones if z != self.main_zone]
        if not strict:
            return self.finder.evaluate(costs, price, earnings)
        bound = 0.0 if self._is_city() else self.finder.evaluate(costs, price, earnings)
        shared = self._shared_prices({z: costs[z] for z in strict}, costs, price)
        return max(bound, self.finder.evaluate(costs, {**price, **shared}, earnings))

    def _is_city(self) -> bool:
        """Return whether the round is so large that a flow less is worth a little of the bound."""
        return hasattr(self, "streams") and len(self.streams) > CITY_STREAMS

    def _bound_price(self, zone: int, cost: Floats) -> Floats:
        """Return prices of places for the bound: in a city the commonest zone's are known."""
        if zone == self.main_zone and self._is_city():
            return self.relaxed.site_price
        if zone != self.main_zone and self._is_city():
            return np.full(len(self.quota), -np.inf)
        return self.place_price(zone, cost)

    def _shared_prices(
        self, strict: dict[int, Floats], costs: dict[int, Floats], price: dict[int, Floats]
    ) -> dict[int, Floats]:
        """Return prices of places for the stricter zones when all zones want the same slots."""
        main = self.main_zone
        gain = price[main][:, None] - costs[main]
        gain = np.where(np.isfinite(gain), np.maximum(gain, 0), 0)
        zone, demand = self.instance.block_zone, self.instance.demand
        pairs = self.pairs.where((demand[self.pairs.block] > 0) & (zone[self.pairs.block] != main))
        return shared_prices(
            pairs, pairs.walk_m * self.per_metre, (demand, zone), Slots(strict, gain, self.places),
            self.instance.settings.weights.unserved,
        )  # fmt: skip

    def place_price(self, zone: int, cost: Floats) -> Floats:
        """Return what a place at each site costs people of a zone, -inf at sites out of reach."""
        people = np.where(self.instance.block_zone == zone, self.instance.demand, 0)
        pairs = self.pairs.where(people[self.pairs.block] > 0)
        segments = BOUND_SEGMENTS if zone == self.main_zone else cost.shape[1]
        room = np.where(np.isfinite(cost), self.places, 0)
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
