"""Fixtures that tests of several folders share."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url

from scheduler.solve import noised
from tests.postgres import running_server


@pytest.fixture(scope="session", autouse=True)
def _planned_once() -> Iterator[None]:
    """Plan few-block rounds once: with noise they are planned eight times (``test_noised``)."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(noised, "FEW_BLOCKS", 0)
        yield


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """Address of a database where others can be made: NAT_SCHEDULER_TEST_DATABASE_URL, or ours."""
    given = os.environ.get("NAT_SCHEDULER_TEST_DATABASE_URL")
    if given:
        yield given
        return
    with running_server() as address:
        yield address % "postgres"


@pytest.fixture
def postgres_url(postgres_server: str) -> Iterator[str]:
    """Address of an empty PostgreSQL database of the test's own."""
    server = make_url(postgres_server).set(drivername="postgresql+psycopg")
    engine = create_engine(server, isolation_level="AUTOCOMMIT")
    name = f"nat_test_{uuid.uuid4().hex}"
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    try:
        address = server.set(drivername="postgresql", database=name)
        yield address.render_as_string(hide_password=False)
    finally:
        with engine.connect() as connection:
            connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
        engine.dispose()


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(request: pytest.FixtureRequest) -> str | None:
    """None for SQLite in the round folder, then the address of a PostgreSQL database."""
    if request.param == "sqlite":
        return None
    url: str = request.getfixturevalue("postgres_url")
    return url
