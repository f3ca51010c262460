"""Variants of the input: ``labs.tubes_per_hour*=1.2`` supposes what the files do not say.

A change names a column of ``sites.csv`` or ``labs.csv`` (of all rows, of some ids, or of a
district), or a key of ``round.toml``. A plan of a variant keeps its changes in ``summary.json``, so
that whoever reads the plan again reads the same input.
"""

from __future__ import annotations

import difflib
import operator
import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, is_dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from scheduler.config import SettingsError, parse_settings
from scheduler.domain.city import Flags
from scheduler.domain.instance import Instance
from scheduler.domain.settings import Settings
from scheduler.errors import CannotRunError
from scheduler.ingest.hours import HoursError, parse_hours

COLUMNS: Mapping[str, Mapping[str, float]] = {
    "sites": {"lanes": 1, "queue_length_m": 0, "people_per_lane_hour": 0.01},
    "labs": {"tubes_per_hour": 0, "processing_min": 0, "max_tubes_per_day": 0, "batch_tubes": 1},
}
"""Columns that may be changed, and the least value of each; ``hours`` may be set too."""

FIXED_KEYS = frozenset(
    {"round.id", "round.timezone", "round.coordinates", "round.synthetic", "blocks.max_people",
     "sites.people_per_lane_hour"}
)  # fmt: skip
"""Keys that are used when files are read, or say which round it is."""

_SYNTAX = re.compile(
    r"(?P<table>[a-z]+)(?:\[(?P<rows>[^\]]+)\])?\.(?P<key>[a-z_.]+)\s*(?P<how>[*+/-]?=)\s*(?P<value>.+)"
)
_HOW: Mapping[str, Callable[[Any, Any], Any]] = {
    "+=": operator.add, "-=": operator.sub, "*=": operator.mul, "/=": operator.truediv,
}  # fmt: skip
_EXAMPLES = "labs.tubes_per_hour*=1.2, sites[S1;S2].lanes=+4, targets.result_hours=8"


class _BadChange(Exception):  # noqa: N818  # never leaves this module
    """One change cannot be made; the text says why."""


@dataclass(frozen=True)
class _Change:
    """One parsed change: ``rows`` as written, None for all."""

    table: str
    rows: str | None
    key: str
    how: str
    value: str

    def apply_to(self, old: Any) -> Any:  # noqa: ANN401  # a number or an array of numbers
        """Return what a number becomes."""
        try:
            number = float(self.value)
        except ValueError:
            raise _BadChange(f'expected a number, got "{self.value}"') from None
        if self.how == "=":
            return old + number if self.value[0] in "+-" else old * 0 + number
        if self.how == "/=" and number == 0:
            raise _BadChange("expected a number other than 0")
        return _HOW[self.how](old, number)


def vary(instance: Instance, changes: Sequence[str]) -> Instance:
    """Return a round with changes, made one after the other.

    Raises
    ------
    CannotRunError
        With every change that cannot be made.
    """
    problems = []
    for text in changes:
        try:
            instance = _vary(instance, _parse(text))
        except _BadChange as problem:
            problems.append(f"  {text}: {problem}")
    if problems:
        raise CannotRunError(
            "Expected changes that can be made, got\n" + "\n".join(problems),
            hint=f"Write them as in: {_EXAMPLES}.",
        )
    return instance


def _parse(text: str) -> _Change:
    found = _SYNTAX.fullmatch(text.strip())
    if found is None:
        raise _BadChange("expected TABLE.COLUMN=VALUE, or *=, +=, -=, /= instead of =")
    return _Change(
        found["table"], found["rows"], found["key"], found["how"], found["value"].strip()
    )


def _vary(instance: Instance, change: _Change) -> Instance:
    columns = COLUMNS.get(change.table)
    if columns is not None and (change.key in columns or change.key == "hours"):
        return _vary_column(instance, change)
    if change.rows is not None:
        known = [f"{name}.{key}" for name in COLUMNS for key in (*COLUMNS[name], "hours")]
        raise _BadChange(f"expected a column that has rows: {', '.join(known)}")
    return _vary_setting(instance, change)


# Columns


def _vary_column(instance: Instance, change: _Change) -> Instance:
    table = getattr(instance, change.table)
    rows = _rows(change, table)
    if change.key == "hours":
        return _replace(instance, change.table, hours=_hours(change, table, rows))
    old = getattr(table, change.key)
    new = np.where(rows, change.apply_to(old.astype(np.float64)), old)
    if change.key == "max_tubes_per_day" and change.how != "=":
        new = np.where(old < 0, old, new)  # without a limit there is nothing to multiply
    least = COLUMNS[change.table][change.key]
    if (new[rows & (new != old)] < least).any():
        raise _BadChange(f"expected at least {least:g} everywhere, got {new[rows].min():g}")
    if np.issubdtype(old.dtype, np.integer):
        new = np.floor(new + 0.5)
    return _replace(instance, change.table, **{change.key: new.astype(old.dtype)})


def _replace(instance: Instance, table: str, **columns: object) -> Instance:
    return instance.replace(**{table: replace(getattr(instance, table), **columns)})


def _rows(change: _Change, table: Any) -> Flags:  # noqa: ANN401  # sites or labs
    """Return the rows that a change means."""
    ids = [str(ident) for ident in table.ids]
    if change.rows is None:
        return np.ones(len(ids), dtype=bool)
    if change.rows.startswith("district="):
        return _of_district(change.rows.removeprefix("district="), table)
    wanted = [part.strip() for part in re.split("[;,]", change.rows) if part.strip()]
    unknown = [ident for ident in wanted if ident not in set(ids)]
    if unknown or not wanted:
        first = unknown[0] if unknown else ""
        near = difflib.get_close_matches(first, ids, n=3, cutoff=0.4)
        told = f"; nearest: {', '.join(near)}" if near else ""
        raise _BadChange(f'expected ids of {change.table}.csv, got "{first}"{told}')
    return np.isin(np.array(ids, dtype=object), wanted)


def _of_district(district: str, table: Any) -> Flags:  # noqa: ANN401  # sites or labs
    if not hasattr(table, "districts"):
        raise _BadChange("expected ids: labs.csv has no districts")
    found: Flags = table.districts.astype(str) == district
    if not found.any():
        known = ", ".join(sorted(set(table.districts.astype(str))))
        raise _BadChange(f'expected a district with sites, got "{district}"; known: {known}')
    return found


def _hours(change: _Change, table: Any, rows: Flags) -> tuple[Any, ...]:  # noqa: ANN401  # windows
    if change.how != "=":
        raise _BadChange("expected hours=06:00-22:00, with = only")
    try:
        windows, _ = parse_hours(change.value)
    except HoursError as error:
        raise _BadChange(f'{error}, got "{change.value}"') from None
    return tuple(windows if new else old for new, old in zip(rows, table.hours, strict=True))


# Settings


def _vary_setting(instance: Instance, change: _Change) -> Instance:
    name = f"{change.table}.{change.key}"
    if name in FIXED_KEYS:
        raise _BadChange("expected a key that a variant may change; edit round.toml instead")
    data: dict[str, Any] = asdict(instance.settings)
    table: Any = data
    *above, key = name.split(".")
    for part in above:
        table = table.get(part, {}) if isinstance(table, dict) else {}
    if not isinstance(table, dict) or key not in table:
        known = [*_keys(Settings, ""), *(f"{t}.{c}" for t in COLUMNS for c in COLUMNS[t])]
        near = difflib.get_close_matches(name, known, n=3) or sorted(COLUMNS)
        raise _BadChange(f"expected a known column or key; nearest: {', '.join(near)}")
    table[key] = _value(change, table[key])
    try:
        settings = parse_settings(data, Path("--set"))
    except SettingsError as error:
        raise _BadChange("; ".join(f.text for f in error.findings)) from None
    return instance.replace(settings=settings)


def _value(change: _Change, old: Any) -> Any:  # noqa: ANN401  # of a setting
    if isinstance(old, dict):
        raise _BadChange(f"expected a key, got a table with {', '.join(old)}")
    if change.how != "=":
        if isinstance(old, bool) or not isinstance(old, int | float):
            raise _BadChange(f'expected "=" for a key that is no number, got "{change.how}"')
        new = change.apply_to(float(old))
        return round(new) if isinstance(old, int) else new
    try:
        return tomllib.loads(f"value = {change.value}")["value"]
    except tomllib.TOMLDecodeError:
        return change.value


def _keys(cls: type, above: str) -> list[str]:
    """Return all keys of the settings."""
    found: list[str] = []
    for field in fields(cls):
        default = field.default_factory() if callable(field.default_factory) else None
        if is_dataclass(default):
            found += _keys(type(default), f"{above}{field.name}.")
        else:
            found.append(f"{above}{field.name}")
    return found
