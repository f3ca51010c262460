"""What stands on a notice, on the tiny round set down by hand."""

from __future__ import annotations

import io
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
import segno

from scheduler.domain.instance import Instance
from scheduler.errors import CannotRunError
from scheduler.publish.notices.content import Notices
from scheduler.publish.notices.sketch import HEIGHT, WIDTH, sketch
from scheduler.publish.notices.template import ASSETS, Templates
from scheduler.publish.notices.texts import NoticeTexts, read_texts
from scheduler.publish.notices.writer import notice_pages
from scheduler.publish.schedule import Schedule
from scheduler.publish.words import page_words
from tests.handmade import greedy_plan
from tests.plans import texts, tiny_instance, tiny_plan
from tests.rounds import Recipe, random_instance


def _instance(language: Literal["zh", "en"] = "zh") -> Instance:
    instance = tiny_instance()
    settings = instance.settings
    return instance.replace(
        settings=replace(settings, round=replace(settings.round, language=language))
    )


def _notices(instance: Instance | None = None) -> Notices:
    instance = instance or _instance()
    return Notices(Schedule(instance, tiny_plan(instance), "0001"))


def test_blocks_with_their_quarter_hours() -> None:
    """Rule: each building has its site, its time and its quarter hours."""
    first, second = _notices().content(0)["blocks"]
    assert (first["id"], first["people"], first["site"]) == ("C1-001", 96, 1)
    assert (first["begin"]["time"], first["end"]["time"]) == ("06:45", "07:15")
    assert first["begin"]["date"] == "12月22日"
    assert [s["people"] for s in first["slots"]] == [57, 39]
    assert [s["people"] for s in second["slots"]] == [18, 42]
    assert first["num_slots"] == 2


def test_home_visits_and_people_without_a_slot() -> None:
    """Rule: nobody is left out of a notice: home visits and people without a slot stand on it."""
    notices = _notices()
    assert [row["people"] for row in notices.content(0)["home_visits"]] == [4]
    assert notices.content(0)["unserved"] == []
    (left,) = notices.content(3)["unserved"]
    assert (left["people"], notices.content(3)["blocks"]) == (10, [])


def test_all_called_stand_on_notices() -> None:
    """Rule: on random rounds the people of all quarter hours are the people called."""
    instance = random_instance(3, Recipe(num_communities=9))
    notices = Notices(Schedule(instance, greedy_plan(instance), "0001"))
    every = [notices.content(c) for c in range(len(instance.communities))]
    told = sum(s["people"] for n in every for b in n["blocks"] for s in b["slots"])
    assert told == int(notices.calls.people.sum())
    left = sum(r["people"] for n in every for r in (*n["home_visits"], *n["unserved"]))
    assert told + left == int(instance.blocks.people.sum())


def test_who_is_served_in_place_is_told_to_stay() -> None:
    """Rule: where a team comes, the notice says so and shows no way to walk."""
    content = _notices().content(2)
    assert content["in_place"]
    assert content["pool_size"] == 1
    page = _page(content).decode()
    assert page_words(ASSETS, "zh")["comes"] in page
    assert 'class="qr"' not in page


def test_code_holds_the_place() -> None:
    """Rule: the QR code is that of the site's geo URI."""
    (site,) = _notices().content(0)["sites"]
    assert site["geo"] == "geo:38.90100,121.60000"
    buffer = io.BytesIO()
    code = segno.make(site["geo"], error="m", micro=False)
    code.save(buffer, kind="svg", border=2, omitsize=True, xmldecl=False, svgclass="qr", nl=False)
    assert site["qr"] == buffer.getvalue().decode().replace(
        ' xmlns="http://www.w3.org/2000/svg"', ""
    )


def test_identity_numbers_and_markup_of_names() -> None:
    """Rule: an identity number is masked and markup is shown, not obeyed."""
    instance = _instance()
    names = texts("张三11010519491231002X", "<b>&", *["block"] * 4)
    instance = instance.replace(blocks=replace(instance.blocks, names=names))
    page = _page(_notices(instance).content(0)).decode()
    assert "张三110105************" in page
    assert "11010519491231002X" not in page
    assert "&lt;b&gt;&amp;" in page


def _page(content: dict[str, Any], templates: Templates | None = None) -> bytes:
    return (templates or Templates(None)).render("A", {**content, "texts": NoticeTexts()})


def test_own_template_replaces_a_part(tmp_path: Path) -> None:
    """Rule: a template of the district comes before that for all, and may keep the rest."""
    (tmp_path / "A").mkdir()
    heading = "{% block heading %}<h1>A: {{ community.name }}</h1>{% endblock %}"
    own = '{% extends "default.html" %}' + heading
    (tmp_path / "A" / "notice.html").write_text(own, encoding="utf-8")
    (tmp_path / "notice.html").write_text(
        "{{ community.id }} {{ texts.contact }}", encoding="utf-8"
    )
    templates, notices = Templates(tmp_path), _notices()
    page = _page(notices.content(0), templates).decode()
    assert "<h1>A: 东关社区</h1>" in page
    assert "06:45" in page
    other = templates.render("B", {**notices.content(4), "texts": NoticeTexts(contact="12345")})
    assert other == b"C5 12345"


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("{% if %}", r"notice\.html:1"),
        ("{{ commune.name }}", "'commune' is undefined"),
        ("{{ ''.__class__.__mro__ }}", "unsafe"),
        ("{% extends 'nothing.html' %}", r"nothing\.html"),
        ("{{ 1 / 0 }}", r"notice\.html: division by zero"),
        ("{{ '%d'|format(round) }}", r"notice\.html: %d format"),
        ("\udcff", "Expected templates in UTF-8"),
    ],
)
def test_a_wrong_template_is_told(tmp_path: Path, source: str, told: str) -> None:
    """Rule: what is wrong with a template is said with its file; it cannot reach the program."""
    (tmp_path / "notice.html").write_bytes(source.encode(errors="surrogateescape"))
    with pytest.raises(CannotRunError, match=told):
        _page(_notices().content(0), Templates(tmp_path))


def test_a_folder_without_template_is_refused(tmp_path: Path) -> None:
    """Rule: a folder named for templates must hold one."""
    with pytest.raises(CannotRunError, match=r"notice\.html"):
        Templates(tmp_path)


def test_texts_of_the_round_and_of_a_district(tmp_path: Path) -> None:
    """Rule: a district's texts come before those for all; the rest is kept."""
    (tmp_path / "notices.toml").write_text(
        'contact = "0411-1"\nmissed = "补采点"\n[districts."A"]\ncontact = "0411-2"\n', "utf-8"
    )
    book = read_texts(tmp_path)
    assert book.of("A") == NoticeTexts(contact="0411-2", missed="补采点")
    assert book.of("B").contact == "0411-1"
    instance = _instance()
    schedule = Schedule(instance, tiny_plan(instance), "0001")
    pages = dict(notice_pages(schedule, np.arange(5), Templates(None), book))
    assert "0411-2" in pages["A/C1.html"].decode()
    assert "0411-1" in pages["B/C5.html"].decode()
    assert read_texts(tmp_path / "elsewhere").of("A") == NoticeTexts()


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("contact = ", "TOML"),
        ('contakt = "1"', 'Unknown key .*"contakt"'),
        ("contact = 12345", "Expected a text"),
        ("districts = 1", "Expected a table"),
        ("[districts]\nA = 1", "Expected a table"),
    ],
)
def test_wrong_texts_are_refused(tmp_path: Path, content: str, told: str) -> None:
    """Rule: what cannot be used in notices.toml is said, with the nearest known name."""
    (tmp_path / "notices.toml").write_text(content, encoding="utf-8")
    with pytest.raises(CannotRunError, match=told) as caught:
        read_texts(tmp_path)
    assert caught.value.hint in {"", "Did you mean contact?"}


def test_sketch_is_whole_and_numbers_lie_apart() -> None:
    """Rule: every site has its number inside the frame, and no two numbers cover each other."""
    same = [(38.9, 121.6)] * 4
    drawing = ET.fromstring(sketch([(38.9001, 121.6001)], [*same, (38.91, 121.63)]))  # noqa: S314  # our own
    circles = [e for e in drawing if e.tag.endswith("circle")]
    spots = np.array([[float(c.attrib["cx"]), float(c.attrib["cy"])] for c in circles])
    assert len(spots) == 5
    assert ((spots > 0) & (spots < [WIDTH, HEIGHT])).all()
    apart = np.hypot(*(spots[:, None] - spots[None]).transpose(2, 0, 1))
    assert apart[~np.eye(5, dtype=bool)].min() > 20


def test_english_notice() -> None:
    """Rule: with language en the notice is English, and both languages have the same words."""
    assert page_words(ASSETS, "zh").keys() == page_words(ASSETS, "en").keys()
    page = _page(_notices(_instance("en")).content(0)).decode()
    assert "22 Dec Tue" in page
    assert "What to bring" in page
