"""What a re-plan adds to ``plans/<revision>/``: the events it was made with, and who was missed."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable

import pandas as pd

from scheduler.domain.events import EVENT_COLUMNS, FIELDS, Event
from scheduler.domain.instance import RoundClock
from scheduler.domain.settings import ZONE_WORDS
from scheduler.domain.standing import DONE_COLUMNS, no_done
from scheduler.errors import CannotRunError

EVENTS_FILE, DONE_FILE = "events.csv", "done.csv"


def events_bytes(clock: RoundClock, events: Iterable[Event]) -> bytes:
    """Return events as a CSV file, in their order, with times in the round's time zone."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(EVENT_COLUMNS)
    for event in events:
        cells = [getattr(event, name) for name in FIELDS]
        writer.writerow(_cell(clock, n, v) for n, v in zip(FIELDS, cells, strict=True))
    return text.getvalue().encode()


def _cell(clock: RoundClock, name: str, value: object) -> str:
    if value is None:
        return ""
    if name in {"minute", "end"} and isinstance(value, int):
        return clock.iso(value)
    if name == "zone" and isinstance(value, int):
        return ZONE_WORDS[value]
    return f"{value:g}" if isinstance(value, float) else str(value)


def done_bytes(done: pd.DataFrame) -> bytes:
    """Return the calls that were cut short as a CSV file."""
    text: str = done[list(DONE_COLUMNS)].to_csv(index=False, lineterminator="\n")
    return text.encode()


def done_of(data: bytes, where: str) -> pd.DataFrame:
    """Return the calls that were cut short.

    Raises
    ------
    CannotRunError
        When the file has other columns, or cells that are no numbers.
    """
    try:
        frame = pd.read_csv(io.BytesIO(data), dtype=str, keep_default_na=False)
        frame = frame[list(DONE_COLUMNS)]
        return frame.astype({"called": "int64", "sampled": "int64"}) if len(frame) else no_done()
    except (ValueError, KeyError, pd.errors.ParserError) as error:
        raise CannotRunError(
            f"Expected {where} with {', '.join(DONE_COLUMNS)}, got {error}"
        ) from None
