"""The text of ``round.toml``: every key, its value and what it means."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from scheduler.config import setting_docs

Values = Mapping[tuple[str, str], Any]
"""(table, key) -> value that replaces the default."""


def round_text(heading: str, values: Values, *, change: frozenset[str] = frozenset()) -> str:
    """Return a complete ``round.toml``; keys in ``change`` are marked as needing a value."""
    lines = [f"# {line}".rstrip() for line in heading.splitlines()]
    table = ""
    for doc in setting_docs():
        if doc.table != table:
            table = doc.table
            lines += ["", f"[{table}]"]
        value = values.get((doc.table, doc.key), doc.default)
        mark = "CHANGE THIS (请修改): " if doc.table == "round" and doc.key in change else ""
        lines.append(f"{doc.key} = {_literal(value)}".ljust(40) + f" # {mark}{doc.text}")
    return "\n".join(lines) + "\n"


def _literal(value: Any) -> str:  # noqa: ANN401  # any TOML value
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (int, float)):
        return repr(value)
    return json.dumps(str(value), ensure_ascii=False)
