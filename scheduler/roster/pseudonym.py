"""Codes that stand for residents in what communities receive: keyed hashes of their ids."""

from __future__ import annotations

from hashlib import blake2b

import numpy as np
import polars as pl

_BYTES = 8  # a community has thousands of people: two of the same code are out of the question

_CHUNK = 200_000  # ids at a time: a Python object each takes much more room than its column


def codes_of(ids: pl.Series, key: bytes) -> pl.Series:
    """Return the code of each id, UInt64: keyed BLAKE2b (RFC 7693).

    Without the key nobody can tell an id from its code, not even by trying all ids.
    """
    codes = np.empty(len(ids), dtype=np.uint64)
    keyed = blake2b(key=key, digest_size=_BYTES).copy  # the key is mixed in once, not for each id
    for begin in range(0, len(ids), _CHUNK):
        digests = []
        for text in ids.slice(begin, _CHUNK).cast(pl.Binary).to_list():
            state = keyed()
            state.update(text)
            digests.append(state.digest())
        codes[begin : begin + len(digests)] = np.frombuffer(b"".join(digests), dtype=">u8")
    return pl.Series("code", codes)
