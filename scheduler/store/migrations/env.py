"""Run by Alembic: apply the migrations on the connection, and in the transaction, of the caller."""

from __future__ import annotations

from alembic import context

from scheduler.store.tables import METADATA

context.configure(connection=context.config.attributes["connection"], target_metadata=METADATA)
context.run_migrations()
