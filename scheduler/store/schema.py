"""Bring a database to the schema of this program, all or nothing."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import inspect, text
from sqlalchemy.engine import Connection, Engine

from scheduler.errors import CannotRunError
from scheduler.store.database import READ_ONLY

if TYPE_CHECKING:
    from alembic.config import Config

MIGRATIONS = Path(__file__).parent / "migrations"
"""Folder of the migrations, inside the package."""

_LOCK_KEY = 0x6E61742D73636864
"""Key of PostgreSQL's advisory lock for migrations: "nat-schd" in ASCII."""


def migrate(engine: Engine) -> None:
    """Apply the migrations that the database lacks, in one transaction.

    Any number of processes may do so at once: one migrates, the others wait and find it done.

    Raises
    ------
    CannotRunError
        When the database was written by a newer version of this program.
    """
    with engine.connect().execution_options(**{READ_ONLY: True}) as connection:
        if has_newest(connection) or is_current(connection):
            return
    from alembic import command  # noqa: PLC0415  # takes 0.15 s, like all of Alembic

    with engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK_KEY})
        if not is_current(connection):
            command.upgrade(alembic_config(connection), "head")


def has_newest(connection: Connection) -> bool:
    """Return whether the newest migration is applied; Alembic is not asked, which is quick.

    Migrations are files in one chain, named by their number.
    """
    newest = max(path.name for path in (MIGRATIONS / "versions").glob("r*.py"))
    if not inspect(connection).has_table("alembic_version"):
        return False
    applied = connection.execute(text("SELECT version_num FROM alembic_version"))
    return list(applied.scalars()) == [newest.partition("_")[0]]


def is_current(connection: Connection) -> bool:
    """Return whether every migration known to this program is applied.

    Raises
    ------
    CannotRunError
        When the database has a migration that this program does not know.
    """
    from alembic.migration import MigrationContext  # noqa: PLC0415  # as above
    from alembic.script import ScriptDirectory  # noqa: PLC0415  # as above

    script = ScriptDirectory.from_config(alembic_config(connection))
    applied = MigrationContext.configure(connection).get_current_heads()
    known = {step.revision for step in script.walk_revisions()}
    newer = [head for head in applied if head not in known]
    if newer:
        raise CannotRunError(
            f"The database has schema {newer[0]} of a newer nat-scheduler; "
            f"this one knows up to {script.get_current_head()}",
            hint="Install the newer version, or use another database.",
        )
    return tuple(applied) == tuple(script.get_heads())


def alembic_config(connection: Connection) -> Config:
    """Return Alembic's configuration for one connection; no ``alembic.ini`` is needed."""
    from alembic.config import Config  # noqa: PLC0415  # as above

    config = Config()
    # Alembic reads % as the start of an interpolation.
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config
