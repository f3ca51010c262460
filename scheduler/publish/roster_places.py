"""Where rosters lie in a round folder."""

from __future__ import annotations

from pathlib import Path

ROSTERS_FOLDER = "rosters"


def rosters(folder: Path) -> list[str]:
    """Return the revisions that have a roster, oldest first."""
    home = folder / ROSTERS_FOLDER
    names = [p.name for p in home.iterdir() if p.name.isdigit()] if home.is_dir() else []
    return sorted(names, key=int)
