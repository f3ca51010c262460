"""Block x site x slot in CP-SAT: each block gets a site and a wave to start in.

A site works through its blocks in the order of their waves without a gap, so that what does not
fit into a wave runs over into the next: who is called when follows exactly, slot by slot, from the
starts. Tubes are whole and go to lab hours from classes of sites from which every lab lies in the
same hours. Each block may choose among its nearest sites. The zones with fewer people keep what
the greedy gave them. The search starts from the greedy's plan, as a careful user would have it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from ortools.sat.python import cp_model

from scheduler.domain.city import Flags
from tests.benchmarks.peers import greedy
from tests.benchmarks.peers.answer import Answer
from tests.benchmarks.peers.cpsat_labs import SCALE, Draft, LabPart, Var, total, weighted
from tests.benchmarks.peers.ground import Ground
from tests.benchmarks.peers.queue_of_site import Piece, calls_of, people_of, pieces_of

NEAREST_SITES = 8
WORKERS = 2


@dataclass(frozen=True)
class Searched:
    """How the search ended; ``bound`` holds within the model's own restrictions only."""

    status: str
    answer: Answer | None
    bound: float | None
    num_variables: int


def solve(ground: Ground, seconds: float, seed: int) -> Searched:
    """Return the best answer found within the time limit of the search."""
    return Model(ground, greedy.solve(ground)).solve(seconds, seed)


class Model:
    """Builds and solves the model of the zone with most people."""

    def __init__(self, ground: Ground, start: Answer) -> None:
        self.ground, self.draft = ground, Draft()
        self.model = self.draft.model
        instance = ground.instance
        people = np.bincount(instance.block_zone, instance.demand, minlength=4)
        self.zone = int(np.argmax(people))
        self.pool = ground.pool[self.zone]
        self.fixed = start.of_zones(instance, set(range(4)) - {self.zone})
        self.begun = start.of_zones(instance, {self.zone})
        self.pieces = pieces_of(ground, self._free())
        self.chosen: dict[tuple[int, int], Var] = {}  # block, piece
        self.begins: dict[int, int] = {}  # block -> piece, in the greedy's plan
        self.swabbed: list[tuple[Var, int]] = []  # people of each piece, and in the greedy's plan
        self._add_blocks()
        self._add_queues()
        self._add_splits()
        self.labs = LabPart(ground, self.draft, self.zone, (self.begun, self.fixed))
        self.labs.add(self.pieces, self.swabbed)
        self.draft.minimise()

    def solve(self, seconds: float, seed: int) -> Searched:
        """Search until the time limit."""
        solver = cp_model.CpSolver()
        solver.parameters.max_time_in_seconds = seconds
        solver.parameters.num_workers = WORKERS
        solver.parameters.random_seed = seed
        solver.parameters.cp_model_probing_level = 0  # else the presolve takes all the time
        solver.parameters.max_presolve_iterations = 1
        status = solver.solve(self.model)
        found = status in (cp_model.OPTIMAL, cp_model.FEASIBLE)
        return Searched(
            solver.status_name(status),
            self._answer(solver) if found else None,
            solver.best_objective_bound / SCALE if found else None,
            len(self.model.proto.variables),
        )

    def _free(self) -> Flags:
        """Return the slots that the fixed zones leave to this one."""
        settings, zone = self.ground.instance.settings, self.ground.instance.block_zone
        clearing = -(-settings.sites.clearing_min // settings.round.slot_minutes)
        free = self.ground.offered.copy()
        for block, site, slot, _ in self.fixed.calls:
            before, after = (0, clearing) if zone[block] < self.zone else (clearing, 0)
            free[site, max(0, slot - before) : slot + after + 1] = False
        return free

    # People

    def _add_blocks(self) -> None:
        """Let each block start in one piece of a near site, or in none."""
        instance = self.ground.instance
        by_site = defaultdict(list)
        for number, piece in enumerate(self.pieces):
            by_site[piece.site].append(number)
        begun: dict[int, tuple[int, int]] = {}
        for block, site, slot, _ in sorted(self.begun.calls, key=lambda call: -call[2]):
            begun[block] = site, slot
        here = (instance.block_zone == self.zone) & (instance.demand > 0)
        for block in np.flatnonzero(here).tolist():
            people = int(instance.demand[block])
            known = begun.get(block, (-1, -1))
            out = self.draft.flag(block not in begun)
            self.draft.price(out, instance.settings.weights.unserved * people)
            choices = [out]
            for site, cost in self._sites_of(block, known[0]):
                for number in by_site[site]:
                    piece = self.pieces[number]
                    if people <= piece.left:
                        started = site == known[0] and piece.first <= known[1] < piece.end
                        chosen = self.chosen[block, number] = self.draft.flag(started)
                        choices.append(chosen)
                        self.draft.price(chosen, cost * people)
                        if started:
                            self.begins[block] = number
            self.model.add_exactly_one(choices)

    def _sites_of(self, block: int, known: int) -> Iterator[tuple[int, float]]:
        """Yield a block's nearest sites and that of the greedy, and the walk's cost per person."""
        pairs, settings = self.ground.pairs, self.ground.instance.settings
        first, end = np.searchsorted(pairs.block, (block, block + 1)).tolist()
        for at in range(first, end):
            site = int(pairs.site[at])
            if at - first < NEAREST_SITES or site == known:
                walk_min = float(pairs.walk_m[at]) / settings.walk.metres_per_min
                yield site, walk_min * settings.weights.walk

    def _add_queues(self) -> None:
        """Swab what starts in a piece and what runs over into it, up to the room there is."""
        model, demand = self.model, self.ground.instance.demand
        starts: dict[int, list[tuple[Var, int]]] = defaultdict(list)
        begun: dict[int, int] = defaultdict(int)
        for (block, number), chosen in self.chosen.items():
            starts[number].append((chosen, int(demand[block])))
        for block, number in self.begins.items():
            begun[number] += int(demand[block])
        over: list[tuple[Var, int]] = []
        waiting = 0
        for number, piece in enumerate(self.pieces):
            waiting += begun[number]
            swabbed = min(waiting, piece.room)
            now = self.draft.count(piece.room, swabbed)
            self.swabbed.append((now, swabbed))
            self._spread(now, piece, swabbed)
            come = weighted(starts[number] + over)
            if piece.is_last:
                model.add(come == now)
                over, waiting = [], 0
                continue
            waiting -= swabbed
            after = self.draft.count(piece.left - piece.room, waiting)
            full = self.draft.flag(waiting > 0)
            model.add(come == now + after)
            model.add(now == piece.room).only_enforce_if(full)
            model.add(after == 0).only_enforce_if(~full)
            over = [(after, 1)]

    def _spread(self, now: Var, piece: Piece, hint: int) -> None:
        """Spread the people of a piece over its slots; early ones are cheap."""
        settings = self.ground.instance.settings
        weight = settings.weights.finish.by_zone()[self.zone] * settings.round.slot_minutes
        slots = []
        for slot in range(piece.first, piece.end):
            places = self.draft.count(piece.quota, hint)
            hint -= min(hint, piece.quota)
            self.draft.price(places, weight * slot)
            slots.append(places)
        self.model.add(total(slots) == now)

    def _add_splits(self) -> None:
        """Charge each site that a community uses beyond its first."""
        instance = self.ground.instance
        uses = defaultdict(list)
        for (block, number), chosen in self.chosen.items():
            uses[block, self.pieces[number].site].append(chosen)
        community = instance.blocks.community_index
        begun = {(int(community[b]), self.pieces[n].site) for b, n in self.begins.items()}
        sites: dict[int, dict[int, Var]] = defaultdict(dict)
        for (block, site), choices in uses.items():
            here = sites[int(community[block])]
            if site not in here:
                here[site] = self.draft.flag((int(community[block]), site) in begun)
            self.model.add(total(choices) <= here[site])
        for key, used in sites.items():
            known = sum((key, site) in begun for site in used)
            extra = self.draft.count(len(used), max(0, known - 1))
            self.model.add(extra >= total(list(used.values())) - 1)
            self.draft.price(extra, instance.settings.weights.split)

    # Back again

    def _answer(self, solver: cp_model.CpSolver) -> Answer:
        starts = defaultdict(list)
        for (block, number), chosen in self.chosen.items():
            if solver.boolean_value(chosen):
                starts[number].append(block)
        calls = calls_of(self.ground, self.pieces, starts)
        tubes = self.labs.tubes_of(solver, people_of(self.ground, calls))
        return self.fixed + Answer(calls, tubes)
