"""Days get what labs take of them, whatever streams share by themselves."""

from __future__ import annotations

import numpy as np
import pytest

from scheduler.solve.day_shares import elsewhere, in_proportion


@pytest.mark.parametrize("seed", range(10))
def test_days_get_what_is_wanted_and_streams_keep_their_sums(seed: int) -> None:
    """Where all streams work on all days both sums are met, and nothing is less than none."""
    rng = np.random.default_rng(seed)
    stream, part = (a.ravel() for a in np.indices((8, 3)))
    now = rng.uniform(1, 9, len(stream))
    wanted = np.bincount(part, now) * rng.uniform(0.8, 1.2, 3)
    wanted *= now.sum() / wanted.sum()
    found = in_proportion(now, stream, part, wanted)
    assert np.bincount(stream, found) == pytest.approx(np.bincount(stream, now))
    assert np.bincount(part, found) == pytest.approx(wanted, rel=1e-6)
    assert (found >= 0).all()


def test_a_stream_without_a_day_keeps_to_its_own() -> None:
    """What one stream cannot send on a day the others make up for."""
    stream, part = np.array([0, 0, 1]), np.array([0, 1, 0])
    found = in_proportion(np.array([5.0, 5.0, 4.0]), stream, part, np.array([7.0, 7.0]))
    assert found == pytest.approx([3.0, 7.0, 4.0], abs=1e-3)


def test_nothing_wanted_and_nobody_there_is_no_trouble() -> None:
    """Streams without tubes and days without wishes leave numbers that are numbers."""
    stream, part = np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1])
    found = in_proportion(np.zeros(4), stream, part, np.zeros(2))
    assert found.tolist() == [0.0] * 4


def test_what_a_night_cannot_do_comes_on_days_whose_nights_can() -> None:
    """Days with too many tubes lose them, others get them in proportion, and the sum is kept."""
    wanted = np.array([30.0, 40.0, 10.0, 20.0])
    found = elsewhere(wanted, np.array([3.0, 0.0, 0.0, 1.5]))
    assert found == pytest.approx([27.0, 43.6, 10.9, 18.5])
    assert elsewhere(wanted, np.zeros(4)).tolist() == wanted.tolist()
    assert elsewhere(wanted, np.ones(4)) == pytest.approx(wanted - 1)  # nowhere to go
