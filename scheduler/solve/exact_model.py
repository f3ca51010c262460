"""The exact model of a small round for CP-SAT (DESIGN.md section 3).

Blocks choose cells, cells spread people over slots, batches start tubes in lab hours. Left out is
only that a block may not step over an idle slot: with ``pieces`` = 0 that is not asked, and the
solver's bound holds for the whole problem. With ``pieces`` >= 1 each cell works in so many unbroken
pieces and every block lies in one of them, so that every answer is a plan, but not every plan can
be an answer.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from ortools.sat.python import cp_model

from scheduler.solve.exact_round import SCALE, Batch, SmallRound, Start, whole

BlockKey = tuple[int, int, int]  # block, cell, piece
PlaceKey = tuple[int, int, int]  # cell, piece, slot
StartKey = tuple[Batch, int, int]  # batch, lab, hour


@dataclass
class Answer:
    """Whole numbers of an answer, zeros left out: people of blocks and slots, tubes of starts."""

    served: dict[BlockKey, int] = field(default_factory=dict)
    places: dict[PlaceKey, int] = field(default_factory=dict)
    tubes: dict[StartKey, int] = field(default_factory=dict)
    sent: dict[StartKey, int] = field(default_factory=dict)


class ExactModel:
    """Builds and solves the model."""

    def __init__(self, small: SmallRound, pieces: int) -> None:
        self.small, self.pieces = small, pieces
        self.model = cp_model.CpModel()
        self.cost: list[cp_model.LinearExprT] = []
        self.chosen: dict[BlockKey, cp_model.IntVar] = {}
        self.served: dict[BlockKey, cp_model.IntVar] = {}
        self.places: dict[PlaceKey, cp_model.IntVar] = {}
        self.busy: dict[PlaceKey, cp_model.IntVar] = {}
        self.tubes: dict[StartKey, cp_model.IntVar] = {}
        self.sent: dict[StartKey, cp_model.IntVar] = {}
        self.zone_in: dict[tuple[int, int, int], cp_model.IntVar] = {}  # site, slot, zone
        self._add_blocks()
        self._add_places()
        self._keep_quotas()
        self._part_zones()
        self._add_splits()
        self._add_labs()
        self._keep_capacity()
        self.model.minimize(sum(self.cost))

    # People

    def _add_blocks(self) -> None:
        """Let each block choose one piece of one cell; the people left out are dear."""
        small, model = self.small, self.model
        left = []
        for block in small.blocks:
            size = small.people[block]
            unserved = model.new_int_var(0, min(size, small.most_unserved), "")
            left.append(unserved)
            parts = [self._add_choice(block, cell, piece)
                     for cell, c in enumerate(small.cells) if block in c.walk
                     for piece in range(max(1, self.pieces))]  # fmt: skip
            model.add(sum(p[1] for p in parts) + unserved == size)
            model.add_at_most_one(p[0] for p in parts)
        weight = whole(small.instance.settings.weights.unserved)
        self.cost += [weight * u for u in left]
        model.add(sum(left) <= small.most_unserved)

    def _add_choice(
        self, block: int, cell: int, piece: int
    ) -> tuple[cp_model.IntVar, cp_model.IntVar]:
        """Add whether a block uses a piece of a cell, and its people there."""
        small, key = self.small, (block, cell, piece)
        size = small.people[block]
        chosen = self.chosen[key] = self.model.new_bool_var("")
        served = self.served[key] = self.model.new_int_var(0, size, "")
        self.model.add(served <= size * chosen)
        self.model.add(served >= max(1, size - small.most_unserved) * chosen)
        self.cost.append(small.cells[cell].walk[block] * served)
        return chosen, served

    def _add_places(self) -> None:
        """Add the people of each piece in each slot: together those of its blocks."""
        small = self.small
        of_piece = defaultdict(list)
        for (_, cell, piece), served in self.served.items():
            of_piece[cell, piece].append(served)
        for (cell, piece), served in of_piece.items():
            row = small.cells[cell]
            for slot in range(row.first, row.end):
                place = self.model.new_int_var(0, small.quota[row.site], "")
                self.places[cell, piece, slot] = place
                self.cost.append(small.finish(row.zone, slot) * place)
            slots = [self.places[cell, piece, s] for s in range(row.first, row.end)]
            self.model.add(sum(slots) == sum(served))
            if self.pieces:
                self._keep_unbroken(cell, piece)

    def _keep_unbroken(self, cell: int, piece: int) -> None:
        """Make a piece begin once, and have people in each slot from there to its end."""
        row, model = self.small.cells[cell], self.model
        quota = self.small.quota[row.site]
        begins, before = [], None
        for slot in range(row.first, row.end):
            busy = self.busy[cell, piece, slot] = model.new_bool_var("")
            model.add(self.places[cell, piece, slot] <= quota * busy)
            model.add(self.places[cell, piece, slot] >= busy)
            begin = model.new_bool_var("")
            model.add_bool_or([begin, ~busy] + ([] if before is None else [before]))
            begins.append(begin)
            before = busy
        model.add_at_most_one(begins)

    def _keep_quotas(self) -> None:
        """Hold all pieces of all cells of a site to its quota in each slot."""
        here = defaultdict(list)
        for (cell, _, slot), place in self.places.items():
            here[self.small.cells[cell].site, slot].append(place)
        for (site, _), places in here.items():
            if len(places) > 1:
                self.model.add(sum(places) <= self.small.quota[site])

    # Zones

    def _zone_in(self, site: int, slot: int, zone: int) -> cp_model.IntVar:
        """Return whether a zone uses a site in a slot, and tie it to the people there."""
        key = site, slot, zone
        if key not in self.zone_in:
            used = self.zone_in[key] = self.model.new_bool_var("")
            for cell, row in enumerate(self.small.cells):
                if (row.site, row.zone) == (site, zone) and row.first <= slot < row.end:
                    for piece in range(max(1, self.pieces)):
                        place = self.places[cell, piece, slot]
                        self.model.add(place <= self.small.quota[site] * used)
        return self.zone_in[key]

    def _part_zones(self) -> None:
        """Keep zones out of each other's slots, and clear the ground after the stricter one."""
        zones = defaultdict(set)
        for row in self.small.cells:
            for slot in range(row.first, row.end):
                zones[row.site, slot].add(row.zone)
        settings = self.small.instance.settings
        clearing = -(-settings.sites.clearing_min // settings.round.slot_minutes)
        for (site, slot), here in zones.items():
            if len(here) > 1:
                self.model.add_at_most_one(self._zone_in(site, slot, z) for z in sorted(here))
            for later in range(slot + 1, slot + 1 + clearing):
                for strict in sorted(here):
                    for lax in sorted(zones.get((site, later), ())):
                        if strict < lax:
                            self.model.add_at_most_one(
                                self._zone_in(site, slot, strict), self._zone_in(site, later, lax)
                            )

    def _add_splits(self) -> None:
        """Charge each site that a community uses beyond its first."""
        small = self.small
        used = defaultdict(list)
        for (block, cell, _), chosen in self.chosen.items():
            community = int(small.instance.blocks.community_index[block])
            used[community, small.cells[cell].site].append(chosen)
        sites = defaultdict(list)
        for (community, _), choices in used.items():
            here = self.model.new_bool_var("")
            for chosen in choices:
                self.model.add_implication(chosen, here)
            sites[community].append(here)
        weight = whole(small.instance.settings.weights.split)
        for uses in sites.values():
            if len(uses) > 1:
                extra = self.model.new_int_var(0, len(uses) - 1, "")
                self.model.add(extra >= sum(uses) - 1)
                self.cost.append(weight * extra)

    # Labs

    def _add_labs(self) -> None:
        """Let each batch start tubes that hold all its people."""
        for batch, starts in self.small.starts.items():
            places = [
                self.places[cell, piece, slot]
                for cell, slot in self.small.batches[batch]
                for piece in range(max(1, self.pieces))
            ]
            most = min(
                self.small.quota[batch[0]] * self.small.per_wave, sum(self.small.people.values())
            )
            people = self._add_starts(batch, starts, most)
            self.model.add(sum(places) == sum(people))
            self._keep_fresh(batch, starts)

    def _add_starts(self, batch: Batch, starts: list[Start], most: int) -> list[cp_model.IntVar]:
        """Add the tubes of each start; people are counted by lateness, so that none is free to swap."""
        pool, people = self.small.pool[batch[2]], []
        alike = defaultdict(list)
        for start in starts:
            capacity = int(self.small.market.hours.capacity[start.lab, start.hour])
            tubes = self.model.new_int_var(0, min(capacity, -(-most // pool)), "")
            self.tubes[batch, start.lab, start.hour] = tubes
            alike[start.late].append((start, tubes))
        for late, some in alike.items():
            sent = self.model.new_int_var(0, most, "")
            self.model.add(sent <= pool * sum(tubes for _, tubes in some))
            self.sent[batch, some[0][0].lab, some[0][0].hour] = sent
            self.cost.append(late * sent)
            people.append(sent)
        return people

    def _keep_fresh(self, batch: Batch, starts: list[Start]) -> None:
        """Send no tube to a lab for which the batch's first slots are too old."""
        site, _, zone = batch
        labs = {start.lab: start.oldest_slot for start in starts}
        for lab, oldest in labs.items():
            stale = [slot for _, slot in self.small.batches[batch] if slot < oldest]
            if not stale:
                continue
            uses = self.model.new_bool_var("")
            for start in starts:
                if start.lab == lab:
                    tubes = self.tubes[batch, lab, start.hour]
                    most = int(self.small.market.hours.capacity[lab, start.hour])
                    self.model.add(tubes <= most * uses)
            for slot in stale:
                self.model.add_implication(uses, ~self._zone_in(site, slot, zone))

    def _keep_capacity(self) -> None:
        """Hold lab hours and lab days to what they can start."""
        hours, limits = self.small.market.hours, self.small.instance.labs.max_tubes_per_day
        by_hour, by_day = defaultdict(list), defaultdict(list)
        for (_, lab, hour), tubes in self.tubes.items():
            by_hour[lab, hour].append(tubes)
            by_day[lab, int(hours.day[hour])].append(tubes)
        for (lab, hour), tubes_here in by_hour.items():
            self.model.add(sum(tubes_here) <= int(hours.capacity[lab, hour]))
        for (lab, _), tubes_here in by_day.items():
            if limits[lab] >= 0:
                self.model.add(sum(tubes_here) <= int(limits[lab]))

    # Solving

    def start_from(self, answer: Answer) -> None:
        """Begin the search at an answer."""
        for mine, values in self._columns(answer):
            for key, variable in mine.items():
                self.model.add_hint(variable, values.get(key, 0))
        for key, variable in self.chosen.items():
            self.model.add_hint(variable, key in answer.served)

    def _columns(
        self, answer: Answer
    ) -> Iterable[tuple[dict, dict]]:  # type: ignore[type-arg]  # keys differ by column
        yield self.served, answer.served
        yield self.places, answer.places
        yield self.tubes, answer.tubes

    def solve(self, seed: int, effort: float) -> tuple[Answer | None, float]:
        """Return the best answer within the effort, and a bound in person-minutes."""
        solver = cp_model.CpSolver()
        solver.parameters.num_workers = 1
        solver.parameters.random_seed = seed
        solver.parameters.max_deterministic_time = effort
        status = solver.solve(self.model)
        self.solver, self.status = solver, status
        if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
            return None, 0.0
        answer = Answer()
        for mine, values in self._columns(answer):
            for key, variable in mine.items():
                if value := solver.value(variable):
                    values[key] = value
        return answer, solver.best_objective_bound / SCALE
