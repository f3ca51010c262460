"""Addresses, pragmas, and errors as clear sentences that never hold a password."""

from __future__ import annotations

import os
import pwd
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import text

from scheduler.errors import CannotRunError
from scheduler.store import DATABASE_FILE, open_store
from scheduler.store.database import clear_errors, database_url, make_engine
from tests.unit.store.sample import ROUND, sample_plan


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+psycopg"])
def test_postgres_addresses_use_psycopg(tmp_path: Path, scheme: str) -> None:
    """Every usual spelling of a PostgreSQL address works and keeps user, host and database."""
    url = database_url(tmp_path, f"{scheme}://u:p@h:5433/d?sslmode=require")
    assert url.render_as_string(hide_password=False) == (
        "postgresql+psycopg://u:p@h:5433/d?sslmode=require"
    )


@pytest.mark.parametrize("url", ["secret-word", "mysql://u:secret-word@h/d", "sqlite://"])
def test_other_addresses_are_refused(tmp_path: Path, url: str) -> None:
    """What is no address of PostgreSQL or SQLite is refused, and not repeated with its password."""
    with pytest.raises(CannotRunError) as caught:
        database_url(tmp_path, url)
    assert "secret-word" not in caught.value.message
    assert "postgresql://" in caught.value.hint


def test_an_sqlite_address_is_taken(tmp_path: Path) -> None:
    """--database-url may also name an SQLite file somewhere else."""
    with open_store(tmp_path, f"sqlite:///{tmp_path}/other.db") as store:
        store.save_revision(ROUND, "0001", sample_plan())
    assert not (tmp_path / DATABASE_FILE).exists()
    assert (tmp_path / "other.db").exists()


def test_sqlite_has_write_ahead_log_and_foreign_keys(tmp_path: Path) -> None:
    """Each connection to SQLite checks foreign keys, waits for locks, and lets readers in."""
    engine = make_engine(database_url(tmp_path, None), wait_s=1.5)
    with engine.connect() as connection:
        found = [
            connection.execute(text(f"PRAGMA {name}")).scalar()
            for name in ("journal_mode", "foreign_keys", "busy_timeout")
        ]
    engine.dispose()
    assert found == ["wal", 1, 1500]


def test_closing_leaves_one_file(tmp_path: Path) -> None:
    """After the run the round folder holds the database alone, without side files."""
    with open_store(tmp_path) as store:
        store.save_revision(ROUND, "0001", sample_plan())
    assert [path.name for path in tmp_path.iterdir()] == [DATABASE_FILE]


def test_a_missing_folder_is_told(tmp_path: Path) -> None:
    """A folder that is not there is named; it is not made."""
    with pytest.raises(CannotRunError, match="nowhere"):
        open_store(tmp_path / "nowhere")
    assert not (tmp_path / "nowhere").exists()


def test_a_file_that_is_no_database_is_told(tmp_path: Path) -> None:
    """A damaged or foreign file is reported, never overwritten."""
    (tmp_path / DATABASE_FILE).write_text("not a database, but long enough to be read as one" * 9)
    with pytest.raises(CannotRunError, match="is not an SQLite database"):
        open_store(tmp_path)


def test_a_database_that_cannot_be_opened_is_told(tmp_path: Path) -> None:
    """A path that cannot be opened is one sentence with the path."""
    (tmp_path / DATABASE_FILE).mkdir()
    with pytest.raises(CannotRunError, match="cannot be opened") as caught:
        open_store(tmp_path)
    assert DATABASE_FILE in caught.value.message


@contextmanager
def ordinary_user() -> Iterator[None]:
    """Root may write everywhere: be nobody for a while."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(pwd.getpwnam("nobody").pw_uid)
    try:
        yield
    finally:
        os.seteuid(0)


def test_a_read_only_database_is_told() -> None:
    """A read-only file can be read; a write to it, or a read-only folder, is one sentence."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with open_store(folder) as store:
            store.save_revision(ROUND, "0001", sample_plan())
        (folder / DATABASE_FILE).chmod(0o444)
        folder.chmod(0o777)
        with ordinary_user(), open_store(folder) as store:
            assert store.rounds() == [ROUND]
            with pytest.raises(CannotRunError, match="cannot be written"):
                store.save_revision(ROUND, "0002", sample_plan())
        for beside in folder.glob(f"{DATABASE_FILE}-*"):
            beside.unlink()
        folder.chmod(0o555)
        with ordinary_user(), pytest.raises(CannotRunError, match="read-only"):
            open_store(folder)
        folder.chmod(0o777)


def test_a_database_deleted_while_in_use_is_told(tmp_path: Path) -> None:
    """Work is not written to a file that nobody will find again."""
    with open_store(tmp_path) as store:
        store.save_revision(ROUND, "0001", sample_plan())
        store.close()
        for path in tmp_path.glob(f"{DATABASE_FILE}*"):
            path.unlink()
        with pytest.raises(CannotRunError):
            store.save_revision(ROUND, "0002", sample_plan())


def test_other_errors_pass() -> None:
    """Only errors of a database become sentences; a bug stays a bug."""
    url = database_url(Path(), None)
    with pytest.raises(KeyError), clear_errors(url):
        raise KeyError("a bug")
    with pytest.raises(CannotRunError, match="reported an error"), clear_errors(url):
        raise sqlite3.OperationalError("something new")


def test_the_store_does_not_import_alembic_at_once() -> None:
    """`import scheduler.store` stays quick: Alembic and psycopg are loaded when used."""
    code = "import sys, scheduler.store; print({'alembic', 'psycopg'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
