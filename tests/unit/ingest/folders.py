"""Round folders for tests: the hand-sized one, with edits."""

from __future__ import annotations

import shutil
from pathlib import Path

DATA = Path(__file__).parents[2] / "data"
TINY = DATA / "tiny"
BROKEN = DATA / "broken"


def tiny_with(target: Path, edits: dict[str, tuple[str, str]] | None = None) -> Path:
    """Return a copy of the hand-sized round with one text replaced per file."""
    shutil.copytree(TINY, target)
    for name, (old, new) in (edits or {}).items():
        text = (target / name).read_text(encoding="utf-8")
        assert old in text
        (target / name).write_text(text.replace(old, new, 1), encoding="utf-8")
    return target
