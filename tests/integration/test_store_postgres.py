"""The store against a real server, and against other processes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.engine import make_url

from scheduler.errors import CannotRunError
from scheduler.store import Store, open_store
from scheduler.store.database import database_url as address_of
from scheduler.store.database import make_engine
from tests.postgres import LOCKED_USER
from tests.unit.store.sample import ROUND, assignment_rows, sample_plan

MIGRATE = """
import sys
from pathlib import Path
from scheduler.store import open_store
sys.stdin.readline()
with open_store(Path(sys.argv[1]), sys.argv[2] or None) as store:
    print(len(store.rounds()))
"""


def test_processes_that_migrate_at_once_are_safe(tmp_path: Path, database_url: str | None) -> None:
    """Of processes that open a new database at once, one migrates and the others wait for it."""
    command = [sys.executable, "-W", "error", "-c", MIGRATE, str(tmp_path), database_url or ""]
    runs = [
        subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]
    for run in runs:
        assert run.stdin is not None
        run.stdin.write("go\n")
        run.stdin.flush()
    ends = [(*run.communicate(timeout=60), run.returncode) for run in runs]
    assert ends == [("0\n", "", 0)] * 3
    engine = make_engine(address_of(tmp_path, database_url), wait_s=1)
    with engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM alembic_version")).scalar() == 1
    engine.dispose()


def test_a_newcomer_reads_the_schedule_in_sql(postgres_url: str, tmp_path: Path) -> None:
    """The view `schedule` answers who goes where and when, without this program."""
    with open_store(tmp_path, postgres_url) as store:
        store.save_revision(ROUND, "0001", sample_plan())
    query = "SELECT community_id, block_id, site_id, start_at, people FROM schedule"
    with psycopg.connect(postgres_url) as connection:
        found = connection.execute(query).fetchall()
    assert sorted(found) == sorted((r[1], r[0], r[2], r[3], r[5]) for r in assignment_rows())
    assert list(tmp_path.iterdir()) == []


def test_a_refused_password_is_told_and_not_shown(postgres_url: str, tmp_path: Path) -> None:
    """A wrong user or password is one sentence that does not repeat the password."""
    url = make_url(postgres_url).set(username=LOCKED_USER, password="secret-word")  # noqa: S106  # made up
    with pytest.raises(CannotRunError, match="refused the user or the password") as caught:
        open_store(tmp_path, url.render_as_string(hide_password=False))
    assert "secret-word" not in caught.value.message


def test_a_missing_database_is_told(postgres_url: str, tmp_path: Path) -> None:
    """A database that the server does not have is named."""
    url = make_url(postgres_url).set(database="nat_test_missing")
    with pytest.raises(CannotRunError, match="nat_test_missing does not exist on the server"):
        open_store(tmp_path, url.render_as_string(hide_password=False))


def test_a_server_that_is_not_there_is_told(tmp_path: Path) -> None:
    """Where no server listens, the sentence says so."""
    with pytest.raises(CannotRunError, match="cannot be reached"):
        open_store(tmp_path, f"postgresql://postgres@/postgres?host={tmp_path}")


def test_a_connection_lost_in_a_transaction_is_told(postgres_url: str, tmp_path: Path) -> None:
    """A server that goes away in the middle is one sentence, and nothing is stored."""
    end_others = (
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )

    def lose_the_connection(store: Store) -> None:
        with store.transaction() as transaction:
            transaction.add_revision(ROUND, "0001", sample_plan())
            with psycopg.connect(postgres_url, autocommit=True) as connection:
                connection.execute(end_others)
            transaction.add_revision(ROUND, "0002", sample_plan())

    with open_store(tmp_path, postgres_url) as store:
        with pytest.raises(CannotRunError, match=r"was shut down|connection was lost"):
            lose_the_connection(store)
        assert store.rounds() == []


def test_a_read_only_server_is_told(postgres_url: str, tmp_path: Path) -> None:
    """A stand-by server answers questions and refuses plans."""
    with open_store(tmp_path, postgres_url) as store:
        store.save_revision(ROUND, "0001", sample_plan())
    name = make_url(postgres_url).database
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    with open_store(tmp_path, postgres_url) as store:
        assert store.has_revision("dalian-r1", "0001")
        with pytest.raises(CannotRunError, match="read-only"):
            store.save_revision(ROUND, "0002", sample_plan())
