"""Blocks ask for places, sites offer them, labs set the price of time.

Holds the state that the pipeline of ``planner`` passes through: streams of the stricter zones, the
relaxed places of the commonest zone, and the labs' prices.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from scheduler.domain.city import Flags, Floats, Ints
from scheduler.domain.instance import Instance
from scheduler.domain.profile import slot_places
from scheduler.solve.assign import Relaxed, SlotOffer, Whole, make_whole, relax
from scheduler.solve.bins import Bins
from scheduler.solve.bound import BoundFinder, LabCosts, LabPrices, longest_run
from scheduler.solve.candidates import Candidates, Pairs, unit_vectors
from scheduler.solve.city_waves import CityWaves
from scheduler.solve.fill_tubes import TubeFiller
from scheduler.solve.labs import Labs, Priced
from scheduler.solve.layout import COARSE, Grain, Layout
from scheduler.solve.layout import lay_out as _lay_out
from scheduler.solve.packing import Packing
from scheduler.solve.reach import travel_minutes
from scheduler.solve.streams import Streams, runs_of
from scheduler.solve.timeline import HOUR_MIN, lab_hours, site_sessions
from scheduler.solve.waves import Load

NEAREST_SITES = 8
NEAREST_SITES_STRICT = 40
FARTHEST = 64  # nearest sites of a block that pays much, or may be served in part
MAIN_SEGMENTS = 24
CITY_STREAMS = 1_000
LOOKS_FARTHER = 4  # turns, each at twice as many nearest sites
MOST_LEFT = 0.2  # share of a wave's places that a site may leave for full tubes
ROOMY = 0.8  # share of the places of full tubes up to which only these are used
_ENOUGH = 1e-6  # person-minutes per person
_WORTH_LOOKING = 1e-5  # of the same, over everybody: a flow of Shanghai's takes five seconds
MAX_HORIZON_DAYS = 30
"""Labs are looked at so long after the round at most, however cheap lateness is."""


class Market:
    """Prices and places of one round; see the module."""

    streams: Streams
    layout: Layout
    wide: Layout
    load: Load
    labs: Labs
    prices: LabPrices
    priced: Priced

    def __init__(self, instance: Instance, quota: Ints, seed: int) -> None:
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
        self.strict = Streams.empty()
        self.site_of = np.full(len(instance.demand), -1, dtype=np.int64)
        self.wave_costs: dict[int, Floats] = {}
        self.city_waves = CityWaves(instance, self.places, self.offered)
        self.bound_before: float | None = None
        self.labs_are_short = False
        self.price_empty = False  # whether places that tubes leave empty have a price in a flow
        self.packed: dict[int, list[Ints]] = {}  # stream -> blocks of its runs, in tight rounds
        self.is_crowded = False  # whether whole blocks found no room where all are weighed
        self.beyond_flow: Floats | None = None
        """What whole blocks are worth beyond the flow's prices, person-minutes; in tight rounds."""
        self.beside_others: Floats | None = None
        """What places cost the commonest zone beside all others, ``[site]``; in tight rounds."""
        self._forget_prices()

    @property
    def is_city(self) -> bool:
        """Whether the round is so large that a flow less is worth a little of the gap."""
        return hasattr(self, "streams") and len(self.streams) > CITY_STREAMS

    @property
    def leaves_out(self) -> bool:
        """Whether the relaxed places of the commonest zone leave somebody out."""
        return hasattr(self, "relaxed") and bool(self.relaxed.left.any())

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
        self.prices = LabPrices.nothing(self.hours)

    # Costs

    def slot_cost(self, zone: int, offered: Flags) -> Floats:
        """Return finish plus lab price per person of a zone, ``[site, slot]``; inf: not offered."""
        settings = self.instance.settings
        pool = settings.pooling.by_zone()[zone]
        minutes = np.arange(offered.shape[1]) * settings.round.slot_minutes
        finish = settings.weights.finish.by_zone()[zone] * minutes
        waves = np.repeat(self.wave_cost(pool), self.instance.clock.slots_per_wave, axis=1)
        return np.where(offered, finish[None, :] + waves, np.inf)

    def wave_cost(self, pool: int) -> Floats:
        """Return what the labs cost a person at the present prices, ``[site, wave]``."""
        if pool not in self.wave_costs:
            labs = LabCosts(self.instance, self.hours, self.prices)
            self.wave_costs[pool] = labs.wave_cost(self.travel, pool)
        return self.wave_costs[pool]

    def whole_blocks(self, pairs: Pairs, people: Ints, relaxed: Relaxed, capacity: Ints) -> Whole:
        """Give every block one site within capacity, near the relaxed flow."""
        noise = self.rng.uniform(0, 1e-6, len(pairs))  # the seed decides between equals
        return make_whole(pairs, self.price_of(pairs, relaxed) + noise, people, relaxed, capacity)

    def price_of(self, pairs: Pairs, relaxed: Relaxed) -> Floats:
        """Return walk plus the site's price in a relaxed flow, per person of each pair."""
        price: Floats = pairs.walk_m * self.per_metre + relaxed.site_price[pairs.site]
        return price

    # The commonest zone

    def relax_main(self) -> None:
        """Send the commonest zone's blocks to sites at the present lab prices."""
        zone = self.main_zone
        self.people = np.where(self.instance.block_zone == zone, self.instance.demand, 0)
        cost = self.slot_cost(zone, self.free)
        places = self._places_in_tubes(cost) if self.labs_are_short else self.places
        self.offer = self._in_full_tubes(cost, self.packing.slot_room(cost, places))
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

    def _in_full_tubes(self, cost: Floats, room: Ints) -> SlotOffer:
        """Return what sites offer, places that would begin one tube more at the price of the tube.

        A wave of 112 places fills eleven tubes of ten; whoever takes one of the last two places
        brings a laboratory a tube with eight empty ones.
        """
        pool = self.instance.settings.pooling.by_zone()[self.main_zone]
        clock = self.instance.clock
        waves = (len(room), clock.num_waves, clock.slots_per_wave)
        by_wave = room.reshape(waves).copy()
        column = by_wave.shape[2] - 1 - (by_wave > 0)[:, :, ::-1].argmax(axis=2)[:, :, None]
        last = np.take_along_axis(by_wave, column, axis=2)
        over = np.minimum(by_wave.sum(axis=2, keepdims=True) % pool, last)
        np.put_along_axis(by_wave, column, last - over, axis=2)
        dear = np.take_along_axis(cost.reshape(waves), column, axis=2)
        empty = self.wave_cost(pool)[:, :, None] * (pool - over) / np.maximum(over, 1)
        dear = np.where(over > 0, dear + empty, np.inf)
        return SlotOffer(
            np.concatenate((cost, dear[:, :, 0]), axis=1),
            np.concatenate((by_wave.reshape(room.shape), over[:, :, 0]), axis=1),
            MAIN_SEGMENTS,
        )

    def _places_in_tubes(self, cost: Floats) -> Ints:
        """Return the places of full tubes per ``[site, slot]`` where there are enough of them."""
        pool = self.instance.settings.pooling.by_zone()[self.main_zone]
        room = self.in_full_tubes(np.isfinite(cost), pool)
        return room if self.people.sum() <= ROOMY * room.sum() else self.places

    def in_full_tubes(self, offered: Flags, pool: int) -> Ints:
        """Return the places of full tubes of ``pool`` people per ``[site, slot]``.

        A wave whose last places fill no tube is served to its last full tube; a wave that would
        lose much by it keeps them.
        """
        clock = self.instance.clock
        waves = (len(offered), clock.num_waves, clock.slots_per_wave)
        room = np.where(offered, self.places, 0).reshape(waves)
        over = room.sum(axis=2) % pool
        over = np.where(over <= MOST_LEFT * room.sum(axis=2), over, 0)
        later = np.cumsum(room[:, :, ::-1], axis=2)[:, :, ::-1] - room
        full: Ints = room - np.clip(over[:, :, None] - later, 0, room)
        return full.reshape(offered.shape)

    def _look_farther(self, count: int) -> bool:
        """Add the candidates beyond the nearest for which the prices of places make up.

        ``count`` is how many nearest sites are looked at. Tells whether any were added.
        """
        pairs, price = self.main_pairs, self.place_prices()
        now = np.full(len(self.people), np.inf)
        np.minimum.at(now, pairs.block, pairs.walk_m * self.per_metre + price[pairs.site])
        now = np.minimum(now, self.instance.settings.weights.unserved)
        return self._add_farther(count, now)

    def look_farther(self, worth: Floats) -> bool:
        """Add the candidates whose walk and place cost less than ``worth[block]`` per person.

        Sites without a price of their own are taken at their cheapest slot's cost. Tells whether
        any were added.
        """
        before, sites = self.main_pairs, len(self.quota)
        if not self._add_farther(FARTHEST, worth):
            return False
        now = self.main_pairs
        known = np.isin(now.block * sites + now.site, before.block * sites + before.site)
        people = np.zeros(len(now), dtype=np.int64)
        people[known] = self.relaxed.people  # pairs keep their order
        self.relaxed = replace(self.relaxed, people=people)
        return True

    def _add_farther(self, count: int, now: Floats) -> bool:
        """Add candidates that cost less than ``now[block]`` per person."""
        pairs, price, size = self.main_pairs, self.place_prices(), len(self.people)
        reach = pairs.reach(size)
        asks = (self.people > 0) & (reach * self.per_metre + price.min(initial=np.inf) < now)
        if not asks.any():
            return False
        more = self.candidates.nearest(count, np.flatnonzero(asks))
        fits = self.finder.longest[more.site] >= self.people[more.block]
        saved = now[more.block] - more.walk_m * self.per_metre - price[more.site]
        better = fits & (saved > _ENOUGH) & (more.walk_m > reach[more.block])
        more = more.where(better)
        most = np.zeros(size)
        np.maximum.at(most, more.block, saved[better])
        if (most * self.people).sum() <= _WORTH_LOOKING * self.people.sum():
            return False
        self.pairs = self.pairs.joined(more)
        self.main_pairs = pairs.joined(more)
        return True

    def place_prices(self) -> Floats:
        """Return what a place at each site costs; where nobody asked, its cheapest slot's cost."""
        price = np.where(self.offer.room > 0, self.offer.cost, np.inf).min(axis=1)
        asked = np.unique(self.main_pairs.site)
        price[asked] = np.maximum(self.relaxed.site_price[asked], 0)
        found: Floats = price
        return found

    def lay_out(self) -> None:
        """Make the streams: the stricter zones', and one of the commonest zone per free site."""
        self.streams = self.strict
        self.first_main = len(self.strict)
        nobody = np.empty(0, dtype=np.int64)
        for site in np.flatnonzero(self.free.any(axis=1)).tolist():
            self.streams.add(site, self.main_zone, runs_of(self.free[site]), nobody)
        self.layout, self.wide = self.laid_out(self.streams), self.laid_out(self.streams, COARSE)
        self.load = self.load_of(self.layout)
        if len(self.streams):
            self.labs = Labs(self.instance, self.hours, self.travel, self.load)

    def laid_out(self, streams: Streams, grain: Grain | None = None) -> Layout:
        """Return the waves and groups of streams, fine ones unless told."""
        sites = np.array(streams.site, dtype=np.int64)
        points = unit_vectors(self.instance.sites.lat, self.instance.sites.lng)[sites]
        return _lay_out(streams, points, self.instance.clock.slots_per_wave, grain)

    def load_of(self, layout: Layout) -> Load:
        """Return what supplies are built from."""
        settings, zone = self.instance.settings, layout.zone
        return Load(
            self.quota[layout.site],
            self.places[layout.site],
            np.array(settings.pooling.by_zone(), dtype=np.int64)[zone],
            np.array(settings.weights.finish.by_zone())[zone],
            settings.round.slot_minutes,
        )

    def stream_people(self) -> Ints:
        """Return the people of each stream, as far as they are known."""
        people = np.zeros(len(self.streams), dtype=np.int64)
        for stream in range(self.first_main):
            people[stream] = self.instance.demand[self.streams.blocks[stream]].sum()
        people[self.first_main :] = self.site_people[self.wide.site[self.first_main :]]
        return people

    def make_main_whole(self) -> Whole:
        """Choose one site for every block of the commonest zone, near the relaxed flow."""
        return self.whole_blocks(self.main_pairs, self.people, self.relaxed, self.offer.capacity)

    def fill_main_tubes(self, whole: Whole, tube_worth: Floats, over: Ints) -> None:
        """Let blocks of the commonest zone fill tubes; ``tube_worth[site]`` is what one costs.

        Runs packed before are forgotten: they were of other blocks. ``over[site]`` people are in
        tubes that are worth it though not full.
        """
        self.fill_tubes(whole, self.main_zone, (self.main_pairs, self.relaxed),
                        self.offer.capacity, tube_worth, over)  # fmt: skip
        self.packed = {}

    def settle_main(self, whole: Whole) -> None:
        """Fix one site for every block of the commonest zone."""
        chosen = np.flatnonzero(whole.site >= 0)
        self.site_of[chosen] = whole.site[chosen]
        self.site_people = whole.load
        order = chosen[np.argsort(whole.site[chosen], kind="stable")]
        edges = np.searchsorted(whole.site[order], np.arange(len(self.quota) + 1))
        for stream in range(self.first_main, len(self.streams)):
            site = self.streams.site[stream]
            self.streams.blocks[stream] = order[edges[site] : edges[site + 1]]

    def fill_tubes(
        self, whole: Whole, zone: int, asked: tuple[Pairs, Relaxed], capacity: Ints, worth: Floats,
        over: Ints | None = None,
    ) -> None:  # fmt: skip
        """Swap a zone's blocks between sites until tubes are full; ``worth[site]`` of a tube.

        ``over`` as in ``fill_main_tubes``.
        """
        pairs, relaxed = asked
        people = np.where(self.instance.block_zone == zone, self.instance.demand, 0)
        price = self.price_of(pairs, relaxed)
        bins = Bins(pairs, price, people, capacity, whole.site, whole.load)
        pool = self.instance.settings.pooling.by_zone()[zone]
        TubeFiller(bins, pool, np.where(capacity > 0, worth, 0), over=over).run()

    def walk_cost(self, block: Ints, site: Ints, people: Ints) -> float:
        """Return what people of blocks pay for the walk to their sites.

        Blocks served in part may be at candidates too small for the whole of them.
        """
        sites, pairs, asked = len(self.quota), self.pairs, block * len(self.quota) + site
        unknown = np.unique(block[~np.isin(asked, pairs.block * sites + pairs.site)])
        if len(unknown):
            some = self.candidates.nearest(FARTHEST, unknown)
            pairs = pairs.where(~np.isin(pairs.block, unknown)).joined(some)
        key = pairs.block * sites + pairs.site
        order = np.argsort(key)
        at = order[np.searchsorted(key[order], asked)]
        return float((pairs.walk_m[at] * people).sum()) * self.per_metre

    def pair_price(self) -> Floats:
        """Return walk plus, for the commonest zone, the site's price, per person of each pair."""
        main = self.instance.block_zone[self.pairs.block] == self.main_zone
        price = np.where(main, self.place_prices()[self.pairs.site], 0)
        total: Floats = self.pairs.walk_m * self.per_metre + price
        return total


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
