"""Words of a roster: what a person is, where they end, and the columns of what is kept."""

from __future__ import annotations

from enum import IntEnum

from scheduler.domain.city import Ints


class Category(IntEnum):
    """What a roster says of a person; ``NORMAL`` also where it says nothing."""

    NORMAL = 0
    HOMEBOUND = 1
    VACCINATED = 2
    ISOLATED = 3
    TESTED = 4

    @property
    def word(self) -> str:
        """Return the word used in files, such as ``homebound``."""
        return self.name.lower()


EXEMPT = (Category.VACCINATED, Category.ISOLATED, Category.TESTED)
"""Categories of people who need not come."""


class Fate(IntEnum):
    """Where a person of a roster ends; whoever is none of these is a rejected row."""

    SLOT = 0
    HOME_VISIT = 1
    EXEMPT = 2

    @property
    def word(self) -> str:
        """Return the word used in files, such as ``home_visit``."""
        return self.name.lower()


FATE_WORDS = tuple(fate.word for fate in Fate)
"""Words of the fates, indexed by ``Fate``."""

REASONS = (
    "",
    "homebound",
    "under_age",
    "vaccinated",
    "isolated",
    "tested",
    "no_team",
    "no_site",
    "block_too_large",
    "full",
    "past_end",
)
"""Why a person has no slot; the last five are those of a plan that could not serve everybody."""

UNKNOWN_YEAR = 0
"""Birth year of a person whose row leaves it blank."""

ROSTER_COLUMNS = (
    "resident_id",
    "code",
    "household_id",
    "block_id",
    "community_id",
    "birth_year",
    "category",
    "category_at",
    "fate",
    "reason",
    "site_id",
    "start",
    "end",
    "wave",
    "tube",
    "priority",
    "rounds_sampled",
    "name",
)
"""Columns of ``roster.parquet``; ``start`` and ``end`` are minutes since the round's start."""


def age_in(year: int, birth_year: Ints) -> Ints:
    """Return the age that people complete in a year, -1 where the birth year is unknown."""
    ages: Ints = year - birth_year
    ages[birth_year == UNKNOWN_YEAR] = -1
    return ages
