"""Write the tables of a plan fast: ids become whole numbers, many rows go in with a statement."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd
from sqlalchemy import Select, Table, select
from sqlalchemy.engine import Connection

from scheduler.domain.city import Ints
from scheduler.domain.plan import Plan
from scheduler.store.tables import METADATA

MOST_ROWS = 1_000
"""Rows in one statement. One by one they take SQLite 1.6 times as long, and so many turns at the
interpreter's lock that other threads stand still."""

Columns = Mapping[str, np.ndarray]
"""Values of a table by column, of equal length."""


class PlanWriter:
    """Writes the rows of one revision on an open transaction."""

    def __init__(
        self, connection: Connection, *, round_key: int, revision_key: int, start: str
    ) -> None:
        self._connection = connection
        self._round_key = round_key
        self._revision_key = revision_key
        self._start = datetime.fromisoformat(start)
        self._moments: dict[int, str] = {}
        self._found: dict[str, dict[tuple[int, str], int]] = {}

    def write(self, plan: Plan) -> None:
        """Write assignments, consignments and unserved people of a plan."""
        self._write_assignments(plan.assignments)
        self._write_consignments(plan.consignments)
        self._write_unserved(plan.unserved)
        minutes = np.array(sorted(self._moments), dtype=np.int64)
        texts = _words([self._moments[minute] for minute in minutes.tolist()])
        self._insert("moments", {"minute": minutes, "local_time": texts})

    def _write_assignments(self, frame: pd.DataFrame) -> None:
        columns = {
            "block_id": self._block_keys(frame),
            "start_min": self._minutes(frame["start"]),
            "end_min": self._minutes(frame["end"]),
            "site_id": self._keys("sites", frame["site_id"]),
            **_plain(frame, "people", "tubes", "zone", "pool_size"),
        }
        self._insert_sorted("assignments", ("block_id", "start_min"), columns)

    def _write_consignments(self, frame: pd.DataFrame) -> None:
        columns = {
            "site_id": self._keys("sites", frame["site_id"]),
            "pickup_min": self._minutes(frame["pickup_at"]),
            "lab_id": self._keys("labs", frame["lab_id"]),
            "start_min": self._minutes(frame["start_at"]),
            "arrive_min": self._minutes(frame["arrive_at"]),
            "result_min": self._minutes(frame["result_by"]),
            "oldest_sample_min": self._minutes(frame["oldest_sample_at"]),
            **_plain(frame, "zone", "tubes", "people", "pool_size"),
        }
        self._insert_sorted("consignments", ("site_id", "pickup_min"), columns)

    def _write_unserved(self, frame: pd.DataFrame) -> None:
        columns = {"block_id": self._block_keys(frame), **_plain(frame, "reason", "people")}
        self._insert_sorted("unserved", ("block_id", "people"), columns)

    def _insert_sorted(self, name: str, key: tuple[str, str], columns: Columns) -> None:
        # In the order of the primary key each row goes to the end of the table.
        order = np.lexsort((columns[key[1]], columns[key[0]]))
        self._insert(name, {column: values[order] for column, values in columns.items()})

    def _insert(self, name: str, columns: Columns) -> None:
        size = len(next(iter(columns.values())))
        revision = np.full(size, self._revision_key)
        insert_rows(self._connection, name, {"revision_id": revision, **columns})

    def _minutes(self, times: pd.Series) -> Ints:
        """Return minutes since the round's start; each distinct text is read once."""
        codes, texts = _distinct(times)
        minutes = [self._minute(text) for text in texts]
        return np.array(minutes, dtype=np.int64)[codes]

    def _minute(self, text: str) -> int:
        seconds = (datetime.fromisoformat(text) - self._start).total_seconds()
        minute, rest = divmod(seconds, 60)
        if rest:
            raise ValueError(f"Expected whole minutes since the round's start, got {text}")
        self._moments[int(minute)] = text
        return int(minute)

    def _keys(self, name: str, ids: pd.Series) -> Ints:
        codes, texts = _distinct(ids)
        keys = self._key_of(name, [(self._round_key, text) for text in texts])
        return np.array(keys, dtype=np.int64)[codes]

    def _block_keys(self, frame: pd.DataFrame) -> Ints:
        communities = self._keys("communities", frame["community_id"])
        block_codes, texts = _distinct(frame["block_id"])
        codes, pairs = pd.factorize(communities * len(texts) + block_codes)
        parents, blocks = np.divmod(pairs, max(1, len(texts)))
        wanted = [(p, texts[b]) for p, b in zip(parents.tolist(), blocks.tolist(), strict=True)]
        return np.array(self._key_of("blocks", wanted), dtype=np.int64)[codes]

    def _key_of(self, name: str, wanted: Sequence[tuple[int, str]]) -> list[int]:
        """Return the keys of (parent, id) pairs; those not yet known are added."""
        table = METADATA.tables[name]
        known = self._found.get(name) or self._known(table)
        missing = sorted(pair for pair in wanted if pair not in known)
        if missing:
            parents, codes = zip(*missing, strict=True)
            columns = {_parent(table): np.array(parents, dtype=np.int64), "code": _words(codes)}
            insert_rows(self._connection, name, columns)
            known = self._known(table)
        self._found[name] = known
        return [known[pair] for pair in wanted]

    def _known(self, table: Table) -> dict[tuple[int, str], int]:
        query = select(table.c.id, table.c[_parent(table)], table.c.code)
        if table.name == "blocks":
            communities = METADATA.tables["communities"]
            query = query.join(communities, table.c.community_id == communities.c.id)
            query = query.where(communities.c.round_id == self._round_key)
        else:
            query = query.where(table.c.round_id == self._round_key)
        return {(parent, code): key for key, parent, code in _tuples(self._connection, query)}


def insert_rows(connection: Connection, table: str, columns: Columns) -> None:
    """Insert rows given as columns, with many to a statement or with PostgreSQL's ``COPY``."""
    cursor: Any = connection.connection.cursor()
    with closing(cursor):
        if connection.dialect.name == "sqlite":
            most = connection.connection.driver_connection.getlimit(  # type: ignore[union-attr]
                sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER
            )
            _insert(cursor, table, columns, min(MOST_ROWS, most // len(columns)))
        else:
            _copy(cursor, table, columns)


def _insert(cursor: Any, table: str, columns: Columns, most: int) -> None:  # noqa: ANN401  # a driver's
    """Insert rows, ``most`` to a statement."""
    size, width = len(next(iter(columns.values()))), len(columns)
    for begin in range(0, size, most):
        rows = min(most, size - begin)
        values = [None] * (rows * width)
        for number, column in enumerate(columns.values()):
            values[number::width] = column[begin : begin + rows].tolist()
        row = f"({', '.join('?' * width)})"
        marks = ", ".join([row] * rows)
        cursor.execute(f"INSERT INTO {table} ({', '.join(columns)}) VALUES {marks}", values)  # noqa: S608  # names of this package


def _copy(cursor: Any, table: str, columns: Columns) -> None:  # noqa: ANN401  # a driver's
    rows = zip(*(column.tolist() for column in columns.values()), strict=True)
    with cursor.copy(f"COPY {table} ({', '.join(columns)}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)


def _tuples(connection: Connection, query: Select[Any]) -> list[tuple[Any, ...]]:
    """Return all rows of a query as the driver gives them: a tenth of the time of SQLAlchemy's."""
    text = str(query.compile(connection, compile_kwargs={"literal_binds": True}))
    cursor: Any = connection.connection.cursor()
    with closing(cursor):
        cursor.execute(text)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows


def _parent(table: Table) -> str:
    return "community_id" if table.name == "blocks" else "round_id"


def _distinct(values: pd.Series) -> tuple[Ints, list[str]]:
    """Return the number of each value's text, and the texts."""
    codes, found = pd.factorize(values)
    return codes, np.asarray(found).astype(str).tolist()


def _words(texts: Sequence[str]) -> np.ndarray:
    return np.array(texts, dtype=object)


def _plain(frame: pd.DataFrame, *names: str) -> dict[str, np.ndarray]:
    return {
        name: frame[name].to_numpy(dtype=object)
        if name in {"zone", "reason"}
        else frame[name].to_numpy(dtype=np.int64)
        for name in names
    }
