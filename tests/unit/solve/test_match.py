"""Pairing what enters a node of the network with what leaves it."""

from __future__ import annotations

import numpy as np
import pytest

from scheduler.solve.network import match


@pytest.mark.parametrize("seed", range(20))
def test_nothing_is_lost_or_made(seed: int) -> None:
    """Each column's units are used up exactly, under equal keys only."""
    rng = np.random.default_rng(seed)
    key = rng.integers(0, 4, 30)
    units = rng.integers(0, 9, 30)
    in_key, in_units, out_key, out_units = key[:0], units[:0], key[:0], units[:0]
    for one in range(4):
        total = int(units[key == one].sum())
        in_key, in_units = np.r_[in_key, key[key == one]], np.r_[in_units, units[key == one]]
        cut = np.sort(rng.integers(0, total + 1, 3))
        out_key = np.r_[out_key, np.full(4, one)]
        out_units = np.r_[out_units, np.diff(np.r_[0, cut, total])]
    order = rng.permutation(len(in_key))
    ins, outs, pieces = match(in_key, in_units, order, out_key, out_units, np.arange(len(out_key)))
    assert (in_key[ins] == out_key[outs]).all()
    assert (pieces > 0).all()
    assert (np.bincount(ins, weights=pieces, minlength=len(in_key)) == in_units).all()
    assert (np.bincount(outs, weights=pieces, minlength=len(out_key)) == out_units).all()


def test_first_in_first_out() -> None:
    """The earliest that enters takes the earliest that leaves."""
    zero = np.zeros(2, dtype=np.int64)
    ins, outs, units = match(
        zero, np.array([3, 2]), np.array([9, 1]), zero, np.array([4, 1]), np.array([5, 7])
    )
    assert list(zip(ins.tolist(), outs.tolist(), units.tolist(), strict=True)) == [
        *((1, 0, 2), (0, 0, 2), (0, 1, 1)),
    ]


def test_no_flow_gives_no_pairs() -> None:
    """Empty columns and zero units pair to nothing."""
    none = np.zeros(0, dtype=np.int64)
    assert [c.tolist() for c in match(none, none, none, none, none, none)] == [[], [], []]
