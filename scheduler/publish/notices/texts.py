"""What a notice says beyond the plan: whom to call, what to bring, what if one misses the time.

``notices.toml`` in the round folder may say it for all districts and for each of them. It is not
part of the plan's input: a telephone number may change without planning again.
"""

from __future__ import annotations

import dataclasses
import difflib
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from scheduler.errors import CannotRunError

TEXTS_FILE = "notices.toml"
DISTRICTS = "districts"


@dataclasses.dataclass(frozen=True)
class NoticeTexts:
    """Texts of a notice; an empty one is the program's own words, or a line to write on."""

    contact: str = ""  # whom to call for home visits and questions
    bring: str = ""
    missed: str = ""
    remark: str = ""  # anything else, below the rules


@dataclasses.dataclass(frozen=True)
class TextBook:
    """Texts for all, and by district."""

    common: NoticeTexts = NoticeTexts()
    districts: Mapping[str, NoticeTexts] = dataclasses.field(default_factory=dict)

    def of(self, district: str) -> NoticeTexts:
        """Return the texts of a district."""
        return self.districts.get(district, self.common)


def read_texts(folder: Path) -> TextBook:
    """Return the texts of a round folder; empty ones where it has no ``notices.toml``.

    Raises
    ------
    CannotRunError
        When the file is no TOML, has an unknown key, or a value that is no text.
    """
    path = folder / TEXTS_FILE
    try:
        data = tomllib.loads(path.read_bytes().decode("utf-8-sig"))
    except FileNotFoundError:
        return TextBook()
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise CannotRunError(f"Expected TOML in UTF-8 in {path}, got: {error}") from None
    by_district = data.pop(DISTRICTS, {})
    if not isinstance(by_district, dict):
        raise CannotRunError(f'Expected a table in {path}: {DISTRICTS}, got "{by_district}"')
    common = _texts(path, data, "", NoticeTexts())
    districts = {
        name: _texts(path, values, f"{DISTRICTS}.{name}", common)
        for name, values in by_district.items()
    }
    return TextBook(common, districts)


def _texts(path: Path, values: Any, where: str, base: NoticeTexts) -> NoticeTexts:  # noqa: ANN401  # whatever TOML holds
    known = [field.name for field in dataclasses.fields(NoticeTexts)]
    if not isinstance(values, dict):
        raise CannotRunError(f'Expected a table in {path}: {where}, got "{values}"')
    for key, value in values.items():
        if key not in known:
            near = difflib.get_close_matches(key, known, n=1)
            hint = f"Did you mean {near[0]}?" if near else f"Known: {', '.join(known)}."
            raise CannotRunError(f'Unknown key in {path}: "{key}"', hint=hint)
        if not isinstance(value, str):
            raise CannotRunError(f"Expected a text in {path}: {key}, got {value!r}")
    return dataclasses.replace(base, **values)
