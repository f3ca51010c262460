"""Alembic migrations of the store, run from the package by ``scheduler.store.schema``."""
