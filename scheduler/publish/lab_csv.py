"""One sheet per lab: tubes to expect, hour by hour."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta

import numpy as np

from scheduler.domain.city import Ints
from scheduler.publish.cells import END, csv_bytes, id_cell, text_cell
from scheduler.publish.schedule import Schedule
from scheduler.publish.words import LAB_COLUMNS, WEEKDAYS, header

Hours = dict[int, list[int]]
"""Clock hour (minute since the round's start) -> tubes and people arriving, tubes started."""


def lab_files(schedule: Schedule, labs: Ints) -> Iterator[tuple[int, bytes]]:
    """Yield lab index and file content, for each lab of the list."""
    top = header(LAB_COLUMNS, schedule.language)
    hours, capacity = _hours(schedule), _capacity(schedule)
    labs_of = schedule.instance.labs
    head = f"{id_cell(schedule.round_id)},{id_cell(schedule.revision)}"
    for lab in labs.tolist():
        who = f"{head},{id_cell(labs_of.ids[lab])},{text_cell(labs_of.names[lab])}"
        lines = [
            f"{who},{_hour_text(schedule, hour)},{tubes},{people},{started},"
            f"{capacity.get((labs_of.ids[lab], hour), '')}{END}"
            for hour, (tubes, people, started) in sorted(hours[lab].items())
        ]
        yield lab, csv_bytes(top, lines)


def _hours(schedule: Schedule) -> defaultdict[int, Hours]:
    sent = schedule.sent
    arrive, start = _clock_hours(schedule, sent.arrive_at), _clock_hours(schedule, sent.start_at)
    rows: defaultdict[int, Hours] = defaultdict(lambda: defaultdict(lambda: [0, 0, 0]))
    columns = (sent.lab_index, arrive, start, sent.tubes, sent.people)
    for lab, arrived, started, tubes, people in zip(*(c.tolist() for c in columns), strict=True):
        rows[lab][arrived][0] += tubes
        rows[lab][arrived][1] += people
        rows[lab][started][2] += tubes
    return rows


def _capacity(schedule: Schedule) -> dict[tuple[str, int], int]:
    frame = schedule.plan.lab_load
    hours = _clock_hours(schedule, schedule.minutes(frame["hour"])).tolist()
    return dict(zip(zip(frame["lab_id"], hours, strict=True), frame["capacity"], strict=True))


def _clock_hours(schedule: Schedule, minutes: Ints) -> Ints:
    """Return the beginning of the local clock hour of each minute."""
    distinct, where = np.unique(minutes, return_inverse=True)
    past = [schedule.instance.clock.at(m).minute for m in distinct.tolist()]
    result: Ints = (distinct - np.array(past, dtype=np.int64))[where]
    return result


def _hour_text(schedule: Schedule, hour: int) -> str:
    begin: datetime = schedule.instance.clock.at(hour)
    weekday = WEEKDAYS[schedule.language][begin.weekday()]
    return f"{begin:%Y-%m-%d},{weekday},{begin:%H:%M},{begin + timedelta(hours=1):%H:%M}"
