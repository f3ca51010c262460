"""Words of the report, in the language of ``round.language``."""

from __future__ import annotations

import json
from pathlib import Path

_FILE = Path(__file__).parent / "assets" / "words.json"


def report_words(language: str) -> dict[str, str]:
    """Return key -> word; the keys are those that the page's scripts use."""
    both: dict[str, dict[str, str]] = json.loads(_FILE.read_text(encoding="utf-8"))
    return {key: spoken[language] for key, spoken in both.items()}
