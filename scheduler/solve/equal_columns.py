"""Columns of equal length, of which rows are kept or put one after another."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Self

import numpy as np

from scheduler.domain.city import Flags, Ints


@dataclass(frozen=True)
class EqualColumns:
    """The base of what has a column for each field."""

    def where(self, keep: Flags | Ints) -> Self:
        """Return some of the rows."""
        return type(self)(*(getattr(self, f.name)[keep] for f in fields(self)))

    def beside(self, *others: Self) -> Self:
        """Return these rows, and those of the others after them."""
        every = (self, *others)
        return type(self)(
            *(np.concatenate([getattr(each, f.name) for each in every]) for f in fields(self))
        )
