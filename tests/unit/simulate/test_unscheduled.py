"""The same round without a schedule."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from scheduler.domain.city import FIXED
from scheduler.domain.settings import Zone
from scheduler.errors import CannotRunError
from scheduler.generate.figures import configs_folder
from scheduler.simulate import load_curve, unscheduled_visits
from scheduler.simulate.unscheduled import nearest_sites
from tests.rounds import Recipe, random_instance

CURVE = load_curve(configs_folder() / "arrivals.toml")


def test_the_fitted_curve_is_whole() -> None:
    """Rule: shares of a day, and of the days of a round, sum to 1 and never grow below 0."""
    assert CURVE.day.before_opening + sum(CURVE.day.tenths) == pytest.approx(1, abs=1e-3)
    for days in (1, 2, 3, 5):
        shares = CURVE.of_days(days)
        assert len(shares) == days
        assert shares.sum() == pytest.approx(1)
        assert (shares > 0).all()


def test_everybody_comes_once() -> None:
    """Rule: all people to be called come, but sealed ones without a team."""
    instance = random_instance(4, Recipe(days=2))
    visits = unscheduled_visits(instance, CURVE)
    assert visits.people.sum() == instance.demand[nearest_sites(instance) >= 0].sum()
    assert (visits.width_min > 0).all()


def test_nobody_passes_the_nearest_site() -> None:
    """Rule: no accepting fixed site is nearer than the one a normal block goes to."""
    instance = random_instance(6, Recipe(special=False, num_sites=6))
    found = nearest_sites(instance)
    sites, blocks = instance.sites, instance.blocks
    away = np.hypot(
        sites.lat[None, :] - blocks.lat[:, None],
        (sites.lng[None, :] - blocks.lng[:, None]) * np.cos(np.radians(38.9)),
    )
    usable = (sites.kinds == FIXED) & sites.accepts[:, Zone.NORMAL]
    best = np.where(usable, away, np.inf).min(axis=1)
    assert away[np.arange(len(blocks)), found] == pytest.approx(best, rel=1e-3)


def test_a_curve_that_is_damaged_is_refused(tmp_path: Path) -> None:
    """Rule: a missing or damaged curve is told by name."""
    for text in ("", "[day]\nbefore_opening = 1", "not toml ["):
        path = tmp_path / "arrivals.toml"
        path.write_text(text, encoding="utf-8")
        with pytest.raises(CannotRunError, match="arrival curve"):
            load_curve(path)
