"""From checked tables to the columns of an ``Instance``."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from scheduler.domain.city import FIXED, Communities, Flags, Floats, Ints, Labs, Sites
from scheduler.domain.instance import Instance
from scheduler.domain.settings import Settings, Zone
from scheduler.ingest.blocks import cut_blocks, listed_blocks
from scheduler.ingest.columns import BLOCKS, COMMUNITIES, LABS, SITES, TRAVEL, Table
from scheduler.ingest.datum import to_wgs84
from scheduler.ingest.tables import Parsed


def _none() -> Ints:
    return np.empty(0, dtype=np.int64)


@dataclass
class References:
    """Rows that references point to: community ids, and those of blocks and travel times."""

    communities: dict[str, int]
    block: Ints = field(default_factory=_none)
    site: Ints = field(default_factory=_none)
    lab: Ints = field(default_factory=_none)


def build_instance(
    tables: dict[Table, Parsed], references: References, settings: Settings, inputs_sha256: str
) -> Instance:
    """Return the instance of tables without errors."""
    datum = settings.round.coordinates
    communities = _communities(tables[COMMUNITIES], datum)
    listed = tables.get(BLOCKS)
    if listed is None:
        blocks = cut_blocks(communities, settings.blocks.max_people)
    else:
        blocks = listed_blocks(listed, references.block, communities, _points(listed, datum))
    sites = _sites(tables[SITES], references.communities, settings)
    labs = _labs(tables[LABS], datum)
    return Instance(
        settings=settings,
        communities=communities,
        blocks=blocks,
        sites=sites,
        labs=labs,
        travel_min=_travel(tables.get(TRAVEL), references, (len(sites), len(labs))),
        inputs_sha256=inputs_sha256,
        has_blocks_file=listed is not None,
    )


def _communities(table: Parsed, datum: str) -> Communities:
    column = table.values
    lat, lng = _points(table, datum)
    return Communities(
        ids=column["community_id"],
        names=column["name"],
        districts=column["district"],
        streets=column["street"],
        zone=column["zone"],
        population=column["population"],
        lat=lat,
        lng=lng,
        households=column["households"],
        elderly=column["elderly"],
        homebound=column["homebound"],
        participation=column["participation"],
    )


def _sites(table: Parsed, communities: dict[str, int], settings: Settings) -> Sites:
    column = table.values
    lat, lng = _points(table, settings.round.coordinates)
    own = column["people_per_lane_hour"]
    return Sites(
        ids=column["site_id"],
        names=column["name"],
        districts=column["district"],
        addresses=column["address"],
        lat=lat,
        lng=lng,
        lanes=column["lanes"],
        queue_length_m=column["queue_length_m"],
        people_per_lane_hour=np.where(np.isnan(own), settings.sites.people_per_lane_hour, own),
        hours=tuple(column["hours"]),
        accepts=_accepts(table),
        kinds=column["kind"],
        community_indices=tuple(
            tuple(sorted(communities[c] for c in ids)) for ids in column["community_ids"]
        ),
    )


def _accepts(table: Parsed) -> Flags:
    accepts = np.zeros((len(table), len(Zone)), dtype=bool)
    given = table.values["zones"]
    for row, kind in enumerate(table.values["kind"]):
        if given[row]:
            accepts[row, list(given[row])] = True
        else:
            accepts[row] = True
            accepts[row, Zone.LOCKDOWN] = kind != FIXED
    return accepts


def _labs(table: Parsed, datum: str) -> Labs:
    column = table.values
    lat, lng = _points(table, datum)
    return Labs(
        ids=column["lab_id"],
        names=column["name"],
        lat=lat,
        lng=lng,
        tubes_per_hour=column["tubes_per_hour"],
        processing_min=column["processing_min"],
        hours=tuple(column["hours"]),
        max_tubes_per_day=column["max_tubes_per_day"],
        batch_tubes=column["batch_tubes"],
        pool_sizes=tuple(column["pool_sizes"]),
    )


def _points(table: Parsed, datum: str) -> tuple[Floats, Floats]:
    return to_wgs84(table.values["lat"], table.values["lng"], datum)


def _travel(table: Parsed | None, references: References, shape: tuple[int, int]) -> Ints:
    """Return ``travel_min[site, lab]``, -1 where the file has no row."""
    minutes = np.full(shape, -1, dtype=np.int64)
    if table is not None:
        minutes[references.site, references.lab] = table.values["minutes"]
    return minutes
