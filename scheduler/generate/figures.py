"""Published figures of the cities that can be generated, read from ``configs/<city>.toml``."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from scheduler.domain.choices import CITIES
from scheduler.errors import CannotRunError

"""Cities with a file of figures."""


@dataclass(frozen=True, kw_only=True)
class DistrictFigures:
    """One district: people, how they live, and where (degrees, kilometres)."""

    name: str
    lab_area: str  # districts of one area share their labs
    people: int
    urban_share: float
    household_size: float
    elderly_share: float
    communities: int  # urban, 居委会
    villages: int  # rural, 村委会
    streets: int
    centre: tuple[float, float]
    urban_km: float
    rural_centre: tuple[float, float]
    rural_km: float


@dataclass(frozen=True, kw_only=True)
class RoundFigures:
    """Table ``[city]``: the round, and how sites, lanes and labs are dimensioned."""

    name: str
    prefix: str
    round_id: str
    title: str
    people: int
    start: str
    end: str
    hours: str
    result_hours: float
    people_per_site: int
    people_per_lane: int
    queue_m: tuple[int, int]
    homebound_share: float
    labs: int
    lab_headroom: float


@dataclass(frozen=True, kw_only=True)
class ZoneFigures:
    """Table ``[zones]``: communities per zone at full size, all in one district."""

    district: str
    lockdown: int
    control: int
    precaution: int


@dataclass(frozen=True, kw_only=True)
class CityFigures:
    """Everything one file of figures holds."""

    city: RoundFigures
    zones: ZoneFigures
    districts: tuple[DistrictFigures, ...]

    @property
    def num_communities(self) -> int:
        """Communities and villages at full size."""
        return sum(d.communities + d.villages for d in self.districts)


def load_figures(city: str) -> CityFigures:
    """Return the figures of a city.

    Raises
    ------
    CannotRunError
        When there is no such city, or its file cannot be used.
    """
    if city not in CITIES:
        raise CannotRunError(f'Expected a city of {", ".join(CITIES)}, got "{city}"')
    path = configs_folder() / f"{city}.toml"
    try:
        data: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
        return TypeAdapter(CityFigures).validate_python(data)
    except (OSError, tomllib.TOMLDecodeError, ValidationError) as error:
        raise CannotRunError(f"The figures of {city} cannot be used: {error}") from None


def load_ages() -> tuple[float, ...]:
    """Return the shares of people of 0-4, 5-9, ... years, the last band open.

    Raises
    ------
    CannotRunError
        When the file of ages cannot be used.
    """
    path = configs_folder() / "ages.toml"
    try:
        shares = tomllib.loads(path.read_text(encoding="utf-8"))["shares"]
        return TypeAdapter(tuple[float, ...]).validate_python(shares)
    except (OSError, tomllib.TOMLDecodeError, KeyError, ValidationError) as error:
        raise CannotRunError(f"The ages of residents cannot be used: {error}") from None


def configs_folder(package: Path | None = None) -> Path:
    """Return the folder of figures: inside an installed wheel, or beside an editable package."""
    root = package or Path(str(resources.files("scheduler")))
    packaged = root / "_configs"
    return packaged if packaged.is_dir() else root.parent / "configs"
