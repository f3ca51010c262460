"""Notes on an instance that can be planned, but hardly as meant."""

from __future__ import annotations

import numpy as np

from scheduler.domain.city import FIXED
from scheduler.domain.instance import Instance
from scheduler.domain.lab_arithmetic import lab_round_tubes
from scheduler.domain.opening import open_slots
from scheduler.domain.settings import Zone
from scheduler.ingest.columns import COMMUNITIES, LABS, SITES, Table
from scheduler.ingest.tables import Parsed


def note_oddities(instance: Instance, tables: dict[Table, Parsed]) -> None:
    """Note sealed communities without a team, and sites and labs without use in the round."""
    _note_teams(instance, tables[COMMUNITIES])
    _note_closed_sites(instance, tables[SITES])
    _note_idle_labs(instance, tables[LABS])
    _note_pool_sizes(instance, tables[LABS])


def _note_teams(instance: Instance, table: Parsed) -> None:
    sites, communities = instance.sites, instance.communities
    served = {
        community
        for site, named in enumerate(sites.community_indices)
        for community in named
        if sites.kinds[site] != FIXED and sites.accepts[site, communities.zone[community]]
    }
    demand = np.bincount(
        instance.blocks.community_index, instance.demand, minlength=len(communities)
    )
    for row in np.flatnonzero((communities.zone == Zone.LOCKDOWN) & (demand > 0)):
        if int(row) not in served:
            words = "no mobile or dedicated site names this lockdown community"
            table.report("C501", int(row), "community_id", words, communities.ids[row])


def _note_closed_sites(instance: Instance, table: Parsed) -> None:
    for row in np.flatnonzero(open_slots(instance) == 0):
        words = "no whole slot lies inside an opening window during the round"
        table.report("C502", int(row), "hours", words)


def _note_idle_labs(instance: Instance, table: Parsed) -> None:
    for row in np.flatnonzero(lab_round_tubes(instance) == 0):
        words = "the lab can start no tube in time for the promise"
        table.report("C503", int(row), "hours", words)


def _note_pool_sizes(instance: Instance, table: Parsed) -> None:
    taken = instance.labs.pool_sizes
    if not all(taken):
        return
    offered = {size for sizes in taken for size in sizes}
    pools = instance.settings.pooling.by_zone()
    zones = {int(z) for z in instance.block_zone[instance.demand > 0]}
    for zone in sorted(zones):
        if pools[zone] not in offered:
            words = f"no lab takes {pools[zone]} people per tube, as {Zone(zone).word} zones use"
            table.log.add("C504", words, column="pool_sizes")
