"""Words of the notices, in the language of ``round.language``."""

from __future__ import annotations

import json
from pathlib import Path

_FILE = Path(__file__).parent / "assets" / "words.json"


def notice_words(language: str) -> dict[str, str]:
    """Return key -> word, for templates."""
    both: dict[str, dict[str, str]] = json.loads(_FILE.read_text(encoding="utf-8"))
    return {key: spoken[language] for key, spoken in both.items()}
