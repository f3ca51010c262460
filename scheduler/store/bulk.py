"""Write the tables of a plan fast: ids become whole numbers, rows go in by the hundred thousand."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd
from sqlalchemy import Table, select
from sqlalchemy.engine import Connection

from scheduler.domain.city import Ints
from scheduler.domain.plan import Plan
from scheduler.store.tables import METADATA

CHUNK = 50_000
"""Rows turned into Python objects at a time, to keep memory small."""


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

    def write(self, plan: Plan) -> None:
        """Write assignments, consignments and unserved people of a plan."""
        self._write_assignments(plan.assignments)
        self._write_consignments(plan.consignments)
        self._write_unserved(plan.unserved)
        moments = [(self._revision_key, *item) for item in sorted(self._moments.items())]
        columns = ("revision_id", "minute", "local_time")
        insert_rows(self._connection, "moments", columns, [moments])

    def _write_assignments(self, frame: pd.DataFrame) -> None:
        self._insert(
            "assignments",
            ("block_id", "start_min"),
            {
                "block_id": self._block_keys(frame),
                "start_min": self._minutes(frame["start"]),
                "end_min": self._minutes(frame["end"]),
                "site_id": self._keys("sites", frame["site_id"]),
                **_plain(frame, "people", "tubes", "zone", "pool_size"),
            },
        )

    def _write_consignments(self, frame: pd.DataFrame) -> None:
        self._insert(
            "consignments",
            ("site_id", "pickup_min"),
            {
                "site_id": self._keys("sites", frame["site_id"]),
                "pickup_min": self._minutes(frame["pickup_at"]),
                "lab_id": self._keys("labs", frame["lab_id"]),
                "start_min": self._minutes(frame["start_at"]),
                "arrive_min": self._minutes(frame["arrive_at"]),
                "result_min": self._minutes(frame["result_by"]),
                "oldest_sample_min": self._minutes(frame["oldest_sample_at"]),
                **_plain(frame, "zone", "tubes", "people", "pool_size"),
            },
        )

    def _write_unserved(self, frame: pd.DataFrame) -> None:
        columns = {"block_id": self._block_keys(frame), **_plain(frame, "reason", "people")}
        self._insert("unserved", ("block_id", "people"), columns)

    def _insert(self, name: str, key: tuple[str, str], columns: dict[str, np.ndarray]) -> None:
        # In the order of the primary key each row goes to the end of the table.
        order = np.lexsort((columns[key[1]], columns[key[0]]))
        arrays = [np.full(len(order), self._revision_key), *columns.values()]
        chunks = _chunks([array[order] for array in arrays])
        insert_rows(self._connection, name, ("revision_id", *columns), chunks)

    def _minutes(self, times: pd.Series) -> Ints:
        """Return minutes since the round's start; each distinct text is read once."""
        codes, texts = pd.factorize(times)
        minutes = [self._minute(str(text)) for text in texts]
        return np.array(minutes, dtype=np.int64)[codes]

    def _minute(self, text: str) -> int:
        seconds = (datetime.fromisoformat(text) - self._start).total_seconds()
        minute, rest = divmod(seconds, 60)
        if rest:
            raise ValueError(f"Expected whole minutes since the round's start, got {text}")
        self._moments[int(minute)] = text
        return int(minute)

    def _keys(self, name: str, ids: pd.Series) -> Ints:
        codes, texts = pd.factorize(ids)
        keys = self._key_of(name, [(self._round_key, str(text)) for text in texts])
        return np.array(keys, dtype=np.int64)[codes]

    def _block_keys(self, frame: pd.DataFrame) -> Ints:
        communities = self._keys("communities", frame["community_id"])
        block_codes, texts = pd.factorize(frame["block_id"])
        codes, pairs = pd.factorize(communities * len(texts) + block_codes)
        parents, blocks = np.divmod(pairs, max(1, len(texts)))
        wanted = [(int(p), str(texts[b])) for p, b in zip(parents, blocks, strict=True)]
        return np.array(self._key_of("blocks", wanted), dtype=np.int64)[codes]

    def _key_of(self, name: str, wanted: Sequence[tuple[int, str]]) -> list[int]:
        """Return the keys of (parent, id) pairs; those not yet known are added."""
        table = METADATA.tables[name]
        known = self._known(table)
        missing = sorted(pair for pair in wanted if pair not in known)
        if missing:
            insert_rows(self._connection, name, (_parent(table), "code"), [missing])
            known = self._known(table)
        return [known[pair] for pair in wanted]

    def _known(self, table: Table) -> dict[tuple[int, str], int]:
        query = select(table.c.id, table.c[_parent(table)], table.c.code)
        if table.name == "blocks":
            communities = METADATA.tables["communities"]
            query = query.join(communities, table.c.community_id == communities.c.id)
            query = query.where(communities.c.round_id == self._round_key)
        else:
            query = query.where(table.c.round_id == self._round_key)
        return {(parent, code): key for key, parent, code in self._connection.execute(query)}


def insert_rows(
    connection: Connection,
    table: str,
    columns: Sequence[str],
    chunks: Iterable[Sequence[tuple[Any, ...]]],
) -> None:
    """Insert rows, in chunks, with SQLite's ``executemany`` or PostgreSQL's ``COPY``."""
    names = ", ".join(columns)
    cursor: Any = connection.connection.cursor()
    with closing(cursor):
        if connection.dialect.name == "sqlite":
            marks = ", ".join("?" * len(columns))
            for chunk in chunks:
                cursor.executemany(f"INSERT INTO {table} ({names}) VALUES ({marks})", chunk)  # noqa: S608  # names of this package
        else:
            with cursor.copy(f"COPY {table} ({names}) FROM STDIN") as copy:
                for chunk in chunks:
                    for row in chunk:
                        copy.write_row(row)


def _parent(table: Table) -> str:
    return "community_id" if table.name == "blocks" else "round_id"


def _plain(frame: pd.DataFrame, *names: str) -> dict[str, np.ndarray]:
    return {
        name: frame[name].to_numpy(dtype=object)
        if name in {"zone", "reason"}
        else frame[name].to_numpy(dtype=np.int64)
        for name in names
    }


def _chunks(arrays: Sequence[np.ndarray]) -> Iterator[list[tuple[Any, ...]]]:
    for begin in range(0, len(arrays[0]), CHUNK):
        columns = [array[begin : begin + CHUNK].tolist() for array in arrays]
        yield list(zip(*columns, strict=True))
