"""Rounds, revisions and the run log in SQLite or PostgreSQL."""

from scheduler.store.database import DATABASE_FILE
from scheduler.store.records import RevisionInfo, RosterRecord, RoundInfo, RunRecord
from scheduler.store.repository import Store, open_store
from scheduler.store.transaction import StoreTransaction

__all__ = [
    "DATABASE_FILE",
    "RevisionInfo",
    "RosterRecord",
    "RoundInfo",
    "RunRecord",
    "Store",
    "StoreTransaction",
    "open_store",
]
