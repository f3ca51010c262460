"""Every kind of finding with its stable code, and the log that collects them.

C0xx settings, C1xx files and tables, C2xx cells, C3xx rows against each other, C4xx points,
C5xx shortages that the arithmetic of the round shows, C7xx events and progress.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import NamedTuple

from scheduler.errors import Finding, Severity

ERROR, NOTE = Severity.ERROR, Severity.NOTE


class Rule(NamedTuple):
    """What a code stands for, the way out, and whether the row can still be used."""

    title: str
    way_out: str
    severity: Severity = ERROR


_TOML = "Run `nat-scheduler init DIR` for a commented round.toml."

CODES: dict[str, Rule] = {
    "C001": Rule("round.toml is missing", _TOML),
    "C002": Rule("round.toml is not UTF-8", "Save round.toml as UTF-8."),
    "C003": Rule("round.toml is not TOML", _TOML),
    "C004": Rule("unknown setting", "Use the nearest known name."),
    "C005": Rule("setting out of range", _TOML),
    "C006": Rule("settings contradict each other", _TOML),
    "C101": Rule("file is missing", "Run `nat-scheduler init DIR` for templates of all files."),
    "C102": Rule("file is empty", "Fill the file, header first, or take an optional file away."),
    "C103": Rule("encoding unknown", "Save the file as UTF-8, in Excel as `CSV UTF-8`."),
    "C104": Rule("read in another encoding", "Nothing to do if names look right.", NOTE),
    "C105": Rule("column is missing", "Add the column, or mend its header's spelling."),
    "C106": Rule("column stands twice", "Keep one of the two columns."),
    "C107": Rule("unknown column", "It is not read; take it away or mend its header.", NOTE),
    "C108": Rule("row too short or too long", "Give the row a cell for each column, no more."),
    "C109": Rule("quotes do not match", "Close the quote; write a quote within a cell twice."),
    "C110": Rule("table without rows", "Add at least one row."),
    "C201": Rule("required cell is blank", "Fill the cell."),
    "C202": Rule("cell was normalised", "Nothing to do if it was read as meant.", NOTE),
    "C203": Rule("whole number expected", "Write digits only: no unit, no separator."),
    "C204": Rule("number expected", "Write digits and at most one decimal point: no unit."),
    "C205": Rule("number implausibly large", "Look for a digit too many."),
    "C206": Rule(
        "unknown zone", "Use lockdown, control, precaution, normal or 封控, 管控, 防范, 普通."
    ),
    "C207": Rule("unknown kind of site", "Use fixed, mobile or dedicated (固定, 流动, 专用)."),
    "C208": Rule("opening hours not understood", "Write 06:00-22:00 or 08:00-11:30;13:00-18:00."),
    "C209": Rule("list not understood", "Separate the items with ; and name each once."),
    "C210": Rule(
        "id or district cannot be used",
        "Ids and districts name files: use plain letters, digits, . _ -",
    ),
    "C211": Rule(
        "identity number of a person", "Take it out: no file of a round needs identity numbers."
    ),
    "C212": Rule("cell is damaged", "Type the cell again, or export the file again as UTF-8."),
    "C301": Rule("id stands twice", "Give each row an id of its own."),
    "C302": Rule("ids differ by letter case only", "Rename one: their files would collide."),
    "C303": Rule("reference to nothing", "Name an id of the other file, or add its row there."),
    "C304": Rule("blocks do not add up", "Correct the blocks, or population and participation."),
    "C305": Rule(
        "community without blocks", "List its blocks, or take blocks.csv away to have all cut."
    ),
    "C306": Rule("more homebound than people", "Correct homebound, population or participation."),
    "C307": Rule("more elderly than people", "Correct elderly or the number of people."),
    "C308": Rule("more households than people", "Check the two columns for a swap.", NOTE),
    "C309": Rule("team without communities", "Name the communities it serves in community_ids."),
    "C310": Rule("fixed site with communities", "Make it dedicated, or leave community_ids empty."),
    "C311": Rule("pair stands twice", "Keep one row for each site and lab."),
    "C312": Rule("pairs missing in travel.csv", "Times left out are computed from distance.", NOTE),
    "C313": Rule("site in an unknown district", "Check the spelling of the district.", NOTE),
    "C314": Rule("zones without effect", "Check zones, kind and community_ids of the site.", NOTE),
    "C401": Rule("point outside the globe", "Write degrees: lat -90 to 90, lng -180 to 180."),
    "C402": Rule("lat and lng swapped", "Swap lat and lng."),
    "C403": Rule("point at zero", "Fill in the point; 0, 0 lies in the sea off Africa."),
    "C404": Rule("point outside the city", "Correct the point; check round.coordinates."),
    "C405": Rule("blocks without a point", "They were put at their community's point.", NOTE),
    "C501": Rule(
        "sealed community without a team", "Add a mobile or dedicated site that names it.", NOTE
    ),
    "C502": Rule(
        "site never open in the round", "Check hours against round.start and round.end.", NOTE
    ),
    "C503": Rule("lab can never start a tube", "Check hours and max_tubes_per_day.", NOTE),
    "C504": Rule("no lab takes the pool size", "Change [pooling], or pool_sizes of a lab.", NOTE),
    "C505": Rule("lane-hours short", "Open more lanes, longer hours or more days.", NOTE),
    "C506": Rule(
        "lab tubes short", "More labs, larger pools, more days, or a longer promise.", NOTE
    ),
    "C507": Rule(
        "fluid bound exceeded", "More labs, larger pools, longer windows, or more days.", NOTE
    ),
    "C508": Rule(
        "city's most people in a slot too few",
        "Raise slots.city_people, or open longer hours or on more days.",
        NOTE,
    ),
    "C701": Rule(
        "unknown kind of event", "Use one of the kinds in the README, section Re-planning."
    ),
    "C702": Rule(
        "time not understood", "Write 2020-12-22T10:30 (local) or with an offset: +08:00."
    ),
    "C703": Rule("event lacks a cell", "Fill the column that this kind of event needs."),
    "C704": Rule("cell without effect", "This kind of event does not use the column.", NOTE),
    "C705": Rule("end not after the time", "Correct time or end."),
    "C706": Rule(
        "event reported again", "Nothing to do: of several reports the last one counts.", NOTE
    ),
    "C707": Rule(
        "line is not a JSON object", 'Write one object a line: {"time": ..., "kind": ...}'
    ),
    "C708": Rule(
        "event no longer reported",
        "Nothing to do if it was meant to go; else give it again, in a file of another name.",
        NOTE,
    ),
    "C711": Rule(
        "progress columns not understood",
        "Use time, site_id, slot, sampled; time, site_id, tubes_sent; or "
        "time, lab_id, tubes_resulted.",
    ),
    "C712": Rule("slot off the grid", "Write the start of a slot of the round."),
    "C713": Rule(
        "report of the future", "Look at its date; it counts once its time has come.", NOTE
    ),
    "C714": Rule(
        "more sampled than possible", "Correct the figure if it is a slip of the pen.", NOTE
    ),
}
"""Code -> title, way out and severity of every finding."""

_IDENTITY = re.compile(r"\d{17}[\dXxＸｘ]")
_LONGEST_VALUE = 60


def masked(text: str) -> str:
    """Return the text fit to be shown: no identity numbers, no control characters, 60 at most."""
    shown = _presentable(text)
    return shown if len(shown) <= _LONGEST_VALUE else shown[: _LONGEST_VALUE - 3] + "..."


def _presentable(text: str) -> str:
    hidden = _IDENTITY.sub("******", text)
    if hidden.isprintable():
        return hidden
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in hidden)


@dataclass
class FileLog:
    """Collects the findings of one file."""

    file: str
    findings: list[Finding] = field(default_factory=list)

    def add(
        self,
        code: str,
        text: str,
        *,
        line: int | None = None,
        column: str | None = None,
        value: str | None = None,
        hint: str | None = None,
    ) -> None:
        """Add a finding; what it shows of the input is masked."""
        rule = CODES[code]
        self.findings.append(
            Finding(
                code=code,
                file=self.file,
                line=None if line is None else int(line),
                column=None if column is None else masked(column),
                text=_presentable(text),
                hint=hint or rule.way_out,
                value=None if value is None else masked(value),
                severity=rule.severity,
            )
        )
