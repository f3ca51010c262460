"""Migrations are all or nothing, known in both directions, and equal to the tables."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect, text
from sqlalchemy.engine import Engine
from sqlalchemy.exc import IntegrityError

from scheduler.errors import CannotRunError
from scheduler.store import open_store, schema
from scheduler.store.database import database_url as address_of
from scheduler.store.database import make_engine
from scheduler.store.tables import METADATA
from tests.unit.store.sample import ROUND, sample_plan

BROKEN = '''"""A migration that fails half-way."""

from alembic import op

revision = "r9998"
down_revision = "@HEAD@"


def upgrade():
    op.execute("CREATE TABLE half_done (id INTEGER)")
    op.execute("UPDATE rounds SET name = 'half done'")
    op.execute("SELECT * FROM no_such_table")
'''


@pytest.fixture
def engine(tmp_path: Path, database_url: str | None) -> Iterator[Engine]:
    made = make_engine(address_of(tmp_path, database_url), wait_s=0.5)
    yield made
    made.dispose()


@pytest.fixture
def own_migrations(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "migrations"
        shutil.copytree(schema.MIGRATIONS, copy)
        monkeypatch.setattr(schema, "MIGRATIONS", copy)
        yield copy


def shape(engine: Engine) -> dict[str, Any]:
    """Return what the database says of each table, in an order of its own."""
    found = inspect(engine)
    return {
        table: {
            "columns": [
                (c["name"], str(c["type"]), c["nullable"]) for c in found.get_columns(table)
            ],
            "key": found.get_pk_constraint(table)["constrained_columns"],
            "checks": sorted((c["name"], c["sqltext"]) for c in found.get_check_constraints(table)),
            "foreign": sorted(str(sorted(f.items())) for f in found.get_foreign_keys(table)),
            "unique": sorted(str(u["name"]) for u in found.get_unique_constraints(table)),
        }
        for table in METADATA.tables
    }


def test_migrations_and_tables_do_not_drift(engine: Engine) -> None:
    """Alembic finds no difference between the migrated database and tables.py."""
    schema.migrate(engine)
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), METADATA) == []


def test_the_newest_migration_is_known_by_its_name(engine: Engine) -> None:
    """What is asked first agrees with Alembic: before, in between and after the migrations."""
    with engine.begin() as connection:
        assert not schema.has_newest(connection)
    schema.migrate(engine)
    with engine.begin() as connection:
        assert schema.has_newest(connection)
        assert schema.is_current(connection)
        command.downgrade(schema.alembic_config(connection), "-1")
        assert not schema.has_newest(connection)
        assert not schema.is_current(connection)


def test_rules_do_not_drift(engine: Engine) -> None:
    """CHECKs and foreign keys, which Alembic does not compare, are those of tables.py too."""
    schema.migrate(engine)
    migrated = shape(engine)
    with engine.begin() as connection:
        for view in ("schedule", "deliveries", "not_served"):
            connection.execute(text(f"DROP VIEW {view}"))
        METADATA.drop_all(connection)
        METADATA.create_all(connection)
    assert shape(engine) == migrated
    assert len(migrated["assignments"]["checks"]) == 6


def test_a_failed_migration_leaves_nothing(
    tmp_path: Path, database_url: str | None, engine: Engine, own_migrations: Path
) -> None:
    """A migration that fails half-way is taken back whole, changes of the schema included."""
    with open_store(tmp_path, database_url) as store:
        store.save_revision(ROUND, "0001", sample_plan())
    with engine.connect() as connection:
        (head,) = MigrationContext.configure(connection).get_current_heads()
    broken = own_migrations / "versions" / "r9998_broken.py"
    broken.write_text(BROKEN.replace("@HEAD@", head), encoding="utf-8")
    with pytest.raises(CannotRunError, match="no_such_table"):
        open_store(tmp_path, database_url)
    assert not inspect(engine).has_table("half_done")
    broken.unlink()
    with open_store(tmp_path, database_url) as store:
        assert store.rounds() == [ROUND]


def test_views_can_be_taken_back(engine: Engine) -> None:
    """Downgrade to before the views keeps the tables, and can be undone."""
    schema.migrate(engine)
    with engine.begin() as connection:
        command.downgrade(schema.alembic_config(connection), "r0001")
    assert inspect(engine).get_view_names() == []
    assert inspect(engine).has_table("assignments")
    schema.migrate(engine)
    assert sorted(inspect(engine).get_view_names()) == ["deliveries", "not_served", "schedule"]


def test_all_migrations_can_be_taken_back(engine: Engine) -> None:
    """Downgrade to the beginning leaves no table but Alembic's own."""
    schema.migrate(engine)
    with engine.begin() as connection:
        command.downgrade(schema.alembic_config(connection), "base")
    assert inspect(engine).get_table_names() == ["alembic_version"]


def test_a_database_of_a_newer_program_is_refused(
    tmp_path: Path, database_url: str | None, engine: Engine
) -> None:
    """An older program does not touch a newer database, and says which version is needed."""
    schema.migrate(engine)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = 'r9999'"))
    with pytest.raises(CannotRunError, match="r9999 of a newer nat-scheduler") as caught:
        open_store(tmp_path, database_url)
    assert "newer version" in caught.value.hint


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO assignments VALUES (1, 99, 0, 15, 1, 5, 1, 'normal', 10)",
        "INSERT INTO assignments VALUES (1, 1, 0, 15, 99, 5, 1, 'normal', 10)",
        "INSERT INTO assignments VALUES (99, 1, 0, 15, 1, 5, 1, 'normal', 10)",
        "INSERT INTO assignments VALUES (1, 1, 0, 15, 1, -5, 1, 'normal', 10)",
        "INSERT INTO unserved VALUES (1, 1, 'full', -1)",
        "INSERT INTO unserved VALUES (1, 1, 'forgotten', 1)",
        "INSERT INTO moments VALUES (99, 0, '')",
        "UPDATE consignments SET lab_id = 99",
        "UPDATE consignments SET tubes = 0",
        "UPDATE revisions SET people = -1",
        "UPDATE revisions SET status = 'perfect'",
        "DELETE FROM rounds",
    ],
)
def test_the_database_itself_refuses_bad_rows(
    tmp_path: Path, database_url: str | None, engine: Engine, statement: str
) -> None:
    """Negative people, unknown words and dangling keys are refused without SQLModel's help."""
    with open_store(tmp_path, database_url) as store:
        store.save_revision(ROUND, "0001", sample_plan())
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM assignments"))
    with pytest.raises(IntegrityError), engine.begin() as connection:
        connection.execute(text(statement))
