"""Where the figures of the cities are found, and what they must hold."""

from __future__ import annotations

from pathlib import Path

import pytest

from scheduler.domain.choices import CITIES
from scheduler.errors import CannotRunError
from scheduler.generate import figures
from scheduler.generate.figures import configs_folder, load_figures


def test_figures_of_an_installed_wheel_are_inside_the_package(tmp_path: Path) -> None:
    """Rule: the wheel ships the figures as scheduler/_configs, and they win."""
    package = tmp_path / "scheduler"
    (package / "_configs").mkdir(parents=True)
    (tmp_path / "configs").mkdir()
    assert configs_folder(package) == package / "_configs"


def test_figures_of_an_editable_install_are_beside_the_package(tmp_path: Path) -> None:
    """Rule: without _configs the repository's configs folder is used."""
    package = tmp_path / "scheduler"
    package.mkdir()
    assert configs_folder(package) == tmp_path / "configs"


def test_every_city_has_figures_with_sources() -> None:
    """Rule: each city has a file of figures that can be read, each marks what is assumed."""
    for city in CITIES:
        found = load_figures(city)
        text = (configs_folder() / f"{city}.toml").read_text(encoding="utf-8")
        assert found.city.people > 0
        assert found.zones.district in {d.name for d in found.districts}
        assert "SYNTHETIC" in text
        assert "[assumption]" in text


def test_dalian_figures_are_the_published_ones() -> None:
    """Rule: Dalian has 152 streets and, by the census of 2020, 7,450,785 people in 10 districts."""
    found = load_figures("dalian")
    assert found.city.people == 6_379_000
    assert len(found.districts) == 10
    assert sum(d.people for d in found.districts) == 7_450_785
    assert sum(d.streets for d in found.districts) == 152


def test_unknown_city_is_refused() -> None:
    """Rule: a city without figures is a usage error that names the known ones."""
    with pytest.raises(CannotRunError, match="dalian, harbin"):
        load_figures("atlantis")


def test_broken_figures_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rule: a file of figures that lacks keys is an error of the program's setup, not a crash."""
    (tmp_path / "dalian.toml").write_text("[city]\nname = 'x'\n", encoding="utf-8")
    monkeypatch.setattr(figures, "configs_folder", lambda: tmp_path)
    with pytest.raises(CannotRunError, match="dalian"):
        load_figures("dalian")
