"""Engine, transactions and clear errors for SQLite and PostgreSQL."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, event
from sqlalchemy.engine import URL, Connection, Engine, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, SQLAlchemyError

from scheduler.errors import CannotRunError

DATABASE_FILE = "nat-scheduler.sqlite3"
"""Name of the SQLite file in the round folder."""

READ_ONLY = "nat_scheduler_read_only"
"""Execution option of a connection that will only read, and so does not wait for a writer."""

_URL_HINT = "Give postgresql://user:password@host/database, or leave it out for SQLite."

_SQLITE_WORDS = {
    "SQLITE_BUSY": "is locked by another run; wait for it to end, then try again",
    "SQLITE_LOCKED": "is locked by another run; wait for it to end, then try again",
    "SQLITE_READONLY_DBMOVED": "was moved or deleted while it was in use",
    "SQLITE_READONLY": "cannot be written: the file or its folder is read-only",
    "SQLITE_CANTOPEN": "cannot be opened: its folder is missing, or may not be read and written",
    "SQLITE_IOERR": "cannot be read or written: the disk reported an error",
    "SQLITE_NOTADB": "is not an SQLite database",
    "SQLITE_CORRUPT": "is damaged",
    "SQLITE_FULL": "cannot grow: the disk is full",
    "SQLITE_CONSTRAINT": "refused a row that breaks a rule",
}

# Codes of appendix A of the PostgreSQL manual; a code of two characters stands for its class.
_POSTGRES_WORDS = {
    "55P03": "is locked by another run; wait for it to end, then try again",
    "40P01": "is locked by another run; wait for it to end, then try again",
    "28": "refused the user or the password",
    "3D000": "does not exist on the server",
    "42501": "does not let this user do that",
    "25006": "cannot be written: the server is read-only",
    "53": "has no room or connection left",
    "57P": "was shut down",
    "08": "is gone: the connection was lost",
    "23": "refused a row that breaks a rule",
}

# libpq gives no code when it cannot connect, only the server's words.
_CONNECT_WORDS = (
    (r"password|authentication|role .* does not exist", "refused the user or the password"),
    (r"database .* does not exist", "does not exist on the server"),
    (r"server closed the connection|terminat", "is gone: the connection was lost"),
    (r"", "cannot be reached"),
)


def database_url(folder: Path, url: str | None) -> URL:
    """Return the address of the database: ``url``, or the SQLite file of the round folder.

    Raises
    ------
    CannotRunError
        When ``url`` is no address of PostgreSQL or SQLite, or psycopg is not installed.
    """
    if not url:
        return URL.create("sqlite", database=str(folder / DATABASE_FILE))
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        # The address is not repeated: it may hold a password.
        raise CannotRunError("Expected the address of a database", hint=_URL_HINT) from None
    if parsed.drivername in {"postgresql", "postgres", "postgresql+psycopg"}:
        return parsed.set(drivername="postgresql+psycopg")
    if parsed.drivername in {"sqlite", "sqlite+pysqlite"} and parsed.database:
        return parsed.set(drivername="sqlite")
    raise CannotRunError(
        f"Expected a postgresql:// or sqlite:/// address, got {parsed.drivername}://",
        hint=_URL_HINT,
    )


def make_engine(url: URL, *, wait_s: float) -> Engine:
    """Return an engine whose transactions hold everything, also changes of the schema.

    ``wait_s`` is how long to wait for another run's lock, in seconds.

    Raises
    ------
    CannotRunError
        When the driver is not installed.
    """
    try:
        engine = create_engine(url, pool_pre_ping=True)
    except (ImportError, NoSuchModuleError):
        raise CannotRunError(
            "PostgreSQL needs the psycopg package", hint="pip install 'nat-scheduler[postgres]'"
        ) from None
    if engine.dialect.name == "sqlite":
        _prepare_sqlite(engine, wait_s)
    else:
        _prepare_postgres(engine, wait_s)
    return engine


def _prepare_sqlite(engine: Engine, wait_s: float) -> None:
    @event.listens_for(engine, "connect")
    def _connect(connection: sqlite3.Connection, _record: object) -> None:
        # The driver's own transactions would commit before each change of the schema.
        connection.isolation_level = None
        connection.execute(f"PRAGMA busy_timeout = {round(wait_s * 1000)}")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA cache_size = -32000")  # KiB; a city's revision spills less

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        reads = connection.get_execution_options().get(READ_ONLY, False)
        connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")


def _prepare_postgres(engine: Engine, wait_s: float) -> None:
    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql(f"SET LOCAL lock_timeout = {max(1, round(wait_s * 1000))}")


@contextmanager
def clear_errors(url: URL) -> Iterator[None]:
    """Turn an error of the database into one clear sentence, without the password.

    Raises
    ------
    CannotRunError
        In place of every error of SQLAlchemy or of a driver.
    """
    try:
        yield
    except (SQLAlchemyError, sqlite3.Error) as error:
        raise CannotRunError(_sentence(url, error)) from error
    except Exception as error:
        # psycopg is optional, so its errors are known by their module only.
        if type(error).__module__.partition(".")[0] != "psycopg":
            raise
        raise CannotRunError(_sentence(url, error)) from error


def _sentence(url: URL, error: BaseException) -> str:
    cause = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
    sqlite = url.drivername == "sqlite"
    shown = url.database if sqlite else url.set(query={}).render_as_string(hide_password=True)
    detail = " ".join(str(cause).split())
    for secret in (url.password, url.query.get("password")):
        if isinstance(secret, str) and secret:
            detail = detail.replace(secret, "***")
    return f"The database {shown} {_words(cause)} ({detail})"


def _words(cause: Any) -> str:  # noqa: ANN401  # an error of any driver
    name = getattr(cause, "sqlite_errorname", None)
    if name:
        return _longest_prefix(_SQLITE_WORDS, name)
    if isinstance(cause, sqlite3.OperationalError | sqlite3.DatabaseError):
        return "reported an error"
    state = getattr(cause, "sqlstate", None)
    if state:
        return _longest_prefix(_POSTGRES_WORDS, state)
    if type(cause).__name__ == "OperationalError":
        text = str(cause)
        return next(words for pattern, words in _CONNECT_WORDS if re.search(pattern, text))
    return "reported an error"


def _longest_prefix(words: dict[str, str], code: str) -> str:
    known = [key for key in words if code.startswith(key)]
    return words[max(known, key=len)] if known else "reported an error"
