"""Count every cell that a rule filled, and every row that a rule left out or added."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Ledger:
    """Counts of what did not come from the lists, in the order in which rules were used."""

    cells: Counter[tuple[str, str, str]] = field(default_factory=Counter)  # file, column, rule
    rows: Counter[tuple[str, str]] = field(default_factory=Counter)  # file, what happened

    def fill(self, file: str, column: str, rule: str, count: int = 1) -> None:
        """Count cells of a column that were filled by a rule."""
        if count:
            self.cells[file, column, rule] += count

    def fill_point(self, file: str, rule: str) -> None:
        """Count the two cells of a point that was filled by a rule."""
        self.fill(file, "lat", rule)
        self.fill(file, "lng", rule)

    def note_rows(self, file: str, what: str, count: int = 1) -> None:
        """Count rows that were read, left out or added."""
        if count:
            self.rows[file, what] += count

    def to_dict(self) -> dict[str, Any]:
        """Return both counts as lists of records, for JSON."""
        return {
            "rows": [{"file": f, "what": w, "rows": n} for (f, w), n in self.rows.items()],
            "cells": [
                {"file": f, "column": c, "rule": r, "cells": n}
                for (f, c, r), n in self.cells.items()
            ],
        }

    def lines(self) -> list[str]:
        """Return both counts as lines to read."""
        told = [f"{f}: {n:,} rows {w}" for (f, w), n in self.rows.items()]
        return told + [f"{f}: {c}: {n:,} cells: {r}" for (f, c, r), n in self.cells.items()]
