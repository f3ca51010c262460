"""Who must leave their place because laboratories cannot take all tubes within the promise."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from scheduler.domain.city import Ints
from scheduler.domain.instance import Instance
from scheduler.solve.repair.post import Groups, Mail
from scheduler.solve.repair.rows import Sent


@dataclass(frozen=True)
class Shortage:
    """Tubes that no lab can take in time, and the people in each that could go, fewest first.

    By the cut so many tubes must leave its groups, or be late. Those that will be filled before the
    freeze ends cannot leave; of the others the emptiest would go first.
    """

    tubes: int = 0
    people_by_tube: Ints = field(default_factory=lambda: np.zeros(0, dtype=np.int64))

    @staticmethod
    def of(groups: Groups, mail: Mail, pools: Ints, free_wave: float) -> Shortage:
        """Return the shortage of what is called; waves that end after ``free_wave`` may go."""
        rows = mail.tight & (groups.wave + 1 > free_wave)
        size = pools[groups.zone[rows]]
        last = groups.people[rows] - (groups.tubes[rows] - 1) * size
        tubes = np.concatenate((last, np.repeat(size, groups.tubes[rows] - 1)))
        return Shortage(int(mail.over.sum()), np.sort(tubes))

    def people(self, late_tubes: int) -> int:
        """Return the fewest people who leave in any plan with so many tubes late."""
        return int(self.people_by_tube[: max(0, self.tubes - late_tubes)].sum())


def late_tubes(instance: Instance, sent: Sent) -> int:
    """Return the tubes whose result comes after the promise."""
    begin = sent.wave * instance.settings.round.wave_minutes
    due = begin + instance.settings.targets.result_hours * 60
    late = sent.start + instance.labs.processing_min[sent.lab] > due
    return int(sent.tubes[late].sum())
