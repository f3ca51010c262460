"""What a re-plan must have kept: calls before the freeze, tubes on their way; and what it moved."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from scheduler.domain.city import FIXED, Flags, Ints
from scheduler.domain.instance import Instance
from scheduler.domain.plan import Plan
from scheduler.domain.settings import ZONE_WORDS
from scheduler.domain.standing import Standing
from scheduler.domain.verify.breach import ASSIGNMENTS, CONSIGNMENTS, DONE, SUMMARY, BreachLog
from scheduler.domain.verify.effective import Effective
from scheduler.domain.verify.timeaxis import TimeAxis

KEYS = ["block", "site", "start"]


@dataclass(frozen=True)
class Since:
    """A standing plan in numbers, by the indices of the effective instance.

    ``base`` and ``cut`` have the columns block, site, start and people (``base`` zone too),
    ``sent`` site, lab, zone, pickup, start and tubes. ``cut`` counts people who did not come.
    """

    world: Effective
    now: int
    frozen: int
    base: pd.DataFrame
    cut: pd.DataFrame
    base_cut: pd.DataFrame
    sent: pd.DataFrame
    published: dict[str, pd.DataFrame]

    @staticmethod
    def of(standing: Standing) -> Since:
        """Read the tables that a re-plan stands on."""
        world = Effective(standing.files, standing.events, standing.now_min)
        read = _Reader(world.instance, world.axis)
        base = read.calls(standing.base)
        return Since(
            world,
            standing.now_min,
            standing.frozen_min,
            base,
            read.cut(standing.done),
            read.cut(standing.base_done),
            read.sent(standing.base),
            {
                district: base if plan is standing.base else read.calls(plan)
                for district, plan in standing.published.items()
            },
        )

    def zones(self, block: Ints, site: Ints, start: Ints) -> Ints:
        """Return the zone under which each row is called: before the freeze that of the base."""
        own = self.world.instance.block_zone[block]
        rows = pd.DataFrame({"block": block, "site": site, "start": start})
        known = pd.concat([self.base, self.base_cut])[[*KEYS, "zone"]].drop_duplicates(KEYS)
        found = rows.merge(known, how="left", on=KEYS)["zone"].to_numpy(dtype=np.float64)
        early = (start < self.frozen) & ~np.isnan(found)
        zones: Ints = np.where(early, np.nan_to_num(found), own).astype(np.int64)
        return zones

    def settled(self) -> pd.Series[Any]:
        """Return the people that each call before the freeze must have: block, site, start."""
        early = self.base[self.base["start"] < self.frozen]
        parts = [
            early.set_index(KEYS)["people"],
            self.base_cut.set_index(KEYS)["people"],
            -self.cut.set_index(KEYS)["people"],
        ]
        people: pd.Series[Any] = pd.concat(parts).groupby(level=KEYS).sum()
        return people

    def is_kept(self, block: Ints, site: Ints, start: Ints) -> Flags:
        """Return which calls the base has too."""
        known = pd.MultiIndex.from_frame(self.base[KEYS])
        kept: Flags = pd.MultiIndex.from_arrays([block, site, start]).isin(known)
        return kept

    def was_sent(self, columns: Mapping[str, Ints]) -> Ints:
        """Return the tubes of the same consignment of the base, 0 where it has none."""
        keys = ["site", "lab", "zone", "pickup", "start"]
        rows = pd.DataFrame({key: columns[key] for key in keys})
        own = self.sent.groupby(keys, as_index=False)["tubes"].sum()
        tubes = rows.merge(own, how="left", on=keys)["tubes"].fillna(0)
        return tubes.to_numpy(dtype=np.int64)


class _Reader:
    """Reads tables by the indices of an instance; ids it does not have are left out."""

    def __init__(self, instance: Instance, axis: TimeAxis) -> None:
        self.instance, self.axis = instance, axis

    def calls(self, plan: Plan) -> pd.DataFrame:
        frame = plan.assignments
        return self._known(
            block=self._at(frame["block_id"], self.instance.blocks.ids),
            site=self._at(frame["site_id"], self.instance.sites.ids),
            start=self._minutes(frame["start"]),
            people=frame["people"].to_numpy(dtype=np.int64),
            zone=self._at(frame["zone"], np.array(ZONE_WORDS, dtype=object)),
        )

    def cut(self, done: pd.DataFrame) -> pd.DataFrame:
        return self._known(
            block=self._at(done["block_id"], self.instance.blocks.ids),
            site=self._at(done["site_id"], self.instance.sites.ids),
            start=self._minutes(done["start"]),
            zone=self._at(done["zone"], np.array(ZONE_WORDS, dtype=object)),
            people=(done["called"] - done["sampled"]).to_numpy(dtype=np.int64),
        )

    def sent(self, plan: Plan) -> pd.DataFrame:
        frame = plan.consignments
        return self._known(
            site=self._at(frame["site_id"], self.instance.sites.ids),
            lab=self._at(frame["lab_id"], self.instance.labs.ids),
            zone=self._at(frame["zone"], np.array(ZONE_WORDS, dtype=object)),
            pickup=self._minutes(frame["pickup_at"]),
            start=self._minutes(frame["start_at"]),
            tubes=frame["tubes"].to_numpy(dtype=np.int64),
        )

    def _known(self, **columns: Ints) -> pd.DataFrame:
        frame = pd.DataFrame(columns)
        names = [n for n in ("block", "site", "lab", "zone") if n in frame]
        return frame[(frame[names] >= 0).all(axis=1)]

    def _at(self, column: pd.Series[Any], ids: Any) -> Ints:  # noqa: ANN401  # texts
        codes, texts = pd.factorize(column.astype(object))
        where = {str(text): at for at, text in enumerate(ids)}
        return np.array([where.get(str(t), -1) for t in texts], dtype=np.int64)[codes]

    def _minutes(self, column: pd.Series[Any]) -> Ints:
        codes, texts = pd.factorize(column.astype(object))
        return np.array([self.axis.of_text(str(t)) for t in texts], dtype=np.int64)[codes]


def check_settled(since: Since, called: pd.DataFrame, log: BreachLog) -> None:
    """Check that calls before the freeze are those of the base, less who did not come."""
    expected = since.settled()
    early = called[called["start"] < since.frozen]
    got = early.groupby(KEYS)["people"].sum()
    both = pd.concat([expected, got], axis=1, keys=["want", "got"]).fillna(0)
    ids, sites = since.world.instance.blocks.ids, since.world.instance.sites.ids
    both = both[both["want"] != both["got"]].reset_index()
    for block, site, start, want, people in both.astype("int64").to_numpy().tolist():
        text = f"expected {want} people as before the freeze, got {people}"
        where = [str(ids[block]), str(sites[site]), since.world.axis.text(start)]
        log.add("B201", ASSIGNMENTS, text, where=where)


def check_done(since: Since, log: BreachLog) -> None:
    """Check that people are missing only from slots that are past, or closed to them."""
    world, cut = since.world, since.cut
    instance, step = world.instance, world.axis.slot_min
    slot = (cut["start"] // step).to_numpy()
    inside = (slot >= 0) & (slot < world.axis.num_slots)
    shut = ~inside
    shut[inside] = world.shut[cut["site"].to_numpy()[inside], slot[inside]]
    end = cut["start"].to_numpy() + step
    community = instance.blocks.community_index[cut["block"].to_numpy()]
    fixed = instance.sites.kinds[cut["site"].to_numpy()] == FIXED
    sealed = fixed & (end > world.sealed_since()[community])
    known = cut.merge(since.base_cut, how="left", on=KEYS, suffixes=("", "_before"))
    before = known["people_before"].fillna(0).to_numpy()
    inherited = cut["people"].to_numpy() <= before
    wrong = ~(shut | sealed | inherited | (end <= since.now)) | (cut["people"].to_numpy() <= 0)
    for row in np.flatnonzero(wrong).tolist():
        block = str(instance.blocks.ids[cut["block"].iloc[row]])
        text = "expected a slot that is past, or closed to the block, and fewer sampled than called"
        log.add("B203", DONE, text, where=[block, world.axis.text(cut["start"].iloc[row])])


def check_underway(since: Since, sent: Mapping[str, Ints], line: Ints, log: BreachLog) -> None:
    """Check that no lab has started before now what the base did not send there."""
    early = (sent["pickup"] <= since.now) & (sent["start"] <= since.now)
    more = early & (sent["tubes"] > since.was_sent(sent))
    for row in np.flatnonzero(more).tolist():
        site = str(since.world.instance.sites.ids[sent["site"][row]])
        lab = str(since.world.instance.labs.ids[sent["lab"][row]])
        text = "expected no more tubes than were started there before this re-plan"
        log.add("B204", CONSIGNMENTS, text, line=int(line[row]), where=[site, lab])


def moved(since: Since, called: pd.DataFrame) -> tuple[int, float]:
    """Return the people moved against the base, and the churn against what was published."""
    instance = since.world.instance
    weights = instance.settings.weights.churn
    district = instance.communities.districts[instance.blocks.community_index]
    against_base = _moves(since.base, called, instance)
    cost = 0.0
    for name, table in since.published.items():
        told = np.ones(len(district), dtype=bool) if not name else district == name
        if not name:
            told &= ~np.isin(district, [d for d in since.published if d])
        site, time = against_base if table is since.base else _moves(table, called, instance)
        cost += float(site[told].sum()) * weights.site + float(time[told].sum()) * weights.time
    return int(sum(n.sum() for n in against_base)), cost


def _moves(old: pd.DataFrame, new: pd.DataFrame, instance: Instance) -> tuple[Ints, Ints]:
    """Return the people of each block sent to another site, and to another time at their site.

    Of the people whom both plans call, those stay whom both call to the same site at the same time.
    """
    sites = len(instance.sites)
    latest = 1 + max(int(t["start"].max()) if len(t) else 0 for t in (old, new))
    totals = []
    for name in KEYS:
        sums = []
        for table in (old, new):
            key = table["block"].to_numpy()
            if name != "block":
                key = key * sites + table["site"].to_numpy()
            if name == "start":
                key = key * latest + table["start"].to_numpy()
            keys, at = np.unique(key, return_inverse=True)
            sums.append((keys, np.bincount(at, table["people"].to_numpy(), len(keys))))
        both, a, b = np.intersect1d(sums[0][0], sums[1][0], assume_unique=True, return_indices=True)
        block = both // {"block": 1, "site": sites, "start": sites * latest}[name]
        least = np.minimum(sums[0][1][a], sums[1][1][b])
        totals.append(np.bincount(block, least, len(instance.blocks)).astype(np.int64))
    return totals[0] - totals[1], totals[1] - totals[2]


def lost_place(since: Since, called: pd.DataFrame) -> int:
    """Return the people whom the base calls and this plan does not."""
    before, now = (t.groupby("block")["people"].sum() for t in (since.base, called))
    return int(before.sub(now, fill_value=0).clip(lower=0).sum())


def check_replan(
    since: Since, counts: Mapping[str, int], summary: Mapping[str, Any], log: BreachLog
) -> None:
    """Check what summary.json says of the re-plan itself.

    ``counts`` are the people moved and those who lost their place; a bound of people moved that is
    above them bounds nothing.
    """
    told = summary.get("replan")
    if not isinstance(told, Mapping):
        log.add("B205", SUMMARY, "replan: expected an object, as this revision stands on another")
        return
    expected = {
        "now": since.world.axis.local(since.now).isoformat(),
        "frozen_until": since.world.axis.local(since.frozen).isoformat(),
        **counts,
    }
    for name, value in expected.items():
        if told.get(name) != value:
            log.add("B205", SUMMARY, f"replan.{name}: expected {value}, got {told.get(name)}")
    least, people = told.get("must_move"), counts["moved"]
    if not isinstance(least, int) or least > people:
        log.add("B205", SUMMARY, f"replan.must_move: expected {people} at most, got {least}")
