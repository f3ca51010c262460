"""The labs of the exact model: whole tubes in lab hours, and the people whose results are late."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from ortools.sat.python import cp_model

from scheduler.solve.exact_round import Answer, Batch, SmallRound, Start, StartKey

LateKey = tuple[Batch, int]  # batch, late cost per person


class LabPart:
    """Variables of the labs: ``tubes`` of each start, ``sent`` people of each lateness.

    A batch fills its tubes in order of lateness, so only the people of each lateness are counted;
    lateness is the same in all hours that keep the promise.
    """

    def __init__(self, small: SmallRound, model: cp_model.CpModel) -> None:
        self.small, self.model = small, model
        self.tubes: dict[StartKey, cp_model.IntVar] = {}
        self.sent: dict[LateKey, cp_model.IntVar] = {}
        self.cost: list[cp_model.LinearExprT] = []

    def add_batch(self, batch: Batch, places: list[cp_model.IntVar]) -> None:
        """Let a batch start tubes that hold all people of its places."""
        small, pool = self.small, self.small.pool[batch[2]]
        most = min(small.quota[batch[0]] * small.per_wave, sum(small.people.values()))
        alike: dict[int, list[cp_model.IntVar]] = defaultdict(list)
        for start in small.starts[batch]:
            tubes = self.model.new_int_var(0, min(self._capacity(start), -(-most // pool)), "")
            self.tubes[batch, start.lab, start.hour] = tubes
            alike[start.late].append(tubes)
        people = []
        for late, tubes_alike in alike.items():
            sent = self.sent[batch, late] = self.model.new_int_var(0, most, "")
            self.model.add(sent <= pool * sum(tubes_alike))
            self.cost.append(late * sent)
            people.append(sent)
        self.model.add(sum(places) == sum(people))

    def keep_away(self, batch: Batch, lab: int, stale: list[cp_model.IntVar]) -> None:
        """Send no tubes of a batch to a lab for which a slot in use is too old."""
        uses = self.model.new_bool_var("")
        for start in self.small.starts[batch]:
            if start.lab == lab:
                tubes = self.tubes[batch, lab, start.hour]
                self.model.add(tubes <= self._capacity(start) * uses)
        for used in stale:
            self.model.add_at_most_one(uses, used)

    def keep_capacity(self) -> None:
        """Hold lab hours and lab days to what they can start."""
        hours, limits = self.small.market.hours, self.small.instance.labs.max_tubes_per_day
        by_hour, by_day = defaultdict(list), defaultdict(list)
        for (_, lab, hour), tubes in self.tubes.items():
            by_hour[lab, hour].append(tubes)
            by_day[lab, int(hours.day[hour])].append(tubes)
        for (lab, hour), started in by_hour.items():
            self.model.add(sum(started) <= int(hours.capacity[lab, hour]))
        for (lab, _), started in by_day.items():
            if limits[lab] >= 0:
                self.model.add(sum(started) <= int(limits[lab]))

    def _capacity(self, start: Start) -> int:
        return int(self.small.market.hours.capacity[start.lab, start.hour])

    def people_in(
        self, answer: Answer
    ) -> tuple[Mapping[LateKey, cp_model.IntVar], dict[LateKey, int]]:
        """Return the variables of late people, and their values in an answer."""
        left: dict[Batch, int] = defaultdict(int)
        for (cell, _, slot), people in answer.places.items():
            row = self.small.cells[cell]
            left[row.site, slot // self.small.per_wave, row.zone] += people
        values: dict[LateKey, int] = defaultdict(int)
        for batch, starts in self.small.starts.items():
            for start in sorted(starts, key=lambda s: s.late):
                tubes = answer.tubes.get((batch, start.lab, start.hour), 0)
                people = min(left[batch], tubes * self.small.pool[batch[2]])
                values[batch, start.late] += people
                left[batch] -= people
        return self.sent, values
