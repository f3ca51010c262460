"""The plan's frames as columns of whole numbers; rows that cannot be read are breaches."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from scheduler.domain.city import Flags, Ints, Texts
from scheduler.domain.verify.breach import BreachLog, rows_where
from scheduler.domain.verify.timeaxis import NO_TIME, TimeAxis

UNKNOWN = -1
"""Index of an id that is not in the input."""
MOST = 10**9
"""No count of people or tubes is larger; keeps sums of them exact."""


@dataclass(frozen=True)
class Known:
    """What a column may hold: texts and the index of each."""

    what: str
    index: Mapping[str, int]

    @classmethod
    def of(cls, what: str, texts: Texts | tuple[str, ...]) -> Known:
        """Index the texts in their order."""
        return cls(what, {str(text): position for position, text in enumerate(texts)})


class FrameReader:
    """Read one frame column by column; ``good`` marks the rows of which every cell was usable."""

    def __init__(self, frame: pd.DataFrame, file: str, axis: TimeAxis, log: BreachLog) -> None:
        self.frame, self.file, self.axis, self.log = frame, file, axis, log
        self.good: Flags = np.ones(len(frame), dtype=bool)

    def ids(self, column: str, known: Known) -> Ints:
        """Return the index of each id, ``UNKNOWN`` where the input has no such id."""
        codes, texts = _distinct(self.frame[column])
        table = np.array([known.index.get(text, UNKNOWN) for text in texts] + [UNKNOWN])
        found: Ints = table[codes].astype(np.int64)
        self._reject("B102", column, found == UNKNOWN, f"expected {known.what} of the input")
        return found

    def times(self, column: str) -> Ints:
        """Return minutes since the round's start."""
        codes, texts = _distinct(self.frame[column])
        table = np.array([self.axis.of_text(text) for text in texts] + [NO_TIME], dtype=np.int64)
        found: Ints = table[codes]
        words = f"expected an ISO 8601 time with the offset of {self.axis.zone.key}"
        self._reject("B103", column, found == NO_TIME, words)
        return found

    def numbers(self, column: str, least: int) -> Ints:
        """Return whole numbers from ``least`` to ``MOST``."""
        cells = self.frame[column]
        if not pd.api.types.is_integer_dtype(cells.dtype):
            cells = pd.to_numeric(cells.astype(str), errors="coerce")
        values = cells.to_numpy(dtype=np.float64)
        whole = np.isfinite(values) & (values == np.floor(values))
        bad = ~(whole & (values >= least) & (values <= MOST))
        self._reject("B104", column, bad, f"expected a whole number >= {least}")
        return np.where(bad, 0, values).astype(np.int64)

    def words(self, column: str) -> Texts:
        """Return the texts of a column."""
        codes, texts = _distinct(self.frame[column])
        return np.array([*texts, ""], dtype=object)[codes]

    def _reject(self, code: str, column: str, bad: Flags, words: str) -> None:
        self.good &= ~bad
        for row in rows_where(bad):
            got = f'{column}: {words}, got "{self.frame[column].iloc[row]}"'
            self.log.add(code, self.file, got, line=row + 2)


def has_columns(frame: pd.DataFrame, file: str, columns: tuple[str, ...], log: BreachLog) -> bool:
    """Return whether a frame has exactly these columns in this order; if not, that is a breach."""
    got = tuple(map(str, frame.columns))
    if got == columns:
        return True
    log.add(
        "B101", file, f"expected the columns {', '.join(columns)}, got {', '.join(got)}", line=1
    )
    return False


def repeated(*keys: Ints) -> Ints:
    """Return the rows whose key stood in an earlier row already."""
    frame = pd.DataFrame(dict(enumerate(keys)))
    return np.flatnonzero(frame.duplicated().to_numpy())


def _distinct(cells: pd.Series[Any]) -> tuple[Ints, list[str]]:
    """Return a code per row, -1 where empty, and the text of each code."""
    if isinstance(cells.dtype, pd.CategoricalDtype):
        return cells.cat.codes.to_numpy().astype(np.int64), [str(c) for c in cells.cat.categories]
    codes, values = pd.factorize(cells)
    return codes.astype(np.int64), [str(value) for value in values]
