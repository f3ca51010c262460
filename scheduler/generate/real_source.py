"""Read a folder of real lists: census, streets, communities, sampling sites, institutions."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from scheduler.domain.city import Floats
from scheduler.errors import CannotRunError
from scheduler.generate.ledger import Ledger

_COLUMNS = {
    "districts_census2020.csv": (
        "district_code",
        "district",
        "pop_2020",
        "household_size",
        "pct_age_65plus",
    ),
    "districts_geo.csv": ("district", "seat_lng", "seat_lat"),
    "streets.csv": ("street_code", "street", "district"),
    "communities.csv": (
        "community_code",
        "community",
        "kind",
        "district",
        "street_code",
        "street",
    ),
    "sampling_sites.csv": (
        "site_id",
        "kind",
        "district",
        "street_code",
        "community_code",
        "name",
        "address",
        "hours_raw",
        "lng",
        "lat",
        "coord_ok",
    ),
    "testing_institutions_2021.csv": ("district", "name", "address"),
}
_MAY_BE_EMPTY = frozenset({"lat", "lng"})
_NUMBERS = _MAY_BE_EMPTY | {"pop_2020", "household_size", "pct_age_65plus", "seat_lat", "seat_lng"}
_CITY_CODE = re.compile(r"\d{4}00")
_SPAN = re.compile(r"(\d{1,2})[:：.]+(\d{2})\s*[-－—–~～至到]+\s*(\d{1,2})[:：.]+(\d{2})")
_WEEKDAY = re.compile(r"周[一二三四五六日]|双日|单日")
_EVERY_DAY = re.compile(r"周一(至|到)周日")
ROUND_HOURS = ((6 * 60, 22 * 60),)
"""Sampling hours of Dalian, notice of 16 March 2022; stands in for 24 hours a day."""

Windows = tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Source:
    """The lists as text columns; the census without the city's total."""

    city_code: str
    city: str
    census: pl.DataFrame
    geo: pl.DataFrame
    streets: pl.DataFrame
    communities: pl.DataFrame
    sites: pl.DataFrame
    labs: pl.DataFrame


def read_source(folder: Path) -> Source:
    """Read all lists of a folder.

    Raises
    ------
    CannotRunError
        When a list or a column is missing: the first that is, and why it is needed.
    """
    tables = {name: _read(folder / name, columns) for name, columns in _COLUMNS.items()}
    census = tables["districts_census2020.csv"]
    is_total = census["district_code"].str.contains(f"^{_CITY_CODE.pattern}$")
    if is_total.sum() != 1:
        raise CannotRunError(
            "Expected one row of districts_census2020.csv with the city's total (a code in 00), "
            f"got {is_total.sum()}"
        )
    total = census.filter(is_total)
    return Source(
        total["district_code"][0],
        total["district"][0],
        census.filter(~is_total),
        tables["districts_geo.csv"],
        tables["streets.csv"],
        tables["communities.csv"],
        tables["sampling_sites.csv"],
        tables["testing_institutions_2021.csv"],
    )


def _read(path: Path, columns: tuple[str, ...]) -> pl.DataFrame:
    if not path.is_file():
        raise CannotRunError(
            f"Expected {path.name} in {path.parent}",
            hint="A round needs census, streets, communities, sampling sites and institutions.",
        )
    try:
        frame = pl.read_csv(path, infer_schema_length=0)
    except (pl.exceptions.PolarsError, OSError) as error:
        raise CannotRunError(f"{path.name} cannot be read: {error}") from None
    missing = [column for column in columns if column not in frame.columns]
    if missing:
        raise CannotRunError(f"Expected the columns {', '.join(missing)} in {path.name}")
    frame = frame.fill_null("")
    _refuse_words(path.name, frame)
    return frame


def _refuse_words(file: str, frame: pl.DataFrame) -> None:
    """Refuse cells of number columns that are no numbers; only points may be empty."""
    for column in _NUMBERS.intersection(frame.columns):
        cells = frame[column]
        blank = (cells == "") & (column in _MAY_BE_EMPTY)
        wrong = cells.filter(cells.cast(pl.Float64, strict=False).is_null() & ~blank)
        if len(wrong):
            raise CannotRunError(f'Expected numbers in {column} of {file}, got "{wrong[0]}"')


def degrees(frame: pl.DataFrame, column: str) -> Floats:
    """Return a column of degrees; NaN where it is absent or empty."""
    if column not in frame.columns:
        return np.full(frame.height, np.nan)
    return np.array([float(cell) if cell else np.nan for cell in frame[column]], dtype=float)


def seat_of(source: Source, district: str) -> tuple[float, float]:
    """Return latitude and longitude of a district's seat.

    Raises
    ------
    CannotRunError
        When the district has no seat in the lists.
    """
    seat = source.geo.filter(source.geo["district"] == district)
    if not seat.height:
        raise CannotRunError(f"Expected {district} in districts_geo.csv")
    return float(seat["seat_lat"][0]), float(seat["seat_lng"][0])


def daily_windows(text: str) -> tuple[Windows, str]:
    """Return daily windows in minutes and, where weekdays or 24 hours were left out, the rule.

    No window is returned where none can be read.
    """
    spans = sorted(
        (int(a) * 60 + int(b), int(c) * 60 + int(d)) for a, b, c, d in _SPAN.findall(text)
    )
    windows: list[tuple[int, int]] = []
    for begin, end in spans:
        if not begin < end <= 24 * 60:
            continue
        if windows and begin <= windows[-1][1]:
            windows[-1] = (windows[-1][0], max(end, windows[-1][1]))
        else:
            windows.append((begin, end))
    if not windows:
        return (ROUND_HOURS, "24小时 becomes 06:00-22:00") if "24小时" in text else ((), "")
    limited = bool(_WEEKDAY.search(text)) and not _EVERY_DAY.search(text)
    return tuple(windows), "hours kept, limits to weekdays left out" if limited else ""


def hours_text(windows: Windows) -> str:
    """Return windows as a cell, such as 08:00-11:30;13:00-18:00."""
    return ";".join(f"{a // 60:02d}:{a % 60:02d}-{b // 60:02d}:{b % 60:02d}" for a, b in windows)


def commonest_windows(texts: list[str], ledger: Ledger) -> list[Windows]:
    """Return the windows of each site; unreadable hours become the commonest readable ones."""
    parsed = [daily_windows(text) for text in texts]
    known = [windows for windows, _ in parsed if windows]
    if not known:
        raise CannotRunError("Expected readable hours in hours_raw of sampling_sites.csv, got none")
    usual = max(sorted(set(known)), key=known.count)
    for windows, rule in parsed:
        unread = "" if windows else f"not readable, the commonest: {hours_text(usual)}"
        if rule or unread:
            ledger.fill("sites.csv", "hours", rule or unread)
    return [windows or usual for windows, _ in parsed]
