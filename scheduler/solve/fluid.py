"""A round as a fluid: people and tubes flow from districts through waves to laboratory hours.

Everything that makes plans dearer is left out: whole blocks and tubes, walking (people may use any
site of a district that some of them can reach), streams of other zones at the same lanes. So what
the fluid cannot do, no plan can: its shortfall is a proof. Sites of a district that lie together
form a *group*, which is as near to a laboratory as its nearest site.

Units: one tube is ``per_tube`` units, the least common multiple of all pool sizes, so that people
of different pools share a laboratory in whole numbers.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scheduler.solve.fluid_net import Late, Net, Terrain


@dataclass(frozen=True)
class Short:
    """What cannot be done in time: tubes, and the fewest people that they can hold."""

    tubes: float
    people: int
    total_tubes: float

    @property
    def kept(self) -> bool:
        """Whether everybody is swabbed and every tube started in time."""
        return self.people == 0


class Fluid(Terrain):
    """The network of one round; ``quota[site]`` is people per slot."""

    def short(self, more: tuple[int, int] | None = None) -> Short:
        """Return what cannot be started in time, by one maximum flow.

        ``more`` are a laboratory and the tubes an hour that it is given beyond its own.
        """
        net = Net(self, more)
        net.add_people()
        in_time = net.add_roads(self.roads["arrive"] <= self.roads["needed"])
        net.add_in_time(in_time)
        net.add_hours()
        sent = net.max_flow()
        total = sum(d.people * (self.per_tube // d.pool) for d in self.demand)
        units = total - sent
        return Short(units / self.per_tube, self._least_people(units), total / self.per_tube)

    def _least_people(self, units: int) -> int:
        """Return how few people can hold these units: those with tubes of their own first."""
        people = 0
        for pool in sorted({d.pool for d in self.demand}):
            each = self.per_tube // pool
            there = sum(d.people for d in self.demand if d.pool == pool)
            some = min(there, -(-units // each))
            people, units = people + some, max(0, units - some * each)
        return people

    def late(self) -> Late:
        """Return where and when tubes come late when as little as possible does."""
        net = Net(self)
        net.add_people()
        everywhere = net.add_roads(np.ones(len(self.roads["lab"]), dtype=bool))
        net.add_in_time(everywhere)
        net.add_late(everywhere)
        net.add_hours()
        return net.late_flow()


__all__ = ["Fluid", "Late", "Short"]
