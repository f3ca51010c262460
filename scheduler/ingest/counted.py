"""``counted.csv`` of a revision: blocks with the people that a roster counted.

It stands beside the plan made for it, so that the input files stay as the user wrote them.
It names every block of the communities it knows; the others keep those of the input.
"""

from __future__ import annotations

import hashlib
import io
from dataclasses import replace

import numpy as np
import polars as pl

from scheduler.domain.city import Blocks, Communities, Flags, Ints
from scheduler.domain.instance import Instance
from scheduler.errors import CannotRunError
from scheduler.ingest.loader import Loaded, inputs_sha256

COUNTED_FILE = "counted.csv"
COUNTED_COLUMNS = (
    "block_id",
    "community_id",
    "name",
    "people",
    "home_visits",
    "households",
    "elderly",
    "lat",
    "lng",
)
"""Columns of ``counted.csv``; lat and lng are WGS84."""

_WHOLE = ("people", "home_visits", "households", "elderly")


def counted_csv(blocks: Blocks, communities: Communities) -> bytes:
    """Return the content of ``counted.csv`` for blocks whose communities are those given."""
    frame = pl.DataFrame(
        {
            "block_id": blocks.ids.tolist(),
            "community_id": communities.ids[blocks.community_index].tolist(),
            "name": blocks.names.tolist(),
            **{name: getattr(blocks, name) for name in (*_WHOLE, "lat", "lng")},
        }
    )
    out = io.BytesIO()
    frame.write_csv(out, line_terminator="\n")
    return out.getvalue()


def with_counted(loaded: Loaded, content: bytes) -> Instance:
    """Return the instance of a folder with the blocks and people of a ``counted.csv``.

    Raises
    ------
    CannotRunError
        When the content is not such a file, or names communities that the folder does not have.
    """
    instance = loaded.instance
    if instance is None:
        raise ValueError("Expected a folder without errors")
    try:
        frame = pl.read_csv(content, schema_overrides=_schema())
        columns = {name: frame[name].to_numpy() for name in (*_WHOLE, "lat", "lng")}
        texts = {n: np.array(frame[n].to_list(), dtype=object) for n in ("block_id", "name")}
        place = {text: c for c, text in enumerate(instance.communities.ids.tolist())}
        community = np.array([place[c] for c in frame["community_id"]], dtype=np.int64)
    except (pl.exceptions.PolarsError, KeyError) as error:
        raise CannotRunError(
            f"Expected {COUNTED_FILE} of this round, got: {str(error).splitlines()[0]}",
            hint="Run `nat-scheduler plan` and `nat-scheduler roster` again.",
        ) from None
    new = Blocks(ids=texts["block_id"], names=texts["name"], community_index=community, **columns)
    digest = hashlib.sha256(content).hexdigest()
    return instance.replace(
        blocks=_merged(instance.blocks, new, _covered(instance, community)),
        communities=_communities(instance, new),
        inputs_sha256=inputs_sha256({**loaded.inputs, COUNTED_FILE: digest}),
        has_blocks_file=True,
    )


def _schema() -> dict[str, type[pl.DataType]]:
    texts = dict.fromkeys(("block_id", "community_id", "name"), pl.String)
    return {**texts, **dict.fromkeys(_WHOLE, pl.Int64), "lat": pl.Float64, "lng": pl.Float64}


def _covered(instance: Instance, community: Ints) -> Flags:
    covered = np.zeros(len(instance.communities), dtype=bool)
    covered[community] = True
    return covered


def _merged(old: Blocks, new: Blocks, covered: Flags) -> Blocks:
    """Return the blocks of both, those of covered communities from ``new``, sorted as always."""
    stays = ~covered[old.community_index]
    columns = {
        name: np.concatenate([getattr(old, name)[stays], column])
        for name, column in vars(new).items()
    }
    both = Blocks(**columns)
    order = np.array(
        sorted(range(len(both)), key=lambda b: (both.community_index[b], both.ids[b])),
        dtype=np.int64,
    )
    return Blocks(**{name: column[order] for name, column in vars(both).items()})


def _communities(instance: Instance, new: Blocks) -> Communities:
    old, size = instance.communities, len(instance.communities)
    covered = _covered(instance, new.community_index)

    def sums(column: Ints) -> Ints:
        return np.bincount(new.community_index, column, size).astype(np.int64)

    return replace(
        old,
        population=np.where(covered, sums(new.people), old.population),
        households=np.where(covered, sums(np.maximum(new.households, 0)), old.households),
        elderly=np.where(covered, sums(np.maximum(new.elderly, 0)), old.elderly),
        homebound=np.where(covered, sums(new.home_visits), old.homebound),
        participation=np.where(covered, 1.0, old.participation),
    )
