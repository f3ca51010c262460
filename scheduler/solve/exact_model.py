"""The exact model of a small round for CP-SAT (DESIGN.md section 3).

Blocks choose cells, cells spread people over slots, batches start tubes in lab hours. Left out is
only that a block may not step over an idle slot: with ``pieces`` = 0 that is not asked, and the
solver's bound holds for the whole problem. With ``pieces`` >= 1 each cell works in so many unbroken
pieces and every block lies in one of them, so that every answer is a plan, but not every plan can
be an answer.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from ortools.sat.python import cp_model

from scheduler.solve.exact_labs import LabPart
from scheduler.solve.exact_mip import solve_mip
from scheduler.solve.exact_round import (
    SCALE,
    Answer,
    BlockKey,
    PlaceKey,
    SmallRound,
    whole,
)


@dataclass(frozen=True)
class Found:
    """The best answer of a search, a bound in person-minutes, and whether no answer is better."""

    answer: Answer | None
    bound: float
    proven: bool


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
        self.zone_in: dict[tuple[int, int, int], cp_model.IntVar] = {}  # site, slot, zone
        self._add_blocks()
        self._add_places()
        self._keep_quotas()
        self._part_zones()
        self._add_splits()
        self.labs = self._add_labs()
        self.model.minimize(sum(self.cost + self.labs.cost))

    # People

    def _add_blocks(self) -> None:
        """Let each block choose one piece of one cell; the people left out are dear."""
        small, model = self.small, self.model
        left = []
        for block in small.blocks:
            size = small.people[block]
            unserved = model.new_int_var(0, min(size, small.most_unserved), "")
            left.append(unserved)
            choices = [self._add_choice(block, cell, piece)
                     for cell, c in enumerate(small.cells) if block in c.walk
                     for piece in range(max(1, self.pieces))]  # fmt: skip
            model.add(sum(c[1] for c in choices) + unserved == size)
            model.add_at_most_one(c[0] for c in choices)
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
        for (cell, piece), inside in of_piece.items():
            row = small.cells[cell]
            for slot in range(row.first, row.end):
                place = self.model.new_int_var(0, small.places[row.site][slot], "")
                self.places[cell, piece, slot] = place
                self.cost.append(small.finish(row.zone, slot) * place)
            slots = [self.places[cell, piece, s] for s in range(row.first, row.end)]
            self.model.add(sum(slots) == sum(inside))
            if self.pieces:
                self._keep_unbroken(cell, piece)

    def _keep_unbroken(self, cell: int, piece: int) -> None:
        """Make a piece begin once, and have people in each slot from there to its end."""
        row, model = self.small.cells[cell], self.model
        quota = self.small.places[row.site]
        begins, before = [], None
        for slot in range(row.first, row.end):
            busy = self.busy[cell, piece, slot] = model.new_bool_var("")
            model.add(self.places[cell, piece, slot] <= quota[slot] * busy)
            model.add(self.places[cell, piece, slot] >= busy)
            begin = model.new_bool_var("")
            model.add_bool_or([begin, ~busy] + ([] if before is None else [before]))
            begins.append(begin)
            before = busy
        model.add_at_most_one(begins)

    def _keep_quotas(self) -> None:
        """Hold all pieces of all cells of a site, and of the city, to their most in each slot."""
        here, city = defaultdict(list), defaultdict(list)
        for (cell, _, slot), place in self.places.items():
            here[self.small.cells[cell].site, slot].append(place)
            city[slot].append(place)
        for (site, slot), places in here.items():
            if len(places) > 1:
                self.model.add(sum(places) <= self.small.places[site][slot])
        most = self.small.instance.settings.slots.city_people
        everybody = sum(self.small.people.values())
        for places in city.values() if 0 < most < everybody else ():
            self.model.add(sum(places) <= most)

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
                        self.model.add(place <= self.small.places[site][slot] * used)
        return self.zone_in[key]

    def _part_zones(self) -> None:
        """Keep zones out of each other's slots, and clear the ground after the stricter one."""
        zones = defaultdict(set)
        for row in self.small.cells:
            for slot in range(row.first, row.end):
                zones[row.site, slot].add(row.zone)
        clearing = self.small.instance.settings.clearing_slots
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

    def _add_labs(self) -> LabPart:
        """Let each batch send its people to labs, and keep its samples fresh."""
        labs = LabPart(self.small, self.model)
        for batch, slots in self.small.batches.items():
            places = [
                self.places[cell, piece, slot]
                for cell, slot in slots
                for piece in range(max(1, self.pieces))
            ]
            labs.add_batch(batch, places)
            for lab, oldest in sorted({(s.lab, s.oldest_slot) for s in self.small.starts[batch]}):
                stale = sorted({slot for _, slot in slots if slot < oldest})
                if stale:
                    used = [self._zone_in(batch[0], slot, batch[2]) for slot in stale]
                    labs.keep_away(batch, lab, used)
        labs.keep_capacity()
        return labs

    # Solving

    def start_from(self, answer: Answer) -> None:
        """Begin the search at an answer."""
        for mine, amounts in (*self._columns(answer), self.labs.people_in(answer)):
            for key, variable in mine.items():
                self.model.add_hint(variable, amounts.get(key, 0))
        for (block, cell, piece), variable in self.chosen.items():
            self.model.add_hint(variable, (block, cell, piece) in answer.served)
        for place, variable in self.busy.items():
            self.model.add_hint(variable, place in answer.places)
        used = {
            (self.small.cells[c].site, t, self.small.cells[c].zone) for c, _, t in answer.places
        }
        for zone_slot, variable in self.zone_in.items():
            self.model.add_hint(variable, zone_slot in used)

    def keep_cells(self, answer: Answer) -> None:
        """Let blocks use no cells but those of an answer."""
        kept = {(block, cell) for block, cell, _ in answer.served}
        for (block, cell, _), chosen in self.chosen.items():
            if (block, cell) not in kept:
                self.model.add(chosen == 0)

    def _columns(self, answer: Answer) -> Iterable[tuple[dict, dict]]:  # type: ignore[type-arg]  # keys differ by column
        yield self.served, answer.served
        yield self.places, answer.places
        yield self.labs.tubes, answer.tubes

    def solve(self, seed: int, effort: float) -> Found:
        """Search with CP-SAT within the effort."""
        solver = cp_model.CpSolver()
        solver.parameters.num_workers = 1
        solver.parameters.linearization_level = 2
        solver.parameters.random_seed = seed
        solver.parameters.max_deterministic_time = effort
        status = solver.solve(self.model)
        if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
            return Found(None, 0.0, proven=False)
        answer = self._read(solver.value)
        bound = solver.best_objective_bound / SCALE
        return Found(answer, bound, proven=status == cp_model.OPTIMAL)

    def solve_as_mip(self, nodes: int) -> Found:
        """Search with HiGHS within a number of nodes."""
        values, bound = solve_mip(self.model, nodes)
        if values is None:
            return Found(None, bound, proven=False)
        return Found(self._read(lambda v: int(values[v.index])), bound, proven=False)

    def _read(self, value: Callable[[cp_model.IntVar], int]) -> Answer:
        answer = Answer()
        for mine, amounts in self._columns(answer):
            for key, variable in mine.items():
                if amount := value(variable):
                    amounts[key] = amount
        return answer
