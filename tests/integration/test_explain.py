"""``explain`` on a round folder, in both languages."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from scheduler.app.explain import explain_community, find_community
from scheduler.cli.commands.explain import command
from scheduler.cli.explain_words import _EN, _ZH
from scheduler.cli.render import width
from scheduler.domain.explain import Why
from scheduler.domain.plan import Reason
from scheduler.errors import CannotRunError
from scheduler.ingest.loader import load_instance
from scheduler.publish.plan_files import write_plan
from tests.handmade import greedy_plan

TINY = Path(__file__).parents[1] / "data" / "tiny"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return the tiny round with a plan."""
    return _planned(tmp_path / "round", "zh")


def _planned(home: Path, language: str) -> Path:
    shutil.copytree(TINY, home)
    path = home / "round.toml"
    path.write_text(path.read_text("utf-8").replace('"zh"', f'"{language}"'), "utf-8")
    write_plan(home, "0001", greedy_plan(load_instance(home)))
    return home


def _run(*arguments: object) -> Result:
    return CliRunner().invoke(command, [str(a) for a in arguments], catch_exceptions=False)


def test_it_is_told_in_chinese(folder: Path) -> None:
    """Where, when, which rules, which sites and labs, in lines of 80 columns."""
    result = _run(folder, "春海社区")
    assert result.exit_code == 0
    text = result.stdout
    for words in ("12-22 08:00 至 11:00", "海军广场采样点", "普通区，10 人一管", "步行 279 米"):
        assert words in text
    assert "5 人上门采样" in text
    assert max(map(width, text.splitlines())) <= 80


def test_it_is_told_in_english(tmp_path: Path) -> None:
    """A round with language en is explained in English, names apart."""
    text = _run(_planned(tmp_path / "round", "en"), "C002").stdout
    flat = " ".join(text.split())
    assert "12-22 08:00 to 09:15: 站北广场采样点 (S02), 107 people." in flat
    assert "It is a control zone: 10 to a tube." in flat
    assert "30 minutes of clearing" in flat
    assert "min before the promise" in flat


def test_a_lockdown_community_is_served_in_place(folder: Path) -> None:
    """A sealed community is told that its team comes, and has no other candidate."""
    told = json.loads(_run(folder, "C003", "--json").stdout)
    assert [c["site_id"] for c in told["candidates"]] == ["S03"]
    assert told["candidates"][0]["in_place"] is True
    assert told["visits"][0]["start"] == "2020-12-22T09:00:00+08:00"
    assert any("足不出户" in line for part in told["words"] for line in part["lines"])


def test_unknown_communities_get_the_nearest_names(folder: Path) -> None:
    """A name that is not there ends with exit code 2 and names that are near."""
    with pytest.raises(CannotRunError) as caught:
        explain_community(folder, "春海")
    assert "C001 春海社区" in caught.value.hint
    with pytest.raises(CannotRunError) as caught:
        explain_community(folder, "zzz")
    assert caught.value.hint == "No name is near it."


def test_a_name_of_two_communities_is_not_guessed(folder: Path) -> None:
    """Where two have the name, both ids are told and none is chosen."""
    instance = load_instance(folder)
    instance.communities.names[:] = "光明社区"
    with pytest.raises(CannotRunError, match="got 3") as caught:
        find_community(instance, "光明社区")
    assert "C001" in caught.value.hint
    assert "C003" in caught.value.hint
    assert find_community(instance, "C002") == 1


def test_changed_input_explains_nothing(folder: Path) -> None:
    """Reasons come from the input the plan was made of, or not at all."""
    path = folder / "sites.csv"
    path.write_text(path.read_text("utf-8").replace("朝阳街1号", "朝阳街2号"), "utf-8")
    with pytest.raises(CannotRunError, match="changed since revision 0001"):
        explain_community(folder, "C001")


@pytest.mark.parametrize("words", [_ZH, _EN])
def test_every_reason_has_words(words: dict[str, str]) -> None:
    """Both languages say everything, each reason and each zone."""
    assert set(words) == set(_EN)
    assert {f"why_{why.value}" for why in Why} <= set(words)
    assert {f"reason_{reason.value}" for reason in Reason} <= set(words)
