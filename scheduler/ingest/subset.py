"""Parts of a round's input files for its next round, the cells as the user wrote them."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from pathlib import Path

from scheduler.errors import CannotRunError
from scheduler.ingest.cells import tidy
from scheduler.ingest.columns import Table
from scheduler.ingest.findings import FileLog
from scheduler.ingest.reader import decode, header_places

Keep = Callable[[str], str | None]
"""Takes a tidy cell, returns what stands there in the part, None where the row is left out."""


def part_of(data: bytes, table: Table, keep: dict[str, Keep]) -> bytes:
    """Return the rows of a CSV file whose cells are all kept, in UTF-8 with a mark.

    ``keep`` is by column; a column that the file does not have decides nothing.
    """
    log = FileLog(table.file)
    text = decode(data, log)
    rows = [row for row in csv.reader(io.StringIO(text or "", newline="")) if any(row)]
    places = header_places(rows[0], 1, table, log)
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(rows[0])
    rules = [(places[name], rule) for name, rule in keep.items() if name in places]
    for row in rows[1:]:
        cells = list(row)
        for place, rule in rules:
            told = rule(tidy(cells[place]))
            if told is None:
                break
            cells[place] = told
        else:
            writer.writerow(cells)
    return b"\xef\xbb\xbf" + out.getvalue().encode()


def settings_with(path: Path, values: dict[str, str]) -> bytes:
    """Return a ``round.toml`` with other values in its table ``[round]``, all else untouched.

    Raises
    ------
    CannotRunError
        When a key stands nowhere on a line of its own.
    """
    lines = path.read_bytes().decode("utf-8-sig").splitlines()
    table, missing = "", dict(values)
    for number, line in enumerate(lines):
        header = re.match(r"\s*\[([^\]]+)\]", line)
        if header:
            table = header[1].strip()
        found = re.match(
            r"(\s*)\"?([a-z_]+)\"?\s*=\s*(\"[^\"]*\"|'[^']*'|[^#]*?)(\s*(?:#.*)?)$", line
        )
        if table == "round" and found and found[2] in missing:
            value = missing.pop(found[2])
            lines[number] = f'{found[1]}{found[2]} = "{value}"{found[4]}'
    if missing:
        raise CannotRunError(
            f"Expected round.{next(iter(missing))} on a line of its own in {path.name}",
            hint="Write [round] as in `nat-scheduler init DIR`.",
        )
    return ("\n".join(lines) + "\n").encode()
