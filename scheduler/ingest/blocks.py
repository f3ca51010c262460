"""Blocks of a round: as listed, or cut from communities; and who of them is visited at home."""

from __future__ import annotations

import numpy as np

from scheduler.domain.arithmetic import target_people
from scheduler.domain.city import Blocks, Communities, Floats, Ints
from scheduler.ingest.tables import Parsed, as_array


def listed_blocks(
    table: Parsed, community: Ints, communities: Communities, points: tuple[Floats, Floats]
) -> Blocks:
    """Return the blocks of ``blocks.csv`` sorted by community, then block id.

    ``community`` is the row of each block's community; ``points`` holds lat and lng in WGS84, NaN
    where the block has none and takes its community's.
    """
    ids = table.values["block_id"]
    order = np.array(sorted(range(len(ids)), key=lambda b: (community[b], ids[b])), dtype=np.int64)
    index, people = community[order], table.values["people"][order]
    lat, lng = points[0][order], points[1][order]
    unknown = np.isnan(lat)
    return Blocks(
        ids=ids[order],
        names=table.values["name"][order],
        community_index=index,
        people=people,
        home_visits=home_visits(people, index, communities.homebound),
        households=table.values["households"][order],
        elderly=table.values["elderly"][order],
        lat=np.where(unknown, communities.lat[index], lat),
        lng=np.where(unknown, communities.lng[index], lng),
    )


def cut_blocks(communities: Communities, max_people: int) -> Blocks:
    """Return each community cut into ceil(people / max_people) blocks at its point.

    Sizes differ by at most 1, larger first. Households and elderly are shared out in proportion,
    in whole numbers that add up to the community's (elderly to at most its people).
    """
    people = target_people(communities.population, communities.participation)
    pieces = -(-people // max_people)
    index = np.repeat(np.arange(len(communities)), pieces)
    number = np.arange(len(index)) - np.repeat(np.cumsum(pieces) - pieces, pieces)
    base, larger = np.divmod(people, np.maximum(pieces, 1))
    sizes = base[index] + (number < larger[index])
    suffixes = _suffixes(number, pieces[index])
    return Blocks(
        ids=as_array(
            [communities.ids[c] + s for c, s in zip(index, suffixes, strict=True)], object
        ),
        names=as_array(
            [communities.names[c] + s for c, s in zip(index, suffixes, strict=True)], object
        ),
        community_index=index,
        people=sizes,
        home_visits=home_visits(sizes, index, communities.homebound),
        households=_share_out(communities.households, sizes, index, people),
        elderly=_share_out(np.minimum(communities.elderly, people), sizes, index, people),
        lat=communities.lat[index],
        lng=communities.lng[index],
    )


def home_visits(people: Ints, community: Ints, homebound: Ints) -> Ints:
    """Return the people of each block to be visited at home.

    Blocks stand in order of block_id within their community; each gives all its people until the
    community's ``homebound`` are found.
    """
    found = _before(people, community)
    visits: Ints = np.clip(homebound[community] - found, 0, people)
    return visits


def _before(people: Ints, community: Ints) -> Ints:
    """Return the people of earlier blocks of the same community; blocks are sorted by community."""
    running = np.cumsum(people) - people
    first = np.searchsorted(community, community, side="left")
    before: Ints = running - running[first] if len(people) else running
    return before


def _share_out(total: Ints, sizes: Ints, community: Ints, people: Ints) -> Ints:
    """Return whole shares of each community's total in proportion to block sizes, -1 unknown."""
    before = _before(sizes, community)
    whole, of = total[community], np.maximum(people[community], 1)
    shares = whole * (before + sizes) // of - whole * before // of
    return np.where(whole < 0, -1, shares)


def _suffixes(number: Ints, pieces: Ints) -> list[str]:
    """Return -001, -002, ...; wider where a community has more than 999, so that text sorts."""
    widths = [max(3, len(str(p))) for p in pieces.tolist()]
    return [f"-{n + 1:0{w}d}" for n, w in zip(number.tolist(), widths, strict=True)]
