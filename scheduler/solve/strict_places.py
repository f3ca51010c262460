"""The sites and slots of stricter zones: whole slots, the earliest, before those of other zones."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from scheduler.domain.city import FIXED, Flags, Floats, Ints
from scheduler.domain.settings import Zone
from scheduler.solve.market import Market
from scheduler.solve.site_offer import Movable, SiteOffer
from scheduler.solve.streams import Reservation, Streams, reserve, runs_of
from scheduler.solve.strict_exchange import exchange, total_cost


@dataclass(frozen=True)
class Strictly:
    """How stricter zones take their places at sites that others use after them.

    ``spare_slots`` are kept behind their last person, so that labs can shift their tubes;
    ``sites`` is the share of the sites they would like that they get: each costs a clearing.
    ``exchange`` tells whether they may change sites once prices are known. ``late_min`` is about
    how late somebody is for a tube that is not full, 0 where labs have time. ``price_empty`` tells
    that places left empty in a tube have their price in the flow to short labs.
    """

    spare_slots: int = 0
    sites: float = 1.0
    exchange: bool = True
    late_min: int = 0
    price_empty: bool = False


def take_slots(
    market: Market,
    zone: int,
    strictly: Strictly,
    main_gain: Floats | None = None,
    only: Ints | None = None,
) -> None:
    """Take the earliest free slots at the sites of a zone's blocks, at ``only`` some if given.

    ``main_gain`` as in ``_taken``.
    """
    here = (market.instance.block_zone == zone) & (market.site_of >= 0)
    here &= True if only is None else np.isin(market.site_of, only)
    places = _places(market, strictly)
    for site in np.unique(market.site_of[here]).tolist():
        blocks = np.flatnonzero(here & (market.site_of == site))
        if shared(market, site):
            at = At(site, market.free[site], places[site], market.site_of)
            taken = _taken(market, zone, strictly, at, main_gain)
            market.free[site] = taken.free
            if taken.runs:
                market.strict.add(site, zone, taken.runs, blocks, taken.blocks)
            else:
                market.site_of[blocks] = -1
        else:
            market.strict.add(site, zone, runs_of(market.free[site]), blocks)
            market.free[site] = False


@dataclass(frozen=True)
class At:
    """A site with its free slots, the people that may be called in each, and all blocks' sites."""

    site: int
    free: Flags
    places: Ints
    site_of: Ints


def _taken(
    market: Market, zone: int, strictly: Strictly, at: At, main_gain: Floats | None
) -> Reservation:
    """Return the earliest slots that a zone's blocks at a site take.

    Where ``main_gain[site, slot]`` of the commonest zone is known, a slot more is taken if full
    tubes need it and save more.
    """
    kept = strictly.spare_slots, market.instance.settings.clearing_slots
    people = market.instance.demand
    blocks = np.flatnonzero((market.instance.block_zone == zone) & (at.site_of == at.site))
    taken = reserve(at.free, blocks, people, at.places, kept)
    if sum(map(len, taken.blocks)) < len(blocks):
        taken = reserve(at.free, blocks, people, market.places[at.site], kept)
    if main_gain is not None and saves(market, zone, at, taken, main_gain[at.site]):
        taken = reserve(at.free, blocks, people, at.places, (kept[0] + 1, kept[1]))
    return taken


def saves(market: Market, zone: int, at: At, taken: Reservation, main_gain: Floats) -> bool:
    """Tell whether a slot more saves empty places in tubes that are worth more than the slot.

    In as few slots as hold them, people must fill each wave to its last place, which fills no tube:
    112 places a wave are eleven tubes of ten and one of two. Not where a less strict zone waits.
    """
    instance, pool = market.instance, market.instance.settings.pooling.by_zone()[zone]
    block_zone = instance.block_zone[at.site_of == at.site]
    behind = (block_zone > zone) & (block_zone != market.main_zone)
    if pool == 1 or not taken.runs or behind.any():
        return False
    first, end = taken.runs[-1]
    wave = np.arange(first, end) // instance.clock.slots_per_wave
    room = np.bincount(wave - wave[0], market.places[at.site, first:end]).astype(np.int64)
    people = int(instance.demand[taken.blocks[-1]].sum())
    over = people - int((room // pool * pool).sum())
    if over <= 0:
        return False
    parts = np.sort(room % pool)[::-1]
    used = int(np.searchsorted(np.cumsum(parts), over)) + 1  # waves that send a tube in part
    empty = used * pool - over - -people % pool
    lost = main_gain[min(end + instance.settings.clearing_slots, len(main_gain) - 1)]
    return empty > 0 and bool(empty * market.wave_cost(pool)[at.site, wave[0]] > lost)


def _places(market: Market, strictly: Strictly) -> Ints:
    """Return the people of stricter zones that may be called, ``[site, slot]``.

    Where labs are short these are places of full tubes: a site whose last places are used fills
    none of the tubes that it needs for them.
    """
    if not strictly.late_min:
        return market.places
    pools = np.array(market.instance.settings.pooling.by_zone())
    zones = np.unique(market.instance.block_zone[market.instance.demand > 0])
    stricter = pools[zones[zones != market.main_zone]]
    return market.in_full_tubes(market.offered, int(stricter.max(initial=1)))


class StrictPlaces:
    """The blocks of stricter zones that may change sites, and what sites offer them."""

    def __init__(self, market: Market, strictly: Strictly) -> None:
        """Take the present sites of the market, and how zones take their slots."""
        self._market, self._strictly = market, strictly
        self._gain: Floats | None = None
        instance, weights = market.instance, market.instance.settings.weights
        self._zones = [
            int(z) for z in Zone if z != market.main_zone and (instance.block_zone == z).any()
        ]
        strict = instance.block_zone != market.main_zone
        common = np.array([shared(market, site) for site in range(len(market.quota))], dtype=bool)
        self._free = strict & ((market.site_of < 0) | common[market.site_of])
        pairs = market.pairs.where(self._free[market.pairs.block] & common[market.pairs.site])
        pool = {z: instance.settings.pooling.by_zone()[z] for z in self._zones}
        per_wave, people = instance.clock.slots_per_wave, instance.demand
        self._offer = SiteOffer(
            np.where(market.offered, _places(market, strictly), 0),
            {z: np.minimum(market.slot_cost(z, market.offered), weights.unserved)
             for z in self._zones},
            {z: np.repeat(np.minimum(_empty_places(market, k), weights.unserved), per_wave, axis=2)
             for z, k in pool.items()},
            pool, np.zeros(market.places.shape), strictly.spare_slots,
            instance.settings.clearing_slots, weights.unserved,
        )  # fmt: skip
        self.movable = Movable(
            pairs, pairs.walk_m * market.per_metre * people[pairs.block], people,
            instance.block_zone, instance.blocks.community_index, weights.split,
        )  # fmt: skip

    def home(self) -> Ints:
        """Return the sites of the blocks that may move, -1 for others."""
        return np.where(self._free, self._market.site_of, -1)

    def run(self, main_gain: Floats, effort: int) -> bool:
        """Exchange where the commonest zone gains so much in slots; tell whether any moved."""
        if not len(self.movable.pairs):
            return False
        home, offer = self.home(), replace(self._offer, main_gain=main_gain)
        new = exchange(home, self.movable, offer, self._market.rng, effort)
        self._gain = main_gain
        if np.array_equal(new, home):
            return False
        self.put(new)
        return True

    def put(self, home: Ints) -> None:
        """Give the stricter zones the earliest slots at sites, which are new where blocks move."""
        market = self._market
        market.site_of = np.where(self._free, home, market.site_of)
        market.free, market.strict = market.offered.copy(), Streams.empty()
        for zone in self._zones:
            take_slots(market, zone, self._strictly, self._gain)

    def cost(self, home: Ints | None = None) -> float:
        """Return what the blocks that may move pay at their sites, what others lose apart."""
        return total_cost(self.home() if home is None else home, self.movable, self._offer)

    def offer(self, main_gain: Floats) -> SiteOffer:
        """Return what sites offer where the commonest zone gains so much in slots from now on."""
        self._gain = main_gain
        return replace(self._offer, main_gain=main_gain)

    def sites(self) -> list[int]:
        """Return the sites that some block may move to."""
        sites: list[int] = np.unique(self.movable.pairs.site).tolist()
        return sites

    def free(self, home: Ints, site: int) -> Flags:
        """Return the slots that blocks at their homes leave free at a site."""
        market = self._market
        free: Flags = market.offered[site]
        places = _places(market, self._strictly)[site]
        site_of = np.where(self._free, home, market.site_of)
        for zone in self._zones:
            if (market.instance.block_zone[site_of == site] == zone).any():
                at = At(site, free, places, site_of)
                free = _taken(market, zone, self._strictly, at, self._gain).free
        return free

    def move(self, home: Ints) -> None:
        """Give the zones the earliest slots at the sites that blocks come to or leave."""
        market = self._market
        moved = (home != self.home()) & self._free
        new = np.union1d(market.site_of[moved], home[moved])
        new = new[new >= 0]
        old, market.strict = market.strict, Streams.empty()
        market.site_of = np.where(self._free, home, market.site_of)
        market.free[new] = market.offered[new]
        for zone in self._zones:
            for n in range(len(old)):
                if old.zone[n] == zone and old.site[n] not in new:
                    market.strict.add(old.site[n], zone, old.runs[n], old.blocks[n], old.fixed[n])
            take_slots(market, zone, self._strictly, self._gain, new)


def _empty_places(market: Market, pool: int) -> Floats:
    """Return what the empty places of a tube with so many people cost, ``[people, site, wave]``."""
    price = market.wave_cost(pool)
    asked = np.where(np.isfinite(price), price, 0.0)  # else nobody is called
    empty = (-np.arange(pool) % pool).astype(np.float64)
    cost: Floats = empty[:, None, None] * asked
    return cost


def shared(market: Market, site: int) -> bool:
    """Return whether people of several zones may come to a site."""
    return market.instance.sites.kinds[site] == FIXED or _is_mixed(market, site)


def _is_mixed(market: Market, site: int) -> bool:
    named = list(market.instance.sites.community_indices[site])
    return len(set(market.instance.communities.zone[named].tolist())) > 1
