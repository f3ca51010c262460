"""One district's part of a round, for a command centre that plans on its own."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from scheduler.domain.city import FIXED, Blocks, Communities, Flags, Ints, Labs, Sites
from scheduler.domain.instance import Instance
from scheduler.domain.settings import Settings
from scheduler.errors import CannotRunError

_SPREAD = 0.6180339887  # the golden ratio's fraction: its multiples spread most evenly over [0, 1)
_ROUNDING = 1e-9


def restrict(instance: Instance, district: str) -> Instance:
    """Return the instance of one district.

    It keeps the district's communities, blocks and fixed sites, the teams that name one of its
    communities, its share by people of the city's most people in a slot (1 at least), and of every
    lab the district's share of the city's tubes. The shares of all
    districts are whole and add up to the lab, so that districts planned apart do not overload it
    together; of a small lab a district may get nothing.

    Raises
    ------
    CannotRunError
        When no community lies in the district.
    """
    inside = instance.communities.districts == district
    if not inside.any():
        known = ", ".join(sorted(set(instance.communities.districts)))
        raise CannotRunError(
            f'Expected a district of the round, got "{district}"', hint=f"Known: {known}."
        )
    rows = np.flatnonzero(inside)
    renumbered = np.full(len(inside), -1)
    renumbered[rows] = np.arange(len(rows))
    sites, site_rows = _sites(instance.sites, district, renumbered)
    return instance.replace(
        communities=_take(instance.communities, rows),
        blocks=_blocks(instance.blocks, renumbered),
        sites=sites,
        labs=_labs(instance.labs, _share_of_tubes(instance, district)),
        settings=_settings(instance, inside[instance.blocks.community_index]),
        travel_min=instance.travel_min[site_rows],
        district=district,
    )


def _settings(instance: Instance, blocks: Flags) -> Settings:
    """Return the settings with the part of ``slots.city_people`` that is due to some blocks."""
    settings = instance.settings
    most = settings.slots.city_people
    if not most:
        return settings
    people = int(instance.demand[blocks].sum())
    part = max(1, most * people // max(1, int(instance.demand.sum())))
    return replace(settings, slots=replace(settings.slots, city_people=part))


def _take(communities: Communities, rows: Ints) -> Communities:
    return Communities(**{name: column[rows] for name, column in vars(communities).items()})


def _blocks(blocks: Blocks, renumbered: Ints) -> Blocks:
    rows = np.flatnonzero(renumbered[blocks.community_index] >= 0)
    part = Blocks(**{name: column[rows] for name, column in vars(blocks).items()})
    return replace(part, community_index=renumbered[part.community_index])


def _sites(sites: Sites, district: str, renumbered: Ints) -> tuple[Sites, Ints]:
    served = tuple(
        tuple(int(renumbered[c]) for c in named if renumbered[c] >= 0)
        for named in sites.community_indices
    )
    fixed_here = (sites.kinds == FIXED) & (sites.districts == district)
    names_some = np.fromiter(map(bool, served), bool, len(sites))
    rows = np.flatnonzero(fixed_here | names_some)
    part = replace(
        sites,
        hours=tuple(sites.hours[r] for r in rows),
        community_indices=tuple(served[r] for r in rows),
        **{n: c[rows] for n, c in vars(sites).items() if isinstance(c, np.ndarray)},
    )
    return part, rows


def _share_of_tubes(instance: Instance, district: str) -> tuple[float, float]:
    """Return the shares of the city's tubes of the districts before this one, and up to it.

    Tubes are people to be called over pool size.
    """
    names = np.unique(instance.communities.districts.astype(str))
    of_block = instance.communities.districts[instance.blocks.community_index].astype(str)
    tubes = np.bincount(
        np.searchsorted(names, of_block),
        weights=instance.demand / instance.block_pool,
        minlength=len(names),
    )
    total = np.cumsum(tubes)
    upto = total / (float(total[-1]) or 1.0)
    at = int(np.searchsorted(names, district))
    return (float(upto[at - 1]) if at else 0.0), float(upto[at])


def _labs(labs: Labs, share: tuple[float, float]) -> Labs:
    daily = labs.max_tubes_per_day
    return replace(
        labs,
        tubes_per_hour=_part(labs.tubes_per_hour, share),
        max_tubes_per_day=np.where(daily > 0, _part(daily, share), daily),
    )


def _part(tubes: Ints, share: tuple[float, float]) -> Ints:
    """Cut every lab's tubes into parts that add up to the lab.

    Where the cuts of a lab begin differs from lab to lab, so that the odd tubes of small labs do
    not all go to the same district.
    """
    begin = np.arange(len(tubes)) * _SPREAD % 1
    low, high = (np.floor(tubes * edge + begin + _ROUNDING) for edge in share)
    part: Ints = (high - low).astype(np.int64)
    return part
