"""Rules of rows against each other: ids, references, sums, kinds of site."""

from __future__ import annotations

import numpy as np

from scheduler.domain.arithmetic import target_people
from scheduler.domain.city import FIXED, Flags, Ints
from scheduler.domain.settings import Zone
from scheduler.ingest.tables import Parsed


def check_ids(table: Parsed, column: str, *, names_files: bool) -> None:
    """Report ids that stand twice, or that differ by letter case only where they name files."""
    first: dict[str, int] = {}
    folded: dict[str, int] = {}
    ids, bad = table.values[column], table.bad[column]
    for row, text in enumerate(ids):
        if bad[row]:
            continue
        if text in first:
            where = table.lines[first[text]]
            table.report(
                "C301", row, column, f"expected an id of its own, line {where} has it", text
            )
            continue
        first[text] = row
        twin = folded.setdefault(text.casefold(), row) if names_files else row
        if twin != row:
            words = f"expected more than letter case to differ from line {table.lines[twin]}"
            table.report("C302", row, column, words, text)


def positions(table: Parsed | None, column: str) -> dict[str, int]:
    """Return id -> row of the first row that has it."""
    if table is None:
        return {}
    ids, bad = table.values[column], table.bad[column]
    return {ids[row]: row for row in range(len(ids) - 1, -1, -1) if not bad[row]}


def resolve(table: Parsed, column: str, target: Parsed | None, known: dict[str, int]) -> Ints:
    """Return the row each reference points to, -1 where it points nowhere; report those."""
    index = np.fromiter((known.get(t, -1) for t in table.values[column]), np.int64, len(table))
    if target is None or not target.complete:
        return index
    for row in np.flatnonzero((index < 0) & ~table.bad[column]):
        text = table.values[column][row]
        if text not in target.stray:
            _report_dangling(table, int(row), column, (text, target))
    return index


def check_communities(table: Parsed) -> None:
    """Report more homebound, elderly or households than people."""
    population = table.values["population"]
    elderly = table.values["elderly"]
    for row in np.flatnonzero((elderly > population) & table.good("population", "elderly")):
        words = f"expected at most the {population[row]} people of the community"
        table.report("C307", int(row), "elderly", words, elderly[row])
    people = target_people(population, table.values["participation"])
    homebound = table.values["homebound"]
    usable = table.good("population", "participation", "homebound")
    for row in np.flatnonzero((homebound > people) & usable):
        words = f"expected at most the {people[row]} people to be sampled"
        table.report("C306", int(row), "homebound", words, homebound[row])
    _note_households(table, "population")


def check_blocks(blocks: Parsed, communities: Parsed, community: Ints) -> None:
    """Report communities whose blocks are missing or do not add up; more elderly than people."""
    people = blocks.values["people"]
    elderly = blocks.values["elderly"]
    for row in np.flatnonzero((elderly > people) & blocks.good("people", "elderly")):
        words = f"expected at most the {people[row]} people of the block"
        blocks.report("C307", int(row), "elderly", words, elderly[row])
    _note_households(blocks, "people")
    columns_there = len(blocks) == 0 or not blocks.bad["community_id"].all()
    if columns_there and blocks.complete and communities.complete:
        _check_sums(blocks, communities, community)


def check_sites(sites: Parsed, communities: Parsed | None, known: dict[str, int]) -> None:
    """Report teams without communities, fixed sites with some, and dangling references."""
    kinds, named = sites.values["kind"], sites.values["community_ids"]
    for row in np.flatnonzero(sites.good("kind", "community_ids")):
        if kinds[row] == FIXED and named[row]:
            value = ";".join(named[row])
            sites.report("C310", int(row), "community_ids", "expected none for a fixed site", value)
        if kinds[row] != FIXED and not named[row]:
            words = f"expected the communities that the {kinds[row]} site serves"
            sites.report("C309", int(row), "community_ids", words)
    if communities is None or not communities.complete:
        return
    for site, ids in enumerate(named):
        for text in ids:
            if text not in known and text not in communities.stray:
                _report_dangling(sites, site, "community_ids", (text, communities))
    _note_districts(sites, communities)
    _note_zones(sites, communities, known)


def check_pairs(travel: Parsed, site: Ints, lab: Ints, counts: tuple[int, int]) -> None:
    """Report pairs that stand twice, and count those that are missing."""
    rows = np.flatnonzero((site >= 0) & (lab >= 0))
    pair = site[rows] * counts[1] + lab[rows]
    distinct, first, where = np.unique(pair, return_index=True, return_inverse=True)
    for place in np.flatnonzero(first[where] != np.arange(len(rows))):
        row, earlier = int(rows[place]), rows[first[where[place]]]
        words = f"expected each pair once, line {travel.lines[earlier]} has it"
        value = f"{travel.values['site_id'][row]}, {travel.values['lab_id'][row]}"
        travel.report("C311", row, "site_id", words, value)
    missing = counts[0] * counts[1] - len(distinct)
    if missing > 0:
        words = f"{missing} of {counts[0] * counts[1]} pairs of site and lab are not listed"
        travel.log.add("C312", words, column="minutes")


def _check_sums(blocks: Parsed, communities: Parsed, community: Ints) -> None:
    """Compare people of blocks with those of their community, where all of them can be used."""
    count = len(communities)
    expected = target_people(communities.values["population"], communities.values["participation"])
    inside = community >= 0
    index = community[inside]
    total = np.bincount(index, blocks.values["people"][inside], minlength=count).astype(np.int64)
    blocks_of = np.bincount(index, minlength=count)
    spoilt = np.bincount(index, blocks.bad["people"][inside], minlength=count) > 0
    usable = communities.good("community_id", "population", "participation") & ~spoilt
    ids = communities.values["community_id"]
    usable &= np.isin(np.arange(count), np.unique(ids.astype(str), return_index=True)[1])  # C301
    first = np.full(count, -1)
    rows = np.flatnonzero(inside)
    first[index[::-1]] = rows[::-1]
    for row in np.flatnonzero(usable & (total != expected)):
        if ids[row] in blocks.stray:
            continue
        if blocks_of[row]:
            words = f"expected the blocks of {ids[row]} to add up to {expected[row]}"
            blocks.report("C304", int(first[row]), "people", words, total[row])
        else:
            words = "expected at least one block in blocks.csv"
            communities.report("C305", int(row), "community_id", words, ids[row])


def _note_households(table: Parsed, people: str) -> None:
    households = table.values["households"]
    many = (households > table.values[people]) & table.good("households", people)
    for row in np.flatnonzero(many):
        words = f"more households than the {table.values[people][row]} people"
        table.report("C308", int(row), "households", words, households[row])


def _note_districts(sites: Parsed, communities: Parsed) -> None:
    known = set(communities.values["district"]) | communities.stray
    if communities.bad["district"].any():
        return
    for row in np.flatnonzero(sites.good("district")):
        if sites.values["district"][row] not in known:
            words = "no community lies in this district"
            sites.report("C313", int(row), "district", words, sites.values["district"][row])


def _note_zones(sites: Parsed, communities: Parsed, known: dict[str, int]) -> None:
    """Note zones that a site accepts or refuses to no purpose."""
    zone = communities.values["zone"]
    for row in np.flatnonzero(_explicit(sites)):
        accepted = sites.values["zones"][row]
        if sites.values["kind"][row] == FIXED:
            if Zone.LOCKDOWN in accepted:
                words = "a lockdown community is served by mobile and dedicated sites only"
                sites.report("C314", int(row), "zones", words)
            continue
        served = [known[t] for t in sites.values["community_ids"][row] if t in known]
        refused = sorted({Zone(int(zone[c])).word for c in served if zone[c] not in accepted})
        if refused:
            words = f"the site refuses the zone of a community it names: {', '.join(refused)}"
            sites.report("C314", int(row), "zones", words)


def _explicit(sites: Parsed) -> Flags:
    given = np.fromiter((bool(z) for z in sites.values["zones"]), bool, len(sites))
    return given & sites.good("zones", "kind", "community_ids")


def _report_dangling(table: Parsed, row: int, column: str, about: tuple[str, Parsed]) -> None:
    text, target = about
    table.report("C303", row, column, f"expected an id of {target.table.file}", text)
