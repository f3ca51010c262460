"""Read ``round.toml`` into frozen settings; refuse unknown keys with the nearest known name."""

from __future__ import annotations

import dataclasses
import difflib
import functools
import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, get_args, get_type_hints
from zoneinfo import ZoneInfo

from pydantic import TypeAdapter, ValidationError

from scheduler.domain.settings import Settings
from scheduler.errors import Finding

ROUND_FILE = "round.toml"


class SettingsError(Exception):
    """The settings cannot be used; carries findings with file, line and column."""

    def __init__(self, findings: list[Finding]) -> None:
        super().__init__("\n".join(map(str, findings)))
        self.findings = findings


def load_settings(path: Path) -> Settings:
    """Return the settings of a ``round.toml``.

    Raises
    ------
    SettingsError
        With all findings at once: no file, no TOML, unknown keys, values out of range.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        raise SettingsError([_finding("C001", path, None, None, "file is missing")]) from None
    except UnicodeDecodeError:
        raise SettingsError([_finding("C002", path, None, None, "expected UTF-8 text")]) from None
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        line = re.search(r"line (\d+)", str(error))
        where = int(line[1]) if line else None
        raise SettingsError([_finding("C003", path, where, None, f"not TOML: {error}")]) from None
    return parse_settings(data, path, text)


def parse_settings(data: Mapping[str, Any], path: Path, text: str = "") -> Settings:
    """Validate the content of a ``round.toml``; see :func:`load_settings`."""
    findings = [
        _finding("C004", path, _line_of(text, keys), ".".join(keys), words, hint=hint)
        for keys, words, hint in _unknown_keys(data, Settings, ())
    ]
    try:
        settings = _validator().validate_python(data)
    except ValidationError as error:
        findings += [_value_finding(path, text, item) for item in error.errors()]
        raise SettingsError(findings) from None
    findings += [
        _finding("C006", path, _line_of(text, keys), ".".join(keys), words, value=value)
        for keys, words, value in _cross_checks(settings)
    ]
    if findings:
        raise SettingsError(findings)
    return settings


@functools.cache
def _validator() -> TypeAdapter[Settings]:
    """Return what validates settings: made once, which takes longer than a hundred uses."""
    return TypeAdapter(Settings)


@dataclasses.dataclass(frozen=True)
class SettingDoc:
    """One key of ``round.toml`` for help, templates and the README."""

    table: str
    key: str
    default: Any
    required: bool
    text: str


def setting_docs() -> list[SettingDoc]:
    """Return every key with its default and documentation, in file order."""
    return list(_docs(Settings, ""))


def _docs(cls: type, table: str) -> Iterator[SettingDoc]:
    hints = get_type_hints(cls, include_extras=True)
    nested = []
    for field in dataclasses.fields(cls):
        hint = hints[field.name]
        if dataclasses.is_dataclass(hint):
            nested.append((hint, f"{table}.{field.name}" if table else field.name))
            continue
        words = [m.documentation for m in get_args(hint) if hasattr(m, "documentation")]
        required = field.default is dataclasses.MISSING
        default = None if required else field.default
        yield SettingDoc(table, field.name, default, required, words[0] if words else "")
    for hint, name in nested:
        yield from _docs(hint, name)  # type: ignore[arg-type]  # dataclass types are types


def _unknown_keys(
    data: Mapping[str, Any], cls: type, above: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], str, str]]:
    hints = get_type_hints(cls)
    known = [f.name for f in dataclasses.fields(cls)]
    for key, value in data.items():
        keys = (*above, key)
        if key not in known:
            near = difflib.get_close_matches(key, known, n=1)
            hint = f'Did you mean "{near[0]}"?' if near else f"Known keys: {', '.join(known)}."
            yield keys, f'unknown key "{key}"', hint
        elif dataclasses.is_dataclass(hints[key]) and isinstance(value, Mapping):
            yield from _unknown_keys(value, hints[key], keys)


def _cross_checks(settings: Settings) -> Iterator[tuple[tuple[str, ...], str, str]]:
    this = settings.round
    if not re.fullmatch(r"[A-Za-z0-9._-]+", this.id) or this.id in {".", ".."}:
        yield ("round", "id"), "expected letters, digits, . _ -", this.id
    for key in ("start", "end"):
        value = getattr(this, key)
        if value.tzinfo is not None:
            yield ("round", key), "expected a local time without offset", value.isoformat()
            return
    if this.end <= this.start:
        yield ("round", "end"), "expected a time after round.start", this.end.isoformat()
    if this.wave_minutes % this.slot_minutes:
        words = f"expected a multiple of slot_minutes ({this.slot_minutes})"
        yield ("round", "wave_minutes"), words, str(this.wave_minutes)
    try:
        ZoneInfo(this.timezone)
    except (KeyError, ValueError, OSError):
        yield (
            ("round", "timezone"),
            "expected an IANA time zone such as Asia/Shanghai",
            (this.timezone),
        )


def _value_finding(path: Path, text: str, item: Any) -> Finding:  # noqa: ANN401  # pydantic's record
    keys = tuple(str(k) for k in item["loc"])
    value = None if item["type"] == "missing" else str(item["input"])
    words = item["msg"][0].lower() + item["msg"][1:]
    return _finding("C005", path, _line_of(text, keys), ".".join(keys), words, value=value)


def _finding(  # noqa: PLR0913  # a finding has this many parts
    code: str,
    path: Path,
    line: int | None,
    column: str | None,
    words: str,
    *,
    value: str | None = None,
    hint: str = "",
) -> Finding:
    hint = hint or "Run `nat-scheduler init DIR` for a commented round.toml."
    return Finding(code, path.name, line, column, words, hint, value)


def _line_of(text: str, keys: tuple[str, ...]) -> int | None:
    table = ".".join(keys[:-1])
    current = ""
    for number, line in enumerate(text.splitlines(), 1):
        header = re.match(r"\s*\[([^\]]+)\]", line)
        if header:
            current = header[1].strip()
            if current == ".".join(keys):
                return number
        elif current == table and re.match(rf"\s*\"?{re.escape(keys[-1])}\"?\s*=", line):
            return number
    return None


__all__ = [
    "ROUND_FILE",
    "SettingDoc",
    "SettingsError",
    "load_settings",
    "parse_settings",
    "setting_docs",
]
