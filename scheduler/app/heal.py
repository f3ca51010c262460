"""Put right what a killed run left: hidden folders, and revisions on disk without their rows."""

from __future__ import annotations

import json
from pathlib import Path

from scheduler.domain.instance import Instance
from scheduler.ingest.loader import load
from scheduler.publish.files import FOLDER, sweep
from scheduler.publish.plan_files import discard_partial, read_plan, revisions
from scheduler.store import RoundInfo, Store


def heal(folder: Path, store: Store) -> list[str]:
    """Clear away what is half-written and store revisions that are on disk only; returns those.

    Call it only while holding the round's lock. A revision that the database has and the folder
    does not stays there until one of its number is made again.
    """
    discard_partial(folder)
    sweep(folder / FOLDER)
    names = revisions(folder)
    if not names:
        return []
    missing = [name for name in names if not _stored(folder, store, name)]
    instance = load(folder).instance if missing else None
    if instance is None:
        return []
    for name in missing:
        store.save_revision(round_info(instance), name, read_plan(folder, name), replace=True)
    return missing


def _stored(folder: Path, store: Store, name: str) -> bool:
    try:
        summary = json.loads((folder / "plans" / name / "summary.json").read_bytes())
        return store.has_revision(str(summary["round"]), name)
    except (OSError, ValueError, KeyError, TypeError):
        return True  # not to be read: `verify` says what is wrong with it


def round_info(instance: Instance) -> RoundInfo:
    """Return what the store keeps of a round."""
    this, clock = instance.settings.round, instance.clock
    return RoundInfo(
        round_id=this.id, name=this.name, timezone=this.timezone, start=clock.iso(0),
        end=clock.iso(clock.end_min), synthetic=this.synthetic,
    )  # fmt: skip
