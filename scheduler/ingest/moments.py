"""Times in events and progress: ISO 8601, with offset or local, as minutes of the round."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from scheduler.domain.instance import RoundClock
from scheduler.ingest.cells import CellError, tidy

_CLOCK = re.compile(r"\d{1,2}:\d{2}", re.ASCII)
_FAR_MIN = 60 * 1440
"""A time further than 60 days from the round is a slip of the pen."""


@dataclass(frozen=True)
class Moment:
    """Parser of a time: minutes since the round's start, seconds dropped."""

    clock: RoundClock

    def __call__(self, cell: str) -> tuple[int, str | None]:
        """Return the minute; a time without offset is the round's local time."""
        text = tidy(cell)
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            raise CellError("C702", "expected a date and time such as 2020-12-22T10:30") from None
        if len(text) < len("2020-12-22T10"):
            raise CellError("C702", "expected a time of day after the date")
        local = moment.tzinfo is None
        clock = self.clock
        minute = clock.minute_of_local(moment) if local else clock.minute_of_iso(text)
        if not -_FAR_MIN <= minute <= clock.end_min + _FAR_MIN:
            raise CellError("C702", "expected a time within 60 days of the round")
        return minute, None


@dataclass(frozen=True)
class SlotStart:
    """Parser of a slot: its start, as a time, or as 08:15 of the round's first day."""

    clock: RoundClock

    def __call__(self, cell: str) -> tuple[int, str | None]:
        """Return the minute at which the slot starts."""
        text = tidy(cell).split("/")[0]
        if (
            _CLOCK.fullmatch(text)
            and self.clock.start.date() == self.clock.at(self.clock.end_min - 1).date()
        ):
            text = f"{self.clock.start:%Y-%m-%d}T{text:0>5}"
        minute, _ = Moment(self.clock)(text)
        if minute % self.clock.round.slot_minutes or not 0 <= minute < self.clock.end_min:
            raise CellError("C712", "expected the start of a slot of the round")
        return minute, None
