"""Breaches of a plan, their codes, and the list they are collected in."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from scheduler.domain.city import Flags

ASSIGNMENTS, CONSIGNMENTS = "assignments.csv", "consignments.csv"
LAB_LOAD, UNSERVED, SUMMARY = "lab_load.csv", "unserved.csv", "summary.json"
DONE = "done.csv"

CODES = {
    "B101": "a file lacks columns or has others",
    "B102": "an id is not in the input",
    "B103": "a time is not ISO 8601 with the offset of the round's time zone",
    "B104": "a cell is not a whole number in its range",
    "B105": "a row stands twice",
    "B106": "community, zone or pool size disagrees with the input",
    "B111": "the people of a block are not all called or listed",
    "B112": "home visits differ from the input",
    "B113": "a reason is not one of the known ones",
    "B114": "a reason cannot be true",
    "B121": "more people in a slot than the lanes can swab",
    "B122": "more people in a slot than the ground holds at the ordered spacing",
    "B123": "more people in a slot than the profile of opening hours leaves",
    "B124": "more people in a slot than the whole city may call",
    "B131": "a block is sent to more than one site",
    "B132": "the slots of a block are not consecutive",
    "B133": "a slot is off the grid of the round",
    "B134": "a slot is outside the opening hours of its site",
    "B141": "two zones share a site in a slot",
    "B142": "a site changes to a less strict zone without the clearing time",
    "B143": "a site does not accept the zone",
    "B144": "a mobile or dedicated site serves a community it is not named for",
    "B145": "a lockdown block is sent to a fixed site",
    "B151": "a site is too far and not among the nearest",
    "B152": "a site is in another district",
    "B160": "the tubes of an assignment are not those of its people",
    "B161": "consignments differ from what was swabbed",
    "B162": "the people of a consignment do not fit its tubes",
    "B163": "a pick-up is not at the end of a wave",
    "B164": "an arrival does not follow from pick-up and travel",
    "B165": "a start is neither the arrival nor the beginning of a later clock hour",
    "B166": "a start is outside the hours of its lab",
    "B167": "a lab does not take the pool size",
    "B168": "a lab starts more tubes in a clock hour than it can",
    "B169": "a lab starts more tubes on a day than it is certified for",
    "B171": "a sample is too old on arrival",
    "B172": "the oldest sample of a consignment is not the first slot of its site, wave and zone",
    "B181": "a result time does not follow from start and processing",
    "B182": "lab_load.csv differs from the consignments",
    "B183": "a capacity in lab_load.csv differs from the input",
    "B191": "summary.json lacks a figure or it is not a number",
    "B192": "a figure of summary.json differs from the plan's files",
    "B193": "the status of summary.json is not what the plan is",
    "B194": "the bound or a gap of summary.json is not consistent",
    "B195": "the input has changed since the plan was made",
    "B196": "round, revision, district or seed of summary.json is not this plan's",
    "B201": "a call before the freeze is not that of the plan it stands on",
    "B203": "people are left out of a slot that is neither past nor closed to them",
    "B204": "a lab has started tubes before the re-plan that were not sent there",
    "B205": "what summary.json says of the re-plan does not follow from the plan",
}
"""Every breach code; the second digit is the rule of DESIGN.md section 3 (0 files, 8 times and lab
load, 9 summary; B2xx what a re-plan must keep)."""


@dataclass(frozen=True, slots=True)
class Breach:
    """A place where a plan breaks a hard rule; ``where`` holds the ids concerned."""

    code: str
    file: str
    line: int | None
    where: tuple[str, ...]
    text: str

    def __str__(self) -> str:
        """Return ``assignments.csv:17: S0003 08:15: expected at most 57 people, got 60 [B121]``."""
        place = self.file if self.line is None else f"{self.file}:{self.line}"
        about = f" {' '.join(self.where)}:" if self.where else ""
        return f"{place}:{about} {self.text} [{self.code}]"


def rows_where(flags: Flags) -> list[int]:
    """Return the positions that are marked, as plain numbers."""
    positions: list[int] = np.flatnonzero(flags).tolist()
    return positions


class BreachLog:
    """Breaches in the order they were found."""

    def __init__(self) -> None:
        self.breaches: list[Breach] = []

    def add(
        self, code: str, file: str, text: str, *, line: int | None = None, where: Iterable[str] = ()
    ) -> None:
        """Note one breach; ``line`` counts from 1, the header included."""
        if code not in CODES:
            raise KeyError(code)
        self.breaches.append(Breach(code, file, line, tuple(where), text))
